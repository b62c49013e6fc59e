"""Where the generated models and the JSON Schemas of the contract differ, and why.

It is data, which tests and docs/models.md share. Whatever is not listed here must be taken by both or refused by both.
`jsonschema` stands for the schemas, since it follows their specification most closely; what differs from it is a model,
read in either way, or the faster `jsonschema-rs`.
"""

from __future__ import annotations

import json
import re
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from sys import get_int_max_str_digits, set_int_max_str_digits
from typing import TYPE_CHECKING, Any

from pydantic import MISSING, BaseModel

from provider_conformance.contract import load_contract
from provider_models import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEEPEST = 200
"""Levels of nesting that Pydantic reads in JSON text, the outermost object included; one more if that is empty."""

LONGEST = 4300
"""Digits of an integer that Pydantic reads in JSON text; by default, Python converts no more either."""

TOKEN = re.compile(
    r'("(?P<name>\w+)"\s*:\s*)?(?P<token>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|-?Infinity|[\[\]{}])',
    re.DOTALL,
)
"""Of JSON text, what a difference can be about, and the name of the property whose value it is."""

SCHEMAS: dict[str, Any] = load_contract().document["components"]["schemas"]


def _names(wanted: Callable[[dict[str, Any]], object]) -> frozenset[str]:
    """Give the names of documented properties, of whatever object, that have such a schema."""
    properties = [one for schema in SCHEMAS.values() for one in schema.get("properties", {}).items()]
    resolved = [
        (name, SCHEMAS[part["$ref"].rpartition("/")[2]] if "$ref" in part else part) for name, part in properties
    ]
    return frozenset(name for name, part in resolved if wanted(part))


DOCUMENTED = _names(lambda _: True)
INTEGERS = _names(lambda schema: schema["type"] == "integer")
ARRAYS = _names(lambda schema: schema["type"] == "array")
ENUMS = _names(lambda schema: "enum" in schema)
ID = frozenset({"id"})


class Judge(StrEnum):
    """What tells whether a value is valid, beside `jsonschema`; the first and the last of Python values."""

    VALUE = "model_validate"
    TEXT = "model_validate_json"
    RUST = "jsonschema-rs"


@dataclass(frozen=True)
class Difference:
    """One reason for which judges and `jsonschema` differ.

    `taken` tells whether the judges take what the schemas refuse, or the other way round. `witnesses` are what they
    differ on, as a Provider; texts for TEXT, values for the others. `mend` takes the reason out of a value, and
    `mend_text` out of a text: a difference that remains then has another one.
    """

    name: str
    taken: bool
    reason: str
    witnesses: Mapping[Judge, tuple[Any, ...]]
    mend: Callable[[Any], Any] = lambda value: value
    mend_text: Callable[[str], str] = lambda text: text


@dataclass(frozen=True)
class Loss:
    """Something that is taken and does not come back as it was.

    `given` is a Provider, as a value or as the bytes of a text; `written` is what `model_dump_json` makes of it, or
    what it raises.
    """

    name: str
    reason: str
    given: Any
    written: str | type[Exception]


@contextmanager
def unlimited_digits() -> Iterator[None]:
    """Let Python convert integers of any length; its limit is no matter of schemas."""
    limit = get_int_max_str_digits()
    set_int_max_str_digits(0)
    try:
        yield
    finally:
        set_int_max_str_digits(limit)


def nested(levels: int) -> list[Any]:
    """Give an empty array within arrays, so many levels in all."""
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def whole(token: str) -> str:
    """Spell a number of JSON text as an integer if it is one, whatever its spelling; give other tokens back."""
    if token[0] not in "-0123456789" or not re.search(r"[.eE]", token):
        return token
    number = Decimal(token)
    return str(int(number)) if number == number.to_integral_value() else token


def _described(value: Any, change: Callable[[str, Any], Any], rename: Callable[[Any], Any] = lambda name: name) -> Any:
    """Replace the properties, and perhaps names, of the objects that schemas describe: a value and listed providers.

    What is elsewhere may be anything, so that whoever differs about it has another reason.
    """
    if isinstance(value, dict):
        return {rename(name): change(name, _within(name, item, change, rename)) for name, item in value.items()}
    return value


def _within(name: str, item: Any, change: Callable[[str, Any], Any], rename: Callable[[Any], Any]) -> Any:
    listed = name == "providers" and isinstance(item, list)
    return [_described(one, change, rename) for one in item] if listed else item


def _where(names: frozenset[str], change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: _described(value, lambda name, item: change(item) if name in names else item)


def _renamed(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: _described(value, lambda _, item: item, change)


def _without_surrogates(text: Any) -> Any:
    return re.sub("[\ud800-\udfff]", "?", text) if isinstance(text, str) else text


def _unmodelled(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value


def _present(value: Any) -> Any:
    """Leave the properties out whose value stands for their absence."""
    return {name: item for name, item in value.items() if item is not MISSING} if isinstance(value, dict) else value


def _tokens(change: Callable[[str], str], names: Callable[[str | None], bool] = lambda _: True) -> Callable[[str], str]:
    """Give what replaces those tokens of a text that are values of such properties, or of none."""

    def changed(found: re.Match[str]) -> str:
        token = change(found["token"]) if names(found["name"]) else found["token"]
        return (found[1] or "") + token

    return lambda text: TOKEN.sub(changed, text)


def _finite(token: str) -> str:
    return "null" if token in {"NaN", "Infinity", "-Infinity"} else token


def _paired(token: str) -> str:
    if token[0] != '"' or _without_surrogates(string := json.loads(token)) == string:
        return token
    return json.dumps(_without_surrogates(string))


def _short(token: str) -> str:
    return token[:LONGEST] if token[0] in "-0123456789" else token


def _shallow(text: str) -> str:
    """Replace what is nested too deeply by null."""
    kept, depth, start = [], 0, 0
    for found in TOKEN.finditer(text):
        if found["token"] in {"[", "{"}:
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[start : found.start("token")] + "null")
        elif found["token"] in {"]", "}"}:
            if depth == DEEPEST + 1:
                start = found.end()
            depth -= 1
    return "".join(kept) + text[start:]


def _unique(text: str) -> str:
    """Keep the last of names that an object has twice."""
    twice = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        twice = twice or len(dict(pairs)) < len(pairs)
        return dict(pairs)

    value = json.loads(text, object_pairs_hook=members)
    return json.dumps(value) if twice else text


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        name="`5060.0`, `1e3` or `-0.0` for an integer",
        taken=False,
        reason="Every whole number is an integer to JSON Schema. Reading D17 leaves such spellings open; the models"
        ' take digits only, since a lax integer would also take `true` and `"5060"`, and round above 2**53.',
        witnesses={
            Judge.VALUE: ({"id": 1.0}, {"id": -0.0}, {"id": 1, "port": 1e300}),
            Judge.TEXT: (b'{"id": 1.0}', b'{"id": 1e2}', b'{"id": 1, "port": 1E400}'),
        },
        mend=_where(INTEGERS, lambda item: int(item) if isinstance(item, float) and item.is_integer() else item),
        mend_text=_tokens(whole, lambda name: name in INTEGERS),
    ),
    Difference(
        name="an integer of more than 4300 digits",
        taken=False,
        reason="Pydantic's reader stops there, as Python does by default: converting more takes long.",
        witnesses={Judge.TEXT: (b'{"id": 1, "port": %s}' % (b"1" * (LONGEST + 1)),)},
        mend_text=_tokens(_short),
    ),
    Difference(
        name="half a surrogate pair, `\\ud800`, in a string",
        taken=False,
        reason="Allowed by the grammar of JSON, but no character, and nothing that UTF-8 can carry: Pydantic refuses it"
        " where it reads text.",
        witnesses={
            Judge.TEXT: (b'{"id": 1, "name": "\\ud800"}', b'{"id": 1, "\\udc00": 0}', b'{"id": 1, "ips": ["\\ud800"]}')
        },
        mend_text=_tokens(_paired),
    ),
    Difference(
        name="half a surrogate pair in the name of an undocumented property",
        taken=False,
        reason="The same, where a name is converted.",
        witnesses={Judge.VALUE: ({"id": 1, "\ud800": 0},), Judge.RUST: ({"id": 1, "\ud800": 0},)},
        mend=_renamed(_without_surrogates),
    ),
    Difference(
        name="more than 200 levels of nesting",
        taken=False,
        reason="Pydantic's reader stops there, so that hostile texts exhaust no stack.",
        witnesses={Judge.TEXT: (b'{"id": 1, "ips": %s0%s}' % (b"[" * DEEPEST, b"]" * DEEPEST),)},
        mend_text=_shallow,
    ),
    Difference(
        name="`NaN`, `Infinity` or `-Infinity` where anything is allowed",
        taken=True,
        reason="No JSON, but Pydantic's reader takes them, and has no option against it. Documented numbers are"
        " integers, so that only items of arrays and undocumented properties can be these.",
        witnesses={Judge.TEXT: (b'{"id": 1, "ips": [NaN, -Infinity]}', b'{"id": 1, "x": Infinity}')},
        mend_text=_tokens(_finite, lambda name: name not in DOCUMENTED),
    ),
    Difference(
        name="a name that an object has twice",
        taken=True,
        reason="RFC 8259 leaves its meaning open and RFC 7493 forbids it. Pydantic keeps the last, as most readers do,"
        " and has no option to refuse it.",
        witnesses={
            Judge.TEXT: (b'{"id": "x", "id": 1}', b'{"id": 1, "x": 1, "x": 2}', b'{"id": 1, "ips": [{"a": 1, "a": 2}]}')
        },
        mend_text=_unique,
    ),
    Difference(
        name="a tuple, a set or a deque for an array",
        taken=True,
        reason="No JSON: only Python code can pass one. To `model_validate` it means the list of its items. Models that"
        ' are strict in all would refuse it, but also `"UDP"` for `Protocol.UDP`; the generator has no option between.',
        witnesses={
            Judge.VALUE: tuple({"id": 1, "ips": kind(["a"])} for kind in (tuple, set, frozenset, deque)),
            Judge.RUST: ({"id": 1, "ips": ("a",)},),
        },
        mend=_where(ARRAYS, lambda item: list(item) if isinstance(item, tuple | set | frozenset | deque) else item),
    ),
    Difference(
        name="bytes for a string of an enum",
        taken=True,
        reason='The same: no JSON, and the price of taking `"UDP"` for `Protocol.UDP`. Other strings are strict.',
        witnesses={Judge.VALUE: ({"id": 1, "protocol": b"UDP"}, {"id": 1, "protocol": bytearray(b"UDP")})},
        mend=_where(ENUMS, lambda item: item.decode("latin-1") if isinstance(item, bytes | bytearray) else item),
    ),
    Difference(
        name="a model for the object that it stands for",
        taken=True,
        reason="No JSON. Models can be put together from models.",
        witnesses={Judge.VALUE: (Provider(id=1),)},
        mend=_unmodelled,
    ),
    Difference(
        name="`MISSING` for an optional property",
        taken=True,
        reason="No JSON. It is the value of what is absent, so that absent is never mistaken for null.",
        witnesses={Judge.VALUE: ({"id": 1, "name": MISSING},)},
        mend=_present,
    ),
    Difference(
        name="a name that is no string",
        taken=False,
        reason="No JSON, and nothing that a schema speaks about. Refusing it is right.",
        witnesses={Judge.VALUE: ({"id": 1, 5060: 0},), Judge.RUST: ({"id": 1, 5060: 0},)},
        mend=_renamed(str),
    ),
    Difference(
        name="a whole `Decimal` for an integer",
        taken=True,
        reason="No JSON. `jsonschema-rs` takes it for a number.",
        witnesses={Judge.RUST: ({"id": Decimal(1)}, {"id": 1, "port": Decimal("1.0")})},
        mend=_where(INTEGERS, lambda item: float(item) if isinstance(item, Decimal) else item),
    ),
    Difference(
        name="an id of more than 4300 digits",
        taken=True,
        reason="A mistake in `jsonschema-rs`: with Python's usual limit of digits it cannot compare them. Of"
        " answers, the suite reads no number of more than 400.",
        witnesses={Judge.RUST: ({"id": 10**LONGEST}, {"id": -(10**LONGEST)})},
        mend=_where(ID, lambda item: 0 if isinstance(item, int) and abs(item) >= 10**LONGEST else item),
    ),
    Difference(
        name="the float -2.0**63 for an int64",
        taken=False,
        reason="Another mistake in `jsonschema-rs`: -2**63 is within the bounds, and taken as an integer. No"
        " server is judged by it: the suite reads whole numbers as integers.",
        witnesses={Judge.RUST: ({"id": -(2.0**63)},)},
        mend=_where(ID, lambda item: int(item) if item == -(2.0**63) else item),
    ),
)

LOSSES: tuple[Loss, ...] = (
    Loss(
        name="NaN and the infinities",
        reason="JSON has no such numbers, so null is written. They come from Python, or from text that is no JSON.",
        given={"id": 1, "ips": [float("nan"), float("inf")], "x": float("-inf")},
        written='{"id":1,"ips":[null,null],"x":null}',
    ),
    Loss(
        name="a number like `1E400` where anything is allowed",
        reason="Too large for a float, so it is read as infinite, and null is written.",
        given=b'{"id": 1, "ips": [1E400, -1.5e999]}',
        written='{"id":1,"ips":[null,null]}',
    ),
    Loss(
        name="decimals beyond the 17th",
        reason="A number with a fraction is a float, as in nearly every reader of JSON.",
        given=b'{"id": 1, "ips": [0.12345678901234567890]}',
        written='{"id":1,"ips":[0.12345678901234568]}',
    ),
    Loss(
        name="the first of two equal names",
        reason="The last one is kept.",
        given=b'{"id": 2, "x": 1, "x": 2, "id": 1}',
        written='{"id":1,"x":2}',
    ),
    Loss(
        name="half a surrogate pair from Python",
        reason="`model_validate` takes it in a value, but UTF-8 cannot carry it: `model_dump_json` raises.",
        given={"id": 1, "name": "\ud800"},
        written=ValueError,
    ),
    Loss(
        name="more than 250 levels of nesting from Python",
        reason="`model_dump_json` and `model_dump` raise, so that no stack is exhausted.",
        given={"id": 1, "ips": nested(300)},
        written=ValueError,
    ),
)


def table_of_differences() -> str:
    """Give the table of differences of docs/models.md, one row each."""
    rows = ["| what | who differs from the schemas | it is | why |", "|---|---|---|---|"]
    for one in DIFFERENCES:
        judges = ", ".join(f"`{judge}`" for judge in one.witnesses)
        rows.append(f"| {one.name} | {judges} | {'taken' if one.taken else 'refused'} | {one.reason} |")
    return "\n".join(rows)


def table_of_losses() -> str:
    """Give the table of losses of docs/models.md, one row each."""
    rows = ["| what | why |", "|---|---|"]
    return "\n".join([*rows, *(f"| {one.name} | {one.reason} |" for one in LOSSES)])
