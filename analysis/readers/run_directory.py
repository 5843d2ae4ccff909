"""A run directory (format 1) read into memory: manifest, samples, timeline, failures and notable requests.

It can be read while the run is going and after a crash: a file that is not there yet has no rows, and a last
line that was cut off is left out and named in `Run.cut`. A bad row is never skipped.
"""

from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import BadRun
from analysis.failures import ANSWERERS, FAILED, failures_of
from analysis.outcomes import POPULATION
from analysis.readers.manifest import read_manifest
from analysis.readers.tables import (
    Table,
    numbered,
    numbers,
    one_of,
    optional_whole_numbers,
    read_table,
    texts,
    whole_numbers,
)
from analysis.run import Run, Source
from analysis.run_format import (
    FAILURE_COLUMNS,
    FAILURES,
    LATENCY,
    MEASURES,
    NOTABLE,
    NOTABLE_COLUMNS,
    RESPONSE,
    TIMELINE,
    TIMELINE_COLUMNS,
)
from analysis.samples import OUTCOMES, UNMEASURED, Samples
from analysis.timeline import NUMBERS, merged


def read_run(run_dir: Path) -> Run:
    """Read *run_dir*; raises BadRun with the file, line, column and value that is wrong."""
    manifest = read_manifest(run_dir)
    samples, latency = _read_samples(run_dir / LATENCY)
    timeline = read_table(
        run_dir / TIMELINE,
        {name: numbers() if name in NUMBERS else whole_numbers() for name in TIMELINE_COLUMNS},
    )
    notable = _read_notable(run_dir / NOTABLE)
    failed = _read_failures(run_dir / FAILURES)
    tables = {LATENCY: latency, TIMELINE: timeline, FAILURES: failed, NOTABLE: notable}
    cut = tuple(name for name, table in tables.items() if table.cut)
    failures = failures_of(failed.columns) if (run_dir / FAILURES).exists() else None
    return Run(
        manifest, samples, merged(timeline.columns), _rows(notable), failures, cut, Source("loadgate", (str(run_dir),))
    )


def _read_samples(path: Path) -> tuple[Samples, Table]:
    names, name_codes = numbered()
    table = read_table(
        path,
        {
            "second": whole_numbers(),
            "name": names,
            "outcome": one_of(OUTCOMES),
            "measure": one_of(MEASURES),
            "value_us": optional_whole_numbers(),
            "count": whole_numbers(),
        },
    )
    samples = Samples(**table.columns, names=tuple(name_codes))
    _check_measured(samples)
    return samples, table


def _check_measured(samples: Samples) -> None:
    """Refuse a request of the latency population without a time: it would vanish from the percentiles."""
    unmeasured = samples.of_measure(RESPONSE)
    unmeasured = unmeasured.where(unmeasured.value_us == UNMEASURED)
    for code in np.unique(unmeasured.outcome):
        if OUTCOMES[code] in POPULATION:
            raise BadRun(f"{LATENCY}: value_us is empty in a row of measure 'response', outcome '{OUTCOMES[code]}'")


def _read_failures(path: Path) -> Table:
    kinds = {
        "second": whole_numbers(),
        "outcome": one_of(FAILED),
        "answered_by": one_of(ANSWERERS),
        "status": optional_whole_numbers(),
        "count": whole_numbers(),
    }
    return read_table(path, {name: kinds.get(name, texts()) for name in FAILURE_COLUMNS})


def _read_notable(path: Path) -> Table:
    kinds = {
        "at_s": numbers(),
        "outcome": one_of(OUTCOMES),
        "answered_by": one_of(ANSWERERS),
        "reason": texts(),
        "response_s": numbers(),
    }
    return read_table(path, {name: kinds.get(name, texts()) for name in NOTABLE_COLUMNS})


def _rows(notable: Table) -> list[dict[str, Any]]:
    columns = {name: array.tolist() for name, array in notable.columns.items()}
    columns["outcome"] = [str(OUTCOMES[code]) for code in columns["outcome"]]
    columns["answered_by"] = [str(ANSWERERS[code]) for code in columns["answered_by"]]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return sorted(rows, key=lambda row: row["at_s"])
