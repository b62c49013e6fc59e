"""Says whether a run may go on, and how fast."""

from __future__ import annotations

import math
import threading
import time

from provider_conformance.errors import BudgetSpentError, InterruptedRunError


class Guard:
    """Says before every request whether the run may go on; set from signal handlers, asked by the client."""

    def __init__(self, max_time: float | None = None) -> None:
        self._end = math.inf if max_time is None else time.monotonic() + max_time
        self._interrupted = False
        self.cleaning = False

    def interrupt(self) -> None:
        """Ask the run to stop before its next request, unless that is to destroy what it created."""
        self._interrupted = not self.cleaning

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._end - time.monotonic()

    def clean_up(self, seconds: float) -> None:
        """Let requests pass again for a while, interrupted or not, so that the run can destroy what it created."""
        self.cleaning = True
        self._interrupted = False
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise InterruptedRunError or BudgetSpentError when the run must end."""
        if self._interrupted:
            raise InterruptedRunError("the run was interrupted")
        if time.monotonic() >= self._end:
            raise BudgetSpentError("the time given by --max-time is spent")

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than the run may last."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, 0.1))


class Pace:
    """Keeps requests to a rate, in requests a second, without making up for time in which none were sent."""

    def __init__(self, rate: float | None, guard: Guard) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._guard = guard
        self._next = 0.0
        self._turn = threading.Lock()

    def wait(self, requests: int = 1) -> None:
        """Wait until so many requests may be sent; those that overlap are paid for afterwards."""
        if self._interval:
            with self._turn:
                self._guard.sleep(self._next - time.monotonic())
                self._next = max(self._next, time.monotonic()) + self._interval * requests
