import pytest

from analysis.outcomes import ADVICE, CENSORED, MEANING, POPULATION, Outcome


def test_every_outcome_has_its_meaning():
    assert set(MEANING) == set(Outcome)


def test_every_failure_has_its_advice():
    assert set(ADVICE) == set(Outcome) - {"ok"}


@pytest.mark.parametrize("outcome", ["oversize", "unauthorized", "throttled", "unavailable", "gateway_timeout"])
def test_a_refusal_is_not_pinned_on_whoever_usually_refuses(outcome):
    """The model can answer each of these too; who did is in the failures."""
    assert "gateway" not in (MEANING[outcome] + ADVICE[outcome]).lower()


def test_the_latency_population_is_ok_and_what_waited_in_vain():
    assert POPULATION - {"gateway_timeout", "client_timeout", "unfinished"} == {"ok"}
    assert {"ok"} == POPULATION - CENSORED
