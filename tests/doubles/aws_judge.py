"""Judges the double of AWS IoT Core: AWS's own SDK must be content with it, and a client that breaks one
rule at a time must be refused.

aws_judge.py PORT CA CERTIFICATE KEY THING"""

import socket
import ssl
import sys
import threading

import paho.mqtt.client as paho
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient

port, ca, certificate, key, thing = int(sys.argv[1]), *sys.argv[2:]


def sdk():
    client = AWSIoTMQTTClient(thing)
    client.configureEndpoint("localhost", port)
    client.configureCredentials(ca, key, certificate)
    client.configureConnectDisconnectTimeout(10)
    client.configureMQTTOperationTimeout(10)
    assert client.connect(30)
    assert client.subscribe(f"{thing}/commands", 1, None)
    for number in range(3):
        assert client.publish(f"{thing}/sdk", str(number), 1)
    assert client.unsubscribe(f"{thing}/commands")
    assert client.disconnect()
    print("sdk: content")


def context(with_certificate=True):
    context = ssl.create_default_context(cafile=ca)
    if with_certificate:
        context.load_cert_chain(certificate, key)
    return context


def broken(rule, act=lambda client: None, client_id=thing, context=context()):
    """Connects, breaks a rule, and expects to be put out."""
    client = paho.Client(client_id)
    client.tls_set_context(context)
    connected, out = threading.Event(), threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_disconnect = lambda *_: out.set()
    client.on_connect_fail = lambda *_: out.set()
    try:
        client.connect("localhost", port)
    except (ssl.SSLError, ConnectionError):
        print(f"{rule}: refused")
        return
    client.loop_start()
    # one that is never let in is put out too
    put_out = True
    if connected.wait(3):
        act(client)
        put_out = out.wait(10)
    # it would connect anew
    client.loop_stop()
    print(f"{rule}: {'refused' if put_out else 'TAKEN'}")


def without_sni():
    bare = context()
    bare.check_hostname = False
    with bare.wrap_socket(socket.create_connection(("localhost", port))) as stream:
        try:
            stream.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
            heard = stream.recv(1)
        except (ssl.SSLError, ConnectionError):
            heard = b""
    print(f"no SNI: {'TAKEN' if heard else 'refused'}")


sdk()
broken("no certificate", context=context(with_certificate=False))
without_sni()
broken("another thing", client_id="someone-else")
broken("a client id with $", client_id="$thing")
broken("a client id of 129", client_id="x" * 129)
broken("QoS 2", lambda client: client.publish(f"{thing}/a", "x", 2))
broken("128 KiB and a byte", lambda client: client.publish(f"{thing}/a", b"x" * 131073, 1))
broken("eight slashes", lambda client: client.publish(f"{thing}/" + "a/" * 7 + "a", "x", 1))
broken("a topic of 257", lambda client: client.publish(f"{thing}/" + "a" * (256 - len(thing)), "x", 1))
broken("an unknown $ topic", lambda client: client.publish("$aws/nothing", "x", 1))
broken("another's topic", lambda client: client.publish("someone-else/a", "x", 1))
broken("nine filters", lambda client: client.subscribe([(f"{thing}/{n}", 1) for n in range(9)]))
