"""Judges the double of Google Cloud IoT Core's bridge: tokens of PyJWT and of google-auth must be let in, with a
client that does what Google's own samples did; and who breaks one rule at a time must be refused.

google_judge.py PORT CA PATH DEVICE PROJECT ALGORITHM KEY"""

import base64
import ssl
import sys
import threading
import time

import jwt
import paho.mqtt.client as paho
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from google.auth import crypt
from google.auth import jwt as google_jwt

port, ca, path, device, project, algorithm, key_file = int(sys.argv[1]), *sys.argv[2:]
key = open(key_file).read()
client_id = f"{path}/devices/{device}"


def claims(life=3600, audience=project, begin=0):
    now = int(time.time()) + begin
    return {"iat": now, "exp": now + life, "aud": audience}


def token(**more):
    return jwt.encode(claims(**more), key, algorithm)


def of_google_auth():
    make = crypt.RSASigner if algorithm == "RS256" else crypt.ES256Signer
    return google_jwt.encode(make.from_string(key), claims()).decode()


def of_another():
    other = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims(), other, "ES256")


def padded():
    """As base64url is commonly written; a JWT leaves the padding out."""
    return token() + "=="


def with_der():
    """An ECDSA signature as everything but a JWT has it."""
    head, body, _ = token().split(".")
    private = serialization.load_pem_private_key(key.encode(), None)
    text = f"{head}.{body}".encode()
    if algorithm == "ES256":
        signature = private.sign(text, ec.ECDSA(hashes.SHA256()))
    else:
        signature = private.sign(text, padding.PKCS1v15(), hashes.SHA512())
    return f"{head}.{body}." + base64.urlsafe_b64encode(signature).decode().rstrip("=")


def attempt(rule, act=None, who=client_id, password=None, will=False, wanted=False):
    """Connects, acts, and says whether it was put out."""
    client = paho.Client(who)
    client.tls_set_context(ssl.create_default_context(cafile=ca))
    client.username_pw_set("unused", password or token())
    if will:
        client.will_set(f"/devices/{device}/events", "gone")
    connected, out = threading.Event(), threading.Event()
    client.on_connect = lambda client, data, flags, code: (out if code else connected).set()
    client.on_disconnect = lambda *_: out.set()
    client.connect("localhost", port)
    client.loop_start()
    while not connected.wait(0.05) and not out.is_set():
        pass
    if connected.is_set() and act:
        act(client)
    put_out = out.wait(1 if wanted else 5)
    client.loop_stop()
    if wanted:
        print(f"{rule}: {'REFUSED' if put_out else 'content'}")
    else:
        print(f"{rule}: {'refused' if put_out else 'TAKEN'}")


def works(client):
    """What Google's samples do."""
    client.subscribe([(f"/devices/{device}/config", 1), (f"/devices/{device}/commands/#", 0)])
    for number in range(3):
        client.publish(f"/devices/{device}/events/sub", f"{number}", 1).wait_for_publish(5)
    client.publish(f"/devices/{device}/state", "state", 1).wait_for_publish(5)


def twice(client):
    client.publish(f"/devices/{device}/state", "a", 1)
    client.publish(f"/devices/{device}/state", "b", 1)


attempt("PyJWT", works, wanted=True)
attempt("google-auth", password=of_google_auth(), wanted=True)
attempt("no token", password="password")
attempt("another key", password=of_another())
attempt("a shared secret", password=jwt.encode(claims(), "x" * 32, "HS256"))
attempt("no signature", password=jwt.encode(claims(), None, "none"))
attempt("padded base64url", password=padded())
attempt("a signature in another form", password=with_der())
attempt("another audience", password=token(audience="another"))
attempt("a token that has ended", password=token(life=-10))
attempt("a token of the future", password=token(begin=1200))
attempt("a token of two days", password=token(life=2 * 86400))
attempt("another device", who=f"{path}/devices/someone-else")
attempt("a bare client id", who=device)
attempt("a last will", will=True)
attempt("QoS 2", lambda client: client.publish(f"/devices/{device}/events", "x", 2))
attempt("256 KiB and a byte", lambda client: client.publish(f"/devices/{device}/events", b"x" * 262145, 1))
attempt("no leading slash", lambda client: client.publish(f"devices/{device}/events", "x", 1))
attempt("another's topic", lambda client: client.publish("/devices/someone-else/events", "x", 1))
attempt("two states in a second", twice)
attempt("commands without wildcard", lambda client: client.subscribe(f"/devices/{device}/commands", 1))
