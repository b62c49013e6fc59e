"""The catalogue of single faults."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from provider_conformance.faults.definition import REGISTERED

if TYPE_CHECKING:
    from provider_conformance.faults.definition import Fault

MODULES = ("auth", "create", "show", "list", "update", "destroy", "http", "value", "circumstances")


class UnknownFaultError(LookupError):
    """No fault has this id."""


@cache
def load_faults() -> tuple[Fault, ...]:
    """Return every fault, by operation."""
    for module in MODULES:
        import_module(f"provider_conformance.faults.{module}")
    return tuple(REGISTERED)


def find_fault(identifier: str) -> Fault:
    """Return the fault of an id."""
    for found in load_faults():
        if found.id == identifier:
            return found
    raise UnknownFaultError(f"no fault is called {identifier!r}")
