"""Finds what must have happened before an exchange for it to mean the same: the story of the providers in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provider_conformance.exchange import Exchange
    from provider_conformance.record import Claim, Record

WRITES = frozenset({Operation.UPDATE, Operation.DESTROY})
NUMBER = re.compile(r"-?[0-9]{1,20}")


def history(record: Record, claim: Claim) -> list[int]:
    """Return the numbers of the exchanges that a claim needs, in the order in which they were sent.

    These are its own and its story's, and of every provider of the run in them the create and the last accepted update
    before, and its destroy where it was gone.
    """
    exchanges = {exchange.number: exchange for exchange in record.exchanges}
    wanted = {number for number in (*claim.story, *claim.exchanges) if number in exchanges}
    last = max(wanted, default=0)
    lives = _lives(record.exchanges, last)
    mentioned = {identity for number in wanted for identity in _ids_of(exchanges[number])}
    mentioned |= set(_ids_in(claim.arguments))
    for identity in mentioned & lives.keys():
        wanted |= _needed(lives[identity], wanted)
    return sorted(wanted)


def _lives(exchanges: Iterable[Exchange], last: int) -> dict[int, list[Exchange]]:
    """Return the accepted writes on each provider up to an exchange, its create first."""
    lives: dict[int, list[Exchange]] = {}
    for exchange in exchanges:
        if exchange.number > last or not exchange.succeeded:
            continue
        if exchange.operation == Operation.CREATE and (identity := judge.given_id(exchange)) is not None:
            lives[identity] = [exchange]
        elif exchange.operation in WRITES and (target := _target_of(exchange)) in lives:
            lives[target].append(exchange)
    return lives


def _needed(life: list[Exchange], wanted: set[int]) -> set[int]:
    """Return the create of a provider, its last update, and its destroy, before the first use that is wanted."""
    create, *rest = life
    destroys = [exchange.number for exchange in rest if exchange.operation == Operation.DESTROY]
    updates = [exchange.number for exchange in rest if exchange.operation == Operation.UPDATE]
    later = [number for number in wanted if number > create.number and number not in {*destroys, *updates}]
    first_use = min(later, default=0)
    return {create.number, *[number for number in updates if number < first_use][-1:], *destroys}


def _target_of(exchange: Exchange) -> int:
    """Return the id that an update or destroy names, or one that there is not."""
    try:
        identity = json.loads(exchange.request.body or b"")["id"]
    except (ValueError, KeyError, TypeError):
        return -(2**63)
    return identity if isinstance(identity, int) else -(2**63)


def _ids_of(exchange: Exchange) -> Iterator[int]:
    """Give every number in an exchange's request that may be the id of a provider."""
    request = exchange.request
    text = request.target.partition("?")[2]
    if exchange.operation in WRITES:
        text += (request.body or b"")[:4096].decode("utf-8", "replace")
    yield from (int(number) for number in NUMBER.findall(text))


def _ids_in(value: object) -> Iterator[int]:
    """Give every number among what a rule is given."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, str) and NUMBER.fullmatch(value):
        yield int(value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _ids_in(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _ids_in(name)
            yield from _ids_in(member)
