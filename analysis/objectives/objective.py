"""Objectives as people write them: `p99<800ms`, `errors<1% of cat.png`, `response.p95<=2s in every 10s`."""

import re
from dataclasses import dataclass
from fractions import Fraction

from analysis.outcomes import Outcome
from analysis.run_format import MEASURES
from analysis.units import SECONDS, duration

SECOND, SHARE, PER_SECOND = "s", "share", "1/s"
OPERATORS = ("<=", ">=", "<", ">")
ERRORS, TIMEOUTS = "errors", "timeouts"
SHARES = (ERRORS, TIMEOUTS, *(outcome.value for outcome in Outcome))
RATE, OK_RATE = "rate", "ok_rate"
RATES = (RATE, OK_RATE)
MEAN = "mean"
EXAMPLES = "p99<800ms, errors<1%, ok_rate>=50/s"

# So few digits that every number is finite, and so is a sum of times.
_NUMBER = r"\d{1,9}(?:\.\d{1,15})?"
_LATENCY = re.compile(rf"(?:([a-z_]+)\.)?(p\d{{1,2}}(?:\.\d{{1,6}})?|{MEAN})(?![\w.])", re.ASCII)
_WORD = re.compile(r"[a-z_0-9.]+")
_DURATION = re.compile(rf"(?:{_NUMBER}(?:{'|'.join(sorted(SECONDS, key=len, reverse=True))}))+(?!\w)", re.ASCII)
_PERCENT = re.compile(rf"({_NUMBER})\s*%", re.ASCII)
_RATE = re.compile(rf"({_NUMBER})(?:\s*/\s*s)?(?![\w%.])", re.ASCII)
_NAME = re.compile(r'"([^"]+)"|([^\s"]\S*)')


@dataclass(frozen=True)
class Objective:
    """What a run must keep. The limit is in seconds, a share from 0 to 1, or requests/s, as `unit` says."""

    text: str
    figure: str  # `p99`, `mean`, one of SHARES or one of RATES
    operator: str
    limit: float
    measure: str | None = None  # of a latency; None: the main one
    name: str | None = None  # of the requests; None: all
    every_s: float | None = None  # must hold in every part of this length
    stop_after_s: float | None = None  # a run that misses it for this long is stopped

    @property
    def unit(self) -> str:
        if self.figure in SHARES:
            return SHARE
        return PER_SECOND if self.figure in RATES else SECOND

    @property
    def percentile(self) -> Fraction | None:
        """The share of a percentile; None if the figure is none."""
        return Fraction(self.figure[1:]) / 100 if self.figure[0] == "p" else None

    def holds(self, value: float) -> bool:
        """Whether a value is within the limit."""
        return {
            "<": value < self.limit,
            "<=": value <= self.limit,
            ">": value > self.limit,
            ">=": value >= self.limit,
        }[self.operator]

    @property
    def is_ceiling(self) -> bool:
        """Whether low values are the good ones."""
        return self.operator[0] == "<"


def objective(text: str) -> Objective:
    """Read an objective. Raises ValueError, which says where in *text* the mistake is, in a sentence for the user."""
    return _Reader(text).objective()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def objective(self) -> Objective:
        measure, figure = self._figure()
        operator = next((each for each in OPERATORS if self._rest().startswith(each)), None)
        if operator is None:
            raise self._mistake(f"after {figure} comes one of < <= > >=")
        self._at += len(operator)
        limit = self._limit(figure)
        name = self._named() if self._word("of") else None
        every_s = self._duration("in every") if self._word("in every") else None
        stop_after_s = self._stop() if self._word("over") else None
        if self._rest():
            raise self._mistake("it ends after the limit, or goes on with: of NAME, in every 10s, over 30s stop")
        return Objective(self._text.strip(), figure, operator, limit, measure, name, every_s, stop_after_s)

    def _figure(self) -> tuple[str | None, str]:
        if latency := _LATENCY.match(self._rest()):
            measure, figure = latency.groups()
            if measure is not None and measure not in MEASURES:
                raise self._mistake(f"{measure!r} is no measure; those are {', '.join(MEASURES)}")
            if figure != MEAN and not float(figure[1:]):
                raise self._mistake("a percentile is above 0 and below 100")
            self._at += latency.end()
            return measure, figure
        word = _WORD.match(self._rest())
        if word is None or word[0] not in (*SHARES, *RATES):
            raise self._mistake(
                f"that is nothing that is measured; write a percentile, {MEAN}, {', '.join((*RATES, *SHARES))}"
            )
        self._at += word.end()
        return None, word[0]

    def _limit(self, figure: str) -> float:
        if figure in SHARES:
            percent = self._take(_PERCENT, f"{figure} is a share: its limit is in %, as 1%")
            if float(percent[1]) > 100:
                raise self._mistake("a share is at most 100%", back=len(percent[0]))
            return float(Fraction(percent[1]) / 100)
        if figure in RATES:
            return float(self._take(_RATE, f"{figure} is a rate: its limit is in requests/s, as 50/s")[1])
        text = self._take(_DURATION, f"{figure} is a time: its limit needs a unit, as 800ms or 1.5s")[0]
        return round(duration(text), 9)  # 58971 ms are 58.971 s and not the least bit more

    def _named(self) -> str:
        name = self._take(_NAME, 'of is followed by the name of requests, in "..." if it has blanks')
        return name[1] or name[2]

    def _duration(self, words: str) -> float:
        text = self._take(_DURATION, f"{words} is followed by a time with its unit, as 10s")[0]
        seconds = duration(text)
        if seconds < 1 or seconds % 1:
            raise self._mistake(f"{words} takes whole seconds", back=len(text))
        return seconds

    def _stop(self) -> float:
        seconds = self._duration("over")
        if not self._word("stop"):
            raise self._mistake("over 30s is followed by stop")
        return seconds

    def _word(self, words: str) -> bool:
        found = re.match(words.replace(" ", r"\s+") + r"(?!\w)", self._rest())
        self._at += found.end() if found else 0
        return found is not None

    def _take(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        found = pattern.match(self._rest())
        if found is None:
            raise self._mistake(expected)
        self._at += found.end()
        return found

    def _rest(self) -> str:
        """What is still to be read, from its first letter on."""
        rest = self._text[self._at :].lstrip()
        self._at = len(self._text) - len(rest)
        return rest.rstrip()

    def _mistake(self, sentence: str, back: int = 0) -> ValueError:
        rest = self._rest()
        self._at -= back
        where = (
            f"at character {self._at + 1}, {self._text[self._at :].strip()[:20]!r}" if rest or back else "at its end"
        )
        return ValueError(f"{self._text!r} is not an objective: {where}: {sentence} (examples: {EXAMPLES})")
