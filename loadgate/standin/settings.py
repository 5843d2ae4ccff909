"""Every limit of the stand-in, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import TIME_OUT_AS
from .faults import FAULTS, NAMES
from .service_time import ServiceTime
from .signature import AccessKey


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the service does. Raises ValueError for a value that cannot work."""

    service_time: ServiceTime = field(default_factory=lambda: ServiceTime("lognormal", 0.1, 0.5))
    """How long the model takes for one request."""
    instances: int = 4
    """Instances of the model."""
    concurrency: int = 2
    """Requests one instance works on at the same time."""
    queue: int = 100
    """Requests that may wait for an instance; the next one is refused."""
    timeout_s: float = 40.0
    """The gateway's time limit, from the arrival of the request head."""
    time_out_as: str = "4503"
    """Which answer tells of the time limit: one of errors.TIME_OUT_AS."""
    body_limit_bytes: int = 12 * 1024 * 1024
    """The largest request body the gateway takes."""
    rate_limit_per_s: int | None = None
    """The service's traffic limit: requests it takes in a second; None: all."""
    throttle: tuple[int, float] | None = None
    """The gateway's throttling policy: so many requests in so many seconds; None: it has none."""
    slow_start_s: float = 0.0
    """How long after the start no instance is ready."""
    circuit_breaker: tuple[int, float] | None = None
    """After so many model errors in a row, the model is left alone for so many seconds; None: never."""
    faults: Mapping[str, float] = field(default_factory=dict)
    """Share of the requests that get each fault."""
    seed: int = 0
    """Seed of the service times and of the faults."""
    token_validity_s: float = 24 * 3600.0
    """How long an issued token lives."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """The only right user and password; None: any that are not empty."""
    accepted_token: str | None = field(default=None, repr=False)
    """A token of the caller's own that is accepted beside the issued ones."""
    access_key: AccessKey | None = None
    """The only access key there is; None: there is none."""
    ak_lock_s: float = 300.0
    """How long an access key is locked after too many wrong signatures."""
    app_code: str | None = field(default=None, repr=False)
    """The only app code there is; None: there is none."""

    def __post_init__(self) -> None:
        for name, least in (("instances", 1), ("concurrency", 1), ("queue", 0), ("body_limit_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be {least} or more")
        for name, seconds in (("timeout", self.timeout_s), ("life of a token", self.token_validity_s)):
            if not seconds > 0:
                raise ValueError(f"the {name} is {seconds:g} s; it must be more than 0")
        if self.time_out_as not in TIME_OUT_AS:
            raise ValueError(f"a time-out as {self.time_out_as!r}; it must be one of {', '.join(TIME_OUT_AS)}")
        if self.rate_limit_per_s is not None and self.rate_limit_per_s < 1:
            raise ValueError(f"the rate limit is {self.rate_limit_per_s}; it must be 1 or more, or left out")
        for name, pair in (("throttle", self.throttle), ("circuit breaker", self.circuit_breaker)):
            if pair and not (pair[0] >= 1 and pair[1] > 0):
                raise ValueError(f"the {name} is {pair[0]} in {pair[1]:g} s; both must be more than 0")
        self._check_faults()

    def _check_faults(self) -> None:
        for name, share in self.faults.items():
            if name not in NAMES:
                raise ValueError(f"fault {name!r} is not one of {', '.join(FAULTS)}, and no code of the vendor's")
            if not 0 <= share <= 1:
                raise ValueError(f"the share of fault {name} is {share:g}; it must be from 0 to 1 (0% to 100%)")
        if sum(self.faults.values()) > 1 + 1e-9:
            raise ValueError(f"the faults' shares sum to {sum(self.faults.values()):g}; at most 1 (100%)")

    @property
    def slots(self) -> int:
        """Requests all instances together work on at the same time."""
        return self.instances * self.concurrency


@dataclass(frozen=True, kw_only=True)
class Listen:
    """Where the service listens and which files it writes."""

    host: str = "127.0.0.1"
    """Address or name to listen on."""
    port: int = 8080
    """TCP port; 0: any free one."""
    tls_cert: Path | None = None
    """Certificate chain in PEM; with it the service speaks https."""
    tls_key: Path | None = None
    """Private key in PEM; None: it is in the certificate's file."""
    truth: Path | None = None
    """CSV of what became of every inference request."""
