"""The suite catches faults: those that every requirement of level core can have, two of each in the default run."""

from __future__ import annotations

import os
from functools import cache
from itertools import chain, islice
from typing import TYPE_CHECKING

import pytest

from provider_conformance.contract import Level, load_catalogue
from provider_conformance.faults.catalogue import load_faults
from provider_conformance.proof import Proof, prove

if TYPE_CHECKING:
    from provider_conformance.faults.definition import Fault

FAULTS_OF_EACH = 2
CORE = [requirement.id for requirement in load_catalogue() if requirement.level is Level.CORE]


def faults_of(requirement: str) -> list[Fault]:
    """Return faults of one requirement alone: the first of the catalogue, and one that shows only now and then."""
    own = [fault for fault in load_faults() if fault.requirements == (requirement,)]
    conditional = [fault for fault in own[1:] if fault.kind != "always"]
    return [*own[:1], *islice(conditional, FAULTS_OF_EACH - 1)]


CHOSEN = tuple(chain.from_iterable(map(faults_of, CORE)))


@cache
def proofs() -> dict[str, Proof]:
    """Certify all chosen faults, once."""
    return {proof.fault: proof for proof in prove(CHOSEN, os.cpu_count() or 1)}


@pytest.mark.parametrize("requirement", CORE)
def test_every_core_requirement_has_faults(requirement: str) -> None:
    assert len(faults_of(requirement)) == FAULTS_OF_EACH


@pytest.mark.parametrize("fault", [fault.id for fault in CHOSEN])
def test_the_requirement_that_was_broken_turns_red(fault: str) -> None:
    proof = proofs()[fault]

    assert proof.caught, proof
    assert not proof.void, proof
    assert not proof.left or proof.wanted[0].startswith("DESTROY"), proof
