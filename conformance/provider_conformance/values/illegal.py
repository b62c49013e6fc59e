"""Illegal values: what the docs rule out and every implementation must refuse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

NumberText = Callable[[int], str]


def ids_that_are_none() -> Iterator[tuple[str, NumberText, int | None]]:
    """Values that are no int64 integer, each with its description, and the id that a careless server may take it for.

    Where one can, the value is made of an id, so that whatever a server that coerces makes of it is that id again;
    the third item is None for those.
    """
    yield "the id as text", lambda identity: json.dumps(str(identity)), None
    yield "an id of text that begins with digits", lambda identity: json.dumps(f"{identity}x"), None
    yield "an id of letters", lambda _: '"abc"', 0
    yield "an empty text as id", lambda _: '""', 0
    yield "a fraction as id", lambda identity: f"{identity}.25", None
    yield "true as id", lambda _: "true", 1
    yield "false as id", lambda _: "false", 0
    yield "null as id", lambda _: "null", 0
    yield "an array as id", lambda identity: f"[{identity}]", None
    yield "an empty array as id", lambda _: "[]", 0
    yield "an object as id", lambda identity: f'{{"id":{identity}}}', None
    yield "an id too large for int64", lambda identity: str(identity + 2**64), None
    yield "an id far too large", lambda identity: str(identity + 2**128), None
    yield "an id too small for int64", lambda identity: str(identity - 2**65), None
