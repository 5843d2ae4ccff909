"""Tabs of loadgate's in Locust's page: a title, a table, and rows that come along with Locust's statistics.

They are made of Locust's extension points. Cells are text, so whatever a service says stays text.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gevent
from flask import Flask, Response, request

STATISTICS = "/stats/requests"


@dataclass(frozen=True)
class Tab:
    """One tab. `look` takes what there is at this moment, and gives what makes rows of it, each by column."""

    key: str
    title: str
    columns: Mapping[str, str]  # their titles
    look: Callable[[], Callable[[], Iterable[Mapping[str, str]]]]


def add(web_ui: Any, tabs: Sequence[Tab]) -> None:
    """Put the tabs on Locust's page."""
    web_ui.template_args |= {
        "extended_tabs": [{"title": tab.title, "key": tab.key} for tab in tabs],
        "extended_tables": [
            {"key": tab.key, "structure": [{"key": name, "title": title} for name, title in tab.columns.items()]}
            for tab in tabs
        ],
    }
    app: Flask = web_ui.app

    def extend(response: Response) -> Response:
        if request.path.endswith(STATISTICS) and response.is_json:
            response.set_data(json.dumps({**response.get_json(), "extended_stats": _tables(tabs)}))
        return response

    app.after_request(extend)


def _tables(tabs: Sequence[Tab]) -> list[dict[str, Any]]:
    looked = [(tab.key, tab.look()) for tab in tabs]
    # In a thread of its own: the load must not wait for who looks at it.
    found = gevent.get_hub().threadpool.apply(lambda: [(key, list(rows())) for key, rows in looked])
    # Locust's page sorts by `name`, which is not shown.
    return [{"key": key, "data": [{"name": f"{at:04}", **row} for at, row in enumerate(rows)]} for key, rows in found]
