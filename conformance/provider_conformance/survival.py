"""Looks at every exchange of a run once: it is answered, and not with an error of the server's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.connection import UNANSWERED
from provider_conformance.target import NOT_OPENED, patience

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.ledger import Ledger

SURVIVAL = "HTTP-2"
SURVIVAL_OF_EXCESS = "HTTP-5"
TARGET = re.compile(r"/(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*", re.ASCII)
"""Paths and queries as RFC 3986 has them: without brackets, and with percent signs before two digits only."""

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
LARGEST_BODY = 64 * 1024
DEEPEST = 100
PACKING = frozenset({"gzip", "deflate", "br", "zstd"})
"""Codings of a body whose size says nothing of what it is unpacked to."""


def judge_survival(ledger: Ledger, own: Collection[int] | None = None) -> None:
    """Judge all exchanges that were not judged yet, or the `own` of a test that may run beside others.

    Theirs may be sent anew any moment, or be judged by what they were sent for: an exchange that already fails another
    requirement is left to that one, since one cause is one failure.
    """
    exchanges = [exchange for exchange in ledger.exchanges if own is None or exchange.number in own]
    blamed = {number for claim in ledger.claims if claim.problem is not None for number in claim.exchanges}
    settled = blamed | ledger.judged(SURVIVAL)
    for exchange in answerable(exchanges, settled | ledger.lost()):
        ledger.claim(SURVIVAL, judge.survived, exchange)


def answerable(exchanges: Sequence[Exchange], others: Collection[int]) -> Iterator[Exchange]:
    """Give the exchanges that had to be answered, but `others`: within the bounds, and not repeated.

    A target that never answers again may have been stopped by somebody; the run says that it is gone.
    """
    last_tries = {id(exchange.request): exchange.number for exchange in exchanges}
    for exchange in exchanges:
        if exchange.number in others:
            continue
        later = patience(exchange, 0) is not None
        started = exchange.detail != NOT_OPENED
        # The very same request was sent anew because a kept connection turned out to be closed.
        repeated = exchange.detail == UNANSWERED and last_tries[id(exchange.request)] > exchange.number
        if is_within_bounds(exchange) and started and not later and not repeated:
            yield exchange


def is_within_bounds(exchange: Exchange) -> bool:
    """Tell whether a request is one that every implementation has to answer: well-formed, and not too large."""
    request = exchange.request
    well_formed = request.method in METHODS and TARGET.fullmatch(request.target) is not None
    return well_formed and not is_excessive(exchange)


def is_excessive(exchange: Exchange) -> bool:
    """Tell whether a request has a body that is too large or too deep, or that may be so once it is unpacked."""
    request = exchange.request
    body = request.body or b""
    packed = any(name.lower() == "content-encoding" and value in PACKING for name, value in request.headers)
    return packed or len(body) > LARGEST_BODY or _levels(body) > DEEPEST


def survival_of(exchange: Exchange) -> str:
    """Return the requirement that a server breaks if it goes down over a request, or nothing."""
    if is_within_bounds(exchange):
        return SURVIVAL
    return SURVIVAL_OF_EXCESS if is_excessive(exchange) else ""


def _levels(body: bytes) -> int:
    """Count the levels of nesting of a JSON text; of what is none, at least as many as a parser would meet."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return 0
    levels = deepest = 0
    for byte in body:
        levels += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, levels)
    return deepest
