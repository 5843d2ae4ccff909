"""The load shapes on Locust's own command line, for one process and several. On the page: `test_page.py`."""

import pytest

FAST = ("--service-time=constant:10ms", "--instances=16")
LOCUSTFILE = """
from loadgate import InferenceUser
from loadgate.shapes import {shape}

class Requests(InferenceUser):
    kind = "json"
"""


def planned(run):
    """Requests a second, of all processes."""
    found = {}
    for row in run.rows("timeline.csv"):
        found[int(row["second"])] = found.get(int(row["second"]), 0) + int(row["planned"])
    return found


@pytest.fixture
def shaped(stand_in, command, tmp_path):
    """Run a locustfile with a shape, without a page."""

    def run(shape, *words):
        service, locustfile = stand_in(*FAST), tmp_path / "shaped_requests.py"
        locustfile.write_text(LOCUSTFILE.format(shape=shape), encoding="utf-8")
        base = ("locust", f"-f={locustfile}", "--headless", f"--host={service.url}", "--no-plots")
        finished = command(*base, *words, token=service.token)
        finished.assert_sound()
        return finished

    return run


def test_a_spike_goes_down_again_in_every_process(shaped):
    finished = shaped("Spike", "--users=60", "--run-time=25s", "--processes=2")
    load, found = finished.manifest()["load"], planned(finished)

    assert finished.manifest()["state"] == "complete"
    assert (load["shape"], load["users"], load["rate_per_s"], load["duration_s"]) == ("Spike", 60, 60.0, 25.0)
    assert sum(found.values()) == pytest.approx(6 * 20 + 60 * 5, rel=0.35)  # a busy Locust is seconds late
    assert found[5] == pytest.approx(6, abs=1)
    assert found[13] == pytest.approx(60, abs=6)  # the spike is from 10 s to 15 s
    assert found[22] == pytest.approx(6, abs=1)


def test_a_ramp_of_users_who_wait_ends_on_time_as_well(shaped):
    finished = shaped("Ramp", "--users=6", "--run-time=6s", "--load-model=closed", "--think-time=100ms")
    load = finished.manifest()["load"]
    users = [int(row["users"]) for row in finished.rows("timeline.csv")]

    assert (finished.manifest()["state"], load["shape"], load["users"], load["rate_per_s"]) == (
        "complete",
        "Ramp",
        6,
        None,
    )
    assert "shape Ramp up to 6 users" in (finished.run / "report.md").read_text(encoding="utf-8")
    assert users[:5] == sorted(users[:5])
    assert (users[0], users[4]) == (1, pytest.approx(4.5, abs=1.5))


def test_a_shape_of_ones_own_has_its_name_kept_and_no_rate(stand_in, command, tmp_path):
    service, locustfile = stand_in(*FAST), tmp_path / "own_shape.py"
    locustfile.write_text(
        "from locust import LoadTestShape\n"
        + LOCUSTFILE.format(shape="OfPeak")
        + "\nclass Ours(LoadTestShape):\n    def tick(self):\n"
        + "        return (20, 20) if self.get_run_time() < 3 else None\n",
        encoding="utf-8",
    )
    finished = command(
        "locust", f"-f={locustfile}", "--headless", f"--host={service.url}", "--no-plots", token=service.token
    )
    load = finished.manifest()["load"]

    assert finished.manifest()["state"] == "complete"
    assert (load["shape"], load["users"], load["rate_per_s"], load["duration_s"]) == ("Ours", None, None, None)
    assert "shape Ours, constant arrivals" in (finished.run / "report.md").read_text(encoding="utf-8")
