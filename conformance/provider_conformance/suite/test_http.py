"""What every operation owes to HTTP and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.errors import NotTestableError
from provider_conformance.plugin import requirement
from provider_conformance.values.plausible import TYPICAL, single_changes, texts

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers

MEDIA_TYPES = ("application/json", "application/json; charset=utf-8")


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
    providers.create()
    providers.clear()

    for media_type in MEDIA_TYPES:
        what = f"Content-Type {media_type}"

        with expect.each():
            answer = providers.send(providers.draft(), content_type=media_type)
            expect(judge.accepted, answer, what=what)

    held = providers.create()
    for media_type, traits in zip(MEDIA_TYPES, single_changes(), strict=False):
        with expect.each():
            before, values = providers.shown(held), held.body
            answer = providers.update(held, traits, content_type=media_type)
            expect(judge.accepted, answer, of=held, what=f"Content-Type {media_type}")
            expect(judge.shows_update, before, providers.state(held), of=held, held=values, values=held.body)

    for media_type in MEDIA_TYPES:
        with expect.each():
            doomed = providers.create()
            answer = api.destroy(doomed.id, content_type=media_type)
            expect(judge.accepted, answer, of=doomed, what=f"Content-Type {media_type}")
            if providers.exists(doomed.id):
                raise NotTestableError("destroy does not destroy")
            providers.forget(doomed)
