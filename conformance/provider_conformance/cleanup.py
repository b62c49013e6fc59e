"""Destroys what a run left behind, by its journal: after a kill, a power cut, or a target that went away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.api import Api
from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.guard import Guard
from provider_conformance.inventory import Inventory
from provider_conformance.judge import listed, loose_id
from provider_conformance.ledger import Ledger
from provider_conformance.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from provider_conformance.config import Config
    from provider_conformance.journal import Journal, Leftovers
    from provider_conformance.jsontext import JsonValue

MOST_SHOWN = 2000
"""Providers without a name in the list that are looked at one by one."""


@dataclass
class Findings:
    """What a cleanup has done: ids that it destroyed, and what is left, each with the reason."""

    destroyed: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def clean_up(
    config: Config,
    leftovers: Leftovers,
    journal: Journal,
    note: Callable[[str], None],
    nameless: Collection[int] = (),
) -> Findings:
    """Destroy the providers of a journal, each only after show has confirmed that it bears a name or mark of that run.

    It may be called again, and while others use the target: what has become somebody else's is left alone. Whoever has
    just created some that are `nameless` knows them by their ids, as long as they bear no name.
    """
    findings = Findings()
    ledger = Ledger()
    target = Target(config, Guard(config.max_time), ledger.record, note)
    # The run that left them may have sent wrong tokens: what refuses everything does not say that they are gone.
    target.traffic.intruded = True
    try:
        api = Api(target, ledger)
        Cleaner(api, Inventory(api, ledger), leftovers, journal, findings, nameless).clean()
    except (NotTestableError, RunEndedError) as reason:
        findings.left.append(str(reason))
    finally:
        target.close()
    return findings


class Cleaner:
    """Looks for the providers of one journal and destroys them."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it works on, and what it works with
        self,
        api: Api,
        inventory: Inventory,
        leftovers: Leftovers,
        journal: Journal,
        findings: Findings,
        nameless: Collection[int],
    ) -> None:
        self._api = api
        self._inventory = inventory
        self._leftovers = leftovers
        self._journal = journal
        self._findings = findings
        self._nameless = nameless

    def clean(self) -> None:
        """Destroy what was created, and then what creates without an answer may have left."""
        for identity in self._leftovers.created:
            self._settle(identity)
        complete = True
        for identity in self._unanswered():
            complete = self._settle(identity) and complete
        if complete and not self._findings.left:
            self._journal.end()

    def _settle(self, identity: int) -> bool:
        """Destroy a provider if it is one of the run; tell whether nothing is left of it."""
        shown = self._api.show(identity)
        if self._inventory.is_gone(shown, identity):
            self._journal.destroyed(identity)
            return True
        members = (judge.members_of(shown) or {}) if shown.succeeded else {}
        if not self._is_ours(identity, members):
            name = members.get("name")
            if not isinstance(name, str):
                return self._left(identity, f"show does not tell its name: {judge.answer(shown)}")
            if self._may_be_cut_off(identity, name):
                return self._left(identity, f"show gives it the name {judge.quoted(name)}, which may be cut off ours")
            # Somebody else's by now, and hence none of ours any more.
            self._journal.destroyed(identity)
            return True
        answer = self._api.destroy(identity)
        accepted = 200 <= (answer.status or 0) < 300
        if not accepted and not self._inventory.is_gone(self._api.show(identity), identity):
            return self._left(identity, f"destroy is answered with {judge.answer(answer)}")
        self._journal.destroyed(identity)
        self._findings.destroyed.append(identity)
        return True

    def _is_ours(self, identity: int, members: Mapping[str, JsonValue]) -> bool:
        """Tell whether show gives a provider of the run: by its name, by a mark, or by the want of any name."""
        name, marks = members.get("name"), self._leftovers.marks.get(identity, {})
        if isinstance(name, str) and name.casefold().startswith(tuple(self._leftovers.prefixes)):
            return True
        if any(members.get(key) == mark for key, mark in marks.items()):
            return True
        return identity in self._nameless and loose_id(members.get("id")) == identity and not name

    def _may_be_cut_off(self, identity: int, name: str) -> bool:
        """Tell whether a name may be what a server has left of the one that the run gave."""
        given = self._leftovers.created.get(identity, "")
        return bool(given) and given.casefold().startswith(name.casefold())

    def _left(self, identity: int, reason: str) -> bool:
        self._findings.left.append(f"provider {identity}: {reason}")
        return False

    def _unanswered(self) -> Iterator[int]:
        """Find the providers whose create had no answer, by the names that only this run sent."""
        names = frozenset(map(str.casefold, self._leftovers.unanswered))
        if not names:
            return
        walk = self._inventory.walk()
        if not walk.first.succeeded:
            self._findings.left.append(f"the list cannot be read: {judge.answer(walk.first)}")
            return
        nameless = []
        for item in (item for page in walk.pages for item in listed(page)):
            identity = loose_id(item.get("id"))
            if identity is None:
                continue
            name = item.get("name")
            if not isinstance(name, str):
                nameless.append(identity)
            elif name.casefold() in names:
                yield identity
        if not walk.whole or len(nameless) > MOST_SHOWN:
            self._findings.left.append("the list is too long to be searched for creates that had no answer")
        for identity in nameless[:MOST_SHOWN]:
            name = (judge.members_of(self._api.show(identity)) or {}).get("name")
            if isinstance(name, str) and name.casefold() in names:
                yield identity
