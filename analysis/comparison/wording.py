"""A comparison as people read it: `+22 ms (19 to 25 ms)`, and one sentence that says what came of it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.comparison.compare import DOES_NOT_VARY, FASTER, FEWER, NOT_DECIDED, OUTCOME, RATE, SAME
from analysis.wording import NOTHING, rate_text, share_text, time_text

BETTER_AS_MINUS = (FASTER, FEWER)  # words that take the sign of the difference upon themselves
TOO_WIDE = "the intervals are too wide, and those of longer runs are narrower"

Figure = Mapping[str, Any]


def name_text(figure: Figure) -> str:
    """Write `p99 of response`, `ok requests/s`, or `gateway_timeout`."""
    if figure["kind"] == RATE:
        return "ok requests/s"
    return figure["name"] if figure["kind"] == OUTCOME else f"{figure['name']} of {figure['kind']}"


def value_text(figure: Figure, side: str) -> str:
    """Write the figure of the run that *side* names: `baseline` or `other`."""
    value = figure[side]
    if value is None:
        return NOTHING
    if figure["kind"] == OUTCOME:
        return share_text(value, 1)
    if figure["kind"] == RATE:
        return rate_text(value)
    return (">= " if figure[f"{side}_censored"] else "") + time_text(value)


def difference_text(figure: Figure) -> str:
    """Write `+22 ms`, `-0.3 points`, `at least +39 s`, or `-`."""
    value = figure["difference"]["value"]
    return NOTHING if value is None else _bound(figure) + signed_text(figure, value)


def interval_text(figure: Figure) -> str:
    """Write the interval of the difference: `+19 ms to +25 ms`; empty where nothing is known."""
    low, high = figure["difference"]["low"], figure["difference"]["high"]
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"{signed_text(figure, high)} or less" if low is None else f"{signed_text(figure, low)} or more"
    least, most = signed_text(figure, low), signed_text(figure, high)
    number, unit = least.split(" ")
    return f"{number if most.endswith(f' {unit}') else least} to {most}"


def share_of_baseline_text(figure: Figure) -> str:
    """Write the difference as a share of the baseline: `+21 % (+12 to +30 %)`."""
    value, low, high = (figure["share"][end] for end in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return NOTHING
    return f"{_sign(value)}{_percent(value)} % ({_sign(low)}{_percent(low)} to {_sign(high)}{_percent(high)} %)"


def judgement_text(figure: Figure) -> str:
    """Write the judgement, and for one that is open how much longer runs would decide it."""
    longer = f": runs {longer_text(figure['longer'])} as long would" if figure["longer"] else ""
    return f"{figure['judgement']}{longer}"


def longer_text(times: float) -> str:
    return f"{times:.1f} times" if times < 2 else f"{math.ceil(times):,} times"


def judgement_note(confidence: float, tolerance: float, outcome_points: float) -> str:
    """Say how a table of figures is to be read."""
    return (
        f"Intervals are of one figure each, at {100 * confidence:.6g} %. A difference is called slower, faster, more or"
        " fewer if it stands among all figures together and is larger than what matters:"
        f" {100 * tolerance:.6g} % of a time or rate, {outcome_points:.6g} percentage points of an outcome."
    )


def finding_text(figure: Figure) -> str:
    """Write a difference as a sentence: `p99 of response is 21 % slower (12 to 30 %).`"""
    verb, judgement = "are" if figure["kind"] == RATE else "is", figure["judgement"]
    if judgement == SAME:
        return f"{name_text(figure)} {verb} the same."
    if judgement == NOT_DECIDED:
        return f"{name_text(figure)} {verb} not decided."
    unit, ends = ("percentage points", "difference") if figure["kind"] == OUTCOME else ("%", "share")
    value, low, high = (figure[ends][end] for end in ("value", "low", "high"))
    if value is None or low is None or high is None:
        was, now = value_text(figure, "baseline"), value_text(figure, "other")
        return f"{name_text(figure)} {verb} {judgement}: {now}, was {was}."
    sign = -1 if judgement in BETTER_AS_MINUS else 1
    low, high = sorted((sign * low, sign * high))
    between = f"{_minus(low)}{_percent(low)} to {_minus(high)}{_percent(high)}"
    return f"{name_text(figure)} {verb} {_percent(value)} {unit} {judgement} ({between} {unit})."


def headline(figures: Sequence[Figure], tolerance: float) -> str:
    """Say what came of a comparison in up to three sentences, what is worst first; of figures that both runs have."""
    known = [figure for figure in figures if None not in (figure["baseline"], figure["other"])]
    known.sort(key=_weight, reverse=True)
    worse = [figure for figure in known if figure["worse"]]
    if worse:
        others = len(worse) - 1
        return finding_text(worse[0]) + (
            f" Worse too: {others} of the {len(known) - 1} other figures." if others else ""
        )
    if not known:
        return f"Nothing can be compared{_most_often(figures)}."
    undecided = [figure for figure in known if figure["judgement"] == NOT_DECIDED]
    if len(undecided) == len(known):
        return _nothing_decided(known)
    better = [figure for figure in known if figure["judgement"] not in (SAME, NOT_DECIDED)]
    if not better:
        return _same_but(len(known), undecided, f"the same within {_percent(tolerance)} %")
    if not undecided:
        return f"{finding_text(better[0])} No figure is worse."
    return (
        f"{finding_text(better[0])} No figure is known to be worse."
        f" {len(undecided)} of {len(known)} figures {_are(len(undecided))} not decided{_decided_by(undecided)}."
    )


def signed_text(figure: Figure, difference: float) -> str:
    """Write a difference with its sign and unit."""
    sign = _sign(difference)
    if figure["kind"] == OUTCOME:
        return f"{sign}{_percent(difference)} points"
    return sign + (f"{rate_text(abs(difference))} /s" if figure["kind"] == RATE else time_text(abs(difference)))


def _nothing_decided(figures: Sequence[Figure]) -> str:
    """Lead with that, so that nobody takes it for a comparison without a finding; then why, or what would help."""
    if any(figure["note"] == DOES_NOT_VARY for figure in figures):
        return f"Nothing can be decided: {DOES_NOT_VARY}; a file of single requests does."
    if any(figure["longer"] for figure in figures):
        return f"Nothing can be decided{_decided_by(figures)}."
    return f"Nothing can be decided{_most_often(figures) or f': {TOO_WIDE}'}."


def _same_but(known: int, undecided: Sequence[Figure], same: str) -> str:
    decided = known - len(undecided)
    if not undecided:
        return f"No difference: all {known} figures are {same}."
    figures = "figure" if decided == 1 else f"{decided} figures"
    return (
        f"The {figures} that can be decided {_are(decided)} {same};"
        f" {len(undecided)} {_are(len(undecided))} not decided{_decided_by(undecided)}."
    )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _most_often(figures: Sequence[Figure]) -> str:
    notes = Counter(figure["note"] for figure in figures if figure["note"])
    return f": {notes.most_common(1)[0][0]}" if notes else ""


def _decided_by(figures: Sequence[Figure]) -> str:
    times = [figure["longer"] for figure in figures if figure["longer"]]
    if not times:
        return ""
    them = f"{len(times)} of them" if len(times) < len(figures) else "it" if len(times) == 1 else "all of them"
    return f": runs {longer_text(max(times))} as long would decide {them}"


def _weight(figure: Figure) -> float:
    return abs(figure["difference"]["value"]) / (figure["matters"] or math.inf) if figure["matters"] else math.inf


def _bound(figure: Figure) -> str:
    if figure["other_censored"] and figure["baseline_censored"]:  # a difference is known of the same requests alone
        return ""
    if figure["other_censored"]:
        return "at least "
    return "at most " if figure["baseline_censored"] else ""


def _sign(number: float) -> str:
    return "+" if number > 0 else _minus(number)


def _minus(number: float) -> str:
    return "-" if number < 0 else ""


def _percent(share: float) -> str:
    """Write two significant digits of a share in percent, without its sign."""
    percent = abs(100 * share)
    return f"{percent:.2g}" if percent < 99.5 else f"{percent:,.0f}"
