"""Reports made by hand, for tests of everything that comes after a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from provider_conformance.contract import Level, Operation, Requirement
from provider_conformance.judge.wording import Difference
from provider_conformance.verdict import (
    Cleanup,
    Failure,
    OperationStatistics,
    Outcome,
    Report,
    RequirementResult,
    Step,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

STARTED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
FAILURE = Failure(
    summary="show gives the hostname of before the update",
    expected="hostname 'b.example.net'",
    actual="hostname 'a.example.net'",
    steps=(
        Step(
            7,
            'POST /api/providers/update {"id": 7, "hostname": "b.example.net"}',
            "200 OK",
            "curl -X POST http://127.0.0.1:8990/api/providers/update -H 'access_token: [masked]'",
        ),
        Step(8, "GET /api/providers/show?id=7", '200 OK {"hostname": "a.example.net"}', "curl .../show?id=7"),
    ),
    differences=(Difference("hostname", '"b.example.net"', '"a.example.net"'),),
    alike=3,
    hint="a cache",
    rule="shows_update",
)


def requirement(
    name: str = "CREATE-1", level: Level = Level.CORE, operation: Operation = Operation.CREATE
) -> Requirement:
    """Make a requirement, be it one of the catalogue or not."""
    return Requirement(
        id=name,
        level=level,
        operation=operation,
        statement="answers a complete, plausible create with 200",
        source="Create provider, Responses",
        reading=("D12",),
        since="1.0.0",
        covers=("create.200",),
    )


def result(
    outcome: Outcome = Outcome.PASS,
    name: str = "CREATE-1",
    level: Level = Level.CORE,
    operation: Operation = Operation.CREATE,
    **more: Any,
) -> RequirementResult:
    """Make the result of a requirement with the evidence that its outcome needs."""
    if outcome in {Outcome.FAIL, Outcome.KNOWN}:
        more.setdefault("failures", (FAILURE,))
    if outcome in {Outcome.NOT_TESTED, Outcome.ERROR}:
        more.setdefault("reason", "create is refused, so there is nothing to update")
    more.setdefault("exchanges", 0 if outcome is Outcome.NOT_TESTED else 5)
    return RequirementResult(requirement(name, level, operation), outcome, **more)


def report(*results: RequirementResult | Iterable[RequirementResult], level: Level = Level.CORE, **more: Any) -> Report:
    """Make a report of results; every other field has a plausible value that can be replaced."""
    flat = [r for given in results for r in ([given] if isinstance(given, RequirementResult) else given)]
    fields: dict[str, Any] = {
        "tool_version": "0.1.0",
        "contract_version": "1.0.0",
        "contract_sha256": "a" * 64,
        "catalogue_version": "1.0.0",
        "catalogue_sha256": "b" * 64,
        "base_url": "http://127.0.0.1:8990/api/providers",
        "level": level,
        "seed": 1,
        "options": {"level": level.value, "only": (), "max_time": None, "timeout": 10.0},
        "started": STARTED,
        "finished": STARTED + timedelta(seconds=2.1),
        "results": tuple(flat),
        "statistics": (OperationStatistics("create", 12, {"200": 12}, {"p50": 1.0, "p95": 2.5}),),
        "exchanges": 812,
        "cleanup": Cleanup(created=40, destroyed=40),
    }
    return Report(**(fields | more))
