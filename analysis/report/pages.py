"""The report's two pages: report.html, one file that needs nothing from elsewhere, and report.md for a pull request,
whose first part is also a page of its own.

Text from a service, a file name or another tool may hold anything. In both pages it stays on its line, without
characters that steer a terminal or turn letters around, and is escaped for the kind of page it is. The only script
of the HTML page is our own, named by its hash in the page's security policy.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from analysis import wording
from analysis.documents import compile_templates, html_document, markdown_document
from analysis.outcomes import MEANING
from analysis.report.again import again
from analysis.report.definitions import definitions
from analysis.report.notes import notes
from analysis.report.slo import rows
from analysis.report.verdict import figures, headline
from analysis.run_format import REPORT_HTML, REPORT_MD

if TYPE_CHECKING:
    from analysis.plots import Plot  # imports matplotlib, which takes longer than a report without it

MOST_NOTABLE = 100  # rows shown; notable.csv has them all
MOST_IN_MARKDOWN = 5  # ways to fail; report.html has more


def compile_pages() -> None:
    """Compile the templates of both ahead of need."""
    compile_templates(f"{REPORT_HTML}.j2", f"{REPORT_MD}.j2")


def html_page(summary: dict[str, Any], notable: Sequence[dict[str, Any]], plots: Sequence["Plot"]) -> bytes:
    """Fill report.html; *notable* are the run's notable requests."""
    script = resources.files("analysis").joinpath("templates", "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return html_document(
        f"{REPORT_HTML}.j2",
        **_context(summary, plots),
        command=escape(again(summary["run"]).command or ""),
        notable=notable[:MOST_NOTABLE],
        notable_count=len(notable),
        drawings={plot.name: Markup(plot.svg) for plot in plots},  # noqa: S704 - our own
        definitions=definitions(summary["confidence"]),
        meaning={str(outcome): text for outcome, text in MEANING.items()},
        script=Markup(script),  # noqa: S704 - our own
        script_hash=f"sha256-{digest}",
        sort_value=_sort_value,
    )


def markdown_page(summary: dict[str, Any], plots: Sequence["Plot"]) -> bytes:
    """Fill report.md; its pictures are files beside it."""
    command = again(summary["run"]).command or ""
    return markdown_document(
        f"{REPORT_MD}.j2",
        **_context(summary, plots),
        command=Markup(command),  # noqa: S704 - in a block of code, where nothing is escaped; its lines are our own
        failures=(summary["failures"] or [])[:MOST_IN_MARKDOWN],
        failures_more=_requests_beyond(summary),
    )


def step_summary_page(summary: dict[str, Any]) -> bytes:
    """Fill what a reviewer reads first: report.md down to its latency table."""
    return markdown_document("report.start.md.j2", **_context(summary, []))


def _context(summary: dict[str, Any], plots: Sequence["Plot"]) -> dict[str, Any]:
    return {
        "summary": summary,
        **_comparison(summary["baseline"]),
        **_capacity(summary["capacity"]),
        "run": summary["run"],
        "headline": headline(summary),
        "figures": figures(summary),
        "objectives": rows(summary),
        "total": sum(summary["outcomes"].values()),
        "columns": [*summary["percentiles"], "max"],
        "notes": notes(summary),
        "plots": plots,
        "again_notes": again(summary["run"]).notes,
        "main": summary["main"],
        "has_intervals": any(
            figures[name]["low_s"] is not None
            for figures in summary["latency"].values()
            for name in summary["percentiles"]
        ),
        "text": wording,
    }


def _comparison(baseline: dict[str, Any] | None) -> dict[str, Any]:
    if not baseline or not baseline["figures"]:
        return {"comparison": None}
    from analysis.comparison import wording as compare_wording  # a report without a baseline need not wait for it

    return {"comparison": baseline, "figure_text": compare_wording}


def _capacity(found: dict[str, Any] | None) -> dict[str, Any]:
    if not found:
        return {"capacity": None}
    from analysis.capacity import wording as capacity_wording  # few reports need it

    return {"capacity": found, "capacity_text": capacity_wording}


def _requests_beyond(summary: dict[str, Any]) -> int:
    beyond: list[dict[str, int]] = (summary["failures"] or [])[MOST_IN_MARKDOWN:]
    more: int = summary["failures_more"] or 0
    return sum(failure["count"] for failure in beyond) + more


def _sort_value(value: float | None) -> str:
    """Write a number for the page's script to sort by; empty where there is none, which goes last."""
    return "" if value is None or math.isnan(value) else repr(value)
