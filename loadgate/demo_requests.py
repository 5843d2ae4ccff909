"""The locustfile of `loadgate demo`: JSON, files, and now and then a file over the gateway's limit."""

import os

from loadgate import InferenceUser


class DemoJson(InferenceUser):
    kind = "json"
    weight = 14


class DemoFiles(InferenceUser):
    kind = "file"
    weight = 5


class DemoOversize(InferenceUser):
    kind = "file"
    weight = 1
    paths = (os.environ["LOADGATE_DEMO_OVERSIZE"],)
