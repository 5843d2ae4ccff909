"""Everything about a load that is known before it starts: checked, read and encoded once."""

import os
import resource
import ssl
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis import choices
from analysis.choices import Baseline
from analysis.objectives.objective import Objective, objective
from loadgate import __version__, preflight, profiles, project_file
from loadgate import credential as credentials
from loadgate import payloads as bodies
from loadgate import request as requests
from loadgate import target as targets
from loadgate.arrivals import Distribution
from loadgate.credential import Credential
from loadgate.engine import Limits
from loadgate.errors import ConfigError
from loadgate.gateway import Gateway
from loadgate.payloads import Kind, Payload
from loadgate.preflight import Weight
from loadgate.request import Request
from loadgate.target import Address, Target
from loadgate.tls import tls_context

# Files the process needs besides its connections.
RESERVED_FILES = 200
MAX_IN_FLIGHT = 10_000


@dataclass(frozen=True)
class Sending:
    """Where and how requests go, whatever their timing."""

    target: Target
    addresses: list[Address]
    limits: Limits
    credential: Credential
    tls: ssl.SSLContext | None

    @property
    def exposed(self) -> str:
        """Why others may see what goes over the network; empty where they cannot, or there is nothing to hide."""
        if self.tls is None:
            is_secret = self.credential.way != "none" and not targets.is_loopback(self.target.host)
            return "the credential goes over http://, so whoever is in between can read it" if is_secret else ""
        if self.tls.verify_mode is ssl.CERT_NONE:
            return "--insecure: the certificate is not verified, so the credential may go to anybody"
        return ""

    def encode(self, payloads: Sequence[Payload]) -> list[Request]:
        """The requests of these payloads."""
        latency = self.limits.gateway.latency
        asking = latency.ask if latency else {}
        return [requests.encode(payload, self.target, self.credential, __version__, asking) for payload in payloads]


@dataclass(frozen=True)
class Plan:
    """A whole load: `requests` by user class, and when they are sent."""

    sending: Sending
    requests: dict[str, list[Request]]
    skipped: list[Payload]  # over the gateway's limit, and left out
    load_model: str
    own_tasks: bool  # the user classes call `infer` in tasks of their own
    arrivals: Distribution
    rate_per_user: float
    think_time_s: float
    duration_s: float | None
    seed: int
    slo: tuple[Objective, ...] = ()
    baseline: Baseline | None = None

    @property
    def name(self) -> str:
        """What the run is called: the kinds of bodies that are sent."""
        return "-".join(dict.fromkeys(payload.kind for payload in self.payloads))

    @property
    def is_watched(self) -> bool:
        """Whether an objective can end the run."""
        return any(each.stop_after_s is not None for each in self.slo)

    @property
    def weights(self) -> list[Weight]:
        """What is sent and what is left out, against the gateway's limit."""
        everything = [*self.payloads, *self.skipped]
        return preflight.weigh(everything, self.sending.limits.gateway, skipping=bool(self.skipped))

    @property
    def payloads(self) -> list[Payload]:
        """Every payload once."""
        unique = {id(request.payload): request.payload for group in self.requests.values() for request in group}
        return list(unique.values())


def sending(options: Namespace, environ: Mapping[str, str] = os.environ) -> Sending:
    """Check where and how to send. Raises ConfigError."""
    target = targets.parse(options.host)
    gateway = _gateway(options)
    limits = Limits(gateway, options.grace_s, _files_allow(options.max_in_flight))
    if not target.tls and (options.cert or options.key):
        raise ConfigError("--cert and --key are for https:// URLs, and this one is http://")
    tls = tls_context(options, environ) if target.tls else None
    addresses = targets.resolve(target)
    # Last, because it may ask IAM: a login is not spent on a load that cannot be.
    credential = credentials.find(gateway, target, options, environ)
    return Sending(target, addresses, limits, credential, tls)


def _gateway(options: Namespace) -> Gateway:
    gateway = profiles.load(options.gateway, options.timeout_s, options.body_limit_bytes)
    if not options.gateway_latency:
        return replace(gateway, latency=None)
    if gateway.latency is None:
        raise ConfigError(f"--gateway-latency: the profile {gateway.name} names no header that says it")
    return gateway


def load(options: Namespace, kind: Kind | None, paths: Sequence[str] = ()) -> list[Payload]:
    """The payloads of a kind: `paths`, else what the options name for it. None: every kind the options name."""
    given = {"json": options.json_paths, "file": options.file_paths, "base64": options.base64_paths}
    kinds = [kind] if kind else [name for name in bodies.KINDS if given[name]] or ["json"]
    fields = {"field": options.field, "base64_field": options.base64_field}
    return [payload for name in kinds for payload in bodies.load(name, paths or given[name] or (), **fields)]


def plan(options: Namespace, user_classes: Sequence[Any], environ: Mapping[str, str] = os.environ) -> Plan:
    """The plan of a load by these user classes (of `InferenceUser`). Raises ConfigError."""
    strangers = [user.__name__ for user in user_classes if not hasattr(user, "kind")]
    if strangers:
        raise ConfigError(f"user class {strangers[0]} is not an InferenceUser; name those to run after the options")
    own_tasks = [user.__name__ for user in user_classes if user.own_tasks]
    if 0 < len(own_tasks) < len(user_classes):
        raise ConfigError(
            f"user class {own_tasks[0]} has tasks of its own and others have none; name after the options which to run"
        )
    payloads = {user.__name__: load(options, user.kind, user.paths) for user in user_classes}
    how = sending(options, environ)
    skipped = _skip(payloads, how.limits.gateway) if options.skip_oversize else []
    slo = tuple(map(objective, options.slo or [])) or tuple(project_file.objectives())
    _check(slo, payloads.values(), options.duration_s, own_tasks=bool(own_tasks))
    return Plan(
        sending=how,
        requests={user: how.encode(chosen) for user, chosen in payloads.items()},
        skipped=skipped,
        load_model="closed" if own_tasks else options.load_model,
        own_tasks=bool(own_tasks),
        arrivals=options.arrivals,
        rate_per_user=options.rate_per_user,
        think_time_s=options.think_time_s,
        duration_s=options.duration_s,
        seed=options.seed,
        slo=slo,
        baseline=_baseline(options),
    )


def _check(
    slo: Sequence[Objective], payloads: Iterable[Sequence[Payload]], duration_s: float | None, *, own_tasks: bool
) -> None:
    """Raise ConfigError for an objective that this load can never decide."""
    names = sorted({payload.name for group in payloads for payload in group})
    for each in slo:
        if each.name is not None and each.name not in names and not own_tasks:
            raise ConfigError(
                f"objective {each.text!r}: no request is named {each.name!r}; sent are {', '.join(names)}"
            )
        longest_s = max(each.every_s or 0, each.stop_after_s or 0)
        if duration_s is not None and longest_s > duration_s:
            raise ConfigError(f"objective {each.text!r}: {longest_s:g} s are longer than the load, {duration_s:g} s")


def _baseline(options: Namespace) -> Baseline | None:
    try:
        return choices.baseline(options.baseline, choices.tolerance(options.tolerance) if options.tolerance else None)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _skip(payloads: dict[str, list[Payload]], gateway: Gateway) -> list[Payload]:
    """Take what is over the limit out of `payloads`. Raises ConfigError where nothing would be left."""
    skipped = []
    for user, everything in payloads.items():
        payloads[user] = [payload for payload in everything if not gateway.is_over(len(payload))]
        skipped += [payload for payload in everything if gateway.is_over(len(payload))]
        if not payloads[user]:
            raise ConfigError(
                f"--skip-oversize leaves nothing to send: every body, like {everything[0].source}, is over the limit "
                f"of {gateway.body_limit_bytes:,} bytes"
            )
    return skipped


def _files_allow(in_flight: int | None) -> int:
    """How many requests may be in flight: `in_flight`, or as many as fit; each takes a file of the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = sys.maxsize if hard == resource.RLIM_INFINITY else hard - RESERVED_FILES
    if in_flight is None:
        in_flight = min(MAX_IN_FLIGHT, most)
    if in_flight > most:
        raise ConfigError(f"--max-in-flight {in_flight} is over this system's limit of open files; {most} would fit")
    if soft != hard:  # users that wait may be more than that
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return in_flight
