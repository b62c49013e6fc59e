"""Judges recorded exchanges: pure functions that find a problem or none, and know nothing of sending.

Every rule takes exchanges and plain data and gives a `Problem` or None, so that a record can be judged again
without the implementation that it came from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from provider_conformance.contract import Operation, load_contract
from provider_conformance.disclosure import internals, sayings, token_disclosed, value_disclosed
from provider_conformance.exchange import Exchange, Request, TransportProblem
from provider_conformance.jsontext import JsonValue

Values: TypeAlias = Mapping[str, JsonValue]

INT64 = range(-(2**63), 2**63)
SLOWEST = 5.0
"""Seconds that a request may always take: no noise on a busy machine is to be taken for harm."""

SLOWEST_FACTOR = 20

LARGEST_SAID = 100_000
"""Bytes of a request's body that are looked through for what an error repeats of it."""

NEVER_COMPARED = frozenset({"status", "password"})
"""Status is what the implementation observes (D9), and a password may be masked or left out (D10)."""


@dataclass(frozen=True)
class Problem:
    """What a rule found wrong: one line that names it, what the contract expects, and what came."""

    summary: str
    expected: str
    actual: str


def accepted(exchange: Exchange, *, what: str = "") -> Problem | None:
    """Success is exactly 200 (D12); `what` tells what is special about the request."""
    if exchange.succeeded:
        return None
    return Problem(f"{name_of(exchange)}{_with(what)} is answered with {outcome(exchange)}", "200", answer(exchange))


def refused(exchange: Exchange, *, what: str) -> Problem | None:
    """A refusal is any 4xx (D11); `what` tells why it is due."""
    if exchange.refused:
        return None
    return Problem(
        f"{name_of(exchange)}{_with(what)} is not refused but answered with {outcome(exchange)}",
        "a refusal: any 4xx",
        answer(exchange),
    )


def refused_as_invalid_id(exchange: Exchange, *, what: str) -> Problem | None:
    """Destroy refuses an invalid id with exactly 400 (D11)."""
    if exchange.status == 400:
        return None
    return Problem(f"destroy{_with(what)} is answered with {outcome(exchange)}", "exactly 400", answer(exchange))


def token_served(exchange: Exchange) -> Problem | None:
    """A request with the valid token is not turned away for its token."""
    if not turned_away(exchange):
        return None
    return Problem(
        f"{name_of(exchange)} with the valid token is answered with {outcome(exchange)}",
        "the valid token in the header access_token is served",
        answer(exchange),
    )


def json_well_formed(exchange: Exchange) -> Problem | None:
    """The JSON of a 200 answer is application/json, UTF-8, without byte order mark and duplicate names.

    An empty body is left to the rules that say what must be in it. Source: RFC 8259, RFC 9110 section 8.3.
    """
    response = exchange.response
    if response is None or response.json.empty:
        return None
    media_types = response.header_values("content-type")
    if not media_types:
        return Problem(
            f"the answer of {name_of(exchange)} has no Content-Type", "application/json", answer(exchange)
        )
    for media_type in media_types:
        essence, _, parameters = media_type.partition(";")
        if essence.strip().lower() != "application/json":
            return Problem(
                f"the answer of {name_of(exchange)} is sent as {quoted(media_type)}",
                "Content-Type: application/json",
                answer(exchange),
            )
        charset = _charset(parameters)
        if charset not in {None, "utf-8", "utf8", "us-ascii"}:
            return Problem(
                f"the answer of {name_of(exchange)} claims the charset {quoted(charset)}",
                "UTF-8, the only encoding of JSON on the network",
                answer(exchange),
            )
    if response.json.problems:
        return Problem(
            f"the JSON of {name_of(exchange)} is not well-formed: {response.json.problems[0]}",
            "well-formed JSON in UTF-8, without byte order mark and duplicate names",
            "; ".join(response.json.problems),
        )
    return None


def served_alike(plain: Exchange, special: Exchange, *, what: str) -> Problem | None:
    """Of two requests that differ in what is free to differ, both are accepted when one is; `what` tells of the second."""
    if plain.succeeded == special.succeeded:
        return None
    odd = special if plain.succeeded else plain
    told = what if plain.succeeded else f"the plain request, not {what},"
    return Problem(
        f"{name_of(odd)} with {told} is answered with {outcome(odd)}", "200, as for its twin", answer(odd)
    )


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


def shows_asked(exchange: Exchange, *, id: int) -> Problem | None:  # noqa: A002
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
        return Problem(
            f"show of provider {id} answers with the id {shown(members['id'])}", expected, answer(exchange)
        )
    return None


def documented_types(exchange: Exchange, *, operation: str, ours: Sequence[int] = ()) -> Problem | None:
    """The documented properties of an answer bear only values of their documented types and enums.

    Of a list's providers only those in `ours` are judged: others may hold what no client could have sent.
    """
    members = members_of(exchange)
    if members is None:
        return None
    wrong = [problem for name, problem in wrong_types(members, operation).items() if name != "providers"]
    providers = members.get("providers") if operation == Operation.LIST else None
    if operation == Operation.LIST and "providers" in members:
        if not isinstance(providers, list):
            wrong.append(f"providers is {shown(providers)}, {type_of(providers)}, not array")
        else:
            wrong += [
                f"provider {shown(item['id'])}: {problem}"
                for item in providers
                if isinstance(item, dict) and loose_id(item.get("id")) in ours
                for problem in wrong_types(item, "listed").values()
            ]
    if not wrong:
        return None
    return Problem(f"{operation} answers with a value of the wrong type: {wrong[0]}", "the documented types", "; ".join(wrong))


def answers_object(exchange: Exchange) -> Problem | None:
    """The answer is 200 and a JSON object."""
    if not exchange.succeeded:
        return accepted(exchange)
    if exchange.response is not None and not exchange.json.empty and not exchange.json.readable:
        return None
    if members_of(exchange) is None:
        return Problem(f"{name_of(exchange)} answers with {kind_of_body(exchange)}", "a JSON object", answer(exchange))
    return None


def shows_values(exchange: Exchange, *, values: Values) -> Problem | None:
    """Show gives back every value that was stored; values of a wrong type are left to the rule about types."""
    members = members_of(exchange) or {}
    broken = wrong_types(members, Operation.SHOW)
    return _difference(
        {name: members.get(name, MISSING) for name in values if name not in broken},
        {name: value for name, value in values.items() if name not in broken},
        "show gives back something else than was created",
    )


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
    return _difference(
        {name: new.get(name, MISSING) for name in sound},
        {name: values[name] for name in sound},
        "after the update, show gives something else than was sent",
    )


def lists_update(page: Exchange, *, id: int, held: Values, values: Values) -> Problem | None:  # noqa: A002
    """After an update, list gives the updated value of every property that it bears."""
    item = listed_item(page, id)
    if item is None:
        return None
    stale = [
        name
        for name in values
        if name in item and not same(item[name], values[name]) and same(item[name], held.get(name, MISSING))
    ]
    return _difference(
        {name: item[name] for name in stale},
        {name: values[name] for name in stale},
        "after the update, list still gives the old value",
    )


def unchanged(before: Exchange, after: Exchange) -> Problem | None:
    """Two answers of show give the same provider."""
    old, new = members_of(before) or {}, members_of(after)
    if new is None or not after.succeeded:
        return Problem(
            f"provider {shown(old.get('id'))} can no longer be shown: {outcome(after)}",
            "the provider as it was before",
            answer(after),
        )
    names = documented_properties()
    return _difference(
        {name: new.get(name, MISSING) for name in names},
        {name: old.get(name, MISSING) for name in names},
        f"provider {shown(old.get('id'))} has changed",
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


def no_longer_shown(exchange: Exchange, *, id: int, name: str) -> Problem | None:  # noqa: A002
    """Show of a destroyed provider does not give it any more; that it gives another one is another matter (SHOW-4)."""
    members = members_of(exchange) if exchange.succeeded else None
    # An object with nothing but the id and what these docs do not know says that there is no such provider.
    if members and members.keys().isdisjoint(documented_properties()[1:]) and members.keys() != {"id"}:
        return None
    if not members or members.get("name", name) != name or ("name" not in members and loose_id(members.get("id")) != id):
        return None
    return Problem(
        f"show still gives provider {id} after it was destroyed", "a refusal, or no such provider", answer(exchange)
    )


def at_most_pagesize(exchange: Exchange, *, pagesize: int) -> Problem | None:
    """List gives at most `pagesize` providers."""
    count = len(listed(exchange))
    if count <= pagesize:
        return None
    return Problem(
        f"list gives {count} providers for pagesize {pagesize}", f"at most {pagesize} providers", f"{count} providers"
    )


def listed_once(*pages: Exchange, id: int, name: str) -> Problem | None:  # noqa: A002
    """Going through the pages meets the provider exactly once."""
    times = times_listed(pages, id, name)
    if times == 1:
        return None
    met = "not at all" if times == 0 else f"{times} times"
    return Problem(
        f"list gives provider {id} {met}",
        f"provider {id} exactly once",
        f"the pages give, in order, the ids {', '.join(_ids_by_page(pages))}",
    )


def not_listed(*pages: Exchange, id: int, name: str) -> Problem | None:  # noqa: A002
    """Going through the pages does not meet the provider."""
    times = times_listed(pages, id, name)
    if not times:
        return None
    return Problem(
        f"list still gives provider {id} after it was destroyed", f"no provider {id}", f"it is listed {times} times"
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
        f"the pages give, in order, the ids {', '.join(_ids_by_page(pages))}",
    )


def same_order(*pages: Exchange, first: int, ids: Sequence[int]) -> Problem | None:
    """Two walks through the pages, of which the first has `first` pages, meet our providers in the same order."""
    orders = [
        [found for page in walk for item in listed(page) if (found := loose_id(item.get("id"))) in ids]
        for walk in (pages[:first], pages[first:])
    ]
    if orders[0] == orders[1]:
        return None
    return Problem(
        "list gives our providers in another order the second time, though nothing changed",
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


def list_agrees(page: Exchange, show: Exchange, *, id: int) -> Problem | None:  # noqa: A002
    """A listed provider bears no value that show contradicts."""
    item, members = listed_item(page, id), members_of(show)
    if item is None or members is None:
        return None
    broken = {*wrong_types(item, "listed"), *wrong_types(members, Operation.SHOW)}
    common = [name for name in documented_properties() if name in item and name in members and name not in broken]
    return _difference(
        {name: item[name] for name in common},
        {name: members[name] for name in common},
        f"list gives for provider {id} something else than show",
    )


def reports_default(exchange: Exchange) -> Problem | None:
    """List without `sort_by` reports DEFAULT (D14)."""
    members = members_of(exchange) or {}
    if members.get("sort_by") == "DEFAULT":
        return None
    given = shown(members["sort_by"]) if "sort_by" in members else "no sort_by"
    return Problem(f"list without sort_by reports {given}", 'sort_by "DEFAULT"', answer(exchange))


def name_listed_once(*pages: Exchange, name: str) -> Problem | None:
    """No second provider has come to bear the name."""
    ids = [shown(item.get("id")) for page in pages for item in listed(page) if item.get("name") == name]
    found = sorted(set(ids))
    if len(found) <= 1:
        return None
    return Problem(
        f"there are {len(found)} providers named {quoted(name)} now", "one", f"the ids {', '.join(found)}"
    )


def not_stored(request: Exchange, show: Exchange, *, name: str, what: str) -> Problem | None:
    """A refused create has stored nothing: no provider bears the name that only it carried."""
    if (members_of(show) or {}).get("name") != name:
        return None
    return Problem(
        f"create{_with(what)} is answered with {outcome(request)}, and yet the provider is stored",
        "no change",
        f"show gives it: {answer(show)}",
    )


def refused_without_change(before: Exchange, request: Exchange, after: Exchange, *, what: str) -> Problem | None:
    """A request that had to be refused has left a provider of ours as it was, whatever it was answered with."""
    problem = unchanged(before, after)
    if problem is None:
        return None
    return Problem(
        f"{name_of(request)}{_with(what)} is answered with {outcome(request)}, and yet {problem.summary}",
        problem.expected,
        problem.actual,
    )


def stored_nothing(
    request: Exchange, found: Exchange, *, id: int, marks: Values, what: str  # noqa: A002
) -> Problem | None:
    """A create that had to be refused has stored nothing: no new provider bears what only it carried, its `marks`.

    `found` is a page of the list, or a show, that gives the provider `id`, which was not there before.
    """
    members = listed_item(found, id) if found.operation == Operation.LIST else members_of(found)
    if not any(name in marks and same(value, marks[name]) for name, value in (members or {}).items()):
        return None
    return Problem(
        f"{name_of(request)}{_with(what)} is answered with {outcome(request)}, and yet a provider is stored",
        "no new provider",
        f"{name_of(found)} gives provider {id}, which bears what the request carried",
    )


def kept_exactly(
    request: Exchange, after: Exchange, *, values: Values, what: str, spoilt: Sequence[str] = ()
) -> Problem | None:
    """What is unusual and was accepted is stored exactly as it was sent.

    Properties in `spoilt` are not given back rightly even where they are plausible: the fault lies elsewhere.
    """
    members = members_of(after) if after.succeeded else None
    if members is None:
        return Problem(
            f"{name_of(request)}{_with(what)} is accepted, but then the provider is not shown: {outcome(after)}",
            "the values as they were sent, or a refusal",
            answer(after),
        )
    return _difference(
        {name: members.get(name, MISSING) for name in values if name not in spoilt},
        {name: value for name, value in values.items() if name not in spoilt},
        f"{name_of(request)}{_with(what)} is accepted, but show gives something else than was sent",
    )


def stored_or_refused(exchange: Exchange, *, what: str) -> Problem | None:
    """What the docs allow and nobody sends is accepted or refused; that success is exactly 200 is judged elsewhere."""
    if 200 <= (exchange.status or 0) < 300 or exchange.refused:
        return None
    return Problem(
        f"{name_of(exchange)}{_with(what)} is neither accepted nor refused but answered with {outcome(exchange)}",
        "200 or any 4xx",
        answer(exchange),
    )


def unknown_refused(exchange: Exchange, *, asked: int, what: str) -> Problem | None:
    """Show of an id that names no provider is refused."""
    if exchange.refused:
        return None
    return Problem(
        f"show of {what}, {asked}, is not refused but answered with {outcome(exchange)}",
        "a refusal: any 4xx",
        answer(exchange),
    )


def creates_nobody(request: Exchange, show: Exchange, *, id: int) -> Problem | None:  # noqa: A002
    """An update of an id that names no provider has not made one."""
    if shows_asked(show, id=id) is not None:
        return None
    return Problem(
        f"update of the unknown id {id} is answered with {outcome(request)}, and now show gives a provider of that id",
        "no new provider",
        answer(show),
    )


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


def reports_asked(page: Exchange, *, asked: Mapping[str, int | str]) -> Problem | None:
    """List reports back what was asked for; a number of the wrong type is left to the rule about types."""
    members = members_of(page) or {}
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


def survived(exchange: Exchange) -> Problem | None:
    """A request is answered, and not by an error of the server's own; 501 and 505 are none."""
    broken = exchange.status is not None and exchange.status >= 500 and exchange.status not in {501, 505}
    silent = exchange.problem in {TransportProblem.TIMED_OUT, TransportProblem.DROPPED}
    if not broken and not silent:
        return None
    return Problem(f"{name_of(exchange)} is answered with {outcome(exchange)}", "any answer but 5xx", answer(exchange))


def name_spelt_freely(plain: Exchange, special: Exchange, *, spelling: str) -> Problem | None:
    """A request is not refused for the letter case of its header's name. Source: RFC 9110 section 5.1."""
    if not plain.succeeded or not special.refused:
        return None
    return Problem(
        f"{name_of(special)} with the token's header written {spelling} is answered with {outcome(special)}",
        "200, as for its twin: the letter case of a header's name means nothing",
        answer(special),
    )


def method_refused(exchange: Exchange, *, allowed: str) -> Problem | None:
    """A method that an operation does not have gets 405 and an Allow header that lists the one it has.

    Source: RFC 9110 section 15.5.6.
    """
    expected = f"405 with an Allow header that lists {allowed}"
    if exchange.status != 405 or exchange.response is None:
        return Problem(f"{name_of(exchange)} is answered with {outcome(exchange)}", expected, answer(exchange))
    values = exchange.response.header_values("allow")
    if allowed in {method.strip() for value in values for method in value.split(",")}:
        return None
    given = f"Allow: {quoted(', '.join(values))}" if values else "no Allow header"
    return Problem(f"{name_of(exchange)} is answered with 405 and {given}", expected, f"{outcome(exchange)}, {given}")


def path_not_found(exchange: Exchange) -> Problem | None:
    """An unknown path gets 404. Source: RFC 9110 section 15.5.5."""
    if exchange.status == 404:
        return None
    return Problem(
        f"{name_of(exchange)}, an unknown path, is answered with {outcome(exchange)}", "404", answer(exchange)
    )


def media_type_refused(exchange: Exchange, *, what: str) -> Problem | None:
    """A body of another media type gets 415 or 400. Source: RFC 9110 section 15.5.16."""
    if exchange.status in {415, 400}:
        return None
    return Problem(
        f"{name_of(exchange)} with {what} is answered with {outcome(exchange)}", "415 or 400", answer(exchange)
    )


def served_as_usual(
    _excess: Exchange, after: Exchange, *_later: Exchange, usual: float, what: str
) -> Problem | None:
    """The request after an excessive one is served in usual time; `usual` is how long such a one took before.

    Later ones are only there because the first was not served: they fail for the same cause.
    """
    limit = max(SLOWEST_FACTOR * usual, SLOWEST)
    if after.succeeded and after.elapsed <= limit:
        return None
    came = f"answered with {outcome(after)}" if not after.succeeded else f"served after {after.elapsed:.1f} s only"
    return Problem(
        f"after {what}, the next request is {came}",
        f"200 within {limit:.1f} s",
        f"{outcome(after)} in {after.elapsed:.1f} s",
    )


def discloses_nothing(exchange: Exchange, *, token: str, others: Mapping[str, Sequence[str]]) -> Problem | None:
    """An error discloses no stack trace, file path, query, valid token, or data of a provider that it is not about.

    `others` are the telling values of the run's providers by their ids in decimal. What the request itself says may
    be repeated, except for the token in its header.
    """
    response = exchange.response
    if response is None or response.status < 400:
        return None
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers if name.lower() != "set-cookie")
    found = ""
    for text in (response.body.decode("utf-8", "replace"), headers):
        found = found or _disclosed(text, exchange.request, token, others)
    if not found:
        return None
    return Problem(
        f"{name_of(exchange)} discloses {found} in its answer with {outcome(exchange)}",
        "an error that tells what is wrong with the request, and nothing of the inside",
        found,
    )


def text_kept(exchange: Exchange, *, texts: Mapping[str, str], what: str) -> Problem | None:
    """Show gives back the text of each property exactly as it was sent."""
    return _text_difference(members_of(exchange) or {}, texts, f"show gives back {what} otherwise than it was sent")


def text_listed(page: Exchange, *, id: int, texts: Mapping[str, str], what: str) -> Problem | None:  # noqa: A002
    """List gives back the text of each property that it bears exactly as it was sent."""
    item = listed_item(page, id) or {}
    borne = {name: text for name, text in texts.items() if name in item}
    return _text_difference(item, borne, f"list gives back {what} otherwise than it was sent")


def in_one_state(
    exchange: Exchange, *, states: Sequence[Values], id: int, names: Sequence[str]  # noqa: A002
) -> Problem | None:
    """After concurrent updates a provider is in one of the states that were accepted.

    `names` are the properties to compare; a list is judged by what it bears of the provider.
    """
    item = listed_item(exchange, id) if exchange.operation == Operation.LIST else members_of(exchange)
    if item is None:
        return None
    borne = [name for name in names if exchange.operation == Operation.SHOW or name in item]
    if any(all(same(item.get(name, MISSING), state[name]) for name in borne) for state in states):
        return None
    nearest = max(states, key=lambda state: sum(same(item.get(name, MISSING), state[name]) for name in borne))
    odd = [name for name in borne if not same(item.get(name, MISSING), nearest[name])]
    return Problem(
        f"after concurrent updates, {name_of(exchange)} gives a blend of them: "
        f"{', '.join(odd)} of one, the others of another",
        f"one of the {len(states)} states that were accepted, such as "
        + "; ".join(f"{name} = {shown(nearest[name])}" for name in odd),
        "; ".join(f"{name} = {shown(item.get(name, MISSING))}" for name in borne),
    )


def forbids_storing(exchange: Exchange, *, password: str) -> Problem | None:
    """An answer that bears a password forbids to store it. Source: RFC 9111 section 5.2.2.5."""
    response = exchange.response
    if response is None or not exchange.succeeded or not _bears(exchange.json.value, password):
        return None
    values = response.header_values("cache-control")
    if "no-store" in {directive.strip().lower() for value in values for directive in value.split(",")}:
        return None
    return Problem(
        f"the answer of {name_of(exchange)} bears a password and may be stored by caches",
        "Cache-Control: no-store",
        f"Cache-Control: {quoted(', '.join(values))}" if values else "no Cache-Control header",
    )


# What the rules share: reading answers, comparing values, and putting both into words.


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()


def members_of(exchange: Exchange) -> dict[str, JsonValue] | None:
    """Return the members of an answer that is a JSON object, else None."""
    value = exchange.json.value if exchange.json.readable else None
    return value if isinstance(value, dict) else None


def listed(exchange: Exchange) -> list[dict[str, JsonValue]]:
    """Return the providers of a list answer; what is no object is left out."""
    providers = (members_of(exchange) or {}).get("providers") if exchange.succeeded else None
    return [item for item in providers if isinstance(item, dict)] if isinstance(providers, list) else []


def listed_item(exchange: Exchange, id: int) -> dict[str, JsonValue] | None:  # noqa: A002
    """Return the provider with an id from a list answer, or None."""
    return next((item for item in listed(exchange) if loose_id(item.get("id")) == id), None)


def times_listed(pages: Iterable[Exchange], id: int, name: str) -> int:  # noqa: A002
    """Count how often pages give a provider: by its id, and where that is nowhere, by its name."""
    items = [item for page in pages for item in listed(page)]
    return sum(loose_id(item.get("id")) == id for item in items) or sum(item.get("name") == name for item in items)


def turned_away(exchange: Exchange) -> bool:
    """Tell whether a fair request was refused for its token; a create may be forbidden for other reasons, such as a cap."""
    return exchange.status in ({401, 407} if exchange.operation == Operation.CREATE else {401, 403, 407})


def given_id(exchange: Exchange) -> int | None:
    """Return the id that create gave, also where its JSON type is wrong, so that the run can go on."""
    return loose_id((members_of(exchange) or {}).get("id"))


def loose_id(value: JsonValue) -> int | None:
    """Read an id leniently: the integer, or its decimal digits in a string."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value in INT64 else None
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value) if len(value) <= 20 and int(value) in INT64 else None
    return None


def is_int64(value: JsonValue) -> bool:
    """Tell whether a value is an integer in the range of int64; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value in INT64


def same(left: object, right: object) -> bool:
    """Compare JSON values without taking true for 1."""
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right


@cache
def documented_properties() -> tuple[str, ...]:
    """The properties of a provider that are compared."""
    names = _properties(Operation.SHOW)
    return tuple(name for name in names if name not in NEVER_COMPARED)


@cache
def _properties(operation: str) -> dict[str, dict[str, JsonValue]]:
    """The property schemas of an answer, references resolved; `listed` is an item of list."""
    if operation == "listed":
        providers = _properties(Operation.LIST)["providers"]
        return _resolved(load_contract().response_schema(Operation.LIST), providers["items"])
    schema = load_contract().response_schema(Operation(operation))
    return _resolved(schema, schema)


def _resolved(root: Mapping[str, JsonValue], schema: JsonValue) -> dict[str, dict[str, JsonValue]]:
    properties = _dereferenced(root, schema)["properties"]
    assert isinstance(properties, dict)
    return {name: _dereferenced(root, value) for name, value in properties.items()}


def _dereferenced(root: Mapping[str, JsonValue], schema: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(schema, dict)
    while isinstance(reference := schema.get("$ref"), str):
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        target: JsonValue = dict(root)
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(target, dict)
            target = target[step]
        assert isinstance(target, dict)
        schema = {**target, **siblings}
    return schema


def wrong_types(members: Values, operation: str) -> dict[str, str]:
    """Name every documented property whose value the contract rules out, with what is wrong with it."""
    problems = {}
    for name, schema in _properties(operation).items():
        if name in members and (problem := _wrong_type(members[name], schema)):
            value = "a value" if name == "password" else shown(members[name])
            problems[name] = f"{name} is {value}, {problem}"
    return problems


def _wrong_type(value: JsonValue, schema: Mapping[str, JsonValue]) -> str | None:
    expected = schema.get("type")
    if expected is not None and type_of(value) != expected:
        return f"{type_of(value)}, not {expected}"
    enum = schema.get("enum")
    if isinstance(enum, list) and value not in enum:
        return f"none of {', '.join(map(str, enum))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(value, int) and isinstance(low, int) and isinstance(high, int) and not low <= value <= high:
        return f"outside {schema.get('format', 'its range')}"
    return None


def type_of(value: JsonValue) -> str:
    """Name the JSON type of a value as JSON Schema does."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _difference(actual: Mapping[str, object], expected: Mapping[str, object], summary: str) -> Problem | None:
    """Compare property by property and tell only what differs."""
    names = [
        name
        for name in expected
        if name not in NEVER_COMPARED and not same(actual.get(name, MISSING), expected[name])
    ]
    if not names:
        return None
    return Problem(
        f"{summary}: {', '.join(names)}",
        "; ".join(f"{name} = {shown(expected[name])}" for name in names),
        "; ".join(f"{name} = {shown(actual.get(name, MISSING))}" for name in names),
    )


def shown(value: object) -> str:
    """Write a value as JSON, shortened."""
    if value is MISSING:
        return "missing"
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def quoted(text: str) -> str:
    """Write text from a server in quotes, shortened, control characters escaped."""
    return shown(text)


def name_of(exchange: Exchange) -> str:
    """Name a request by its operation, or by method and path where it is outside the contract."""
    return exchange.operation or f"{exchange.request.method} {exchange.request.target.partition('?')[0]}"


def outcome(exchange: Exchange) -> str:
    """Put the outcome of an exchange into a few words."""
    if exchange.response is None:
        return f"no answer ({exchange.problem}: {exchange.detail})" if exchange.detail else f"no answer ({exchange.problem})"
    return f"{exchange.response.status} {exchange.response.reason}".strip()


def _disclosed(text: str, request: Request, token: str, others: Mapping[str, Sequence[str]]) -> str:
    """Say what a text from an error discloses, without repeating a secret; empty when it is nothing."""
    inner = internals(text, "")
    values = [value for some in others.values() for value in some]
    if inner is None and not token_disclosed(text, token, "") and value_disclosed(text, values, "") is None:
        return ""
    body = (request.body or b"")[:LARGEST_SAID].decode("utf-8", "replace")
    headers = [value for _, value in request.headers if value != token]
    said = sayings(request.method, request.target, body, *headers)
    inner = internals(text, said)
    if inner is not None:
        return f"{inner[0]}: {quoted(inner[1])}"
    if token_disclosed(text, token, said):
        return "the valid token, or a part of it"
    about = set(re.findall(r"\d+", said))
    values = [value for identity, some in others.items() if identity not in about for value in some]
    return "data of another provider" if value_disclosed(text, values, said) is not None else ""


def _text_difference(actual: Values, expected: Mapping[str, str], summary: str) -> Problem | None:
    """Compare texts, and tell of the first that differs no more than where it does."""
    for name, text in expected.items():
        given = actual.get(name, MISSING)
        if given == text:
            continue
        if not isinstance(given, str):
            return Problem(f"{summary}: {name}", f"{len(text)} characters", f"{name} = {shown(given)}")
        position = next(
            (at for at, (came, sent) in enumerate(zip(given, text, strict=False)) if came != sent),
            min(len(given), len(text)),
        )
        return Problem(
            f"{summary}: {name}",
            f"{name} of {len(text)} characters, from position {position + 1}: {code_points(text, position)}",
            f"{name} of {len(given)} characters, from position {position + 1}: {code_points(given, position)}",
        )
    return None


def code_points(text: str, start: int) -> str:
    """Write some characters of a text as code points."""
    some = [f"U+{ord(character):04X}" for character in text[start : start + 6]]
    return " ".join(some + ["…"] * (len(text) > start + 6)) or "nothing"


def _bears(value: JsonValue, password: str) -> bool:
    """Tell whether a provider in an answer bears a password."""
    members = value if isinstance(value, dict) else {}
    providers = members.get("providers")
    items = [members, *(providers if isinstance(providers, list) else [])]
    return any(isinstance(item, dict) and item.get("password") == password for item in items)


def kind_of_body(exchange: Exchange) -> str:
    """Say what kind of body came instead of a JSON object."""
    text = exchange.json
    if text.empty:
        return "an empty body"
    return f"a JSON {type_of(text.value)}" if text.readable else "something that is no JSON"


def answer(exchange: Exchange) -> str:
    """Put an answer into one line: status and the beginning of the body, passwords left out."""
    response = exchange.response
    if response is None:
        return outcome(exchange)
    if response.json.empty:
        return f"{outcome(exchange)} with an empty body"
    value = response.json.value
    if isinstance(value, dict):
        told = {
            name: f"<{len(member)} providers>" if name == "providers" and isinstance(member, list) else member
            for name, member in value.items()
            if name != "password"
        }
        return f"{outcome(exchange)} {shown(told)}"
    return f"{outcome(exchange)} {shown(response.body[:120].decode('utf-8', 'replace'))}"


def paging_of(pages: Iterable[Exchange]) -> str:
    """Say which page size a walk used."""
    sizes = {part for page in pages for part in page.request.target.partition("?")[2].split("&") if part.startswith("pagesize")}
    return ", ".join(sorted(sizes)) or "no pagesize"


def _ids_by_page(pages: Sequence[Exchange]) -> list[str]:
    """List the ids page by page in brackets, shortened: a large inventory is not printed whole."""
    ids = ["[" + " ".join(shown(item.get("id")) for item in listed(page)[:20]) + "]" for page in pages[:20]]
    return ids + ["…"] * (len(pages) > 20)


def _with(what: str) -> str:
    return f" with {what}" if what else ""


def _charset(parameters: str) -> str | None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return None
