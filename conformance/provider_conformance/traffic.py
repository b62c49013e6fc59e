"""What all connections to the implementation under test have in common: how many requests were sent, how they fared."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provider_conformance.calm import Calm
from provider_conformance.errors import BudgetSpentError, TargetLostError
from provider_conformance.exchange import TransportProblem
from provider_conformance.guard import Pace
from provider_conformance.limits import (
    HUGE_ANSWER,
    MOST_HUGE_ANSWERS,
    MOST_REQUESTS,
    MOST_TIMEOUTS,
    MOST_TIMEOUTS_IN_ALL,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.call import Call
    from provider_conformance.exchange import Exchange
    from provider_conformance.guard import Guard

MOST_DROPPED = 16
"""Requests without an answer that are kept in mind."""


@dataclass(frozen=True)
class Dropped:
    """A request whose connection was dropped before its answer had come; `answers` had come to others before."""

    call: Call
    exchange: Exchange
    answers: int


class Traffic:
    """Numbers requests, lets so many at a time be under way, and ends a run when its target is gone.

    `intruded` says that requests with wrong tokens have been sent, after which a target may lock the run out (D18), and
    `opens_in` within how many seconds the target has opened a connection at the best; `counted` are the providers that
    its list has counted last, those of others among them, and `most_counted` the most that it had counted when one more
    was accepted. `abandoned` are the operations, or paths, of requests that were sent, and whose answers nobody has
    waited for as the run ended. `gone` is what was told of the target when nobody could be reached any more.
    """

    def __init__(self, guard: Guard, workers: int, rate: float | None) -> None:
        self.pace = Pace(rate, guard)
        self.keeps_connections = True
        self.intruded = False
        self.opens_in = math.inf
        self.counted = 0
        self.most_counted = 0
        self.abandoned: set[str] = set()
        self.gone = ""
        self.calm = Calm()
        self.workers = workers
        self._guard = guard
        self._turn = threading.Condition()
        self._most_under_way = workers
        self._under_way = 0
        self._sent = 0
        self._silent = 0
        self._silent_in_all = 0
        self._huge = 0
        self._last_answer = 0
        self._answers = 0
        self._dropped: deque[Dropped] = deque(maxlen=MOST_DROPPED)

    def numbers(self, requests: int = 1) -> range:
        """Return the numbers of requests that are about to be sent, which count from 1."""
        with self._turn:
            first = self._sent + 1
            self._sent += requests
        return range(first, first + requests)

    def begin(self, *, at_once: bool = False) -> bool:
        """Wait until one more request may be under way, or tell whether one may `at_once`.

        Whoever has others under way must not wait: all others might do the same.
        """
        with self._turn:
            if at_once and self._under_way >= self._most_under_way:
                return False
            self._turn.wait_for(lambda: self._under_way < self._most_under_way)
            self._under_way += 1
        return True

    def end(self) -> None:
        """Take note that a request is answered, or never will be."""
        with self._turn:
            self._under_way -= 1
            self._turn.notify()

    def make_do_with_fewer(self) -> int | None:
        """Let half as many requests be under way, since the target asks for patience; return how many, if fewer."""
        with self._turn:
            if self._most_under_way == 1:
                return None
            self._most_under_way //= 2
            return self._most_under_way

    @property
    def away(self) -> bool:
        """Whether the last request found nobody to answer it."""
        return self._silent > 0

    def forgive(self) -> None:
        """Forget how often the target did not answer, to give it another chance."""
        with self._turn:
            self._silent = self._silent_in_all = self._huge = 0

    @property
    def dropped(self) -> Sequence[Dropped]:
        """What was under way and dropped as the target went; others that were under way may have had an answer."""
        with self._turn:
            return tuple(self._dropped)

    def heed(self, call: Call, exchange: Exchange) -> None:
        """Take note of how a request fared, as soon as that is known."""
        with self._turn:
            if exchange.response is not None:
                self._answers += 1
            elif exchange.problem is TransportProblem.DROPPED:
                self._dropped.append(Dropped(call, exchange, self._answers))
            while not self.gone and self._dropped and self._answers - self._dropped[0].answers >= self.workers:
                self._dropped.popleft()

    def watch(self, exchange: Exchange) -> None:
        """End the run when the target is gone, instead of waiting for each of its timeouts."""
        with self._turn:
            if exchange.response is not None:
                self._last_answer = max(self._last_answer, exchange.number)
            gone = exchange.problem in {TransportProblem.UNREACHABLE, TransportProblem.TIMED_OUT}
            self._silent = self._silent + 1 if gone else 0
            if self._silent >= MOST_TIMEOUTS:
                told = f"the target is gone: {exchange.problem}, {exchange.detail}"
                if exchange.problem is TransportProblem.UNREACHABLE:
                    self.gone = self.gone or told
                raise TargetLostError(told, self._last_answer + 1)
            self._silent_in_all += gone
            if self._silent_in_all >= MOST_TIMEOUTS_IN_ALL:
                told = f"the target has left {MOST_TIMEOUTS_IN_ALL} requests unanswered ({exchange.detail})"
                raise TargetLostError(told)
            self._huge += exchange.response is not None and len(exchange.response.body) > HUGE_ANSWER
            if self._huge >= MOST_HUGE_ANSWERS:
                told = f"the target has given {MOST_HUGE_ANSWERS} answers of more than {HUGE_ANSWER} bytes"
                raise TargetLostError(told)
            if self._sent >= MOST_REQUESTS and not self._guard.cleaning:
                raise BudgetSpentError(f"{MOST_REQUESTS} requests are sent, and the tests are not over")
