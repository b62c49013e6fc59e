"""Rules for update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.judge.reading import listed, listed_item, members_of, wrong_types
from provider_conformance.judge.show import shows_asked
from provider_conformance.judge.values import MISSING, Values, loose_id, same, shown
from provider_conformance.judge.wording import Problem, answer, difference, name_of, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.exchange import Exchange


def shows_update(
    before: Exchange, after: Exchange, *, held: Values, values: Values, ill_typed: Sequence[str] = ()
) -> Problem | None:
    """After an update, show gives every value as updated.

    A property that show gave wrongly already before the update is not judged, nor one in `ill_typed`, which has
    the wrong type without any update: the fault lies elsewhere.
    """
    old, new = members_of(before) or {}, members_of(after) or {}
    broken = [name for name in wrong_types(new, Operation.SHOW) if name in ill_typed]
    sound = [name for name in values if same(old.get(name, MISSING), held.get(name)) and name not in broken]
    wrong = [name for name in sound if not same(new.get(name, MISSING), values[name])]
    stale = all(same(new.get(name, MISSING), held.get(name)) for name in wrong)
    return difference(
        {name: new.get(name, MISSING) for name in wrong},
        {name: values[name] for name in wrong},
        f"after the update, show {'still gives the old value' if stale else 'gives something else than was sent'}",
    )


def id_kept(*pages: Exchange, id: int, name: str) -> Problem | None:
    """An updated provider is still listed by the id that it had."""
    found = [loose_id(item.get("id")) for page in pages for item in listed(page) if item.get("name") == name]
    if not found or id in found:
        return None
    return Problem(
        f"the update has given provider {id} the id {found[0]}",
        f"the id {id}, as before",
        f"it is listed as {found[0]}",
    )


def lists_update(page: Exchange, *, id: int, held: Values, values: Values) -> Problem | None:
    """After an update, list gives the updated value of every property that it bears."""
    item = listed_item(page, id)
    if item is None:
        return None
    stale = [
        name
        for name in values
        if name in item and not same(item[name], values[name]) and same(item[name], held.get(name, MISSING))
    ]
    return difference(
        {name: item[name] for name in stale},
        {name: values[name] for name in stale},
        "after the update, list still gives the old value",
    )


def creates_nobody(request: Exchange, show: Exchange, *, id: int) -> Problem | None:
    """An update of an id that names no provider has not made one; an answer with the bare id gives none."""
    if shows_asked(show, id=id) is not None or (members_of(show) or {}).keys() == {"id"}:
        return None
    return Problem(
        f"update of the unknown id {id} is answered with {outcome(request)}, and now show gives a provider of that id",
        "no new provider",
        answer(show),
    )


def in_one_state(
    exchange: Exchange, *, states: Sequence[Values], id: int, names: Sequence[str], before: Values | None = None
) -> Problem | None:
    """After concurrent updates a provider is in one of the states that were accepted.

    `names` are the properties to compare; a list is judged by what it bears of the provider, and values of a wrong
    type are left to the rule about types. `before` is the state that the updates found, to tell when all are lost.
    """
    item = listed_item(exchange, id) if exchange.operation == Operation.LIST else members_of(exchange)
    if item is None:
        return None
    broken = wrong_types(item, "listed" if exchange.operation == Operation.LIST else Operation.SHOW)
    borne = [name for name in names if name not in broken and (exchange.operation == Operation.SHOW or name in item)]

    def bears(state: Values) -> bool:
        return all(same(item.get(name, MISSING), state[name]) for name in borne)

    if any(map(bears, states)):
        return None
    lost = before is not None and bears(before)
    nearest = max(states, key=lambda state: sum(same(item.get(name, MISSING), state[name]) for name in borne))
    odd = [name for name in borne if not same(item.get(name, MISSING), nearest[name])]
    blend = all(any(same(item.get(name, MISSING), state[name]) for state in states) for name in odd)
    where, names_of_odd = name_of(exchange), ", ".join(odd)
    if lost:
        summary = f"after concurrent updates that were accepted, {where} still gives what was before all of them"
    elif blend:
        summary = (
            f"after concurrent updates, {where} gives a blend of them: {names_of_odd} of one, the others of another"
        )
    else:
        summary = f"after concurrent updates, {where} gives {names_of_odd} as none of them set it"
    return Problem(
        summary,
        f"one of the {len(states)} states that were accepted, such as "
        + "; ".join(f"{name} = {shown(nearest[name])}" for name in odd),
        "; ".join(f"{name} = {shown(item.get(name, MISSING))}" for name in borne),
    )
