"""`loadgate send`: one request, as the service's page does with cURL, and what its answer means."""

from argparse import Namespace
from http import HTTPStatus
from typing import Any

import click
from gevent import get_hub

from analysis.outcomes import Outcome
from analysis.wording import size_text, time_text
from loadgate import options, plan
from loadgate.advice import ADVICE
from loadgate.click_options import with_options
from loadgate.payloads import Payload
from loadgate.plan import Sending
from loadgate.probe import Probe, probe

EXAMPLES = """\
\b
Examples:
  export LOADGATE_TOKEN=...
  loadgate send https://HOST/v1/infers/ID --file cat.png
  loadgate send https://HOST/v1/infers/ID --json body.json | jq .data
  loadgate send https://HOST/v1/infers/ID --base64 cat.png --base64-field image
"""


@click.command(epilog=EXAMPLES, short_help="One request, its answer printed.")
@click.argument("url")
@with_options(*options.WHAT, *options.LIMITS)
def send(url: str, **given: Any) -> None:
    """Send one request to URL and print its answer: is the URL, the token and the body right?

    The answer goes to stdout, the rest to stderr. Exit code: 0 ok, 1 any other outcome, 2 wrong usage.
    """
    get_hub().NOT_ERROR += (KeyboardInterrupt,)  # Ctrl-C is no error to be printed
    settings = Namespace(host=url, max_in_flight=1, **given)
    sending = plan.sending(settings)
    payloads = plan.load(settings, None)
    result = probe(sending, sending.encode(payloads[:1])[0])
    _show(result, payloads[0], sending)
    click.get_current_context().exit(0 if result.finding.outcome is Outcome.OK else 1)


def _show(result: Probe, payload: Payload, sending: Sending) -> None:
    finding, answer, redact = result.finding, result.answer, sending.credential.redact
    id_header = sending.limits.gateway.request_id_header
    status = f"{answer.status} {_phrase(answer.status)}" if answer else "no answer"
    request_id = answer.headers.get(id_header.lower().encode(), b"").decode(errors="replace") if answer else ""
    click.echo(
        f"{status} ({finding.outcome}) in {time_text(result.service_s)}; sent {payload.name}, "
        f"{size_text(len(payload))} as {payload.kind}",
        err=True,
    )
    if finding.outcome is not Outcome.OK:
        words = " ".join(part for part in (finding.code, finding.message) if part)
        click.echo(f"It says: {words or '(nothing)'}\n{ADVICE[finding.outcome]}", err=True)
    if request_id:
        click.echo(f"{id_header}: {_harmless(redact(request_id))}", err=True)
    if answer:
        click.echo(_harmless(redact(answer.body.decode(errors="replace"))))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 494 of API gateways
        return ""


def _harmless(text: str) -> str:
    """`text` without what could steer the terminal."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
