"""`loadgate ui` in a real browser."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from string import Template

import pytest
from browsing import TITLE, complaints, open_tab, start, table, theme, value, violations
from conftest import wait_for
from playwright.sync_api import expect

RATE = 40  # users on the page are requests/s
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


def test_the_tab_shows_a_test_as_it_goes_on_and_ends_as_its_summary(stand_in, page, window, tmp_path):
    service, run = stand_in("--service-time=constant:20ms", "--fault=unavailable:20%"), tmp_path / "run"
    ours, wrong = page(service.url, service.token, f"--out={run}"), complaints(window)

    window.goto(ours.url)
    start(window, RATE)
    open_tab(window, TITLE)
    expect(value(window, "Response", "p95")).to_contain_text(" ms")
    expect(value(window, "Outcomes", "unavailable")).not_to_have_text("0")
    parts = [part for part, _ in groupby(table(window), key=lambda row: row[0])]
    assert parts == ["Outcomes", "Response", "Service", "Generator", "In flight", "Payloads"]
    before = value(window, "Outcomes", "ok").inner_text()
    expect(value(window, "Outcomes", "ok")).not_to_have_text(before)

    window.get_by_role("button", name="Stop").click()
    wait_for(run / "summary.json")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    expect(value(window, "Outcomes", "ok")).to_have_text(f"{summary['outcomes']['ok']:,}")
    number, unit = value(window, "Response", "p50").inner_text().split()
    p50_s = summary["latency"]["response"]["p50"]["value_s"]
    assert (float(number), unit) == (pytest.approx(1000 * p50_s, rel=0.02), "ms")  # the summary cuts a warm-up
    assert wrong == []


def test_what_a_service_says_stays_text(answering, page, window, tmp_path):
    (tmp_path / FILE).write_text("{}", encoding="utf-8")
    answering.status, answering.body = 401, json.dumps({"error_code": "X.1", "error_msg": HOSTILE})
    ours = page(f"{answering.url}/v1/infers/x", TOKEN, f"--json={FILE}", f"--out={tmp_path / 'run'}")
    wrong = complaints(window)

    window.goto(ours.url)
    start(window, RATE)
    expect(window.get_by_role("alert")).to_contain_text(HOSTILE)
    window.get_by_role("link", name="Locust's own start form").click()
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


def test_anybody_can_read_the_tab_in_light_and_dark(stand_in, page, window, tmp_path):
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
        assert window.screenshot(path=tmp_path / picture, full_page=True)

    for scheme in ("light", "dark"):
        window.emulate_media(color_scheme=scheme)
        window.reload()
        assert_readable(scheme, f"{scheme}.png")
    window.get_by_role("banner").get_by_role("button").last.click()
    assert_readable("light", "toggled.png")
