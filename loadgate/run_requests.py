"""The locustfile of `loadgate run`: every kind of body that its options name."""

from loadgate import InferenceUser


class Requests(InferenceUser):
    kind = None
