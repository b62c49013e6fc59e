"""Renders a report as report.json, the form that everything else can be made from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from provider_conformance.reports.files import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.jsontext import JsonValue
    from provider_conformance.verdict import Failure, OperationStatistics, Report, RequirementResult

FILE_NAME = "report.json"
REPORT_VERSION = "1.0"
TOOL_NAME = "sip-provider-conformance"
EVIDENCE = "evidence.jsonl.gz"
SECRET_OPTIONS = frozenset({"token", "token_file", "password"})
MASK = "[masked]"


def write(report: Report, directory: Path) -> Path:
    """Write report.json into a directory and return its path; raises OSError."""
    path = directory / FILE_NAME
    write_private(path, render(report))
    return path


def render(report: Report) -> bytes:
    """Return report.json as bytes: one object, UTF-8, every line short enough to read in a diff."""
    return json.dumps(as_json(report), ensure_ascii=False, allow_nan=False, indent=2).encode("utf-8") + b"\n"


def as_json(report: Report) -> JsonValue:
    """Return the report as reading report.json gives it."""
    return _plain(as_document(report))


def as_document(report: Report) -> dict[str, Any]:
    """Return the report as the object that report.schema.json describes."""
    return {
        "report_version": REPORT_VERSION,
        "tool": {"name": TOOL_NAME, "version": report.tool_version},
        "contract": {"version": report.contract_version, "sha256": report.contract_sha256},
        "catalogue": {"version": report.catalogue_version, "sha256": report.catalogue_sha256},
        "seed": report.seed,
        "options": {name: _option(name, value) for name, value in report.options.items()},
        "started": report.started.isoformat(),
        "finished": report.finished.isoformat(),
        "duration_s": round((report.finished - report.started).total_seconds(), 3),
        "target": {
            "base_url": report.base_url,
            "implementation": report.implementation,
            "version": report.implementation_version,
        },
        "evidence": {"file": EVIDENCE, "sha256": report.evidence_sha256} if report.evidence_sha256 else None,
        "level": report.level.value,
        "verdict": report.verdict.value,
        "reached_level": report.reached_level.value if report.reached_level else None,
        "diagnosis": report.diagnosis,
        "readings": {
            reading.id: {"documented": reading.documented, "reading": reading.reading}
            for reading in report.readings
            if any(reading.id in result.requirement.reading and result.failures for result in report.results)
        },
        "requirements": [_requirement(result) for result in report.results],
        "stale": list(report.stale),
        "advice": list(report.advice),
        "statistics": {
            "exchanges": report.exchanges,
            "requests_sha256": report.requests_sha256,
            "operations": {entry.operation: _statistics(entry) for entry in report.statistics},
        },
        "cleanup": {
            "created": report.cleanup.created,
            "destroyed": report.cleanup.destroyed,
            "left": list(report.cleanup.left),
        },
    }


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema of report.json."""
    text = files("provider_conformance.reports").joinpath("report.schema.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _option(name: str, value: object) -> object:
    """Mask what is secret by its name, whatever the caller did about it before."""
    return MASK if name.replace("-", "_") in SECRET_OPTIONS and value is not None else value


def _requirement(result: RequirementResult) -> dict[str, Any]:
    requirement = result.requirement
    return {
        "id": requirement.id,
        "level": requirement.level.value,
        "operation": requirement.operation.value,
        "statement": requirement.statement,
        "source": requirement.source,
        "readings": list(requirement.reading),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "exchanges": result.exchanges,
        "controls": result.controls,
        "failures": [_failure(failure) for failure in result.failures],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "summary": failure.summary,
        "expected": failure.expected,
        "actual": failure.actual,
        "exchanges": list(failure.exchanges),
        "curl": "\n".join(failure.curl),
        "steps": [{"exchange": step.exchange, "sent": step.sent, "came": step.came} for step in failure.steps],
        "differences": [
            {"property": one.name, "expected": one.expected, "actual": one.actual} for one in failure.differences
        ],
        "alike": failure.alike,
        "hint": failure.hint,
        "rule": failure.rule,
    }


def _statistics(entry: OperationStatistics) -> dict[str, Any]:
    return {
        "count": entry.count,
        "statuses": dict(entry.statuses),
        "latency_ms": dict(entry.latency_ms),
    }


def _plain(value: object) -> JsonValue:
    r"""Return the value in JSON's own types, without what strict readers of JSON choke on.

    A lone surrogate, which a server can smuggle in as the escape \ud800, has no UTF-8; it is spelt out.
    """
    match value:
        case None | bool() | int():
            return value
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _plain(member) for key, member in value.items()}
        case list() | tuple():
            return [_plain(member) for member in value]
        case _:
            raise TypeError(f"a report cannot hold a {type(value).__name__}")
