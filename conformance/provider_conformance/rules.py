"""Finds the rule of a claim by its name, and judges by it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem
    from provider_conformance.record import Claim

SECOND_OPINION = "second_opinion"


class UnknownRuleError(Exception):
    """A claim names a rule that there is not."""


def judged_again(claim: Claim, exchanges: Mapping[int, Exchange]) -> Problem | None:
    """Judge by the rule of a claim; raises UnknownRuleError, and KeyError for an exchange that is not there."""
    some = [exchanges[number] for number in claim.exchanges]
    problem: Problem | None = _rule(claim.rule)(*some, **claim.arguments)
    return problem


def _rule(name: str) -> Callable[..., Problem | None]:
    if name == SECOND_OPINION:
        from provider_conformance.contract_fuzz import second_opinion  # noqa: PLC0415 - slow to import

        return second_opinion
    rule: Callable[..., Problem | None] | None = getattr(judge, name, None) if name in judge.__all__ else None
    if rule is None:
        raise UnknownRuleError(f"there is no rule {name!r}")
    return rule
