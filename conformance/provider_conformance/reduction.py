"""Finds out which property of a refused provider is to blame, by putting back one after another to its typical value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provider_conformance.values.plausible import TYPICAL, Traits, differences

ENUMERATED = frozenset({"auth_mode", "protocol", "status", "provider_in_lan", "single_via_header", "ips"})
"""Traits whose values the docs enumerate: whether they are accepted is a requirement of its own (CREATE-6)."""


def guilty_traits(traits: Traits, fails: Callable[[Traits], bool]) -> tuple[str, ...]:
    """Return the traits without which a request would not fail; none when even the typical one does.

    `fails` sends a request; it is called once for each trait that differs, and once more.
    """
    if fails(TYPICAL):
        return ()
    for name in differences(traits):
        candidate = replace(traits, **{name: getattr(TYPICAL, name)})
        if candidate == TYPICAL:
            break
        if fails(candidate):
            traits = candidate
    return differences(traits)
