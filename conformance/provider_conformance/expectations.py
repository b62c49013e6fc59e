"""What the tests of the suite hold the implementation to, and how they say so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeAlias

from provider_conformance import judge
from provider_conformance.errors import NotTestableError, ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.judge import Problem
    from provider_conformance.ledger import Ledger
    from provider_conformance.ownership import Held

Argument: TypeAlias = "JsonValue | Sequence[JsonValue] | Sequence[int] | Sequence[str] | Mapping[str, JsonValue]"

READS = "SHOW-3"
READING_RULES = (
    judge.unchanged,
    judge.refused_without_change,
    judge.list_agrees,
    judge.listed_alike,
    judge.lists_update,
)
"""Rules that rest on two readings, which say nothing where reading itself changes what is read."""

MOST_VIOLATIONS = 5
"""Inputs that may fail in one test before it gives up: more of them explain nothing more."""


class Expect:
    """Holds exchanges to rules in the name of a test's requirement; the ledger keeps every judgement."""

    def __init__(self, ledger: Ledger, requirement: str) -> None:
        self._ledger = ledger
        self._requirement = requirement
        self._violations = 0

    def __call__(
        self,
        rule: Callable[..., Problem | None],
        *exchanges: Exchange,
        of: Held | None = None,
        requirement: str | None = None,
        **arguments: Argument,
    ) -> None:
        """Raise ViolationError when a rule finds a problem; `of` is the provider whose story leads there."""
        name = requirement or self._requirement
        if rule in READING_RULES and name != READS and self._ledger.violated(READS):
            raise NotTestableError(f"show and list change providers ({READS}), so that nothing can be said of others")
        story = of.story if of else ()
        problem = self._ledger.claim(name, rule, *exchanges, story=story, **arguments)
        if problem is not None:
            raise ViolationError(f"{name}: {problem.summary}; expected {problem.expected}; got {problem.actual}")

    def control(self, exchange: Exchange) -> None:
        """Count an accepted twin of refused requests; raises NotTestableError when it is not accepted."""
        if not 200 <= (exchange.status or 0) < 300:
            status = exchange.status or exchange.problem
            raise NotTestableError(
                f"the control, a fair {exchange.operation}, is answered with {status}, so a refusal proves nothing"
            )
        self._ledger.of(self._requirement).controls.append(exchange.number)

    @contextlib.contextmanager
    def each(self) -> Iterator[None]:
        """Let one input of several fail without hiding the others; gaps and violations are kept in the ledger."""
        try:
            yield
        except ViolationError:
            self._violations += 1
            if self._violations >= MOST_VIOLATIONS:
                raise
        except NotTestableError as reason:
            self._ledger.of(self._requirement).gaps.append(str(reason))
