"""Says what is special about a request that a server broke down over."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from provider_conformance.codings import IDENTITY
from provider_conformance.exchange import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider_conformance.exchange import Request
    from provider_conformance.jsontext import JsonValue

LONG_BODY = 16 * 1024
DEEP = 20
MOST_TOLD = 6
INT64 = range(-(2**63), 2**63)

BARE = "there is no User-Agent, no Accept and no Accept-Encoding"


def oddity(request: Request) -> str:
    """Return what is special about a request, in a few words, or nothing; bodies may be cut where they are long."""
    return next(_oddities(request), "")


def oddities(request: Request) -> str:
    """Return all that is special about a request of which nobody knows what a server broke down over, or nothing."""
    return ", ".join(islice(_oddities(request), MOST_TOLD))


def _oddities(request: Request) -> Iterator[str]:
    return chain(_of_query(request.target), _of_headers(request), _of_body(request), _of_client(request))


def _of_query(target: str) -> Iterator[str]:
    path, _, query = target.partition("?")
    raw = unquote_to_bytes(query)
    if b"\0" in raw:
        yield "the query holds NUL"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        yield "the query is no UTF-8"
    parameters = parse_qsl(query, keep_blank_values=True, errors="replace")
    times = Counter(name for name, _ in parameters)
    yield from (f"{name} is there {times[name]} times" for name in times if times[name] > 1)
    for name, value in parameters:
        if not re.fullmatch(r"[+-]?[0-9]{1,4000}", value):
            continue
        number = int(value)
        if number not in INT64:
            yield f"{name} is a number beyond int64"
        elif number < 1:
            yield f"{name} is {number}"
        elif number > 2**31:
            yield f"{name} is a number beyond int32"
    if len(path) > 255:
        yield "the path is long"


def _of_headers(request: Request) -> Iterator[str]:
    headers = {name.lower(): value for name, value in request.headers}
    if "content-encoding" in headers:
        yield f"the body is sent as {headers['content-encoding']}"
    if headers.get("content-type", JSON_TYPE) != JSON_TYPE:
        yield f"the body is sent as {headers['content-type']}"
    if any(len(value) > 2000 for value in headers.values()):
        yield "a header is long"


def _of_client(request: Request) -> Iterator[str]:
    """Say in what the headers differ that go with every request."""
    headers = {name.lower(): value for name, value in request.headers}
    if "user-agent" not in headers and "host" in headers:
        yield BARE
    if headers.get("accept-encoding", IDENTITY) != IDENTITY:
        yield f"a compressed answer is asked for ({headers['accept-encoding']})"
    if headers.get("connection", "").lower() == "close":
        yield "the connection is not to be kept"


def _of_body(request: Request) -> Iterator[str]:
    body = request.body
    if body is None:
        if request.method == "POST":
            yield "there is no body, not even an empty one"
        return
    if len(body) >= LONG_BODY:
        yield f"the body has {len(body) // 1024} KiB or more"
        return
    try:
        value = json.loads(body)
    except RecursionError:
        yield "the body is nested deeply"
        return
    except ValueError:
        yield "the body is no JSON"
        return
    if not isinstance(value, dict):
        yield "the body is JSON, but no object"
        return
    for name, member in value.items():
        if what := next(_of_value(member), ""):
            yield f"{name} {what}"


def _of_value(value: JsonValue, depth: int = 0) -> Iterator[str]:
    if depth == DEEP:
        yield "is nested deeply"
    elif isinstance(value, str):
        yield from _of_text(value)
    elif isinstance(value, int) and value not in INT64:
        yield "holds a number beyond int64"
    elif isinstance(value, list | dict):
        for item in value if isinstance(value, list) else value.values():
            yield from _of_value(item, depth + 1)


def _of_text(text: str) -> Iterator[str]:
    if "\0" in text:
        yield "holds NUL"
    if any("\ud800" <= character <= "\udfff" for character in text):
        yield "holds half a surrogate pair"
    if any(ord(character) > 0xFFFF for character in text):
        yield "holds a character beyond the basic plane"
    if len(text) > 255:
        yield f"has {len(text):,} characters"
