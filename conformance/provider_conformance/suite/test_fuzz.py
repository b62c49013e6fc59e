"""Inputs that Schemathesis generates from the contract, and its second opinion on the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from provider_conformance import judge
from provider_conformance.changes import change
from provider_conformance.contract import Operation
from provider_conformance.plugin import requirement

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Draw, Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers
    from provider_conformance.refusals import Refusals


PAGE_SIZES = st.integers(1, 100)


@requirement("CREATE-1", "CREATE-2", "CREATE-4", "SHOW-2")
def test_generated_providers_are_created_and_shown(providers: Providers, expect: Expect, draw: Draw) -> None:
    from provider_conformance.contract_fuzz import generated, second_opinion  # noqa: PLC0415 - slow to import

    for answer in providers.tried_by_batches(draw(generated(Operation.CREATE), max(5, draw.examples // 3))):
        with expect.each():
            held = providers.held_by(answer)
            created, shown = held.story[0], providers.shown(held)
            expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)
            expect(second_opinion, created, requirement="CREATE-2", operation="create", level="core")
            expect(second_opinion, shown, of=held, requirement="SHOW-2", operation="show", level="core")


@requirement("UPDATE-1", "UPDATE-2")
def test_generated_updates_are_accepted_and_shown(providers: Providers, expect: Expect, draw: Draw) -> None:
    from provider_conformance.contract_fuzz import generated  # noqa: PLC0415 - slow to import

    held = providers.create()

    for traits in draw(generated(Operation.CREATE), max(5, draw.examples // 3)):
        with expect.each():
            change(held, traits, providers, expect)


@requirement("LIST-1")
def test_generated_page_sizes_are_served(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, draw: Draw
) -> None:
    providers.create()
    first = inventory.first_page()

    for pagesize in draw(PAGE_SIZES, 10):
        with expect.each():
            page = api.list(first, pagesize, inventory.default)
            expect(judge.answers_object, page)
            expect(judge.documented_types, page, operation="list", ours=providers.ids)


@requirement("CREATE-7", "CREATE-8", "CREATE-9", "CREATE-10")
def test_generated_creates_that_break_the_schema_are_refused(refusals: Refusals, draw: Draw) -> None:
    from provider_conformance.contract_fuzz import ill_formed  # noqa: PLC0415 - slow to import

    refusals.creates(ill_formed(Operation.CREATE, draw.examples // 2, draw.seed))


@requirement("UPDATE-6")
def test_generated_updates_that_break_the_schema_are_refused(refusals: Refusals, draw: Draw) -> None:
    from provider_conformance.contract_fuzz import ill_formed  # noqa: PLC0415 - slow to import

    refusals.updates(ill_formed(Operation.UPDATE, draw.examples // 2, draw.seed))


@requirement("SHOW-6")
def test_generated_ids_that_are_none_are_refused(providers: Providers, refusals: Refusals, draw: Draw) -> None:
    from provider_conformance.contract_fuzz import ill_formed_queries  # noqa: PLC0415 - slow to import

    held = providers.create()
    queries = ill_formed_queries(Operation.SHOW, draw.examples // 3, draw.seed)
    fair: dict[str, str | None] = {"id": None}
    changes = [(f"the query {judge.shown(query)}", {**fair, **query}) for query in queries]
    refusals.query(Operation.SHOW, {"id": str(held.id)}, changes, of=held)


@requirement("LIST-8")
def test_generated_parameters_that_are_none_are_refused(
    providers: Providers, inventory: Inventory, refusals: Refusals, draw: Draw
) -> None:
    from provider_conformance.contract_fuzz import ill_formed_queries  # noqa: PLC0415 - slow to import

    providers.create()
    queries = ill_formed_queries(Operation.LIST, draw.examples // 3, draw.seed)
    none: dict[str, str | None] = {"pagination": None, "pagesize": None, "sort_by": None}
    changes = [(f"the query {judge.shown(query)}", {**none, **query}) for query in queries]
    refusals.query(Operation.LIST, {"pagination": str(inventory.first_page()), "pagesize": "10"}, changes)
