"""Finds the rule of a claim by its name, and judges by it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem
    from provider_conformance.record import Claim

SECOND_OPINION = "second_opinion"


class UnknownRuleError(Exception):
    """A claim names a rule that there is not."""


def judged_again(claim: Claim, exchanges: Mapping[int, Exchange]) -> Problem | None:
    """Judge by the rule of a claim; raises UnknownRuleError, and KeyError for an exchange that is not there.

    What rests on an answer that is not kept whole cannot be judged again, and is taken for what it was.
    """
    some = [exchanges[number] for number in claim.exchanges]
    if not rests_on_whole(some):
        return claim.problem
    problem: Problem | None = rule_named(claim.rule)(*some, **claim.arguments)
    return problem


def rests_on_whole(exchanges: Iterable[Exchange]) -> bool:
    """Tell whether all answers of some exchanges are kept whole."""
    return all(exchange.response is None or exchange.response.whole for exchange in exchanges)


def rule_named(name: str) -> Callable[..., Problem | None]:
    """Return the rule of that name; raises UnknownRuleError."""
    if name == SECOND_OPINION:
        from provider_conformance.contract_fuzz import second_opinion  # noqa: PLC0415 - slow to import

        return second_opinion
    rule: Callable[..., Problem | None] | None = getattr(judge, name, None) if name in judge.__all__ else None
    if rule is None:
        raise UnknownRuleError(f"there is no rule {name!r}")
    return rule
