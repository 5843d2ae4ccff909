"""Load and latency benchmark for inference services behind an API gateway."""

from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadgate.user import InferenceUser as InferenceUser

__version__ = metadata.version("loadgate")
__all__ = ["InferenceUser", "__version__"]


def __getattr__(name: str) -> object:
    # Importing Locust patches the whole process; `serve`, `send` and `report` must run without that.
    if name == "InferenceUser":
        from loadgate.user import InferenceUser

        return InferenceUser
    raise AttributeError(f"module 'loadgate' has no attribute {name!r}")
