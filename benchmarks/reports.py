"""How long a report takes, and how much memory, beside what a person would write with pandas."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from recorded import write_jtl, write_run

HERE = Path(__file__).parent
ANALYSIS = [sys.executable, "-m", "analysis"]
# As for a user: modules are compiled once, not at each start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PANDAS = [sys.executable, str(HERE / "with_pandas.py")]


@dataclass(frozen=True)
class Work:
    """`commands` are of what takes part, by name; `limits` are the most seconds and MB that loadgate may take."""

    words: str
    write: Callable[[Path], Path]
    commands: dict[str, list[str]]
    limits: dict[str, tuple[float, float | None]]


WORKS = {
    "jtl": Work(
        "JMeter JTL of 10 million rows",
        lambda folder: write_jtl(folder / "results.jtl", 10_000_000),
        {"loadgate": ANALYSIS, "pandas": PANDAS},
        {"loadgate": (20, 1500)},
    ),
    "hour": Work(
        "run directory of an hour at 1,000/s",
        lambda folder: write_run(folder / "run", 3600, 1000),
        {"loadgate": ANALYSIS, "loadgate --no-plots": [*ANALYSIS, "--no-plots"], "pandas": PANDAS},
        {"loadgate": (6, None), "loadgate --no-plots": (2, None)},
    ),
}


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--work", "works", type=click.Choice(list(WORKS)), multiple=True, help="Only this work. [all]")
def reports(rounds: int, works: tuple[str, ...]) -> None:
    """Measure wall time and peak memory of a report from the start of Python on; they take turns, medians."""
    for name in works or WORKS:
        with tempfile.TemporaryDirectory() as folder:
            for line in _table(WORKS[name], Path(folder), rounds):
                click.echo(line)


def _table(work: Work, folder: Path, rounds: int) -> Iterator[str]:
    path = work.write(folder)
    size_mb = sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir())) / 1e6
    runs = [(name, *_measured([*work.commands[name], str(path)])) for _ in range(rounds) for name in work.commands]
    yield f"\n### {work.words} ({size_mb:,.0f} MB), {rounds} rounds\n"
    yield "| | seconds | peak memory, MB | at most |"
    yield "|---|---:|---:|---|"
    for name in work.commands:
        seconds = statistics.median(run[1] for run in runs if run[0] == name)
        memory_mb = statistics.median(run[2] for run in runs if run[0] == name)
        yield f"| {name} | {seconds:.1f} | {memory_mb:,.0f} | {_limit(work.limits.get(name))} |"


def _limit(limits: tuple[float, float | None] | None) -> str:
    if limits is None:
        return ""
    seconds, memory_mb = limits
    return f"{seconds:g} s" + (f", {memory_mb:,.0f} MB" if memory_mb else "")


def _measured(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MB of a command and what it starts."""
    began = time.perf_counter()
    devnull = os.open(os.devnull, os.O_WRONLY)
    child = os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=[(os.POSIX_SPAWN_DUP2, devnull, 1)])
    os.close(devnull)
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise click.ClickException(f"{' '.join(command)} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    reports()
