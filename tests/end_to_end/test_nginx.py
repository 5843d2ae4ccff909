"""A gateway that we did not write: nginx's own access log says what became of every request."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from conftest import Finished, StandIn
from nginx_front import TOKEN, NginxFront

GATEWAY = "nginx"
LIMITS = ("--timeout=500ms", "--body-limit=4KiB")
# Its own limits are far from nginx's, so that no answer is the stand-in's by chance. It takes 90 s where it is slow.
SERVICE = ("--service-time=constant:10ms", "--instances=64", "--timeout=60s", "--body-limit=12MiB")
OUTCOMES = {
    ("200", "200"): "ok",
    ("413", "-"): "oversize",
    ("429", "-"): "throttled",
    ("444", "-"): "oversize",
    ("502", "502"): "unavailable",
    ("504", "504"): "gateway_timeout",
}
# nginx's way to close a connection without a word.
CUTS_OFF = "error_page 413 = @close; location @close { return 444; }"


def body_of(size: int) -> bytes:
    """A JSON body of so many bytes."""
    row = {"sepal_length": 3, "sepal_width": 1, "petal_length": 2.2, "petal_width": 4}
    body = json.dumps({"data": {"req_data": [row]}}).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


@pytest.fixture
def bodies(tmp_path: Path) -> dict[str, Path]:
    """As large as nginx takes, a byte more, and more than the system takes before nginx has read any."""
    paths = {name: tmp_path / f"{name}.json" for name in ("fitting", "oversize", "huge")}
    for path, size in zip(paths.values(), (4096, 4097, 6_000_000), strict=True):
        path.write_bytes(body_of(size))
    return paths


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Callable[..., NginxFront]]:
    """Start nginx in front of host:port; it stops with the test."""
    started: list[NginxFront] = []

    def start(service: str, more: str = "") -> NginxFront:
        folder = tmp_path / "nginx"
        folder.mkdir()
        started.append(NginxFront(folder, service, more))
        return started[-1]

    yield start
    for nginx in started:
        nginx.stop()


@pytest.fixture
def load(command: Callable[..., Finished]) -> Callable[..., Finished]:
    """Send a load through nginx."""

    def send(nginx: NginxFront, *options: str) -> Finished:
        where = ("loadgate", "run", nginx.url, f"--gateway={GATEWAY}", *LIMITS)
        return command(*where, *options, "--no-plots", token=TOKEN)

    return send


def address(service: StandIn) -> str:
    return service.url.split("/")[2]


def assert_agreed(finished: Finished, nginx: NginxFront) -> Counter[str]:
    """Each request has the outcome that nginx's status says. Its first is the one before the load."""
    counts = finished.manifest()["counts"]
    logged = nginx.requests(1 + counts["sent"] + counts["resent"])
    by_id = {request["id"]: request for request in logged}
    outcomes = Counter(map(outcome, logged[1:]))
    # What is cut off on a connection that was kept alive is sent again, and cut off again.
    outcomes["oversize"] -= counts["resent"]

    assert finished.summary()["outcomes"] == dict(outcomes) == dict(finished.outcomes())
    assert len(logged) == len(by_id) == 1 + counts["planned"] + counts["resent"]
    assert finished.manifest()["probe"]["outcome"] == outcome(logged[0])
    for request in logged:
        assert (outcome(request) == "oversize") == (int(request["body_bytes"]) > 4096)
    for row in finished.rows("notable.csv"):
        if row["status"]:
            request = by_id[row["request_id"]]
            assert (row["status"], row["outcome"]) == (request["status"], outcome(request))
    return outcomes


def outcome(request: dict[str, str]) -> str:
    return OUTCOMES[request["status"], request["upstream_status"]]


@pytest.mark.parametrize("more", ["", CUTS_OFF], ids=["answers", "cuts-off"])
def test_every_request_has_the_outcome_that_nginx_logged(stand_in, front, load, bodies, more: str):
    service = stand_in(*SERVICE, "--fault=slow:20%", environ={"LOADGATE_TOKEN": TOKEN})
    nginx = front(address(service), more)

    finished = load(nginx, "--rate=180", "--duration=1s", *(f"--json={path}" for path in bodies.values()))

    assert assert_agreed(finished, nginx).keys() == {"ok", "oversize", "throttled", "gateway_timeout"}
    finished.assert_sound()


def test_a_service_that_is_not_there_is_unavailable_as_nginx_logged(front, load, bodies, refused_port: int):
    nginx = front(f"127.0.0.1:{refused_port}")

    finished = load(
        nginx, "--rate=200", "--duration=500ms", f"--json={bodies['fitting']}", f"--json={bodies['oversize']}"
    )

    assert assert_agreed(finished, nginx).keys() == {"unavailable", "oversize", "throttled"}


def curl(url: str, body: Path) -> tuple[int, str] | None:
    """Status and server of the answer; None: there was none in time."""
    content = ("-H", "Content-type: application/json", "--data-binary", f"@{body}")
    done = subprocess.run(
        ["curl", "-s", "-i", "--max-time", "1.5", "-H", f"X-Auth-Token: {TOKEN}", *content, url],  # noqa: S607
        capture_output=True,
        check=False,
    )
    line, _, rest = done.stdout.partition(b"\r\n")
    return (int(line.split()[1]), message_from_bytes(rest)["Server"].partition("/")[0]) if line else None


@pytest.mark.parametrize(
    ("fault", "body", "through", "past"),
    [
        ("slow:0%", "fitting", 200, (200, "ModelArts")),
        ("slow:0%", "oversize", 413, (200, "ModelArts")),
        ("slow:100%", "fitting", 504, None),
    ],
    ids=["fitting", "oversize", "slow"],
)
def test_curl_gets_the_same_answers_and_past_nginx_others(stand_in, front, bodies, fault, body, through, past):
    service = stand_in(*SERVICE, f"--fault={fault}", environ={"LOADGATE_TOKEN": TOKEN})
    nginx = front(address(service))

    assert curl(nginx.url, bodies[body]) == (through, "nginx")
    assert curl(service.url, bodies[body]) == past
    (logged,) = nginx.requests(1)
    assert logged["status"] == str(through)
