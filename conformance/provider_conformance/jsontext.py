"""Reads JSON text as RFC 8259 has it, and names what is wrong with it instead of raising."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

LONGEST_NUMBER = 400
"""Characters beyond which a number is read as infinite: no documented value comes near, and others are free."""

DEEPEST = 300
"""Levels of nesting that are read: what the run sends comes nowhere near, and comparing values recurses.

Others may have stored what is deeper, and how deep to go is for whoever reads (RFC 8259 section 9): where a text is
deeper, arrays and objects of the last level are read as empty ones, and nothing is wrong with it for that.
"""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]+|[\]}]+', re.DOTALL)
"""What tells how deep a text is nested: brackets, and strings, whose brackets are none."""


@dataclass(frozen=True)
class JsonText:
    """A text read as JSON: `value` is meaningful when `readable`; `problems` says what RFC 8259 forbids in it.

    What is nested more deeply than `DEEPEST` levels is no part of `value`, and no problem.
    """

    value: JsonValue
    readable: bool
    empty: bool
    problems: tuple[str, ...]


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_NUMBER else _infinite(text)


def _number(text: str) -> int | float:
    """Read 5.0 and 5e0 as the integer 5, exactly also beyond 2**53 (D17)."""
    try:
        exact = Decimal(text) if len(text) <= LONGEST_NUMBER else None
    except InvalidOperation:
        exact = None
    if exact is None or exact.adjusted() >= LONGEST_NUMBER:
        return _infinite(text)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _infinite(text: str) -> float:
    return -math.inf if text.startswith("-") else math.inf


def _no_constant(text: str) -> float:
    raise ValueError(f"{text}, which JSON does not have")


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from going through all that is parsed, again and again: there are no cycles in it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _is_deep(value: JsonValue) -> bool:
    """Tell whether a value has more than the deepest level, without recursion."""
    level: list[JsonValue] = [value]
    for _ in range(DEEPEST):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _shallow(text: str) -> str:
    """Leave out of a text what arrays and objects of the last level hold, which may be well-formed or not."""
    kept: list[str] = []
    depth = start = 0
    for token in _TOKEN.finditer(text):
        brackets = token.end() - token.start()
        if token[0][0] in "[{":
            if depth < DEEPEST <= depth + brackets:
                kept.append(text[start : token.start() + DEEPEST - depth])
            depth += brackets
        elif token[0][0] in "]}":
            if depth >= DEEPEST > depth - brackets:
                start = token.start() + depth - DEEPEST
            depth -= brackets
    return "".join([*kept, text[start:]] if depth < DEEPEST else kept)


def _parsed(text: str) -> JsonText:
    """Read a text in full; raises RecursionError where it is nested more deeply than the interpreter goes."""
    problems: list[str] = []

    def unique_names(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        members = dict(pairs)
        if len(members) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            repeated = sorted(name for name, count in counts.items() if count > 1)
            problems.append(f"duplicate names in one object: {', '.join(map(repr, repeated[:5]))}")
        return members

    try:
        with _uncollected():
            value: JsonValue = json.loads(
                text,
                object_pairs_hook=unique_names,
                parse_int=_integer,
                parse_float=_number,
                parse_constant=_no_constant,
            )
    except json.JSONDecodeError as error:
        where = f"no JSON: {error.msg} at character {error.pos}"
        return JsonText(None, readable=False, empty=False, problems=(*problems, where))
    except ValueError as error:
        return JsonText(None, readable=False, empty=False, problems=(*problems, f"no JSON: it has {error}"))
    return JsonText(value, readable=True, empty=False, problems=tuple(problems))


def _bounded(text: str) -> JsonText:
    """Read a text down to the deepest level, however far the interpreter goes from here."""
    try:
        read = _parsed(text)
    except RecursionError:
        return _parsed(_shallow(text))
    deep = text.count("[") + text.count("{") > DEEPEST and _is_deep(read.value)
    return _parsed(_shallow(text)) if deep else read


def read_json(body: bytes) -> JsonText:
    """Read a body as JSON text in UTF-8 and list its problems.

    Byte order mark, invalid UTF-8 and duplicate names are problems of a text that can still be read; anything
    else that RFC 8259 forbids leaves `readable` false. Source: RFC 8259 sections 2, 4, 6 and 8.1.
    """
    if not body.strip():
        return JsonText(None, readable=False, empty=True, problems=("the body is empty",))
    problems: list[str] = []
    if body.startswith(b"\xef\xbb\xbf"):
        problems.append("the body starts with a byte order mark")
        body = body[3:]
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        problems.append(f"the body is no UTF-8: byte 0x{body[error.start]:02x} at offset {error.start}")
        text = body.decode("latin-1")
    read = _bounded(text)
    return replace(read, problems=(*problems, *read.problems)) if problems else read
