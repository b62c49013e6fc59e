"""The implementation under test: sends requests over real sockets and records every exchange."""

from __future__ import annotations

import email.utils
import re
import time
from collections import deque
from typing import TYPE_CHECKING

from provider_conformance.call import BASE, NO_TOKEN, query_of
from provider_conformance.connection import UNANSWERED, Connection, with_length
from provider_conformance.dialling import Deadline, TransportError
from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.exchange import Exchange, Headers, Request, TransportProblem
from provider_conformance.limits import FOR_EVER, LONGEST_WAIT, MOST_WAITS
from provider_conformance.route import route_of
from provider_conformance.traffic import Traffic
from provider_conformance.underway import (
    ALL_BUT_THE_END,
    THE_END,
    Part,
    Underway,
    all_answered,
    first_answered,
    open_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provider_conformance.call import Call
    from provider_conformance.config import Config
    from provider_conformance.guard import Guard


SECRET_HEADER = re.compile("auth|cookie|key|pass|secret|session|token", re.IGNORECASE)
"""Names of headers whose values are secrets."""


NEAR = 0.005
"""Seconds within which a near target opens a connection: threads to open some at once are ready later."""

LATE = 0.1
"""Seconds after the head of a request at which a body comes that comes late."""

BETWEEN_PIECES = 0.03
"""Seconds between the pieces of such a body: long enough for a server to read the first alone."""

NOT_OPENED = "other connections were not opened"
"""Detail of an exchange that was to overlap others, and did not take place for want of them."""


class Target:
    """Sends calls one after another over a kept connection, or several at the same time.

    `own` are the numbers of the exchanges over its connections, as far as these have ended.
    """

    def __init__(
        self,
        config: Config,
        guard: Guard,
        record: Callable[[Exchange], None],
        note: Callable[[str], None],
        traffic: Traffic | None = None,
    ) -> None:
        assert config.base_url is not None
        self.base_url = config.base_url
        self.token = config.token or ""
        self.traffic = traffic or Traffic(guard, config.workers, config.rate)
        self._config = config
        self._route = route_of(config)
        self._guard = guard
        self._tell = record
        self._note = note
        self._connection = self._new_connection()
        self._second = self._new_connection()
        self._lanes = [self._new_connection() for _ in range(config.workers)]
        self._underway: Underway | None = None
        self.own: set[int] = set()

    def beside(self) -> Target:
        """Return another with connections of its own, for another thread; the requests of both count together."""
        return Target(self._config, self._guard, self._tell, self._note, self.traffic)

    def close(self) -> None:
        """Close the kept connections."""
        if self._underway is not None:
            self.traffic.abandoned.add(self._underway.call.operation)
        for connection in (self._connection, self._second, *self._lanes):
            connection.close()

    def hang_up(self) -> None:
        """Close the kept connections once nothing is under way: what is sent next goes over new ones."""
        self._finish()
        self.close()

    def send(self, call: Call) -> Exchange:
        """Send a call and return its exchange; waits and repeats where the target asks for patience (D18)."""
        self._respect_read_only(call)
        return self._patiently(call, self.request(call))

    def _patiently(self, call: Call, request: Request) -> Exchange:
        for attempt in range(MOST_WAITS):
            exchange = self._apart(call, request) if call.apart else self._once(call, request)
            if (seconds := patience(exchange, attempt)) is None:
                return exchange
            self._wait(exchange, seconds)
        raise NotTestableError(f"the target answers {call.operation} with 429 or 503 however long one waits")

    def send_all(self, calls: Sequence[Call]) -> Iterator[Exchange]:
        """Send calls whose order does not matter, as many at a time as --workers says; give their exchanges in order.

        What is answered before the one that cannot be, or before the run must end, is given before that is raised.
        """
        for call in calls:
            self._respect_read_only(call)
        workers = min(len(self._lanes), len(calls))
        if workers > 1:
            yield from self._side_by_side(calls, workers)
        elif any(call.apart for call in calls):
            yield from map(self.send, calls)
        elif calls:
            yield from self._one_ahead(calls)

    def _one_ahead(self, calls: Sequence[Call]) -> Iterator[Exchange]:
        """Send calls one by one, each as soon as the one before is answered: that is looked at while the target works.

        Only one is under way at a time. What asks for patience, or is to be sent anew, is so before the next.
        """
        underway = self._begin_next(calls[0], self.request(calls[0]))
        for following in (*calls[1:], None):
            reason: RunEndedError | None = None
            exchange = self._end(underway)
            exchange = self._settled(underway.call, exchange, reused=underway.reused)
            try:
                if following is not None:
                    underway = self._begin_next(following, self.request(following))
            except RunEndedError as error:
                reason = error
            yield exchange
            if reason is not None:
                raise reason

    def _side_by_side(self, calls: Sequence[Call], workers: int) -> Iterator[Exchange]:
        """Send calls over several connections, each of which takes the next as soon as its last one is answered.

        What asks for patience is repeated afterwards.
        """
        self._finish()
        self._guard.check()
        answered: dict[int, tuple[Underway, Exchange]] = {}
        reason: RunEndedError | None = None
        try:
            for underway, exchange in self._as_answered(calls, self._lanes[:workers]):
                answered[exchange.number] = underway, exchange
        except RunEndedError as error:
            reason = error
        in_order = [answered[number] for number in sorted(answered)]
        for _, exchange in in_order:
            self._record(exchange)
        for underway, exchange in in_order:
            yield self._settled(underway.call, exchange, reused=underway.reused)
        if reason is not None:
            raise reason

    def _as_answered(self, calls: Sequence[Call], lanes: Sequence[Connection]) -> Iterator[tuple[Underway, Exchange]]:
        """Send calls, one at a time over each lane, and give each once it is answered.

        Where each needs a connection of its own, all lanes are waited for, to open the next ones at once.
        """
        to_come = deque(zip(self.traffic.numbers(len(calls)), calls, strict=True))
        free, waiting = deque(lanes), list[Underway]()
        try:
            while to_come or waiting:
                begun = len(waiting)
                while to_come and free and (self.traffic.keeps_connections or not begun):
                    self.traffic.pace.wait()
                    self._guard.check()
                    if not self.traffic.begin(at_once=bool(waiting)):
                        break
                    number, call = to_come.popleft()
                    deadline = self._deadline(self._guard.check)
                    waiting.append(Underway(number, call, self.request(call), free.popleft(), deadline))
                self._open_and_send(waiting[begun:])
                first = first_answered(waiting)
                waiting.remove(first)
                free.append(first.connection)
                yield first, self._read(first)
        finally:
            for underway in waiting:
                underway.connection.close()
                self.traffic.abandoned.add(underway.call.operation)
                self.traffic.end()

    def _settled(self, call: Call, exchange: Exchange, *, reused: bool) -> Exchange:
        """Return an exchange of several, or that of another try where that is due."""
        if exchange.detail == UNANSWERED and reused:
            self._keeps_silently_closing()
            return self._patiently(call, exchange.request)
        self.traffic.watch(exchange)
        seconds = patience(exchange, 0)
        if seconds is None:
            return exchange
        self._wait(exchange, seconds)
        return self.send(call)

    def send_together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """Send calls so that they really overlap: all but the last byte of each first, then the last bytes at once."""
        return self._at_once(calls, self._overlapping)

    def send_slowly(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """Send calls side by side, each over a new connection, whose bodies come late and in two pieces."""
        # A server of one thread takes no new connection while another is kept.
        self.hang_up()
        return self._at_once(calls, self._dawdling)

    def _at_once(
        self, calls: Sequence[Call], exchanged: Callable[[Sequence[Underway]], tuple[Exchange, ...]]
    ) -> tuple[Exchange, ...]:
        """Send calls at the same time in some way; what asks for patience is repeated, in the usual one."""
        self._finish()
        self.traffic.pace.wait(len(calls))
        self._guard.check()
        together = [
            Underway(number, call, self.request(call), self._new_connection(), self._deadline(_never))
            for number, call in zip(self.traffic.numbers(len(calls)), calls, strict=True)
        ]
        exchanges = exchanged(together)
        for exchange in exchanges:
            self._record(exchange)
        waits = [patience(exchange, 0) for exchange in exchanges]
        longest = max((seconds for seconds in waits if seconds is not None), default=None)
        if longest is None:
            return exchanges
        self._wait(next(exchange for exchange, wait in zip(exchanges, waits, strict=True) if wait == longest), longest)
        return tuple(
            exchange if wait is None else self.send(call)
            for call, exchange, wait in zip(calls, exchanges, waits, strict=True)
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of headers for a gateway that must not be written down."""
        return tuple(value for name, value in self._config.headers if SECRET_HEADER.search(name))

    def calibrate(self) -> None:
        """Find out, after a first answer, whether the target keeps connections, to never race with its closing them."""
        if self.traffic.keeps_connections:
            time.sleep(0.03)
            self._connection.open(self._deadline(self._guard.check))
            self.traffic.keeps_connections = self._connection.reused

    def request(self, call: Call) -> Request:
        """Write a call as an HTTP request."""
        token = self.token if call.token is None else call.token
        usual = (("User-Agent", call.agent), ("Accept", call.accept), ("Accept-Encoding", call.codings))
        headers: Headers = (("Host", self._route.address.host_header),)
        headers += tuple((name, value) for name, value in usual if value is not None)
        if token != NO_TOKEN:
            headers += ((call.token_header, token),)
        if call.body is not None and call.content_type is not None:
            headers += (("Content-Type", call.content_type),)
        headers += call.headers + self._config.headers
        query = query_of(call)
        base = self._route.address.base_path
        path = (base or "/") if call.operation == BASE else f"{base}/{call.operation}"
        target = f"{path}?{query}" if query else path
        headers = with_length(headers, call.body)
        if call.lower_case:
            headers = tuple((name.lower(), value) for name, value in headers)
        return Request(call.method, target, headers, call.body)

    def _overlapping(self, together: Sequence[Underway]) -> tuple[Exchange, ...]:
        """Send all of some requests but their last bytes, once all have got that far those, and read the answers."""
        try:
            self._open_all(together)
            for underway in together:
                underway.send(ALL_BUT_THE_END)
            if any(underway.deadline.is_over for underway in together):
                others = TransportError(TransportProblem.TIMED_OUT, NOT_OPENED)
                return tuple(underway.unanswered(others) for underway in together)
            for underway in together:
                underway.begin_anew()
                underway.send(THE_END)
            return self._all_heeded(together)
        finally:
            for underway in together:
                underway.connection.close()

    def _all_heeded(self, together: Sequence[Underway]) -> tuple[Exchange, ...]:
        exchanges = all_answered(together)
        for underway, exchange in zip(together, exchanges, strict=True):
            self.traffic.heed(underway.call, exchange)
        return exchanges

    def _dawdling(self, together: Sequence[Underway]) -> tuple[Exchange, ...]:
        """Send the heads of some requests, after a while half of each body, then the other half; read the answers."""
        try:
            self._open_all(together)
            for part, pause in ((Part.HEAD, LATE), (Part.FIRST_HALF, BETWEEN_PIECES), (Part.SECOND_HALF, 0)):
                for underway in together:
                    underway.begin_anew()
                    underway.send_on(part)
                time.sleep(pause)
            return self._all_heeded(together)
        finally:
            for underway in together:
                underway.connection.close()

    def _apart(self, call: Call, request: Request) -> Exchange:
        """Send a call over the second connection, which stays open beside the first as long as the target keeps it."""
        self._finish()
        self._connection, self._second = self._second, self._connection
        try:
            return self._once(call, request)
        finally:
            self._connection, self._second = self._second, self._connection

    def _record(self, exchange: Exchange) -> None:
        self.own.add(exchange.number)
        self._tell(exchange)

    def _wait(self, exchange: Exchange, seconds: float) -> None:
        if seconds > LONGEST_WAIT:
            raise NotTestableError(f"the target answers {exchange.status} and asks to wait for {seconds:.0f} s")
        if (fewer := self.traffic.make_do_with_fewer()) is not None:
            self._note(f"the target asks for patience: no more than {fewer} requests at a time from here on")
        name = exchange.operation or exchange.request.method
        self._note(f"{name} is answered with {exchange.status}: waiting for {seconds:.0f} s")
        self._guard.sleep(seconds)

    def _once(self, call: Call, request: Request) -> Exchange:
        """Send a request once; only one that a kept connection's silent end cost its answer is sent anew."""
        underway = self._begin_next(call, request)
        exchange = self._end(underway)
        if exchange.detail == UNANSWERED and underway.reused:
            self._keeps_silently_closing()
            (number,) = self.traffic.numbers()
            exchange = self._read(self._begin(number, call, request, self._connection))
            self._record(exchange)
        self.traffic.watch(exchange)
        return exchange

    def _begin_next(self, call: Call, request: Request) -> Underway:
        """Send a request over the kept connection; its answer is read by whoever comes next."""
        self._finish()
        self.traffic.pace.wait()
        self._guard.check()
        (number,) = self.traffic.numbers()
        self._underway = self._begin(number, call, request, self._connection)
        return self._underway

    def _finish(self) -> None:
        """Read the answer to a request that is under way: whoever sent it may never come back for it."""
        if self._underway is not None:
            self._end(self._underway)

    def _end(self, underway: Underway) -> Exchange:
        """Return what came of a request that is or was under way, which is recorded once."""
        if underway.exchange is None:
            self._underway = None
            underway.exchange = self._read(underway)
            self._record(underway.exchange)
        return underway.exchange

    def _begin(self, number: int, call: Call, request: Request, connection: Connection) -> Underway:
        """Send a request over a connection, a new one where the target does not keep them well."""
        self.traffic.begin()
        underway = Underway(number, call, request, connection, self._deadline(self._guard.check))
        try:
            self._open_and_send([underway])
        except BaseException:
            self.traffic.abandoned.add(call.operation)
            self.traffic.end()
            raise
        return underway

    def _open_all(self, some: Sequence[Underway]) -> None:
        """Open the connections of some requests: one after another where that takes less than to start threads."""
        open_all(some, at_once=self.traffic.opens_in >= NEAR)
        self.traffic.opens_in = min([self.traffic.opens_in, *(one.opened_in for one in some)])

    def _open_and_send(self, some: Sequence[Underway]) -> None:
        """Send requests over their connections, new ones where the target does not keep them well."""
        for underway in some:
            if not self.traffic.keeps_connections:
                underway.connection.close()
            underway.begin_anew()  # others may have had to wait meanwhile until they might be sent
        self._open_all(some)
        for underway in some:
            underway.send()

    def _read(self, underway: Underway) -> Exchange:
        """Read the answer to a request that was sent."""
        try:
            exchange = underway.read()
        except RunEndedError:
            self.traffic.abandoned.add(underway.call.operation)
            raise
        finally:
            self.traffic.end()
        self.traffic.heed(underway.call, exchange)
        return exchange

    def _keeps_silently_closing(self) -> None:
        if self.traffic.keeps_connections:
            self._note("the target closes kept connections without notice: every request gets its own from here on")
        self.traffic.keeps_connections = False

    def _respect_read_only(self, call: Call) -> None:
        if self._config.read_only and call.method != "GET":
            raise NotTestableError("nothing may be written (--read-only)")

    def _deadline(self, glance: Callable[[], None]) -> Deadline:
        """Return the end of an exchange that begins now; `glance` raises when the run was interrupted."""
        return Deadline(self._config.timeout, glance)

    def _new_connection(self) -> Connection:
        return Connection(self._route)


def patience(exchange: Exchange, attempt: int) -> float | None:
    """Return the seconds that the target asks to wait before the request is repeated, or None (D18)."""
    response = exchange.response
    if response is None or response.status not in {429, 503}:
        return None
    values = response.header_values("retry-after")
    if not values:
        return float(2**attempt) if response.status == 429 else None
    if re.fullmatch(r"\s*[0-9]+\s*", values[0], re.ASCII):
        return min(max(float(values[0][:20]), _moment(attempt)), FOR_EVER)
    try:
        return max(_moment(attempt), email.utils.parsedate_to_datetime(values[0]).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return float(2**attempt)


def _moment(attempt: int) -> float:
    """Return the least to wait before another try: whoever asks for 0 seconds again may have rounded them down."""
    return 0.1 * 2 ** (attempt - 1) if attempt else 0.0


def _never() -> None:
    """Let requests that must overlap go on whatever happens; their timeout bounds them."""
