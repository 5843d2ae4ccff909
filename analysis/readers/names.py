"""Names of requests as codes. Two of one name but of different type (GET and POST) are told apart."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.readers.cells import by_text
from analysis.readers.columns import Column


@dataclass
class Names:
    """Codes count in the order of appearance."""

    _codes: dict[tuple[str, str], int] = field(default_factory=dict)  # of (type, name)
    _texts: dict[str, int] = field(default_factory=dict)

    def code(self, name: str, kind: str = "") -> int:
        return self._codes.setdefault((kind, name), len(self._codes))

    def column(self) -> Column:
        """Read a column of names as codes."""
        return by_text(self.code, "a text")

    def texts(self) -> Column:
        """Read a column of types, or of names that have one, to be put together with `typed`."""
        return by_text(lambda text: self._texts.setdefault(text, len(self._texts)), "a text")

    def typed(self, types: NDArray[Any], names: NDArray[Any]) -> NDArray[np.int64]:
        """Give the codes of the names whose *types* and *names* were read as `texts`."""
        pairs, places = np.unique(types << 32 | names, return_inverse=True)
        texts = list(self._texts)
        codes = [self.code(texts[pair & 0xFFFFFFFF], texts[pair >> 32]) for pair in pairs.tolist()]
        return np.array(codes, np.int64)[places]

    def as_texts(self) -> tuple[str, ...]:
        """Give the name of each code, with its type where the name alone would be ambiguous."""
        types = Counter(name for _, name in self._codes)
        taken: set[str] = set()
        found = []
        for kind, name in self._codes:
            text = name if types[name] == 1 else f"{kind} {name}".strip()
            while text in taken:
                text += " (again)"
            taken.add(text)
            found.append(text)
        return tuple(found)
