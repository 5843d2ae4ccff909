import asyncio

import pytest

from loadgate.standin import bodies


def receiver(*messages, then_wait=False):
    """A `receive` that gives chunks (bytes), then the disconnect or nothing."""
    left = list(messages)

    async def receive():
        if left:
            chunk = left.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(left) or then_wait}
        if then_wait:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    receive.left = left
    return receive


def test_chunks_are_joined():
    assert asyncio.run(bodies.read(receiver(b"a", b"bc"), 3)) == b"abc"


def test_a_body_over_the_limit_is_noticed_before_its_end():
    receive = receiver(b"aa", b"bb", b"cc")
    with pytest.raises(bodies.BodyTooLarge) as over:
        asyncio.run(bodies.read(receive, 3))
    assert (over.value.size, over.value.more) == (4, True)
    assert receive.left == [b"cc"]


def test_a_client_that_leaves_half_way_is_noticed():
    async def gone():
        return {"type": "http.disconnect"}

    with pytest.raises(bodies.ClientLeft):
        asyncio.run(bodies.read(gone, 3))


def test_letting_run_out_takes_the_whole_body():
    receive = receiver(b"a", b"b", b"c")
    asyncio.run(bodies.let_run_out(receive))
    assert receive.left == []


def test_letting_run_out_is_bounded_in_time(monkeypatch):
    monkeypatch.setattr(bodies, "LINGER_IDLE_S", 0.01)
    asyncio.run(bodies.let_run_out(receiver(b"a", then_wait=True)))


def test_letting_run_out_is_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(bodies, "LINGER_BYTES", 2)
    receive = receiver(b"aa", b"b", b"c")
    asyncio.run(bodies.let_run_out(receive))
    assert receive.left == [b"b", b"c"]


@pytest.mark.parametrize(("waits", "left"), [(True, False), (False, True)])
def test_whether_the_client_has_left_is_told_without_waiting(waits, left):
    async def ask():
        receive = receiver(then_wait=waits)
        return bodies.has_left(receive)

    assert asyncio.run(ask()) is left
