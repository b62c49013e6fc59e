"""Rules for destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.judge.reading import documented_properties, members_of, times_listed
from provider_conformance.judge.values import loose_id
from provider_conformance.judge.wording import Problem, answer, outcome, with_what

if TYPE_CHECKING:
    from provider_conformance.exchange import Exchange


def refused_as_invalid_id(exchange: Exchange, *, what: str) -> Problem | None:
    """Destroy refuses an invalid id with exactly 400 (D11)."""
    if exchange.status == 400:
        return None
    return Problem(f"destroy{with_what(what)} is answered with {outcome(exchange)}", "exactly 400", answer(exchange))


def no_longer_shown(exchange: Exchange, *, id: int, name: str) -> Problem | None:
    """Show of a destroyed provider does not give it any more; that it gives another one is another matter (SHOW-4)."""
    members = members_of(exchange) if exchange.succeeded else None
    # An object with nothing documented but the id shows no provider: it may just repeat what was asked.
    if members and members.keys().isdisjoint({*documented_properties()} - {"id"}):
        return None
    if (
        not members
        or members.get("name", name) != name
        or ("name" not in members and loose_id(members.get("id")) != id)
    ):
        return None
    return Problem(
        f"show still gives provider {id} after it was destroyed", "a refusal, or no such provider", answer(exchange)
    )


def not_listed(*pages: Exchange, id: int, name: str) -> Problem | None:
    """Going through the pages does not meet the provider."""
    times = times_listed(pages, id, name)
    if not times:
        return None
    met = "once" if times == 1 else f"{times} times"
    return Problem(f"list still gives provider {id} after it was destroyed", f"no provider {id}", f"it is listed {met}")
