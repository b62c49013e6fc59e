"""The providers of the run: creates them, knows what show and list must now give, and destroys them again."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.call import Write, as_usual
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.exchange import JSON_TYPE
from provider_conformance.ownership import Draft, Held, Ownership
from provider_conformance.reduction import Culprits, owner, told
from provider_conformance.room import Room
from provider_conformance.values.plausible import (
    FURNITURE,
    MOST_IPS,
    TYPICAL,
    Provider,
    Traits,
    Values,
    combinations,
    nonce,
    rebased,
    unlike,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provider_conformance.api import Api
    from provider_conformance.config import Config
    from provider_conformance.exchange import Exchange
    from provider_conformance.inventory import Inventory
    from provider_conformance.journal import Journal
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.room import Share

ROUNDS, MOST_ROUNDS = 3, 10
"""How often a create must be refused beside one that is accepted to be blamed for it among others, and how often it is
tried for that: they may come and go meanwhile."""

MOST_NONCES = 4
"""Sets of names that a run tries where names turn out to be taken."""

MOST_ADDRESSES = 5
"""Addresses that are tried for a hostname which turns out to be taken."""


class Told(Enum):
    """What a refused create and another one after it tell."""

    ACCEPTED = auto()
    REFUSED_ALONE = auto()
    REFUSED_LIKE_OTHERS = auto()
    UNCLEAR = auto()


class Providers(Ownership):
    """The providers of the run: creates them, holds create, show, update and destroy to rules, and destroys them again.

    `base` are the traits that the target accepts for typical ones.
    """

    def __init__(
        self,
        api: Api,
        ledger: Ledger,
        inventory: Inventory,
        journal: Journal,
        config: Config,
    ) -> None:
        share = Room(config.max_providers).enter(config.max_providers)
        super().__init__(api, ledger, inventory, journal, share)
        self.values = Values(nonce(config.seed), config.plausible)
        self.base = TYPICAL
        self.ill_typed: set[str] = set()
        self._guilty_of_create = Culprits()
        self._guilty_of_update = Culprits()
        self._seed = config.seed
        self._nonces = 0
        self._numbers = count(1)
        self._number = 0

    def beside(self, api: Api, inventory: Inventory, share: Share) -> Providers:
        """Return others of the same run, for a test in another thread: no name is given twice, and nothing is shared.

        What they know of announced names is; those that a test leaves are to be taken in again.
        """
        others = copy.copy(self)
        others.held, others.past, others.created, others.share = [], [], 0, share
        others._api, others._inventory = api, inventory  # noqa: SLF001 - its own
        others._guilty_of_create, others._guilty_of_update = Culprits(), Culprits()  # noqa: SLF001
        return others

    def draft(self, traits: Traits = TYPICAL, *, exactly: bool = False) -> Draft:
        """Return a provider to be created, whose name, auth_id and hostname nobody else has.

        Unless `exactly` its traits are wanted, typical ones are those of the base that the target accepts.
        """
        self._number = next(self._numbers)
        traits = traits if exactly else rebased(traits, self.base)
        return Draft(self._number, self.values.own(self._number), traits, self.values.provider(self._number, traits))

    def create(self, traits: Traits = TYPICAL) -> Held:
        """Create a provider and make sure that show gives it; NotTestableError tells why there is none."""
        held = self.create_one_unseen(traits)
        self.state(held)
        return held

    def create_all(self, kinds: Sequence[Traits]) -> list[Held]:
        """Create providers as `create_unseen` does, and make sure that show gives them, as `create` does."""
        return self._all_shown(self.create_unseen(kinds))

    def create_one_unseen(self, traits: Traits) -> Held:
        """Create a provider that is shown to nobody, for tests that need but its id."""
        return self.held_by(self.tried(traits))

    def create_unseen(self, kinds: Sequence[Traits]) -> list[Held]:
        """Create providers so that no order of their values is the order in which they are created; show none."""
        drafts = [self.draft(traits) for traits in kinds]
        middle = len(drafts) // 2
        return self._all_held([*drafts[middle::-1], *drafts[middle + 1 :]])

    def create_some(self, kinds: Sequence[Traits]) -> list[Held]:
        """Create providers side by side and make sure that show gives them, as `create` does."""
        return self._all_shown(self._all_held([self.draft(traits) for traits in kinds]))

    def _all_held(self, drafts: Sequence[Draft]) -> list[Held]:
        return [self.held_by(answer) for answer in self._all_judged(drafts)]

    def _all_shown(self, held: list[Held]) -> list[Held]:
        self.show_all(held)
        for one in held:
            self.shown(one)
        return held

    def tried(self, traits: Traits, *, exactly: bool = False) -> Exchange:
        """Send a plausible create and judge its answer, a refusal by the property that is to blame for it."""
        draft = self.draft(traits, exactly=exactly)
        return self._judged(draft, self.send(draft))

    def tried_by_batches(self, kinds: Iterable[Traits], *, exactly: bool = False) -> Iterator[Exchange]:
        """Send plausible creates, as many side by side as may be held at a time, and judge their answers.

        What a batch has made is shown once, and destroyed when the next one begins.
        """
        for some in in_batches(kinds, self.room_for):
            kept = list(self.held)
            answers = self.try_all(some, exactly=exactly)
            self.show_all([held for held in self.held if held not in kept])
            yield from answers
            self.release_all([held for held in self.held if held not in kept])

    def try_all(self, kinds: Sequence[Traits], *, exactly: bool = False) -> list[Exchange]:
        """Send plausible creates side by side, and then judge their answers."""
        return self._all_judged([self.draft(traits, exactly=exactly) for traits in kinds])

    def _all_judged(self, drafts: Sequence[Draft]) -> list[Exchange]:
        answers = self.send_all(drafts)
        return [self._judged(draft, answer) for draft, answer in zip(drafts, answers, strict=True)]

    def held_by(self, answer: Exchange) -> Held:
        """Return the provider that a create made; NotTestableError tells why there is none."""
        held = self.holding(answer)
        if held is None:
            raise NotTestableError(f"no provider to test with: create is answered with {judge.answer(answer)}")
        return held

    def _judged(self, draft: Draft, answer: Exchange) -> Exchange:
        # Of several that were sent side by side, the first refused one may have given the run other names.
        outdated = not draft.name.startswith(self.values.name(draft.number))
        if answer.refused and (other := self._elsewhere(draft)) is not None:
            return self._judged(other, self.send(other))
        if answer.refused and (outdated or self._names_are_taken(draft)):
            other = self.draft(draft.traits, exactly=True)
            return self._judged(other, self.send(other))
        # Another success than 200 has made a provider, so that there may be no room left to look for what is to blame.
        spared = answer.succeeded or len(self.held) >= self.share.limit
        guilty = () if spared else self._guilty_of_create.of(draft.traits, self.base, self._is_refused)
        if answer.refused and not guilty and self.held:
            self._make_do_with_fewer(answer)
        requirement = owner(draft.traits, guilty)
        self._ledger.claim(requirement, judge.accepted, answer, what=told(draft.body, guilty))
        if answer.succeeded and (answer.json.readable or answer.json.empty):
            self._ledger.claim("CREATE-2", judge.gives_id, answer)
        return answer

    def _make_do_with_fewer(self, refusal: Exchange) -> None:
        """Raise NotTestableError if creates are refused for the number of providers alone, as a licence may have it.

        They are, if one that shares nothing with another is refused, and accepted once some of ours are gone. A run
        finds out at its start how many there may be, but others may have come since.
        """
        if self._once(self.draft(unlike(self._number))).succeeded:
            return
        while self.held:
            most = len(self.held)
            self.release(self.held[-1])
            if len(self.held) == most:
                break
            if self._once(self.draft(unlike(self._number))).succeeded:
                self.share.most = most
                raise NotTestableError(f"the target takes no more than {most} providers of ours at a time by now")
        if not self._api.others or self._are_fewer_than_before():
            self._ledger.claim("CREATE-1", judge.accepted, refusal)
        raise NotTestableError("no create is accepted any more, so that there is nothing to test with")

    def _names_are_taken(self, draft: Draft) -> bool:
        """Tell whether a create is refused for its names alone, which another run may have left or be using.

        It is, if the same is accepted by other names and then refused again by these; the run takes other names then.
        """
        self._nonces += 1
        fresh = replace(self.values, nonce=nonce(self._seed, MOST_NONCES + self._nonces))
        other = replace(draft, own=fresh.own(draft.number), body=fresh.provider(draft.number, draft.traits))
        if self._nonces > MOST_NONCES or not self._once(other).succeeded or self._once(draft).succeeded:
            return False
        self.values = fresh
        return True

    def _elsewhere(self, draft: Draft) -> Draft | None:
        """Return a refused create with another hostname, if it is refused for that alone: an address, and taken.

        It is, if the same is accepted with another address. Somebody else may well have one of the few that reach
        nobody (RFC 5737).
        """
        for hostname in self._other_addresses(draft.traits):
            other = replace(draft, body={**draft.body, "hostname": hostname})
            if self._once(other).succeeded:
                return draft if self._once(draft).succeeded else other
        return None

    def _other_addresses(self, traits: Traits) -> list[JsonValue]:
        """Return addresses for a hostname that is one, where others may have that."""
        if traits.host or not self._api.others:
            return []
        return [self.draft(traits, exactly=True).body["hostname"] for _ in range(MOST_ADDRESSES)]

    def _once(self, draft: Draft) -> Exchange:
        """Send a create and destroy what it made."""
        self.need_room()
        answer = self._probed(draft)
        if self.may_be_for_others(answer):
            answer = self._probed(draft)
        if (held := self.holding(answer)) is not None:
            self.release(held)
        return answer

    def twin_of(self, held: Held) -> Held | None:
        """Create a provider that shares hostname, auth_id and addresses with another, or else a namesake of it.

        A twin is nothing an operator sends, and an implementation may refuse it; one that does not must still keep the
        two apart. Where a namesake is refused as well, there is none.
        """
        for draft in (self._twin(held.body, held.number), self._namesake(held.body)):
            alike = self.holding(self.send(draft, fair=False))
            if alike is not None:
                self.state(alike)
                return alike
        return None

    def _namesake(self, body: Provider, end: str = " b") -> Draft:
        """Draft a provider with the addresses of another, and a name that begins with all of the other's."""
        draft = self.draft()
        return replace(draft, body={**draft.body, "name": f"{body['name']}{end}", "ips": body["ips"]})

    def _twin(self, body: Provider, number: int) -> Draft:
        """Draft a namesake that shares with the other what must be its own as well; it may have fewer addresses.

        Its name differs from another namesake's in a character that files and sections are not named by.
        """
        draft = self._namesake(body, "-b")
        shared = {name: body[name] for name in ("hostname", "auth_id")}
        shared["ips"] = self.values.provider(number, Traits(ips=MOST_IPS))["ips"]
        return replace(draft, body={**draft.body, **shared})

    def cousin_of(self, held: Held) -> Held | None:
        """Create a provider whose outbound server is another's host, and whose name and auth_id are in another case.

        An implementation may refuse the latter; where it does, the cousin has names of its own.
        """
        cousin = self._cousin(held.body)
        plain = self.draft()
        through = {"outbound_server": held.body["hostname"]}
        for draft in (cousin, replace(plain, body={**plain.body, **through})):
            alike = self.holding(self.send(draft, fair=False))
            if alike is not None:
                self.state(alike)
                return alike
        return None

    def _cousin(self, body: Provider, ips: Sequence[JsonValue] = ()) -> Draft:
        """Draft a provider behind the host of another, whose name and auth_id differ from its in letter case only."""
        draft = self.draft()
        name, own = str(body["name"]), len(self.values.prefix)
        names = {"name": name[:own] + name[own:].swapcase(), "auth_id": str(body["auth_id"]).swapcase()}
        through = {"outbound_server": body["hostname"], "ips": list(ips)}
        return replace(draft, body={**draft.body, **names, **through})

    def create_alike(self) -> list[Held]:
        """Create providers that a careless comparison may take for each other, and one that is unlike them.

        The name of the one before that begins with all of the first one's; the last are a twin of the first and a
        cousin of the second, where they are accepted. The cousin's address is the host of the one unlike them.
        Where there is little room, there are three at least: the first, the namesake, and the one unlike them. None
        has been shown yet.
        """
        kinds = (Traits(ips=MOST_IPS), Traits(name_tail=" alike"))[: 2 if self.most > 3 else 1]
        apart = self.draft(replace(next(combinations()), host=""))
        answers = self._all_judged([*map(self.draft, kinds), apart])
        *first, unlike_them = [self.held_by(answer) for answer in answers]
        draft = self.draft()
        late = [replace(draft, body={**draft.body, "name": f"{first[0].name} b"})]
        late += [self._twin(first[0].body, first[0].number)] if self.most > 4 else []
        late += [self._cousin(first[1].body, [unlike_them.body["hostname"]])] if self.most > 5 else []
        answers = self.send_all(late, fair=False)
        alike = [self.held_by(self._judged(late[0], answers[0]))]
        alike += [made for answer in answers[1:] if (made := self.holding(answer)) is not None]
        return [*first, alike[0], unlike_them, *alike[1:]]

    def send(self, draft: Draft, *, written: Write = as_usual, fair: bool = True) -> Exchange:
        """Send a create, journalled before and after, without judging its answer; one not `fair` may be refused.

        It may be `written` otherwise than usual.
        """
        self.need_room()
        (answer,) = self._created([draft], written)
        if fair and self.may_be_for_others(answer):
            answer = self._again(draft, written)
        return self._api.served(answer) if fair else self._api.heard(answer)

    def send_all(self, drafts: Sequence[Draft], *, fair: bool = True) -> list[Exchange]:
        """Send creates whose order does not matter, as `send` does."""
        self.need_room(len(drafts))
        answers = self._created(drafts)
        if fair:
            answers = [
                self._again(draft) if self.may_be_for_others(answer) else answer
                for draft, answer in zip(drafts, answers, strict=True)
            ]
        # All that were made are held before one that was turned away ends the test.
        return [self._api.served(answer) if fair else self._api.heard(answer) for answer in answers]

    def _created(self, drafts: Sequence[Draft], written: Write = as_usual) -> list[Exchange]:
        """Send creates, journalled before and after."""
        self.announce_all(drafts)
        calls = [written(self._api.call(Operation.CREATE, draft.body)) for draft in drafts]
        return self.adopt_all(drafts, self._api.send_all(calls))

    def _again(self, draft: Draft, written: Write = as_usual) -> Exchange:
        """Send a create again that may have been refused for what others did at that moment; return its answer.

        A licence may limit how many there are, those of others included: NotTestableError tells that it may be that.
        """
        answer = self._probed(draft, written)
        if not self.may_be_for_others(answer):
            return answer
        seen: list[Told] = []
        for _ in range(MOST_ROUNDS):
            if len(self.held) >= self.share.limit:
                break
            seen.append(self._told_apart(draft, written))
            if Told.ACCEPTED in seen:
                break
            if seen.count(Told.REFUSED_ALONE) == ROUNDS:
                return answer
        if set(seen) == {Told.REFUSED_LIKE_OTHERS}:
            self._make_do_with_fewer(answer)
        raise NotTestableError("a create is refused for a moment, by which others may have used up a licence")

    def _told_apart(self, draft: Draft, written: Write) -> Told:
        """Send a refused create again, and another at once; the list's count tells whether there was room for both."""
        before = self._api.size()
        answer, after = self._probed(draft, written), self._api.size()
        if (held := self.holding(answer)) is not None:
            self.release(held)
            return Told.ACCEPTED
        # The typical one may be refused for the same reason; what shares nothing with it is not.
        for traits in (TYPICAL, unlike(self._number)):
            if (other := self.holding(self._probed(self.draft(traits)))) is not None:
                with_other = self._api.size()
                self.release(other)
                nobody_came_or_went = before is None or (before == after and with_other == before + 1)
                return Told.REFUSED_ALONE if nobody_came_or_went else Told.UNCLEAR
        return Told.REFUSED_LIKE_OTHERS

    def _are_fewer_than_before(self) -> bool:
        """Tell whether there are fewer providers than when another was accepted, by more than overlap.

        What was counted after that says nothing: others need not keep to a licence.
        """
        count, traffic = self._api.size(), self._api.target.traffic
        return count is None or count + traffic.workers <= traffic.most_counted

    def _probed(self, draft: Draft, written: Write = as_usual) -> Exchange:
        (answer,) = self._created([draft], written)
        return answer

    def may_be_for_others(self, answer: Exchange) -> bool:
        """Tell whether a create may be refused for what others do at the moment, such as to use up a licence."""
        return answer.refused and bool(self._api.others) and not judge.turned_away(answer)

    def show_all(self, held: Sequence[Held]) -> None:
        """Show providers of ours side by side, for `shown` to return; what is wrong is judged when it is asked for."""
        for one, shown in zip(held, self._api.show_all([one.id for one in held]), strict=True):
            one.shown = None
            with contextlib.suppress(NotTestableError):
                self._seen(one, self._api.served(shown))

    def state(self, held: Held) -> Exchange:
        """Show a provider of ours; raises NotTestableError when show does not give it."""
        return self._seen(held, self._api.served(self._api.show(held.id)))

    def _seen(self, held: Held, shown: Exchange) -> Exchange:
        """Take note of what show gives of a provider of ours."""
        readable = not shown.succeeded or shown.json.readable or shown.json.empty
        problem = judge.shows_asked(shown, id=held.id)
        if problem is not None and self.misnamed(held):
            shown = self._api.show(held.id)
        if readable:
            problem = self._ledger.claim("SHOW-1", judge.shows_asked, shown, story=held.story, id=held.id)
        if shown.succeeded:
            self._ledger.claim("SHOW-2", judge.documented_types, shown, story=held.story, operation=Operation.SHOW)
            if len(held.story) == 1:
                self.ill_typed.update(judge.wrong_types(judge.members_of(shown) or {}, Operation.SHOW))
        if problem is not None:
            raise NotTestableError(f"show does not give our provider {held.id}: {judge.answer(shown)}")
        held.shown = shown
        return shown

    def shown(self, held: Held) -> Exchange:
        """Return the state of a provider of ours as show gave it since its last change, or show it now."""
        return held.shown or self.state(held)

    def update(self, held: Held, traits: Traits, *, content_type: str = JSON_TYPE) -> Exchange:
        """Send a complete, plausible update, and remember its values unless it is refused."""
        body = self.values.provider(held.number, rebased(traits, self.base))
        answer = self.change(held, body, content_type=content_type)
        if answer.refused and len(held.story) > 1 and self.is_gone(held.id) and self.misnamed(held):
            return self.update(held, traits, content_type=content_type)
        return answer

    def gives_up_names(self, held: Held) -> bool:
        """Update name, auth_id and hostname of a provider; tell whether nobody bears the former ones any more."""
        former = held.body
        answer = self.update(held, Traits(name_tail=" renamed", auth_tail="other", host="gateway"))
        members = judge.members_of(self._api.show(held.id)) or {}
        kept = [name for name in ("name", "auth_id", "hostname") if members.get(name) == former[name]]
        return answer.succeeded and not kept

    def change(self, held: Held, body: Provider, *, content_type: str = JSON_TYPE, fair: bool = True) -> Exchange:
        """Send a complete update to a body, and remember it unless it is refused, as one that is not `fair` may be."""
        exchange = self._api.update(self.values.update(held.id, body), content_type=content_type)
        answer = self._api.served(exchange) if fair else self._api.heard(exchange)
        self._changed(held, body, answer)
        return answer

    def furnished(self, held: Held, traits: Traits) -> Held:
        """Return a provider of ours of some traits whose lists of parameters have items, so that losing them shows.

        What these may be is not documented (D8), so that nobody is blamed here for what becomes of them: where show
        does not give just that, it is another, as it was created.
        """
        body = self.values.furnished(held.id, held.body)
        answer = self._api.heard(self._api.update(body))
        self._changed(held, held.body, answer)
        shown = self._api.heard(self._api.show(held.id))
        members = judge.members_of(shown) or {}
        if answer.succeeded and shown.succeeded and all(judge.same(members.get(one), body[one]) for one in FURNITURE):
            held.shown = shown
            return held
        self.release(held)
        return self.create(traits)

    def update_all(self, held: Sequence[Held], kinds: Sequence[Traits]) -> list[Exchange]:
        """Update one provider of ours each to its traits, side by side, as `update` does."""
        bodies = [
            self.values.provider(one.number, rebased(traits, self.base))
            for one, traits in zip(held, kinds, strict=True)
        ]
        updates = [self.values.update(one.id, body) for one, body in zip(held, bodies, strict=True)]
        calls = [self._api.call(Operation.UPDATE, update) for update in updates]
        answers = []
        for one, body, answer in zip(held, bodies, self._api.send_all(calls), strict=True):
            self._changed(one, body, answer)
            answers.append(answer)
        return [self._api.served(answer) for answer in answers]

    def _changed(self, held: Held, body: Provider, answer: Exchange) -> None:
        """Take note of an answered update of a provider of ours."""
        held.shown = None
        if not answer.refused:
            held.body = body
            # Every update is complete, so that what came before the last two explains nothing.
            held.story = [held.story[0], *held.story[1:][-1:], answer]

    def updated(self, held: Held, traits: Traits) -> Exchange:
        """Send a plausible update and judge its answer, a refusal by the property that is to blame for it."""
        return self.judged_update(held, traits, self.update(held, traits))

    def judged_update(self, held: Held, traits: Traits, answer: Exchange) -> Exchange:
        """Judge the answer to a plausible update, a refusal by the property that is to blame for it."""
        wanted = self.values.provider(held.number, rebased(traits, self.base))
        # As with creates, an address may be somebody else's.
        for hostname in self._other_addresses(traits) if answer.refused else ():
            moved = self.change(held, {**wanted, "hostname": hostname})
            if moved.succeeded:
                again = self.change(held, wanted)
                answer = again if again.succeeded else moved
                break

        def is_refused(other: Traits) -> bool:
            return not self.update(held, other).succeeded

        story = list(held.story)
        guilty = () if answer.succeeded else self._guilty_of_update.of(traits, self.base, is_refused)
        self._ledger.claim(
            "UPDATE-1",
            judge.accepted,
            answer,
            story=story,
            what=told(self.values.provider(held.number, traits), guilty),
        )
        return answer

    def destroy(self, held: Held) -> Exchange:
        """Destroy a provider of ours; whether it is gone is for the caller to find out."""
        answer = self._api.served(self._api.destroy(held.id))
        if answer.succeeded:
            self.forget(held)
        return answer

    def destroy_all(self, held: Sequence[Held]) -> list[Exchange]:
        """Destroy providers of ours side by side, as `destroy` does."""
        answers = list(self._api.send_all([self._api.call(Operation.DESTROY, {"id": one.id}) for one in held]))
        self.forget_destroyed(held, answers)
        return [self._api.served(answer) for answer in answers]

    def gone(self) -> int:
        """Return an id that names nothing: one that the run created and destroyed."""
        held = self.create_one_unseen(TYPICAL)
        answer = self.destroy(held)
        if answer.refused and self.misnamed(held):
            answer = self.destroy(held)
        if not answer.succeeded:
            raise NotTestableError(f"no id to test with: destroy is answered with {judge.answer(answer)}")
        return held.id

    def are_gone_for_good(self, destroyed: Sequence[Held]) -> None:
        """Make sure that show gives none of these any more (DESTROY-2); NotTestableError tells of one that it does."""
        for held, shown in zip(destroyed, self._api.look([held.id for held in destroyed]), strict=True):
            if self.is_undead(held, shown) or not self.is_gone(held.id):
                raise NotTestableError("no id to test with: a destroyed provider is still shown (DESTROY-2)")

    def is_undead(self, destroyed: Held, shown: Exchange) -> bool:
        """Tell whether show still gives a provider whose destroy was accepted: it is held again then."""
        problem = self._ledger.claim(
            "DESTROY-2", judge.no_longer_shown, shown, story=destroyed.story, id=destroyed.id, name=destroyed.name
        )
        if problem is not None:
            self.returned(destroyed)
        return problem is not None

    def clear(self) -> None:
        """Destroy everything that is held; what cannot be destroyed now stays held for the end of the run."""
        self.release_all(self.held)

    def release_all(self, held: Sequence[Held]) -> None:
        """Destroy providers that are no longer needed, side by side."""
        doomed = [one for one in held if one in self.held]
        answers = self._api.send_all([self._api.call(Operation.DESTROY, {"id": one.id}) for one in doomed])
        for one, answer in zip(doomed, answers, strict=True):
            self._released(one, answer)
        self.share.resize(len(self.held))

    def release(self, held: Held) -> None:
        """Destroy a provider that is no longer needed, whatever 2xx the answer is.

        One that stays, though it exists, breaks DESTROY-1 and stays held; whatever else the answer may be, the test
        that needed the provider is over.
        """
        self.release_all([held])

    def _released(self, held: Held, answer: Exchange) -> None:
        if 200 <= (answer.status or 0) < 300:
            self.forget(held)
        elif self.is_gone(held.id):
            if self._was_never_seen(held) and self.misnamed(held):
                self.release(held)
            else:
                self.forget(held)
        elif not judge.turned_away(answer) and not self._api.locked_out(answer):
            self._ledger.claim("DESTROY-1", judge.accepted, answer, story=held.story)

    def _was_never_seen(self, held: Held) -> bool:
        """Tell whether only a create has given the id of a provider, and no show has told that it is right."""
        return held.shown is None and len(held.story) == 1

    def _is_refused(self, traits: Traits) -> bool:
        return not self._once(self.draft(traits, exactly=True)).succeeded
