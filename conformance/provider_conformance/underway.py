"""Requests that were sent and whose answers are still to be read, of which one thread can have several.

A thread for each would be given its turn too late: requests that are to overlap would do so less, and to wait for turns
would take longer than a near implementation takes to answer.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from provider_conformance.connection import readable
from provider_conformance.dialling import TransportError
from provider_conformance.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.call import Call
    from provider_conformance.connection import Connection
    from provider_conformance.dialling import Deadline
    from provider_conformance.exchange import Request

ALL, ALL_BUT_THE_END, THE_END = slice(None), slice(-1), slice(-1, None)
"""Parts of a request: a server cannot answer one before its last byte has come."""

END_OF_HEAD = b"\r\n\r\n"


class Part(Enum):
    """Parts of a request whose body comes in pieces."""

    HEAD = auto()
    FIRST_HALF = auto()
    SECOND_HALF = auto()

    def of(self, encoded: bytes) -> slice:
        """Return where this part stands in the bytes of a request."""
        head = encoded.index(END_OF_HEAD) + len(END_OF_HEAD)
        middle = (head + len(encoded)) // 2
        if self is Part.HEAD:
            return slice(head)
        return slice(head, middle) if self is Part.FIRST_HALF else slice(middle, None)


@dataclass(eq=False)
class Underway:
    """A request that is sent over a connection, and whose answer may still have to be read.

    `started` is in seconds, and so is `opened_in`: infinite where the connection was open already.
    """

    number: int
    call: Call
    request: Request
    connection: Connection
    deadline: Deadline
    started: float = field(default_factory=time.monotonic)
    reused: bool = False
    opened_in: float = math.inf
    failure: TransportError | None = None
    exchange: Exchange | None = None

    def open(self) -> None:
        """Make sure that there is a connection."""
        began = time.monotonic()
        try:
            self.connection.open(self.deadline)
            self.reused = self.connection.reused
            self.opened_in = math.inf if self.reused else time.monotonic() - began
        except TransportError as failure:
            self.failure = failure

    def send(self, part: slice = ALL) -> None:
        """Send the request, or a part of it, over the open connection."""
        if self.failure is None:
            try:
                self.connection.send(self.connection.encoded(self.request)[part], self.deadline)
            except TransportError as failure:
                self.failure = failure

    def send_on(self, part: Part) -> None:
        """Send the next part of the request, unless the server has answered without waiting for it."""
        if self.failure is None and (part is Part.HEAD or not self.connection.is_answered):
            self.send(part.of(self.connection.encoded(self.request)))

    def begin_anew(self) -> None:
        """Count the time from now on."""
        self.started = time.monotonic()
        self.deadline.renew()

    def read(self) -> Exchange:
        """Read the answer, or find out that there is none."""
        try:
            if self.failure is not None:
                raise self.failure
            response = self.connection.receive(self.request, self.deadline)
        except TransportError as error:
            return self.unanswered(error)
        return Exchange(self.number, self.call.belongs_to, self.request, response, elapsed=self._elapsed)

    def unanswered(self, error: TransportError) -> Exchange:
        """Return what is told of a request that gets no answer."""
        told = error.problem, error.detail, self._elapsed
        return Exchange(self.number, self.call.belongs_to, self.request, None, *told)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self.started


def open_all(some: Sequence[Underway], *, at_once: bool) -> None:
    """Open the connections of some requests, one after another or all at once."""
    if at_once and len(some) > 1:
        with ThreadPoolExecutor(len(some)) as pool:
            tuple(pool.map(Underway.open, some))
    else:
        for one in some:
            one.open()


def all_answered(some: Sequence[Underway]) -> tuple[Exchange, ...]:
    """Read the answers to requests that were sent, each as soon as it comes, and close its connection."""
    answered: dict[int, Exchange] = {}
    while waiting := [one for one in some if one.number not in answered]:
        first = first_answered(waiting)
        answered[first.number] = first.read()
        first.connection.close()
    return tuple(answered[one.number] for one in some)


def first_answered(some: Sequence[Underway]) -> Underway:
    """Wait until the answer to one of some requests begins to come, or one is known to get none; return that one.

    Raises what ends a run.
    """
    while True:
        if failed := [one for one in some if one.failure is not None]:
            return failed[0]
        begun = readable([one.connection for one in some], min(one.deadline.until_a_glance for one in some))
        if begun:
            first = next(one for one in some if one.connection is begun[0])
            # It may have come in time, and waited for others to be read.
            first.deadline.renew()
            return first
        for one in some:
            one.deadline.glance()
        if late := [one for one in some if one.deadline.is_over]:
            return late[0]
