"""The Locust user that sends inference requests. Importing this imports Locust, which patches the process."""

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import gevent
from gevent.event import Event
from locust import User, argument_parser, events, task

from loadgate.errors import CANNOT, INTERRUPTED, ConfigError
from loadgate.inference import Inference
from loadgate.locust_options import add_options
from loadgate.payloads import Kind, Payload
from loadgate.session import Session
from loadgate.web import page
from loadgate.worker import Worker


class InferenceUser(User):
    """Sends payloads of one `kind`: those at `paths`, else those that the options name, else the sample.

    In the open model each user stands for `--rate-per-user` requests a second; in the closed model each waits for
    its answer. `weight` is Locust's: the share of users of this class. A class with tasks of its own sends what they
    `infer`, after the one request before the load.
    """

    abstract = True
    kind: Kind | None = None
    paths: Sequence[str] = ()
    own_tasks = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = [found for found in cls.tasks if found is not InferenceUser.send]
        if own:
            cls.tasks, cls.own_tasks = own, True

    @task
    def send(self) -> None:
        """Wait until Locust stops this user: what it stands for is sent elsewhere."""
        Event().wait()

    def infer(self, payload: Payload | None = None) -> Inference:
        """Send one request and wait for what becomes of it: for tasks of your own, in the closed model.

        Without a `payload` it is the next of those that `kind`, `paths` and the options name. One that you make once
        and send often is encoded once. Raises TypeError for anything else, and ConfigError in a class without tasks of
        its own, whose load is planned. Ends the user once the load is over.
        """
        if payload is not None and not isinstance(payload, Payload):
            raise TypeError(
                "infer() takes a Payload: see json_payload, file_payload, base64_payload in loadgate.payloads"
            )
        if not self.own_tasks:
            raise ConfigError(f"{type(self).__name__} has no tasks of its own to infer in; its requests are planned")
        load = self.environment.loadgate.load
        if load is None:  # the test was refused, or is over
            raise gevent.GreenletExit
        inference: Inference = load.infer(type(self).__name__, payload)
        return inference

    def run(self) -> None:  # type: ignore[misc] # final for those who write users; this one only guards it
        """Run the tasks. A SystemExit of theirs would end Locust on the spot, and leave the run without its end."""
        try:
            super().run()  # type: ignore[no-untyped-call] # Locust's
        except SystemExit:
            self.environment.loadgate.on_task_exit()

    def start(self, group: Any) -> Any:
        """Start the user's greenlet, and have the load count it until that ends."""
        greenlet = super().start(group)
        load, name = self.environment.loadgate.load, type(self).__name__
        if load is not None:  # else the test was refused; Locust stops it
            load.add_user(self, name)
            greenlet.rawlink(lambda _: load.remove_user(self, name))
        return greenlet

    def stop(self, force: bool = False) -> bool:
        """Stop at once: requests in flight are not this greenlet's, and stay on their way."""
        return bool(super().stop(force=True))


def _on_parser(parser: Any) -> None:
    add_options(parser)


def _on_init(environment: Any, web_ui: Any = None, **_: Any) -> None:
    options = environment.parsed_options
    if options.worker:
        environment.loadgate = Worker(environment)
    else:
        environment.loadgate = session = Session(environment)
        try:
            if web_ui is not None:
                page.prepare(web_ui, options, session)
            if options.headless:
                session.prepare()
                session.gather()
        except (ConfigError, OSError, KeyboardInterrupt) as error:
            refused = not isinstance(error, KeyboardInterrupt)
            if refused:
                sys.stderr.write(f"Error: {error}\n")
            session.senders.dismiss(options.processes or 0)
            sys.exit(CANNOT if refused else INTERRUPTED)


# A worker asks for these once for each option that the master has, before it starts: made anew, that takes a second.
argument_parser.default_args_dict = cache(argument_parser.default_args_dict)
events.init_command_line_parser.add_listener(_on_parser)  # type: ignore[no-untyped-call] # Locust's
events.init.add_listener(_on_init)  # type: ignore[no-untyped-call] # Locust's
