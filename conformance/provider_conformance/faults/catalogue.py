"""The catalogue of single faults."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from provider_conformance.faults.definition import REGISTERED
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.faults.definition import Fault

MODULES = (
    "auth",
    "create",
    "show",
    "list",
    "update",
    "destroy",
    "http",
    "value",
    "circumstances",
    "clients",
    "coincidences",
    "habits",
    "lateness",
    "neighbours",
    "oddities",
    "overlaps",
    "writing",
)


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


def combined(identifiers: Sequence[str]) -> type[Reference]:
    """Return an implementation with all the faults of these ids.

    Raises UnknownFaultError, and ValueError for faults of which one would undo the other: they fill the same gap of a
    template, where what they override of the reference calls what it overrides.
    """
    found = [find_fault(identifier) for identifier in identifiers]
    filled: dict[str, str] = {}
    for fault in found:
        for gap in _gaps(fault.implementation):
            if filled.setdefault(gap, fault.id) != fault.id:
                raise ValueError(f"the faults {filled[gap]} and {fault.id} cannot be had together")
    return type("Faulty", tuple(fault.implementation for fault in found), {})


def _gaps(implementation: type[Reference]) -> set[str]:
    """Return what a fault defines that the reference does not have."""
    own = (vars(base) for base in implementation.__mro__ if base not in Reference.__mro__)
    return {name for names in own for name in names if not name.startswith("__") and not hasattr(Reference, name)}
