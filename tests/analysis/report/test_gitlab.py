import re

import pytest
from made_by_hand import summary_of

from analysis.objectives.objective import objective
from analysis.report import gitlab

ROWS = [(0, "json", "ok", "response", 102_400, 400), (0, "json", "ok", "service", 100_000, 400)]
TIMEOUTS = [(0, "json", "gateway_timeout", "response", 40_000_000, 60)]
LINE = re.compile(r'[a-z_]+(\{[a-z_]+="[a-z0-9_.]+"\})? (0|[1-9]\d*)(\.\d+)?')  # OpenMetrics, as far as we use it


def metrics_of(summary):
    """The samples, and the types and units of their names."""
    *lines, end = gitlab.metrics(summary).decode().splitlines()
    samples = [line for line in lines if not line.startswith("#")]

    assert end == "# EOF"
    assert all(LINE.fullmatch(sample) for sample in samples)
    assert len(set(lines)) == len(lines)
    return dict(sample.rsplit(" ", 1) for sample in samples), [line for line in lines if line.startswith("#")]


def test_the_figures_have_names_with_their_units(make_run):
    load = {"rate_per_s": 460.0, "duration_s": 1.0}
    samples, told = metrics_of(summary_of(make_run(ROWS + TIMEOUTS, load=load)))

    assert {name: value for name, value in samples.items() if "verdict" not in name} == {
        'loadgate_response_seconds{percentile="p50"}': "0.1024",
        'loadgate_response_at_least_seconds{percentile="p90"}': "40.0",
        'loadgate_response_at_least_seconds{percentile="p95"}': "40.0",
        'loadgate_response_at_least_seconds{percentile="p99"}': "40.0",
        "loadgate_ok_per_second": "400.0",
        "loadgate_sent_per_second": "460.0",
        "loadgate_planned_per_second": "460.0",
        'loadgate_requests{outcome="ok"}': "400",
        'loadgate_requests{outcome="gateway_timeout"}': "60",
    }
    assert "# UNIT loadgate_response_seconds seconds" in told
    assert "# TYPE loadgate_response_seconds gauge" in told


@pytest.mark.parametrize(
    ("texts", "changes", "verdict"),
    [
        ([], {}, "none"),
        (["p50<103ms"], {}, "pass"),
        (["p50<103ms", "p99<90ms"], {}, "fail"),
        (["p99.99<3s"], {}, "undecided"),
        (["p99<90ms"], {"counts": None}, "invalid"),
    ],
)
def test_the_verdict_is_1_and_the_others_0(make_run, texts, changes, verdict):
    summary = summary_of(make_run(ROWS, **changes), slo=tuple(map(objective, texts)))
    samples, told = metrics_of(summary)
    found = {name: value for name, value in samples.items() if "verdict" in name}

    assert found == {
        f'loadgate_verdict{{loadgate_verdict="{each}"}}': str(int(each == verdict))
        for each in ("none", "pass", "fail", "undecided", "invalid")
    }
    assert told[0] == "# TYPE loadgate_verdict stateset"


def test_the_figures_of_an_invalid_run_are_left_out(make_run):
    samples, _ = metrics_of(summary_of(make_run(ROWS, counts=None)))

    assert all(name.startswith("loadgate_verdict{") for name in samples)


def test_what_was_not_measured_is_left_out(make_run):
    summary = summary_of(make_run([], timeline=[])) | {"verdict": "none"}
    samples, _ = metrics_of(summary)

    assert summary["rate"]["ok_per_s"] is None
    assert all(name.startswith("loadgate_verdict{") for name in samples)


def test_nobody_knows_what_another_tool_planned(make_run):
    summary = summary_of(make_run(ROWS))
    summary |= {"verdict": "none", "main": "service", "source": {"kind": "k6 CSV", "files": [], "notes": []}}
    samples, _ = metrics_of(summary)

    assert 'loadgate_service_seconds{percentile="p50"}' in samples
    assert "loadgate_sent_per_second" in samples
    assert "loadgate_planned_per_second" not in samples
