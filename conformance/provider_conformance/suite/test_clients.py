"""The documented operations as the usual clients send them: with their headers or without, as slowly as they do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.call import Call, Write
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held

COMPRESSED = "Accept-Encoding gzip, deflate, which browsers and most libraries send"
BARE = "no User-Agent, Accept and Accept-Encoding"
CLOSING = "Connection close"
LATE = "a body that comes 0.1 s after its headers, in two pieces"


@requirement("SHOW-1", "LIST-1", "CREATE-1", "UPDATE-1", "DESTROY-1", "CREATE-4", "LIST-4", "HTTP-1", "AUTH-1")
@holding(1)
def test_clients_are_served_that_take_compressed_answers(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    serves_all_operations(Client(api, providers, expect, as_requests, COMPRESSED), inventory)


@requirement("SHOW-1", "LIST-1", "CREATE-1", "UPDATE-1", "DESTROY-1", "CREATE-4", "LIST-4", "HTTP-1", "AUTH-1")
@holding(1)
def test_clients_are_served_that_send_only_the_headers_they_must(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    serves_all_operations(Client(api, providers, expect, bare, BARE), inventory)


@requirement("CREATE-1", "UPDATE-1", "SHOW-1", "DESTROY-1", "CREATE-4", "HTTP-1", "AUTH-1")
@holding(2)
def test_clients_are_served_that_close_each_connection_or_send_bodies_late(
    api: Api, providers: Providers, expect: Expect
) -> None:
    client = Client(api, providers, expect, closing, CLOSING)
    held = client.creates()
    with expect.each():
        client.shows(held)
    takes_late_bodies(api, providers, expect, held)
    client.destroys(held)


def serves_all_operations(client: Client, inventory: Inventory) -> None:
    """Send each operation once, up to the first that is not served: each that is never answered takes its time."""
    held = client.creates()
    with client.expect.each():
        shown = client.shows(held)
        client.lists(held, shown, inventory)
        client.updates(held)
        client.destroys(held)


def takes_late_bodies(api: Api, providers: Providers, expect: Expect, held: Held) -> None:
    """Send a create and an update side by side whose bodies come late: together they cost the time of one."""
    draft = providers.draft()
    providers.need_room()
    providers.announce_all([draft])
    changed = providers.values.update(held.id, held.body)
    calls = [api.call(Operation.CREATE, draft.body), api.call(Operation.UPDATE, changed)]
    created, updated = api.send_slowly(calls)
    providers.adopt(created, draft)
    with expect.each():
        expect(judge.accepted, api.served(updated), of=held, requirement="UPDATE-1", what=LATE)
    with expect.each():
        if providers.may_be_for_others(created):
            raise NotTestableError("a create is refused for a moment, by which others may have used up a licence")
        expect(judge.accepted, api.served(created), requirement="CREATE-1", what=LATE)


class Client:
    """Sends operations in its own way, and expects what everybody gets."""

    def __init__(self, api: Api, providers: Providers, expect: Expect, write: Write, what: str) -> None:
        self._api, self._providers, self.expect = api, providers, expect
        self._write, self._what = write, what

    def creates(self) -> Held:
        """Create a provider; raises NotTestableError where there is none then."""
        # A request over a kept connection would be sent again where it is not answered.
        self._api.target.hang_up()
        created = self._providers.send(self._providers.draft(), written=self._write)
        self.expect(judge.accepted, created, requirement="CREATE-1", what=self._what)
        if (held := self._providers.holding(created)) is None:
            raise NotTestableError(f"no provider to test with: create is answered with {judge.answer(created)}")
        return held

    def shows(self, held: Held) -> Exchange:
        """Show a provider: it is there, and as it was created; return what came."""
        shown = self._sent(self._api.query(Operation.SHOW, {"id": str(held.id)}))
        self.expect(judge.accepted, shown, of=held, requirement="SHOW-1", what=self._what)
        self.expect(judge.shows_asked, shown, of=held, requirement="SHOW-1", id=held.id)
        self.expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)
        return shown

    def lists(self, held: Held, shown: Exchange, inventory: Inventory) -> None:
        """List some providers: this one is as it is shown, where it is among them."""
        page = {"pagination": str(inventory.first_page()), "pagesize": "10"}
        listing = self._sent(self._api.query(Operation.LIST, page))
        self.expect(judge.accepted, listing, requirement="LIST-1", what=self._what)
        self.expect(judge.answers_object, listing, requirement="LIST-1")
        self.expect(judge.list_agrees, listing, shown, of=held, requirement="LIST-4", id=held.id)

    def updates(self, held: Held) -> None:
        """Update a provider with what it is like already."""
        body = self._providers.values.update(held.id, held.body)
        updated = self._sent(self._api.call(Operation.UPDATE, body))
        self.expect(judge.accepted, updated, of=held, requirement="UPDATE-1", what=self._what)

    def destroys(self, held: Held) -> None:
        """Destroy a provider."""
        destroyed = self._sent(self._api.call(Operation.DESTROY, {"id": held.id}))
        if destroyed.succeeded:
            self._providers.forget(held)
        self.expect(judge.accepted, destroyed, of=held, requirement="DESTROY-1", what=self._what)

    def _sent(self, call: Call) -> Exchange:
        return self._api.served(self._api.send(self._write(call)))


def as_requests(call: Call) -> Call:
    """Send a call with the headers of requests, the library of Python."""
    headers = (*call.headers, ("Connection", "keep-alive"))
    return replace(call, agent="python-requests/2.32.3", accept="*/*", codings="gzip, deflate", headers=headers)


def bare(call: Call) -> Call:
    """Send a call as clients of few lines do: with Host, the token, and what its body needs."""
    return replace(call, agent=None, accept=None, codings=None)


def closing(call: Call) -> Call:
    """Send a call whose connection is not to be kept, as many scripts and devices do."""
    return replace(call, headers=(*call.headers, ("Connection", "close")))
