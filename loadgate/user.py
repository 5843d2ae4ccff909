"""The Locust user that sends inference requests. Importing this imports Locust, which patches the process."""

import sys
from collections.abc import Sequence
from typing import Any

import gevent
from gevent.event import Event
from locust import User, events, task

from loadgate.errors import ConfigError
from loadgate.locust_options import add_options
from loadgate.payloads import Kind
from loadgate.session import Session

DISMISS_S = 5.0


class InferenceUser(User):
    """Sends payloads of one `kind`: those at `paths`, else those that the options name, else the sample.

    In the open model each user stands for `--rate-per-user` requests a second; in the closed model each waits for
    its answer. `weight` is Locust's: the share of users of this class.
    """

    abstract = True
    kind: Kind | None = None
    paths: Sequence[str] = ()

    @task
    def send(self) -> None:
        """Have requests sent for this user until Locust stops it. The sending is not done in this greenlet."""
        load = self.environment.loadgate.load
        if load is None:  # the test was refused; Locust stops it
            Event().wait()
        load.add_user(self, type(self).__name__)
        try:
            Event().wait()
        finally:
            load.remove_user(self, type(self).__name__)

    def stop(self, force: bool = False) -> bool:
        """Stop at once: requests in flight are not this greenlet's, and stay on their way."""
        return bool(super().stop(force=True))


def _on_parser(parser: Any) -> None:
    add_options(parser)


def _on_init(environment: Any, **_: Any) -> None:
    environment.loadgate = session = Session(environment)
    options = environment.parsed_options
    if options.headless and not options.worker:
        try:
            session.prepare()
        except ConfigError as error:
            sys.stderr.write(f"Error: {error}\n")
            _dismiss_workers(environment.runner, options.processes or 0)
            sys.exit(2)


def _dismiss_workers(runner: Any, processes: int) -> None:
    """Tell worker processes of ours to go: Locust would leave them waiting for a master for a minute."""
    if not processes:
        return
    with gevent.Timeout(DISMISS_S, False):
        while runner.worker_count < processes:
            gevent.sleep(DISMISS_S / 100)
    runner.quit()


events.init_command_line_parser.add_listener(_on_parser)  # type: ignore[no-untyped-call] # Locust's
events.init.add_listener(_on_init)  # type: ignore[no-untyped-call] # Locust's
