"""The requests that the documentation shows as samples, sent as curl sends them: its headers, a body of many lines."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.call import Call
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers
    from provider_conformance.values.plausible import Provider


@requirement("SHOW-1", "LIST-1", "CREATE-1", "UPDATE-1", "DESTROY-1", "HTTP-1")
@holding(2)
def test_the_samples_of_the_docs_are_served_as_curl_sends_them(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    draft = providers.draft()
    created = api.send(as_curl(api.call(Operation.CREATE, pretty(providers.announce(draft)))))
    held = providers.adopt(created, draft)
    expect(judge.accepted, api.served(created), requirement="CREATE-1", what=LINES)
    if held is None:
        raise NotTestableError(f"no provider to test with: create is answered with {judge.answer(created)}")
    page = {"pagination": str(inventory.first_page()), "pagesize": "10"}

    # The samples of show and list name a media type although they have no body.
    listing = api.send(as_curl(api.query(Operation.LIST, page)))
    with expect.each():
        expect(judge.accepted, api.served(listing), requirement="LIST-1", what="the headers of the sample")
    shown = api.send(as_curl(api.query(Operation.SHOW, {"id": str(held.id)})))
    with expect.each():
        expect(judge.shows_asked, api.served(shown), of=held, requirement="SHOW-1", id=held.id)
    for answer in (listing, shown):
        if answer.succeeded:
            with expect.each():
                expect(judge.json_well_formed, answer, requirement="HTTP-1")
    updated = api.send(as_curl(api.call(Operation.UPDATE, pretty(providers.values.update(held.id, held.body)))))
    with expect.each():
        expect(judge.accepted, api.served(updated), of=held, requirement="UPDATE-1", what=LINES)
    destroyed = api.send(as_curl(api.call(Operation.DESTROY, pretty({"id": held.id}))))
    if destroyed.succeeded:
        providers.forget(held)
    expect(judge.accepted, api.served(destroyed), of=held, requirement="DESTROY-1", what=LINES)


LINES = "a body of several lines, sent by curl"


def as_curl(call: Call) -> Call:
    """Send a call with the headers that curl sends, and the media type that the samples name."""
    return replace(call, agent="curl/8.5.0", accept="*/*", headers=(*call.headers, *_media_type(call)))


def _media_type(call: Call) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", "application/json"),) if call.body is None else ()


def pretty(body: Provider) -> bytes:
    """Write a body as the samples do, each property on a line of its own."""
    return json.dumps(body, indent=4).encode()
