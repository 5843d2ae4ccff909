"""Which request is next: every source in turn, every body of a source in turn, in a seeded order."""

import itertools
import random
from collections.abc import Iterable, Iterator
from typing import TypeVar

from loadgate.request import Request

Item = TypeVar("Item")


def endless(requests: Iterable[Request], seed: str) -> Iterator[Request]:
    """Requests without end. Sources (payload names) come equally often, and so do the bodies of each.

    So a folder of a thousand images beside one JSON file is half of the requests, not nearly all.
    """
    by_name: dict[str, list[Request]] = {}
    for request in requests:
        by_name.setdefault(request.payload.name, []).append(request)
    sources = [_shuffled(bodies, f"{seed} {name}") for name, bodies in by_name.items()]
    for source in _shuffled(sources, seed):
        yield next(source)


def _shuffled(items: list[Item], seed: str) -> Iterator[Item]:
    if len(items) == 1:
        yield from itertools.repeat(items[0])
    chance = random.Random(seed)
    while True:
        yield from chance.sample(items, len(items))
