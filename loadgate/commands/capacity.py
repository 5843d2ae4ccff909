"""`loadgate capacity`: how much a service carries, and how many instances the traffic needs."""

from dataclasses import replace
from typing import Any

import click

from loadgate import options, sharing
from loadgate.click_options import with_options
from loadgate.commands.run import arguments_of, launch
from loadgate.sharing import with_sharing

EXAMPLES = """\
\b
Examples:
  export LOADGATE_TOKEN=...
  loadgate capacity https://HOST/v1/infers/ID --slo 'p99<800ms' --json bodies.jsonl
  loadgate capacity https://HOST/v1/infers/ID --slo 'p95<2s' --slo 'timeouts<0.1%' --from 5 --to 200 --file images/
  loadgate capacity https://HOST/v1/infers/ID --slo 'p99<800ms' --instances 2 --target-rate 300 --headroom 30%
  loadgate capacity https://HOST/v1/infers/ID --resume reports/20261124-101500-json
"""
LEFT_OUT = ("baseline", "tolerance", "think_time_s")  # of a run alone
SET_BY_RESUME = ("from_per_s", "to_per_s", "budget_s", "target_per_s", "instances", "headroom", "seed", "slo")
ARRIVALS = "poisson"
HOW = [
    replace(option, help=option.help.replace("[constant]", f"[{ARRIVALS}]")) if option.name == "arrivals" else option
    for option in options.HOW
    if option.name not in LEFT_OUT
]


@click.command(epilog=EXAMPLES, short_help="How much it carries, and how many instances are needed.")
@click.argument("url")
@with_options(*options.SEARCH, as_text=True)
@with_sharing
@with_options(*options.WHAT, *HOW, *options.LIMITS, as_text=True)
def capacity(
    url: str,
    processes: int | None,
    workers: int | None,
    listen: str | None,
    lost_worker: str | None,
    **given: Any,
) -> None:
    """Find the highest rate at which URL keeps the objectives (--slo), and plan instances from it.

    Rates are doubled until an objective is missed; then levels around that edge, in mixed order, narrow it to an
    interval; at last the rate found is held on its own. Arrivals are random (poisson) unless told otherwise. Where
    no objective is about failures, errors<1% is one.

    Exit code: 0 a rate was found, or all were carried, 1 the objectives are missed at the lowest rate, 2 wrong usage
    or no way in, 3 the budget or the generator was too small to tell, 130 interrupted.
    """
    flags = {option.name: option.flags[-1] for option in (*options.SEARCH, *options.HOW)}
    again = [flags[name] for name in SET_BY_RESUME if given["resume"] and given[name]]
    if again:
        raise click.UsageError(f"--resume goes on with what that run was asked for; leave out {', '.join(again)}")
    given["arrivals"] = given["arrivals"] or ARRIVALS
    launch(
        "run_capacity",
        [
            f"--host={url}",
            "--load-model=open",
            *sharing.arguments(processes, workers, listen, lost_worker),
            *arguments_of([*options.SEARCH, *options.WHAT, *HOW, *options.LIMITS], given),
        ],
    )
