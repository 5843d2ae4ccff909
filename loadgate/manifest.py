"""`run.json`: what a run was, in a form that never holds a secret."""

import os
import platform
import uuid
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from analysis import run_format
from analysis.capacity.search import Search
from analysis.choices import Baseline
from loadgate.options import INVALID
from loadgate.outlines import Outline
from loadgate.plan import Plan
from loadgate.probe import Probe

DEFAULT_PARENT = "reports"


def run_path(out: str | None, name: str) -> Path:
    """Where a run goes: `out`, or a new folder with the time and the run's `name`. Never one that holds a run."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return free(Path(out) if out else Path(DEFAULT_PARENT) / f"{now}-{name}")


def free(path: Path) -> Path:
    """`path`, or with a number behind it the first that holds no run."""
    numbered, number = path, 1
    while (numbered / run_format.MANIFEST).exists():
        number += 1
        numbered = path.with_name(f"{path.name}-{number}")
    return numbered


def describe(
    path: Path,
    plan: Plan,
    options: Namespace,
    users: int,
    probe: Probe | None,
    workers: int,
    asked: Search | Outline | None = None,
) -> dict[str, Any]:
    """The manifest of the run at `path` that begins now with this many users in this many processes.

    `asked` is a search for the capacity, or a load shape, where one of these makes the load.
    """
    gateway, grace_s = plan.sending.limits.gateway, plan.sending.limits.grace_s
    return {
        "format": run_format.FORMAT,
        "id": uuid.uuid4().hex,
        "state": "running",
        "versions": {
            "loadgate": metadata.version("loadgate"),
            "locust": metadata.version("locust"),
            "python": platform.python_version(),
        },
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "ended_at": None,
        "name": plan.name,
        "seed": plan.seed,
        "target": plan.sending.target.shown,
        "gateway": {
            "name": gateway.name,
            "timeout_s": gateway.timeout_s,
            "grace_s": grace_s,
            "body_limit_bytes": gateway.body_limit_bytes,
            "latency_asked": gateway.latency is not None,
        },
        "credential": plan.sending.credential.way,
        "load": _load(plan, options, users, asked),
        "payloads": [weight.as_dict() for weight in plan.weights],
        "slo": [each.text for each in plan.slo],
        "baseline": plan.baseline and _baseline(path, plan.baseline),
        "workers": workers,
        "sharing": _sharing(options, workers),
        "lost_worker": run_format.REDISTRIBUTE if options.enable_rebalancing else INVALID,
        "probe": None if probe is None else probe.as_dict(),
        "counts": None,
    }


def _sharing(options: Namespace, workers: int) -> dict[str, Any] | None:
    """Among how many others the load is shared, and by which option; None: this process sends itself."""
    if options.processes:
        return {"by": "processes", "count": options.processes}
    # Locust's own command line need not say how many workers there will be.
    return {"by": "workers", "count": max(options.expect_workers, workers)} if options.master else None


def _load(plan: Plan, options: Namespace, users: int, asked: Search | Outline | None) -> dict[str, Any]:
    is_open = plan.load_model == "open"
    search, outline = (asked, None) if isinstance(asked, Search) else (None, asked)
    if outline is not None:
        most, ramp_s = outline.users, outline.ramp_s
    elif options.headless and search is None:
        most, ramp_s = users, _ramp_s(users, options.spawn_rate)
    else:  # on the page the number of users can be changed at any time, and a search changes their rate
        most, ramp_s = None, 0.0
    return {
        "model": plan.load_model,
        "arrivals": plan.arrivals if is_open else None,
        "rate_per_s": round(most * plan.rate_per_user, 6) if is_open and most is not None else None,
        "users": most,
        "think_time_s": None if is_open or plan.own_tasks else plan.think_time_s,
        "duration_s": plan.duration_s,
        "ramp_s": ramp_s,
        "max_in_flight": plan.sending.limits.max_in_flight,
        "search": search and asdict(search),
        "shape": outline and outline.shape,
    }


def _baseline(path: Path, baseline: Baseline) -> dict[str, Any]:
    # As seen from the run: the two may move together, and where they are is nobody else's business.
    return {"path": os.path.relpath(baseline.path.resolve(), path.resolve()), "tolerance": baseline.tolerance}


def _ramp_s(users: int, spawn_rate: float | None) -> float:
    """Locust starts whole users in equal steps, the first step at once: `spawn_rate` of them a second."""
    rate = spawn_rate or 1.0
    step = max(int(rate), 1)
    return round((-(-users // step) - 1) * step / rate, 6) if users else 0.0
