"""What every operation owes to HTTP and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.plugin import requirement
from provider_conformance.values.plausible import TYPICAL, single_changes, texts

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers

MEDIA_TYPES = ("application/json", "application/json; charset=utf-8")
WITH_CHARSET = "Content-Type application/json; charset=utf-8"


@requirement("HTTP-1")
def test_json_answers_are_well_formed_and_say_so(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    for traits in (TYPICAL, *texts()):
        with expect.each(), providers.created_for(traits) as held:
            expect(judge.json_well_formed, held.story[0])
            expect(judge.json_well_formed, api.show(held.id), of=held)
    held = providers.create()
    first = inventory.first_page()
    for pagesize in (1, 100):
        answer = api.list(first, pagesize)
        expect(judge.json_well_formed, answer, of=held)


@requirement("HTTP-10")
def test_json_bodies_are_accepted_with_and_without_charset(api: Api, providers: Providers, expect: Expect) -> None:
    with expect.each():
        created = []
        for media_type in MEDIA_TYPES:
            created.append(providers.send(providers.draft(), content_type=media_type))
            providers.clear()
        expect(judge.served_alike, *created, what=WITH_CHARSET)

    held = providers.create()
    with expect.each():
        updated = []
        for media_type, traits in zip(MEDIA_TYPES, single_changes(), strict=False):
            before, values = providers.shown(held), held.body
            updated.append(providers.update(held, traits, content_type=media_type))
            if updated[-1].succeeded:
                state = providers.state(held)
                expect(
                    judge.shows_update,
                    before,
                    state,
                    of=held,
                    requirement="UPDATE-2",
                    held=values,
                    values=held.body,
                    ill_typed=sorted(providers.ill_typed),
                )
        expect(judge.served_alike, *updated, of=held, what=WITH_CHARSET)

    with expect.each():
        doomed = [providers.create() for _ in MEDIA_TYPES]
        destroyed = [
            api.destroy(one.id, content_type=media_type) for one, media_type in zip(doomed, MEDIA_TYPES, strict=True)
        ]
        expect(judge.served_alike, *destroyed, what=WITH_CHARSET)
