"""Rules for show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.judge.reading import members_of, wrong_types
from provider_conformance.judge.values import MISSING, Values, loose_id, shown
from provider_conformance.judge.wording import Problem, answer, difference, kind_of_body, outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider_conformance.exchange import Exchange


def shows_asked(exchange: Exchange, *, id: int) -> Problem | None:
    """Show of an existing provider gives 200 and a JSON object that bears the id asked for.

    An id of the right digits and the wrong JSON type is left to the rule about types.
    """
    expected = f"200 and a JSON object whose id is {id}"
    if not exchange.succeeded:
        return Problem(
            f"show of the existing provider {id} is answered with {outcome(exchange)}", expected, answer(exchange)
        )
    members = members_of(exchange)
    if members is None:
        return Problem(f"show answers with {kind_of_body(exchange)}", expected, answer(exchange))
    if "id" not in members:
        return Problem(f"show of provider {id} answers without an id", expected, answer(exchange))
    if loose_id(members["id"]) != id:
        return Problem(f"show of provider {id} answers with the id {shown(members['id'])}", expected, answer(exchange))
    return None


def shows_values(exchange: Exchange, *, values: Values) -> Problem | None:
    """Show gives back every value that was stored; values of a wrong type are left to the rule about types."""
    members = members_of(exchange) or {}
    broken = wrong_types(members, Operation.SHOW)
    return difference(
        {name: members.get(name, MISSING) for name in values if name not in broken},
        {name: value for name, value in values.items() if name not in broken},
        "show gives back something else than was created",
    )


def gives_nobody(exchange: Exchange, *, asked: int, others: Mapping[str, Values]) -> Problem | None:
    """Show of an id that no provider bears never gives some other provider.

    `others` are the values of the run's other providers by their ids in decimal.
    """
    members = members_of(exchange) if exchange.succeeded else None
    if not members:
        return None
    expected = f"a refusal, or at most an answer without a provider: {asked} was destroyed and names none"
    found = loose_id(members.get("id"))
    if found is not None and found != asked and str(found) in others:
        return Problem(f"show of the unknown id {asked} gives provider {found}", expected, answer(exchange))
    for other, values in others.items():
        if any(members.get(name) == values[name] for name in ("name", "hostname", "auth_id")):
            return Problem(
                f"show of the unknown id {asked} gives the values of provider {other}", expected, answer(exchange)
            )
    return None


def unknown_refused(exchange: Exchange, *, asked: int, what: str) -> Problem | None:
    """Show of an id that names no provider is refused."""
    if exchange.refused:
        return None
    return Problem(
        f"show of {what}, {asked}, is not refused but answered with {outcome(exchange)}",
        "a refusal: any 4xx",
        answer(exchange),
    )
