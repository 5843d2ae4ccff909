"""Who may use Locust's page with loadgate loaded: asked by a client that can say whatever it likes."""

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests
from conftest import PATIENCE_S, PYTHON, ROOT, environment

PASSWORD = "correct horse battery"
FILE = os.fspath(ROOT / "locustfiles" / "json_requests.py")
TIMEOUT_S = 10


class Page:
    def __init__(self, port, process):
        self.url, self.process = f"http://127.0.0.1:{port}", process

    def post(self, path, origin=None, session=requests, **fields):
        headers = {} if origin is None else {"Origin": origin}
        return session.post(f"{self.url}{path}", headers=headers, timeout=TIMEOUT_S, allow_redirects=False, **fields)


@pytest.fixture
def page(tmp_path):
    """Start Locust with its page on a free port; it ends with the test."""
    started = []

    def start(*words, password=None):
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            port = chosen.getsockname()[1]
        secret = {} if password is None else {"LOADGATE_WEB_PASSWORD": password}
        command = [*PYTHON, "locust", "-f", FILE, "--host=http://127.0.0.1:9/", f"--web-port={port}", *words]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment("t") | secret, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        for line in process.stderr:
            if "Starting Locust" in line or line.startswith("Error"):
                break
        found = Page(port, process)
        found.said = line
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < deadline:
            try:
                requests.get(found.url, timeout=TIMEOUT_S)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        return found

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def listening(process):
    """The addresses that a process listens at, by the kernel's table."""
    inodes = set()
    for path in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it opens and closes files while it is looked at
            inodes.add(str(path.readlink()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}


def test_the_page_is_for_this_machine_alone_and_for_itself(page):
    ours = page()
    assert listening(ours.process) == {"0100007F"}

    read = requests.get(f"{ours.url}/stats/requests", headers={"Origin": "http://evil.example"}, timeout=TIMEOUT_S)
    assert read.status_code == 200
    assert "Access-Control-Allow-Origin" not in read.headers
    assert read.headers["X-Frame-Options"] == "DENY"
    for origin in (None, "http://evil.example", "null", "http://127.0.0.1:1", ours.url.replace("http", "https")):
        refused = ours.post("/swarm", origin, data={"user_count": 1, "spawn_rate": 1})
        assert refused.status_code == 403
        assert "Only this page itself" in refused.text
    assert ours.post("/stats/reset", ours.url).status_code == 200


def test_a_foreign_name_does_not_lead_to_the_page(page):
    """As after a site's name was made to be that of this machine."""
    ours = page()
    port = ours.url.rpartition(":")[2]

    for host, code in (("evil.example", 403), (f"evil.example:{port}", 403), (f"localhost:{port}", 200)):
        assert requests.get(ours.url, headers={"Host": host}, timeout=TIMEOUT_S).status_code == code


def test_an_error_shows_nothing_of_the_inside(page):
    ours = page()
    broken = ours.post("/user", ours.url, data="{")

    assert broken.status_code == 500
    assert "Traceback" not in broken.text
    assert requests.get(f"{ours.url}/nowhere", timeout=TIMEOUT_S).status_code == 404


def test_nobody_comes_in_without_the_password(page):
    ours, session = page("--web-login", password=PASSWORD), requests.Session()

    assert requests.get(ours.url, timeout=TIMEOUT_S).url.startswith(f"{ours.url}/login")
    assert ours.post("/stats/reset", ours.url).status_code == 302
    wrong = ours.post("/loadgate/login", ours.url, session, data={"username": "me", "password": "wrong"})
    assert wrong.headers["Location"].endswith("/login")
    assert "That is not the password." in session.get(f"{ours.url}/login", timeout=TIMEOUT_S).text
    assert ours.post("/loadgate/login", "http://evil.example", session, data={"password": PASSWORD}).status_code == 403
    right = ours.post("/loadgate/login", ours.url, session, data={"username": "me", "password": PASSWORD})
    assert right.headers["Location"] == "/"
    assert {cookie.has_nonstandard_attr("HttpOnly") for cookie in session.cookies} == {True}
    assert {cookie.get_nonstandard_attr("SameSite") for cookie in session.cookies} == {"Strict"}
    home = session.get(ours.url, timeout=TIMEOUT_S)
    assert home.url == f"{ours.url}/loadgate/"
    assert PASSWORD not in home.text
    assert ours.post("/stats/reset", ours.url, session).text == "ok"


@pytest.mark.parametrize(
    ("words", "password", "said"),
    [
        (["--web-host=0.0.0.0"], None, "--i-know-this-is-open"),
        (["--web-host=*"], None, "--i-know-this-is-open"),
        (["--web-login"], None, "LOADGATE_WEB_PASSWORD"),
        (["--web-login"], "short", "8 letters or more"),
    ],
)
def test_an_open_page_is_refused_before_it_is_served(page, words, password, said):
    ours = page(*words, password=password)

    assert ours.process.wait(PATIENCE_S) == 2
    assert said in ours.said + ours.process.stderr.read()


@pytest.mark.parametrize(("words", "password"), [(["--i-know-this-is-open"], None), (["--web-login"], PASSWORD)])
def test_it_listens_elsewhere_for_who_insists_or_has_a_password(page, words, password):
    ours = page("--web-host=0.0.0.0", *words, password=password)

    assert listening(ours.process) == {"00000000"}
    assert ours.post("/stats/reset", "http://evil.example").status_code == 403


def test_our_own_pages_run_no_script_and_take_no_endless_form(page):
    ours = page()

    for path in ("/loadgate/", "/loadgate/runs/"):
        policy = requests.get(f"{ours.url}{path}", timeout=TIMEOUT_S).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
    for path in ("/swarm", "/user"):
        assert ours.post(path, ours.url, data=bytes((1 << 20) + 1)).status_code == 413
