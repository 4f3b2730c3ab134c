"""Judges the double of AWS's shadow service: AWS's own SDK must be content with it.

shadow_judge.py PORT CA CERTIFICATE KEY THING"""

import json
import queue
import sys

from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTShadowClient

port, ca, certificate, key, thing = int(sys.argv[1]), *sys.argv[2:]


def connected(client_id):
    client = AWSIoTMQTTShadowClient(client_id)
    client.configureEndpoint("localhost", port)
    client.configureCredentials(ca, key, certificate)
    client.configureConnectDisconnectTimeout(10)
    client.configureMQTTOperationTimeout(10)
    assert client.connect(30)
    return client


client, operator = connected(thing), connected(f"{thing}-operator")
shadow = client.createShadowHandlerWithName(thing, True)
# who has made an update is not told of the difference that it makes: this is the SDK's own rule
others = operator.createShadowHandlerWithName(thing, True)
answers, deltas = queue.Queue(), queue.Queue()


def answer(payload, status, token):
    answers.put((status, json.loads(payload)))


def asked(request, *arguments):
    request(*arguments, answer, 10)
    status, body = answers.get(timeout=15)
    print(f"{request.__name__}: {status} {body.get('code', '')}".rstrip())
    return body


asked(shadow.shadowGet)
shadow.shadowRegisterDeltaCallback(lambda payload, status, token: deltas.put(json.loads(payload)))
asked(shadow.shadowUpdate, '{"state": {"reported": {"lamp": {"on": false, "color": "red"}}}}')
asked(others.shadowUpdate, '{"state": {"desired": {"lamp": {"on": true, "color": "red"}}}}')
delta = deltas.get(timeout=15)
assert delta["state"] == {"lamp": {"on": True}} and delta["version"] == 2, delta
body = asked(shadow.shadowGet)
assert body["state"]["delta"] == {"lamp": {"on": True}} and body["version"] == 2, body
asked(shadow.shadowUpdate, '{"state": {"reported": {"lamp": {"on": true}}}, "version": 1}')
asked(shadow.shadowUpdate, '{"state": {"reported": {"lamp": {"on": true}}}, "version": 2}')
assert "delta" not in asked(shadow.shadowGet)["state"]
asked(shadow.shadowUpdate, '{"desired": {}}')
asked(shadow.shadowDelete)
asked(shadow.shadowGet)
shadow.shadowUnregisterDeltaCallback()
assert client.disconnect() and operator.disconnect()
print("sdk: content")
