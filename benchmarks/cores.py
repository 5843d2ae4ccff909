"""One core for the service and one for the generator, so that neither takes the other's time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

SERVICE, GENERATOR = 0, 1


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside the block stays on `core`."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
