"""The requests that the documentation shows as samples, sent as curl sends them: its headers, a body of many lines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.exchange import JSON_TYPE
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement
from provider_conformance.values.plausible import Traits

if TYPE_CHECKING:
    from collections.abc import Callable

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
    created = providers.send(draft, written=lambda call: as_curl(replace(call, body=pretty(draft.body))))
    expect(judge.accepted, created, requirement="CREATE-1", what=LINES)
    if (held := providers.holding(created)) is None:
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


@requirement("CREATE-1", "CREATE-4", "SHOW-1", "UPDATE-1", "DESTROY-1")
@holding(1)
def test_requests_are_served_however_their_client_writes_them(api: Api, providers: Providers, expect: Expect) -> None:
    for what, write in HANDS.items():
        with expect.each():
            draft = providers.draft(Traits(name_tail=" @home+1"))
            created = providers.send(draft, written=write)
            expect(judge.accepted, created, requirement="CREATE-1", what=what)
            if (held := providers.holding(created)) is None:
                raise NotTestableError(f"no provider to test with: create is answered with {judge.answer(created)}")
            shown = api.served(api.send(write(api.query(Operation.SHOW, {"id": str(held.id)}))))
            expect(judge.shows_asked, shown, of=held, requirement="SHOW-1", id=held.id)
            expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)
            updated = api.send(write(api.call(Operation.UPDATE, providers.values.update(held.id, held.body))))
            with expect.each():
                expect(judge.accepted, api.served(updated), of=held, requirement="UPDATE-1", what=what)
            destroyed = api.send(write(api.call(Operation.DESTROY, {"id": held.id})))
            if destroyed.succeeded:
                providers.forget(held)
            expect(judge.accepted, api.served(destroyed), of=held, requirement="DESTROY-1", what=what)
        providers.clear()


def tabbed(call: Call) -> Call:
    """Indent the JSON of a call by tabs, after an empty line, and end all its lines as files do on Windows."""
    if call.body is None:
        return call
    lines = ["", *json.dumps(json.loads(call.body), indent="\t").splitlines()]
    return replace(call, body="".join(f"{line}\r\n" for line in lines).encode())


def escaped(call: Call) -> Call:
    """Write capital letters and some signs as escapes, as .NET does with the plus; names of properties have none."""
    if call.body is None:
        return call
    return replace(call, body=re.sub(rb"[A-Z+@]", lambda found: b"\\u%04X" % ord(found[0]), call.body))


def in_lower_case(call: Call) -> Call:
    """Write the names of headers in lower case, as Node.js does."""
    return replace(call, lower_case=True)


HANDS: dict[str, Callable[[Call], Call]] = {
    "tabs, CRLF and newlines around it in its JSON": tabbed,
    "escapes of ASCII in its JSON": escaped,
    "names of headers in lower case": in_lower_case,
}
"""Ways in which clients write one and the same request (RFC 8259, RFC 9110)."""

LINES = "a body of several lines, sent by curl"


def as_curl(call: Call) -> Call:
    """Send a call with the headers that curl sends, and the media type that the samples name."""
    return replace(call, agent="curl/8.5.0", accept="*/*", headers=(*call.headers, *_media_type(call)))


def _media_type(call: Call) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", JSON_TYPE),) if call.body is None else ()


def pretty(body: Provider) -> bytes:
    """Write a body as the samples do, each property on a line of its own."""
    return json.dumps(body, indent=4).encode()
