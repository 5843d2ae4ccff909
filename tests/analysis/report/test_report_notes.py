import pytest
from made_by_hand import summary_of

from analysis.report import notes

OK = [(0, "json", "ok", "response", 102_400, 400), (0, "json", "ok", "service", 100_000, 400)]
GATEWAY = {"name": "modelarts", "timeout_s": 40.0, "grace_s": 5.0, "body_limit_bytes": 12582912}


def split(service, backend, gateway, n=400, told=400):
    return [
        (0, "json", "ok", "response", 9, n),
        (0, "json", "ok", "service", service, n),
        (0, "json", "ok", "backend", backend, told),
        (0, "json", "ok", "gateway", gateway, told),
    ]


def test_a_percentile_that_is_not_given_says_what_it_takes(make_run):
    """400 latencies in 1 s: p99.9 takes 3,688, so 9.22 s."""
    assert notes.unsupported(summary_of(make_run(OK))) == ["p99.9 takes a run of about 10 s at this rate."]


def test_what_was_not_measured_takes_no_longer_run(make_run):
    assert notes.unsupported(summary_of(make_run([], timeline=[]))) == []


def test_what_the_gateway_says_of_the_time_is_told_at_the_median(make_run):
    assert notes.gateway_part(summary_of(make_run(split(102_400, 95_000, 0)))) == [
        "At p50, service is 102 ms; the gateway says 95 ms for the model's side and 0 ms for itself."
        " Each is a median of its own, so they need not add up."
    ]


def test_a_gateway_that_spoke_of_some_requests_is_told_with_how_many(make_run):
    found = notes.gateway_part(summary_of(make_run(split(102_400, 95_000, 3_000, told=300))))

    assert "the gateway says, of 300 of these 400 requests, 95 ms for" in found[0]


def test_a_median_that_the_requests_do_not_support_is_not_split(make_run):
    assert notes.gateway_part(summary_of(make_run(split(102_400, 95_000, 3_000, n=5, told=5)))) == []


def test_a_median_that_was_not_asked_for_is_not_split(make_run):
    summary = summary_of(make_run(split(102_400, 95_000, 0)))
    del summary["percentiles"]["p50"]

    assert notes.gateway_part(summary) == []


@pytest.mark.parametrize(("asked", "told"), [(True, True), (False, False), (None, False)])
def test_a_gateway_that_was_asked_and_did_not_say_is_told(make_run, asked, told):
    run = make_run(OK, gateway=GATEWAY | {"latency_asked": asked})

    assert bool(notes.gateway_part(summary_of(run))) is told


def test_one_of_the_two_parts_is_no_split(make_run):
    rows = [row for row in split(102_400, 95_000, 3_000) if row[3] != "gateway"]
    run = make_run(rows, gateway=GATEWAY | {"latency_asked": True})

    assert notes.gateway_part(summary_of(run)) == []


def test_another_measure_says_what_it_takes_where_only_the_main_one_has_it(make_run):
    """10 connections in 1 s: p90 takes 36, so 3.6 s; p99.9 is missing in both."""
    found = notes.unsupported(summary_of(make_run([*OK, (0, "json", "ok", "connect", 300, 10)])))

    assert found == [
        "p99.9 takes a run of about 10 s at this rate.",
        "p90 of connect takes a run of about 4 s at this rate.",
        "p95 of connect takes a run of about 8 s at this rate.",
        "p99 of connect takes a run of about 37 s at this rate.",
    ]
