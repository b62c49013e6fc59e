"""Odd requests, which must be survived (HTTP-2); whether they are accepted or refused is judged elsewhere, or free."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from provider_conformance.values.unusual import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from provider_conformance.jsontext import JsonValue

DEEPEST = 100
LARGEST_BODY = 64 * 1024
"""Levels and bytes up to which bodies are ordinary (HTTP-2)."""


@dataclass(frozen=True)
class _Fair:
    """A body that would be accepted, of which odd ones are made."""

    body: Mapping[str, JsonValue]

    @cached_property
    def text(self) -> bytes:
        """The body as JSON text without white space."""
        return _written(self.body)

    @property
    def room(self) -> int:
        """Bytes that may be added."""
        return LARGEST_BODY - len(self.text)

    def named(self, suffix: str) -> bytes:
        """Lengthen the name."""
        return _written({**self.body, "name": str(self.body.get("name", "")) + suffix})

    def having(self, member: bytes) -> bytes:
        """Add a member."""
        return self.text[:-1] + b"," + member + b"}"

    def counting(self, number: bytes, *names: str) -> bytes:
        """Put a number in the place of those that some members have."""
        own = b"|".join(b'"%b":' % name.encode() for name in names)
        return re.sub(b"(" + own + rb")-?\d+", lambda found: found[1] + number, self.text)

    def holding(self, items: bytes) -> bytes:
        """Put items in the place of those in every array."""
        arrays = rb'("(?:ips|in_parameters|out_parameters)":)\[[^\[\]]*\]'
        return re.sub(arrays, lambda found: found[1] + items, self.text)

    def beginning(self, member: bytes, by: bytes) -> bytes:
        """Put something in the place of how a member begins."""
        return self.text.replace(member, by, 1)


def _written(body: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


_NAME = b'"name":"'

_ODD_BODIES: Mapping[str, Callable[[_Fair], bytes]] = {
    "an undocumented property of 64 KiB": lambda fair: fair.having(b'"note":"' + b"x" * (fair.room - 10) + b'"'),
    "64 KiB of white space": lambda fair: b" " * fair.room + fair.text,
    "32,000 numbers in an array": lambda fair: fair.having(b'"note":[' + b"0," * (fair.room // 2 - 10) + b"0]"),
    "7,000 undocumented properties": lambda fair: fair.having(
        b",".join(b'"%x":0' % at for at in range(fair.room // 10))
    ),
    "a name of 60,000 characters": lambda fair: fair.named("x" * (fair.room - 100)),
    "99 levels of arrays in the object": lambda fair: fair.having(b'"note":' + _nested(DEEPEST - 1)),
    "100 levels of objects": lambda fair: fair.having(
        b'"note":' + b'{"a":' * (DEEPEST - 2) + b"{}" + b"}" * (DEEPEST - 2)
    ),
    "99 levels of arrays in ips": lambda fair: fair.beginning(
        b'"ips":[', b'"ips":' + _nested(DEEPEST - 1) + b',"more":['
    ),
    "100 levels of arrays and nothing else": lambda _: _nested(DEEPEST),
    "100 brackets that are never closed": lambda _: b"[" * DEEPEST,
    "a port of 5,000 digits": lambda fair: fair.counting(b"9" * 5000, "port"),
    "a port of 60,000 digits": lambda fair: fair.counting(b"9" * (fair.room - 100), "port"),
    "a port beyond every double": lambda fair: fair.counting(b"1e400", "port"),
    "other integers beyond every double": lambda fair: fair.counting(b"1e400", *INTEGERS[1:]),
    "a port with an exponent of ten digits": lambda fair: fair.counting(b"1e9999999999", "port"),
    "a port below every double": lambda fair: fair.counting(b"1e-400", "port"),
    "a port of minus zero": lambda fair: fair.counting(b"-0", "port"),
    "numbers with a fraction of zero": lambda fair: fair.counting(b"5060.0", *INTEGERS),
    "a text with NUL": lambda fair: fair.named("a\0b"),
    "items with NUL": lambda fair: fair.holding(b'["a\\u0000b"]'),
    "items with half of a surrogate pair": lambda fair: fair.holding(b'["\\ud800"]'),
    "items beyond every double": lambda fair: fair.holding(b"[1e400]"),
    "half of a surrogate pair": lambda fair: fair.beginning(_NAME, _NAME + b"\\ud800"),
    "a character of four bytes": lambda fair: fair.named("\U0001f4de"),
    "bytes that are no UTF-8": lambda fair: fair.beginning(_NAME, _NAME + b"\xff\xfe"),
    "a byte order mark": lambda fair: b"\xef\xbb\xbf" + fair.text,
    "UTF-16": lambda fair: json.dumps(fair.body).encode("utf-16"),
    "zero bytes": lambda _: bytes(64),
    "a name that is there twice": lambda fair: fair.having(b'"name":"pconf"'),
    "names that some languages reserve": lambda fair: fair.having(
        b'"__proto__":{"x":1},"constructor":null,"":0,"$where":"1"'
    ),
    "more names that are reserved": lambda fair: fair.having(
        # No number of somebody else's for what may be taken for an id.
        (b'"_id":%d,' % int(str(fair.body["id"])) if "id" in fair.body else b"")
        + b'"hasOwnProperty":1,"toString":1,"@type":"x","@class":"x"'
    ),
    "an escape that JSON does not have": lambda fair: fair.beginning(_NAME, _NAME + b"\\x"),
}
"""Bodies up to the bounds of HTTP-2, by what is odd about them."""

ODD_BODIES = tuple(_ODD_BODIES)
"""What is odd about each body."""


def odd_body(what: str, body: Mapping[str, JsonValue]) -> bytes:
    """Make a body odd, in one of the ways of ODD_BODIES, that would be accepted."""
    return _ODD_BODIES[what](_Fair(body))


def odd_bodies(body: Mapping[str, JsonValue]) -> Iterator[bytes]:
    """Make a body that would be accepted odd in every way."""
    fair = _Fair(body)
    return (make(fair) for make in _ODD_BODIES.values())


def odd_queries(query: str) -> Iterator[tuple[str, str]]:
    """Queries that are well-formed by HTTP, and odd, made of one that would be accepted."""
    first, *others = query.split("&")
    name = first.partition("=")[0]
    yield "no value", name
    yield "bytes that are no UTF-8", f"{query}&x=%ff%fe"
    yield "a parameter that is no UTF-8", f"{name}=%c3%28&{query}"
    yield "a cut escape", f"{query}&x=%"
    yield "an escape of no hexadecimal digits", f"{query}&x=%zz"
    yield "NUL", f"{query}&x=%00"
    yield "line ends", f"{query}&x=%0d%0a"
    yield "a parameter twice", f"{query}&{first}"
    yield "a parameter twice, with two values", f"{query}&{name}=2"
    yield "a parameter as an array", f"{name}%5B%5D=1&{query}"
    yield "a parameter as an object", f"{name}%5Ba%5D%5Bb%5D=1&{query}"
    for other in others:
        more = other.partition("=")[0]
        yield f"{more} twice", f"{query}&{other}"
        yield f"{more} as an array", f"{more}%5B%5D=1&{query}"
        yield f"{more} as an object", f"{more}%5Ba%5D=1&{query}"
        yield f"{more} as nothing but NUL", query.replace(other, f"{more}=%00")
    yield "separators only", "&&&=&=&;;"
    yield "4 KiB", f"{query}&x={'y' * 4096}"
    yield "a thousand parameters", query + "&x=1" * 1000
    yield "a value of 4 KiB of digits", f"{name}={'9' * 4096}"
    yield "a number of an exponent of ten digits", f"{name}=1e9999999999"
    yield "quotes and comments", f"{name}=1%27%22--%20/*&{query}"
    yield "a template", f"{name}=%24%7B7*7%7D%7B%7B7*7%7D%7D"


def free_spellings(number: int) -> Iterator[str]:
    """Spellings of an integer in a query that are free (D17): with zeros, a sign, a fraction or an exponent."""
    sign = "-" if number < 0 else ""
    yield f"{sign}00{abs(number)}"
    yield f"{sign or '+'}{abs(number)}"
    yield f"{number}.0"
    yield f"{number}e0"


def odd_pages(first: int) -> Iterator[tuple[str, int, int]]:
    """Pages and page sizes whose answer is free but for 5xx (D16)."""
    for pagination in (first - 1, -1, 0, 10**6, 2**31 - 1, -(2**31)):
        yield f"pagination {pagination}", pagination, 10
    for pagesize in (0, -1, -100, 101, 1000, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30):
        yield f"pagesize {pagesize}", first, pagesize
    for pagination, pagesize in ((2**31 - 1, 100), (2**31 - 1, 2**31 - 1), (-(2**31), 100), (2**31 - 1, 2**63 - 1)):
        yield f"pagination {pagination} and pagesize {pagesize}", pagination, pagesize
