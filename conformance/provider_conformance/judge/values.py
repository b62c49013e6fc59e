"""JSON values: compared, read leniently, and put into words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from provider_conformance.jsontext import JsonValue

Values: TypeAlias = Mapping[str, JsonValue]


INT64 = range(-(2**63), 2**63)


NEVER_COMPARED = frozenset({"status", "password"})
"""Status is what the implementation observes (D9), and a password may be masked or left out (D10)."""


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()


def loose_id(value: JsonValue) -> int | None:
    """Read an id leniently: the integer, or its decimal digits in a string."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value in INT64 else None
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value) if len(value) <= 20 and int(value) in INT64 else None
    return None


def is_int64(value: JsonValue) -> bool:
    """Tell whether a value is an integer in the range of int64; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and value in INT64


def same(left: object, right: object) -> bool:
    """Compare JSON values without taking true for 1."""
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return left == right


_TYPES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def type_of(value: JsonValue) -> str:
    """Name the JSON type of a value as JSON Schema does."""
    return _TYPES[type(value)]


def shown(value: object) -> str:
    """Write a value as JSON, shortened."""
    if value is MISSING:
        return "missing"
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


def quoted(text: str) -> str:
    """Write text from a server in quotes, shortened, control characters escaped."""
    return shown(text)
