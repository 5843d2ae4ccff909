import pytest
from made_by_hand import samples_of

from analysis.capacity.generator import trouble


def rows(*, late_us=200, count=400, outcome="ok", took_us=20_000):
    return [
        (at, "a", outcome, measure, us, count // 4)
        for at in range(4)
        for measure, us in (("response", took_us), ("service", took_us), ("lateness", late_us))
    ]


def dropped(count):
    return [(at, "a", "dropped", "response", -1, count // 4) for at in range(4)]


@pytest.mark.parametrize(
    ("samples", "ordered", "is_missed", "words"),
    [
        (rows(), 400, False, ""),
        (rows(late_us=12_000), 400, False, "left 12 ms or more after their planned time"),
        (rows(late_us=12_000), 400, True, "left 12 ms or more"),  # whose fault the miss was is not known
        (rows(late_us=12_000, took_us=300_000), 400, False, ""),  # a tenth of the service time changes little
        (rows(count=360) + dropped(40), 400, False, "40 of 400 requests were not sent"),
        (rows(count=360) + dropped(40), 400, True, ""),  # so many are in flight because the service is slow
        (rows(count=300), 400, False, "300 requests were planned where 400 were ordered"),
        (rows(count=340), 400, False, ""),  # poisson arrivals are so few by chance
    ],
)
def test_a_level_is_spoiled_by_what_the_generator_did(samples, ordered, is_missed, words):
    found = trouble(samples_of(*samples, names=("a",)), ordered, is_missed=is_missed)

    assert words in found
    assert bool(found) is bool(words)
