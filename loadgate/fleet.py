"""The workers that are connected to a master: who they are, how to tell them something, and how to wait for them."""

import logging
from collections.abc import Iterable
from typing import Any

import gevent
from locust import runners

from analysis.wording import length_text, one_line
from loadgate.connection import clock
from loadgate.errors import ConfigError

COME_S, QUIET_S = 600.0, 2.0  # to start machines; and before anybody hears of it
POLL_S = 0.05
LONGEST_SHOWN = 400

log = logging.getLogger("loadgate")


class Fleet:
    """Every worker that is connected, and those that were."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner

    @property
    def count(self) -> int:
        """Workers that could send."""
        return int(self._runner.worker_count)

    @property
    def here(self) -> set[str]:
        """Those that are heard of."""
        return {client.id for client in self._runner.clients.all if client.state != runners.STATE_MISSING}

    def number(self, worker: str) -> int:
        """Which of all that ever came to this master it is, from 1 on."""
        return int(self._runner.get_worker_index(worker)) + 1

    def label(self, worker: str) -> str:
        """How people know a worker: its number, and its host."""
        return f"worker {self.number(worker)} on {shown(worker.rpartition('_')[0])}"

    def tell(self, workers: Iterable[str], message: str, data: Any = None) -> None:
        """Send these workers a message."""
        for worker in list(workers):
            self._runner.send_message(message, data, client_id=worker)

    def await_all(self, expected: int, patience_s: float) -> None:
        """Wait until so many have come; 0: for COME_S. Raises ConfigError if they do not."""
        patience_s = patience_s or COME_S
        where = f"{self._runner.master_bind_host}:{self._runner.master_bind_port}"
        deadline = clock() + patience_s
        said = -1
        while (here := self.count) < expected:
            if clock() > deadline:
                raise ConfigError(
                    f"{here} of {expected} workers came to {where} within {length_text(patience_s)}; start the others"
                    " with `loadgate worker HOST`, and see that they can reach this address"
                )
            if here != said and clock() > deadline - patience_s + QUIET_S:
                left = length_text(max(round(deadline - clock()), 1))
                log.warning("waiting for workers at %s: %d of %d are here, for %s more", where, here, expected, left)
                said = here
            gevent.sleep(POLL_S)


def shown(text: Any) -> str:
    """What a worker says, for people: anybody may be one."""
    return one_line(str(text))[:LONGEST_SHOWN]
