"""Finds what must have happened before an exchange for it to mean the same: the story of the providers in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.mentioned import mentioned_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provider_conformance.exchange import Exchange, Request
    from provider_conformance.record import Claim, Record

WRITES = frozenset({Operation.UPDATE, Operation.DESTROY})
ASKED = WRITES | {Operation.SHOW}
ASKED_FOR = re.compile(r"[?&]id=(-?[0-9]{1,19})(?:&|$)")
NUMBER = re.compile(r"-?[0-9]{1,20}")


def history(record: Record, claim: Claim) -> list[int]:
    """Return the numbers of the exchanges that a claim needs, in the order in which they were sent.

    These are its own and its story's, and of every provider of the run in them the create and the last accepted update
    before, and its destroy where it was gone. Of one whose id is only one of several numbers, no update is needed.
    """
    exchanges = {exchange.number: exchange for exchange in record.exchanges}
    wanted = {number for number in (*claim.story, *claim.exchanges) if number in exchanges}
    last = max(wanted, default=0)
    lives = _lives(record.exchanges, last)
    mentioned = {identity for number in wanted for identity in _ids_of(exchanges[number])}
    named = {identity for number in wanted for identity in _targets_of(exchanges[number])}
    named |= set(ids_among(claim.arguments))
    for identity in (mentioned | named) & lives.keys():
        life = [one for one in lives[identity] if identity in named or one.operation != Operation.UPDATE]
        wanted |= _needed(life, wanted)
    return sorted(wanted)


def _lives(exchanges: Iterable[Exchange], last: int) -> dict[int, list[Exchange]]:
    """Return the accepted writes on each provider up to an exchange, its create first."""
    lives: dict[int, list[Exchange]] = {}
    for exchange in exchanges:
        if exchange.number > last or exchange.response is None or exchange.refused:
            continue
        if exchange.operation == Operation.CREATE and (identity := judge.given_id(exchange)) is not None:
            lives[identity] = [exchange]
        elif exchange.operation in WRITES and exchange.succeeded:
            for target in _targets_of(exchange) & lives.keys():
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


def known_ids(exchanges: Iterable[Exchange]) -> frozenset[int]:
    """Return the ids that the run was given by creates, whatever their status, and those that it showed or changed."""
    given = (judge.given_id(one) for one in exchanges if one.operation == Operation.CREATE)
    asked = (_asked_of(one) for one in exchanges if one.operation in ASKED)
    return frozenset(identity for identity in (*given, *asked) if identity is not None and identity in judge.INT64)


def _asked_of(exchange: Exchange) -> int | None:
    """Return the id that a show, update or destroy names as the docs say."""
    if exchange.operation == Operation.SHOW:
        found = ASKED_FOR.search(exchange.request.target)
        return int(found[1]) if found else None
    try:
        identity = json.loads(exchange.request.body or b"")["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return identity if isinstance(identity, int) and not isinstance(identity, bool) else None


def _targets_of(exchange: Exchange) -> set[int]:
    """Return the id that an exchange names as the docs say, or else every number in it that may be one."""
    identity = _asked_of(exchange)
    return _ids_of(exchange) if identity is None else {identity}


def ids_told_by(request: Request) -> set[int]:
    """Return every number in a request that may be the id of a provider."""
    return mentioned_ids(request.target.partition("?")[2], request.body)


def _ids_of(exchange: Exchange) -> set[int]:
    """Return the ids that an exchange may be about; a create is about none."""
    return set() if exchange.operation == Operation.CREATE else ids_told_by(exchange.request)


def ids_among(value: object) -> Iterator[int]:
    """Give every number among what a rule is given."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, str) and NUMBER.fullmatch(value):
        yield int(value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from ids_among(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from ids_among(name)
            yield from ids_among(member)
