"""What can be found out without creating anything: with --read-only, these are the tests, otherwise none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.call import NO_TOKEN, Call
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.plugin import requirement
from provider_conformance.values import tokens
from provider_conformance.values.illegal import ORDERS, unfair_ids, unfair_pages
from provider_conformance.values.odd import odd_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.refusals import Refusals

PAGE_SIZES = (1, 2, 3, 10, 50, 100)
IN_PART = "no provider is created (--read-only), so that it was tested in part only"


@requirement("LIST-1")
def test_list_answers_with_an_object_whoever_is_listed(api: Api, inventory: Inventory, expect: Expect) -> None:
    first = inventory.existing_page()
    for pagesize in PAGE_SIZES:
        with expect.each():
            page = api.list(first, pagesize, inventory.default)
            expect(judge.answers_object, api.served(page))
            expect(judge.documented_types, page, operation="list")


@requirement("LIST-2")
def test_a_page_has_at_most_pagesize_of_whoever_is_listed(api: Api, inventory: Inventory, expect: Expect) -> None:
    first = inventory.existing_page()
    for pagesize in PAGE_SIZES:
        with expect.each():
            expect(judge.at_most_pagesize, _first_page(api, first, pagesize, inventory.default), pagesize=pagesize)


@requirement("LIST-5")
def test_both_orders_are_accepted_whoever_is_listed(api: Api, inventory: Inventory, expect: Expect) -> None:
    first = inventory.existing_page()
    for sort_by in ("DEFAULT", "OPTIONAL", None):
        with expect.each():
            page = api.served(api.list(first, 10, sort_by))
            expect(judge.accepted, page, what=f"sort_by {sort_by}" if sort_by else "no sort_by")
            if sort_by is None:
                expect(judge.reports_default, page)


@requirement("LIST-7")
def test_what_was_asked_for_is_reported_whoever_is_listed(api: Api, inventory: Inventory, expect: Expect) -> None:
    first = inventory.existing_page()
    for pagesize in PAGE_SIZES:
        for sort_by in (inventory.default, "OPTIONAL"):
            with expect.each():
                page = _first_page(api, first, pagesize, sort_by)
                asked: dict[str, int | str] = {"pagination": first, "pagesize": pagesize}
                expect(judge.reports_asked, page, asked=asked | ({"sort_by": sort_by} if sort_by else {}))


@requirement("LIST-8")
def test_unfair_parameters_of_list_are_refused(inventory: Inventory, refusals: Refusals) -> None:
    first = inventory.existing_page()
    fair = {"pagination": str(first), "pagesize": "10"}
    refusals.query(Operation.LIST, fair, unfair_pages(first))
    sorted_by = {**fair, "sort_by": inventory.default or "OPTIONAL"}
    refusals.query(Operation.LIST, sorted_by, [(f"sort_by {judge.quoted(text)}", {"sort_by": text}) for text in ORDERS])


@requirement("LIST-9")
def test_page_count_fits_whoever_is_listed(api: Api, inventory: Inventory, expect: Expect) -> None:
    first = inventory.existing_page()
    for pagesize in PAGE_SIZES:
        with expect.each():
            page = _first_page(api, first, pagesize, inventory.default)
            expect(judge.page_count_fits, page, pagesize=pagesize)


@requirement("SHOW-6")
def test_unfair_ids_of_show_are_refused(api: Api, inventory: Inventory, refusals: Refusals) -> None:
    identity = _somebody(api, inventory)
    refusals.query(Operation.SHOW, {"id": str(identity)}, unfair_ids(identity))


@requirement("AUTH-1", "AUTH-2", "AUTH-3", "AUTH-4")
def test_reading_needs_the_token(api: Api, inventory: Inventory, expect: Expect) -> None:
    first, token = inventory.existing_page(), api.target.token
    readers: tuple[Callable[[str | None], Exchange], ...] = (
        lambda sent: api.list(first, 10, inventory.default, token=sent),
        lambda sent: api.show(_somebody(api, inventory), token=sent),
    )
    for read in readers:
        with expect.each():
            expect(judge.token_served, read(None))
    api.target.traffic.intruded = True
    wrong = [("AUTH-2", "no token", NO_TOKEN)]
    wrong += [("AUTH-3", what, other) for what, other in tokens.telling(token)]
    wrong += [("AUTH-4", what, other) for what, other in tokens.of_other_length(token)]
    for read in readers:
        for name, what, other in wrong:
            with expect.each():
                expect(judge.refused, read(other), requirement=name, what=what)
    raise NotTestableError(IN_PART)


@requirement("HTTP-2", "HTTP-1")
def test_odd_queries_are_survived_whoever_is_listed(api: Api, inventory: Inventory) -> None:
    first, identity = inventory.first_page(), _somebody(api, inventory)
    for operation, fair in ((Operation.SHOW, f"id={identity}"), (Operation.LIST, f"pagination={first}&pagesize=10")):
        for _, query in odd_queries(fair):
            api.send(Call(operation.value, "GET", query=query))
    raise NotTestableError(IN_PART)


def _first_page(api: Api, first: int, pagesize: int, sort_by: str | None) -> Exchange:
    page = api.list(first, pagesize, sort_by)
    if not page.succeeded:
        raise NotTestableError(f"the first page cannot be read: {judge.answer(page)}")
    return page


def _somebody(api: Api, inventory: Inventory) -> int:
    """Return the id of some provider; it is only read."""
    page = api.list(inventory.first_page(), 10, inventory.default)
    ids = [identity for item in judge.listed(page) if (identity := judge.loose_id(item.get("id"))) is not None]
    if not ids:
        raise NotTestableError("there is no provider to read (--read-only)")
    return ids[0]
