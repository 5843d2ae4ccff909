"""What a master and its workers must agree on before a load: the same programs, and the same bytes to send."""

from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Self

from loadgate.payloads import Payload
from loadgate.plan import Plan

PROGRAMS = ("loadgate", "locust")

Bodies = list[list[str]]  # of each payload its source and the digest of its bytes


@dataclass(frozen=True)
class Terms:
    """One process's own, in a form that travels."""

    versions: dict[str, str]
    bodies: dict[str, Bodies]  # by user class

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The terms of a process that has this plan."""
        versions = {program: metadata.version(program) for program in PROGRAMS}
        bodies = {user: _bodies([request.payload for request in group]) for user, group in plan.requests.items()}
        return cls(versions, bodies)

    @classmethod
    def read(cls, message: Any) -> Self:
        """The terms that a worker tells. Raises ValueError for what no worker of ours would send."""
        try:
            versions = {str(program): str(version) for program, version in message["versions"].items()}
            bodies = {
                str(user): [[str(text) for text in body] for body in all_] for user, all_ in message["bodies"].items()
            }
        except (AttributeError, KeyError, TypeError):
            raise ValueError("the worker did not say what it runs and sends") from None
        return cls(versions, bodies)

    def as_message(self) -> dict[str, Any]:
        """For `read`."""
        return asdict(self)

    def objection(self, theirs: "Terms") -> str | None:
        """Why a process with these terms and one with `theirs` cannot make one load; None if they can."""
        for program, version in self.versions.items():
            found = theirs.versions.get(program, "none")
            if found != version:
                return f"it runs {program} {found}, the master {version}; install the same version"
        if self.bodies.keys() != theirs.bodies.keys():
            ours, others = (", ".join(sorted(bodies)) or "none" for bodies in (self.bodies, theirs.bodies))
            return f"its user classes are {others}, the master's {ours}; give both the same locustfile"
        for user, bodies in self.bodies.items():
            if bodies != theirs.bodies[user]:
                return _difference(bodies, theirs.bodies[user])
        return None


def _bodies(payloads: list[Payload]) -> Bodies:
    return [[payload.source, payload.digest] for payload in payloads]


def _difference(ours: Bodies, theirs: Bodies) -> str:
    if len(ours) != len(theirs):
        return f"it would send {len(theirs):,} different bodies, the master {len(ours):,}; give both the same files"
    (source, _), (found, _) = next(pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1])
    if source != found:
        return f"it would send {found} where the master has {source}; give both the same files"
    return f"its {source} has other bytes than the master's; give both the same file"
