"""Updates of one provider that arrive at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.attribution import blamed
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.plugin import requirement
from provider_conformance.values.plausible import varied

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.target import Call
    from provider_conformance.values.plausible import Provider

ROUNDS = 6
AT_ONCE = 6


@requirement("HTTP-8")
def test_concurrent_updates_end_in_one_of_the_accepted_states(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    if ledger.violated("SHOW-3"):
        raise NotTestableError("show and list change providers (SHOW-3), so that nothing can be said of updates")
    racers = Racers(api, providers)
    held = racers.held
    kept = [name for name in racers.kept_one_after_another() if name not in blamed(ledger, "UPDATE-2")]

    # Where list contradicts show anyway, what it gives says nothing of concurrency.
    listing = not any(map(ledger.violated, ("LIST-1", "LIST-4")))

    for turn in range(ROUNDS):
        before = racers.bodies[turn % AT_ONCE]
        first = racers.update(before)

        answers = api.send_together([racers.call(body) for body in racers.bodies])

        # An error of the server's own does not tell whether the update was stored (HTTP-2); a refusal does.
        states = [body for body, answer in zip(racers.bodies, answers, strict=True) if not answer.refused]
        if not any(answer.succeeded for answer in answers):
            states.append(before)
        held.story = [held.story[0], first, *answers]
        shown = providers.state(held)
        with expect.each():
            expect(judge.in_one_state, shown, of=held, states=states, id=held.id, names=kept)
            for page in inventory.walk(ours=[held.id]).pages if listing else ():
                expect(judge.in_one_state, page, of=held, states=states, id=held.id, names=kept)


class Racers:
    """A provider of ours and updates of it, of which each sets every property to what tells it from the others.

    Each brings a name, an auth_id and a hostname that no other provider has. The two values of an enum or a boolean
    are shared out among them, so that one that leaves out what it need not change shows, too.
    """

    def __init__(self, api: Api, providers: Providers) -> None:
        self.held = providers.create()
        self.bodies = [providers.draft(traits).body for traits in varied()[:AT_ONCE]]
        self._api = api
        self._providers = providers

    def call(self, body: Provider) -> Call:
        """Make the call of an update."""
        return self._api.call(Operation.UPDATE, self._providers.values.update(self.held.id, body))

    def update(self, body: Provider) -> Exchange:
        """Update while nothing else is going on; NotTestableError tells that not even that is accepted."""
        answer = self._api.served(self._api.send(self.call(body)))
        if not answer.succeeded:
            raise NotTestableError(f"a plausible update is answered with {judge.answer(answer)}")
        self.held.body, self.held.shown = body, None
        return answer

    def kept_one_after_another(self) -> list[str]:
        """Return the properties that updates keep when nothing else is going on: a fault of others lies elsewhere."""
        names = set(judge.documented_properties()) & set(self.bodies[0])
        for body in self.bodies:
            self.update(body)
            members = judge.members_of(self._providers.state(self.held)) or {}
            names = {name for name in names if judge.same(members.get(name, judge.MISSING), body[name])}
        if not names:
            raise NotTestableError("updates are not kept even one after another (UPDATE-2)")
        return sorted(names)
