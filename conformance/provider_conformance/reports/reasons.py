"""Sorts what is open by why it is: one cause often leaves many requirements open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider_conformance.verdict import RequirementResult


def by_reason(results: Iterable[RequirementResult]) -> dict[str, list[str]]:
    """Return the ids that go with each reason, in the order in which the reasons are met."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        reasons.setdefault(result.reason or "no reason given", []).append(result.requirement.id)
    return reasons
