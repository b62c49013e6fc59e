"""Sends the requests of recorded failures again, on providers of its own, and judges whether they still fail."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provider_conformance import judge
from provider_conformance.api import Api
from provider_conformance.cleanup import clean_up
from provider_conformance.config import DEFAULT_MAX_PROVIDERS
from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.guard import Guard
from provider_conformance.history import history, ids_among, ids_told_by, known_ids
from provider_conformance.journal import Journal, new_journal, read_leftovers
from provider_conformance.ledger import Ledger
from provider_conformance.outcomes import told_claims
from provider_conformance.replay_names import Renaming, nonces_of, renamings
from provider_conformance.replay_request import Renewal, Resent, UnsafeError, bears
from provider_conformance.rules import judged_again
from provider_conformance.run import interruptible
from provider_conformance.smoke import names_at_the_ends
from provider_conformance.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from provider_conformance.config import Config
    from provider_conformance.exchange import Exchange
    from provider_conformance.record import Claim, Record

OVERLAPPED = frozenset({"ids_differ", "in_one_state"})
"""Rules on requests that overlapped, which one after another prove nothing."""

MOST_STRANGERS = 32
"""Numbers in one request that are looked at one by one, since they may be ids of others."""


class Answer(StrEnum):
    """What a replay found out about a failure."""

    FAILS = "still fails"
    HOLDS = "no longer fails"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Replayed:
    """One failure after its replay; `reason` says why nothing can be told, or how it fails now."""

    requirement: str
    summary: str
    answer: Answer
    reason: str = ""


@dataclass(frozen=True)
class Others:
    """What a first look at the target's list tells: names that are borne, and why it tells nothing where it does."""

    names: tuple[str, ...] = ()
    any: bool = False
    trouble: str = ""


@contextlib.contextmanager
def replaying(record: Record, config: Config, journal_path: Path, note: Callable[[str], None]) -> Iterator[Replays]:
    """Open a replay of a record; whatever ends the block, what it created is destroyed, and `left` tells the rest.

    What it creates is in a journal first, as in a run; `note` is told what goes on.
    """
    assert config.base_url is not None
    guard, ledger = Guard(config.max_time), Ledger()
    target = Target(config, guard, ledger.record, lambda _: None)
    with contextlib.closing(new_journal(journal_path, note)) as journal, interruptible(guard):
        journal.run(config.base_url)
        replays = Replays(record, config, Api(target, ledger), journal, journal_path, note)
        try:
            yield replays
        finally:
            target.close()
            replays.clean()


class Replays:
    """Replays failures one after another; `left` are reasons why something of an earlier one is still there."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is replayed, where, and what keeps account of it
        self,
        record: Record,
        config: Config,
        api: Api,
        journal: Journal,
        journal_path: Path,
        note: Callable[[str], None],
    ) -> None:
        self.left: list[str] = []
        self._record = record
        self._config = config
        self._api = api
        self._journal = journal
        self._journal_path = journal_path
        self._note = note
        self._nameless: set[int] = set()

    def each(self, only: int | None) -> Iterator[tuple[int, Replayed]]:
        """Replay all failures, or only one, each with its number; what one has created is gone before the next."""
        claims = [told for told in enumerate(told_claims(self._record), 1) if only in {None, told[0]}]
        if not claims:
            return
        others, known = self._look(), known_ids(self._record.exchanges)
        names = renamings(nonces_of(self._record), others.names)
        for number, (requirement, claim, problem) in claims:
            answer, reason = self._answer(claim, known, others, next(names))
            yield number, Replayed(requirement.id, problem.summary, answer, reason)

    def clean(self) -> None:
        """Destroy what is left of failures that were replayed."""
        leftovers = read_leftovers(self._journal_path)
        if leftovers.nothing:
            self.left = []
            return
        config = replace(self._config, max_time=None)
        self.left = clean_up(config, leftovers, self._journal, self._note, frozenset(self._nameless)).left

    def _answer(self, claim: Claim, known: frozenset[int], others: Others, renaming: Renaming) -> tuple[Answer, str]:
        if claim.rule in OVERLAPPED:
            return Answer.UNKNOWN, "it needs requests that overlap: certify the requirement again with --only"
        if others.trouble:
            return Answer.UNKNOWN, others.trouble
        if len(read_leftovers(self._journal_path).created) >= DEFAULT_MAX_PROVIDERS:
            return Answer.UNKNOWN, "what earlier failures created is still there, so that no more may be created"
        run = self._record.circumstances
        headers = run.options.get("headers")
        renewal = Renewal(
            urlsplit(run.base_url).path.rstrip("/"),
            self._api.target.token,
            headers if isinstance(headers, tuple) else (),
            renaming,
        )
        attempt = _Replay(self._record, claim, self._api, self._journal, renewal, known, others)
        try:
            return attempt.answer()
        finally:
            self._nameless |= attempt.nameless
            self.clean()

    def _look(self) -> Others:
        """List, to see whether there are others, and which names they bear."""
        try:
            listing = self._api.list(1, 1, "DEFAULT")
            if listing.response is None:
                return Others(trouble=f"the target gives no answer: {judge.outcome(listing)}")
            names = tuple(names_at_the_ends(self._api, listing))
            return Others(names, any=bool(names) or judge.counted(listing) != 0)
        except (NotTestableError, RunEndedError) as reason:
            return Others(trouble=str(reason))


@dataclass
class _Replay:
    """The replay of one failure; `nameless` are ids of what it created without a name."""

    record: Record
    claim: Claim
    api: Api
    journal: Journal
    renewal: Renewal
    known: frozenset[int]
    others: Others
    nameless: set[int] = field(default_factory=set)
    own: dict[int, Mapping[str, str]] = field(default_factory=dict)
    doomed: set[int] = field(default_factory=set)
    lost: dict[int, str] = field(default_factory=dict)

    def answer(self) -> tuple[Answer, str]:
        """Send what led to the failure, and judge again."""
        recorded = {exchange.number: exchange for exchange in self.record.exchanges}
        made: dict[int, Exchange] = {}
        try:
            for number in history(self.record, self.claim):
                made[number] = self._sent(recorded[number])
        except (NotTestableError, RunEndedError) as reason:
            return Answer.UNKNOWN, str(reason)
        unanswered = [exchange for exchange in made.values() if exchange.response is None]
        if any(recorded[number].response for number, exchange in made.items() if exchange in unanswered):
            return Answer.UNKNOWN, f"the target gives no answer: {judge.outcome(unanswered[0])}"
        if missing := self.lost.keys() & set(ids_among(self.claim.arguments)):
            return Answer.UNKNOWN, f"what it needs cannot be created: {self.lost[min(missing)]}"
        renewed = replace(self.claim, arguments=self.renewal.arguments(self.claim.arguments))
        problem = judged_again(renewed, made)
        return (Answer.HOLDS, "") if problem is None else (Answer.FAILS, f"now: {problem.summary}")

    def _sent(self, recorded: Exchange) -> Exchange:
        self._need(recorded)
        resent = self.renewal.resent(recorded)
        self._make_safe(resent)
        mentioned = {identity for mention in resent.mentions for identity in mention.ids}
        # An update of nobody may create somebody, too.
        may_create = resent.creates or not (resent.only_reads or mentioned & self._alive)
        if may_create and (name := resent.marks.get("name")):
            self.journal.create(name)
        exchange = self.api.send(resent.call)
        if resent.creates:
            self._take_in(recorded, resent, exchange)
        elif resent.destroys and not exchange.refused:
            self.doomed |= mentioned & self.own.keys()
        return exchange

    def _need(self, recorded: Exchange) -> None:
        """Raise UnsafeError for a request about somebody who could not be created again."""
        mentioned = ids_told_by(recorded.request) if self.lost else set()
        for identity in mentioned & self.lost.keys():
            raise UnsafeError(f"what it needs cannot be created: {self.lost[identity]}")

    def _take_in(self, recorded: Exchange, resent: Resent, exchange: Exchange) -> None:
        """Hold what a create has made by the id that it gave, in the place of the recorded one."""
        old, new = judge.given_id(recorded), judge.given_id(exchange)
        made = None if exchange.refused else new
        if old is not None and not recorded.refused:
            if made is None:
                self.lost[old] = judge.answer(exchange)
            else:
                self.renewal.ids[old] = made
        if made is not None and made not in self._alive:
            self._hold(made, resent.marks)

    def _hold(self, identity: int, marks: Mapping[str, str]) -> None:
        name = marks.get("name", "")
        self.journal.created(name, identity, {key: mark for key, mark in marks.items() if key != "name"})
        # Creates have been seen that give the id of somebody else; who is alone on the target need not look.
        if self.others.any and not self._is_own(self.api.show(identity), marks):
            raise UnsafeError(f"create gives the id {identity}, which is somebody else's")
        self.own[identity] = marks
        self.doomed.discard(identity)
        if not name:
            self.nameless.add(identity)

    @property
    def _alive(self) -> set[int]:
        """The ids of what the replay has created, as far as it has not sent their destroys."""
        return self.own.keys() - self.doomed

    def _make_safe(self, resent: Resent) -> None:
        """Raise UnsafeError for what may change a provider, unless everybody whom it may be about is the replay's own.

        A server that coerces may take what bears no id for 0 or 1: these must be nobody's.
        """
        if resent.only_reads or resent.is_plain_create:
            return
        if resent.is_packed:
            raise UnsafeError("its body is compressed, so that nobody sees whom it is about")
        doubtful = [mention for mention in resent.mentions if not mention.ids <= self._alive]
        if any(mention.ids & self.known - self.own.keys() for mention in doubtful):
            raise UnsafeError("it bears an id of the recorded run, which may be somebody else's by now")
        strangers = {identity for mention in doubtful for identity in mention.ids | mention.guesses}
        if resent.may_coerce and not any((one.ids | one.guesses) & self.own.keys() for one in resent.mentions):
            strangers |= {0, 1}
        if len(strangers) > MOST_STRANGERS:
            raise UnsafeError("it bears too many numbers that may be ids of others")
        if any(not self._is_nobody_else(identity) for identity in strangers - self._alive):
            raise UnsafeError("it may touch somebody else's provider")

    def _is_nobody_else(self, identity: int) -> bool:
        shown = self.api.show(identity)
        return judge.says_gone(shown) or (identity in self.own and self._is_own(shown, self.own[identity]))

    def _is_own(self, shown: Exchange, marks: Mapping[str, str]) -> bool:
        """Tell whether show gives what was created with these marks, or nothing that speaks against it."""
        members = judge.members_of(shown) if shown.succeeded else None
        return members is None or bears(members, marks, self.renewal.renaming.prefixes)
