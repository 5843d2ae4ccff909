"""Locust's page with loadgate's tab, as its user sees it in a browser."""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NEEDED = "LOADGATE_NEEDS_BROWSER"
TITLE = "Inference"
SERIOUS = ("serious", "critical")  # of axe-core's impacts
DARK = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part < 128)"

expect.set_options(timeout=20_000)  # the page asks for figures every 2 s, for the log every 5 s


def executable() -> str:
    """The system's browser. Without one the test is skipped, or fails where a browser is needed."""
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        return found
    missing = f"there is none of {', '.join(BROWSERS)}: install one, as with `apt-get install chromium`"
    if os.environ.get(NEEDED) == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def complaints(window: Page) -> list[str]:
    """What goes wrong in a window from now on: errors on its console or in its scripts, and dialogs."""
    heard: list[str] = []
    window.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    window.on("pageerror", lambda error: heard.append(str(error)))
    window.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    return heard


def start(window: Page, rate: float | str, **texts: str) -> None:
    """Fill in the start form, by whole labels, and send it; what is not said stays as it is."""
    for label, text in {"Rate requests/s": str(rate), **texts}.items():
        window.get_by_role("textbox", name=label, exact=True).fill(text)
    window.get_by_role("button", name="Start").click()


def open_tab(window: Page, name: str) -> None:
    window.get_by_role("tab", name=name).click()


def table(window: Page) -> list[list[str]]:
    """The rows of the table that is shown, without its head, at one moment."""
    rows = window.get_by_role("table").get_by_role("row")
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")[1:]


def value(window: Page, part: str, what: str) -> Locator:
    """The cell of our tab with this value."""
    return window.get_by_role("row", name=f"{part} {what} ").get_by_role("cell").nth(2)


def theme(window: Page) -> str:
    """Which of Locust's two themes is shown."""
    return "dark" if window.evaluate(DARK) else "light"


def violations(window: Page, selector: str) -> list[tuple[str, list[str]]]:
    """What axe-core finds serious or critical there: the rule, and the elements against it."""
    found = Axe().run(window, selector).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found if one["impact"] in SERIOUS]
