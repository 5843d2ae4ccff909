"""Runs to be drawn, made by hand: no file is read."""

from dataclasses import fields, replace

import numpy as np
from made_by_hand import manifest_of, samples_of

from analysis.choices import Choices
from analysis.plots.view import view_of
from analysis.run import Run, Source
from analysis.timeline import NUMBERS, Timeline
from analysis.window import Window

LOADGATE = Source("loadgate", ())
NO_TIMELINE = Timeline(
    **{field.name: np.array([], np.float64 if field.name in NUMBERS else np.int64) for field in fields(Timeline)}
)


def timeline_of(seconds, per_s=5, **columns):
    """Give a timeline in which every second is the same, but for *columns*."""
    whole = {"users": 1, "planned": per_s, "sent": per_s, "finished": per_s, "dropped": 0, "resent": 0, "in_flight": 4}
    numbers = {"target_per_s": per_s, "cpu_share": 0.1, "lateness_ms": 0.2, "loop_lag_ms": 0.3, "gc_pause_ms": 0}
    made = {name: np.full(seconds, value, np.int64) for name, value in whole.items()}
    made |= {name: np.full(seconds, value, np.float64) for name, value in numbers.items()}
    return replace(Timeline(second=np.arange(seconds), **made), **columns)


def measured(second, outcome, value_us, count):
    """Rows of requests that left 200 us late."""
    times = (("response", value_us), ("service", value_us), ("lateness", 200))
    return [(second, "json", outcome, measure, time_us, count) for measure, time_us in times]


def run_of(rows, timeline=NO_TIMELINE, source=LOADGATE, **manifest):
    return Run(manifest_of(**manifest), samples_of(*rows, names=("json",)), timeline, [], source=source)


def view(run, window=None, **choices):
    end_s = int(run.samples.second.max(initial=-1)) + 1
    return view_of(run, Choices(**choices), window or Window(0, end_s))
