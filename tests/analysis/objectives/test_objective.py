from fractions import Fraction
from operator import ge, gt, le, lt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.objectives.objective import RATES, SHARES, objective
from analysis.outcomes import Outcome
from analysis.run_format import MEASURES


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("p99<800ms", {"figure": "p99", "operator": "<", "limit": 0.8, "unit": "s", "measure": None}),
        ("  p99.9 <= 1m30s ", {"text": "p99.9 <= 1m30s", "figure": "p99.9", "operator": "<=", "limit": 90.0}),
        ("response.p99.9<2s", {"measure": "response", "figure": "p99.9", "limit": 2.0}),
        ("service.p50>=1.5ms", {"measure": "service", "figure": "p50", "operator": ">=", "limit": 0.0015}),
        ("mean<1s", {"figure": "mean", "percentile": None, "measure": None}),
        ("gateway.mean<5ms", {"figure": "mean", "measure": "gateway"}),
        ("errors<1%", {"figure": "errors", "limit": 0.01, "unit": "share"}),
        ("timeouts<=0%", {"figure": "timeouts", "limit": 0.0}),
        ("ok >= 99.95 %", {"figure": "ok", "operator": ">=", "limit": 0.9995}),
        ("rate>=50/s", {"figure": "rate", "limit": 50.0, "unit": "1/s"}),
        ("ok_rate>49.5", {"figure": "ok_rate", "limit": 49.5}),
        ("p90<1s of cat.png", {"name": "cat.png"}),
        ('p90<1s of "a cat, asleep.png" in every 10s', {"name": "a cat, asleep.png", "every_s": 10.0}),
        ("p90<1s in every 1m", {"every_s": 60.0, "stop_after_s": None}),
        ("errors<5% over 30s stop", {"stop_after_s": 30.0, "every_s": None}),
        ("p90<1s of x in every 10s over 30s stop", {"name": "x", "every_s": 10.0, "stop_after_s": 30.0}),
    ],
)
def test_an_objective_is_read(text, fields):
    found = objective(text)

    assert {name: getattr(found, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "at its end: that is nothing that is measured"),
        ("p99", "at its end: after p99 comes one of < <= > >="),
        ("p99=1s", "at character 4, '=1s': after p99 comes one of"),
        ("p99<800", "at character 5, '800': p99 is a time: its limit needs a unit, as 800ms or 1.5s"),
        ("p99<-1s", "at character 5, '-1s': p99 is a time"),
        ("p99 < 1.2.3s", "at character 7, '1.2.3s': p99 is a time"),
        ("p0<1s", "at character 1, 'p0<1s': a percentile is above 0"),
        ("p100<1s", "at character 1, 'p100<1s': that is nothing that is measured"),
        ("foo.p99<1s", "at character 1, 'foo.p99<1s': 'foo' is no measure; those are response, service,"),
        ("latency<1s", "at character 1, 'latency<1s': that is nothing that is measured"),
        ("errors<1", "at character 8, '1': errors is a share: its limit is in %, as 1%"),
        ("errors<1s", "at character 8, '1s': errors is a share"),
        ("errors<101%", "at character 8, '101%': a share is at most 100%"),
        ("rate>5ms", "at character 6, '5ms': rate is a rate: its limit is in requests/s, as 50/s"),
        ("p99<1s of", "at its end: of is followed by the name of requests"),
        ("p99<1s in every", "at its end: in every is followed by a time with its unit, as 10s"),
        ("p99<1s in every 500ms", "at character 17, '500ms': in every takes whole seconds"),
        ("p99<1s over 30s", "at its end: over 30s is followed by stop"),
        ("rate>5.5ms", "at character 6, '5.5ms': rate is a rate"),
        ("rate<" + "9" * 400, f"at character 6, {'9' * 20!r}: rate is a rate"),
        ("p99<" + "9" * 400 + "h", f"at character 5, {'9' * 20!r}: p99 is a time"),
        ("errors<0." + "0" * 5000 + "1%", f"at character 8, {'0.' + '0' * 18!r}: errors is a share"),
        ("p99<1s in every " + "9" * 400 + "h", f"at character 17, {'9' * 20!r}: in every is followed by"),
        ("p\uff19\uff19<1s", "at character 1, 'p\uff19\uff19<1s': that is nothing that is measured"),
        ('p99<1s of "cat', "at character 11, '\"cat': of is followed by the name of requests"),
        ('p99<1s of ""', "at character 11, '\"\"': of is followed by the name of requests"),
        ("p99<1s in every 10s of a", "at character 21, 'of a': it ends after the limit"),
        ("p99<1s please", "at character 8, 'please': it ends after the limit, or goes on with: of NAME"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, where):
    with pytest.raises(ValueError, match="is not an objective") as error:
        objective(text)

    assert str(error.value).startswith(f"{text!r} is not an objective: {where}")
    assert "\n" not in str(error.value)


@given(st.text(max_size=30) | st.from_regex(r"p\d\d<\d+ms .*", fullmatch=True))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    try:
        read = objective(text).text
    except ValueError as error:
        read, words = None, str(error)

    assert read == text.strip() or words.startswith(f"{text!r} is not an objective: at ")


@given(st.sampled_from(["<", "<=", ">", ">="]), st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_limit_holds_as_python_compares(operator, limit_ms, value_ms):
    found = objective(f"mean{operator}{limit_ms}ms")

    compared = {"<": lt, "<=": le, ">": gt, ">=": ge}
    assert found.holds(value_ms / 1000) == compared[operator](value_ms, limit_ms)
    assert not found.holds(limit_ms / 1000) or "=" in operator
    assert found.is_ceiling == (operator in ("<", "<="))


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"'), min_size=1, max_size=20)


@given(
    st.integers(1, 10**8 - 1),
    st.integers(0, 10**9 - 1),
    st.none() | NAMES.filter(lambda name: name.strip()),
    st.none() | st.integers(1, 10**6),
    st.none() | st.integers(1, 10**6),
)
def test_what_is_written_is_what_is_read(millionths, limit_ms, name, every_s, stop_s):
    share = Fraction(millionths, 10**8)
    figure = f"p{millionths // 10**6}.{millionths % 10**6:06d}"
    parts = [f"{figure}<{limit_ms}ms"]
    parts += [f'of "{name}"'] * (name is not None) + [f"in every {every_s}s"] * (every_s is not None)
    found = objective(" ".join(parts + [f"over {stop_s}s stop"] * (stop_s is not None)))

    assert (found.figure, found.percentile, found.limit) == (figure, share, limit_ms / 1000)
    assert (found.name, found.every_s, found.stop_after_s) == (name, every_s, stop_s)


@pytest.mark.parametrize("figure", [*Outcome, "errors", "timeouts"])
def test_every_outcome_has_a_share(figure):
    assert figure in SHARES
    assert objective(f"{figure}<5%").unit == "share"


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_has_percentiles(measure):
    assert objective(f"{measure}.p99<1s").measure == measure


@pytest.mark.parametrize("figure", RATES)
def test_rates_are_per_second(figure):
    assert objective(f"{figure}>=1/s").unit == "1/s"
