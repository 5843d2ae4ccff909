from analysis.outcomes import AnsweredBy, Outcome
from analysis.readers.failure_counts import MOST_TEXTS, MOST_WAYS, FailureCounts, Vocabulary, is_timeout, status_in


def test_a_word_is_its_text_its_status_and_whether_it_speaks_of_a_timeout():
    words = Vocabulary()
    word = words.word("Read timed out")

    assert (words.text(word), is_timeout(word), status_in(word)) == ("Read timed out", True, None)
    assert status_in(words.word("504")) == 504
    assert words.word("504") == words.word("504")
    assert words.word("") == 0


def test_a_text_without_room_keeps_what_it_means():
    words = Vocabulary()
    for number in range(MOST_TEXTS + 10):
        words.word(f"message {number}")
    late = words.word("another timeout")

    assert (words.text(late), is_timeout(late)) == ("", True)
    assert status_in(words.word("503")) == 503
    assert words.word("yet another") != words.word("")
    assert words.text(words.word("message 1")) == "message 1"


def test_a_long_text_is_cut_but_understood():
    words = Vocabulary()
    word = words.word("x" * 300 + " timed out")

    assert words.text(word) == "x" * 200
    assert is_timeout(word)


def test_counts_stay_exact_when_there_are_too_many_ways():
    counts = FailureCounts()
    for number in range(MOST_WAYS + 500):
        counts.add(Outcome.SERVER_ERROR, 500, "", f"message {number}", 2)
    counts.add(Outcome.CLIENT_TIMEOUT, None, "", "x" * 500, 1)
    first, *others = counts.failures()

    assert (first.count, first.message, first.status) == (1000, "", 500)
    assert sum(failure.count for failure in (first, *others)) == 2 * (MOST_WAYS + 500) + 1
    assert len(others) == MOST_WAYS + 1


def test_who_answered_is_not_known():
    counts = FailureCounts()
    counts.add(Outcome.THROTTLED, 429, "", "", 1)
    counts.add(Outcome.CONNECTION_ERROR, None, "E", "refused", 3)

    assert [(failure.answered_by, failure.error_code, failure.count) for failure in counts.failures()] == [
        (AnsweredBy.NOBODY, "E", 3),
        (AnsweredBy.NOBODY, "", 1),
    ]
