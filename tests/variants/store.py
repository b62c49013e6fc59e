"""Providers in memory, ours and those of others, and a record of what a run should not have done."""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from variants.freedoms import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

UNIQUE = ("name", "auth_id", "hostname")


@dataclass
class Entry:
    """A provider, and when it came and changed."""

    id: int
    content: dict[str, Any]
    foreign: bool
    came: int
    changed: int

    @property
    def place(self) -> bytes:
        """Return where a table that is sorted by nothing has it."""
        return hashlib.sha256(str(self.id).encode()).digest()


@dataclass
class Audit:
    """What a run did to the store."""

    requests: int = 0
    created: int = 0
    most_held: int = 0
    touched: list[int] = field(default_factory=list)
    """Foreign providers that it tried to update or to destroy."""
    guessed: list[str] = field(default_factory=list)
    """What it sent to update and destroy that is, or could be taken for, an id that was never given to it."""
    names: list[dict[str, str]] = field(default_factory=list)
    """Name, auth_id and hostname of everything that it created."""


class Store:
    """Not safe by itself: whoever uses it holds `lock`."""

    def __init__(self, ids: Iterator[int], order: Order) -> None:
        self.lock = threading.Lock()
        self.audit = Audit()
        self._ids = ids
        self._order = order
        self._entries: dict[int, Entry] = {}
        self._given: set[int] = set()
        self._used: set[int] = set()
        self._clock = 0

    def add(self, content: dict[str, Any], *, foreign: bool = False, wanted: int | None = None) -> Entry:
        """Add a provider."""
        self._clock += 1
        number = next(number for number in self._ids if number not in self._used) if wanted is None else wanted
        self._used.add(number)
        entry = Entry(number, content, foreign, self._clock, self._clock)
        self._entries[number] = entry
        if not foreign:
            self._given.add(number)
            self.audit.created += 1
            self.audit.most_held = max(self.audit.most_held, len(self.left()))
            self.audit.names.append({name: content[name] for name in UNIQUE})
        return entry

    def find(self, number: int) -> Entry | None:
        """Return the provider of an id."""
        return self._entries.get(number)

    def replace(self, entry: Entry, content: dict[str, Any]) -> None:
        """Give a provider new content."""
        self._clock += 1
        entry.content, entry.changed = content, self._clock

    def remove(self, entry: Entry) -> None:
        """Remove a provider."""
        del self._entries[entry.id]

    def taken(self, content: dict[str, Any], but: Entry | None) -> str | None:
        """Return what another provider has already that nobody else may."""
        others = [entry.content for entry in self._entries.values() if entry is not but]
        return next((name for name in UNIQUE if any(content[name] == other.get(name) for other in others)), None)

    def left(self) -> list[int]:
        """Return the ids of all providers but those of others."""
        return [entry.id for entry in self._entries.values() if not entry.foreign]

    def entries(self) -> list[Entry]:
        """Return all providers in the order that list has."""
        keys = {
            Order.OLDEST: lambda entry: entry.came,
            Order.NEWEST: lambda entry: -entry.came,
            Order.NAME: lambda entry: (str(entry.content.get("name")).lower(), entry.id),
            Order.SCATTERED: lambda entry: entry.place,
            Order.CHANGED: lambda entry: -entry.changed,
            Order.HASHED: lambda entry: (entry.id * 2654435761 % 2**32 % self._slots, entry.came),
        }
        return sorted(self._entries.values(), key=keys[self._order])

    @property
    def _slots(self) -> int:
        """How large a hash table is that has room for all."""
        return 1 << (len(self._entries) * 3 // 2).bit_length()

    def note_aim(self, value: object) -> None:
        """Note what update or destroy is aimed at, if that is somebody else's, or could be (true and null excepted)."""
        for number in readings(value):
            entry = self._entries.get(number)
            if entry is not None and entry.foreign:
                self.audit.touched.append(number)
            if number not in self._given:
                self.audit.guessed.append(repr(value))


def readings(value: object) -> set[int]:
    """Return the ids that a careless server could make of a value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {(value + 2**63) % 2**64 - 2**63}
    if isinstance(value, float):
        return readings(int(value)) if abs(value) < 2**80 else set()
    if isinstance(value, str):
        number = re.match(r"\s*-?[0-9]{1,40}", value)
        return readings(int(number[0])) if number else set()
    if isinstance(value, list | dict):
        items = value if isinstance(value, list) else value.values()
        return {number for item in items for number in readings(item)}
    return set()
