from analysis import cautions
from analysis.outcomes import Outcome
from analysis.report.definitions import CAUTIONS, MEASURES, definitions
from analysis.run_format import MEASURES as ALL_MEASURES


def test_every_word_of_a_report_has_its_meaning():
    found = definitions(0.9)

    assert set(MEASURES) == set(ALL_MEASURES)
    assert set(found["Outcomes"]) == {str(outcome) for outcome in Outcome}
    assert {check.__name__ for check in cautions.CHECKS} <= set(CAUTIONS), "a check is named as its caution"
    assert all(text.endswith(".") for pairs in found.values() for text in pairs.values())


def test_the_confidence_is_that_of_the_report():
    assert "with 90 % confidence" in definitions(0.9)["Percentiles"]["interval"]
