"""Sends what must be refused, each beside an accepted twin, and makes sure that it has changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.call import Call
from provider_conformance.changes import shows_change
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.judge import listed, loose_id
from provider_conformance.values.illegal import dealt_out
from provider_conformance.values.plausible import TYPICAL, Traits, rebased
from provider_conformance.values.unlike import CREATED_FROM, OTHERWISE, UPDATED_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory, Walk
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Draft, Held
    from provider_conformance.values.illegal import Violation
    from provider_conformance.values.plausible import Provider

BATCH = 32
"""Requests between two looks at the provider that they are aimed at; only when it has changed, each is sent alone."""

REPEATED = 8
"""Creates that are sent again after they were refused."""

MOST_SHOWN = 100
"""New providers that are looked at one by one, because list does not tell what they bear."""

MARKS = ("name", "auth_id", "hostname")
"""Properties by which a provider of ours is known."""


class Refusals:
    """Holds an implementation to refusing what is illegal, for the requirement of one test."""

    def __init__(self, api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
        self._api = api
        self._providers = providers
        self._inventory = inventory
        self._expect = expect

    def creates(self, violations: Iterable[Violation] = (), dealt: Sequence[Violation] = ()) -> None:
        """Send creates that must be refused; none may store a provider. Some are `dealt` out among unlike bodies."""
        control = self._providers.send(self._providers.draft(OTHERWISE))
        self._expect.control(control)
        before = self.look_around()
        self._providers.clear()
        sent = []
        apart = dealt_out(dealt, self._created_from()) if dealt else ()
        # What bears nothing of ours could not be told from what is somebody else's.
        known = [one for one in (*violations, *apart) if not (one.anonymous and self._api.others)]
        for batch in in_batches(known, self._providers.room_for):
            drafts = [self._providers.draft(violation.traits or OTHERWISE) for violation in batch]
            self._providers.announce_all(drafts)
            calls = [
                self._api.call(Operation.CREATE, violation.write(draft.body), query=violation.query(draft.body))
                for violation, draft in zip(batch, drafts, strict=True)
            ]
            answers = []
            for violation, draft, answer in zip(batch, drafts, self._api.send_all(calls), strict=True):
                answers.append(answer)
                if not accepted(answer) or not self._providers.adopt(answer, draft):
                    sent.append((draft, violation.what, answer))
            self._providers.clear()
            for violation, answer in zip(batch, answers, strict=True):
                with self._expect.each():
                    self._hold_to(answer, violation.what, breaks=violation.breaks)
        self._nothing_is_left_of(before, sent)

    def _created_from(self) -> list[Traits]:
        """Return the traits of unlike bodies that are accepted: of others, a refusal would prove nothing."""
        fair = []
        for some in in_batches(CREATED_FROM, self._providers.room_for):
            answers = self._providers.send_all([self._providers.draft(traits) for traits in some], fair=False)
            for traits, answer in zip(some, answers, strict=True):
                if answer.succeeded:
                    self._expect.control(answer)
                    fair.append(traits)
            self._providers.clear()
        return fair

    def _updated_from(self, held: Held) -> list[Traits]:
        """Return the traits of unlike bodies that an update is accepted with: of others, a refusal proves nothing."""
        fair = []
        for traits in UPDATED_FROM:
            answer = self._providers.update(held, traits)
            if answer.succeeded:
                self._expect.control(answer)
                fair.append(traits)
        return fair

    def _nothing_is_left_of(self, before: Walk, sent: Sequence[tuple[Draft, str, Exchange]]) -> None:
        """Create a provider unlike those that were refused, and then some of these without what was wrong.

        What was refused may have been kept to be stored with the next one.
        """
        self._providers.clear()
        # Taken at once: what holds some already may wait for more only where nobody else does so, too.
        beside = self._providers.room_for(1 + REPEATED, least=2) - 1
        plain: Held | None = None
        with self._expect.each():
            plain = self._providers.create()
            shown = self._providers.shown(plain)
            self._expect(judge.shows_values, shown, of=plain, requirement="CREATE-4", values=plain.body)
        self.nothing_was_stored(before, sent)
        if plain is not None:
            with self._expect.each():
                self._leave_alone(plain, sent, beside)
        self._providers.clear()
        for refused in in_batches([one for one in sent if one[2].refused][:2], self._providers.room_for):
            answers = self._providers.send_all([draft for draft, _, _ in refused])
            for (draft, what, _), answer in zip(refused, answers, strict=True):
                self._providers.clear()
                with self._expect.each():
                    # Of several, all but one may be refused for others, who use up a licence.
                    alone = self._providers.send(draft) if answer.refused else answer
                    again = f"the names of a create that was refused for {what}"
                    self._expect(judge.accepted, alone, requirement="CREATE-1", what=again)
            self._providers.clear()

    def _leave_alone(self, plain: Held, sent: Sequence[tuple[Draft, str, Exchange]], beside: int) -> None:
        """Send some creates again that were refused: they are unlike the provider that is there by now.

        There is room for so many `beside` it.
        """
        before = self._providers.shown(plain)
        refused = [(draft, answer) for draft, _, answer in sent if answer.refused][:REPEATED]
        for some in in_batches(refused, beside) if beside else ():
            self._providers.announce_all([draft for draft, _ in some])
            calls = [self._api.call(Operation.CREATE, answer.request.body) for _, answer in some]
            for (draft, _), answer in zip(some, list(self._api.send_all(calls)), strict=True):
                if accepted(answer):
                    self._providers.adopt(answer, draft)
            self._providers.release_all([held for held in self._providers.held if held is not plain])
        since = "creates that had to be refused"
        self._expect(judge.unchanged, before, self._providers.state(plain), of=plain, since=since)

    def nothing_was_stored(self, before: Walk, sent: Sequence[tuple[Draft, str, Exchange]]) -> None:
        """Look at every provider that has appeared since: none may bear what only refused requests carried."""
        for identity, found in self._newcomers(before):
            for draft, what, answer in sent:
                with self._expect.each():
                    if judge.stored_nothing(answer, found, id=identity, marks=draft.marks, what=what) is not None:
                        self._providers.take_over(identity, draft.name)
                        self._expect(judge.stored_nothing, answer, found, id=identity, marks=draft.marks, what=what)

    def take_over(self, before: Walk, drafts: Sequence[Draft]) -> None:
        """Hold every provider that requests whose outcome is not judged have stored, so that it is destroyed."""
        for identity, found in self._newcomers(before):
            for draft in drafts:
                if judge.stored_nothing(found, found, id=identity, marks=draft.marks, what="") is not None:
                    self._providers.take_over(identity, draft.name)

    def look_around(self) -> Walk:
        """Walk the list, to know who is there; others may come and go meanwhile."""
        return readable(self._inventory.walk(ours=self._providers.ids))

    def look_at_one(self) -> tuple[Held, Walk]:
        """Create a provider of ours, and show it and walk the list side by side, to know who is there with it."""
        held = self._providers.create_one_unseen(TYPICAL)
        with self._api.ahead([*self._api.shows([held.id]), *self._inventory.sure_pages(1)]):
            self._providers.state(held)
            return held, self._inventory.walk(ours=self._providers.ids)

    def still_serves_reads(self, page: tuple[int, int, str | None], held: Held) -> None:
        """Send list and show as they are documented, for one of ours."""
        self._expect.control(self._api.served(self._api.list(*page)))
        self._expect.control(self._api.show(held.id))

    def still_serves_changes(self, held: Held) -> None:
        """Send update, create and destroy as they are documented, and leave nothing."""
        self._expect.control(self._providers.update(held, TYPICAL))
        self._expect.control(self._providers.send(self._providers.draft()))
        destroyed = self._providers.destroy_all([held, *(one for one in self._providers.held if one is not held)])
        self._expect.control(destroyed[0])

    def updates(self, violations: Iterable[Violation], dealt: Sequence[Violation] = ()) -> None:
        """Send updates of a provider of ours that must be refused; none may change it.

        Some are `dealt` out among unlike bodies.
        """
        held = self._providers.create()
        self._expect.control(self._providers.update(held, OTHERWISE))
        apart = dealt_out(dealt, self._updated_from(held)) if dealt else ()
        self._providers.release(held)

        def aim(victim: Held, violation: Violation) -> Call:
            body = self._update_of(victim, violation.traits or TYPICAL)
            if violation.guess is not None:
                # Without an id that names it, a careless server may find it by what else nobody else bears.
                body |= {mark: victim.body[mark] for mark in MARKS}
            return self._api.call(Operation.UPDATE, violation.write(body), query=violation.query(body))

        self._aimed([*violations, *apart], aim, self._hold_to)

    def destroys(self, violations: Iterable[Violation]) -> None:
        """Send destroys of a provider of ours that must be refused; none may destroy or change it."""

        def aim(victim: Held, violation: Violation) -> Call:
            body: Provider = {"id": victim.id}
            return self._api.call(Operation.DESTROY, violation.write(body), query=violation.query(body))

        self._aimed(violations, aim, self._hold_to)
        self._expect.control(self._providers.destroy(self._providers.create_one_unseen(TYPICAL)))

    def invalid_ids(self, violations: Iterable[Violation]) -> None:
        """Send destroys of ids that are none, made of that of a provider of ours; each must get exactly 400."""

        def aim(victim: Held, violation: Violation) -> Call:
            return self._api.call(Operation.DESTROY, violation.write({"id": victim.id}))

        def hold_to_400(answer: Exchange, what: str, of: Held) -> None:
            self._expect(judge.refused_as_invalid_id, answer, of=of, what=what)

        self._aimed(violations, aim, hold_to_400)
        self._expect.control(self._providers.destroy(self._providers.create_one_unseen(TYPICAL)))

    def query(
        self,
        operation: Operation,
        fair: dict[str, str],
        changes: Iterable[tuple[str, Mapping[str, str | None]]],
        of: Held | None = None,
    ) -> None:
        """Send queries that must be refused: a fair one with some parameters changed, or left out (None)."""
        call = Call(operation.value, "GET", query=tuple(fair.items()))
        self._expect.control(self._api.served(self._api.send(call)))
        for batch in in_batches(changes, BATCH):
            queries = [
                tuple((name, value) for name, value in {**fair, **change}.items() if value is not None)
                for _, change in batch
            ]
            answers = self._api.send_all([Call(operation.value, "GET", query=query) for query in queries])
            for (what, _), answer in zip(batch, answers, strict=True):
                with self._expect.each():
                    self._hold_to(answer, what, of=of)

    def unguessed(self, violations: Iterable[Violation]) -> Iterator[Violation]:
        """Leave out what a careless server may take for the id of somebody else's provider."""
        somebody = frozenset(identity for identity in (0, 1) if self._providers.exists(identity))
        return (violation for violation in violations if violation.guess not in somebody)

    def _aimed(
        self,
        violations: Iterable[Violation],
        aim: Callable[[Held, Violation], Call],
        hold_to: Callable[[Exchange, str, Held], None],
    ) -> None:
        """Aim requests at a provider of ours, and look from time to time whether it is as it was."""
        bystander, victim = self._providers.create_some([TYPICAL, OTHERWISE])
        others = self._providers.shown(bystander)
        victim = self._providers.furnished(victim, OTHERWISE)
        aimed, listed_before = victim, self._inventory.walk(ours=self._providers.ids)
        for some in in_batches(self.unguessed(violations), BATCH):
            batch = [violation for violation in some if violation.suits(victim.id)]
            answers = list(self._api.send_all([aim(victim, violation) for violation in batch]))
            for violation, answer in zip(batch, answers, strict=True):
                with self._expect.each():
                    hold_to(answer, violation.what, victim)
            if any(map(accepted, answers)) or self._is_changed(victim):
                # What was refused may have been so for what an accepted one of them had done.
                victim = self._another(victim)
                for violation, answer in zip(batch, answers, strict=True):
                    if not accepted(answer) and violation.suits(victim.id):
                        victim = self._alone(victim, violation, aim, hold_to)
        since = "requests about another provider that had to be refused"
        with self._api.ahead([*self._api.shows([bystander.id]), *[*self._inventory.sure_pages(2)] * 2]):
            others_now = self._api.served(self._api.show(bystander.id))
            self._expect(judge.unchanged, others, others_now, of=bystander, since=since)
            if victim is aimed:
                self.list_is_unchanged(listed_before, [bystander, victim])
        if victim is aimed:
            with self._expect.each():
                self._nothing_is_put_off(victim, bystander)
            with self._expect.each():
                self._still_changes(victim)
        self._providers.clear()

    def _nothing_is_put_off(self, victim: Held, bystander: Held) -> None:
        """Change others: what requests were refused for may have been kept, to be stored with what succeeds next."""
        before = self._providers.shown(victim)
        self._providers.change(bystander, bystander.body)
        self._providers.release(bystander)
        self._providers.create_one_unseen(TYPICAL)
        since = "requests about it that had to be refused, and an update, a destroy and a create of others"
        self._expect(judge.unchanged, before, self._providers.state(victim), of=victim, since=since)

    def _still_changes(self, victim: Held) -> None:
        """Update a provider about which requests were refused: none of them has locked it, or waits to be applied."""
        before, values = self._providers.shown(victim), victim.body
        answer = self._providers.update(victim, Traits(port=5083))
        what = "plausible values, after requests about the same provider that were refused,"
        self._expect(judge.accepted, answer, of=victim, requirement="UPDATE-1", what=what)
        shows_change(victim, before, values, self._providers, self._expect)

    def list_is_unchanged(self, before: Walk, held: Sequence[Held]) -> None:
        """Compare what list gives of our providers with what it gave before requests that were all refused."""
        ids = [one.id for one in held]
        with self._api.ahead([*self._inventory.sure_pages(len(ids))] * 2):
            after = self._inventory.walk(ours=ids)
            again = self._inventory.walk(ours=ids)
        if not after.first.succeeded or any(
            judge.list_unchanged(*one.pages, *other.pages, first=len(one.pages), ids=ids) is not None
            for one, other in ((after, again), (again, after))
        ):
            return  # a list that is never the same twice tells nothing
        # The order is promised only while nothing changes: where tests run side by side, their providers come and go,
        # and statuses, by which the list may be sorted, change by themselves (D9) unless they are told to be the same.
        told, now = _statuses(before.pages, ids), _statuses(after.pages, ids)
        ordered = sorted(before.ids) == sorted(after.ids) and told == now and None not in told
        known = {*ids, *self._api.ours}
        others = [[one for one in walk.ids if one not in known] for walk in (before, after, again)]
        if self._api.others and any(some != others[0] for some in others):
            return  # others have changed it
        pages = (*before.pages, *after.pages)
        self._expect(judge.list_unchanged, *pages, first=len(before.pages), ids=ids, ordered=ordered)

    def _alone(
        self,
        victim: Held,
        violation: Violation,
        aim: Callable[[Held, Violation], Call],
        hold_to: Callable[[Exchange, str, Held], None],
    ) -> Held:
        """Send one request again, to see whether it is the one that changes the provider; return one that is fresh."""
        before = self._providers.shown(victim)
        answer = self._api.send(aim(victim, violation))
        after = self._api.served(self._api.show(victim.id))
        fresh = self._another(victim) if judge.unchanged(before, after) else victim
        with self._expect.each():
            self._expect(judge.refused_without_change, before, answer, after, of=victim, what=violation.what)
            hold_to(answer, violation.what, victim)
        return fresh

    def _is_changed(self, victim: Held) -> bool:
        before = self._providers.shown(victim)
        return judge.unchanged(before, self._api.served(self._api.show(victim.id))) is not None

    def _another(self, victim: Held) -> Held:
        """Give up a provider that is no longer as it was, or no longer there, for a new one."""
        self._providers.release(victim)
        another = self._providers.furnished(self._providers.create(OTHERWISE), OTHERWISE)
        self._providers.shown(another)
        return another

    def _update_of(self, victim: Held, traits: Traits) -> Provider:
        """Return the body of an update that would change most properties, the id first so that truncation spares it."""
        body = self._providers.values.provider(victim.number, rebased(traits, self._providers.base))
        return {"id": victim.id, **self._providers.values.update(victim.id, body)}

    def _hold_to(self, answer: Exchange, what: str, of: Held | None = None, breaks: str | None = None) -> None:
        not_survived(answer, what)
        self._expect(judge.refused, answer, of=of, requirement=breaks, what=what)

    def _newcomers(self, before: Walk) -> Iterator[tuple[int, Exchange]]:
        """Find the providers that list did not give before, each with a page or a show that tells what it bears."""
        known = {*before.ids, *self._providers.ids}
        untold = []
        for page in self._inventory.newest(before).pages:
            for item in listed(page):
                identity = loose_id(item.get("id"))
                if identity is None or identity in known:
                    continue
                if all(name in item for name in MARKS):
                    yield identity, page
                else:
                    untold.append(identity)
        if len(untold) > MOST_SHOWN:
            raise NotTestableError(f"{len(untold)} providers of others appeared meanwhile, too many to look at each")
        for identity in untold:
            yield identity, self._api.show(identity)


def _statuses(pages: Sequence[Exchange], ids: Sequence[int]) -> list[JsonValue]:
    """Return the status that pages give of each provider, or None."""
    items = [judge.listed_item(page, identity) or {} for identity in ids for page in pages]
    return [item.get("status") for item in items if item]


def readable(walk: Walk) -> Walk:
    """Return a walk that tells who is there; raises NotTestableError for one that does not."""
    if not walk.first.succeeded or not walk.whole:
        raise NotTestableError(f"the list, which tells what was stored, cannot be read: {judge.answer(walk.first)}")
    return walk


def accepted(answer: Exchange) -> bool:
    """Tell whether a request that should have been refused was accepted, if by another status than 200."""
    return 200 <= (answer.status or 0) < 300


def not_survived(answer: Exchange, what: str) -> None:
    """Raise NotTestableError when a server failed instead of refusing: that is a requirement of its own (HTTP-2)."""
    if judge.survived(answer) is not None:
        told = f"{judge.name_of(answer)} with {what} is answered with {judge.outcome(answer)}"
        raise NotTestableError(f"{told} (HTTP-2), which is no refusal")
