"""The locustfile of `loadgate ui`: every kind of body that its options name. The page has the shapes."""

from loadgate import InferenceUser


class Requests(InferenceUser):
    kind = None
