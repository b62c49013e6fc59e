"""Requests in terms of the contract, before they are written as HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from provider_conformance import __version__
from provider_conformance.codings import IDENTITY
from provider_conformance.exchange import JSON_TYPE, TOKEN_HEADER, Headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider_conformance.jsontext import JsonValue


@dataclass(frozen=True)
class Call:
    """A request in terms of the contract: an operation (or a bare path), its query and body, and what is unusual in it.

    A `query` of text is sent as it is. `token` None means the valid one, "" none at all. `body` bytes are sent as they
    are, anything else as JSON.
    A request is `outside` the contract when its path or its method is none of the contract's; one that is sent `apart`
    goes over a second connection. Names of headers are written in `lower_case` where that is asked for.
    `agent`, `accept` and `codings`, by which the answer may be packed, are left out where they are None.
    """

    operation: str
    method: str
    query: tuple[tuple[str, str], ...] | str = ()
    body: bytes | None = None
    content_type: str | None = JSON_TYPE
    token: str | None = None
    token_header: str = TOKEN_HEADER
    headers: Headers = ()
    agent: str | None = f"provider-conformance/{__version__}"
    accept: str | None = JSON_TYPE
    codings: str | None = IDENTITY
    outside: bool = False
    apart: bool = False
    lower_case: bool = False

    @property
    def belongs_to(self) -> str | None:
        """The operation that the exchange is one of, if any."""
        return None if self.outside else self.operation


NO_TOKEN = ""

BASE = "."
"""Takes the place of an operation in a call of the path that all of them are below."""


def query_of(call: Call) -> str:
    """Return the query of a call as it is sent, without its question mark."""
    if isinstance(call.query, str):
        return call.query
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in call.query)


Write: TypeAlias = Callable[[Call], Call]
"""How a client writes a request: what it says stays the same."""


def as_usual(call: Call) -> Call:
    """Write a request as all others are."""
    return call


def declared_as(media_type: str) -> Write:
    """Write a request with another Content-Type."""
    return partial(replace, content_type=media_type)


def json_body(value: JsonValue | Mapping[str, JsonValue]) -> bytes:
    """Write a value as JSON text in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
