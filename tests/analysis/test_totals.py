import numpy as np
import pytest

from analysis.totals import ROWS, pieces, totals


@pytest.mark.parametrize("rows", [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 7])
def test_pieces_are_all_rows_once_and_in_order(rows):
    found = np.concatenate([np.zeros(0, int), *(np.arange(rows)[piece] for piece in pieces(rows))])

    assert found.tolist() == list(range(rows))


@pytest.mark.parametrize("places", [1, 5, 2 * ROWS])
@pytest.mark.parametrize("rows", [0, 3, 2 * ROWS + 5])
def test_totals_are_those_of_rows_added_one_by_one(rows, places):
    rng = np.random.default_rng(1)
    place, count = rng.integers(0, places, rows).astype(np.int32), rng.integers(0, 9, rows).astype(np.int32)
    expected = np.zeros(places, int)
    np.add.at(expected, place, count)

    assert totals(lambda piece: place[piece], count, places).tolist() == expected.tolist()


def test_counts_beyond_32_bits_are_exact():
    count = np.full(2, 2**51 + 1)

    assert totals(lambda piece: np.zeros(2, int)[piece], count, 1).tolist() == [2**52 + 2]
