"""A file of JSON with an object in it, which may come from anywhere."""

import json
import math
from pathlib import Path
from typing import Any

from analysis.errors import BadRun
from analysis.wording import size_text

LARGEST_BYTES = 64 << 20  # a thousand times what a run writes: more would fill the memory before anything is checked


def read_object(path: Path) -> dict[str, Any]:
    """Read the object in *path*. Raises BadRun."""
    if path.stat().st_size > LARGEST_BYTES:
        raise BadRun(f"{path.name}: larger than {size_text(LARGEST_BYTES)}")
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadRun(f"{path.name}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadRun(f"{path.name}: not an object")
    return found


def _finite(text: str) -> float:
    """Read a number; JSON has no NaN and no infinity, though Python would accept them."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number
