"""Reads JSON so strictly that whatever is accepted can be given back exactly.

`json.loads` alone takes NaN, rounds numbers, keeps the last of two equal names and lets half a surrogate pair
through; each of those would later come back as something else than was sent (VALUE-1, HTTP-7).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

DEEPEST = 200
"""Levels of nesting that are accepted: twice what HTTP-2 counts as ordinary, and far from the interpreter's limit."""


class NotJsonError(ValueError):
    """The text is not JSON, or not JSON that can be kept exactly."""


def decode(text: bytes) -> Any:
    """Return the value of a JSON text, or raise NotJsonError."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            parse_float=_float,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
        _check_depth(value)
    except NotJsonError:
        raise
    except RecursionError:
        raise NotJsonError("nested too deeply") from None
    except ValueError:  # the decoders of UTF-8, of JSON and of integers all raise kinds of it
        raise NotJsonError("not well-formed JSON in UTF-8") from None
    return value


def encode(value: object) -> bytes:
    """Return the JSON text of a value, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def is_text(value: str) -> bool:
    """Tell whether a string is text that every database can hold: no half of a surrogate pair, no NUL."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _float(literal: str) -> float:
    value = float(literal)
    # An exponent of many digits would make Decimal arithmetic slow; such a literal overflows or vanishes anyway.
    if len(literal) > 64 or value in {float("inf"), float("-inf")} or Decimal(repr(value)) != Decimal(literal):
        raise NotJsonError("a number that cannot be kept exactly")
    return value


def _constant(_name: str) -> NoReturn:
    raise NotJsonError("a number that JSON does not have")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJsonError("an object with two members of the same name")
    return members


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    raise NotJsonError("nested too deeply")
