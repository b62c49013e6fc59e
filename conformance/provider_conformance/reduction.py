"""Finds out which property of a refused provider is to blame, by putting back one after another to its typical value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provider_conformance.values.plausible import TYPICAL, Traits, differences

ENUMERATED = frozenset({"auth_mode", "protocol", "status", "provider_in_lan", "single_via_header", "ips", "rotation"})
"""Traits whose values the docs enumerate: whether they are accepted is a requirement of its own (CREATE-6)."""


def guilty_traits(traits: Traits, fails: Callable[[Traits], bool]) -> tuple[str, ...]:
    """Return the traits without which a request would not fail; none when even the typical one does.

    `fails` sends a request; it is called at most once for each trait that differs, and once more.
    """
    if fails(TYPICAL):
        return ()
    for name in differences(traits):
        candidate = replace(traits, **{name: getattr(TYPICAL, name)})
        if candidate != TYPICAL and fails(candidate):
            traits = candidate
    return differences(traits)


class Culprits:
    """Remembers which values were to blame, so that the same ones are not searched for again."""

    def __init__(self) -> None:
        self._known: list[tuple[str, Traits]] = []

    def of(self, traits: Traits, fails: Callable[[Traits], bool]) -> tuple[str, ...]:
        """Return the traits to blame for a failure, from memory where one that alone was to blame is there again."""
        for name, culprit in self._known:
            if getattr(traits, name) == getattr(culprit, name):
                return (name,)
        guilty = guilty_traits(traits, fails)
        if len(guilty) == 1:
            self._known.append((guilty[0], traits))
        return guilty
