from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate import target as targets
from loadgate.credential import Credential
from loadgate.payloads import Payload
from loadgate.request import encode
from loadgate.selection import endless

TARGET = targets.parse("http://h/")


def requests_of(counts):
    """So many requests of each source, by name."""
    return [
        encode(Payload(name, "json", "application/json", f"{name} {number}".encode()), TARGET, Credential(), "1")
        for name, count in counts.items()
        for number in range(count)
    ]


def names(chosen):
    return [request.payload.name for request in chosen]


COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 6), min_size=1)


@given(COUNTS, st.text(max_size=5))
def test_every_source_comes_once_in_each_round(counts, seed):
    chosen = names(islice(endless(requests_of(counts), seed), 4 * len(counts)))
    rounds = [chosen[start : start + len(counts)] for start in range(0, len(chosen), len(counts))]

    assert all(sorted(one) == sorted(counts) for one in rounds)


@given(COUNTS, st.text(max_size=5))
def test_every_body_of_a_source_comes_equally_often(counts, seed):
    rounds = 60  # a multiple of every count
    chosen = islice(endless(requests_of(counts), seed), rounds * len(counts))
    bodies = Counter(request.payload.body for request in chosen)

    assert bodies == {request.payload.body: rounds // counts[request.payload.name] for request in requests_of(counts)}


@pytest.mark.parametrize(("other", "same"), [("1 json", True), ("2 json", False)])
def test_the_order_depends_on_the_seed_alone(other, same):
    requests = requests_of({"a": 30, "b": 30})
    first, second = (list(islice(endless(requests, seed), 100)) for seed in ("1 json", other))

    assert (first == second) is same
