"""Rules for create."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.judge.reading import given_id, listed, listed_item, members_of
from provider_conformance.judge.values import Values, is_int64, loose_id, same, shown, type_of
from provider_conformance.judge.wording import Problem, answer, kind_of_body, name_of, outcome, with_what

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.exchange import Exchange


def gives_id(exchange: Exchange) -> Problem | None:
    """Create answers with a JSON object whose `id` is an int64 integer."""
    expected = "a JSON object whose id is an int64 integer"
    members = members_of(exchange)
    if members is None:
        return Problem(f"create answers with {kind_of_body(exchange)}", expected, answer(exchange))
    if "id" not in members:
        return Problem("create answers without the new provider's id", expected, answer(exchange))
    if not is_int64(members["id"]):
        return Problem(
            f"create gives the id {shown(members['id'])}, {type_of(members['id'])}", expected, answer(exchange)
        )
    return None


def gives_listed_id(created: Exchange, *pages: Exchange, name: str) -> Problem | None:
    """The id that create gives is the one under which list has the new provider."""
    found = [loose_id(item.get("id")) for page in pages for item in listed(page) if item.get("name") == name]
    if not found or given_id(created) in found:
        return None
    return Problem(
        f"create gives the id {given_id(created)}, but the new provider is listed as {found[0]}",
        f"the id {found[0]}",
        answer(created),
    )


def id_is_new(exchange: Exchange, *, seen: Sequence[int]) -> Problem | None:
    """An id that create gives was borne by no provider seen before, destroyed ones included."""
    found = given_id(exchange)
    if found is None or found not in seen:
        return None
    return Problem(
        f"create gives the id {found}, which another provider bears or bore",
        "an id that no provider of this run has or had",
        answer(exchange),
    )


def id_is_nobody_s(created: Exchange, show: Exchange, *, id: int, marks: Values) -> Problem | None:
    """An id that create gives is not one that the list gave before, of a provider with nothing of what was created."""
    members = members_of(show) or {}
    if any(same(members.get(name), value) for name, value in marks.items()):
        return None
    return Problem(
        f"create gives the id {id}, which is that of somebody else's provider",
        "an id of the new provider's own",
        f"{answer(created)}; show gives a provider of this id that bears nothing of what was created",
    )


def ids_differ(*exchanges: Exchange) -> Problem | None:
    """Creates that arrive at the same time get ids of their own."""
    ids = [found for found in map(given_id, exchanges) if found is not None]
    twice = sorted({found for found in ids if ids.count(found) > 1})
    if not twice:
        return None
    return Problem(
        f"creates sent at the same time are given the same id {twice[0]}",
        f"{len(ids)} different ids",
        f"the ids {', '.join(map(str, ids))}",
    )


def not_stored(request: Exchange, show: Exchange, *, name: str, what: str) -> Problem | None:
    """A refused create has stored nothing: no provider bears the name that only it carried."""
    if (members_of(show) or {}).get("name") != name:
        return None
    return Problem(
        f"create{with_what(what)} is answered with {outcome(request)}, and yet the provider is stored",
        "no change",
        f"show gives it: {answer(show)}",
    )


def stored_nothing(request: Exchange, found: Exchange, *, id: int, marks: Values, what: str) -> Problem | None:
    """A create that had to be refused has stored nothing: no new provider bears what only it carried, its `marks`.

    `found` is a page of the list, or a show, that gives the provider `id`, which was not there before.
    """
    members = listed_item(found, id) if found.operation == Operation.LIST else members_of(found)
    if not any(name in marks and same(value, marks[name]) for name, value in (members or {}).items()):
        return None
    return Problem(
        f"{name_of(request)}{with_what(what)} is answered with {outcome(request)}, and yet a provider is stored",
        "no new provider",
        f"{name_of(found)} gives provider {id}, which bears what the request carried",
    )
