"""Tells which properties a run knows to be at fault already, so that one root cause fails one requirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provider_conformance.ledger import Ledger


def blamed(ledger: Ledger, *requirements: str) -> frozenset[str]:
    """Return the properties that violations of requirements name at the end of what they say."""
    problems = [claim.problem for name in requirements for claim in ledger.of(name).violations]
    return frozenset(
        name for problem in problems if problem is not None for name in problem.summary.rpartition(": ")[2].split(", ")
    )
