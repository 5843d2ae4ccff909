from analysis.outcomes import CENSORED, MEANING, POPULATION, Outcome


def test_every_outcome_has_its_meaning():
    assert set(MEANING) == set(Outcome)


def test_the_latency_population_is_ok_and_what_waited_in_vain():
    assert POPULATION - {"gateway_timeout", "client_timeout", "unfinished"} == {"ok"}
    assert {"ok"} == POPULATION - CENSORED
