from analysis.outcomes import Outcome
from loadgate.advice import ADVICE


def test_every_outcome_of_a_request_that_was_sent_and_ended_badly_has_its_advice():
    assert set(ADVICE) == set(Outcome) - {Outcome.OK, Outcome.DROPPED, Outcome.UNFINISHED}
