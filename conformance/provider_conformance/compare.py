"""Tells what got better and what got worse between two reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GOOD = "pass"
LEVELS = (None, "core", "strict", "hardened")


@dataclass(frozen=True)
class Change:
    """One requirement whose outcome differs between two reports; "absent" where a report does not have it."""

    requirement: str
    before: str
    after: str
    told: str

    @property
    def is_worse(self) -> bool:
        """Whether what held before does not, or can no longer be told."""
        return self.before == GOOD

    @property
    def is_better(self) -> bool:
        """Whether it holds now."""
        return self.after == GOOD


@dataclass(frozen=True)
class Comparison:
    """What differs between an old and a new report; levels are the highest that each has reached."""

    changes: tuple[Change, ...]
    old_level: str | None
    new_level: str | None
    remarks: tuple[str, ...]

    @property
    def regressed(self) -> bool:
        """Whether anything got worse."""
        lower = LEVELS.index(self.new_level) < LEVELS.index(self.old_level)
        return lower or any(change.is_worse for change in self.changes)


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Compare two documents of report.json; raises KeyError or TypeError where one is none."""
    before, after = _entries(old), _entries(new)
    changes = []
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name, ABSENT), after.get(name, ABSENT)
        if was["outcome"] != now["outcome"]:
            changes.append(Change(name, was["outcome"], now["outcome"], _told(was, now)))
    remarks = [
        f"{what} {_value(old, path)} before, {_value(new, path)} now: outcomes may differ for that alone"
        for what, path in COMPARED
        if _value(old, path) != _value(new, path)
    ]
    return Comparison(tuple(changes), old["reached_level"], new["reached_level"], tuple(remarks))


ABSENT: dict[str, Any] = {"outcome": "absent", "failures": [], "reason": ""}
COMPARED = (
    ("level", ("level",)),
    ("seed", ("seed",)),
    ("tool", ("tool", "version")),
    ("catalogue", ("catalogue", "version")),
    ("contract", ("contract", "version")),
    ("target", ("target", "base_url")),
)
"""What two comparable reports have in common."""


def _entries(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["id"]: entry for entry in document["requirements"]}


def _told(was: dict[str, Any], now: dict[str, Any]) -> str:
    """Say why it does not hold now, or did not before."""
    entry = now if now["outcome"] != GOOD else was
    failures = entry["failures"]
    return str(failures[0]["summary"] if failures else entry["reason"])


def _value(document: dict[str, Any], path: tuple[str, ...]) -> object:
    value: Any = document
    for name in path:
        value = value[name]
    return value
