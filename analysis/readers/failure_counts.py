"""The ways in which requests failed, counted while a file is read, in bounded memory.

A service may answer every request with a message of its own. So many texts and ways are kept as they come; what
comes later is counted by outcome and status, without its message.
"""

from collections import Counter
from dataclasses import dataclass, field

from analysis.failures import Failure
from analysis.outcomes import AnsweredBy, Outcome
from analysis.readers.cells import by_text
from analysis.readers.columns import Column
from analysis.readers.statuses import speaks_of_timeout, status_of

MOST_TEXTS = 4_096
MOST_WAYS = 4_096
MOST_LETTERS = 200

_STATUS_BITS = 10
_NO_ROOM = 1

Way = tuple[Outcome, int | None, str, str]  # outcome, status, error code and message


@dataclass
class Vocabulary:
    """Texts as whole numbers ("words"): which text it is, what status it is, and whether it speaks of a timeout.

    Only the first is lost for a text that finds no room.
    """

    _texts: list[str] = field(default_factory=lambda: ["", ""])  # nothing, and what finds no room
    _numbers: dict[str, int] = field(default_factory=lambda: {"": 0})

    def word(self, text: str) -> int:
        cut = text[:MOST_LETTERS]
        number = self._numbers.get(cut)
        if number is None:
            number = self._numbered(cut)
        meaning = speaks_of_timeout(text) << _STATUS_BITS | (status_of(text) or 0)
        return number << (_STATUS_BITS + 1) | meaning

    def text(self, word: int) -> str:
        return self._texts[word >> (_STATUS_BITS + 1)]

    def column(self) -> Column:
        """Read a column of texts as words."""
        return by_text(self.word, "a text")

    def _numbered(self, text: str) -> int:
        if len(self._texts) > MOST_TEXTS:
            return _NO_ROOM
        self._texts.append(text)
        self._numbers[text] = len(self._texts) - 1
        return self._numbers[text]


def status_in(word: int) -> int | None:
    return (word & ((1 << _STATUS_BITS) - 1)) or None


def is_timeout(word: int) -> bool:
    return bool(word >> _STATUS_BITS & 1)


@dataclass
class FailureCounts:
    """Exact counts of failures, by way."""

    _ways: Counter[Way] = field(default_factory=Counter)

    def add(self, outcome: Outcome, status: int | None, error_code: str, message: str, count: int) -> None:
        way = (outcome, status, error_code[:MOST_LETTERS], message[:MOST_LETTERS])
        if way not in self._ways and len(self._ways) >= MOST_WAYS:
            way = (outcome, status, "", "")
        self._ways[way] += count

    def failures(self) -> list[Failure]:
        """List them, the most frequent first. Who answered, no other tool records."""
        ways = sorted(self._ways.items(), key=lambda item: (-item[1], item[0][0], item[0][1] or 0, item[0][2:]))
        return [
            Failure(outcome, AnsweredBy.NOBODY, "", status, code, text, count)
            for (outcome, status, code, text), count in ways
        ]
