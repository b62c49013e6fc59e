"""Retrieve provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.plugin import requirement
from provider_conformance.values.plausible import TYPICAL, boundaries, combinations, varied

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers


@requirement("SHOW-1")
def test_an_existing_provider_is_shown_under_its_id(api: Api, providers: Providers, expect: Expect) -> None:
    first, second, third = providers.create_all(varied()[:3])

    for held in (second, first, third, first, second):
        expect(judge.shows_asked, api.show(held.id), of=held, id=held.id)

    providers.release(second)
    for held in (third, first):
        expect(judge.shows_asked, api.show(held.id), of=held, id=held.id)


@requirement("SHOW-2")
def test_documented_properties_have_their_documented_types(
    api: Api, providers: Providers, expect: Expect
) -> None:
    for traits in (TYPICAL, *boundaries(), *list(combinations())[::5]):
        with expect.each(), providers.created_for(traits) as held:
            expect(judge.documented_types, api.show(held.id), of=held, operation="show")


@requirement("SHOW-3")
def test_show_and_list_change_nothing(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    ours = providers.create_all(varied()[:4])
    first = inventory.first_page()

    for read in (
        lambda: [api.show(held.id) for held in ours],
        lambda: [api.list(first, 100)],
        lambda: [api.list(first, 1, "DEFAULT"), api.list(first + 1, 1, "DEFAULT")],
        lambda: [api.list(first, 2, "OPTIONAL"), api.list(first + 1, 2, "OPTIONAL")],
        lambda: [api.show(ours[0].id) for _ in range(5)],
    ):
        before = [providers.shown(held) for held in ours]
        read()
        for held, state in zip(ours, before, strict=True):
            expect(judge.unchanged, state, api.served(api.show(held.id)), of=held)


@requirement("SHOW-4")
def test_an_unknown_id_never_shows_some_other_provider(api: Api, providers: Providers, expect: Expect) -> None:
    doomed = [providers.create() for _ in range(3)]
    kept = providers.create_all(varied()[1:3])

    for held in (doomed[1], doomed[0], doomed[2]):
        providers.destroy(held)
        others = {str(other.id): other.body for other in providers.held}
        expect(judge.gives_nobody, api.show(held.id), of=held, asked=held.id, others=others)

    # Ids that a careless comparison takes for one of ours. Should one of them be somebody's, show gives that very
    # provider, and nothing is wrong.
    others = {str(other.id): other.body for other in kept}
    for held in kept:
        for asked in mistakable(held.id, [past.id for past in providers.past]):
            with expect.each():
                expect(judge.gives_nobody, api.show(asked), of=held, asked=asked, others=others)


def mistakable(identity: int, past: Sequence[int]) -> list[int]:
    """Return ids that differ from one of ours and yet may be taken for it, by truncation, sign or as text."""
    digits = str(identity)
    alike = [other for other in past if digits.startswith(str(other)) or digits.endswith(str(other))]
    derived = (identity + 2**32, identity - 2**32, identity + 2**16, -identity)
    return [other for other in (*alike[-3:], *derived) if other != identity and other in judge.INT64]
