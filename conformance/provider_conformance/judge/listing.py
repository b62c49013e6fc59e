"""Rules for list."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.judge.reading import (
    documented_properties,
    listed,
    listed_item,
    members_of,
    times_listed,
    wrong_types,
)
from provider_conformance.judge.values import MISSING, loose_id, quoted, shown
from provider_conformance.judge.wording import Problem, answer, difference, ids_by_page, paging_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue


def list_unchanged(*pages: Exchange, first: int, ids: Sequence[int], ordered: bool = True) -> Problem | None:
    """After requests that were all refused, list gives our providers as before, and in the same order where `ordered`.

    The `first` pages were read before. What a listed provider bears may vary (D5); what it bears twice is compared.
    """
    before, after = _ours(pages[:first], ids), _ours(pages[first:], ids)
    names = set(documented_properties())
    for identity, old in before.items():
        new = after.get(identity)
        if new is None:
            return Problem(
                f"after requests that were all refused, list no longer gives provider {identity}",
                f"provider {identity}, as before",
                f"the pages give, in order, the ids {', '.join(ids_by_page(pages[first:]))}",
            )
        both = names & old.keys() & new.keys()
        problem = difference(
            {name: new[name] for name in sorted(both)},
            {name: old[name] for name in sorted(both)},
            f"after requests that were all refused, list gives provider {identity} otherwise than before",
        )
        if problem is not None:
            return problem
    if ordered and list(before) != [identity for identity in after if identity in before]:
        return Problem(
            "after requests that were all refused, list gives our providers in another order",
            f"the order {', '.join(map(str, before))}",
            f"the order {', '.join(map(str, after))}",
        )
    return None


def _ours(pages: Sequence[Exchange], ids: Sequence[int]) -> dict[int, dict[str, JsonValue]]:
    items = [(loose_id(item.get("id")), item) for page in pages for item in listed(page)]
    return {identity: item for identity, item in items if identity is not None and identity in ids}


def at_most_pagesize(exchange: Exchange, *, pagesize: int) -> Problem | None:
    """List gives at most `pagesize` providers."""
    count = len(listed(exchange))
    if count <= pagesize:
        return None
    return Problem(
        f"list gives {count} providers for pagesize {pagesize}", f"at most {pagesize} providers", f"{count} providers"
    )


def listed_once(*pages: Exchange, id: int, name: str) -> Problem | None:
    """Going through the pages meets the provider exactly once."""
    times = times_listed(pages, id, name)
    if times == 1:
        return None
    met = "not at all" if times == 0 else f"{times} times"
    return Problem(
        f"list gives provider {id} {met}",
        f"provider {id} exactly once",
        f"the pages give, in order, the ids {', '.join(ids_by_page(pages))}",
    )


def every_one_once(*pages: Exchange, names: Mapping[str, str]) -> Problem | None:
    """Going through the pages meets every one of our providers exactly once; `names` are theirs by id in decimal."""
    times = {int(identity): times_listed(pages, int(identity), name) for identity, name in names.items()}
    lost = [identity for identity, count in times.items() if count == 0]
    twice = [identity for identity, count in times.items() if count > 1]
    if not lost and not twice:
        return None
    what = f"never gives provider {lost[0]}" if lost else f"gives provider {twice[0]} more than once"
    return Problem(
        f"list, page by page with {paging_of(pages)}, {what}",
        f"each of our providers {', '.join(names)} exactly once",
        f"the pages give, in order, the ids {', '.join(ids_by_page(pages))}",
    )


def same_order(*pages: Exchange, first: int, ids: Sequence[int], backwards: bool = False) -> Problem | None:
    """Two walks through the pages, of which the first has `first` pages, meet our providers in the same order.

    The pages of the second are given in order, too, though they may have been asked for `backwards`.
    """
    orders = [
        [found for page in walk for item in listed(page) if (found := loose_id(item.get("id"))) in ids]
        for walk in (pages[:first], pages[first:])
    ]
    if orders[0] == orders[1]:
        return None
    asked = ", when its pages are asked for from the last to the first" if backwards else ""
    return Problem(
        f"list gives our providers in another order the second time{asked}, though nothing changed",
        f"the order {', '.join(map(str, orders[0]))} again",
        f"the order {', '.join(map(str, orders[1]))}",
    )


def items_bear_ids(exchange: Exchange, *, names: Mapping[str, str]) -> Problem | None:
    """Each listed provider of ours bears its id; `names` are theirs by id in decimal."""
    ids = {name: identity for identity, name in names.items()}
    for item in listed(exchange):
        name = item.get("name")
        if not isinstance(name, str) or name not in ids or str(loose_id(item.get("id"))) == ids[name]:
            continue
        given = f"with the id {shown(item['id'])}" if "id" in item else "without an id"
        return Problem(
            f"list gives the provider named {quoted(name)} {given}, not its id {ids[name]}",
            f"the id {ids[name]}",
            f"the properties {', '.join(sorted(item))}",
        )
    return None


def list_agrees(page: Exchange, show: Exchange, *, id: int) -> Problem | None:
    """A listed provider bears no value that show contradicts."""
    item, members = listed_item(page, id), members_of(show)
    if item is None or members is None:
        return None
    broken = {*wrong_types(item, "listed"), *wrong_types(members, Operation.SHOW)}
    common = [name for name in documented_properties() if name in item and name in members and name not in broken]
    return difference(
        {name: item[name] for name in common},
        {name: members[name] for name in common},
        f"list gives for provider {id} something else than show",
    )


def reports_default(exchange: Exchange) -> Problem | None:
    """List without `sort_by` reports DEFAULT (D14); an answer that is no JSON object is left to other rules."""
    members = members_of(exchange)
    if members is None or members.get("sort_by") == "DEFAULT":
        return None
    given = shown(members["sort_by"]) if "sort_by" in members else "no sort_by"
    return Problem(f"list without sort_by reports {given}", 'sort_by "DEFAULT"', answer(exchange))


def listed_alike(*pages: Exchange, first: int, id: int, name: str, since: str) -> Problem | None:
    """A provider that list gave once is still given once, and as before; the `first` pages were read before.

    What a listed provider bears may vary (D5); what it bears twice is compared.
    """
    before, after = pages[:first], pages[first:]
    if times_listed(before, id, name) != 1:
        return None
    if times_listed(after, id, name) != 1:
        problem = listed_once(*after, id=id, name=name)
        return problem and replace(problem, summary=f"after {since}, {problem.summary}")
    old, new = (_ours(walk, [id]).get(id, {}) for walk in (before, after))
    both = sorted(set(documented_properties()) & old.keys() & new.keys())
    return difference(
        {name: new[name] for name in both},
        {name: old[name] for name in both},
        f"after {since}, list gives provider {id} otherwise than before",
    )


def name_listed_once(*pages: Exchange, name: str) -> Problem | None:
    """No second provider has come to bear the name."""
    ids = [shown(item.get("id")) for page in pages for item in listed(page) if item.get("name") == name]
    found = sorted(set(ids))
    if len(found) <= 1:
        return None
    return Problem(f"there are {len(found)} providers named {quoted(name)} now", "one", f"the ids {', '.join(found)}")


def counts_all(page: Exchange, *, size: int) -> Problem | None:
    """List reports in `count` how many providers there are; its type is left to the rule about types."""
    members = members_of(page) or {}
    expected = f"count {size}, which is how many providers the pages give"
    if "count" not in members:
        return Problem("list reports no count", expected, answer(page))
    count = loose_id(members["count"])
    if count is None or count == size:
        return None
    return Problem(f"list reports count {count}, but the pages give {size} providers", expected, answer(page))


def counts_what_follows(page: Exchange, further: Exchange, *, size: int, known: Sequence[int]) -> Problem | None:
    """A list whose `count` says that it ends has no page more with providers that it did not give yet."""
    more = [found for item in listed(further) if (found := loose_id(item.get("id"))) is not None and found not in known]
    if not more:
        return None
    return Problem(
        f"list reports count {shown((members_of(page) or {}).get('count'))}, but gives further providers beyond these",
        f"count {size + len(more)} at least",
        f"one page more gives {len(more)} providers that no page before gave",
    )


def counts_chosen(page: Exchange, *further: Exchange, size: int) -> Problem | None:
    """List counts under OPTIONAL no more providers than there are, and no fewer than its pages give.

    Which providers OPTIONAL gives is free (D14), so that it may count those alone, or all. A further page that gives
    nobody new may not exist, and is free (D16).
    """
    pages = [page, *(other for other in further if not _ids(other) <= _ids(page))]
    least = len(set().union(*map(_ids, pages)))
    expected = f"a count from {least}, as many as the pages give, to {size}, which is how many there are in all"
    for one in pages:
        members = members_of(one) or {}
        if "count" not in members and listed(one) and one is page:
            return Problem("list under OPTIONAL reports no count", expected, answer(one))
        count = loose_id(members.get("count"))
        if count is not None and not least <= count <= size:
            told = f"its pages give {least} providers" if count < least else f"there are {size} providers in all"
            return Problem(f"list under OPTIONAL reports count {count}, but {told}", expected, answer(one))
    return None


def _ids(page: Exchange) -> set[int]:
    return {found for item in listed(page) if (found := loose_id(item.get("id"))) is not None}


def reports_asked(page: Exchange, *, asked: Mapping[str, int | str]) -> Problem | None:
    """List reports back what was asked for; a wrong type, or what is no JSON object, is left to other rules."""
    members = members_of(page)
    if members is None:
        return None
    for name, value in asked.items():
        given = members.get(name, MISSING)
        right = loose_id(members.get(name)) == value if isinstance(value, int) else given == value
        if not right:
            return Problem(
                f"list reports {name} {shown(given)} where {shown(value)} was asked for",
                f"{name} {shown(value)}",
                answer(page),
            )
    return None


def page_count_fits(page: Exchange, *, pagesize: int) -> Problem | None:
    """List reports as many pages as its own count makes with the page size that was asked for."""
    members = members_of(page) or {}
    count, given = loose_id(members.get("count")), members.get("page_count", MISSING)
    if count is None or loose_id(members.get("page_count")) == -(-count // pagesize):
        return None
    return Problem(
        f"list reports page_count {shown(given)} for count {count} and pagesize {pagesize}",
        f"page_count {-(-count // pagesize)}",
        answer(page),
    )
