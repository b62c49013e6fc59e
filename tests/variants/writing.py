"""Writes JSON in every way that RFC 8259 and the contract allow."""

from __future__ import annotations

import json
from typing import Any

from variants.freedoms import Layout


class Number(str):
    """A number that is written as this text."""

    __slots__ = ()


def write(value: Any, layout: Layout, *, fractions: bool = False) -> bytes:
    """Write a value; with `fractions`, integers as 5060.0."""
    return _text(value, layout, 0, fractions=fractions).encode("utf-8")


def _text(value: Any, layout: Layout, depth: int, *, fractions: bool) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return _string(value, layout)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}.0" if fractions else str(value)
    if isinstance(value, dict):
        colon = " : " if layout is Layout.INDENTED else ":"
        members = [
            _string(name, layout) + colon + _text(member, layout, depth + 1, fractions=fractions)
            for name, member in value.items()
        ]
        return _joined("{", members, "}", layout, depth)
    if isinstance(value, list):
        return _joined("[", [_text(item, layout, depth + 1, fractions=fractions) for item in value], "]", layout, depth)
    return json.dumps(value)


def _string(value: str, layout: Layout) -> str:
    if layout is Layout.ESCAPED:
        units = value.encode("utf-16-be", "surrogatepass").hex()
        return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'
    alone = any("\ud800" <= char <= "\udfff" for char in value)
    return json.dumps(value, ensure_ascii=alone)


def _joined(start: str, parts: list[str], end: str, layout: Layout, depth: int) -> str:
    if layout is not Layout.INDENTED or not parts:
        return start + ",".join(parts) + end
    indent = "\r\n" + "\t" * (depth + 1)
    return start + indent + f",{indent}".join(parts) + "\r\n" + "\t" * depth + end
