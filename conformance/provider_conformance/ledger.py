"""Keeps what a run has seen and judged: exchanges, claims on them, and what could not be tested."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from provider_conformance.exchange import Response
from provider_conformance.record import Claim, Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem


MOST_KEPT = 12 * 1024 * 1024
"""Bytes of answers' bodies in all that a run keeps generously: ten times what one on an honest target gets."""

LARGEST_KEPT = 256 * 1024
LARGEST_KEPT_LATE = 1024
"""Bytes that are kept of an answer's body before and after that."""


@dataclass
class Evidence:
    """All that the run has gathered about one requirement."""

    requirement: str
    controls: list[int] = field(default_factory=list)
    violations: list[Claim] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def notes(self) -> Notes:
        """What there is besides claims."""
        return Notes(tuple(self.gaps), tuple(self.defects), tuple(self.controls))


def lost(exchanges: Sequence[Exchange], workers: int = 1) -> set[int]:
    """Return the numbers of the exchanges at the end that the target has left unanswered.

    Where several were under way as it went, some that were sent later may have had an answer still.
    """
    answered = sorted(exchange.number for exchange in exchanges if exchange.response is not None)
    last = answered[-workers] if len(answered) >= workers else 0
    return {exchange.number for exchange in exchanges if exchange.response is None and exchange.number > last}


class Ledger:
    """The record of one run; nothing is judged that is not in it.

    `workers` are how many requests may be under way at a time; `ended_by_loss` tells that the target was gone then.
    """

    def __init__(self, workers: int = 1) -> None:
        self._workers = workers
        self.exchanges: list[Exchange] = []
        self.claims: list[Claim] = []
        self._evidence: dict[str, Evidence] = {}
        self._claimed: defaultdict[str, set[int]] = defaultdict(set)
        self._excused: list[Claim] = []
        self._judging = True
        self._kept = 0
        self._dropped: set[int] = set()
        self.ended_by_loss = False

    @contextlib.contextmanager
    def unjudged(self) -> Iterator[None]:
        """Record exchanges without judging them: neither a first look nor cleaning up may fail a requirement."""
        self._judging = False
        try:
            yield
        finally:
            self._judging = True

    def record(self, exchange: Exchange) -> None:
        """Keep an exchange, of a large answer no more than its beginning, and of no answer what it was parsed to."""
        if (given := exchange.response) is not None:
            most = LARGEST_KEPT if self._kept < MOST_KEPT else LARGEST_KEPT_LATE
            kept = Response(given.status, given.reason, given.headers, given.body[:most], len(given.body) <= most)
            self._kept += len(kept.body)
            exchange = replace(exchange, response=kept)
        self.exchanges.append(exchange)

    def put_in_order(self) -> None:
        """Bring the exchanges of several threads into the order in which they were sent."""
        self.exchanges.sort(key=lambda exchange: exchange.number)

    def amend(self, exchange: Exchange) -> None:
        """Put an exchange in the place of one that is recorded already."""
        place = next(place for place in range(len(self.exchanges) - 1, -1, -1) if self._numbered(place, exchange))
        self.exchanges[place] = replace(exchange, response=exchange.response and replace(exchange.response))

    def _numbered(self, place: int, exchange: Exchange) -> bool:
        return self.exchanges[place].number == exchange.number

    def of(self, requirement: str) -> Evidence:
        """Return what there is about a requirement."""
        return self._evidence.setdefault(requirement, Evidence(requirement))

    def claim(
        self,
        requirement: str,
        rule: Callable[..., Problem | None],
        *exchanges: Exchange,
        story: Iterable[Exchange] = (),
        **arguments: object,
    ) -> Problem | None:
        """Judge exchanges by a rule for a requirement, and keep the judgement.

        `story` are further exchanges that somebody who repeats the failure has to send first.
        """
        problem = rule(*exchanges, **arguments)
        if not self._judging:
            return problem
        numbers = tuple(exchange.number for exchange in exchanges)
        before = tuple(exchange.number for exchange in story)
        claim = Claim(requirement, rule.__name__, numbers, arguments, problem, before)
        if problem is not None:
            self.of(requirement).violations.append(claim)
        self.claims.append(claim)
        self._claimed[requirement].update(numbers)
        return problem

    def judged(self, requirement: str) -> set[int]:
        """Return the numbers of the exchanges that have borne on a requirement."""
        return self._claimed[requirement].union(self.of(requirement).controls)

    def lost(self) -> set[int]:
        """Return the numbers of the exchanges at the end that the target has left unanswered."""
        return lost(self.exchanges, self._workers) | self._dropped

    def excuse(self, since: int, dropped: Iterable[int] = ()) -> None:
        """Blame nobody for exchanges from a number on: the target was gone, and somebody may have stopped it.

        Nor for those that were `dropped` as it went, though others with higher numbers had an answer before.
        """
        self.ended_by_loss = True
        self._dropped.update(dropped)
        gone = self.lost()
        for evidence in list(self._evidence.values()):
            lost = [
                claim
                for claim in evidence.violations
                if any(number >= since or number in gone for number in claim.exchanges)
            ]
            evidence.violations = [claim for claim in evidence.violations if claim not in lost]
            self._excused += lost
            evidence.gaps += [f"the target was gone: {claim.problem.summary}" for claim in lost if claim.problem]

    def retell(self, told: str, further: str) -> None:
        """Tell further of what is told already wherever it is why something was not tested."""
        for evidence in self._evidence.values():
            evidence.gaps = [gap.replace(told, f"{told}{further}") for gap in evidence.gaps]

    def notes(self) -> dict[str, Notes]:
        """Return what there is about each requirement besides claims."""
        return {name: evidence.notes for name, evidence in self._evidence.items()}

    def settled_claims(self) -> list[Claim]:
        """Return all claims; those that nobody is to be blamed for are marked."""
        excused = set(map(id, self._excused))
        return [replace(claim, excused=True) if id(claim) in excused else claim for claim in self.claims]

    def forget(self) -> None:
        """Let go of all that is recorded: Hypothesis keeps the tests of a process, and they the ledger."""
        self.exchanges.clear()
        self.claims.clear()
        self._claimed.clear()

    def violated(self, requirement: str) -> bool:
        """Tell whether a requirement is known not to hold."""
        return bool(self.of(requirement).violations)
