"""The suite catches faults of every requirement: two of each of level core, and one of each other."""

from __future__ import annotations

import os
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from provider_conformance.contract import Level, load_catalogue
from provider_conformance.faults.catalogue import load_faults
from provider_conformance.proof import Proof, prove

if TYPE_CHECKING:
    from provider_conformance.contract import Requirement
    from provider_conformance.faults.definition import Fault

FAULTS_OF_EACH = {Level.CORE: 2}
"""How many faults are certified for a requirement of a level; one unless it says more."""


def faults_of(requirement: Requirement) -> list[Fault]:
    """Return faults of one requirement alone: one that shows only now and then, and then the first of the catalogue."""
    own = [fault for fault in load_faults() if fault.requirements == (requirement.id,)]
    conditional = [fault for fault in own[1:] if fault.kind != "always"]
    return [*conditional[:1], *own][: FAULTS_OF_EACH.get(requirement.level, 1)]


CHOSEN = tuple(chain.from_iterable(map(faults_of, load_catalogue())))


@cache
def proofs() -> dict[str, Proof]:
    """Certify all chosen faults, once."""
    return {proof.fault: proof for proof in prove(CHOSEN, os.cpu_count() or 1)}


@pytest.mark.parametrize("requirement", list(load_catalogue()), ids=lambda requirement: requirement.id)
def test_every_requirement_has_a_fault_of_its_own(requirement: Requirement) -> None:
    assert faults_of(requirement)


@pytest.mark.parametrize("fault", [fault.id for fault in CHOSEN])
def test_the_requirement_that_was_broken_turns_red(fault: str) -> None:
    proof = proofs()[fault]

    assert proof.caught, proof
    assert not proof.void, proof
    assert proof.discrepancies == ()
    assert not proof.left or proof.wanted[0].startswith("DESTROY"), proof
