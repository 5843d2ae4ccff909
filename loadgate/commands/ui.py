"""`loadgate ui`: Locust's page, for this machine, with loadgate's start form and tabs."""

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
  loadgate ui https://HOST/v1/infers/ID --json bodies.jsonl
  loadgate ui --payloads photos/
  loadgate ui https://HOST/v1/infers/ID --file photos/ --slo 'p99<2s' --port 9000
  LOADGATE_WEB_PASSWORD=... loadgate ui https://HOST/v1/infers/ID --web-host 0.0.0.0 --web-login
"""
LEFT_OUT = ("baseline", "tolerance")  # of a load that is known before it starts
HOW = [option for option in options.HOW if option.name not in LEFT_OUT]
GIVEN = [*options.WHAT, options.PAYLOADS, *HOW, *options.SEARCH, *options.LIMITS]
PAGE = ("--loglevel=WARNING", "--class-picker")


@click.command(epilog=EXAMPLES, short_help="A load test on Locust's page, to watch.")
@click.argument("url", required=False)
@click.option(
    "--port", "web_port", metavar="N", type=click.IntRange(1, 65_535), default=8089, help="Of the page. [8089]"
)
@click.option("--web-host", metavar="ADDRESS", help="Where the page listens. [127.0.0.1]")
@click.option("--web-login", is_flag=True, help="Ask for the password in LOADGATE_WEB_PASSWORD.")
@click.option("--i-know-this-is-open", "known_open", is_flag=True, help="Let anybody use the page who reaches it.")
@with_sharing
@with_options(*GIVEN, as_text=True)
def ui(
    url: str | None,
    web_port: int,
    web_host: str | None,
    web_login: bool,
    known_open: bool,
    processes: int | None,
    workers: int | None,
    listen: str | None,
    lost_worker: str | None,
    **given: Any,
) -> None:
    """Serve a page to start, watch, change and stop loads on URL: a start form, and Locust's page with tabs of ours.

    The options are what the form begins with. Each load writes a run directory and its report. A load is steady, a
    ramp, steps, a spike, a soak, or a search for the capacity; --from to --resume are for that. Ctrl-C ends the page.
    """
    shared = sharing.arguments(processes, workers, listen, lost_worker)
    click.echo(f"page: http://{web_host or '127.0.0.1'}:{web_port}", err=True)
    launch(
        "run_ui",
        [
            *([f"--host={url}"] if url else []),
            f"--web-port={web_port}",
            *([f"--web-host={web_host}"] if web_host else []),
            *(["--web-login"] if web_login else []),
            *(["--i-know-this-is-open"] if known_open else []),
            *shared,
            *arguments_of(GIVEN, given),
        ],
        PAGE,
    )
