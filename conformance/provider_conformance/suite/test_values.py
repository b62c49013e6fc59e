"""Values that the docs allow and no operator sends: stored exactly as they were sent, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.plugin import requirement
from provider_conformance.refusals import accepted, not_survived
from provider_conformance.values import unusual
from provider_conformance.values.plausible import TYPICAL

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Draw, Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.oracle import Draft, Held, Providers
    from provider_conformance.refusals import Refusals


@requirement("VALUE-1")
def test_what_is_unusual_is_created_exactly_or_refused(
    api: Api, providers: Providers, inventory: Inventory, refusals: Refusals, expect: Expect, draw: Draw
) -> None:
    plain = providers.create()
    spoilt = not_given_back(providers.shown(plain), plain.body, providers)
    before = inventory.judged(ours=providers.ids)
    providers.clear()
    sent: list[tuple[Draft, str, Exchange]] = []

    # Every third, each property with others: update, which needs fewer requests, is sent them all.
    for odd in (
        *unusual.combinations(),
        *list(unusual.numbers())[::3],
        *list(unusual.arrays_of_addresses())[::3],
        *draw(unusual.strategy(), max(5, draw.examples // 3)),
    ):
        draft = providers.draft()
        draft = replace(draft, body={**draft.body, **odd.changes})
        with expect.each():
            answer = providers.send(draft)
            if answer.refused:
                sent.append((draft, odd.what, answer))
            not_survived(answer, odd.what)
            expect(judge.stored_or_refused, answer, what=odd.what)
            if (held := providers.holding(answer)) is not None:
                shown = api.show(held.id)
                not_survived(shown, f"a provider that was created with {odd.what}")
                expect(judge.kept_exactly, answer, shown, of=held, values=draft.body, what=odd.what, spoilt=spoilt)
        providers.clear()

    refusals.nothing_was_stored(before, sent)


@requirement("VALUE-1")
def test_what_is_unusual_is_updated_exactly_or_refused(
    api: Api, providers: Providers, expect: Expect, draw: Draw
) -> None:
    held = providers.create()
    providers.update(held, TYPICAL)
    plain = providers.values.update(held.id, held.body)
    spoilt = not_given_back(providers.state(held), plain, providers)

    for odd in (
        *unusual.combinations(),
        *unusual.numbers(),
        *unusual.arrays_of_addresses(),
        *unusual.arrays_of_parameters(),
        *draw(unusual.strategy(), max(5, draw.examples * 2 // 3)),
    ):
        with expect.each():
            if held not in providers.held:
                held = providers.create()
            _update(held, {**providers.values.update(held.id, held.body), **odd.changes}, odd.what, spoilt, api, providers, expect)


def _update(
    held: Held, body: dict[str, JsonValue], what: str, spoilt: list[str], api: Api, providers: Providers, expect: Expect
) -> None:
    """Send an update, and give the provider up unless it is then sure in which state it is."""
    before = providers.shown(held)
    answer = api.served(api.update(body))
    after = api.show(held.id)
    if after.succeeded and (accepted(answer) or answer.refused):
        held.shown = after
    else:
        providers.release(held)
    not_survived(answer, what)
    expect(judge.stored_or_refused, answer, of=held, what=what)
    not_survived(after, f"a provider that was updated with {what}")
    if accepted(answer):
        expect(judge.kept_exactly, answer, after, of=held, values=body, what=what, spoilt=spoilt)
    else:
        expect(judge.refused_without_change, before, answer, after, of=held, what=what)


def not_given_back(shown: Exchange, values: dict[str, JsonValue], providers: Providers) -> list[str]:
    """Name the properties that show does not give back even where they are plausible (CREATE-4, UPDATE-2, SHOW-2)."""
    members = judge.members_of(shown) or {}
    wrong = {name for name, value in values.items() if name not in members or not judge.same(members[name], value)}
    return sorted(wrong | providers.ill_typed)
