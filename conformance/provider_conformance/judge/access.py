"""Rules for the access token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.judge.reading import listed, members_of, turned_away
from provider_conformance.judge.wording import Problem, answer, name_of, outcome

if TYPE_CHECKING:
    from provider_conformance.exchange import Exchange


def token_served(exchange: Exchange) -> Problem | None:
    """A request with the valid token is not turned away for its token."""
    if not turned_away(exchange):
        return None
    return Problem(
        f"{name_of(exchange)} with the valid token is answered with {outcome(exchange)}",
        "the valid token in the header access_token is served",
        answer(exchange),
    )


def name_spelt_freely(plain: Exchange, special: Exchange, *again: Exchange, spelling: str) -> Problem | None:
    """A request is not refused for the letter case of its header's name. Source: RFC 9110 section 5.1.

    `again` is the plain request once more, accepted as before: the letter case alone makes the difference.
    """
    if not special.refused or not all(twin.succeeded for twin in (plain, *again)):
        return None
    return Problem(
        f"{name_of(special)} with the token's header written {spelling} is answered with {outcome(special)}",
        "200, as for its twin: the letter case of a header's name means nothing",
        answer(special),
    )


def kept_from_strangers(exchange: Exchange, *, id: int, name: str) -> Problem | None:
    """Nobody is given a provider without the valid token, however the path is spelt."""
    given = [members_of(exchange) or {}, *listed(exchange)]
    if not 200 <= (exchange.status or 0) < 300 or all(one.get("name") != name for one in given):
        return None
    path = exchange.request.target.partition("?")[0]
    return Problem(
        f"{exchange.request.method} {path} without the token gives provider {id}",
        "no provider without the valid token, however the path is spelt",
        answer(exchange),
    )
