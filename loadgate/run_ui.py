"""The locustfile of `loadgate ui`: every kind of body that its options name, and the shapes of the picker."""

from loadgate import InferenceUser
from loadgate.shapes import CapacitySearch as CapacitySearch


class Requests(InferenceUser):
    kind = None
