"""Walks the list page by page, without trusting what it does not have to trust."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.crowd import Crowd, crowd_of
from provider_conformance.errors import NotTestableError
from provider_conformance.judge import counted, listed, loose_id, page_length

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.call import Call
    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.ownership import Held

DEFAULT = "DEFAULT"

LARGEST_PAGE = 100
"""The largest page size that every implementation serves (D16)."""

MOST_TRIES = 4
"""Walks that have to agree before a list that is not ours alone is believed to be wrong."""

MOST_PAGES = 200
"""Pages after which a walk gives up."""

MANY_PAGES = 5
"""Pages beyond which ours are looked for at the ends of the list first, where new providers usually are."""

TAIL = 2
"""Pages at the end that are read for that."""

SMALL_PAGE = 25
"""The size of pages by which a list of more is walked once ours are known to be at its ends: others fill the rest."""

PARTS_OF_PAGES = {LARGEST_PAGE: 10, SMALL_PAGE: 5}
"""Page sizes by which a page is read that is not readable as a whole; of any other, each provider by itself."""

RESTLESS = "statuses change by themselves while the list is read, so that it cannot be judged"

STILL_LISTED = "a destroyed provider is still listed (DESTROY-2), so that the pages cannot be judged"


@dataclass(frozen=True)
class Walk:
    """The pages of the list that bear providers, in order; pages before the first and past the last are free (D16).

    A `partial` walk has left out pages of others' providers in the middle, since all of ours were on those at the ends.
    """

    pages: tuple[Exchange, ...]
    pagesize: int
    first: Exchange
    whole: bool
    partial: bool = False

    @property
    def tells_all(self) -> bool:
        """Whether the list could be read, and as far as need be."""
        return self.whole and self.first.succeeded and judge.members_of(self.first) is not None

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids that the pages give, in order, as often as they give them."""
        found = (loose_id(item.get("id")) for page in self.pages for item in listed(page))
        return tuple(identity for identity in found if identity is not None)

    @property
    def size(self) -> int:
        """How many providers the pages give, those without an id included."""
        return sum(map(page_length, self.pages))


class Inventory:
    """Knows how the implementation counts its pages, and walks them."""

    def __init__(self, api: Api, ledger: Ledger) -> None:
        self._api = api
        self._ledger = ledger
        self._scattered: bool | None = None
        self._restless = False
        self.default: str | None = "DEFAULT"

    def beside(self, api: Api) -> Inventory:
        """Return another that walks over other connections, and knows as much about the pages."""
        other = Inventory(api, self._ledger)
        other._scattered, other._restless, other.default = self._scattered, self._restless, self.default
        return other

    def first_page(self) -> int:
        """Find out, once, whether pages are counted from 0 or from 1 (D7); needs a provider of ours to exist.

        Pages before the first and past the last are free: refused, empty, or some other page again. So pages 0 and 1
        are asked for with a size that leaves one provider to the second page of those that exist: page 0 is the first
        if it is full and page 1 is another.
        """
        if self._api.first_page is not None:
            return self._api.first_page
        with self._api.target.traffic.calm.reading():
            return self._found_first_page()

    def existing_page(self) -> int:
        """Return the number of the first page for good, also where there may be no provider of ours.

        Of two pages of which one is refused, the other is the first; else NotTestableError tells why there is none.
        """
        first = self.first_page()
        if self._api.first_page is not None:
            return first
        zero, one = (self._api.list(page, LARGEST_PAGE, self.default) for page in (0, 1))
        if zero.succeeded == one.succeeded or not (zero.refused or one.refused):
            raise NotTestableError("there are too few providers to tell whether pages are counted from 0 or from 1")
        return int(one.succeeded)

    def _found_first_page(self) -> int:
        zero, one = self._api.list_each((page, LARGEST_PAGE, self.default) for page in (0, 1))
        if not zero.succeeded and not one.succeeded and self.default is not None:
            # Whether DEFAULT is accepted is a requirement of its own (LIST-5); the walk does without it then.
            self.default = None
            return self._found_first_page()
        known = len({*_ids(zero), *_ids(one)})
        if known <= 1:  # too few to tell for good
            return 0 if listed(zero) and not listed(one) else 1
        pagesize = min(known - 1, LARGEST_PAGE)
        zero = self._api.list(0, pagesize, self.default)
        first = 1
        for attempt in range(1, MOST_TRIES + 1):
            before, one = zero, self._api.list(1, pagesize, self.default)
            zero = self._api.list(0, pagesize, self.default)
            common, rest, is_full = len({*_ids(zero)} & {*_ids(one)}), page_length(one), page_length(zero) >= pagesize
            first = 0 if is_full and (2 * common <= rest or not rest) else 1
            # Some in common, and not all: that is what somebody leaves who comes or goes in between.
            shifted = is_full and 0 < common < rest
            # Whoever comes and goes between the two pages shows in the count, where that is right (LIST-6).
            alike = len({*map(counted, (before, one, zero))} - {None}) <= 1 or attempt == MOST_TRIES
            if not shifted and alike and _ids(before) == _ids(zero):
                # Nobody has changed the list between the two pages, so that this is for good.
                self._api.first_page = first
                break
        return first

    def _usual_size(self, ours: int) -> int:
        """Return the size of pages by which a list is walked in which so many are ours."""
        return SMALL_PAGE if self._scattered is False and 2 * ours <= SMALL_PAGE else LARGEST_PAGE

    def walk(
        self,
        pagesize: int | None = None,
        ours: Collection[int] = (),
        sort_by: str | None = DEFAULT,
        *,
        complete: bool = False,
    ) -> Walk:
        """Go through the pages until the list ends.

        The end is where a page is refused or empty, or where a page is short or the reported count is reached and
        all of `ours` were met. The count is not trusted alone (LIST-6 is a requirement of its own), and pages
        beyond it are only looked at while some of ours are missing. Of many pages only those at the ends are read,
        where ours are known to be, unless the walk must be `complete`; which providers OPTIONAL gives is free anyway
        (D14). A walk that would be given up is not begun.
        """
        if pagesize is not None:
            return self._walk(pagesize, ours, sort_by, complete=complete)
        size = LARGEST_PAGE if complete else self._usual_size(len(ours))
        walk = self._walk(size, ours, sort_by, complete=complete)
        # Of a long list over which ours turn out to be scattered, there are too many small pages.
        return self._walk(LARGEST_PAGE, ours, sort_by) if size == SMALL_PAGE and self._scattered else walk

    def _walk(self, pagesize: int, ours: Collection[int], sort_by: str | None, *, complete: bool = False) -> Walk:
        base = self.first_page()
        if sort_by == DEFAULT:
            sort_by = self.default
        pages: list[Exchange] = []
        missing, met = set(ours), set[int | None]()
        first: Exchange | None = None
        at_ends = False
        sure = -(-len(ours) // pagesize)
        for page in self._read_on(base, pagesize, sort_by, sure):
            first = first or page
            if missing:
                # What ours do not fill may not exist, and a page that does not may be refused as anybody likes (D16).
                served = self._api.served if len(pages) < max(1, sure) else self._api.heard
                served(page)
            ids, last = _ids(page), _last_page(page, pagesize)
            beyond = last is not None and len(pages) >= last
            again = bool(pages) and met.issuperset(ids) and (beyond or not missing)
            if not page_length(page) or again:
                return Walk(tuple(pages), pagesize, first, whole=True)
            pages.append(page)
            met.update(ids)
            go_on = not missing.isdisjoint(ids) and not missing.issubset(ids)
            missing.difference_update(_known(ids))
            if not (at_ends or go_on) and last is not None and last > MANY_PAGES:
                at_ends = True
                ends = None if complete else self._ends(pages, pagesize, missing, sort_by, any_ours=bool(ours))
                if ends is not None:
                    return ends
                if last > MOST_PAGES and (complete or ours) and self._goes_on(met, pagesize, sort_by):
                    break
            short = page_length(page) < pagesize
            counted = last is not None and len(pages) >= last
            if (not missing and (short or counted)) or (short and (last is None or counted)):
                return Walk(tuple(pages), pagesize, first, whole=True)
            if len(pages) == MOST_PAGES:
                break
        assert first is not None
        return Walk(tuple(pages), pagesize, first, whole=False)

    def sure_pages(self, size: int, pagesize: int | None = None, sort_by: str | None = DEFAULT) -> Sequence[Call]:
        """Return the calls that any walk begins with where there are so many providers at least."""
        base, order = self.first_page(), self.default if sort_by == DEFAULT else sort_by
        pagesize = pagesize or self._usual_size(size)
        pages = self._read_at_once(-(-size // pagesize))
        return [self._api.page(base + page, pagesize, order) for page in range(pages)]

    def _read_at_once(self, pages: int) -> int:
        """Return with how many pages a walk begins where there are so many at least: of a long list, others fill most.

        Where there are no others, ours are on every page.
        """
        return pages if pages <= MANY_PAGES or self._scattered or not self._api.others else 1

    def _read_on(self, base: int, pagesize: int, sort_by: str | None, sure: int) -> Iterator[Exchange]:
        """Give page after page without end; up to where the list is known to end, as many at a time as workers may be.

        At first so many pages are `sure` to exist, and then as many as the list says.
        """
        number, last = 0, self._read_at_once(sure)
        while True:
            last = min(last, number + self._api.target.traffic.workers)
            numbers = range(base + number, base + max(last, number + 1))
            pages = self._api.list_each((page, pagesize, sort_by) for page in numbers)
            yield from pages
            number, last = number + len(pages), _last_page(pages[-1], pagesize) or 0

    def _goes_on(self, met: set[int | None], pagesize: int, sort_by: str | None) -> bool:
        """Tell whether the list is really longer than a walk may be, and not just its count wrong."""
        ids = _ids(self._api.list(self.first_page() + MOST_PAGES, pagesize, sort_by))
        return bool(ids) and not met.issuperset(ids)

    def newest(self, before: Walk) -> Walk:
        """Walk again to see who is new: where pages of others were left out before, no further than was read then."""
        if not before.partial:
            return self.walk()
        page = self._api.list(self.first_page(), before.pagesize, self.default)
        last = _last_page(page, before.pagesize) or 1
        tail = self._tail(last, TAIL, before.pagesize, self.default)
        return Walk((page, *tail), before.pagesize, page, whole=True, partial=True)

    def inwards(self, ours: Callable[[Exchange], bool]) -> Walk:
        """Walk, and where pages in the middle are left out go on towards them from both ends as long as they have ours.

        What refused creates have stored may be more than the ends hold, and may keep pages from being read: of those,
        smaller ones are tried.
        """
        walk = self.walk()
        if not walk.partial:
            return self._read_in_parts(walk)
        last = self.first_page() + (_last_page(walk.first, walk.pagesize) or 1) - 1
        middle = range(self.first_page() + 1, last - TAIL + 1)
        pages = list(walk.pages)
        for numbers, page in ((middle, pages[0]), (reversed(middle), pages[-1 if len(pages) <= TAIL else -TAIL])):
            pages += self._as_long_as(ours, page, numbers, walk.pagesize)
        return replace(walk, pages=tuple(pages))

    def _read_in_parts(self, walk: Walk) -> Walk:
        """Read the pages that should follow by the count; those that are not readable, in smaller parts down to one."""
        counting = walk.first if counted(walk.first) is not None else self._api.list(self.first_page(), 1, self.default)
        there = min(_last_page(counting, walk.pagesize) or 0, MOST_PAGES)
        parts = [(self.first_page() + page, walk.pagesize) for page in range(len(walk.pages), there)]
        pages, whole = list(walk.pages), walk.whole
        while parts:
            number, size = parts.pop()
            page = self._api.list(number, size, self.default)
            if page.succeeded and judge.members_of(page) is not None:
                pages.append(page)
            elif size == 1:
                whole = False
            else:
                smaller = PARTS_OF_PAGES.get(size, 1)
                fitting = size // smaller
                first = self.first_page() + (number - self.first_page()) * fitting
                parts += [(first + part, smaller) for part in range(fitting)]
        return replace(walk, pages=tuple(pages), whole=whole)

    def _as_long_as(
        self, ours: Callable[[Exchange], bool], page: Exchange, numbers: Iterable[int], pagesize: int
    ) -> Iterator[Exchange]:
        """Read pages as long as the one before has some of ours."""
        for number in numbers:
            if not ours(page):
                return
            yield (page := self._api.list(number, pagesize, self.default))

    def _ends(
        self, pages: Sequence[Exchange], pagesize: int, missing: set[int], sort_by: str | None, *, any_ours: bool
    ) -> Walk | None:
        """Read the last pages after the first ones, and return them all if every one of ours is there, else None.

        With none of ours to be met, that is so where those of before were there.
        """
        free = sort_by == "OPTIONAL"
        if not free and (self._scattered or (self._scattered is None and not any_ours)):
            return None
        last = _last_page(pages[-1], pagesize) or 1
        tail = self._tail(last, max(0, min(TAIL, last - len(pages))), pagesize, sort_by)
        if any_ours and not free:
            self._scattered = not missing.issubset(identity for page in tail for identity in _known(_ids(page)))
        if self._scattered and not free:
            return None
        return Walk((*pages, *tail), pagesize, pages[0], whole=True, partial=True)

    def _tail(self, last: int, most: int, pagesize: int, sort_by: str | None) -> list[Exchange]:
        """Read so many pages at the end; where others have left meanwhile, some of them are past the last."""
        numbers = range(self.first_page() + last - most, self.first_page() + last)
        return list(filter(listed, self._api.list_each((number, pagesize, sort_by) for number in numbers)))

    def backwards(self, walk: Walk) -> Walk:
        """Ask for the pages of a walk again, from the last to the first, unless some were left out of it."""
        if walk.partial:
            return self.walk(walk.pagesize, walk.ids)
        numbers = range(self.first_page(), self.first_page() + len(walk.pages))
        pages = self._api.list_each((number, walk.pagesize, self.default) for number in reversed(numbers))
        return replace(walk, pages=tuple(reversed(pages)))

    def judged(self, pagesize: int | None = None, ours: Collection[int] = (), sort_by: str | None = DEFAULT) -> Walk:
        """Walk and judge what holds for any list (LIST-1); raises NotTestableError when nothing can be read from it."""
        gone = frozenset(self._api.gone)
        walk = self._quiet_walk(pagesize, ours, sort_by, gone)
        self._gives_destroyed(gone, walk, ours, sort_by)
        if sort_by == DEFAULT:
            for page in walk.pages or (walk.first,):
                self._ledger.claim("LIST-1", judge.answers_object, self._api.served(page))
                self._ledger.claim("LIST-1", judge.documented_types, page, operation="list", ours=sorted(ours))
        if not walk.first.succeeded or judge.members_of(walk.first) is None:
            raise NotTestableError(f"the list cannot be read: {judge.answer(walk.first)}")
        if not walk.whole:
            raise NotTestableError(f"the list has more than {MOST_PAGES} pages of {walk.pagesize}")
        return walk

    def _gives_destroyed(self, gone: frozenset[int], walk: Walk, ours: Collection[int], sort_by: str | None) -> bool:
        """Tell whether the list gives one that the run had destroyed before it was walked, and judge it (DESTROY-2).

        That is known by its name, since its id may be somebody else's by now. It is listed again while nothing of ours
        changes, and show does not give it.
        """
        suspects = [identity for identity in dict.fromkeys(walk.ids) if identity in gone]
        if not suspects or self._ledger.violated("DESTROY-2"):
            return bool(suspects)
        with self._api.target.traffic.calm.reading():
            self._api.look_anew()
            again = self.walk(walk.pagesize, ours, sort_by)
            for identity in suspects:
                held = self._api.gone.get(identity)
                if held is None or identity not in again.ids or not self._is_that(held, (walk, again)):
                    continue
                if self.is_gone(self._api.show(identity), identity):
                    named = {"id": identity, "name": held.name}
                    self._ledger.claim("DESTROY-2", judge.not_listed, *again.pages, story=held.story, **named)
                    return True
        return False

    def _is_that(self, held: Held, walks: Iterable[Walk]) -> bool:
        """Tell whether whoever is listed by the id of a provider of ours can be nobody else."""
        items = [item for walk in walks for page in walk.pages if (item := judge.listed_item(page, held.id))]
        return all(item["name"] == held.name if "name" in item else not self._api.others for item in items)

    def _quiet_walk(
        self, pagesize: int | None, ours: Collection[int], sort_by: str | None, gone: frozenset[int]
    ) -> Walk:
        """Walk, and where ours are not all met once, make sure that this is not because others change the list.

        Every change shifts the pages to come, so that a provider may be missed or met twice though nothing is wrong.
        One page that the list does not fill is read at once and needs no quiet. Where there are providers of others, a
        walk that misses ours is believed when it does so again and again, while the ids of others, read in the largest
        pages, stay the same; and where statuses change by themselves (D9), when none of ours does meanwhile.
        """
        walk = self.walk(pagesize, ours, sort_by)
        # While it is not known for good which page is the first, a short one may not be all.
        at_once = len(walk.pages) <= 1 and page_length(walk.first) < walk.pagesize and self._api.first_page is not None
        # Which providers OPTIONAL gives is free (D14).
        if at_once or sort_by == "OPTIONAL" or _all_once(walk, ours):
            return walk
        with self._api.target.traffic.calm.reading():
            self._api.look_anew()
            before, statuses = self._others(ours), self._statuses(ours)
            for _ in range(MOST_TRIES):
                walk = self.walk(pagesize, ours, sort_by)
                if self._gives_destroyed(gone, walk, ours, sort_by):
                    raise NotTestableError(STILL_LISTED)
                if self._have_changed(before, [walk], ours):
                    told = "others change the list while it is read, so that its pages cannot be judged"
                    raise NotTestableError(told)
                if _all_once(walk, ours) or (self._is_steady_since(statuses, ours) and not self._api.others):
                    return walk
        if self._restless:
            raise NotTestableError(RESTLESS)
        return walk

    def pair(
        self, read: Callable[[], tuple[Sequence[Walk], Sequence[Walk]]], ours: Collection[int]
    ) -> tuple[Sequence[Walk], Sequence[Walk]]:
        """Return walks and others of the same pages, whose orders are to be compared.

        Orders that differ were read while nobody changed the list.

        The order is only promised while nothing changes. Where there are providers of others, orders that differ are
        believed when they do so again and again; and where statuses change by themselves, by which the list may be
        sorted (D9), when none of ours does meanwhile.
        """
        with self._api.target.traffic.calm.reading():
            first, second = read()
            if _orders(first, ours) == _orders(second, ours) or (
                not self._api.others and _is_steady(first, second, ours)
            ):
                return first, second
            before, statuses = self._others(ours), self._statuses(ours)
            for _ in range(MOST_TRIES):
                first, second = read()
                if self._have_changed(before, (*first, *second), ours):
                    told = "others change the list while it is read, so that its order cannot be judged"
                    raise NotTestableError(told)
                steady = self._is_steady_since(statuses, ours) and not self._api.others
                if _orders(first, ours) == _orders(second, ours) or steady:
                    return first, second
        if self._restless:
            raise NotTestableError(RESTLESS)
        return first, second

    def _is_steady_since(self, statuses: list[JsonValue], ours: Collection[int]) -> bool:
        """Tell whether no status of ours was ever seen to change by itself; what flaps may be the same by chance."""
        now = self._statuses(ours)
        # One request more, so that what changes with every other one shows.
        self._api.list(self.first_page(), 1, self.default)
        self._restless = self._restless or not statuses == now == self._statuses(ours)
        return not self._restless

    def _statuses(self, ours: Collection[int]) -> list[JsonValue]:
        shown = self._api.show_all(sorted(ours))
        return [(judge.members_of(answer) or {}).get("status") for answer in shown]

    def is_gone(self, shown: Exchange, identity: int) -> bool:
        """Tell whether an answer of show says that there is no provider of an id.

        Any 4xx does (D11), but in a lockout. To be turned away may be for the token, unless the list is served and does
        not give it.
        """
        if shown.status not in judge.TURNED_AWAY:
            return judge.says_gone(shown) and not self._api.locked_out(shown)
        walk = self.walk(complete=True)
        return walk.first.succeeded and walk.whole and identity not in walk.ids

    def _others(self, ours: Collection[int]) -> Crowd:
        """Look at who else is on the list."""
        return crowd_of(self.walk(ours=ours).pages, ours)

    def _have_changed(self, before: Crowd, walks: Iterable[Walk], ours: Collection[int]) -> bool:
        """Tell whether others have changed the list since, or while walks went through it that met somebody else."""
        met = {identity for walk in walks for identity in walk.ids if identity not in ours}
        return self._others(ours).differs_from(before) or not all(map(before.has, met))


def _orders(walks: Sequence[Walk], ours: Collection[int]) -> list[list[int]]:
    return [[identity for identity in walk.ids if identity in ours] for walk in walks]


def _is_steady(first: Sequence[Walk], second: Sequence[Walk], ours: Collection[int]) -> bool:
    """Tell whether the status of each of ours was listed, and was the same all the time."""
    items = [item for walk in (*first, *second) for page in walk.pages for item in listed(page)]
    statuses = {
        identity: {str(item.get("status")) for item in items if loose_id(item.get("id")) == identity}
        for identity in ours
    }
    return all(len(some) == 1 and some != {"None"} for some in statuses.values())


def _all_once(walk: Walk, ours: Collection[int]) -> bool:
    return all(walk.ids.count(identity) == 1 for identity in ours)


def found_by_name(pages: Sequence[Exchange], name: str) -> int | None:
    """Return the id under which pages list a name, or None."""
    for page in pages:
        for item in listed(page):
            if item.get("name") == name and (identity := loose_id(item.get("id"))) is not None:
                return identity
    return None


def may_list(walk: Walk, name: str) -> bool:
    """Tell whether the list gives a provider with a name, or may do so: where it is not readable, or bears no names."""
    items = [item for page in walk.pages for item in listed(page)]
    return not walk.tells_all or any(item.get("name", name) == name for item in items)


def bearing(page: Exchange, marks: Mapping[tuple[str, JsonValue], str]) -> dict[int, str]:
    """Return the ids on a page that bear one of some marks, properties with a text, each with what the mark tells."""
    found: dict[int, str] = {}
    for item in listed(page):
        told = [marks[mark] for mark in item.items() if isinstance(mark[1], str) and mark in marks]
        if told and (identity := loose_id(item.get("id"))) is not None:
            found[identity] = told[0]
    return found


def _ids(page: Exchange) -> list[int | None]:
    return [loose_id(item.get("id")) for item in listed(page)]


def _known(ids: list[int | None]) -> set[int]:
    return {identity for identity in ids if identity is not None}


def _last_page(page: Exchange, pagesize: int) -> int | None:
    """Return how many pages the reported count makes, or None when nothing usable is reported."""
    count = counted(page)
    return None if count is None else -(-count // pagesize)
