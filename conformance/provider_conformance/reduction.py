"""Finds out which property of a refused provider is to blame, by putting each back to its typical value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance.judge.values import shown
from provider_conformance.values.plausible import Traits, differences

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider_conformance.jsontext import JsonValue

ENUMERATED = frozenset({"auth_mode", "protocol", "status", "provider_in_lan", "single_via_header", "ips", "rotation"})
"""Traits whose values the docs enumerate: whether they are accepted is a requirement of its own (CREATE-6)."""

MOST_ENUMERATED_IPS = 2

PROPERTIES = {
    "name_tail": "name",
    **dict.fromkeys(("auth_tail", "auth_alone", "auth_first"), "auth_id"),
    **dict.fromkeys(("host", "domain"), "hostname"),
    "outbound_host": "outbound_server",
    **dict.fromkeys(("rotation", "moved"), "ips"),
}
"""The property that a trait is part of, where it is not called like one."""


def guilty_traits(traits: Traits, base: Traits, fails: Callable[[Traits], bool]) -> tuple[str, ...]:
    """Return the traits without which a request would not fail, where `base` are traits that do not.

    None are returned when `base` fails too, or when the same traits no longer fail: no value is to blame then.
    `fails` sends a request; it is called at most once for each trait that differs, and twice more.
    """
    if fails(base):
        return ()
    suspects = traits
    for name in differences(traits, base):
        candidate = replace(suspects, **{name: getattr(base, name)})
        if candidate != base and fails(candidate):
            suspects = candidate
    return differences(suspects, base) if fails(suspects) else ()


class Culprits:
    """Remembers which values were to blame, so that the same ones are not searched for again."""

    def __init__(self) -> None:
        self._known: list[tuple[str, Traits]] = []

    def of(self, traits: Traits, base: Traits, fails: Callable[[Traits], bool]) -> tuple[str, ...]:
        """Return the traits to blame for a failure, from memory where one that alone was to blame is there again."""
        for name, culprit in self._known:
            if getattr(traits, name) == getattr(culprit, name):
                return (name,)
        guilty = guilty_traits(traits, base, fails)
        if len(guilty) == 1:
            self._known.append((guilty[0], traits))
        return guilty


def owner(traits: Traits, guilty: tuple[str, ...]) -> str:
    """Return the requirement that a refused create breaks: whether documented values are accepted has its own."""
    many = "ips" in guilty and traits.ips > MOST_ENUMERATED_IPS
    return "CREATE-6" if guilty and ENUMERATED.issuperset(guilty) and not many else "CREATE-1"


def told(body: Mapping[str, JsonValue], guilty: tuple[str, ...]) -> str:
    """Say which values of a request were to blame."""
    names = dict.fromkeys(PROPERTIES.get(name, name) for name in guilty)
    return ", ".join(_told_property(name, body[name]) for name in names)


def _told_property(name: str, value: JsonValue) -> str:
    if name == "password":
        return "this password"
    if isinstance(value, list):
        return f"{len(value)} {name}"
    return f"{name} = {shown(value)}"
