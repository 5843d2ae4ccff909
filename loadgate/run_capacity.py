"""The locustfile of `loadgate capacity`."""

from loadgate import InferenceUser
from loadgate.shapes import CapacitySearch as CapacitySearch


class Requests(InferenceUser):
    kind = None
