"""Says what moto makes of shadow documents: its cases were run against AWS itself ("aws_verified").

moto_judge.py < CASES, a JSON list of lists of updates; prints the list of the states that result, or the code of
the refusal."""

import json
import os
import sys

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-west-1")

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws


def result(client, thing, updates):
    for update in updates:
        try:
            client.update_thing_shadow(thingName=thing, payload=json.dumps(update))
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
    document = json.loads(client.get_thing_shadow(thingName=thing)["payload"].read())
    return {"state": document["state"], "version": document["version"]}


with mock_aws():
    cases = json.load(sys.stdin)
    iot, data = boto3.client("iot"), boto3.client("iot-data")
    results = []
    for number, updates in enumerate(cases):
        thing = f"thing-{number}"
        iot.create_thing(thingName=thing)
        results.append(result(data, thing, updates))
    json.dump(results, sys.stdout)
