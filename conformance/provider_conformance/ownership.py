"""Which providers are the run's own: what its creates have made, by the ids they gave and by what only they bore."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.inventory import found_by_name, may_list
from provider_conformance.jsontext import read_json
from provider_conformance.values.plausible import RUN_OF_NAME, Provider, Traits, is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.inventory import Inventory, Walk
    from provider_conformance.journal import Journal
    from provider_conformance.ledger import Ledger
    from provider_conformance.room import Share

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


def _bears_mark(members: Provider, draft: Draft) -> bool:
    """Tell whether a provider bears a name of this run, or a value that only the one of a draft bears."""
    name, run = members.get("name"), RUN_OF_NAME.match(draft.name)
    own = isinstance(name, str) and run is not None and name.casefold().startswith(run.group())
    return own or any(key in members and judge.same(members[key], mark) for key, mark in draft.marks.items())


def _gives(shown: Exchange, identity: int) -> bool:
    """Tell whether a show has given a provider with this very id."""
    return shown.succeeded and judge.loose_id((judge.members_of(shown) or {}).get("id")) == identity


def _may_have_made(exchange: Exchange) -> bool:
    return exchange.operation == Operation.CREATE and not exchange.refused


class Ownership:
    """Every provider that the run created; nothing else is ever updated or destroyed.

    `share` is the room that it has for them. `disputed` are ids that creates gave and that may be somebody else's; of
    those that are `doubted`, show has told nothing yet. `everyone` are all that the run has held, those of tests that
    run beside this one among them. What creates have made without telling a usable id is `astray`, by its name.
    """

    def __init__(self, api: Api, ledger: Ledger, inventory: Inventory, journal: Journal, share: Share) -> None:
        self.held: list[Held] = []
        self.past: list[Held] = []
        self.everyone: list[Held] = []
        self.announced: dict[str, Draft] = {}
        self.resolved: set[str] = set()
        self.astray: list[str] = []
        self.disputed: dict[int, Draft] = {}
        self.doubted: set[int] = set()
        self.created = 0
        self.share = share
        self._api = api
        self._ledger = ledger
        self._inventory = inventory
        self._journal = journal
        self._borne = api.ours

    def take_in(self, others: Ownership) -> None:
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

    def announce(self, draft: Draft) -> Provider:
        """Note on disk that a create is about to be sent, and give its body."""
        self.announce_all([draft])
        return draft.body

    def announce_all(self, drafts: Sequence[Draft]) -> None:
        """Note on disk that creates are about to be sent, all in one go, since the disk takes its time.

        There must be room for what they may make, however they are answered; when there is may have to be waited for.
        Raises NotTestableError where so much is astray that there may be none.
        """
        if self.astray and len(self.held) + len(self.astray) + len(drafts) > self.most:
            raise NotTestableError(
                f"{len(self.astray)} creates were accepted without giving an id by which the provider can be destroyed,"
                " so that no more may be created (--max-providers)"
            )
        if not self.announced:
            self._api.elders.update(self._api.others)
        self.share.resize(max(self.share.taken, len(self.held) + len(drafts)))
        names = {draft.name: draft for draft in drafts}
        self.announced.update(names)
        self.resolved.difference_update(names)
        self._journal.create(*(draft.name for draft in drafts))

    def room_for(self, count: int, *, least: int = 1) -> int:
        """Take room for so many more providers, or for as many as there is room for now; return how many.

        Waits for the `least`, unless so many may never be held.
        """
        held = len(self.held) + len(self.astray)
        return max(1, self.share.take(held + least, held + count) - held)

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
                return self._adopt_by_name(answer, draft)
        elif self._is_somebody_s(identity, draft, answer):
            self.disputed[identity] = draft
            self.doubted.discard(identity)
            return self._adopt_by_name(answer, draft)
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
        # What is refused needs no room.
        self.share.resize(len(self.held))
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
        was somebody's: it may have been destroyed meanwhile. That must be seen, not only be left open.
        """
        if not self._api.others:
            return False
        (shown,) = self._api.look([identity])
        members = judge.members_of(shown) or {}
        is_shown = _gives(shown, identity)
        if is_shown and _bears_mark(members, draft):
            return False
        if is_shown and identity in self._api.others:
            self._ledger.claim("CREATE-3", judge.id_is_nobody_s, answer, shown, id=identity, marks=draft.marks)
        return is_shown or identity in self._api.others

    def holding(self, answer: Exchange) -> Held | None:
        """Return the provider that a create made, or None when it made none that is ours."""
        return next((held for held in self.held if held.story[0] is answer), None)

    def exists(self, identity: int) -> bool:
        """Tell whether show gives a provider with this very id."""
        return _gives(self._api.show(identity), identity)

    def is_back(self, destroyed: Held) -> bool:
        """Tell whether show gives a provider of ours that was destroyed.

        Somebody else's may have its id by now: only one that bears a mark of ours is ours.
        """
        shown = self._api.show(destroyed.id)
        members = judge.members_of(shown) or {}
        drafts = (draft for draft in self.announced.values() if draft.number == destroyed.number)
        return _gives(shown, destroyed.id) and any(_bears_mark(members, draft) for draft in drafts)

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
        known = {*before.ids, *(self._borne - self._api.gone.keys())}
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
        if identity not in self._borne | self._api.elders and any(
            members.get(key) == value for key, value in marks.items()
        ):
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
        if Operation.CREATE in self._api.target.traffic.abandoned:
            return True
        idless = (one for one in exchanges if _may_have_made(one) and judge.given_id(one) is None)
        drafts = map(self._sent_in, idless)
        return any(draft is not None and draft.name not in self.resolved for draft in drafts)

    def _sent_in(self, create: Exchange) -> Draft | None:
        members = read_json(create.request.body or b"").value
        name = members.get("name") if isinstance(members, dict) else None
        return self.announced.get(name) if isinstance(name, str) else None

    def forget(self, held: Held) -> None:
        """Take note that a provider of ours is gone."""
        if held in self.held:
            self.held.remove(held)
            self.past.append(held)
            held.shown, held.story = None, [_bodiless(exchange) for exchange in held.story]
            self._api.gone[held.id] = held
            self._journal.destroyed(held.id)
            self.share.resize(len(self.held))

    def forget_destroyed(self, doomed: Sequence[Held], answers: Sequence[Exchange]) -> None:
        """Take note of which providers of ours are gone by the answers to their destroys, one for each."""
        for held, answer in zip(doomed, answers, strict=True):
            if answer.succeeded:
                self.forget(held)

    def returned(self, held: Held) -> None:
        """Take note that a provider of ours that was destroyed is there again."""
        if held in self.past:
            self.past.remove(held)
            self._api.gone.pop(held.id, None)
            self.held.append(held)
            self.share.admit(len(self.held))
            self._journal.created(held.name, held.id)

    def _hold(self, identity: int, draft: Draft, answer: Exchange) -> Held:
        self.created += 1
        self._borne.add(identity)
        self._api.gone.pop(identity, None)
        self._api.others.discard(identity)
        self.disputed.pop(identity, None)
        self.doubted.discard(identity)
        self.resolved.add(draft.name)
        if draft.name in self.astray:
            self.astray.remove(draft.name)
        self._journal.created(draft.name, identity)
        held = Held(identity, draft.number, draft.body, [answer])
        self.held.append(held)
        self.everyone.append(held)
        self.share.admit(len(self.held))
        return held

    def _adopt_by_name(self, answer: Exchange, draft: Draft) -> Held | None:
        """Look for a provider whose create gave no id of its own, so that it is neither lost nor left behind."""
        walk = self._inventory.walk()
        identity = found_by_name(walk.pages, draft.name)
        if identity is not None and identity not in self._borne | self._api.elders:
            return self._hold(identity, draft, answer)
        if 200 <= (answer.status or 0) < 300 and may_list(walk, draft.name):
            self.astray.append(draft.name)
        return None

    def misnamed(self, held: Held) -> bool:
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
