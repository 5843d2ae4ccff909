"""Pages from templates: every text that goes in is escaped for the kind of page it is, and a page is written whole."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analysis import wording

if TYPE_CHECKING:
    from jinja2 import Environment


def html_document(template: str, **context: Any) -> bytes:
    """Fill an HTML *template*; only a `Markup` goes in as it is."""
    return _environment(is_html=True).get_template(template).render(context).encode()


def markdown_document(template: str, **context: Any) -> bytes:
    """Fill a Markdown *template*; only a `Markup` goes in as it is."""
    return _environment(is_html=False).get_template(template).render(context).encode()


def compile_templates(*names: str) -> None:
    """Compile templates ahead of need, which takes a while: they are kept."""
    for name in names:
        _environment(is_html=".html" in name).get_template(name)


def write_whole(path: Path, content: bytes) -> None:
    """Write *path* at once or not at all: a reader never sees half a page, and a full disk keeps no draft of it."""
    draft = cleared(path.with_name(f".{path.name}.part"))
    try:
        with draft.open("xb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def cleared(path: Path) -> Path:
    """Give *path* with nothing there: what is written would follow a link that somebody had left."""
    path.unlink(missing_ok=True)
    return path


@cache
def _environment(*, is_html: bool) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # takes a while, as to compile does

    return Environment(
        loader=PackageLoader("analysis"),
        autoescape=is_html,  # noqa: S701 - Markdown has `finalize` for it
        finalize=_html_text if is_html else _markdown_text,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _html_text(text: object) -> object:
    """Keep a text from outside on its line, without marks that turn letters around; escaping is Jinja's."""
    return text if isinstance(text, Markup) else wording.one_line(text)


def _markdown_text(text: object) -> str:
    return str(text) if isinstance(text, Markup) else wording.markdown_text(text)
