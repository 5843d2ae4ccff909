"""Runs loadgate with a watch on Python's garbage collector: `gc_watch.py FILE HOW run URL ...`.

FILE gets the length in ms of every collection between the start of the load and its end, as a JSON list. HOW is
"in loadgate", or "as Python has it": then what loadgate does about the collector is not done.
"""

import atexit
import gc
import json
import sys
import time
from pathlib import Path


class Watch:
    """Collections of the load: it begins where loadgate calls `gc.freeze` and ends where it calls `gc.unfreeze`."""

    def __init__(self, untouched: bool) -> None:
        self.pauses_ms: list[float] = []
        self._began = 0.0
        self._really = (gc.freeze, gc.unfreeze)
        if untouched:
            self._really = (lambda: None, lambda: None)
            gc.set_threshold = gc.collect = lambda *_: None

    def freeze(self) -> None:
        self._really[0]()
        gc.callbacks.append(self._on_collection)

    def unfreeze(self) -> None:
        gc.callbacks.remove(self._on_collection)
        self._really[1]()

    def _on_collection(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.pauses_ms.append((time.perf_counter() - self._began) * 1000)


def main() -> None:
    file, how = Path(sys.argv[1]), sys.argv[2]
    watch = Watch(untouched=how == "as Python has it")
    gc.freeze, gc.unfreeze = watch.freeze, watch.unfreeze
    atexit.register(lambda: file.write_text(json.dumps(watch.pauses_ms), encoding="utf-8"))
    sys.argv[1:] = sys.argv[3:]
    from loadgate.commands import main as loadgate

    loadgate()


if __name__ == "__main__":
    main()
