"""What judging and recording cost: the suite beside its own requests, sent as fast as a client can."""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.results import Benchmark, Row
from command import TOKEN
from provider_conformance import evidence, record
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.running import Runner
    from provider_conformance.exchange import Exchange, Request

ROUNDS = 3
FLOOR = Benchmark(
    title="The suite beside its bare requests",
    about="By the clock. The bare requests are those of the run just before, from its evidence: one after another over"
    " one connection that is kept, the answers read and not looked at. The suite is measured while it tests: from its"
    " first look at the target until it has cleaned up, without starting and without writing reports. Both ask a new"
    " reference implementation in a process of its own, which works on the other side of every exchange.",
    packages=("uvicorn", "starlette", "sqlalchemy"),
    by="rate",
)
CUT = b" bytes)"
"""How a body ends that is longer than what the evidence keeps."""


def sendable(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the exchanges whose requests are there whole; for a long create that was accepted, with a short one.

    The reference numbers its providers: without any create there, all later requests would miss theirs.
    """
    short = next(exchange.request for exchange in exchanges if exchange.operation == "create" and exchange.succeeded)
    found = []
    for exchange in exchanges:
        if not (exchange.request.body or b"").endswith(CUT):
            found.append(exchange)
        elif exchange.operation == "create" and exchange.succeeded:
            found.append(replace(exchange, request=short))
    return found


def headers(request: Request) -> list[tuple[str, str]]:
    """Return the headers to send: with the token, and with the length of a body whose passwords are others now."""
    length = str(len(request.body or b""))
    return [
        (name, length if name.lower() == "content-length" else value.replace(record.TOKEN, TOKEN))
        for name, value in request.headers
    ]


def bare(exchanges: Sequence[Exchange]) -> tuple[float, list[int]]:
    """Send the requests to a reference that has served nobody yet; give seconds and statuses."""
    requests = [(exchange.request, headers(exchange.request)) for exchange in exchanges]
    statuses = []
    with Server(token=TOKEN) as server:
        parts = urlsplit(server.base_url)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:
            start = time.perf_counter()
            for request, pairs in requests:
                connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
                for name, value in pairs:
                    connection.putheader(name, value)
                connection.endheaders(request.body)
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
            return time.perf_counter() - start, statuses


def test_floor(runner: Runner, contribute: Callable[[Row], None]) -> None:
    floor, suite = [], []
    for _ in range(ROUNDS):
        # The embedded reference: what the run imports while that starts is no part of testing.
        run = runner.certify()
        suite.append((float(run.report["duration_s"]), run.exchanges))
        exchanges = sendable(evidence.read((run.folder / "reports" / evidence.FILE_NAME).read_bytes()).exchanges)
        assert len(exchanges) > 0.99 * run.exchanges
        seconds, statuses = bare(exchanges)
        same = sum(exchange.status == status for exchange, status in zip(exchanges, statuses, strict=True))
        assert same > 0.99 * len(exchanges)
        floor.append((seconds, len(exchanges)))
    for subject, found in (("bare requests", floor), ("the suite", suite)):
        times, counts = zip(*found, strict=True)
        contribute(Row(FLOOR, subject, times, counts))
