"""How often a simulated capacity search holds the true rate, known in closed form, and how wide its interval is."""

import statistics
import sys
from pathlib import Path

import click

sys.path.append(str(Path(__file__).parents[1] / "tests/analysis/capacity"))

from queue_in_theory import Queue, capacity, searched
from test_search import MEAN_S, question, search

from analysis.objectives.objective import objective


@click.command()
@click.option("--seeds", type=click.IntRange(2), default=10, show_default=True, help="Searches of each kind.")
def searches(seeds: int) -> None:
    """Search M/M/c queues for ten simulated minutes each, and print a table."""
    click.echo("| c | objective | true rate | holds it | half width, median | largest | value off by | took at most |")
    click.echo("|---:|---|---:|---:|---:|---:|---:|---:|")
    for c in MEAN_S:
        for kind in ("p50", "p99", "timeouts"):
            click.echo(_row(c, kind, seeds))


def _row(c: int, kind: str, seeds: int) -> str:
    text, limit_s, allowed, timeout_s = question(c, kind)
    truth = capacity(limit_s, allowed, MEAN_S[c], c)
    found = [
        searched(search(seed), Queue(seed, MEAN_S[c], c, timeout_s=timeout_s), [objective(text)])
        for seed in range(seeds)
    ]
    edges = [done.edge for done, _ in found]
    off = [edge.value / truth - 1 for edge in edges]
    widths = [edge.half_width for edge in edges]
    return (
        f"| {c} | {text} | {truth:.1f}/s | {sum(edge.low <= truth <= edge.high for edge in edges)} of {seeds}"
        f" | {100 * statistics.median(widths):.1f} % | {100 * max(widths):.1f} %"
        f" | {100 * min(off):+.1f} to {100 * max(off):+.1f} %"
        f" | {max(sum(level.took_s for level in levels) for _, levels in found):.0f} s |"
    )


if __name__ == "__main__":
    searches()
