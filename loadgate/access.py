"""Keeps a load let in: tokens renewed ahead of need and off the timed path, and a key pair kept from being locked."""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus

import gevent
from gevent.event import Event

from analysis.outcomes import AnsweredBy
from loadgate.answers import Finding
from loadgate.connection import clock
from loadgate.credential import Bearer, Credential
from loadgate.errors import ConfigError
from loadgate.exchange import Exchange
from loadgate.gateway import Gateway
from loadgate.tokens import Source

SPACING_S = 10.0  # between renewals that refusals ask for
REFUSALS = 4  # in a row end the load: API Gateway locks a key pair for five minutes after more than five

OnLocked = Callable[[ConfigError], None]

log = logging.getLogger("loadgate")


class Access:
    """One for each process, for as long as its load is on."""

    def __init__(self, credential: Credential, gateway: Gateway, on_locked: OnLocked) -> None:
        self.renewed = 0
        self._credential, self._gateway, self._on_locked = credential, gateway, on_locked
        self._stale = Event()  # the present token was refused
        self._renewed_at = self._asked_at = -math.inf
        self._refusals, self._last_ended = 0, 0
        self._complaint = ""  # the last that was logged
        self._greenlet = gevent.Greenlet()
        if isinstance(credential, Bearer) and credential.source is not None:
            self._greenlet = gevent.spawn(self._renew_on, credential, credential.source)

    def on_failure(self, exchange: Exchange, finding: Finding, status: int | None, ended: int) -> None:
        """Look at a failure, the `ended`-th request to end. Called on the loop, so it only notes."""
        # Others refuse, too, and a 403 is about what the right key may do.
        if status != HTTPStatus.UNAUTHORIZED or finding.by is not AnsweredBy.GATEWAY:
            return
        if self._credential.lockable:
            self._count(finding, ended)
        elif self._gateway.renews(finding.reason) and self._is_news(exchange.sent):
            self._asked_at = clock()
            self._stale.set()

    def close(self) -> None:
        """Ask for nothing more."""
        self._greenlet.kill()

    def _is_news(self, sent: float) -> bool:
        """Whether a refusal asks for one more token: not if it was sent with an older one, nor if one was just had."""
        return sent > self._renewed_at and clock() - self._asked_at > SPACING_S

    def _count(self, finding: Finding, ended: int) -> None:
        self._refusals = self._refusals + 1 if ended == self._last_ended + 1 else 1
        self._last_ended = ended
        if self._refusals == REFUSALS:
            words = finding.cleaned(self._credential.redact)
            self._on_locked(
                ConfigError(
                    f"the gateway refused the signature {REFUSALS} times in a row, so the load was ended before it "
                    f"locks the key pair: {words.code} {words.message}"
                )
            )

    def _renew_on(self, credential: Bearer, source: Source) -> None:
        while True:
            wait_s = source.wait_s()
            refused = self._stale.wait(None if wait_s == math.inf else wait_s)
            token = self._fetched(source, refused)
            self._stale.clear()  # who was refused meanwhile asked for this one
            if token is not None:
                credential.use(token)
                self._renewed_at = clock()
                self.renewed += 1

    def _fetched(self, source: Source, refused: bool) -> str | None:
        try:
            token = source.token(refused)
        except ConfigError as error:
            if str(error) != self._complaint:  # a file that is gone is looked for each second
                self._complaint = str(error)
                log.error("the token was not renewed: %s", error)
            return None
        self._complaint = ""
        return token
