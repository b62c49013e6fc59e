"""The suite catches a fault of every requirement."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import pytest

from command import TOKEN, certify
from provider_conformance.contract import Operation, load_catalogue
from provider_conformance.faults.catalogue import load_faults
from provider_conformance.proof import prove
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


@pytest.mark.parametrize("fault", WHOLLY, ids=lambda fault: fault.id)
def test_the_requirement_that_was_broken_turns_red_among_all(fault: Fault) -> None:
    (proof,) = prove([fault], 1)

    assert proof.caught, proof
    assert not proof.void, proof
    assert proof.discrepancies == ()
    assert not proof.left or proof.wanted[0].startswith("DESTROY"), proof
