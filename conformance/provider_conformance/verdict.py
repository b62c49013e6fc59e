"""Outcomes of requirements, the verdict they add up to, and the exit code: pure functions and the data they read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from provider_conformance.contract import Level, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from provider_conformance.contract import Reading
    from provider_conformance.judge.wording import Difference


class Outcome(StrEnum):
    """What the run found out about one requirement."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    KNOWN = "known"
    ERROR = "error"
    NOT_TESTED = "not_tested"


class Verdict(StrEnum):
    """What the run found out about the implementation under test, at the level asked for."""

    CONFORMANT = "conformant"
    NONCONFORMANT = "nonconformant"
    INCOMPLETE = "incomplete"


class ExitCode(IntEnum):
    """What the command tells the shell."""

    CONFORMANT = 0
    NONCONFORMANT = 1
    USAGE = 2
    INCOMPLETE = 3
    DEFECT = 4


@dataclass(frozen=True)
class Step:
    """One exchange of a failure: its number, what was sent, what came, and the command line that sends it again."""

    exchange: int
    sent: str
    came: str
    curl: str


@dataclass(frozen=True)
class Failure:
    """One way in which a requirement does not hold, told so that its cause can be found.

    `steps` are the exchanges that lead there, in the order in which they were sent, `differences` the properties that
    differ, `alike` how many further inputs failed the same way, `hint` the usual cause where there is one, and `rule`
    the judgement that found it.
    """

    summary: str
    expected: str
    actual: str
    steps: tuple[Step, ...] = ()
    differences: tuple[Difference, ...] = ()
    alike: int = 0
    hint: str = ""
    rule: str = ""

    @property
    def exchanges(self) -> tuple[int, ...]:
        """The numbers of the exchanges that show it."""
        return tuple(step.exchange for step in self.steps)

    @property
    def curl(self) -> tuple[str, ...]:
        """The command lines that repeat it, in order."""
        return tuple(step.curl for step in self.steps)


@dataclass(frozen=True)
class RequirementResult:
    """The outcome of one requirement with its evidence.

    `exchanges` counts the exchanges that bore on it, `controls` the accepted twins of refused requests.
    """

    requirement: Requirement
    outcome: Outcome
    reason: str = ""
    exchanges: int = 0
    controls: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class OperationStatistics:
    """Traffic of one operation; latencies are percentiles in milliseconds."""

    operation: str
    count: int
    statuses: Mapping[str, int]
    latency_ms: Mapping[str, float]


@dataclass(frozen=True)
class Cleanup:
    """What the run created and what became of it; `left` are ids that it could not destroy."""

    created: int = 0
    destroyed: int = 0
    left: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything that a run has to say; all formats are renderings of it. Secrets are masked already.

    `evidence_sha256` is the hash of the file of evidence that it was made from, empty where there is none; `stale`
    tells of known failures that hold; `requests_sha256` is equal for two runs that sent the same requests in the same
    order; `readings` are how the contract reads the documentation where it contradicts itself.
    """

    tool_version: str
    contract_version: str
    contract_sha256: str
    catalogue_version: str
    catalogue_sha256: str
    base_url: str
    level: Level
    seed: int
    options: Mapping[str, str | int | float | bool | tuple[str, ...] | None]
    started: datetime
    finished: datetime
    results: tuple[RequirementResult, ...]
    advice: tuple[str, ...] = ()
    diagnosis: str = ""
    statistics: tuple[OperationStatistics, ...] = ()
    exchanges: int = 0
    requests_sha256: str = ""
    cleanup: Cleanup = field(default_factory=Cleanup)
    readings: tuple[Reading, ...] = ()
    implementation: str = ""
    implementation_version: str = ""
    evidence_sha256: str = ""
    stale: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict at the level of the run; never conformant beside known failures that are stale."""
        verdict = decide(self.results, self.level)
        return Verdict.INCOMPLETE if self.stale and verdict is Verdict.CONFORMANT else verdict

    @property
    def reached_level(self) -> Level | None:
        """The highest level at which every requirement was tested and holds, or None."""
        return reached(self.results, self.level)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run, apart from what happens to its artefacts."""
        code = exit_code(self.results, self.level)
        return ExitCode.USAGE if self.stale and code is ExitCode.CONFORMANT else code


def counting(results: Iterable[RequirementResult], level: Level) -> tuple[RequirementResult, ...]:
    """Return the results that count at a level; advice never does."""
    return tuple(result for result in results if level.includes(result.requirement.level))


def decide(results: Iterable[RequirementResult], level: Level) -> Verdict:
    """Add outcomes up to a verdict: a failure wins over a gap, and a pass needs every requirement tested."""
    outcomes = {result.outcome for result in counting(results, level)}
    if outcomes & {Outcome.FAIL, Outcome.KNOWN}:
        return Verdict.NONCONFORMANT
    if outcomes == {Outcome.PASS}:
        return Verdict.CONFORMANT
    return Verdict.INCOMPLETE


def reached(results: tuple[RequirementResult, ...], level: Level) -> Level | None:
    """Return the highest level up to `level` that is conformant by itself, or None."""
    levels = [step for step in (Level.CORE, Level.STRICT, Level.HARDENED) if level.includes(step)]
    holding = [step for step in levels if decide(results, step) is Verdict.CONFORMANT]
    return holding[-1] if holding else None


def exit_code(results: Iterable[RequirementResult], level: Level) -> ExitCode:
    """Translate outcomes into the exit code; a proven failure outranks a defect of ours, and that a gap."""
    results = tuple(results)
    verdict = decide(results, level)
    if verdict is Verdict.NONCONFORMANT:
        return ExitCode.NONCONFORMANT
    if any(result.outcome is Outcome.ERROR for result in results):
        return ExitCode.DEFECT
    return ExitCode.CONFORMANT if verdict is Verdict.CONFORMANT else ExitCode.INCOMPLETE
