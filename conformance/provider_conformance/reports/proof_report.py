"""Renders what `prove` found: lines for people, prove.json and a matrix of faults by requirements for machines."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provider_conformance import __version__
from provider_conformance.contract import load_catalogue, load_contract
from provider_conformance.reports.files import write_private
from provider_conformance.reports.inert import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from provider_conformance.contract import Requirement
    from provider_conformance.faults.definition import Fault
    from provider_conformance.proof import Proof

FILE_NAME = "prove.json"
MATRIX_NAME = "prove-matrix.csv"
TABLE_NAME = "prove.md"
FAILURES_NAME = "failures.md"
FILES = (FILE_NAME, MATRIX_NAME, TABLE_NAME, FAILURES_NAME)


@dataclass(frozen=True)
class Proven:
    """The proofs of one requirement: of every fault that must turn it red."""

    requirement: Requirement
    proofs: tuple[Proof, ...]

    @property
    def caught(self) -> tuple[Proof, ...]:
        """The faults that turned it red and did not break everything."""
        return tuple(proof for proof in self.proofs if self.requirement.id in proof.red and not proof.void)

    @property
    def can_fail(self) -> bool:
        """Whether the requirement has faults, and none of them escapes."""
        return bool(self.proofs) and len(self.caught) == len(self.proofs)


def by_requirement(requirements: Iterable[Requirement], proofs: Sequence[Proof]) -> tuple[Proven, ...]:
    """Sort proofs by the requirements that they are about."""
    return tuple(
        Proven(requirement, tuple(proof for proof in proofs if requirement.id in proof.wanted))
        for requirement in requirements
    )


def line_of(proof: Proof) -> str:
    """Put one proof into a line."""
    found = "void" if proof.void else "caught" if proof.caught else "MISSED"
    others = f"; also red: {', '.join(proof.others)}" if proof.others else ""
    unverified = f"; NOT VERIFIED: {proof.discrepancies[0]}" if proof.discrepancies else ""
    return f"{found:<6}  {', '.join(proof.wanted):<10}  {proof.fault}{others}{unverified}"


def table(proven: Iterable[Proven]) -> str:
    """Return the table of all requirements in Markdown: how many faults each has, and how many were caught."""
    rows = [
        f"| {one.requirement.id} | {one.requirement.level} | {len(one.proofs)} | {len(one.caught)} | "
        f"{sum(not proof.others for proof in one.caught)} |"
        for one in proven
    ]
    return "\n".join(
        ["| requirement | level | faults | caught | and nothing else red |", "|---|---|--:|--:|--:|", *rows]
    )


def failures(proofs: Iterable[Proof], faults: Iterable[Fault]) -> str:
    """Return a page in Markdown: each fault, with the lines by which a report tells of it."""
    described = {fault.id: fault for fault in faults}
    parts = [FAILURES_HEAD]
    for proof in proofs:
        fault = described[proof.fault]
        told = (line for line in proof.block if not line.startswith("read as "))
        lines = [inert(line, LONGEST_LINE).replace("`", "'") for line in told]
        parts.append(f"## {proof.fault}\n\n{fault.description}\n\n```text\n" + "\n".join(lines) + "\n```\n")
    return "\n".join(parts)


FAILURES_HEAD = """\
# How failures are told

Every fault by which `provider-conformance prove` shows that a requirement can fail, each a single fault of an
implementation that is right otherwise, and the first failure that the report of its certification has of the
requirement that it breaks. Long lines are cut here, and how the documentation is read stands on [a page of its
own](readings.md). Written by `nox -s prove`.
"""
LONGEST_LINE = 240
"""Characters of a line on that page."""


def write(proven: Sequence[Proven], proofs: Sequence[Proof], faults: Sequence[Fault], directory: Path) -> None:
    """Write prove.json, the matrix and the table into a directory; raises OSError."""
    document = json.dumps(_document(proven, proofs, faults), indent=2, ensure_ascii=False) + "\n"
    write_private(directory / FILE_NAME, document.encode())
    write_private(directory / TABLE_NAME, f"{table(proven)}\n".encode())
    write_private(directory / FAILURES_NAME, failures(proofs, faults).encode())
    write_private(directory / MATRIX_NAME, _matrix([one.requirement.id for one in proven], proofs).encode())


def _document(proven: Sequence[Proven], proofs: Sequence[Proof], faults: Sequence[Fault]) -> dict[str, Any]:
    contract, catalogue = load_contract(), load_catalogue()
    described = {fault.id: fault for fault in faults}
    return {
        "tool": {"version": __version__},
        "contract": {"version": contract.version, "sha256": contract.sha256},
        "catalogue": {"version": catalogue.version, "sha256": catalogue.sha256},
        "proven": all(one.can_fail for one in proven),
        "requirements": [
            {
                "id": one.requirement.id,
                "level": one.requirement.level.value,
                "can_fail": one.can_fail,
                "faults": [proof.fault for proof in one.proofs],
                "caught": [proof.fault for proof in one.caught],
            }
            for one in proven
        ],
        "faults": [
            {
                **dataclasses.asdict(proof),
                "description": described[proof.fault].description,
                "kind": described[proof.fault].kind,
                "caught": proof.caught,
                "void": proof.void,
                "others": proof.others,
            }
            for proof in proofs
        ],
    }


def _matrix(ids: Sequence[str], proofs: Sequence[Proof]) -> str:
    """Return faults by requirements as CSV: `red` where wanted, `missed`, or `also red` where it was not wanted."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["fault", *ids])
    for proof in proofs:
        writer.writerow([proof.fault, *(_cell(proof, name) for name in ids)])
    return stream.getvalue()


def _cell(proof: Proof, requirement: str) -> str:
    if requirement in proof.wanted:
        return "red" if requirement in proof.red else "missed"
    return "also red" if requirement in proof.red else ""
