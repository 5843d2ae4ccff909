"""The locustfile of `loadgate ui`: every kind of body that its options name, and the shapes of the picker."""

from loadgate import InferenceUser
from loadgate.shapes import CapacitySearch as CapacitySearch
from loadgate.shapes import Ramp as Ramp
from loadgate.shapes import Soak as Soak
from loadgate.shapes import Spike as Spike
from loadgate.shapes import Steps as Steps


class Requests(InferenceUser):
    kind = None
