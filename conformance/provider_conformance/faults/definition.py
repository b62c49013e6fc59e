"""What a single fault is, and the decorator that puts one into the catalogue."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider_conformance.contract import Level
    from provider_conformance.reference.service import Reference

Kind: TypeAlias = Literal["always", "conditional", "stateful"]
"""When a fault shows: with every request of its kind, with some values only, or depending on what went before."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which an implementation can be wrong, while everything else about it is right."""

    id: str
    description: str
    requirements: tuple[str, ...]
    """The requirements that it must turn red."""
    kind: Kind
    implementation: type[Reference]
    level: Level | None = None
    """The level at which it must be caught, where requests of its own requirements' level do not bring it about."""


REGISTERED: list[Fault] = []
"""Every fault whose module has been imported so far, in the order of the source."""


def fault(
    identifier: str, *requirements: str, kind: Kind, description: str | None = None, level: Level | None = None
) -> Callable[[type[Reference]], type[Reference]]:
    """Register an override of the reference as a fault; unless given, its docstring's first line describes it."""

    def register(implementation: type[Reference]) -> type[Reference]:
        sentence = description or (inspect.cleandoc(implementation.__doc__ or "").partition("\n")[0])
        REGISTERED.append(Fault(identifier, sentence, requirements, kind, implementation, level))
        return implementation

    return register
