"""The implementation under test: sends requests over real sockets and records every exchange."""

from __future__ import annotations

import email.utils
import json
import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from provider_conformance import __version__
from provider_conformance.connection import UNANSWERED, Connection, with_length
from provider_conformance.dialling import TransportError
from provider_conformance.errors import (
    BudgetSpentError,
    InterruptedRunError,
    NotTestableError,
    RunEndedError,
    TargetLostError,
)
from provider_conformance.exchange import TOKEN_HEADER, Exchange, Headers, Request, TransportProblem
from provider_conformance.limits import (
    FOR_EVER,
    HUGE_ANSWER,
    LONGEST_WAIT,
    MOST_HUGE_ANSWERS,
    MOST_REQUESTS,
    MOST_TIMEOUTS,
    MOST_TIMEOUTS_IN_ALL,
    MOST_WAITS,
)
from provider_conformance.route import route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from provider_conformance.config import Config
    from provider_conformance.jsontext import JsonValue


class Guard:
    """Says before every request whether the run may go on; set from signal handlers, asked by the client."""

    def __init__(self, max_time: float | None = None) -> None:
        self._end = math.inf if max_time is None else time.monotonic() + max_time
        self._interrupted = False
        self.cleaning = False

    def interrupt(self) -> None:
        """Ask the run to stop before its next request."""
        self._interrupted = True

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


SECRET_HEADER = re.compile("auth|cookie|key|pass|secret|session|token", re.IGNORECASE)
"""Names of headers whose values are secrets."""


@dataclass(frozen=True)
class Call:
    """A request in terms of the contract: an operation (or a bare path), its query and body, and what is unusual in it.

    A `query` of text is sent as it is. `token` None means the valid one, "" none at all. `body` bytes are sent as they
    are, anything else as JSON.
    A request is `outside` the contract when its path or its method is none of the contract's; one that is sent `apart`
    goes over a second connection.
    """

    operation: str
    method: str
    query: tuple[tuple[str, str], ...] | str = ()
    body: bytes | None = None
    content_type: str | None = "application/json"
    token: str | None = None
    token_header: str = TOKEN_HEADER
    headers: Headers = ()
    agent: str = f"provider-conformance/{__version__}"
    accept: str = "application/json"
    outside: bool = False
    apart: bool = False

    @property
    def belongs_to(self) -> str | None:
        """The operation that the exchange is one of, if any."""
        return None if self.outside else self.operation


NO_TOKEN = ""

NOT_OPENED = "other connections were not opened"
"""Detail of an exchange that was to overlap others, and did not take place for want of them."""


class Target:
    """Sends calls one after another over a kept connection, or several at the same time."""

    def __init__(
        self,
        config: Config,
        guard: Guard,
        record: Callable[[Exchange], None],
        note: Callable[[str], None],
    ) -> None:
        assert config.base_url is not None
        self.base_url = config.base_url
        self.token = config.token or ""
        self._route = route_of(config)
        self._timeout = config.timeout
        self._headers = config.headers
        self._read_only = config.read_only
        self._pace = Pace(config.rate, guard)
        self._guard = guard
        self._record = record
        self._note = note
        self._connection = self._new_connection()
        self._second = self._new_connection()
        self._lanes = [self._new_connection() for _ in range(config.workers)]
        self._keep_alive = True
        self._sent = 0
        self._silent = 0
        self._silent_in_all = 0
        self._huge = 0
        self._last_answer = 0

    def close(self) -> None:
        """Close the kept connections."""
        for connection in (self._connection, self._second, *self._lanes):
            connection.close()

    def send(self, call: Call) -> Exchange:
        """Send a call and return its exchange; waits and repeats where the target asks for patience (D18)."""
        self._respect_read_only(call)
        for attempt in range(MOST_WAITS):
            exchange = self._apart(call) if call.apart else self._once(self.request(call), call.belongs_to)
            if (seconds := patience(exchange, attempt)) is None:
                return exchange
            self._wait(exchange, seconds)
        raise NotTestableError(f"the target answers {call.operation} with 429 or 503 however long one waits")

    def send_all(self, calls: Sequence[Call]) -> Iterator[Exchange]:
        """Send calls whose order does not matter, as many at a time as --workers says; give their exchanges in order.

        Each worker has a connection and every so-manieth call; what asks for patience is repeated afterwards. What
        has been answered when the run must end is given before that is raised.
        """
        workers = min(len(self._lanes), len(calls))
        if workers <= 1:
            yield from map(self.send, calls)
            return
        for call in calls:
            self._respect_read_only(call)
        self._guard.check()
        answered: dict[int, tuple[Exchange, bool]] = {}
        first = self._sent + 1
        self._sent += len(calls)

        def work(lane: int) -> None:
            for index in range(lane, len(calls), workers):
                self._pace.wait()
                self._guard.check()
                request, operation = self.request(calls[index]), calls[index].belongs_to
                exchange = self._exchange(first + index, request, operation, self._lanes[lane])
                answered[index] = exchange, self._lanes[lane].reused

        with ThreadPoolExecutor(workers) as pool:
            working = [pool.submit(work, lane) for lane in range(workers)]
        reason = next((error for worker in working if (error := worker.exception())), None)
        for index in sorted(answered):
            self._record(answered[index][0])
        for index in sorted(answered):
            exchange, reused = answered[index]
            if reason is None:
                try:
                    exchange = self._settled(calls[index], exchange, reused=reused)
                except (NotTestableError, RunEndedError) as error:
                    reason = error
            yield exchange
        if reason is not None:
            raise reason

    def _settled(self, call: Call, exchange: Exchange, *, reused: bool) -> Exchange:
        """Return an exchange that one of several workers has had, or that of another try where that is due."""
        if exchange.detail == UNANSWERED and reused:
            self._keeps_silently_closing()
            return self.send(call)
        self._watch(exchange)
        seconds = patience(exchange, 0)
        if seconds is None:
            return exchange
        self._wait(exchange, seconds)
        return self.send(call)

    def send_together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """Send calls so that they really overlap: all but the last byte of each first, then the last bytes at once."""
        self._pace.wait(len(calls))
        self._guard.check()
        requests = [self.request(call) for call in calls]
        first = self._sent + 1
        self._sent += len(calls)
        start = threading.Barrier(len(calls))

        def one(index: int) -> Exchange:
            exchange = self._overlapping(requests[index], start)
            return replace(exchange, number=first + index, operation=calls[index].belongs_to)

        with ThreadPoolExecutor(len(calls)) as pool:
            exchanges = tuple(pool.map(one, range(len(calls))))
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
        return tuple(value for name, value in self._headers if SECRET_HEADER.search(name))

    @property
    def away(self) -> bool:
        """Whether the last request found nobody to answer it."""
        return self._silent > 0

    def forgive(self) -> None:
        """Forget how often the target did not answer, to give it another chance."""
        self._silent = self._silent_in_all = self._huge = 0

    def calibrate(self) -> None:
        """Find out, after a first answer, whether the target keeps connections, to never race with its closing them."""
        if self._keep_alive:
            time.sleep(0.03)
            self._connection.open(self._connection.deadline(self._guard.check))
            self._keep_alive = self._connection.reused

    def request(self, call: Call) -> Request:
        """Write a call as an HTTP request."""
        token = self.token if call.token is None else call.token
        headers: Headers = (
            ("Host", self._route.address.host_header),
            ("User-Agent", call.agent),
            ("Accept", call.accept),
            ("Accept-Encoding", "identity"),
        )
        if token != NO_TOKEN:
            headers += ((call.token_header, token),)
        if call.body is not None and call.content_type is not None:
            headers += (("Content-Type", call.content_type),)
        headers += call.headers + self._headers
        query = call.query if isinstance(call.query, str) else _encoded_query(call.query)
        path = f"{self._route.address.base_path}/{call.operation}"
        target = f"{path}?{query}" if query else path
        return Request(call.method, target, with_length(headers, call.body), call.body)

    def _overlapping(self, request: Request, start: threading.Barrier) -> Exchange:
        """Send all of a request but its last byte, wait for the others, and send that."""
        connection = self._new_connection()
        payload, deadline = connection.encoded(request), connection.deadline(_never)
        began = time.monotonic()
        try:
            try:
                connection.open(deadline)
                connection.send(payload[:-1], deadline)
            finally:
                start.wait(self._timeout)
            began, deadline = time.monotonic(), connection.deadline(_never)
            connection.send(payload[-1:], deadline)
            response = connection.receive(request, deadline)
            return Exchange(0, None, request, response, elapsed=time.monotonic() - began)
        except TransportError as error:
            return Exchange(0, None, request, None, error.problem, error.detail, time.monotonic() - began)
        except threading.BrokenBarrierError:
            return Exchange(0, None, request, None, TransportProblem.TIMED_OUT, NOT_OPENED)
        finally:
            connection.close()

    def _apart(self, call: Call) -> Exchange:
        """Send a call over the second connection, which stays open beside the first as long as the target keeps it."""
        self._connection, self._second = self._second, self._connection
        try:
            return self._once(self.request(call), call.belongs_to)
        finally:
            self._connection, self._second = self._second, self._connection

    def _wait(self, exchange: Exchange, seconds: float) -> None:
        if seconds > LONGEST_WAIT:
            raise NotTestableError(f"the target answers {exchange.status} and asks to wait for {seconds:.0f} s")
        name = exchange.operation or exchange.request.method
        self._note(f"{name} is answered with {exchange.status}: waiting for {seconds:.0f} s")
        self._guard.sleep(seconds)

    def _once(self, request: Request, operation: str | None) -> Exchange:
        """Send a request once; only one that a kept connection's silent end cost its answer is sent anew."""
        self._pace.wait()
        self._guard.check()
        exchange = self._attempt(request, operation)
        if exchange.detail == UNANSWERED and self._connection.reused:
            self._keeps_silently_closing()
            exchange = self._attempt(request, operation)
        self._watch(exchange)
        return exchange

    def _attempt(self, request: Request, operation: str | None) -> Exchange:
        self._sent += 1
        exchange = self._exchange(self._sent, request, operation, self._connection)
        self._record(exchange)
        return exchange

    def _exchange(self, number: int, request: Request, operation: str | None, connection: Connection) -> Exchange:
        """Send a request over a connection, a new one where the target does not keep them well."""
        started = time.monotonic()
        if not self._keep_alive:
            connection.close()
        try:
            response = connection.exchange(request, self._guard.check)
            exchange = Exchange(number, operation, request, response)
        except TransportError as error:
            exchange = Exchange(number, operation, request, None, error.problem, error.detail)
        return replace(exchange, elapsed=time.monotonic() - started)

    def _keeps_silently_closing(self) -> None:
        if self._keep_alive:
            self._note("the target closes kept connections without notice: every request gets its own from here on")
        self._keep_alive = False

    def _respect_read_only(self, call: Call) -> None:
        if self._read_only and call.method != "GET":
            raise NotTestableError("nothing may be written (--read-only)")

    def _watch(self, exchange: Exchange) -> None:
        """End the run when the target is gone, instead of waiting for each of its timeouts."""
        if exchange.response is not None:
            self._last_answer = exchange.number
        gone = exchange.problem in {TransportProblem.UNREACHABLE, TransportProblem.TIMED_OUT}
        self._silent = self._silent + 1 if gone else 0
        if self._silent >= MOST_TIMEOUTS:
            raise TargetLostError(f"the target is gone: {exchange.problem}, {exchange.detail}", self._last_answer + 1)
        self._silent_in_all += gone
        if self._silent_in_all >= MOST_TIMEOUTS_IN_ALL:
            raise TargetLostError(f"the target has left {MOST_TIMEOUTS_IN_ALL} requests unanswered ({exchange.detail})")
        self._huge += exchange.response is not None and len(exchange.response.body) > HUGE_ANSWER
        if self._huge >= MOST_HUGE_ANSWERS:
            raise TargetLostError(f"the target has given {MOST_HUGE_ANSWERS} answers of more than {HUGE_ANSWER} bytes")
        if self._sent >= MOST_REQUESTS and not self._guard.cleaning:
            raise BudgetSpentError(f"{MOST_REQUESTS} requests are sent, and the tests are not over")

    def _new_connection(self) -> Connection:
        return Connection(self._route, self._timeout)


def patience(exchange: Exchange, attempt: int) -> float | None:
    """Return the seconds that the target asks to wait before the request is repeated, or None (D18)."""
    response = exchange.response
    if response is None or response.status not in {429, 503}:
        return None
    values = response.header_values("retry-after")
    if not values:
        return float(2**attempt) if response.status == 429 else None
    if re.fullmatch(r"\s*[0-9]+\s*", values[0], re.ASCII):
        return min(float(values[0][:20]), FOR_EVER)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(values[0]).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return float(2**attempt)


def _encoded_query(parameters: Sequence[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters)


def json_body(value: JsonValue | Mapping[str, JsonValue]) -> bytes:
    """Write a value as JSON text in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _never() -> None:
    """Let requests that must overlap go on whatever happens; their timeout bounds them."""
