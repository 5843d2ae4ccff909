"""The garbage collector during a load: its stops are time that we would blame on the service."""

import gc
from typing import Any

from loadgate.connection import clock

# A full collection looks at every request in flight, for milliseconds. Requests and connections are freed without it,
# so it comes after so many collections of younger objects, not after ten.
FULL_AFTER = 100


class CollectorPauses:
    """Keeps the collector off what need not be looked at, and measures its stops; undone by `close`.

    What exists by now lives as long as the process: looking at all of it takes tens of milliseconds.
    """

    def __init__(self) -> None:
        self._threshold = gc.get_threshold()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*self._threshold[:2], FULL_AFTER)
        self.longest_s = 0.0  # whoever reads this sets it back
        self._began = clock()
        gc.callbacks.append(self._on_collection)

    def close(self) -> None:
        """Let the collector see everything again."""
        gc.callbacks.remove(self._on_collection)
        gc.set_threshold(*self._threshold)
        gc.unfreeze()

    def _on_collection(self, phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            self._began = clock()
        else:
            self.longest_s = max(self.longest_s, clock() - self._began)
