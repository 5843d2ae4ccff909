"""The runs of one work as a Markdown table, and the targets that loadgate has to reach in it."""

from collections.abc import Callable, Iterable, Iterator
from statistics import median

from run import Run
from watch import Window

# A core that is used this much is the limit.
BUSY = 0.9

# work: how many times the peer's requests/s loadgate must reach; of several peers, those of the fastest.
NATIVE = ("wrk", "hey", "ab")
FILE_TARGETS = ((0.9, NATIVE), (2.0, ("FastHttpUser",)))
TARGETS = {
    "json-http": ((0.8, ("wrk",)), (4.0, ("k6",)), (6.0, ("FastHttpUser",))),
    "json-tls": ((0.8, ("wrk",)),),
    "file-1mb": FILE_TARGETS,
    "file-11mb": FILE_TARGETS,
}
HEADINGS = (
    "tool",
    "requests/s",
    "loadgate / tool",
    "CPU per request, us",
    "generator's core",
    "nginx's core",
    "peak memory, MB",
    "the limit",
)


class Table:
    """All runs of one work."""

    def __init__(self, work: str, runs: Iterable[Run]) -> None:
        self._work = work
        self._runs: dict[str, dict[int, Run]] = {}
        for run in runs:
            self._runs.setdefault(run.tool, {})[run.round] = run

    def markdown(self, missing: Iterable[str]) -> str:
        """The table, with the tools that are `missing`, and what was not as it should be below it."""
        rows = [HEADINGS, ("---", *("---:",) * (len(HEADINGS) - 2), "---"), *(self._row(tool) for tool in self._runs)]
        rows += [(tool, "not installed", *("-",) * (len(HEADINGS) - 2)) for tool in missing]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join((f"### {self._work}", "", *lines, "", *self._notes(), *self._targets()))

    def _row(self, tool: str) -> tuple[str, ...]:
        windows = self._windows(tool).values()
        nginx = [window.nginx_cores for window in windows]
        generator = [window.generator_cores for window in windows]
        return (
            tool,
            spread((window.requests_per_s for window in windows), number),
            spread(self._ratios(tool), "{:.2f}".format),
            spread((window.cpu_us for window in windows), number),
            spread(generator, "{:.0%}".format),
            spread(nginx, "{:.0%}".format),
            spread((self._runs[tool][turn].peak_mb for turn in self._windows(tool)), number),
            _limit(generator, nginx),
        )

    def _ratios(self, tool: str) -> list[float]:
        """How many times the tool's requests/s are loadgate's, round by round."""
        ours, its = self._windows("loadgate"), self._windows(tool)
        return [ours[number].requests_per_s / its[number].requests_per_s for number in ours.keys() & its.keys()]

    def _windows(self, tool: str) -> dict[int, Window]:
        """What was measured, by round; the disturbed ones only where there is nothing else."""
        measured = {number: run.window for number, run in self._runs.get(tool, {}).items() if run.window}
        return {number: window for number, window in measured.items() if not window.disturbed} or measured

    def _notes(self) -> Iterator[str]:
        for tool, runs in self._runs.items():
            for run in runs.values():
                yield from (f"* {tool}, round {run.round}: {note}" for note in run.notes)

    def _targets(self) -> Iterator[str]:
        for times, peers in TARGETS.get(self._work, ()):
            # The slower loadgate looks beside it, the faster the peer is.
            rounds = {peer: ratios for peer in peers if (ratios := self._ratios(peer))}
            figures = {peer: median(ratios) for peer, ratios in rounds.items()}
            if not figures:
                yield f"* target {times:g} x {' or '.join(peers)}: not measured"
                continue
            peer = min(figures, key=figures.__getitem__)
            verdict = "reached" if figures[peer] >= times else "not reached"
            figure = f"{figures[peer]:.2f} x, rounds: {len(rounds[peer])}{self._because(peer)}"
            yield f"* target {times:g} x {peer}: {verdict}, {figure}"

    def _because(self, peer: str) -> str:
        """Where nginx held loadgate back: what the CPU time of the two says."""
        ours, its = self._windows("loadgate").values(), self._windows(peer).values()
        if median(window.nginx_cores for window in ours) < BUSY:
            return ""
        times = median(window.cpu_us for window in its) / median(window.cpu_us for window in ours)
        return f" (nginx was loadgate's limit; by CPU per request {times:.2f} x)"


def spread(values: Iterable[float], form: Callable[[float], str]) -> str:
    """`median (least-greatest)`, or `-` without values."""
    known = sorted(values)
    if not known:
        return "-"
    return f"{form(median(known))} ({form(known[0])}-{form(known[-1])})"


def number(value: float) -> str:
    """A figure with three digits or more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _limit(generator: list[float], nginx: list[float]) -> str:
    if not nginx:
        return "-"
    busy = [name for name, cores in (("the tool", generator), ("nginx", nginx)) if median(cores) >= BUSY]
    return " and ".join(busy) or "neither"
