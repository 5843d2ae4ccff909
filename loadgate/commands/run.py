"""`loadgate run`: a load in plain words, carried out by Locust in this process."""

import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from loadgate import options, sharing
from loadgate.arrivals import shared
from loadgate.click_options import checked, with_options
from loadgate.errors import INTERRUPTED
from loadgate.options import Option
from loadgate.sharing import with_sharing

PACKAGE = Path(__file__).parent.parent
HEADLESS = ("--headless", "--only-summary", "--loglevel=ERROR")
OF_BOTH = ("out", "baseline", "tolerance", "no_plots")  # what a comparison of two services has once

EXAMPLES = """\
\b
Examples:
  export LOADGATE_TOKEN=...
  loadgate run https://HOST/v1/infers/ID --rate 50 --duration 2m --json bodies.jsonl
  loadgate run https://HOST/v1/infers/ID --rate 50 --duration 5m --slo 'p99<800ms' --slo 'errors<1%'
  loadgate run https://HOST/v1/infers/ID --rate 20 --arrivals poisson --file images/
  loadgate run https://HOST/v1/infers/ID --users 8 --think-time 500ms --base64 cat.png
  loadgate run https://HOST/v1/infers/ID --rate 50 --duration 5m --baseline reports/main
  loadgate run https://HOST/v1/infers/OLD --ab https://HOST/v1/infers/NEW --rate 50 --duration 5m
  loadgate run https://HOST/v1/infers/ID --rate 20000 --workers 4 --listen 10.0.0.5
  loadgate run https://HOST/predict --gateway nginx --auth bearer --timeout 30s --json bodies.jsonl
"""


@click.command(epilog=EXAMPLES, short_help="Send a load and write its report.")
@click.argument("url")
@click.option("--rate", metavar="R", callback=checked(options.positive), help="Open model: R requests/s. [10]")
@click.option(
    "--users", metavar="N", callback=checked(options.closed_users), help="Closed model: N users, each waiting."
)
@click.option(
    "--duration",
    metavar="T",
    default="1m",
    callback=checked(options.positive_duration),
    help="How long to send. [1m]",
)
@click.option(
    "--ramp", metavar="T", callback=checked(options.positive_duration), help="Reach the full load after T. [at once]"
)
@with_sharing
@click.option(
    "--ab",
    "url_b",
    metavar="URL_B",
    help="Send the same load to URL_B at the same time, and compare it with URL: is it worse?",
)
@with_options(*options.WHAT, *options.HOW, *options.LIMITS, as_text=True)
def run(
    url: str,
    rate: float | None,
    users: int | None,
    duration: float,
    ramp: float | None,
    processes: int | None,
    workers: int | None,
    listen: str | None,
    lost_worker: str | None,
    url_b: str | None,
    **given: Any,
) -> None:
    """Send a load to URL and write its report.

    The credential comes from the environment (LOADGATE_TOKEN, LOADGATE_IAM_..., LOADGATE_AK and _SK,
    LOADGATE_APPCODE) or from --token-file. Without --json, --file or --base64 a sample JSON body is sent. Exit code:
    0, 1 an objective was missed or something is worse than in the baseline, 2 wrong usage, no way in or a full disk,
    3 the run is invalid or does not decide, 130 interrupted.
    """
    if rate is not None and users is not None:
        raise click.UsageError("give --rate (open model) or --users (closed model), not both")
    if ramp is not None and ramp >= duration:
        raise click.UsageError("--ramp must be shorter than --duration")
    if url_b is not None:
        if workers:
            raise click.UsageError("--ab sends from this machine; leave --workers out")
        if given["baseline"] is not None:
            raise click.UsageError("--ab compares with URL and --baseline with an earlier run; give one of them")
        timing = {"--rate": rate, "--users": users, "--duration": f"{duration:f}s", "--processes": processes}
        timing["--ramp"] = None if ramp is None else f"{ramp:f}s"
        both(url, url_b, [f"{flag}={value}" for flag, value in timing.items() if value is not None], given)
    if users is None:
        rate = 10.0 if rate is None else rate
        users, each = shared(rate)
        model = ["--load-model=open", f"--rate-per-user={each!r}"]
    else:
        model = ["--load-model=closed"]
    spawn_rate = users / ramp if ramp else users
    launch(
        "run_requests",
        [
            f"--host={url}",
            f"--users={users}",
            f"--spawn-rate={spawn_rate!r}",
            f"--duration={duration!r}",
            *sharing.arguments(processes, workers, listen, lost_worker),
            *model,
            *arguments_of([*options.WHAT, *options.HOW, *options.LIMITS], given),
        ],
    )


def both(url: str, url_b: str, timing: list[str], given: dict[str, Any]) -> NoReturn:
    """Run both, each as if it were alone, and compare the second with the first. Ends the process."""
    from analysis.choices import TOLERANCE, tolerance
    from loadgate import side_by_side

    started = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    out = Path(given["out"] or f"reports/{started}-ab")
    matters = tolerance(given["tolerance"]) if given["tolerance"] else TOLERANCE
    alike = [option for option in (*options.WHAT, *options.HOW, *options.LIMITS) if option.name not in OF_BOTH]
    arguments = [*timing, *arguments_of(alike, given)]
    urls = {side_by_side.A: url, side_by_side.B: url_b}
    sys.exit(side_by_side.run_both(urls, out, arguments, matters, plots=not given["no_plots"]))


def launch(locustfile: str, arguments: list[str], mode: Sequence[str] = HEADLESS) -> None:
    """Run Locust in this process, with a locustfile of this package and our progress. Ends the process."""
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]  # they are for Locust's own command
    from locust.main import main  # isort: skip - first of all: it patches the process

    from gevent import get_hub

    # Everything is imported before Locust puts the working folder, and what may lie there, on the path.
    from loadgate import user  # noqa: F401
    from loadgate.progress import show_progress

    logging.getLogger("loadgate").setLevel(logging.WARNING)  # whatever Locust may say
    get_hub().NOT_ERROR += (KeyboardInterrupt,)  # Ctrl-C is no error to be printed

    # Until Locust has its own handler: an end by a signal is no crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(INTERRUPTED))
    show_progress()
    sys.stdin = io.StringIO()  # Locust takes keys as commands: a slip would change the load
    sys.argv = ["locust", f"--locustfile={PACKAGE / locustfile}.py", *mode, *arguments]
    main()  # type: ignore[no-untyped-call] # Locust's


def arguments_of(known: list[Option], given: dict[str, Any]) -> list[str]:
    """Write what was *given*, as text, for Locust's command line."""
    arguments = []
    for option in known:
        value, flag = given[option.name], option.flags[-1]
        if option.parse is None:
            arguments += [flag] if value else []
        else:
            values = value if option.repeatable else [value]
            arguments += [f"{flag}={text}" for text in values if text is not None]
    return arguments
