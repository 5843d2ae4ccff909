"""`loadgate send`: one request, as the service's page does with cURL, and what its answer means."""

from argparse import Namespace
from http import HTTPStatus
from typing import Any

import click
from gevent import get_hub

from analysis.outcomes import Outcome
from analysis.wording import answerer_text, inert, one_line, time_text
from loadgate import options, plan
from loadgate.answers import advice, request_id
from loadgate.click_options import with_options
from loadgate.payloads import Payload
from loadgate.plan import Sending
from loadgate.preflight import weigh
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
    if sending.exposed:
        click.echo(f"Warning: {sending.exposed}", err=True)
    payloads = plan.load(settings, None)
    result = probe(sending, sending.encode(payloads[:1])[0])
    _show(result, payloads[0], sending)
    click.get_current_context().exit(0 if result.finding.outcome is Outcome.OK else 1)


def _show(result: Probe, payload: Payload, sending: Sending) -> None:
    finding, answer, redact = result.finding, result.answer, sending.credential.redact
    gateway = sending.limits.gateway
    status = f"{answer.status} {_phrase(answer.status)}" if answer else "no answer"
    known_as = request_id(answer, gateway.request_id_header) if answer else ""
    by = f" by {answerer_text(finding.by)}" if finding.by else ""
    click.echo(f"{status} ({finding.outcome}{by}) in {time_text(result.service_s)}", err=True)
    click.echo(f"Sent {weigh([payload], gateway)[0].sizes}", err=True)
    if finding.outcome is not Outcome.OK:
        words = " ".join(part for part in (finding.code, finding.message) if part)
        why = f" ({finding.reason})" if finding.reason else ""
        click.echo(f"It says: {words or '(nothing)'}{why}\n{advice(finding, gateway)}", err=True)
    if known_as:
        click.echo(f"{gateway.request_id_header}: {one_line(redact(known_as))}", err=True)
    if gateway.latency and answer:
        own_s, backend_s = gateway.latency.of(answer.headers)
        click.echo(f"Gateway's own part: {time_text(own_s)}, backend: {time_text(backend_s)}", err=True)
    if answer:
        click.echo(_harmless(redact(answer.body.decode(errors="replace"))))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 494 of API gateways
        return ""


def _harmless(text: str) -> str:
    """`text` without what could steer the terminal, or a CI server."""
    shown = "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return inert(shown)
