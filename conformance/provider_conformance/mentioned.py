"""Finds the ids that a request may be about, however it is written: JSON, broken JSON, a form, XML, parts, a query.

Whoever coerces may find an id under any name, or none. What stands under the other names that the docs know is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from provider_conformance.contract import Operation
from provider_conformance.judge import INT64
from provider_conformance.values.illegal import documented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOT_IDS = ("pagination", "pagesize", "sort_by", "note")
"""Names that a request gives to what is no id, besides the properties of a provider."""

MOST_DIGITS = 64
"""Digits from the end of a number that decide what is left of it in 64 bits, since 2**64 divides 10**64."""

WIDE = ("utf-16", "utf-16-le", "utf-16-be")
"""Encodings in which every second byte of what people write is zero."""

LARGEST_EXPONENT = 64
"""The power of ten beyond which whatever a server makes of a number is none of its digits."""

LONGEST_BODY = 16 * 1024
"""Bytes of a body in which ids are looked for: the suite puts none beyond them."""

_KEPT = (
    r"<\?[^>]*\?>"  # how XML declares itself
    r"|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\."  # escapes of queries, forms and JSON
    r"|\d+(?:\.\d+){3}"  # addresses
)
_WORD = r"[^\W\d_][^\W_]*(?:-[^\W_]+)*"
_NUMBER = r"-?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_REST_OF_WORD = r"(?:-?[^\W\d_][^\W_]*(?:-[^\W_]+)*)?"
_JSON_VALUE = (
    r'"(?:[^"\\]|\\.)*"'
    r'|\\"(?:[^"\\]|\\(?!"))*\\"'  # in a string of JSON
    r"|'[^']*'|(?P<opened>[\[{])"
    r"""|[^\s,&<>{}\[\]"'\\]*"""
)
_VALUE = (
    rf"""(?:(?:\\?["'])?\s*:\s*(?:{_JSON_VALUE})"""
    r'|=(?!")[^&\s]*'  # a form, or a query
    r"|>[^<]*"  # XML
    r'|"\r?\n\r?\n[^\r\n]*)'  # a form in parts
)
_NESTED = re.compile(r'\\"(?:[^"\\]|\\(?!"))*\\"|"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_ESCAPED = re.compile(r"\\u00([0-9A-Fa-f]{2})")
_WHOLE = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+)")


@dataclass(frozen=True)
class Rewriting:
    """What becomes of the parts of a text that may tell of a provider: numbers, words, and properties with their names.

    A number is anything that begins like one; a word begins with a letter.
    """

    number: Callable[[str], str] = str
    word: Callable[[str], str] = str
    member: Callable[[str, str], str] = lambda _name, text: text

    def __call__(self, text: str) -> str:
        """Rewrite a text."""
        written, done = [], 0
        for part in _parts_of(text):
            written += [text[done : part.start], self._part(part)]
            done = part.end
        return "".join([*written, text[done:]])

    def _part(self, part: _Part) -> str:
        match part.kind:
            case "name":
                return self.member(_plain(part.found["name"]), part.text)
            case "word":
                return self.word(part.text)
            case "number":
                return self.number(part.found["number"]) + part.found["rest"]
        return part.text


@dataclass(frozen=True)
class _Part:
    """A part of a text, of the kind that the group is which found it."""

    kind: str
    found: re.Match[str]
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.found.string[self.start : self.end]


def _parts_of(text: str) -> Iterator[_Part]:
    """Take a text apart; what stands between parts can tell of nobody."""
    position, ends = 0, _ends(text)
    while found := _parts().search(text, position):
        position = ends.get(found.start("opened"), found.end())
        kind = next(name for name in ("name", "word", "number", "kept") if found[name])
        yield _Part(kind, found, found.start(), position)


def _ends(text: str) -> dict[int, int]:
    """Return where each array and object ends, by where it begins; one that does not is looked into."""
    ends, opened = {}, []
    for found in _NESTED.finditer(text):
        if found[0] in {"[", "{"}:
            opened.append(found.start())
        elif found[0] in {"]", "}"} and opened:
            ends[opened.pop()] = found.end()
    return ends


@dataclass(frozen=True)
class Mention:
    """A number in a request: the ids that it is read as, and those that a careless server may make of it besides."""

    ids: frozenset[int]
    guesses: frozenset[int] = frozenset()


def mentions(text: str) -> set[Mention]:
    """Return the numbers in a text that may be ids, with escapes undone and as they are."""
    decoded = unquote(_ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text), errors="replace")
    numbers = {part.found["number"] for form in {text, decoded} for part in _parts_of(form) if part.kind == "number"}
    return {read(number) for number in numbers}


def mentioned_ids(query: str, body: bytes | None) -> set[int]:
    """Return the ids that a request may be about, by its query and by its body, of which the beginning tells enough."""
    text, _ = text_of((body or b"")[:LONGEST_BODY])
    return {identity for mention in mentions(f"{query}\n{text}") for identity in mention.ids}


def read(number: str) -> Mention:
    """Say which ids a number may stand for: itself, what 64 or 32 bits keep of it, or what rounding makes of it."""
    mantissa, _, exponent = number.lower().partition("e") if _WHOLE.fullmatch(number) is None else (number, "", "")
    if exponent:
        return _read_power(mantissa, exponent)
    whole, _, fraction = mantissa.partition(".")
    value = _whole(whole)
    if value not in INT64:
        return Mention(frozenset({_wrapped(value, 64)}), frozenset({_wrapped(value, 32), value % 2**32}))
    rounded = {value + _step(number)} if fraction[:1] >= "5" else set()
    return Mention(frozenset({value, *rounded}), frozenset({-value} if value < 0 else ()))


def renewed(number: str, ids: Mapping[int, int]) -> str:
    """Write a number that was made of an id, with another id in its place, so that as much as may be is the same."""
    if _WHOLE.fullmatch(number) is None:
        return _renewed_fraction(number, ids)
    value = _whole(number)
    if value in ids:
        return _spelt_like(number, ids[value])
    if value < 0 and -value in ids:
        return f"-{_spelt_like(number.removeprefix('-'), ids[-value])}"
    old, kept = _wrapped(value, 64), max(0, len(number) - MOST_DIGITS)
    if value in INT64 or old not in ids or (kept and value < 0):
        return number
    return number[:kept] + _spelt_like(number[kept:], _whole(number[kept:]) - old + ids[old])


def _read_power(mantissa: str, exponent: str) -> Mention:
    """Read a number with an exponent, of which some see only what stands before that, and some nothing at all."""
    power = int(exponent) if len(exponent) <= len(str(LARGEST_EXPONENT)) + 1 else LARGEST_EXPONENT + 1
    before = _wrapped(_whole(mantissa.partition(".")[0]), 64)
    small = abs(power) <= LARGEST_EXPONENT and len(mantissa) <= MOST_DIGITS
    value = int(Decimal(f"{mantissa}e{power}")) if small else 0
    return Mention(frozenset({_wrapped(value, 64)}), frozenset({before, 0}))


def _renewed_fraction(number: str, ids: Mapping[int, int]) -> str:
    """Write what was made of an id by adding or taking away less than one."""
    whole, _, fraction = number.partition(".")
    if "e" in number.lower():
        return number
    value, step = _whole(whole), _step(number)
    beyond = fraction > "5" and value + step in ids
    for old, away in ((value + step, step), (value, 0)) if beyond else ((value, 0), (value + step, step)):
        if old in ids:
            return f"{ids[old] - away}.{fraction}"
    return number


def _step(number: str) -> int:
    """Return what takes a number farther from zero."""
    return -1 if number.startswith("-") else 1


def _whole(number: str) -> int:
    """Read a whole number, or as much of one from its end as 64 bits can tell of it."""
    digits = number.removeprefix("-")
    if digits[:2] in {"0x", "0X"}:
        value = int(digits, 16)
    else:
        value = int(digits if len(digits) <= MOST_DIGITS else f"1{digits[-MOST_DIGITS:]}")
    return -value if number.startswith("-") else value


def _wrapped(value: int, bits: int) -> int:
    """Return what is left of a number in so many bits, of which the first is the sign."""
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half


def _spelt_like(number: str, value: int) -> str:
    """Write a value in hexadecimal where a number is, and with zeros before it where that has some."""
    if number[:2] in {"0x", "0X"}:
        return f"{value:#x}"
    return f"{value:0{len(number)}d}" if number.startswith("0") else str(value)


def _plain(name: str) -> str:
    return re.sub("[_-]", "", name).lower()


@cache
def _parts() -> re.Pattern[str]:
    """Find what a text consists of: properties that are no ids with their values, escapes, words and numbers."""
    names = sorted({*documented(Operation.UPDATE), *NOT_IDS} - {"id"}, key=len, reverse=True)
    spelt = "|".join(name.replace("_", "[_-]?") for name in names)
    member = rf"(?<![\w-])(?P<name>(?i:{spelt}))(?:\[\])?{_VALUE}"
    return re.compile(
        rf"{member}|(?P<kept>{_KEPT})|(?P<word>{_WORD})|(?P<number>{_NUMBER})(?P<rest>{_REST_OF_WORD})", re.DOTALL
    )


def text_of(body: bytes) -> tuple[str, str]:
    """Return a body as text, and the encoding that makes the same bytes of it again."""
    for encoding in WIDE if body.count(0) * 3 > len(body) else ():
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.encode(encoding) == body:
            return text, encoding
    return body.decode("utf-8", "surrogateescape"), "utf-8"
