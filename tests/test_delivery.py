"""Each report is taken once and in order, whatever becomes of the messages that carry them."""

from hypothesis import given
from hypothesis import strategies as st

from loadgate.delivery import AGAIN_S, WINDOW, Inbox, Outbox


def test_a_report_is_sent_once_and_again_only_when_an_answer_is_overdue():
    outbox = Outbox()
    outbox.add("a")
    assert outbox.due(0.0) == [(0, "a")]
    assert outbox.due(AGAIN_S - 0.1) == []
    outbox.add("b")
    assert outbox.due(AGAIN_S - 0.1) == [(1, "b")]
    assert outbox.due(AGAIN_S) == [(0, "a"), (1, "b")]
    assert outbox.due(AGAIN_S + 1) == []
    assert outbox.due(2 * AGAIN_S) == [(0, "a"), (1, "b")]


def test_what_is_acknowledged_is_let_go_and_an_older_answer_changes_nothing():
    outbox = Outbox()
    for report in "abc":
        outbox.add(report)
    outbox.due(0.0)
    outbox.acknowledge(2, 0.0)
    outbox.acknowledge(1, 0.0)
    assert outbox.kept == [(2, "c")]
    assert outbox.due(AGAIN_S) == [(2, "c")]
    outbox.acknowledge(3, 0.0)
    assert (outbox.kept, outbox.due(9 * AGAIN_S)) == ([], [])


def test_a_report_that_waits_long_before_its_first_turn_is_not_overdue():
    outbox = Outbox()
    outbox.add("a")
    outbox.due(0.0)
    outbox.acknowledge(1, 0.0)
    outbox.add("b")
    assert outbox.due(5 * AGAIN_S) == [(1, "b")]
    assert outbox.due(5 * AGAIN_S + 1) == []


def test_an_answer_that_lets_something_go_is_waited_for_anew():
    outbox = Outbox()
    outbox.add("a")
    outbox.due(0.0)
    outbox.add("b")
    outbox.due(AGAIN_S / 2)
    outbox.acknowledge(1, AGAIN_S - 1)
    assert outbox.due(AGAIN_S) == []
    assert outbox.due(2 * AGAIN_S - 1) == [(1, "b")]


def test_a_message_has_no_more_reports_than_a_window():
    outbox = Outbox()
    for number in range(WINDOW + 5):
        outbox.add(number)
    assert [number for number, _ in outbox.due(0.0)] == list(range(WINDOW))
    assert [number for number, _ in outbox.due(1.0)] == list(range(WINDOW, WINDOW + 5))
    assert [number for number, _ in outbox.due(AGAIN_S)] == list(range(WINDOW))


def test_workers_are_told_apart():
    inbox = Inbox()
    assert inbox.take("one", [(0, "a")]) == ["a"]
    assert inbox.take("other", [(0, "b")]) == ["b"]
    assert (inbox.taken("one"), inbox.taken("other"), inbox.taken("nobody")) == (1, 1, 0)


# What becomes of each message on its way: lost, arrived so many messages later, or arrived twice.
FATES = st.lists(st.sampled_from(["lost", "late", "now", "twice"]), max_size=60)


@given(there=FATES, back=FATES, reports=st.integers(0, 12))
def test_everything_arrives_once_and_in_order_over_any_network(there: list[str], back: list[str], reports: int):
    outbox, inbox, taken = Outbox(), Inbox(), []
    held: list[tuple[str, object]] = []
    now = 0.0

    def carry(kind: str, message: object, fates: list[str]) -> None:
        fate = fates.pop() if fates else "now"
        if fate == "late":
            held.append((kind, message))
        for _ in range({"lost": 0, "late": 0, "now": 1, "twice": 2}[fate]):
            arrive(kind, message)

    def arrive(kind: str, message: object) -> None:
        if kind == "reports":
            taken.extend(inbox.take("worker", message))
            carry("answer", inbox.taken("worker"), back)
        else:
            outbox.acknowledge(message, now)

    for turn in range(200):  # sooner or later the network lets something through
        now = turn * AGAIN_S / 3
        if turn < reports:
            outbox.add(turn)
        if due := outbox.due(now):
            carry("reports", due, there)
        if turn % 5 == 4:
            for kind, message in held[::-1]:  # out of order
                arrive(kind, message)
            held.clear()
    assert taken == list(range(reports))
    assert outbox.kept == []
