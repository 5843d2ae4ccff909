"""`loadgate ui` in a real browser."""

import csv
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path
from string import Template

import numpy as np
import pytest
from browsing import TITLE, complaints, open_tab, start, table, theme, value, violations
from conftest import ROOT, wait_for
from playwright.sync_api import expect

RATE = 40  # users on the page are requests/s
SAMPLES = ROOT / "loadgate" / "samples"
NOBODY = "http://127.0.0.1:9/v1/infers/x"
TOKEN = "MIISbrowser"
PASSWORD = "correct horse battery"
HOSTILE = """<script>document.title='hacked'</script><img src=x onerror="document.title='hacked'">"""
FILE = "<img src=x onerror=alert(1)>.json"
EVIL = Template("""<title>evil</title>
<iframe name="unseen"></iframe>
<form method="post" action="$url/swarm" target="unseen">
  <input name="user_count" value="40"><input name="spawn_rate" value="40">
</form>
<script>
  const load = {method: "POST", body: new URLSearchParams({user_count: 40, spawn_rate: 40})};
  document.forms[0].submit();
  Promise.allSettled([
    fetch("$url/swarm", load),
    fetch("$url/swarm", {...load, mode: "no-cors"}),
    fetch("$url/stats/requests"),
  ]).then(results => document.title = results.map(result => result.status));
</script>""")


class Answering(ThreadingHTTPServer):
    """A server with one answer to everything."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body = 200, ""
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.body.encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def answering():
    with Answering() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def every_tab(window):
    """What each tab says."""
    said = {}
    for tab in window.get_by_role("tab").all():
        tab.click()
        said[tab.text_content()] = window.get_by_role("main").inner_text()
    return said


def test_a_load_is_started_changed_watched_stopped_and_read_and_started_again(stand_in, page, window, tmp_path):
    service, run = stand_in("--service-time=constant:20ms", "--fault=unavailable:20%"), tmp_path / "run"
    ours, wrong = page(service.url, service.token, f"--out={run}"), complaints(window)

    window.goto(ours.url)
    window.get_by_role("button", name="Start").click()  # with its defaults
    expect(window.get_by_role("tab", name=TITLE)).to_have_attribute("aria-selected", "true")
    expect(value(window, "Generator", "planned")).to_have_text("10/s")
    window.get_by_role("link", name="Start or change").click()
    window.get_by_role("textbox", name="Rate from now on").fill(f"{RATE}")
    window.get_by_role("button", name="Change").click()
    expect(value(window, "Generator", "planned")).to_have_text(f"{RATE}/s")
    window.get_by_role("button", name="Edit").click()  # Locust's own way
    window.get_by_label("Number of users").fill("60")
    window.get_by_role("button", name="Update", exact=True).click()
    expect(value(window, "Generator", "planned")).to_have_text("60/s")
    expect(value(window, "Response", "p95")).to_contain_text(" ms")
    parts = [part for part, _ in groupby(table(window), key=lambda row: row[0])]
    assert parts == ["Outcomes", "Response", "Service", "Generator", "In flight", "Payloads"]

    window.get_by_role("button", name="Stop").click()
    wait_for(run / "summary.json")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    for outcome in ("ok", "unavailable"):  # by themselves: nobody loads the page anew
        expect(value(window, "Outcomes", outcome)).to_have_text(f"{summary['outcomes'][outcome]:,}")
    number, unit = value(window, "Response", "p50").inner_text().split()
    assert (float(number), unit) == (pytest.approx(median_ms(run), rel=0.006), "ms")  # three digits

    open_tab(window, "Report")
    row = window.get_by_role("row", name=f"complete {sum(summary['outcomes'].values()):,}")
    row.get_by_role("link", name="report of run").click()
    expect(window.get_by_role("heading", name="Latency")).to_be_visible()
    window.go_back()
    window.get_by_role("link", name="Start or change").click()
    start(window, 15)
    expect(value(window, "Generator", "planned")).to_have_text("15/s")
    window.get_by_role("button", name="Stop").click()
    wait_for(tmp_path / "run-2" / "summary.json")
    assert wrong == []


def median_ms(run) -> float:
    """The median response time of all requests that were answered as they should be."""
    with (run / "latency.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["outcome"], row["measure"]) == ("ok", "response")]
    times_us = [int(us) for row in rows for us in row["value_us"].split() for _ in range(int(row["count"]))]
    return float(np.percentile(times_us, 50, method="inverted_cdf")) / 1000


def test_the_form_asks_what_fits_and_says_what_is_wrong_where_it_is(stand_in, page, window, tmp_path):
    service = stand_in()
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}", f"--payloads={SAMPLES}")
    window.goto(ours.url)

    def asked():
        """The labels of the fields of text that are shown."""
        shown = [field for field in window.locator("input[autocomplete=off]").all() if field.is_visible()]
        return [field.get_attribute("name") for field in shown]

    limits = ["timeout_s", "body_limit_bytes"]
    assert asked() == ["host", "rate", "duration", "ramp", *limits]
    window.get_by_role("radio", name="closed").check()
    assert asked() == ["host", "users", "think_time_s", "duration", "ramp", *limits]
    window.get_by_role("radio", name="soak").check()
    assert asked() == ["host", "users", "think_time_s", "duration", *limits]
    window.get_by_role("radio", name="capacity search").check()
    search = ["from_per_s", "to_per_s", "budget_s", "target_per_s", "instances", "headroom"]
    assert asked() == ["host", *search, *limits]
    window.get_by_role("radio", name="steady").check()
    window.get_by_role("radio", name="open").check()
    window.get_by_role("radio", name="file multipart").check()
    assert asked() == ["host", "field", "rate", "duration", "ramp", *limits]
    window.get_by_role("checkbox", name="flower.png").check()

    start(window, "fast", **{"Time limit such as 40s": "soon"})
    expect(window.get_by_role("alert")).to_contain_text("Nothing was started")
    for label, text in (("Rate requests/s", "fast"), ("Time limit such as 40s", "soon")):
        field = window.get_by_role("textbox", name=label, exact=True)
        expect(field).to_have_value(text)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(re.compile(f"'{text}'"))
    expect(window.get_by_role("checkbox", name="flower.png")).to_be_checked()
    for scheme in ("light", "dark"):
        window.emulate_media(color_scheme=scheme)
        assert violations(window, "body") == []
    assert not (tmp_path / "run").exists()


def test_files_of_the_browser_are_sent_and_a_spike_is_told_as_one(stand_in, page, window, tmp_path):
    service, run, body = stand_in(), tmp_path / "run", tmp_path / "mine.json"
    body.write_text("{}", encoding="utf-8")
    ours = page(service.url, service.token, f"--out={run}")
    window.goto(ours.url)
    window.get_by_role("radio", name="JSON or").check()
    window.get_by_label("Files of this computer").set_input_files(body)
    window.get_by_role("radio", name="spike").check()
    start(window, 50, **{"Duration such as 5m": "1h"})

    expect(value(window, "Generator", "planned")).to_have_text("5/s")
    expect(value(window, "Payloads", "mine.json")).to_have_text("1")
    window.get_by_role("link", name="Start or change").click()
    expect(window.get_by_role("main")).to_contain_text("It follows the shape Spike")
    assert violations(window, "body") == []
    ours.post("/stop")
    wait_for(run / "summary.json")
    window.get_by_role("link", name="Runs").click()
    expect(window.get_by_role("row", name="run 2")).to_contain_text("interrupted")
    assert violations(window, "body") == []
    window.get_by_role("link", name="run", exact=True).click()
    with window.expect_download() as download:
        window.get_by_role("link", name="latency.csv").click()
    assert Path(download.value.path()).read_bytes() == (run / "latency.csv").read_bytes()
    assert violations(window, "body") == []


def test_what_a_service_says_stays_text(answering, page, window, tmp_path):
    (tmp_path / FILE).write_text("{}", encoding="utf-8")
    answering.status, answering.body = 401, json.dumps({"error_code": "X.1", "error_msg": HOSTILE})
    ours = page(f"{answering.url}/v1/infers/x", TOKEN, f"--json={FILE}", f"--out={tmp_path / 'run'}")
    wrong = complaints(window)

    window.goto(ours.url)
    start(window, RATE)
    expect(window.get_by_role("alert")).to_contain_text(HOSTILE)
    window.get_by_role("link", name="Locust's own page").click()
    window.get_by_role("button", name="Start").click()
    open_tab(window, TITLE)
    expect(window.get_by_role("row", name="Test refused")).to_contain_text(HOSTILE)
    every_tab(window)

    answering.status = 500
    window.get_by_role("link", name="Start or change").click()
    start(window, RATE)
    open_tab(window, "Failures")
    expect(window.get_by_role("row", name="server_error")).to_contain_text(FILE)
    assert FILE in every_tab(window)["Statistics"]
    window.get_by_role("button", name="Stop").click()
    wait_for(tmp_path / "run" / "summary.json")
    assert (window.title(), window.locator("img[src=x]").count()) == ("Locust", 0)
    assert [words for words in wrong if "422" not in words] == []  # how a browser names a form that was refused


def test_a_page_of_another_origin_starts_and_reads_nothing(answering, page, window, tmp_path):
    """Of another port of this machine: to cookies that is the same site."""
    ours = page(NOBODY, TOKEN, f"--out={tmp_path / 'run'}")
    answering.body = EVIL.substitute(url=ours.url)

    with window.expect_response(
        lambda answer: answer.request.is_navigation_request() and answer.url.endswith("/swarm")
    ) as form:
        window.goto(answering.url)
    assert form.value.status == 403
    expect(window).to_have_title("rejected,rejected,rejected")
    window.goto(ours.url)
    expect(window.get_by_role("heading", name="Start a load")).to_be_visible()
    assert ours.tab() == {}


def test_the_login_lets_in_who_knows_the_password(page, window):
    ours = page(NOBODY, TOKEN, "--web-login", environ={"LOADGATE_WEB_PASSWORD": PASSWORD})
    wrong = complaints(window)

    def log_in(password):
        window.get_by_label("Password", exact=True).fill(password)
        window.get_by_role("button", name="Login").click()

    window.goto(ours.url)
    log_in("wrong")
    expect(window.get_by_role("alert")).to_have_text("That is not the password.")
    log_in(PASSWORD)
    expect(window.get_by_role("heading", name="Start a load")).to_be_visible()
    assert wrong == []


def test_anybody_can_read_the_tabs_in_light_and_dark(stand_in, page, window, tmp_path):
    """The tables and the bar are ours. The rest is Locust's: its button for the theme has no name (button-name), and
    Reset and Stop have little contrast (color-contrast).
    """
    service = stand_in("--service-time=constant:20ms", "--fault=unavailable:20%")
    ours = page(service.url, service.token, f"--out={tmp_path / 'run'}")
    window.goto(ours.url)
    start(window, RATE)
    open_tab(window, TITLE)
    expect(value(window, "Response", "p50")).to_contain_text(" ms")
    window.get_by_role("button", name="Stop").click()
    wait_for(tmp_path / "run" / "summary.json")

    def assert_readable(scheme, picture):
        expect(value(window, "Response", "p50")).to_contain_text(" ms")
        assert theme(window) == scheme
        assert violations(window, "table") == violations(window, ".loadgate-bar") == []
        window.screenshot(path=tmp_path / picture, full_page=True)

    for scheme in ("light", "dark"):
        window.emulate_media(color_scheme=scheme)
        window.reload()
        assert_readable(scheme, f"{scheme}.png")
    window.get_by_role("banner").get_by_role("button").last.click()
    assert_readable("light", "toggled.png")
