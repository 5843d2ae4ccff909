import pytest
from made_by_hand import samples_of

from analysis.population import population_of


def of(measure, *rows):
    return population_of(samples_of(*[(0, "a", outcome, m, value, n) for outcome, m, value, n in rows]), measure)


def test_ranks_walk_through_the_sorted_weighted_times():
    population = of("response", ("ok", "response", 3_000_000, 1), ("ok", "response", 1_000_000, 2))

    assert population.n == 3
    assert [population.at_least_s(rank) for rank in (1, 2, 3)] == [1.0, 1.0, 3.0]
    assert [population.at_most_s(rank) for rank in (1, 2, 3)] == [1.0, 1.0, 3.0]


@pytest.mark.parametrize("outcome", ["gateway_timeout", "client_timeout", "unfinished"])
def test_a_request_that_waited_in_vain_counts_as_at_least_that(outcome):
    population = of("response", ("ok", "response", 5_000_000, 1), (outcome, "response", 2_000_000, 1))

    assert [population.at_least_s(1), population.at_least_s(2)] == [2.0, 5.0]
    assert [population.at_most_s(1), population.at_most_s(2)] == [5.0, None]


@pytest.mark.parametrize("outcome", ["oversize", "throttled", "unauthorized", "server_error", "bad_answer", "dropped"])
def test_a_rejection_is_not_a_latency(outcome):
    assert of("response", ("ok", "response", 5, 1), (outcome, "response", 1, 9)).n == 1


def test_lateness_is_exact_and_of_every_request_sent():
    population = of("lateness", ("throttled", "lateness", 1_000_000, 1), ("unfinished", "lateness", 2_000_000, 1))

    assert population.n == 2
    assert population.at_most_s(2) == 2.0


def test_the_models_part_is_at_least_that_where_the_gateway_stopped_waiting():
    population = of("backend", ("ok", "backend", 0, 1), ("gateway_timeout", "backend", 2_000_000, 1))

    assert [population.at_least_s(1), population.at_least_s(2)] == [0.0, 2.0]
    assert [population.at_most_s(1), population.at_most_s(2)] == [0.0, None]


def test_the_gateways_own_part_is_exact():
    population = of("gateway", ("ok", "gateway", 1_000, 1), ("gateway_timeout", "gateway", 2_000_000, 1))

    assert population.at_most_s(2) == 2.0


@pytest.mark.parametrize("measure", ["gateway", "backend"])
def test_a_rejection_is_no_part_of_what_the_gateway_says(measure):
    assert of(measure, ("ok", measure, 5, 1), ("throttled", measure, 1, 9)).n == 1


def test_a_request_that_was_not_measured_has_no_latency():
    assert of("service", ("ok", "service", -1, 4), ("ok", "response", 5, 4)).n == 0


def test_a_row_that_counts_nothing_is_no_request():
    population = of("response", ("gateway_timeout", "response", 9_000_000, 0), ("ok", "response", 5_000_000, 1))

    assert population.n == 1
    assert population.at_least_s(1) == 5.0
