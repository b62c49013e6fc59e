"""Finds out whether a request has brought the target down, where a run has ended since nobody was there any more.

An operator may have stopped or restarted the system, for which nobody is to be blamed. Only a target that comes back,
and goes down again over the very same request, has crashed.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.api import READS, may_be_about
from provider_conformance.contract import Operation
from provider_conformance.errors import RunEndedError
from provider_conformance.exchange import TransportProblem
from provider_conformance.judge.wording import name_of
from provider_conformance.limits import CLEANING_TIME
from provider_conformance.oddities import oddities
from provider_conformance.survival import LARGEST_BODY, survival_of
from provider_conformance.values.plausible import RUN_OF_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.call import Call
    from provider_conformance.exchange import Exchange
    from provider_conformance.session import Session
    from provider_conformance.traffic import Dropped

MOST_REPEATED = 8
"""Requests that are sent again: more are under way at a time only where somebody asked for that."""

MOST_NAMED = 3
"""Requests that are named where several were under way as the target went."""

PAUSE = 0.25
"""Seconds between two tries to reach a target that is away."""

MOST_LOOKS = 4
"""How often a target is looked at that drops connections: one that goes down may do so before it is unreachable."""

NO_ANSWER = frozenset({TransportProblem.DROPPED, TransportProblem.TIMED_OUT})
NAME = re.compile(RUN_OF_NAME.pattern.encode() + rb"[0-9]+")
"""A name that a run gives."""


def look_into_loss(session: Session) -> float:
    """Send again what had no answer before the target was gone, claim a crash if that happens again, and tell of it.

    Returns for how many seconds a target that stays away was waited for.
    """
    gone = session.target.traffic.gone
    suspects = _suspects(session)
    if not (session.ledger.ended_by_loss and gone and suspects):
        return 0.0
    inquiry = _Inquiry(session, [one for one in suspects if _is_wanted(session, one)])
    with contextlib.suppress(Exception, RunEndedError):
        inquiry.hold()
    if inquiry.open:
        unanswered = [one.exchange for one in ([inquiry.culprit] if inquiry.culprit else suspects)]
        session.ledger.retell(gone, f", since no answer came to {_told_all(session, unanswered)}")
    return inquiry.waited


def _suspects(session: Session) -> list[Dropped]:
    """Return what may have brought the target down, the likeliest first: what is special, and of that the last."""
    recorded = {exchange.number for exchange in session.ledger.exchanges}
    dropped = [one for one in session.target.traffic.dropped if one.exchange.number in recorded]
    return sorted(dropped, key=lambda one: (not _special(session, one.exchange), -one.exchange.number))


def _is_wanted(session: Session, suspect: Dropped) -> bool:
    """Tell whether it would break a requirement of the run if a request had brought the target down."""
    return survival_of(suspect.exchange) in session.selected


def _special(session: Session, exchange: Exchange) -> str:
    """Return what is special about a request, as the test tells it that sent too much, or as it looks."""
    rule = judge.served_as_usual.__name__
    claims = (claim for claim in session.ledger.claims if claim.rule == rule and claim.exchanges[0] == exchange.number)
    return next((str(claim.arguments["what"]) for claim in claims), "") or oddities(exchange.request)


def _told(session: Session, exchange: Exchange) -> str:
    what = _special(session, exchange)
    return f"{name_of(exchange)} (exchange {exchange.number}{f': {what}' if what else ''})"


def _told_all(session: Session, exchanges: Sequence[Exchange]) -> str:
    named = ", ".join(_told(session, exchange) for exchange in exchanges[:MOST_NAMED])
    others = len(exchanges) - MOST_NAMED
    return named if others < 1 else f"{named} and {others} more"


class _Inquiry:
    """Suspicious requests, sent again one by one until the target goes down over one.

    It is `open` until all are answered; `culprit` is what the target went down over twice.
    """

    def __init__(self, session: Session, suspects: Sequence[Dropped]) -> None:
        # What creates comes last: room for it may have to be made of providers that others are about.
        some = suspects[:MOST_REPEATED]
        self._suspects = sorted(some, key=lambda one: one.call.operation == Operation.CREATE)
        self._session = session
        self._end = time.monotonic() + CLEANING_TIME
        self.open = True
        self.culprit: Dropped | None = None
        self.waited = 0.0

    def hold(self) -> None:
        """Send each again once the target is back; raises what ends a run."""
        answered = 0
        for suspect in self._suspects:
            if not self._comes_back():
                return
            answered += self._is_answered(suspect)
            if self.culprit is not None:
                return
        self.open = not self._suspects or answered < len(self._suspects)

    def _comes_back(self) -> bool:
        """Wait until the target is there, as long as cleaning may take in all."""
        began = time.monotonic()
        if _serves(self._plain_list()):
            return True
        waiting = f"waiting up to {self._end - began:.0f} s for it, to send again what had no answer"
        self._session.progress.note(f"the target is away: {waiting}")
        while time.monotonic() < self._end:
            self._session.guard.sleep(PAUSE)
            if _serves(self._plain_list()):
                return True
        self.waited = time.monotonic() - began
        return False

    def _is_answered(self, suspect: Dropped) -> bool:
        """Send a request once more, if that touches nobody else's, and claim the crash where it brings one about."""
        with self._session.ledger.unjudged():
            if not self._is_safe(suspect.call):
                return False
            self._announce(suspect.call)
            again = self._sent_anew(suspect.call)
        if again.problem in NO_ANSWER:
            after = self._look_after()
            if after.problem is TransportProblem.UNREACHABLE:
                self._claim(suspect, again, after)
        return again.response is not None

    def _claim(self, suspect: Dropped, again: Exchange, after: Exchange) -> None:
        self.culprit = suspect
        what = _special(self._session, suspect.exchange)
        rule, some = judge.stays_reachable, (suspect.exchange, again, after)
        self._session.ledger.claim(survival_of(suspect.exchange), rule, *some, what=what)
        self._session.progress.note(f"no answer to {_told(self._session, again)} again, and the target is gone again")

    def _is_safe(self, call: Call) -> bool:
        """Tell whether no id in a request has become somebody else's since it was sent."""
        if call.method == "GET" and call.operation in READS:
            return True
        providers, about = self._session.providers, may_be_about(call)
        ours = (held for held in providers.everyone if held.id in about)
        return all(providers.is_back(held) or providers.is_gone(held.id) for held in ours)

    def _announce(self, call: Call) -> None:
        """Note on disk what a request may make, and make room for that and for what it may have made at first."""
        providers = self._session.providers
        if call.operation == Operation.CREATE and len(providers.held) + 2 > providers.most:
            providers.clear()
        found = NAME.findall((call.body or b"")[:LARGEST_BODY])
        names = sorted({name.decode() for name in found} & providers.announced.keys())
        providers.resolved.difference_update(names)
        self._session.journal.create(*names)

    def _look_after(self) -> Exchange:
        """List, until the target answers or is unreachable."""
        for _ in range(MOST_LOOKS):
            after = self._plain_list()
            if after.problem is not TransportProblem.DROPPED:
                break
            self._session.guard.sleep(PAUSE / MOST_LOOKS)
        return after

    def _plain_list(self) -> Exchange:
        api = self._session.api
        with self._session.ledger.unjudged():
            api.target.traffic.forgive()
            return api.send(api.page(1 if api.first_page is None else api.first_page, 1, None))

    def _sent_anew(self, call: Call) -> Exchange:
        """Send a call over a new connection: over a kept one that is dropped it would be sent twice."""
        api = self._session.api
        api.target.traffic.forgive()
        api.target.close()
        return api.send(call)


def _serves(plain: Exchange) -> bool:
    return plain.status is not None and plain.status < 500
