import gc
import time

from loadgate.collector import CollectorPauses


def test_the_longest_stop_is_the_collectors_and_everything_is_undone():
    before = gc.get_threshold(), list(gc.callbacks), gc.get_freeze_count()
    pauses = CollectorPauses()
    many = [[] for _ in range(200_000)]
    pauses.longest_s = 0.0
    began = time.perf_counter()
    gc.collect()
    took = time.perf_counter() - began
    longest = pauses.longest_s
    pauses.close()

    assert 0.5 * took < longest <= took
    assert (gc.get_threshold(), list(gc.callbacks), gc.get_freeze_count()) == before
    assert len(many) == 200_000


def test_what_was_there_before_is_not_looked_at_again():
    many = [[] for _ in range(200_000)]
    gc.collect()
    began = time.perf_counter()
    gc.collect()
    unfrozen = time.perf_counter() - began
    pauses = CollectorPauses()
    pauses.longest_s = 0.0
    gc.collect()
    longest = pauses.longest_s
    pauses.close()

    assert longest < unfrozen / 2
    assert len(many) == 200_000
