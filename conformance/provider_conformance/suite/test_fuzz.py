"""Inputs that Schemathesis generates from the contract, and its second opinion on the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.changes import change
from provider_conformance.contract import Operation
from provider_conformance.drawing import drawing
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider_conformance.api import Api
    from provider_conformance.drawing import Draw
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers
    from provider_conformance.refusals import Refusals
    from provider_conformance.values.illegal import Violation
    from provider_conformance.values.plausible import Traits

Query = dict[str, str]


def page_sizes(draw: Draw) -> tuple[int, ...]:
    """Draw page sizes that every list takes."""
    from hypothesis import strategies as st  # noqa: PLC0415 - slow to import

    return draw(st.integers(1, 100), 10)


def providers_to_send(draw: Draw) -> tuple[Traits, ...]:
    """Draw providers that the contract allows and an operator may send."""
    from provider_conformance.contract_fuzz import generated  # noqa: PLC0415 - slow to import

    return draw(generated(Operation.CREATE), max(5, draw.examples // 3))


@requirement("CREATE-1", "CREATE-2", "CREATE-4", "SHOW-2")
@thorough
@drawing(providers_to_send)
def test_generated_providers_are_created_and_shown(
    providers: Providers,
    expect: Expect,
    drawn: tuple[Traits, ...],
    second_opinion: Callable[..., judge.Problem | None],
) -> None:
    for answer in providers.tried_by_batches(drawn):
        with expect.each():
            held = providers.held_by(answer)
            created, shown = held.story[0], providers.shown(held)
            expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)
            expect(second_opinion, created, requirement="CREATE-2", operation="create", level="core")
            expect(second_opinion, shown, of=held, requirement="SHOW-2", operation="show", level="core")


@requirement("UPDATE-1", "UPDATE-2")
@thorough
@holding(2)
@drawing(providers_to_send)
def test_generated_updates_are_accepted_and_shown(
    providers: Providers, expect: Expect, drawn: tuple[Traits, ...]
) -> None:
    held = providers.create()

    for traits in drawn:
        with expect.each():
            change(held, traits, providers, expect)


@requirement("LIST-1")
@thorough
@holding(2)
@drawing(page_sizes)
def test_generated_page_sizes_are_served(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, drawn: tuple[int, ...]
) -> None:
    providers.create()
    first = inventory.first_page()

    for pagesize in drawn:
        with expect.each():
            page = api.served(api.list(first, pagesize, inventory.default))
            expect(judge.answers_object, page)
            expect(judge.documented_types, page, operation="list", ours=providers.ids)


def bodies_to_refuse(operation: Operation) -> Callable[[Draw], tuple[Violation, ...]]:
    """Return what draws bodies that break the schema of an operation."""

    def what(draw: Draw) -> tuple[Violation, ...]:
        from provider_conformance.contract_fuzz import ill_formed  # noqa: PLC0415 - slow to import

        return ill_formed(operation, draw.examples // 2, draw.seed)

    return what


def queries_to_refuse(operation: Operation) -> Callable[[Draw], tuple[Query, ...]]:
    """Return what draws queries that break the schema of an operation."""

    def what(draw: Draw) -> tuple[Query, ...]:
        from provider_conformance.contract_fuzz import ill_formed_queries  # noqa: PLC0415 - slow to import

        return ill_formed_queries(operation, draw.examples // 3, draw.seed)

    return what


@requirement("CREATE-7", "CREATE-8", "CREATE-9", "CREATE-10")
@thorough
@drawing(bodies_to_refuse(Operation.CREATE))
def test_generated_creates_that_break_the_schema_are_refused(refusals: Refusals, drawn: tuple[Violation, ...]) -> None:
    refusals.creates(drawn)


@requirement("UPDATE-6")
@thorough
@holding(3)
@drawing(bodies_to_refuse(Operation.UPDATE))
def test_generated_updates_that_break_the_schema_are_refused(refusals: Refusals, drawn: tuple[Violation, ...]) -> None:
    refusals.updates(drawn)


@requirement("SHOW-6")
@thorough
@holding(1)
@drawing(queries_to_refuse(Operation.SHOW))
def test_generated_ids_that_are_none_are_refused(
    providers: Providers, refusals: Refusals, drawn: tuple[Query, ...]
) -> None:
    held = providers.create()
    fair: dict[str, str | None] = {"id": None}
    changes = [(f"the query {judge.shown(query)}", {**fair, **query}) for query in drawn]
    refusals.query(Operation.SHOW, {"id": str(held.id)}, changes, of=held)


@requirement("LIST-8")
@thorough
@holding(1)
@drawing(queries_to_refuse(Operation.LIST))
def test_generated_parameters_that_are_none_are_refused(
    providers: Providers, inventory: Inventory, refusals: Refusals, drawn: tuple[Query, ...]
) -> None:
    providers.create()
    none: dict[str, str | None] = {"pagination": None, "pagesize": None, "sort_by": None}
    changes = [(f"the query {judge.shown(query)}", {**none, **query}) for query in drawn]
    refusals.query(Operation.LIST, {"pagination": str(inventory.first_page()), "pagesize": "10"}, changes)
