"""Judges the double of Azure IoT Hub: Azure's own SDK must be content with it, and a client that breaks one
rule at a time must be refused.

hub_judge.py PORT CA DEVICE KEY"""

import base64
import hashlib
import hmac
import ssl
import sys
import threading
import time
import urllib.parse

import paho.mqtt.client as paho
from azure.iot.device import IoTHubDeviceClient, Message

port, ca, device, key = int(sys.argv[1]), *sys.argv[2:]
HOST = "localhost"


def to_the_double():
    """The SDK knows one port and no other."""
    connect = paho.Client.connect
    paho.Client.connect = lambda self, host, port=0, **more: connect(
        self, host, int(sys.argv[1]), **more
    )


def sdk():
    client = IoTHubDeviceClient.create_from_connection_string(
        f"HostName={HOST};DeviceId={device};SharedAccessKey={key}",
        server_verification_cert=open(ca).read(),
    )
    client.connect()
    for number in range(3):
        message = Message(f"{number}", content_type="application/json", content_encoding="utf-8")
        message.message_id = f"id {number}"
        message.custom_properties["topic"] = "greenhouse/air & more"
        client.send_message(message)
    client.shutdown()
    print("sdk: content")


def token(resource=None, life=3600, key=key, more=""):
    quote = lambda text: urllib.parse.quote(text, safe="")
    resource = quote(resource or f"{HOST}/devices/{device}")
    expiry = int(time.time()) + life
    digest = hmac.new(base64.b64decode(key), f"{resource}\n{expiry}".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(digest.digest()).decode())
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}{more}"


def attempt(rule, act=None, client_id=device, user=None, password=None, protocol=paho.MQTTv311):
    """Connects, breaks a rule, and expects to be put out."""
    client = paho.Client(client_id, protocol=protocol)
    client.tls_set_context(ssl.create_default_context(cafile=ca))
    client.username_pw_set(
        user or f"{HOST}/{device}/?api-version=2021-04-12", password or token()
    )
    connected, out = threading.Event(), threading.Event()

    def on_connect(client, data, flags, code):
        (out if code else connected).set()

    client.on_connect = on_connect
    client.on_disconnect = lambda *_: out.set()
    client.connect(HOST, port)
    client.loop_start()
    while not connected.wait(0.05) and not out.is_set():
        pass
    if connected.is_set() and act:
        act(client)
    put_out = out.wait(5)
    client.loop_stop()
    print(f"{rule}: {'refused' if put_out else 'TAKEN'}")


events = f"devices/{device}/messages/events/"
to_the_double()
sdk()
attempt("another device", client_id="someone-else")
attempt("no api-version", user=f"{HOST}/{device}/")
attempt("an api-version that is none", user=f"{HOST}/{device}/?api-version=latest")
attempt("another's user name", user=f"{HOST}/someone-else/?api-version=2021-04-12")
attempt("no token", password="password")
attempt("another key", password=token(key=base64.b64encode(b"another").decode()))
attempt("another's token", password=token(resource=f"{HOST}/devices/someone-else"))
attempt("a token that has ended", password=token(life=-10))
attempt("a policy's token", password=token(more="&skn=iothubowner"))
attempt("MQTT 3.1", protocol=paho.MQTTv31)
attempt("QoS 2", lambda client: client.publish(events, "x", 2))
attempt("256 KiB and a byte", lambda client: client.publish(events, b"x" * 262145, 1))
attempt("another's topic", lambda client: client.publish("devices/someone-else/messages/events/", "x", 1))
attempt("an unknown topic", lambda client: client.publish("greenhouse/air", "x", 1))
attempt("a property that is not encoded", lambda client: client.publish(events + "a=b c", "x", 1))
attempt("an unknown $ property", lambda client: client.publish(events + "%24.odd=1", "x", 1))
attempt("an unknown filter", lambda client: client.subscribe("devices/#", 1))
