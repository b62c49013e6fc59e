"""What a consumer is, what its check finds, and how that is judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class BrokenError(Exception):
    """A consumer does not take the contract, or what it makes does not work; the message says how."""


class Outcome(StrEnum):
    """What came of a consumer; one that could not be run is never passed."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Known:
    """A warning, or a requirement that a server fails, which cannot be avoided, and the reason why.

    `what` is the id of the requirement, or a regular expression that is searched for in the warning.
    """

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a consumer works: the contract, and a folder of its own, which is empty at first."""

    contract: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found: what came out, in words, all warnings, and ids of the requirements that a server fails."""

    came_out: str
    warnings: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumer:
    """Something that takes the contract; skipped unless all of `needs` are commands. `check` raises BrokenError."""

    name: str
    version: str
    makes: str
    checked: str
    check: Callable[[Workshop], Findings]
    needs: tuple[str, ...] = ()
    known_warnings: tuple[Known, ...] = ()
    known_failures: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one consumer: `came_out` says it in words, with all complaints if it failed."""

    consumer: Consumer
    outcome: Outcome
    came_out: str
    warnings: tuple[str, ...] = ()


def judged(consumer: Consumer, findings: Findings) -> Result:
    """Judge what a check found: only what is known may be wrong, and what is known must still be."""
    complaints = tuple(_complaints(consumer, findings))
    outcome = Outcome.FAILED if complaints else Outcome.PASSED
    return Result(consumer, outcome, "; ".join((findings.came_out, *complaints)), findings.warnings)


def _complaints(consumer: Consumer, findings: Findings) -> Iterator[str]:
    for warning in findings.warnings:
        if not any(re.search(known.what, warning) for known in consumer.known_warnings):
            yield f"new warning: {warning}"
    # A reason that excuses nothing any more would excuse something else one day.
    for known in consumer.known_warnings:
        if not any(re.search(known.what, warning) for warning in findings.warnings):
            yield f"known warning that no longer comes: {known.what}"
    known_failures = {known.what for known in consumer.known_failures}
    for failure in findings.failures:
        if failure not in known_failures:
            yield f"fails {failure}"
    for requirement in sorted(known_failures - set(findings.failures)):
        yield f"known to fail, but does not: {requirement}"
