"""JSON and files together, four to one: the weights are shares of Locust's users, and so of the load."""

from loadgate import InferenceUser


class MixedJson(InferenceUser):
    kind = "json"
    weight = 4


class MixedFiles(InferenceUser):
    kind = "file"
    weight = 1
