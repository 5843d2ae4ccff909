"""Wakes the event loop at a moment of the monotonic clock.

On Linux through a timerfd, which is true to about 50 us; libev's own timers are rounded to 1 ms.
"""

import ctypes
import math
import os
import sys
from collections.abc import Callable
from typing import Any

from loadgate.connection import READ, clock

CLOCK_MONOTONIC = 1
TFD_TIMER_ABSTIME = 1
NEVER = (0, 0)  # seconds and nanoseconds that disarm a timerfd


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))


class TimerfdAlarm:
    """Calls `ring` on the loop once the time given to `set` is reached. `os.timerfd_*` is there from Python 3.13."""

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._spec = _TimerSpec()
        self._pointer = ctypes.byref(self._spec)
        self._watcher = loop.io(self._fd, READ)
        self._watcher.start(ring)

    def set(self, at: float) -> None:
        """Ring at `at`, at once if that is past, never if it is infinite. Forgets the time set before."""
        value = self._spec.value
        if math.isinf(at):
            value.seconds, value.nanoseconds = NEVER
        else:
            value.seconds = int(at)
            value.nanoseconds = max(int((at - int(at)) * 1e9), 1)
        self._libc.timerfd_settime(self._fd, TFD_TIMER_ABSTIME, self._pointer, None)

    def close(self) -> None:
        """Stop ringing."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._fd)


class LoopAlarm:
    """The same with the loop's own timer, where the system has no timerfd."""

    def __init__(self, loop: Any, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._timer = loop.timer(0.0)

    def set(self, at: float) -> None:
        """Ring at `at`, at once if that is past, never if it is infinite. Forgets the time set before."""
        self._timer.stop()
        if not math.isinf(at):
            self._timer = self._loop.timer(max(at - clock(), 0.0))
            # From now, not from the time of the loop's turn: it would ring early.
            self._timer.start(self._ring, update=True)

    def close(self) -> None:
        """Stop ringing."""
        self._timer.stop()


Alarm = TimerfdAlarm if sys.platform == "linux" else LoopAlarm
