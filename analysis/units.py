"""Durations and sizes as people write them: `40s`, `250ms`, `12MiB`."""

import re
from fractions import Fraction

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
BYTES = {
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "k": 1024,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}


def duration(text: str) -> float:
    """Seconds in `text`: one or more numbers with units (`1m30s`, `250ms`); a bare number is seconds.

    Raises ValueError with a sentence for the user.
    """
    parts = re.findall(r"([\d.]+)(us|ms|s|min|m|h)", text)
    try:
        if not parts:
            seconds = float(text)
        elif "".join(number + unit for number, unit in parts) == text:
            seconds = sum(float(number) * SECONDS[unit] for number, unit in parts)
        else:
            raise ValueError(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a duration; write 250ms, 40s or 1m30s") from None
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{text!r} is not a duration; it must be 0 or more")
    return seconds


def size(text: str) -> int:
    """Bytes in `text`: a number with a unit (`12MiB`, `2kB`); a bare number is bytes.

    Raises ValueError with a sentence for the user.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.lower())
    unit = BYTES.get(match[2] or "b") if match else None
    if match is None or unit is None:
        raise ValueError(f"{text!r} is not a size; write 2kB, 512KiB or 12MiB")
    return int(Fraction(match[1]) * unit)  # a float would make 1000 bytes of 1.001kB
