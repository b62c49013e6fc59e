"""Judges a run again from its evidence alone, and compares the outcome with its report."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from provider_conformance import evidence
from provider_conformance.config import UsageError
from provider_conformance.contract import load_catalogue, load_contract
from provider_conformance.evidence import EvidenceError
from provider_conformance.outcomes import report_of
from provider_conformance.reports import json_report
from provider_conformance.rules import UnknownRuleError, judged_again

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provider_conformance.record import Claim, Record

MOST_TOLD = 20
"""Discrepancies that are told of one kind."""

LARGEST_REPORT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Verification:
    """What judging a run again showed: its report, what does not fit together, and what cannot be judged again.

    `unjudged` counts the judgements that rest on answers which were too long to be kept.
    """

    document: dict[str, Any]
    discrepancies: tuple[str, ...]
    unjudged: int = 0


def verify(path: Path) -> Verification:
    """Judge a run again and compare what comes out with its report.

    `path` is report.json or its directory. Raises UsageError where there is no report that could be read.
    """
    document = read_report(path)
    content = _content(_folder(path) / evidence.FILE_NAME)
    if content is None:
        missing = f"there is no {evidence.FILE_NAME} beside the report, so that nothing can be judged again"
        return Verification(document, (missing,))
    named = document.get("evidence", {}).get("sha256") if isinstance(document.get("evidence"), dict) else None
    found = [] if named == evidence.sha256(content) else ["the evidence is not the one that the report was made from"]
    try:
        record = evidence.read(content)
    except EvidenceError as error:
        return Verification(document, (*found, str(error)))
    found += _of_versions(record)
    found += _of_schema(document)
    try:
        found += _of_claims(record)
        made = json_report.as_json(replace(report_of(record), evidence_sha256=named or ""))
    except (UnknownRuleError, KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
        return Verification(document, (*found, f"the evidence cannot be judged: {type(error).__name__}: {error}"))
    found += islice(_differences(made, document), MOST_TOLD)
    return Verification(document, tuple(found), _unjudged(record))


def _unjudged(record: Record) -> int:
    cut = {one.number for one in record.exchanges if one.response is not None and not one.response.whole}
    return sum(not cut.isdisjoint(claim.exchanges) for claim in record.claims)


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def read_evidence(path: Path) -> Record:
    """Read the record of a run from beside its report; raises UsageError."""
    file = _folder(path) / evidence.FILE_NAME
    content = _content(file)
    if content is None:
        raise UsageError(f"there is no {evidence.FILE_NAME} beside the report, which tells what was sent")
    try:
        return evidence.read(content)
    except EvidenceError as error:
        raise UsageError(f"{file}: {error}") from error


def read_report(path: Path) -> dict[str, Any]:
    """Read report.json, or that of a directory; raises UsageError."""
    file = path / json_report.FILE_NAME if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_REPORT + 1)
        document = json.loads(content.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no report: {error}") from error
    if len(content) > LARGEST_REPORT or not isinstance(document, dict) or "report_version" not in document:
        raise UsageError(f"{file} is no report of provider-conformance")
    return document


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error


def _of_versions(record: Record) -> Iterator[str]:
    """Tell where contract and catalogue are not those that this tool judges by."""
    run = record.circumstances
    for name, made_with, here in (
        ("contract", run.contract_sha256, load_contract()),
        ("catalogue", run.catalogue_sha256, load_catalogue()),
    ):
        if made_with != here.sha256:
            yield (
                f"the report rests on another {name} than this tool has ({made_with[:12]}…, not {here.sha256[:12]}…): "
                f"verify it with the version that made it, {run.tool_version}"
            )


def _of_schema(document: dict[str, Any]) -> Iterator[str]:
    validator = jsonschema_rs.Draft202012Validator(json_report.schema())
    for error in islice(validator.iter_errors(document), MOST_TOLD):
        where = "/".join(map(str, error.instance_path))
        yield f"the report is not what its schema describes: {where or 'all of it'}: {error.message[:200]}"


def _of_claims(record: Record) -> list[str]:
    """Tell of exchanges and claims that contradict themselves: each claim must come out as it was recorded."""
    exchanges = {exchange.number: exchange for exchange in record.exchanges}
    found = []
    if len(exchanges) != len(record.exchanges):
        found.append("several exchanges of the evidence have the same number")
    different = [claim for claim in record.claims if judged_again(claim, exchanges) != claim.problem]
    found += [f"{claim.requirement} is judged otherwise than it was: {_told(claim)}" for claim in different[:MOST_TOLD]]
    return found


def _told(claim: Claim) -> str:
    numbers = ", ".join(map(str, claim.exchanges))
    said = f"a violation: {claim.problem.summary}" if claim.problem else "no violation"
    return f"the rule {claim.rule} on exchange {numbers}, where the record says {said}"


def _differences(made: object, document: object, where: str = "") -> Iterator[str]:
    """Tell where a report is not the one that its evidence gives."""
    if isinstance(made, dict) and isinstance(document, dict):
        for name in dict.fromkeys([*made, *document]):
            if name not in made or name not in document:
                yield f"{where}/{name} is {'missing from' if name in made else 'not of'} the report"
            else:
                yield from _differences(made[name], document[name], f"{where}/{name}")
    elif isinstance(made, list) and isinstance(document, list) and len(made) == len(document):
        for index, (left, right) in enumerate(zip(made, document, strict=True)):
            yield from _differences(left, right, f"{where}/{index}")
    elif made != document or type(made) is not type(document):
        told, said = json.dumps(document)[:120], json.dumps(made)[:120]
        yield f"{where} is {told} in the report, where the evidence gives {said}"
