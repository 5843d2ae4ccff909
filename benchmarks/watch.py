"""A run seen from outside, the same way for every tool: nginx's count, and the system's account of both sides."""

import subprocess
import time
from dataclasses import dataclass

import psutil
from nginx import Nginx

STEADY_AFTER_S = 1.0
SAMPLE_S = 0.1
# More of a core than this, used by others, shows in the figures.
DISTURBING_CORES = 0.15
QUIET_TIMEOUT_S = 60.0
START_TIMEOUT_S = 15.0
END_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Window:
    """What was measured in the steady part of one run."""

    requests_per_s: float
    cpu_us: float  # of the generator, per request
    generator_cores: float
    nginx_cores: float
    others_cores: float  # of all other processes, and what the hypervisor took

    @property
    def disturbed(self) -> bool:
        return self.others_cores > DISTURBING_CORES


@dataclass(frozen=True)
class Moment:
    at: float
    requests: int
    generator_s: float
    nginx_s: float
    others_s: float


class Watch:
    """The generator (with its children) and nginx, from the generator's start to its end."""

    def __init__(self, generator: subprocess.Popen[bytes], nginx: Nginx) -> None:
        self.peak_bytes = 0
        self._generator, self._nginx = generator, nginx
        self._generator_tree = psutil.Process(generator.pid)
        self._nginx_process = psutil.Process(nginx.pid)

    def window(self, connections: int, seconds: float) -> Window | None:
        """Measure for `seconds`, from a second after as many answers as connections; None if that never was."""
        if not self._go_on(START_TIMEOUT_S, until_requests=connections):
            return None
        self._go_on(STEADY_AFTER_S)
        first = self._moment()
        self._go_on(seconds)
        last = self._moment()
        requests = last.requests - first.requests
        if self._generator.poll() is not None or not requests:
            return None
        took_s = last.at - first.at
        generator_s = last.generator_s - first.generator_s
        return Window(
            requests / took_s,
            generator_s / requests * 1e6,
            generator_s / took_s,
            (last.nginx_s - first.nginx_s) / took_s,
            (last.others_s - first.others_s) / took_s,
        )

    def until_end(self) -> int | None:
        """Wait for the generator's own end, and return its exit code; None if it did not come."""
        self._go_on(END_TIMEOUT_S)
        return self._generator.poll()

    def end(self) -> None:
        """End the generator where it has not ended by itself."""
        if self._generator.poll() is None:
            for process in self._tree():
                process.kill()
            self._generator.wait()

    def _go_on(self, seconds: float, until_requests: int | None = None) -> bool:
        """Sample for `seconds`, at most to the generator's end. Were there `until_requests` requests?"""
        end = time.monotonic() + seconds
        while self._generator.poll() is None and (left := end - time.monotonic()) > 0:
            self.peak_bytes = max(self.peak_bytes, self._memory_bytes())
            if until_requests is not None and self._nginx.requests >= until_requests:
                return True
            time.sleep(min(SAMPLE_S, left))
        return False

    def _moment(self) -> Moment:
        generator_s = sum(_cpu_s(process) for process in self._tree())
        nginx_s = _cpu_s(self._nginx_process)
        others_s = _machine_s() - generator_s - nginx_s - time.process_time()
        return Moment(time.monotonic(), self._nginx.requests, generator_s, nginx_s, others_s)

    def _memory_bytes(self) -> int:
        total = 0
        for process in self._tree():
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self._generator_tree, *self._generator_tree.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def await_quiet() -> None:
    """Wait until nobody disturbs, for a minute at most."""
    give_up_at = time.monotonic() + QUIET_TIMEOUT_S
    while time.monotonic() < give_up_at:
        before_s = _machine_s()
        time.sleep(1)
        if _machine_s() - before_s < DISTURBING_CORES:
            return


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    # With its children that ended, so that none is lost.
    return float(times.user + times.system + times.children_user + times.children_system)


def _machine_s() -> float:
    """CPU time of all cores that somebody had, the hypervisor's other guests included."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)
