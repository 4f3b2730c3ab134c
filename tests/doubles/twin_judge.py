"""Judges what the double of Azure IoT Hub says to a device: Azure's own SDK must understand it.

twin_judge.py PORT CA DEVICE KEY"""

import json
import queue
import sys

import paho.mqtt.client as paho
from azure.iot.device import IoTHubDeviceClient, MethodResponse

ca, device, key = sys.argv[2:]

# the SDK knows one port and no other
connect = paho.Client.connect
paho.Client.connect = lambda self, host, port=0, **more: connect(
    self, host, int(sys.argv[1]), **more
)

client = IoTHubDeviceClient.create_from_connection_string(
    f"HostName=localhost;DeviceId={device};SharedAccessKey={key}",
    server_verification_cert=open(ca).read(),
)
patches, methods, messages = queue.Queue(), queue.Queue(), queue.Queue()
client.connect()
print("desired:", json.dumps(client.get_twin()["desired"], sort_keys=True))
client.patch_twin_reported_properties({"lamp": {"on": True}, "gone": None})
print("reported:", json.dumps(client.get_twin()["reported"], sort_keys=True))
client.on_twin_desired_properties_patch_received = patches.put
client.on_method_request_received = methods.put
client.on_message_received = messages.put
client.send_message("ready")
print("patch:", json.dumps(patches.get(timeout=15), sort_keys=True))
method = methods.get(timeout=15)
print("method:", method.name, json.dumps(method.payload))
client.send_method_response(MethodResponse.create_from_method_request(method, 200, {"pong": True}))
message = messages.get(timeout=15)
print("message:", message.message_id, message.custom_properties["colour"], message.data.decode())
client.shutdown()
print("sdk: content")
