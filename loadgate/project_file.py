"""`[tool.loadgate]` of the working folder's pyproject.toml: what holds for every run of a project."""

import tomllib
from pathlib import Path

from analysis.objectives.objective import Objective, objective
from loadgate.errors import ConfigError

PYPROJECT = "pyproject.toml"
KNOWN = ("slo",)


def objectives(folder: Path | None = None) -> list[Objective]:
    """The project's objectives, `slo = ["p99<800ms"]`; none without the file or the table. Raises ConfigError."""
    path = (folder or Path()) / PYPROJECT
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise ConfigError(f"{PYPROJECT} cannot be read: {error}") from None
    table = tools.get("loadgate", {}) if isinstance(tools, dict) else None
    if not isinstance(table, dict):
        raise ConfigError(f"{PYPROJECT}: tool.loadgate must be a table, as [tool.loadgate]")
    unknown = [key for key in table if key not in KNOWN]
    if unknown:
        raise ConfigError(f"{PYPROJECT}: tool.loadgate.{unknown[0]} is not known; known is {', '.join(KNOWN)}")
    texts = table.get("slo", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ConfigError(f'{PYPROJECT}: tool.loadgate.slo must be a list of texts, as ["p99<800ms"]')
    try:
        return [objective(text) for text in texts]
    except ValueError as error:
        raise ConfigError(f"{PYPROJECT}: tool.loadgate.slo: {error}") from None
