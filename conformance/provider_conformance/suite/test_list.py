"""Retrieve a collection of providers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.inventory import LARGEST_PAGE, STILL_LISTED
from provider_conformance.lanes import holding
from provider_conformance.plugin import essential, requirement, thorough
from provider_conformance.values.illegal import ORDERS, unfair_pages
from provider_conformance.values.plausible import TYPICAL, single_changes, texts, varied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.call import Call
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory, Walk
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.refusals import Refusals

OTHER_ORDER = 10
"""The page size of which the other order is asked for between two walks."""

BACKWARDS = 2
"""The page size of which the pages are asked for from the last to the first the second time."""

MOST_PAGES = 12
"""Pages of one walk: where there are many providers, small pages are left out."""


def several(providers: Providers, most: int = 7) -> list[Held]:
    """Create several providers of all kinds; what show gives of them says nothing of how they are listed."""
    return providers.create_unseen(varied()[: min(most, providers.most)])


@requirement("LIST-1")
@essential
@holding(7)
def test_list_answers_with_an_object_of_the_documented_types(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    several(providers)
    first = inventory.first_page()
    by_default = [(first, pagesize, inventory.default) for pagesize in (100, 1, 10, 50)]
    swapped = api.query(Operation.LIST, {"pagesize": "10", "pagination": str(first)})
    otherwise = [(first, pagesize, sort_by) for pagesize in (100, 1) for sort_by in ("OPTIONAL", None)]
    otherwise += [(first + 1, 1, None)] if len(providers.held) > 1 else []

    with api.ahead([api.page(*one) for one in by_default] + [swapped] + [api.page(*one) for one in otherwise]):
        for page in api.list_each(by_default):
            with expect.each():
                expect(judge.answers_object, api.served(page))
                expect(judge.documented_types, page, operation="list", ours=providers.ids)
        with expect.each():
            expect(judge.answers_object, api.served(api.send(swapped)))
        # Whether these are accepted is a requirement of its own (LIST-5).
        for page in filter(lambda page: page.succeeded, api.list_each(otherwise)):
            with expect.each():
                expect(judge.answers_object, page)
                expect(judge.documented_types, page, operation="list", ours=providers.ids)

    # The first page may not even exist where nobody else has a provider (D16); where it does, it is one.
    providers.clear()
    empty = api.list(first, 10, inventory.default)
    if empty.succeeded:
        expect(judge.documented_types, empty, operation="list", ours=providers.ids)


@requirement("LIST-2")
@holding(7)
def test_a_page_has_at_most_pagesize_providers(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    several(providers)
    first = inventory.first_page()

    sizes = (1, 2, 3, 4, 5, 6)
    asked = [(first + page, size, "DEFAULT") for size in sizes for page in range(2) if _exists(page, size, providers)]
    for (page, pagesize, _), answer in zip(asked, api.list_each(asked), strict=True):
        with expect.each():
            if page == first:
                _readable(answer.succeeded, judge.answer(answer))
            expect(judge.at_most_pagesize, answer, pagesize=pagesize)


@requirement("LIST-3")
@thorough
@holding(8)
def test_the_pages_give_every_provider_once_and_in_the_same_order(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    # Some are alike in all but what must be their own, so that whatever is sorted by does not tell them apart. One
    # between them has gone, so that ids are no places.
    made = providers.create_all([*varied()[:4], *[TYPICAL] * 4][: providers.most])
    if len(made) > len(("one before", "one between", "one after")):
        providers.release(made[len(made) // 2])
    states = {held.id: providers.shown(held) for held in providers.held}
    whole = inventory.judged(ours=providers.ids)
    expect(judge.every_one_once, *whole.pages, names=providers.names)

    reader = Reader(api, inventory, providers.ids, len(providers.ids) if whole.partial else whole.size)
    waiting = deque([_telling_sizes(whole.size)])
    while waiting:
        some = waiting.popleft()
        with expect.each():
            try:
                readings = inventory.pair(partial(reader.twice, some), providers.ids)
            except NotTestableError:
                # A size that cannot be read, or a change meanwhile, must not cost the others.
                if len(some) == 1:
                    raise
                waiting.extend([size] for size in some)
                continue
            for first, second in zip(*readings, strict=True):
                with expect.each():
                    _judge_readings(first, second, providers, states, expect)


@dataclass(frozen=True)
class Reader:
    """Reads the list twice by some page sizes; `ids` are ours, and `known` is how many providers there are for sure."""

    api: Api
    inventory: Inventory
    ids: Sequence[int]
    known: int
    turns: Iterator[int] = field(default_factory=lambda: count(1))

    def twice(self, sizes: Sequence[int]) -> tuple[list[Walk], list[Walk]]:
        """Return two readings by each size, before the second of which others were asked for, and in another order.

        Before each reading one of ours is shown, not the same, and others the next time, so that an order which follows
        what was shown last shows.
        """
        turn = next(self.turns)
        one, another = (self.ids[place % len(self.ids)] for place in (turn, turn + 1))
        other_order = (self.inventory.first_page(), OTHER_ORDER, "OPTIONAL")
        self.api.show(one)
        with self.api.ahead(self._pages(sizes)):
            once = [self.inventory.judged(size, self.ids) for size in sizes]
        pages = [self.api.page(*other_order)] if OTHER_ORDER in sizes else []
        with self.api.ahead([*self.api.shows([another]), *pages]):
            self.api.show(another)
            self.api.list_each([other_order] if pages else [])
        # Nor does it matter which page is asked for first.
        with self.api.ahead(self._pages([size for size in sizes if size != BACKWARDS])):
            return once, [
                self.inventory.judged(walk.pagesize, self.ids)
                if walk.pagesize != BACKWARDS
                else self.inventory.backwards(walk)
                for walk in once
            ]

    def _pages(self, sizes: Sequence[int]) -> list[Call]:
        return [call for size in sizes for call in self.inventory.sure_pages(self.known, size)]


def _telling_sizes(number: int) -> list[int]:
    """Return page sizes by which a list of so many providers is to be read."""
    edges = (1, 2, 3, 4, 5, 6, 10, 25, 50, 99, 100, number - 1, number, number + 1)
    return sorted({size for size in edges if max(1, number / MOST_PAGES) <= size <= LARGEST_PAGE}) or [LARGEST_PAGE]


def _judge_readings(
    first: Walk, second: Walk, providers: Providers, states: Mapping[int, Exchange], expect: Expect
) -> None:
    """Judge two readings by the same page size, unless pages are longer than that, which is another matter (LIST-2)."""
    if any(len(judge.listed(page)) > first.pagesize for page in (*first.pages, *second.pages)):
        return
    expect(judge.every_one_once, *first.pages, names=providers.names)
    for page in first.pages:
        for held in providers.held:
            expect(judge.list_agrees, page, states[held.id], of=held, requirement="LIST-4", id=held.id)
    backwards = first.pagesize == BACKWARDS and not first.partial
    pages = (*first.pages, *second.pages)
    expect(judge.same_order, *pages, first=len(first.pages), ids=providers.ids, backwards=backwards)


@requirement("LIST-4")
@holding(8)
def test_what_is_listed_agrees_with_show(api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
    for kinds, looks in ((varied(), 3), (list(texts())[:7], 1)):
        ours = providers.create_all(kinds[: providers.most])
        shown = {held.id: providers.shown(held) for held in ours}

        orders = ("DEFAULT", "OPTIONAL")
        pages = [call for sort_by in orders for call in inventory.sure_pages(len(ours), sort_by=sort_by)]
        # At first as they are, and then after one of them was shown.
        for held in (None, *ours[: looks - 1]):
            if held is not None:
                api.show(held.id)
            with api.ahead(pages):
                for sort_by in orders:
                    with expect.each():
                        _compare(inventory.judged(ours=providers.ids, sort_by=sort_by), ours, shown, expect)
        providers.clear()


def _compare(listing: Walk, ours: list[Held], shown: dict[int, Exchange], expect: Expect) -> None:
    """Compare every listed provider of ours with what show gives of it."""
    names = {str(held.id): held.name for held in ours}
    for page in listing.pages:
        expect(judge.items_bear_ids, page, names=names)
        for held in ours:
            expect(judge.list_agrees, page, shown[held.id], of=held, id=held.id)


@requirement("LIST-5")
@holding(4)
def test_both_values_of_sort_by_are_accepted_and_default_is_the_default(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    providers.create_all(varied()[: min(4, providers.most)])
    first = inventory.first_page()

    # Under OPTIONAL only the first page is sure to exist: which providers it gives is free (D16).
    for page, pagesize, values in (
        (first, 100, ("DEFAULT", "OPTIONAL", None)),
        (first, 1, ("DEFAULT", "OPTIONAL", None)),
        (first + 1, 2, ("DEFAULT", None)),
    ):
        if page > first and len(providers.held) <= pagesize:
            continue
        pages = api.list_each((page, pagesize, sort_by) for sort_by in values)
        answers = dict(zip(values, pages, strict=True))
        if not any(answer.succeeded for answer in answers.values()):
            raise NotTestableError(f"the list cannot be read: {judge.answer(answers[None])}")
        for sort_by, answer in answers.items():
            with expect.each():
                expect(judge.accepted, api.served(answer), what=f"sort_by {sort_by}" if sort_by else "no sort_by")
        with expect.each():
            expect(judge.reports_default, answers[None])

    ids = providers.ids
    known = inventory.walk(ours=ids).size
    size = 3 if known <= MOST_PAGES else LARGEST_PAGE

    def in_turns() -> tuple[list[Walk], list[Walk]]:
        with api.ahead(inventory.sure_pages(known, size)):
            once = inventory.judged(size, ids)
        api.list(first, size, "OPTIONAL")
        with api.ahead(inventory.sure_pages(known, size, sort_by=None)):
            return [once], [inventory.judged(size, ids, sort_by=None)]

    (default,), (plain,) = inventory.pair(in_turns, ids)
    for silent in plain.pages:
        for held in providers.held:
            with expect.each():
                expect(judge.list_agrees, silent, providers.shown(held), of=held, requirement="LIST-4", id=held.id)
    expect(judge.every_one_once, *plain.pages, names=providers.names, requirement="LIST-3")
    expect(judge.same_order, *default.pages, *plain.pages, first=len(default.pages), ids=ids)


def _exists(page: int, pagesize: int, providers: Providers) -> bool:
    """Tell whether ours reach to a page, counted from the first; one that does not exist is free (D16)."""
    return page * pagesize < len(providers.held)


def _readable(succeeded: bool, answer: str) -> None:  # noqa: FBT001
    if not succeeded:
        raise NotTestableError(f"the first page cannot be read: {answer}")


@requirement("LIST-6")
@holding(6)
def test_count_is_the_number_of_providers_in_all(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    providers.need_room(len(("one that stays", "one that goes")))
    several(providers, 5)

    with expect.each():
        _count(api, providers, inventory, expect)
    providers.release(providers.held[1])
    with expect.each():
        _count(api, providers, inventory, expect)
    changed = providers.create()
    with expect.each():
        _count(api, providers, inventory, expect)
    # Neither changing one nor failing to destroy one makes them more or fewer.
    providers.update(changed, next(single_changes()))
    gone = providers.past[-1].id
    if providers.is_gone(gone):
        api.destroy(gone)
    with expect.each():
        _count(api, providers, inventory, expect)


@requirement("LIST-7")
@holding(5)
def test_what_was_asked_for_is_reported_back(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    several(providers, 5)
    first = inventory.first_page()
    asked_for = [
        (first + page, pagesize, None if number % 3 == 1 else inventory.default)
        for number, (page, pagesize) in enumerate(EXISTING_PAGES)
        if _exists(page, pagesize, providers)
    ]
    # What OPTIONAL gives is free (D14), so that of its pages only the first is sure to exist.
    asked_for += [(first, pagesize, "OPTIONAL") for pagesize in (1, 3, 10, 100)]

    for (page, pagesize, sort_by), answer in zip(asked_for, api.list_each(asked_for), strict=True):
        with expect.each():
            _readable(answer.succeeded, judge.answer(answer))
            asked: dict[str, int | str] = {"pagination": page, "pagesize": pagesize}
            expect(judge.reports_asked, answer, asked=asked | ({"sort_by": sort_by} if sort_by else {}))

    # One more does where it says so and has some.
    further = api.list(first + 1, 2, "OPTIONAL")
    if judge.listed(further) and judge.reports_asked(further, asked={"pagination": first + 1}) is None:
        expect(judge.reports_asked, further, asked={"sort_by": "OPTIONAL"})


@requirement("LIST-8")
@thorough
@holding(3)
def test_missing_ill_typed_and_unknown_parameters_are_refused(
    providers: Providers, inventory: Inventory, refusals: Refusals
) -> None:
    several(providers, 3)
    first = inventory.first_page()
    fair = {"pagination": str(first), "pagesize": "10"}

    refusals.query(Operation.LIST, fair, unfair_pages(first))
    sorted_by = {**fair, "sort_by": inventory.default or "OPTIONAL"}
    refusals.query(Operation.LIST, sorted_by, [(f"sort_by {judge.quoted(text)}", {"sort_by": text}) for text in ORDERS])
    missing: list[dict[str, str | None]] = [{"pagination": None}, {"pagesize": None}]
    refusals.query(Operation.LIST, sorted_by, [(f"sort_by and no {next(iter(one))}", one) for one in missing])


@requirement("LIST-9")
@holding(5)
def test_page_count_is_what_count_and_pagesize_make(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    several(providers, 5)
    first = inventory.first_page()

    sizes = (1, 2, 3, 5, 10, 100)
    pages = api.list_each((first, pagesize, inventory.default) for pagesize in sizes)
    for pagesize, page in zip(sizes, pages, strict=True):
        with expect.each():
            _readable(page.succeeded, judge.answer(page))
            expect(judge.page_count_fits, page, pagesize=pagesize)


EXISTING_PAGES = ((0, 100), (0, 1), (1, 1), (3, 1), (0, 2), (1, 2), (0, 3), (1, 3), (0, 7), (0, 50))
"""Pages, counted from the first, and page sizes; five providers are enough for each page to exist."""

OPTIONAL_SIZE, OPTIONAL_PAGES = 2, 2
"""The pages by which the list is counted under OPTIONAL, small enough for the second to give somebody new."""

TIMES_WRONG = 2
TIMES_WRONG_AMONG_OTHERS = 4
"""How often a count must be wrong to be believed so."""

RESTLESS = "providers of others come and go all the time, so that nobody can count them"

MOST_COUNTS = 6
"""How often the list is counted before it is given up, because it is never the same twice."""


def _count(api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
    """Compare the count of several pages with what the list gives before and after, for as long as that differs.

    A wrong count must be seen again: somebody's provider may have come and gone between the two. Where there are
    others, who may be coming and going all the time, it must be wrong by as many each time.
    """
    with api.target.traffic.calm.reading():
        _count_while_nothing_changes(api, providers, inventory, expect)


def _count_while_nothing_changes(api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
    first = inventory.first_page()
    asked = _to_count(len(providers.held), inventory)
    times_wrong: list[list[int | None]] = []
    told = RESTLESS
    for _ in range(MOST_COUNTS):
        all_of_them = inventory.sure_pages(len(providers.ids), LARGEST_PAGE)
        further = api.page(first + len(all_of_them), LARGEST_PAGE, inventory.default)
        # Between two walks among others, who may come at any time, one after the other is read.
        at_once = [] if api.others else [*all_of_them, *[api.page(*one) for one in asked], further, *all_of_them]
        with api.ahead(at_once):
            before = inventory.walk(ours=providers.ids, complete=True)
            _readable(before.first.succeeded, judge.answer(before.first))
            if not before.whole:
                raise NotTestableError("there are so many providers of others that nobody can count them in time")
            answers = api.list_each(_to_count(before.size, inventory) if api.others else asked)
            pages, chosen = answers[:-OPTIONAL_PAGES], answers[-OPTIONAL_PAGES:]
            after = inventory.walk(ours=providers.ids, complete=True)
            beyond = api.list(first + len(before.pages), before.pagesize, inventory.default)
        if sorted(before.ids) != sorted(after.ids) or before.size != after.size:
            continue
        if judge.every_one_once(*before.pages, names=providers.names) or len(set(before.ids)) != len(before.ids):
            raise NotTestableError("the pages do not give every provider once (LIST-3), or others change them")
        readable = [page for page in (*before.pages, *pages) if judge.members_of(page) is not None and page.succeeded]
        met = {_id_of(item) for page in readable for item in judge.listed(page)} - {None, *before.ids}
        if met:
            told = STILL_LISTED if met <= api.gone.keys() else RESTLESS
            continue
        wrong = [_off_by(page, before.size) for page in readable if judge.counts_all(page, size=before.size)]
        more = judge.counts_what_follows(before.pages[-1], beyond, size=before.size, known=before.ids)
        sure = _comparable(chosen, before, after, providers.ids)
        astray = judge.counts_chosen(*sure, size=before.size) if sure else None
        if wrong or more or astray:
            times_wrong.append([*wrong, *(_off_by(page, before.size) for page in sure if astray)])
            if not _is_believed(times_wrong, before, api):
                continue
        for page in readable:
            expect(judge.counts_all, page, size=before.size)
        expect(judge.counts_what_follows, before.pages[-1], beyond, size=before.size, known=before.ids)
        if sure:
            expect(judge.counts_chosen, *sure, size=before.size)
        return
    raise NotTestableError(told)


def _to_count(size: int, inventory: Inventory) -> list[tuple[int, int, str | None]]:
    """Return pages whose count is compared, of so many providers; the last ones are under OPTIONAL.

    Of the others, the last is the second page of two, which is not full.
    """
    first = inventory.first_page()
    by_default = [
        (first + page, pagesize, None if number % 3 == 1 else inventory.default)
        for number, (page, pagesize) in enumerate((*EXISTING_PAGES[:3], (1, size // 2 + 1)))
        if page * pagesize < size and pagesize <= LARGEST_PAGE
    ]
    return by_default + [(first + page, OPTIONAL_SIZE, "OPTIONAL") for page in range(OPTIONAL_PAGES)]


def _comparable(chosen: Sequence[Exchange], before: Walk, after: Walk, ours: Sequence[int]) -> Sequence[Exchange]:
    """Return what of two pages under OPTIONAL can be held against all there are, and against each other if both can.

    OPTIONAL may choose by status, which changes by itself (D9), so that for both none may change, and ours must be
    listed with theirs.
    """
    items = [item for page in (*before.pages, *chosen, *after.pages) for item in judge.listed(page)]
    statuses = {_id_of(item): item.get("status") for item in items}
    steady = all(item.get("status") == statuses[_id_of(item)] for item in items) and all(map(statuses.get, ours))
    known = {_id_of(item) for page in chosen for item in judge.listed(page)} <= {None, *before.ids}
    readable = chosen[0].succeeded and judge.members_of(chosen[0]) is not None
    return chosen[: 2 if steady else 1] if known and readable else ()


def _is_believed(times_wrong: Sequence[list[int | None]], walk: Walk, api: Api) -> bool:
    """Tell whether a count that was wrong so often, by so many each time, is wrong for good."""
    if api.others:
        return times_wrong.count(times_wrong[-1]) >= TIMES_WRONG_AMONG_OTHERS
    # One answer that gives all there are, and contradicts itself, is enough where nobody else is about.
    alone = api.target.traffic.workers == 1 and len(walk.pages) == 1
    return len(times_wrong) >= TIMES_WRONG or (alone and bool(_off_by(walk.first, walk.size)))


def _id_of(item: Mapping[str, JsonValue]) -> int | None:
    return judge.loose_id(item.get("id"))


def _off_by(page: Exchange, size: int) -> int | None:
    """Return by how many the count of a page is wrong, or None where it has none."""
    count = judge.loose_id((judge.members_of(page) or {}).get("count"))
    return None if count is None else count - size
