"""Requests that overlap, and connections beside each other: nobody gets what is another's, or what was before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.attribution import blamed
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.inventory import LARGEST_PAGE
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough
from provider_conformance.values.plausible import varied
from provider_conformance.values.unlike import OTHERWISE

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.call import Call
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.values.plausible import Provider

GONE, KEPT = "DESTROY-2", "DESTROY-3"
OVERLAPPING = "overlapping requests for other providers"
NOT_FOUND = frozenset({400, 404})
"""What tells that an id names nobody; another refusal may be for want of a lock."""

ROUNDS = 6
AT_ONCE = 6


@requirement("HTTP-8")
@thorough
@holding(2)
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
        # What is there before is none of the states that are raced, so that it shows when all of them are lost.
        before, *raced = *racers.bodies[turn:], *racers.bodies[:turn]
        first = racers.update(before)

        answers = api.send_together([racers.call(body) for body in raced])

        # An error of the server's own does not tell whether the update was stored (HTTP-2); a refusal does.
        states = [body for body, answer in zip(raced, answers, strict=True) if not answer.refused]
        if not any(answer.succeeded for answer in answers):
            states.append(before)
        held.story = [held.story[0], first, *answers]
        shown = providers.state(held)
        with expect.each():
            expect(judge.in_one_state, shown, of=held, states=states, id=held.id, names=kept, before=before)
            for page in inventory.walk(ours=[held.id]).pages if listing else ():
                expect(judge.in_one_state, page, of=held, states=states, id=held.id, names=kept, before=before)


class Racers:
    """A provider of ours and updates of it, of which each sets every property to what tells it from the others.

    Each brings a name, an auth_id and a hostname that no other provider has. The two values of an enum or a boolean
    are shared out among them, so that one that leaves out what it need not change shows, too.
    """

    def __init__(self, api: Api, providers: Providers) -> None:
        self.held = providers.create()
        self.bodies = [providers.draft(traits).body for traits in varied()[: AT_ONCE + 1]]
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


@requirement("SHOW-1", "LIST-2", "CREATE-4", "UPDATE-2", "UPDATE-3", "DESTROY-1", "DESTROY-2", "DESTROY-3")
@thorough
@holding(6)
def test_requests_that_overlap_are_kept_apart(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    providers.need_room(len(("one that is destroyed", "one after it", "one that is kept")))
    held = providers.create_all(varied()[: min(AT_ONCE, providers.most)])
    first = inventory.first_page()

    for _ in range(2):
        answers = api.send_together([api.query(Operation.SHOW, {"id": str(one.id)}) for one in held])
        for one, answer in zip(held, answers, strict=True):
            with expect.each():
                if answer.succeeded:
                    expect(judge.shows_asked, answer, of=one, requirement="SHOW-1", id=one.id)
        sizes = [1, 3, 2, 1]
        pages = [api.query(Operation.LIST, {"pagination": str(first), "pagesize": str(size)}) for size in sizes]
        for size, answer in zip(sizes, api.send_together(pages), strict=True):
            with expect.each():
                expect(judge.at_most_pagesize, answer, requirement="LIST-2", pagesize=size)

    for turn in range(2):
        _update_together(held, turn, api, providers, expect, blamed(ledger, "UPDATE-2"))

    victim, others = held[0], held[1:]
    before = [providers.shown(one) for one in others]
    revived = api.call(Operation.UPDATE, providers.values.update(victim.id, victim.body))
    update, *twice = api.send_together([revived, *[api.call(Operation.DESTROY, {"id": victim.id}) for _ in range(2)]])
    if any(answer.succeeded for answer in twice):
        providers.forget(victim)
        shown = api.show(victim.id)
        # Whichever came first, an update makes no provider; that it does not is for level strict.
        if judge.creates_nobody(update, shown, id=victim.id) is not None:
            providers.returned(victim)
        with expect.each():
            expect(judge.creates_nobody, update, shown, of=victim, requirement="UPDATE-5", id=victim.id)
    for one, state, after in zip(others, before, api.show_all([one.id for one in others]), strict=True):
        expect(judge.unchanged, state, api.served(after), of=one, requirement=KEPT, since=OVERLAPPING)

    _all_kinds_together(others[::2], others[1::2], api, providers, expect, blamed(ledger, "UPDATE-2"))


def _update_together(
    held: list[Held], turn: int, api: Api, providers: Providers, expect: Expect, elsewhere: frozenset[str]
) -> None:
    """Update providers at the same time and look whether each has its own values, but those to blame `elsewhere`."""
    updates = [Updating(one, turn, place, api, providers) for place, one in enumerate(held)]
    for update, answer in zip(updates, api.send_together([update.call for update in updates]), strict=True):
        update.answered(answer)
    providers.show_all(held)
    for update in updates:
        with expect.each():
            update.judge("UPDATE-3", providers, expect, elsewhere)


def _all_kinds_together(
    doomed: list[Held], changed: list[Held], api: Api, providers: Providers, expect: Expect, elsewhere: frozenset[str]
) -> None:
    """Create, update and destroy at the same time, each another provider, and look whether each of them came about."""
    updates = [Updating(one, ROUNDS, place, api, providers) for place, one in enumerate(changed)]
    drafts = [providers.draft() for _ in range(min(1, providers.most - len(providers.held)))]
    providers.announce_all(drafts)
    update_calls = [update.call for update in updates]
    destroys = [api.call(Operation.DESTROY, {"id": one.id}) for one in doomed]
    creates = [api.call(Operation.CREATE, draft.body) for draft in drafts]
    # Each kind comes before and after others: what reads first and writes last undoes what comes between.
    order = [*update_calls[:-1], *destroys[:1], *creates, *destroys[1:], *update_calls[-1:]]

    answers = dict(zip(order, api.send_together(order), strict=True))

    before = set(providers.ids)
    providers.adopt_all(drafts, [answers[call] for call in creates])
    new = [one for one in providers.held if one.id not in before]
    for update in updates:
        update.answered(answers[update.call])
    destroyed = [answers[call] for call in destroys]
    gone = [one for one, answer in zip(doomed, destroyed, strict=True) if answer.succeeded]
    for one in gone:
        providers.forget(one)

    for one, answer in zip(doomed, destroyed, strict=True):
        with expect.each():
            if answer.status in NOT_FOUND:
                expect(judge.accepted, answer, of=one, requirement="DESTROY-1", what="requests about others under way")
    for one, shown in zip(gone, api.show_all([one.id for one in gone]), strict=True):
        with expect.each():
            expect(judge.no_longer_shown, shown, of=one, requirement=GONE, id=one.id, name=one.name)
    providers.show_all([*new, *changed])
    for one in new:
        with expect.each():
            expect(judge.shows_values, providers.shown(one), of=one, requirement="CREATE-4", values=one.body)
    for update in updates:
        with expect.each():
            update.judge("UPDATE-2", providers, expect, elsewhere)


class Updating:
    """An update of a provider of ours while requests about others are under way."""

    def __init__(self, held: Held, turn: int, place: int, api: Api, providers: Providers) -> None:
        traits = replace(varied()[(place + turn) % len(varied())], port=7000 + place)
        self._held = held
        self._before = held.body
        self._body = providers.values.provider(held.number, traits)
        self.call: Call = api.call(Operation.UPDATE, providers.values.update(held.id, self._body))

    def answered(self, answer: Exchange) -> None:
        """Take note of what the update was answered with; one that was refused or failed may have been stored."""
        self._held.shown = None
        if answer.succeeded:
            self._held.body, self._held.story = self._body, [self._held.story[0], answer]

    def judge(self, requirement: str, providers: Providers, expect: Expect, elsewhere: frozenset[str]) -> None:
        """Hold the provider to what was accepted, but for properties that are to blame `elsewhere`."""
        one = self._held
        names = [name for name in one.body if name not in judge.NEVER_COMPARED | elsewhere]
        states, before = [one.body], None
        if one.body is not self._body:
            states.append(self._body)
        elif any(not judge.same(self._before[name], one.body[name]) for name in names):
            before = self._before
        shown, rule = providers.shown(one), judge.in_one_state
        expect(rule, shown, of=one, requirement=requirement, states=states, id=one.id, names=names, before=before)


@requirement("UPDATE-2", "CREATE-5", "DESTROY-2")
@holding(4)
def test_what_one_connection_changes_another_gives(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    held = providers.create()
    first = inventory.first_page()
    show = replace(api.query(Operation.SHOW, {"id": str(held.id)}), apart=True)
    listing = replace(api.page(first, LARGEST_PAGE, "DEFAULT"), apart=True)

    # The other connection has seen it all before.
    before, values = api.send(show), held.body
    api.send(listing)
    if not providers.update(held, OTHERWISE).succeeded:
        raise NotTestableError("a plausible update is not accepted")
    after = api.send(show)
    with expect.each():
        ill_typed = sorted(providers.ill_typed)
        expect(judge.shows_update, before, after, of=held, held=values, values=held.body, ill_typed=ill_typed)
    page = api.send(listing)
    if page.succeeded and not ledger.violated("LIST-4"):
        with expect.each():
            expect(judge.lists_update, page, of=held, id=held.id, held=values, values=held.body)

    other = providers.create()
    page = api.send(listing)
    # Others may come at any time: only a page that is not full is sure to be the only one.
    if page.succeeded and judge.page_length(page) < LARGEST_PAGE:
        with expect.each():
            expect(judge.listed_once, page, of=other, requirement="CREATE-5", id=other.id, name=other.name)

    for doomed in (held, other):
        if not providers.destroy(doomed).succeeded:
            raise NotTestableError("destroy is not accepted")
    expect(judge.no_longer_shown, api.send(show), of=held, requirement=GONE, id=held.id, name=held.name)
    expect(judge.not_listed, api.send(listing), of=held, requirement=GONE, id=held.id, name=held.name)
