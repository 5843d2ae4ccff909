"""Takes secrets out of texts: services echo what they are sent."""

import re

# A shorter piece of a secret is of no use to anyone, and too easily found in ordinary words.
SHORTEST_PIECE = 12
SIGNATURE = re.compile(r"(signature\W{1,3})[0-9a-f]{12,}", re.IGNORECASE)
SECRETS_KEPT = 8  # the latest: a renewed token leaves its predecessors valid, but not for ever


class Redaction:
    """Replaces secrets, and every longer piece of them. Never shows them in `repr`."""

    def __init__(self, *secrets: str) -> None:
        self._pieces: list[tuple[int, frozenset[str]]] = []  # of each secret: their length, and all of them
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Replace this one too, from now on."""
        if secret:
            length = min(SHORTEST_PIECE, len(secret))
            # The shortest pieces: every longer one is made of them.
            pieces = frozenset(secret[at : at + length] for at in range(len(secret) - length + 1))
            self._pieces = [*self._pieces, (length, pieces)][-SECRETS_KEPT:]

    def __call__(self, text: str) -> str:
        """`text` with `***` in place of each piece, and of every signature: it opens the gateway for some minutes."""
        text = SIGNATURE.sub(r"\1***", text)
        for length, pieces in self._pieces:
            kept, end = [], 0
            for at in range(len(text) - length + 1):
                if text[at : at + length] in pieces:
                    if at >= end:
                        kept.append(text[end:at])
                    end = at + length
            text = "***".join([*kept, text[end:]])
        return text
