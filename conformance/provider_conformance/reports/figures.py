"""Counts and groups what a report says, for every form that shows it in short."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provider_conformance.verdict import Outcome, counting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider_conformance.verdict import Report, RequirementResult

ALWAYS_SHOWN = ((Outcome.PASS, "passed"), (Outcome.FAIL, "failed"), (Outcome.NOT_TESTED, "not tested"))
SHOWN_IF_ANY = ((Outcome.KNOWN, "known"), (Outcome.ERROR, "defects"))


@dataclass(frozen=True)
class Row:
    """What became of one operation: requirements by outcome, and its traffic where there was any."""

    operation: str
    outcomes: Counter[Outcome]
    exchanges: int | None
    p95_ms: float | None


def rows(report: Report) -> tuple[Row, ...]:
    """Return a row for each operation that a requirement of the level is about, in the order of the catalogue."""
    outcomes: dict[str, Counter[Outcome]] = {}
    for result in counting(report.results, report.level):
        outcomes.setdefault(result.requirement.operation.value, Counter())[result.outcome] += 1
    traffic = {entry.operation: entry for entry in report.statistics}
    return tuple(
        Row(
            operation,
            counts,
            traffic[operation].count if operation in traffic else None,
            traffic[operation].latency_ms.get("p95") if operation in traffic else None,
        )
        for operation, counts in outcomes.items()
    )


def total(table: Iterable[Row]) -> Counter[Outcome]:
    """Add up the outcomes of all operations."""
    return sum((row.outcomes for row in table), Counter())


def columns(counts: Counter[Outcome]) -> tuple[tuple[Outcome, str], ...]:
    """Return the outcomes that a table of these counts shows, with their headings."""
    return (*ALWAYS_SHOWN, *((outcome, heading) for outcome, heading in SHOWN_IF_ANY if counts[outcome]))


def by_reason(results: Iterable[RequirementResult]) -> dict[str, list[str]]:
    """Return the ids that go with each reason: one cause often leaves many requirements open."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        reasons.setdefault(result.reason or "no reason given", []).append(result.requirement.id)
    return reasons
