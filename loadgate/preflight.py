"""What is about to be sent, weighed against the gateway's body limit before any load."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from analysis.wording import size_text
from loadgate.gateway import Gateway
from loadgate.payloads import Payload, largest_content

OVER_NAMED = 20  # bodies over the limit that are named; there may be thousands
OVER_SHOWN = 3


@dataclass(frozen=True)
class Weight:
    """The bodies of one name: how many are sent, and their bytes on the wire, multipart and base64 included."""

    name: str
    kind: str
    count: int
    skipped: int  # over the limit, and left out
    smallest_wire_bytes: int
    largest_wire_bytes: int
    limit_bytes: int | None
    over_limit: int
    over: tuple[dict[str, Any], ...]  # the first of them: `file`, `wire_bytes`
    largest_file_bytes: int | None  # that would fit in this form

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        fields = asdict(self)
        del fields["limit_bytes"]
        return fields

    @property
    def sizes(self) -> str:
        """The same as a sentence for the terminal."""
        size = size_text(self.largest_wire_bytes)
        if self.smallest_wire_bytes != self.largest_wire_bytes:
            size = f"{size_text(self.smallest_wire_bytes)} to {size}"
        words = f"{self.name}: {_bodies(self.count + self.skipped)} as {self.kind}, {size} on the wire"
        if self.limit_bytes is None:
            return words
        limit = f"the limit of {size_text(self.limit_bytes)}"
        if not self.over_limit:
            return f"{words}, within {limit}"
        shown = ", ".join(f"{one['file']} ({one['wire_bytes']:,} bytes)" for one in self.over[:OVER_SHOWN])
        more = f" and {self.over_limit - OVER_SHOWN} more" if self.over_limit > OVER_SHOWN else ""
        fits = f"{self.largest_file_bytes:,} bytes would fit as {self.kind}"
        return f"{words}; {self.over_limit:,} over {limit}: {shown}{more}; {fits}"

    @property
    def plans(self) -> str:
        """The sizes, and what a load does about those over the limit."""
        if not self.over_limit:
            return self.sizes
        what = "skipped" if self.skipped else "sent, to measure the refusal (--skip-oversize leaves them out)"
        return f"{self.sizes}; {what}"


def weigh(payloads: Iterable[Payload], gateway: Gateway, *, skipping: bool = False) -> list[Weight]:
    """The weights of these bodies by name and kind; with `skipping`, those over the limit are left out of the load."""
    groups: dict[tuple[str, str], list[Payload]] = {}
    for payload in payloads:
        groups.setdefault((payload.name, payload.kind), []).append(payload)
    return [_weight(groups[key], gateway, skipping) for key in sorted(groups)]


def _weight(payloads: list[Payload], gateway: Gateway, skipping: bool) -> Weight:
    over, limit = [payload for payload in payloads if gateway.is_over(len(payload))], gateway.body_limit_bytes
    skipped = len(over) if skipping else 0
    return Weight(
        name=payloads[0].name,
        kind=payloads[0].kind,
        count=len(payloads) - skipped,
        skipped=skipped,
        smallest_wire_bytes=min(map(len, payloads)),
        largest_wire_bytes=max(map(len, payloads)),
        limit_bytes=limit,
        over_limit=len(over),
        over=tuple({"file": payload.source, "wire_bytes": len(payload)} for payload in over[:OVER_NAMED]),
        largest_file_bytes=None if limit is None else min(largest_content(one, limit) for one in payloads),
    )


def _bodies(count: int) -> str:
    return f"{count:,} {'body' if count == 1 else 'bodies'}"
