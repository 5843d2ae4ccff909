"""A TOML file with known fields: every mistake in it is one line that names the file, the line and the field."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgate.errors import ConfigError

# From what a field holds to what it means; raises ValueError with what would be right.
Fields = Mapping[str, Callable[[Any], Any]]


@dataclass(frozen=True)
class TomlFile:
    """A file's name and text."""

    name: str
    text: str

    def content(self) -> dict[str, Any]:
        """What the file says. Raises ConfigError where it is not TOML."""
        try:
            return tomllib.loads(self.text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigError(f"{self.name} is not TOML: {error}") from None

    def fields(self, table: Mapping[str, Any], known: Fields, block: str = "", nth: int = 0) -> dict[str, Any]:
        """What the fields of `table` mean: the file itself, or its `nth` `block` (from 0). Raises ConfigError."""
        meaning = {}
        for key, value in table.items():
            if key not in known:
                raise self.wrong(f"unknown field {key!r}; known are {', '.join(sorted(known))}", key, block, nth)
            try:
                meaning[key] = known[key](value)
            except ValueError as error:
                raise self.wrong(f"field {key!r}: {error}", key, block, nth) from None
        return meaning

    def wrong(self, what: str, key: str, block: str = "", nth: int = 0) -> ConfigError:
        """The error to raise about `key` of the file, or of its `nth` `block`."""
        return ConfigError(f"{self.name}, line {self._line(key, block, nth)}: {what}")

    def _line(self, key: str, block: str, nth: int) -> int:
        """Where `key` is set. tomllib does not say, so it is looked for in the lines of its table."""
        sets = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""")
        inside, count, start = "", -1, 1
        lines = self.text.splitlines()
        for number, line in enumerate(lines, 1):
            header = re.match(r"\s*\[+\s*([^\[\]\s]+)\s*\]", line)
            if header:
                inside = header[1]
                count += inside == block
                start = number if (inside, count) == (block, nth) else start
            if block and count != nth:
                continue
            if inside == f"{block}.{key}".lstrip(".") if header else inside == block and sets.match(line):
                return number
        named = re.compile(rf"""(?<![\w-]){re.escape(key)}["']?\s*=""")  # in a table written on one line
        return next((number for number, line in enumerate(lines, 1) if named.search(line)), start)


def read(path: Path) -> TomlFile:
    """The file at `path`. Raises ConfigError where it cannot be read."""
    try:
        return TomlFile(str(path), path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a null in the name
        raise ConfigError(f"{str(path)!r} cannot be read ({getattr(error, 'strerror', None) or 'not text'})") from None


# ---- what a field may hold


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text; write it in quotes")
    return value


def words(value: Any) -> str:
    """Text that stays on its line."""
    if not text(value).isprintable():
        raise ValueError(f"{value!r} has characters that do not print")
    return str(value)


def yes(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not true or false")
    return value


def table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is not a table")
    return value


def tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"{value!r} is not a list of tables, each under its own [[...]]")
    return value


def one_of(choices: Iterable[str]) -> Callable[[Any], str]:
    known = list(choices)

    def choose(value: Any) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is not known; choose one of {', '.join(known)}")
        return str(value)

    return choose


def pattern(value: Any) -> re.Pattern[str]:
    """A regular expression, for which case does not matter."""
    try:
        return re.compile(text(value), re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{value!r} is not a regular expression ({error})") from None
