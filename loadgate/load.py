"""The load of one process, from the first request to the last row: engine, arrivals and records joined."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import gevent

from analysis.outcomes import Outcome
from analysis.run_format import RESPONSE, SERVICE
from loadgate.access import Access, OnLocked
from loadgate.answers import Answer, Finding
from loadgate.arrivals import Arrivals
from loadgate.closed_user import RETRY_S, ClosedUser
from loadgate.collector import CollectorPauses
from loadgate.connection import clock
from loadgate.engine import Engine
from loadgate.errors import ConfigError
from loadgate.exchange import Exchange
from loadgate.failures import FailureRow, Failures
from loadgate.histogram import Histogram, Row, merged
from loadgate.inference import Inference, Waiter
from loadgate.notable import Notable
from loadgate.pacer import Pacer, Stream
from loadgate.payloads import Payload
from loadgate.plan import Plan
from loadgate.recording import Batch, Recording
from loadgate.request import Request
from loadgate.seconds import Seconds
from loadgate.selection import endless

# A fold holds up the loop: by what each of its requests takes, and by something for itself. So it is done as seldom as
# FOLD_S, or as soon as there is ENOUGH, which is looked at every CHECK_S. Both are parts of a second to the last bit.
FOLD_S, CHECK_S = 1 / 4, 1 / 32
ENOUGH = 300
MANY = 8  # histograms: to add up those of a whole second at once would hold up the loop for milliseconds
ROWS_S = 1.0  # as seldom as a crash may cost: the requests of a whole second that took the same time are one entry
POLL_S = 0.025
ENCODED_KEPT = 32  # payloads given to `infer`: few, because each can be megabytes
NAMES_KEPT = 200  # of payloads given to `infer`: every name has figures of its own, and may be a new one each time
OTHER_NAMES = "(other names)"
# A stop this close to the planned end is the end: Locust's timer starts some milliseconds before ours.
END_SLACK_S = 2.0

Report = dict[str, list[Any]]
OnBatch = Callable[[Batch], None]
TakeIn = Callable[[str, Report], None]  # rows, and the name of the process they are of


@dataclass(frozen=True)
class Share:
    """A process's part of a load that began `elapsed_s` ago: the `place`-th of `of` that take turns.

    `index` is the process's own among all that ever took part.
    """

    index: int = 0
    place: int = 0
    of: int = 1
    elapsed_s: float = 0.0


def no_rows() -> Report:
    """A report of nothing."""
    return {"latency": [], "timeline": [], "failures": [], "notable": [], "waiting": []}


class Load:
    """Sends what the users here ask for, and keeps the rows of the run directory until they are taken."""

    def __init__(self, plan: Plan, share: Share, on_batch: OnBatch, on_locked: OnLocked) -> None:
        self._plan, self._share = plan, share
        self._on_locked = on_locked
        self._seed = f"{plan.seed} {share.index}"
        self._on_batch = on_batch
        self._loop = gevent.get_hub().loop
        sending = plan.sending
        self._pauses = CollectorPauses()
        self._engine = Engine(
            self._loop,
            sending.target,
            sending.addresses,
            sending.limits,
            tls=sending.tls,
            on_done=self._on_done,
        )
        self._start = self._engine.turn_at - share.elapsed_s
        self._end = self._start + (plan.duration_s or math.inf)
        self._pacer = Pacer(
            self._loop, self._engine, rate_per_user=plan.rate_per_user, start=self._start, end=self._end
        )
        self._streams: dict[str, Stream] = {}
        self._closed_users: dict[object, ClosedUser] = {}
        self._closed_users_ever = 0
        self._chosen: dict[str, Iterator[Request]] = {}  # for tasks of a user class's own
        self._encoded = lru_cache(ENCODED_KEPT)(lambda payload: sending.encode([payload])[0])
        self._names: set[str] = set()  # of those payloads
        self._recording = Recording(self._start)
        self._histograms: list[Histogram] = []  # folded, and not rows yet
        self._failed: list[FailureRow] = []
        self._ended: list[tuple[Any, ...]] = []  # the same of the timeline
        self._next_rows_at = self._engine.turn_at + ROWS_S
        self._failures = Failures(self._start, sending.credential.redact)
        self._notable = Notable(self._start, sending.limits.gateway.request_id_header, sending.credential.redact)
        self._rows = no_rows()
        self._access = Access(sending.credential, sending.limits.gateway, self._lock)
        self._seconds = Seconds(self._start, self._engine, self._pauses)
        self._ending: gevent.Greenlet | None = None
        self._hurried, self._over = False, False
        self._is_watched = plan.is_watched
        self._folder = gevent.spawn(self._fold_on)

    # ---- users

    def add_user(self, key: object, user_class: str) -> None:
        """Take in one Locust user, known by `key`; none once the end has begun."""
        if self._ending is not None:
            return
        self._seconds.users += 1
        if self._plan.own_tasks:
            return
        if self._plan.load_model == "open":
            stream = self._streams.get(user_class) or self._new_stream(user_class)
            self._pacer.set_users(stream, stream.users + 1)
            self._seconds.target_per_s = self._pacer.rate_per_s
        else:
            self._closed_users_ever += 1
            chosen = endless(self._plan.requests[user_class], f"{self._seed} {user_class} {self._closed_users_ever}")
            self._closed_users[key] = ClosedUser(
                self._loop, self._engine, chosen, think_time_s=self._plan.think_time_s, end=self._end
            )

    def remove_user(self, key: object, user_class: str) -> None:
        """Let a user go; its request in flight is still recorded."""
        if self._ending is not None:
            return
        self._seconds.users -= 1
        if self._plan.own_tasks:
            return
        if self._plan.load_model == "open":
            stream = self._streams[user_class]
            self._pacer.set_users(stream, stream.users - 1)
            self._seconds.target_per_s = self._pacer.rate_per_s
        else:
            self._closed_users.pop(key).stop()

    def watch(self) -> None:
        """Tell what is in flight from now on, second by second."""
        self._is_watched = True

    def set_rate_per_user(self, rate_per_user: float) -> None:
        """Have each user of the open model stand for this many requests/s from now on; whoever does that watches."""
        if self._ending is not None:
            return
        self._pacer.set_rate_per_user(rate_per_user)
        self._seconds.target_per_s = self._pacer.rate_per_s
        self.watch()

    def _new_stream(self, user_class: str) -> Stream:
        seed = f"{self._seed} {user_class}"
        turn = (self._share.place + random.Random(f"{self._plan.seed} {user_class}").random()) / self._share.of
        arrivals = Arrivals(self._plan.arrivals, seed, turn)
        stream = Stream(arrivals, endless(self._plan.requests[user_class], seed))
        self._streams[user_class] = stream
        self._pacer.add(stream)
        return stream

    def infer(self, user_class: str, payload: Payload | None) -> Inference:
        """Send `payload` now, or the next one of the user class, and wait for what becomes of it.

        Blocks its greenlet. Raises GreenletExit once the load is over: Locust waits for its users then.
        """
        request = self._next_request(user_class) if payload is None else self._encoded(self._named(payload))
        now = clock()
        if self._ending is not None or now >= self._end:
            raise gevent.GreenletExit
        waiter = Waiter()
        self._engine.start(request, now, user=waiter)
        inference = waiter.inference(self._plan.sending.credential.redact)
        if inference.outcome is Outcome.CONNECTION_ERROR:
            gevent.sleep(RETRY_S)  # or users would spin on a dead service
        return inference

    def _named(self, payload: Payload) -> Payload:
        if payload.name not in self._names:
            if len(self._names) >= NAMES_KEPT:
                return replace(payload, name=OTHER_NAMES)
            self._names.add(payload.name)
        return payload

    def _next_request(self, user_class: str) -> Request:
        chosen = self._chosen.get(user_class)
        if chosen is None:
            chosen = endless(self._plan.requests[user_class], f"{self._seed} {user_class}")
            self._chosen[user_class] = chosen
        return next(chosen)

    # ---- the end

    def drain(self) -> None:
        """Stop arrivals, wait for what is in flight up to its deadline, record the rest as unfinished.

        Blocks its greenlet. Close to the planned end it goes on to that end first, so the plan is sent in full.
        Locust may ask again meanwhile: whoever asks waits for the same end.
        """
        if self._ending is None:
            self._ending = gevent.spawn(self._drain)
        self._ending.get()

    def hurry(self) -> None:
        """Wait for nothing more: what is in flight is unfinished, with the age it has."""
        self._hurried = True

    @property
    def counts(self) -> dict[str, int]:
        """What the engine counted so far, by name."""
        return {**asdict(self._engine.counts), "renewed": self._access.renewed}

    def take(self) -> Report:
        """The rows since the last call. Each row is given once."""
        taken, self._rows = self._rows, no_rows()
        return taken

    def _drain(self) -> None:
        stop_at = self._end if self._end - clock() <= END_SLACK_S else clock()
        while clock() < stop_at and not self._hurried:  # a sleep may end a little early
            gevent.sleep(min(stop_at - clock(), POLL_S))
        self._stop_arrivals(min(stop_at, clock()))
        deadline = clock() + self._plan.sending.limits.deadline_s + END_SLACK_S
        while self._engine.in_flight and clock() < deadline and not self._hurried:
            gevent.sleep(POLL_S)
        self._engine.give_up()
        self._pacer.close()
        self._engine.close()
        self._over = True
        self._folder.join()
        gevent.sleep(0)  # the loop's pending callbacks tell the last outcomes
        self._fold()
        self._make_rows()
        self._rows["timeline"] += self._seconds.rows(last=True)
        self._rows["notable"] += self._notable.slowest()
        self._pauses.close()
        self._access.close()

    def _stop_arrivals(self, at: float) -> None:
        self._pacer.stop(at)
        for user in self._closed_users.values():
            user.stop()

    def _lock(self, error: ConfigError) -> None:
        """Send nothing more, at once: each further refusal brings the key pair closer to its lock."""
        self._end = clock()
        self._stop_arrivals(self._start)
        self._on_locked(error)

    # ---- records

    def _on_done(self, exchange: Exchange, finding: Finding, answer: Answer | None) -> None:
        self._recording.add(exchange)
        self._notable.see(exchange, finding, answer)
        if finding.outcome is not Outcome.OK:
            self._failures.add(exchange, finding, answer)
            self._access.on_failure(exchange, finding, answer.status if answer else None, self._engine.counts.finished)
        if exchange.user is not None:
            exchange.user.on_done(exchange, finding, answer)

    def _fold_on(self) -> None:
        while not self._over:
            # At whole multiples since the start, so that a row of the timeline is a whole second.
            checks = int((clock() - self._start) / CHECK_S) + 1
            due = self._start + checks * CHECK_S
            gevent.sleep(due - clock())
            self._seconds.woke_late(clock() - due)
            self._ended += self._seconds.rows()
            if checks % (FOLD_S / CHECK_S) == 0 or len(self._recording) >= ENOUGH or due >= self._next_rows_at:
                self._fold()
            if due >= self._next_rows_at:
                self._next_rows_at = self._start + ROWS_S * (1 + int((due - self._start) / ROWS_S))
                self._make_rows()

    def _fold(self) -> None:
        self._pacer.await_gap()
        batch = self._recording.fold()
        self._failed += self._failures.take()  # of the same requests
        if batch is not None:
            self._histograms.append(batch.histogram())
            self._pacer.await_gap()
            self._on_batch(batch)
            if len(self._histograms) == MANY:
                self._pacer.await_gap()
                self._histograms = [merged(self._histograms)]

    def _make_rows(self) -> None:
        """Give out what was folded, so that the files tell of the same requests even if this is the last of them."""
        if self._histograms:
            self._pacer.await_gap()
            whole = merged(self._histograms)
            self._pacer.await_gap()
            self._rows["latency"] += whole.rows()
            self._rows["failures"] += self._failed
            self._histograms, self._failed = [], []
        self._rows["timeline"] += self._ended  # not before the times of what ended in these seconds
        self._ended = []
        self._rows["notable"] += self._notable.take_failures()
        if self._is_watched:
            self._rows["waiting"] = [list(self._waiting_rows())]  # the latest, instead of an earlier one

    def _waiting_rows(self) -> Iterator[Row]:
        """What is in flight, with the age it has: thousands are few rows."""
        now, began = clock(), defaultdict(list)
        for exchange in self._engine.waiting:
            second = max(int(exchange.planned - self._start), 0)
            began[second, exchange.request.payload.name].append((exchange.planned, exchange.sent))
        for (second, name), times in began.items():
            for measure, since in zip((RESPONSE, SERVICE), zip(*times, strict=True), strict=True):
                ages_us = [max(round(1e6 * (now - at)), 0) for at in since]
                yield second, name, Outcome.UNFINISHED.value, measure, ages_us, 1
