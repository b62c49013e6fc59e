"""The suite catches a fault of every requirement."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from command import TOKEN, certify
from provider_conformance.cli import main
from provider_conformance.contract import Operation, load_catalogue
from provider_conformance.faults.catalogue import load_faults
from provider_conformance.proof import Notebook, Proof, prove
from provider_conformance.reference.server import Server
from provider_conformance.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.contract import Requirement
    from provider_conformance.faults.definition import Fault


def faults_of(requirement: Requirement) -> list[Fault]:
    """Return faults of one requirement alone: one that shows only now and then first, if it has any besides others."""
    own = [fault for fault in load_faults() if fault.requirements == (requirement.id,)]
    conditional = [fault for fault in own[1:] if fault.kind != "always"]
    return [*conditional[:1], *own]


CHOSEN = tuple(chain.from_iterable(faults_of(requirement)[:1] for requirement in load_catalogue()))
WHOLLY = tuple(
    next(fault for fault in CHOSEN if load_catalogue()[fault.requirements[0]].operation == operation)
    for operation in Operation
)
"""Faults that are certified with everything else, one for each operation: the session `prove` does that with all."""


@pytest.mark.parametrize("requirement", list(load_catalogue()), ids=lambda requirement: requirement.id)
def test_every_requirement_has_a_fault_of_its_own(requirement: Requirement) -> None:
    assert faults_of(requirement)


@pytest.mark.parametrize("fault", [fault for fault in CHOSEN if fault not in WHOLLY], ids=lambda fault: fault.id)
def test_the_tests_of_the_requirement_that_was_broken_fail(fault: Fault, tmp_path: Path) -> None:
    (requirement,) = fault.requirements

    with Server(faults=[fault.id], token=TOKEN) as server:
        run = certify(tmp_path, server.base_url, "--only", requirement)

    advised = {line.partition(":")[0] for line in run.report["advice"]}
    assert requirement in run.ids("fail") | advised, run.output
    assert verify(tmp_path / "reports").discrepancies == ()
    assert not run.report["cleanup"]["left"] or requirement.startswith("DESTROY")


PROOF = Proof("a-fault", ("CREATE-4",), ("CREATE-4",), (), 1.5, 40, 0)


def test_what_was_proven_is_taken_up_again_up_to_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "prove.jsonl"
    Notebook(path, resume=False).add(PROOF)
    Notebook(path, resume=True).add(replace(PROOF, fault="another"))
    assert set(Notebook(path, resume=True).proofs) == {"a-fault", "another"}

    path.write_bytes(path.read_bytes()[:-20])

    resumed = Notebook(path, resume=True)
    assert resumed.proofs == {"a-fault": PROOF}
    resumed.add(replace(PROOF, fault="third"))
    assert set(Notebook(path, resume=True).proofs) == {"a-fault", "third"}
    assert Notebook(path, resume=False).proofs == {}


@pytest.mark.parametrize("line", [b"\xff", b"5", b"[]", b'{"fault": "b"}', b'{"no": "proof"}'])
def test_a_line_that_is_no_proof_is_passed_over(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "prove.jsonl"
    Notebook(path, resume=False).add(PROOF)
    path.write_bytes(path.read_bytes() + line)
    assert Notebook(path, resume=True).proofs == {"a-fault": PROOF}


@pytest.mark.parametrize("name", ["prove.jsonl", "prove.json"])
def test_proofs_that_cannot_be_written_are_told_in_a_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provider_conformance.faults.catalogue.load_faults", tuple)
    monkeypatch.setattr("provider_conformance.reports.files.prepare", lambda *_: None)
    assert main(["prove", "--report-dir", str(tmp_path)]) == 1, "what has no faults is not proven"
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()

    assert main(["prove", "--resume", "--report-dir", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: cannot ")
    assert line.endswith(": Is a directory")


@pytest.mark.parametrize("fault", WHOLLY, ids=lambda fault: fault.id)
def test_the_requirement_that_was_broken_turns_red_among_all(fault: Fault) -> None:
    (proof,) = prove([fault], 1)

    assert proof.caught, proof
    assert not proof.void, proof
    assert proof.discrepancies == ()
    assert not proof.left or proof.wanted[0].startswith("DESTROY"), proof
