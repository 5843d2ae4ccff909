import pytest
from made_by_hand import summary_of


@pytest.fixture
def cautions(make_run):
    """The cautions of a run, by name."""

    def found(*rows, choices=None, **run):
        return {caution["name"]: caution for caution in summary_of(make_run(rows, **run), **choices or {})["cautions"]}

    return found
