"""`loadgate.manifest`. Not `test_manifest.py`: that is of `analysis/readers`, and two of one name do not import."""

import json
import re
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analysis.capacity.search import Search
from analysis.choices import Baseline
from analysis.outcomes import Outcome
from analysis.readers.manifest import CREDENTIALS
from loadgate import manifest, plan
from loadgate.answers import Answer, Finding
from loadgate.credential import TOKEN_VARIABLE, WAYS
from loadgate.options import HOW, LIMITS, LOCUST_ONLY, WHAT
from loadgate.outlines import Outline
from loadgate.probe import Probe

DEFAULTS = {option.name: option.default for option in (*WHAT, *HOW, *LIMITS, *LOCUST_ONLY)}
ALONE = {"enable_rebalancing": False, "master": False, "processes": None, "expect_workers": 1}
TOKEN = "MIIFHwYJKoZIhvcNAQcCoIIFEDCCBQw"


def make_plan(classes=(("Json", "json"),), **changes):
    options = Namespace(**({"host": "http://127.0.0.1:8123/v1/infers/1?code=secret-code"} | DEFAULTS | changes))
    users = [type(name, (), {"kind": kind, "paths": (), "own_tasks": False}) for name, kind in classes]
    return plan.plan(options, users, {TOKEN_VARIABLE: TOKEN})


def describe(made, users=10, spawn_rate=10.0, probe=None, workers=0):
    options = Namespace(**ALONE, spawn_rate=spawn_rate, headless=True)
    return manifest.describe(Path("reports/run"), made, options, users, probe, workers)


def test_the_manifest_holds_no_secret():
    text = json.dumps(describe(make_plan()))

    assert TOKEN not in text
    assert "secret-code" not in text


def test_the_target_and_the_gateways_limits_are_written_down():
    written = describe(make_plan(timeout_s=2.0))

    assert written["target"] == "http://127.0.0.1:8123/v1/infers/1?..."
    assert written["gateway"] == {
        "name": "modelarts",
        "timeout_s": 2.0,
        "grace_s": 5.0,
        "body_limit_bytes": 12 * 1024 * 1024,
        "latency_asked": False,
    }
    assert written["credential"] == "token"


def test_every_way_in_is_one_that_the_analysis_knows():
    assert set(CREDENTIALS) == set(WAYS)


def test_a_run_begins_now_and_is_not_over():
    written = describe(make_plan())
    age_s = (datetime.now(UTC) - datetime.fromisoformat(written["started_at"])).total_seconds()

    assert 0 <= age_s < 10
    assert (written["state"], written["ended_at"], written["counts"]) == ("running", None, None)


def test_an_open_load_is_described_by_its_rate():
    load = describe(make_plan(rate_per_user=0.3, arrivals="poisson", duration_s=20.0), users=10)["load"]

    assert (load["model"], load["arrivals"], load["rate_per_s"]) == ("open", "poisson", 3.0)
    assert (load["think_time_s"], load["duration_s"]) == (None, 20.0)


def test_a_closed_load_is_described_by_its_users():
    load = describe(make_plan(load_model="closed", think_time_s=0.5), users=8)["load"]

    assert (load["model"], load["users"], load["think_time_s"]) == ("closed", 8, 0.5)
    assert (load["arrivals"], load["rate_per_s"]) == (None, None)


@pytest.mark.parametrize(
    ("users", "spawn_rate", "ramp_s"),
    [
        (0, 10.0, 0.0),
        (10, 10.0, 0.0),
        (10, 100.0, 0.0),
        (10, None, 9.0),
        (10, 5.0, 1.0),
        (11, 5.0, 2.0),
        (1, 0.1, 0.0),
        (10, 0.5, 18.0),
        (10, 10 / 3, 2.7),
        (10, 1.5, 6.0),
    ],
)
def test_the_ramp_is_how_long_locusts_dispatcher_takes(users, spawn_rate, ramp_s):
    """Its steps: `max(1, floor(spawn_rate))` users, `step / spawn_rate` seconds apart, the first at once."""
    assert describe(make_plan(), users=users, spawn_rate=spawn_rate)["load"]["ramp_s"] == pytest.approx(ramp_s)


def test_each_source_of_payloads_has_its_count_sizes_and_what_is_over_the_limit(tmp_path):
    for name, size in {"small.png": 10, "big.png": 5000}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    made = make_plan([("Files", "file"), ("Json", "json")], file_paths=[str(tmp_path)], body_limit_bytes=2000)
    sizes = [len(payload) for payload in made.payloads if payload.kind == "file"]
    by_kind = {source["kind"]: source for source in describe(made)["payloads"]}

    assert by_kind["file"] == {
        "name": tmp_path.name,
        "kind": "file",
        "count": 2,
        "skipped": 0,
        "smallest_wire_bytes": min(sizes),
        "largest_wire_bytes": max(sizes),
        "over_limit": 1,
        "over": ({"file": "big.png", "wire_bytes": max(sizes)},),
        "largest_file_bytes": 2000 - (min(sizes) - 10),
    }
    assert (by_kind["json"]["name"], by_kind["json"]["over_limit"]) == ("iris.json", 0)


def test_what_was_left_out_is_written_down_with_what_was_sent(tmp_path):
    for name, size in {"small.png": 10, "big.png": 5000}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    made = make_plan([("Files", "file")], file_paths=[str(tmp_path)], body_limit_bytes=2000, skip_oversize=True)
    (source,) = describe(made)["payloads"]

    assert (source["count"], source["skipped"], source["over_limit"]) == (1, 1, 1)


def test_nothing_is_over_a_limit_that_is_not_there():
    (source,) = describe(make_plan(gateway="none"))["payloads"]

    assert source["over_limit"] == 0


def test_the_first_request_is_written_down_as_what_became_of_it():
    exchange = Probe(Finding(Outcome.THROTTLED), Answer(429, {}, b""), 0.12345678, True)

    assert describe(make_plan(), probe=exchange)["probe"] == {
        "outcome": "throttled",
        "status": 429,
        "service_s": 0.123457,
    }


def test_a_run_without_a_name_is_called_by_time_and_kinds():
    path = manifest.run_path(None, make_plan([("Json", "json"), ("Files", "file"), ("More", "json")]).name)

    assert re.fullmatch(r"reports/\d{8}-\d{6}-json-file", str(path))


def test_a_run_never_goes_where_one_is(tmp_path):
    paths = []
    for _ in range(3):
        paths.append(manifest.run_path(str(tmp_path / "run"), "json"))
        paths[-1].mkdir()
        (paths[-1] / "run.json").write_text("{}")

    assert [path.name for path in paths] == ["run", "run-2", "run-3"]


def test_a_folder_without_a_run_in_it_is_taken(tmp_path):
    assert manifest.run_path(str(tmp_path), "json") == tmp_path


def test_a_load_without_an_end_has_no_duration():
    assert describe(replace(make_plan(), duration_s=None))["load"]["duration_s"] is None


def test_what_can_be_changed_on_the_page_while_it_runs_is_left_open():
    load = manifest.describe(
        Path("reports/run"),
        make_plan(),
        Namespace(**ALONE, spawn_rate=1.0, headless=False),
        10,
        None,
        1,
    )["load"]

    assert (load["rate_per_s"], load["users"], load["ramp_s"]) == (None, None, 0.0)


def test_a_baseline_is_where_it_is_seen_from_the_run():
    """So that both may be moved together, and nobody reads where they were."""
    made = replace(make_plan(), baseline=Baseline(Path("reports/main"), 0.1))

    assert describe(made)["baseline"] == {"path": "../main", "tolerance": 0.1}
    assert describe(make_plan())["baseline"] is None


def test_a_search_has_rates_of_its_own():
    asked = Search(1.0, 100.0, 900.0, 7)
    options = Namespace(**ALONE, spawn_rate=10.0, headless=True)
    load = manifest.describe(Path("reports/run"), make_plan(), options, 100, None, 1, asked)["load"]

    assert (load["rate_per_s"], load["users"], load["ramp_s"]) == (None, None, 0.0)
    assert load["search"] == {"from_per_s": 1.0, "to_per_s": 100.0, "budget_s": 900.0, "seed": 7}
    assert load["shape"] is None


@pytest.mark.parametrize("headless", [True, False])
def test_a_load_shape_has_its_name_and_its_peak(headless):
    """Nothing but it changes the number of users, not even a hand on the page."""
    options = Namespace(**ALONE, spawn_rate=1.0, headless=headless)
    made, soak = make_plan(rate_per_user=0.5, duration_s=100.0), Outline("Soak", 50, 5.0)
    load = manifest.describe(Path("reports/run"), made, options, 1, None, 1, soak)["load"]

    assert (load["shape"], load["users"], load["rate_per_s"], load["ramp_s"]) == ("Soak", 50, 25.0, 5.0)
    assert load["search"] is None


def test_of_a_shape_that_does_not_say_its_peak_only_the_name_is_known():
    options = Namespace(**ALONE, spawn_rate=1.0, headless=True)
    load = manifest.describe(Path("reports/run"), make_plan(), options, 1, None, 1, Outline("Ours"))["load"]

    assert (load["shape"], load["users"], load["rate_per_s"], load["ramp_s"]) == ("Ours", None, None, 0.0)


def test_a_plain_load_has_no_shape():
    assert describe(make_plan())["load"]["shape"] is None


@pytest.mark.parametrize(
    ("options", "sharing"),
    [
        ({}, None),
        ({"master": True, "processes": 4, "expect_workers": 4}, {"by": "processes", "count": 4}),
        ({"master": True, "expect_workers": 3}, {"by": "workers", "count": 3}),
    ],
)
def test_how_the_load_is_shared_is_told(options, sharing):
    given = Namespace(**ALONE | options, spawn_rate=1.0, headless=True)

    assert manifest.describe(Path("run"), make_plan(), given, 1, None, 1)["sharing"] == sharing
