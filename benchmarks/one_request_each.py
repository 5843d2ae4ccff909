"""Locust's side of the comparison: each FastHttpUser sends one request, and the test ends with the last answer."""

import os

import gevent
from locust import FastHttpUser, events, task
from locust.exception import StopUser

HEADERS = {"X-Auth-Token": os.environ.get("TOKEN", "")}
POLL_S = 0.25


class OneRequest(FastHttpUser):
    network_timeout = connection_timeout = 60.0

    @task
    def send(self) -> None:
        self.client.post("", json={"req_data": [1]}, headers=HEADERS)
        raise StopUser


@events.test_start.add_listener
def on_test_start(environment, **_):
    gevent.spawn(_quit_after_the_last, environment)


def _quit_after_the_last(environment):
    while environment.stats.total.num_requests < environment.parsed_options.num_users:
        gevent.sleep(POLL_S)
    environment.runner.quit()
