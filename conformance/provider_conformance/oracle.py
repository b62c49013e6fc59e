"""The providers of the run: creates them, knows what show and list must now give, and destroys them again."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.inventory import found_by_name
from provider_conformance.jsontext import read_json
from provider_conformance.reduction import Culprits, owner, told
from provider_conformance.room import Room
from provider_conformance.values.plausible import (
    MOST_IPS,
    TYPICAL,
    Provider,
    Traits,
    Values,
    combinations,
    is_ours,
    nonce,
    rebased,
    unlike,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provider_conformance.api import Api
    from provider_conformance.config import Config
    from provider_conformance.exchange import Exchange
    from provider_conformance.inventory import Inventory, Walk
    from provider_conformance.journal import Journal
    from provider_conformance.ledger import Ledger
    from provider_conformance.room import Share

MOST_NONCES = 4
"""Sets of names that a run tries where names turn out to be taken."""

MOST_NEWCOMERS = 5
"""Providers that appeared while a create was refused, and that are looked at: on a busy system others create too."""


@dataclass(frozen=True)
class Draft:
    """A provider to be created: its body, and the number whose digits make its name, auth_id and hostname its own."""

    number: int
    own: str
    traits: Traits
    body: Provider

    @property
    def name(self) -> str:
        """The name that it is going to bear."""
        return str(self.body["name"])

    @property
    def marks(self) -> Provider:
        """The values by which it is known, since no other provider has them.

        Those that a test has replaced are none, unless they still tell the run: anybody may have an empty auth_id.
        """
        marks = {name: self.body[name] for name in ("name", "auth_id", "hostname")}
        return {name: mark for name, mark in marks.items() if self.own in str(mark) or is_ours(str(mark))}


@dataclass
class Held:
    """A provider of ours: its id, the values last accepted, and the exchanges that brought it where it is.

    `number` is what makes its name its own; `shown` is what show gave last.
    """

    id: int
    number: int
    body: Provider
    story: list[Exchange]
    shown: Exchange | None = None

    @property
    def name(self) -> str:
        """The name that it bears."""
        return str(self.body["name"])


def _bodiless(exchange: Exchange) -> Exchange:
    """Return an exchange as a story needs it, which tells its number only."""
    return replace(exchange, response=exchange.response and replace(exchange.response, body=b""))


def _may_have_made(exchange: Exchange) -> bool:
    return exchange.operation == Operation.CREATE and not exchange.refused


class Providers:
    """Every provider that the run created; nothing else is ever updated or destroyed.

    `share` is the room that it has for them, `base` the traits that the target accepts for typical ones. `disputed` are
    ids that creates gave and that may be somebody else's; of those that are `doubted`, show has told nothing yet.
    """

    def __init__(
        self,
        api: Api,
        ledger: Ledger,
        inventory: Inventory,
        journal: Journal,
        config: Config,
    ) -> None:
        self.values = Values(nonce(config.seed), config.plausible)
        self.held: list[Held] = []
        self.past: list[Held] = []
        self.announced: dict[str, Draft] = {}
        self.resolved: set[str] = set()
        self.disputed: dict[int, Draft] = {}
        self.doubted: set[int] = set()
        self.created = 0
        self._api = api
        self._ledger = ledger
        self._inventory = inventory
        self._journal = journal
        self.share = Room(config.max_providers).enter(config.max_providers)
        self._borne = api.ours
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

    def take_in(self, others: Providers) -> None:
        """Take over what others of the same run hold and have held."""
        self.held += others.held
        self.past += others.past
        self.created += others.created

    @property
    def most(self) -> int:
        """How many providers may be held at a time."""
        return self.share.most

    @property
    def ids(self) -> list[int]:
        """The ids of the providers held now."""
        return [held.id for held in self.held]

    @property
    def unresolved(self) -> list[str]:
        """The names of creates that made no provider that the run knows of, refused ones among them."""
        return [name for name in self.announced if name not in self.resolved]

    @property
    def names(self) -> dict[str, str]:
        """The names of the providers held now, by their ids in decimal."""
        return {str(held.id): held.name for held in self.held}

    def draft(self, traits: Traits = TYPICAL, *, exactly: bool = False) -> Draft:
        """Return a provider to be created, whose name, auth_id and hostname nobody else has.

        Unless `exactly` its traits are wanted, typical ones are those of the base that the target accepts.
        """
        self._number = next(self._numbers)
        traits = traits if exactly else rebased(traits, self.base)
        return Draft(self._number, self.values.own(self._number), traits, self.values.provider(self._number, traits))

    def create(self, traits: Traits = TYPICAL) -> Held:
        """Create a provider and make sure that show gives it; NotTestableError tells why there is none."""
        held = self.held_by(self.tried(traits))
        self.state(held)
        return held

    def create_all(self, kinds: Sequence[Traits]) -> list[Held]:
        """Create providers so that no order of their values is the order in which they are created."""
        drafts = [self.draft(traits) for traits in kinds]
        middle = len(drafts) // 2
        return self._create_some([*drafts[middle::-1], *drafts[middle + 1 :]])

    def create_some(self, kinds: Sequence[Traits]) -> list[Held]:
        """Create providers side by side and make sure that show gives them, as `create` does."""
        return self._create_some([self.draft(traits) for traits in kinds])

    def _create_some(self, drafts: Sequence[Draft]) -> list[Held]:
        created = [self.held_by(answer) for answer in self._all_judged(drafts)]
        self.show_all(created)
        for held in created:
            self.shown(held)
        return created

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
        if answer.refused and (outdated or self._names_are_taken(draft)):
            other = self.draft(draft.traits, exactly=True)
            return self._judged(other, self.send(other))
        # Another success than 200 has made a provider, so that there may be no room left to look for what is to blame.
        spared = answer.succeeded or len(self.held) >= self.most
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

    def _once(self, draft: Draft) -> Exchange:
        """Send a create and destroy what it made."""
        answer = self.send(draft)
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

    def _namesake(self, body: Provider, end: str = "b") -> Draft:
        """Draft a provider with the addresses of another, and a name that begins with all of the other's."""
        draft = self.draft()
        return replace(draft, body={**draft.body, "name": f"{body['name']} {end}", "ips": body["ips"]})

    def _twin(self, body: Provider, number: int) -> Draft:
        """Draft a namesake that shares with the other what must be its own as well; it may have fewer addresses."""
        draft = self._namesake(body, "c")
        shared = {name: body[name] for name in ("hostname", "auth_id")}
        shared["ips"] = self.values.provider(number, Traits(ips=MOST_IPS))["ips"]
        return replace(draft, body={**draft.body, **shared})

    def create_alike(self) -> list[Held]:
        """Create providers that a careless comparison may take for each other, and one that is unlike them.

        The name of the one before that begins with all of the first one's; the last is a twin, where that is accepted.
        Where there is little room, there are three at least: the first, the namesake, and the one unlike them.
        """
        kinds = (Traits(ips=MOST_IPS), TYPICAL)[: 2 if self.most > 3 else 1]
        *first, unlike_them = self._create_some([*map(self.draft, kinds), self.draft(next(combinations()))])
        draft = self.draft()
        late = [replace(draft, body={**draft.body, "name": f"{first[0].name} b"})]
        late += [self._twin(first[0].body, first[0].number)] if self.most > 4 else []
        # Created when the others have been looked at: they must not change them.
        answers = self.send_all(late, fair=False)
        alike = [self.held_by(self._judged(late[0], answers[0]))]
        alike += [made for answer in answers[1:] if (made := self.holding(answer)) is not None]
        self.show_all(alike)
        for held in alike:
            self.shown(held)
        return [*first, alike[0], unlike_them, *alike[1:]]

    def send(self, draft: Draft, *, content_type: str = "application/json", fair: bool = True) -> Exchange:
        """Send a create, journalled before and after, without judging its answer; one not `fair` may be refused."""
        self.need_room()
        answer = self._api.create(self.announce(draft), content_type=content_type)
        self.adopt(answer, draft)
        return self._api.served(answer) if fair else self._api.heard(answer)

    def send_all(self, drafts: Sequence[Draft], *, fair: bool = True) -> list[Exchange]:
        """Send creates whose order does not matter, as `send` does."""
        self.need_room(len(drafts))
        self.announce_all(drafts)
        calls = [self._api.call(Operation.CREATE, draft.body) for draft in drafts]
        answers = self.adopt_all(drafts, self._api.send_all(calls))
        # All that were made are held before one that was turned away ends the test.
        return [self._api.served(answer) if fair else self._api.heard(answer) for answer in answers]

    def announce(self, draft: Draft) -> Provider:
        """Note on disk that a create is about to be sent, and give its body."""
        self.announce_all([draft])
        return draft.body

    def announce_all(self, drafts: Sequence[Draft]) -> None:
        """Note on disk that creates are about to be sent, all in one go, since the disk takes its time.

        There must be room for what they may make, however they are answered; when there is may have to be waited for.
        """
        self.share.resize(max(self.share.taken, len(self.held) + len(drafts)))
        names = {draft.name: draft for draft in drafts}
        self.announced.update(names)
        self.resolved.difference_update(names)
        self._journal.create(*(draft.name for draft in drafts))

    def room_for(self, count: int) -> int:
        """Take room for so many more providers, or for as many as there is room for now, but one; return how many."""
        held = len(self.held)
        return max(1, self.share.take(held + 1, held + count) - held)

    def need_room(self, count: int = 1) -> None:
        """Raise NotTestableError when the run may not hold as many providers more."""
        if len(self.held) + count > self.most:
            if self._ledger.violated("DESTROY-1"):
                raise NotTestableError("providers cannot be destroyed (DESTROY-1), so that no more may be created")
            raise NotTestableError(
                f"needs {len(self.held) + count} providers at a time, and may hold {self.most} (--max-providers)"
            )

    def adopt(self, answer: Exchange, draft: Draft) -> Held | None:
        """Take note of what an answered create has made; an id that another provider bears is not ours to touch."""
        identity = judge.given_id(answer)
        if answer.refused:
            return None
        if identity is None:
            return self._adopt_by_name(answer, draft)
        if identity in self._borne:
            self._ledger.claim("CREATE-3", judge.id_is_new, answer, seen=[identity])
            if identity in self.ids:
                return None
        elif self._is_somebody_s(identity, draft, answer):
            self.disputed[identity] = draft
            self.doubted.discard(identity)
            return None
        else:
            self._ledger.claim("CREATE-3", judge.id_is_new, answer, seen=[])
        return self._hold(identity, draft, answer)

    def adopt_all(self, drafts: Sequence[Draft], answers: Iterable[Exchange]) -> list[Exchange]:
        """Take note of what creates have made, one answer for each draft, and return the answers.

        Where others are about, the new providers are shown once all are answered, side by side: a test that shows them
        next is given that, and so sees what all the creates have left.
        """
        answered: list[Exchange] = []
        doubtful: list[tuple[Exchange, Draft]] = []
        for draft, answer in zip(drafts, answers, strict=True):
            answered.append(answer)
            if self._api.others:
                self._doubt(answer, draft)
                doubtful.append((answer, draft))
            else:
                self.adopt(answer, draft)
        self._api.look(list(self._given(doubtful)))
        for answer, draft in doubtful:
            self.adopt(answer, draft)
        return answered

    def _doubt(self, answer: Exchange, draft: Draft) -> None:
        """Note the id that a create gave until show has told whether that is ours, so that it is not lost meanwhile."""
        for identity in self._given([(answer, draft)]):
            self.disputed[identity] = draft
            self.doubted.add(identity)
            self._journal.created(draft.name, identity)

    def _given(self, answered: Iterable[tuple[Exchange, Draft]]) -> Iterator[int]:
        """Give the ids that creates have given and that no provider of ours bears."""
        for answer, _ in answered:
            identity = None if answer.refused else judge.given_id(answer)
            if identity is not None and identity not in self._borne:
                yield identity

    def _is_somebody_s(self, identity: int, draft: Draft, answer: Exchange) -> bool:
        """Tell whether show gives somebody else's provider under an id that create gave: that is not ours to touch.

        Only asked where there are providers of others. One that bears a mark of ours is ours, also under an id that
        was somebody's: it may have been destroyed meanwhile.
        """
        if not self._api.others:
            return False
        (shown,) = self._api.look([identity])
        members = judge.members_of(shown) or {}
        if not shown.succeeded or judge.loose_id(members.get("id")) != identity or self._bears_mark(members, draft):
            return False
        if identity in self._api.others:
            self._ledger.claim("CREATE-3", judge.id_is_nobody_s, answer, shown, id=identity, marks=draft.marks)
        return True

    def _bears_mark(self, members: Provider, draft: Draft) -> bool:
        name = members.get("name")
        own = isinstance(name, str) and is_ours(name)
        return own or any(name in members and judge.same(members[name], mark) for name, mark in draft.marks.items())

    def holding(self, answer: Exchange) -> Held | None:
        """Return the provider that a create made, or None when it made none that is ours."""
        return next((held for held in self.held if held.story[0] is answer), None)

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
        if problem is not None and self._misnamed(held):
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

    def update(self, held: Held, traits: Traits, *, content_type: str = "application/json") -> Exchange:
        """Send a complete, plausible update, and remember its values unless it is refused."""
        body = self.values.provider(held.number, rebased(traits, self.base))
        answer = self.change(held, body, content_type=content_type)
        if answer.refused and len(held.story) > 1 and self.is_gone(held.id) and self._misnamed(held):
            return self.update(held, traits, content_type=content_type)
        return answer

    def gives_up_names(self, held: Held) -> bool:
        """Update name, auth_id and hostname of a provider; tell whether nobody bears the former ones any more."""
        former = held.body
        answer = self.update(held, Traits(name_tail=" renamed", auth_tail="other", host="gateway"))
        members = judge.members_of(self._api.show(held.id)) or {}
        kept = [name for name in ("name", "auth_id", "hostname") if members.get(name) == former[name]]
        return answer.succeeded and not kept

    def change(
        self, held: Held, body: Provider, *, content_type: str = "application/json", fair: bool = True
    ) -> Exchange:
        """Send a complete update to a body, and remember it unless it is refused, as one that is not `fair` may be."""
        exchange = self._api.update(self.values.update(held.id, body), content_type=content_type)
        answer = self._api.served(exchange) if fair else self._api.heard(exchange)
        self._changed(held, body, answer)
        return answer

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

    def forget(self, held: Held) -> None:
        """Take note that a provider of ours is gone."""
        if held in self.held:
            self.held.remove(held)
            self.past.append(held)
            held.shown, held.story = None, [_bodiless(exchange) for exchange in held.story]
            self._api.gone.add(held.id)
            self._journal.destroyed(held.id)
            self.share.resize(len(self.held))

    def gone(self) -> int:
        """Return an id that names nothing: one that the run created and destroyed."""
        held = self.create()
        answer = self.destroy(held)
        if not answer.succeeded:
            raise NotTestableError(f"no id to test with: destroy is answered with {judge.answer(answer)}")
        return held.id

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
        if 200 <= (answer.status or 0) < 300 or self.is_gone(held.id):
            self.forget(held)
        elif not judge.turned_away(answer) and not self._api.locked_out(answer):
            self._ledger.claim("DESTROY-1", judge.accepted, answer, story=held.story)

    def exists(self, identity: int) -> bool:
        """Tell whether show gives a provider with this very id."""
        shown = self._api.show(identity)
        return shown.succeeded and judge.loose_id((judge.members_of(shown) or {}).get("id")) == identity

    def is_gone(self, identity: int) -> bool:
        """Tell whether show says that there is no such provider.

        An answer with the bare id that was asked for gives no provider.
        """
        shown = self._api.show(identity)
        if shown.succeeded:
            members = judge.members_of(shown) or {}
            return judge.loose_id(members.get("id")) != identity or members.keys() == {"id"}
        return self._inventory.is_gone(shown, identity)

    def newcomers(self, before: Walk) -> list[int]:
        """Return the ids that list gives now, gave not before, and that are not ours: a few at most."""
        known = {*before.ids, *(self._borne - self._api.gone)}
        found = [identity for identity in self._inventory.newest(before).ids if identity not in known]
        # Those of other tests may be among them.
        return found[: MOST_NEWCOMERS * self._api.target.traffic.workers]

    def take_over(self, identity: int, name: str) -> None:
        """Hold a provider whose create gave no id, once show confirms that it is the one announced."""
        shown = self._api.show(identity)
        if shown.response is not None:
            self.doubted.discard(identity)
        members = judge.members_of(shown) or {}
        marks = self.announced[name].marks
        if identity not in self._borne and any(members.get(key) == value for key, value in marks.items()):
            self._hold(identity, self.announced[name], shown)

    def recall(self, exchanges: Iterable[Exchange]) -> None:
        """Take note of what creates have made whose answers came, but were not looked at before the run ended."""
        for answer in exchanges:
            identity = judge.given_id(answer) if _may_have_made(answer) else None
            if identity is None or identity in self._borne or identity in self.disputed:
                continue
            draft = self._sent_in(answer)
            if draft is not None and self._api.others:
                self._doubt(answer, draft)
            elif draft is not None:
                self._hold(identity, draft, answer)

    def lost(self, exchanges: Iterable[Exchange]) -> bool:
        """Tell whether a create may have made a provider without giving its id, and none is known that bears its name.

        One that was refused, or that gave no name of ours, is looked for as well, but not expected to be there.
        """
        idless = (one for one in exchanges if _may_have_made(one) and judge.given_id(one) is None)
        drafts = map(self._sent_in, idless)
        return any(draft is not None and draft.name not in self.resolved for draft in drafts)

    def _sent_in(self, create: Exchange) -> Draft | None:
        members = read_json(create.request.body or b"").value
        name = members.get("name") if isinstance(members, dict) else None
        return self.announced.get(name) if isinstance(name, str) else None

    def returned(self, held: Held) -> None:
        """Take note that a provider of ours that was destroyed is there again."""
        if held in self.past:
            self.past.remove(held)
            self._api.gone.discard(held.id)
            self.held.append(held)
            self.share.admit(len(self.held))
            self._journal.created(held.name, held.id)

    def _is_refused(self, traits: Traits) -> bool:
        return not self._once(self.draft(traits, exactly=True)).succeeded

    def _hold(self, identity: int, draft: Draft, answer: Exchange) -> Held:
        self.created += 1
        self._borne.add(identity)
        self._api.gone.discard(identity)
        self._api.others.discard(identity)
        self.disputed.pop(identity, None)
        self.doubted.discard(identity)
        self.resolved.add(draft.name)
        self._journal.created(draft.name, identity)
        held = Held(identity, draft.number, draft.body, [answer])
        self.held.append(held)
        self.share.admit(len(self.held))
        return held

    def _adopt_by_name(self, answer: Exchange, draft: Draft) -> Held | None:
        """Look for a provider whose create gave no id, so that it is neither lost nor left behind."""
        identity = found_by_name(self._inventory.walk().pages, draft.name)
        if identity is None or identity in self._borne:
            return None
        return self._hold(identity, draft, answer)

    def _misnamed(self, held: Held) -> bool:
        """Tell whether list gives a provider, that show does not, under another id; it is taken over then."""
        pages = self._inventory.walk().pages
        identity = found_by_name(pages, held.name)
        if identity is None or identity == held.id or identity in self._borne:
            return False
        if len(held.story) == 1:
            self._ledger.claim("CREATE-2", judge.gives_listed_id, held.story[0], *pages, name=held.name)
        else:
            self._ledger.claim("UPDATE-3", judge.id_kept, *pages, story=held.story, id=held.id, name=held.name)
        self._borne.add(identity)
        held.id = identity
        self._journal.created(held.name, identity)
        return True
