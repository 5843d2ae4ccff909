"""The garbage collector during a load: its stops are time that we would blame on the service."""

import gc
from typing import Any

from loadgate.connection import clock


class CollectorPauses:
    """Keeps the collector off what was built before, and measures its stops; undone by `close`.

    What exists by now lives as long as the process, and looking at all of it took tens of milliseconds.
    """

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        self.longest_s = 0.0  # whoever reads this sets it back
        self._began = clock()
        gc.callbacks.append(self._on_collection)

    def close(self) -> None:
        """Let the collector see everything again."""
        gc.callbacks.remove(self._on_collection)
        gc.unfreeze()

    def _on_collection(self, phase: str, _: dict[str, Any]) -> None:
        if phase == "start":
            self._began = clock()
        else:
            self.longest_s = max(self.longest_s, clock() - self._began)
