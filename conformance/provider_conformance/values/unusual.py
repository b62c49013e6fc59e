"""Unusual values: what the docs allow and no operator sends, to be stored exactly or refused (D13).

Text is not among them but for the items of arrays: what may become of text has a requirement of its own (HTTP-7).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from provider_conformance.jsontext import JsonValue

INTEGERS = ("port", "outbound_server_port", "reregister_interval")
ARRAYS = ("ips", "in_parameters", "out_parameters")

NUMBERS = (
    *(-1, 0, 65536),
    *(2**31 - 1, 2**31, 2**32 + 5060, -(2**31) - 1),
    *(2**53 + 1, 2**63 - 1, -(2**63)),
    *(2**63, 2**64 + 5060, 10**30, -(2**63) - 1),
    5083.0,
)
"""Integers around the edges of what implementations keep them in; no range is documented (D13), no spelling (D17)."""

INTERVALS = (1, 29, 86401)
"""Whole numbers of seconds that are plausible but for their size."""

ADDRESSES = tuple(f"192.0.2.{last}" for last in range(9, 0, -1))


def _counting(length: int) -> str:
    """Return text of which no part is like another, so that any loss shows where it is."""
    return "".join(f"{number:03d}." for number in range(length // 4))


ITEMS: dict[str, list[JsonValue]] = {
    "nine addresses": list(ADDRESSES),
    "a hundred addresses": [f"198.51.100.{last}" for last in range(100, 0, -1)],
    "an address twice": ["192.0.2.7", "192.0.2.7"],
    "an address twice, another between": ["192.0.2.7", "192.0.2.3", "192.0.2.7"],
    "an IPv6 address": ["2001:db8::1"],
    "an IPv6 address in capitals": ["2001:DB8::A"],
    "an IPv6 address in full": ["2001:0db8:0000:0000:0000:0000:0000:0001"],
    "an IPv4 address in IPv6": ["::ffff:192.0.2.1"],
    "an address with leading zeros": ["192.000.002.001"],
    "a network": ["192.0.2.0/24"],
    "an address and a port": ["192.0.2.1:5060"],
    "a host name": ["SIP.example.com"],
    "an empty string": [""],
    "numbers": [1, 0, -1, 3232235777, 2**53 + 1, 2**63 - 1],
    "fractions": [1.5, -0.25, 1e-7],
    "booleans and null": [True, False, None],
    "true and 1": [True, 1, "1", "true"],
    "empty arrays and objects": [[], {}, [[]], [{}]],
    "objects": [{"ip": "192.0.2.1", "mask": 24}, {"b": 1, "a": 2}],
    "texts that go wrong": ["a,b", " a ", "null", "a&b <c>", "\u00e9\u4e2d", "it's", "2020-01-02T03:04:05.000Z"],
    "ten levels": [[[[[[[[[["192.0.2.1"]]]]]]]]]],
    "names that some languages reserve": [{"__proto__": {"a": 1}, "constructor": 1, "length": 2}],
    "names that some databases reserve": [{"$eq": 1, "a.b": 2, "": 3}],
    "names in many spellings": [{"0": "a", "1": "b"}, {"camelCase": 1, "snake_case": 2, "UPPER": 3, "kebab-case": 4}],
    "a name of 300 characters": [{_counting(300): 1}],
    "many digits": [3.141592653589793, 0.1, 1234567.890625, 1e-10, 1e22],
    "integers beyond int64": [2**63, 2**64 + 1, -(2**63) - 1],
    "nested arrays": [["192.0.2.1", ["192.0.2.2", ["192.0.2.3"]]]],
    "texts with what separates": ["a;b", "c|d", "e\nf", "g\th"],
    "texts with what escapes": ["a\\b", 'c"d', "\\"],
    "an astral character": ["a\U0001f4deb"],
    "a text of 1,500 characters": [_counting(1500)],
    "six hundred addresses": [f"198.51.{100 + last // 250}.{last % 250}" for last in range(600, 0, -1)],
    "an empty string at the end": ["192.0.2.1", ""],
    "a text with NUL": ["a\0b"],
    "a text of decomposed letters": ["e\u0301", "A\u030a"],
}
"""Items of `ips`, which are unconstrained (D8)."""

PARAMETERS: dict[str, list[JsonValue]] = {
    "strings": ["transport=udp", "Lr", ""],
    "one string twice": ["a", "a"],
    "numbers": [0, -1, 2**53 + 1, 1.5],
    "booleans and null": [None, True, False],
    "objects": [{"name": "From", "value": "Caller"}, {"value": "2", "name": "To"}],
    "one object twice": [{"name": "From"}, {"name": "From"}],
    "a hundred and one numbers": list(range(101)),
    "texts that go wrong": ["a,b", " a ", "null", "a&b <c>", "\u00e9\u4e2d", "2020-01-02T03:04:05.000Z"],
    "nested": [[["a"], {"b": [{"c": None}]}]],
    "empty arrays and objects": [[], {}],
    "texts with what separates": ["a;b", "c|d", "e\nf", "g\th"],
    "texts with what escapes": ["a\\b", 'c"d', "\\"],
    "an astral character": ["a\U0001f4deb"],
    "a text of 1,500 characters": [_counting(1500)],
    "names that some databases reserve": [{"$eq": 1, "a.b": 2, "": 3}],
    "names in many spellings": [{"0": "a", "1": "b"}, {"camelCase": 1, "snake_case": 2, "UPPER": 3, "kebab-case": 4}],
    "a name of 300 characters": [{_counting(300): 1}],
    "integers beyond int64": [2**63, 2**64 + 1, -(2**63) - 1],
}
"""Items of `in_parameters` and `out_parameters`, which are unconstrained (D8)."""


@dataclass(frozen=True)
class Unusual:
    """Something unusual: what it is, and the properties that it changes in a plausible body."""

    what: str
    changes: Mapping[str, JsonValue]


def joined(group: Sequence[Unusual]) -> Unusual:
    """Join unusual values of different properties."""
    changes = {name: value for odd in group for name, value in odd.changes.items()}
    return Unusual("; ".join(odd.what for odd in group), changes)


def groups(*, parameters: bool) -> Iterator[tuple[Unusual, ...]]:
    """Every integer property with every unusual number, and every array with unusual items.

    Values of one group are of different properties, so that they can be sent together as well as each alone;
    `parameters` has those of the two arrays that only update has.
    """
    arrays, more = list(arrays_of_addresses()), list(arrays_of_parameters())
    for index, array in enumerate(arrays):
        numbers = [_number(name, value) for name in INTEGERS for value in NUMBERS[index : index + 1]]
        intervals = [_number("reregister_interval", value) for value in INTERVALS] if index == len(NUMBERS) else []
        yield from ((interval,) for interval in intervals)
        yield (*numbers, array, *(more[index : index + 1] if parameters else ()))


def _number(name: str, value: float) -> Unusual:
    return Unusual(f"{name} = {value}", {name: value})


def combinations() -> Iterator[Unusual]:
    """Combinations that the docs allow and that make no sense."""
    for auth_mode, registers, ips in (
        ("REGISTER_AUTH", False, 0),
        ("REGISTER_AUTH", False, 1),
        ("IP_AUTH", True, 0),
        ("IP_AUTH", True, 1),
        ("IP_AUTH", False, 0),
    ):
        what = f"{auth_mode}, require_register {json.dumps(registers)} and {ips or 'no'} ips"
        changes: dict[str, JsonValue] = {"auth_mode": auth_mode, "require_register": registers}
        yield Unusual(what, {**changes, "ips": list(ADDRESSES[:ips])})


def arrays_of_addresses() -> Iterator[Unusual]:
    """Unusual items of `ips`."""
    for label, items in ITEMS.items():
        yield Unusual(f"{label} in ips", {"ips": items})


def arrays_of_parameters() -> Iterator[Unusual]:
    """Items of the two arrays that only update has; each array has its own, so that none passes for the other."""
    kinds = list(PARAMETERS.items())
    for index, (label, items) in enumerate(kinds):
        other, others = kinds[(index + 1) % len(kinds)]
        what = f"{label} in in_parameters, {other} in out_parameters"
        yield Unusual(what, {"in_parameters": items, "out_parameters": others})


@cache
def strategy() -> SearchStrategy[Unusual]:
    """Search the space of unusual values of one property."""
    from hypothesis import strategies as st  # noqa: PLC0415 - slow to import, and listing requirements needs none of it

    powers = [2**bits for bits in (7, 8, 15, 16, 24, 31, 32, 53, 63)]
    edges = [sign * power + offset for power in powers for offset in (-1, 0, 1) for sign in (1, -1)]
    integers = st.sampled_from(edges) | st.integers(-(2**63), 2**63 - 1)
    # Fractions of few binary digits, which every floating point type keeps.
    fractions = st.builds(lambda whole, eighths: whole + eighths / 8, st.integers(-(2**20), 2**20), st.integers(0, 7))
    words = st.text("abcXYZ019.:-_ ", max_size=8).map(str.strip)
    scalars = st.none() | st.booleans() | integers | fractions | words
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12
    )
    number = st.tuples(st.sampled_from(INTEGERS), integers)
    array = st.tuples(st.just("ips"), st.lists(values, max_size=12))
    return st.one_of(number, array).map(
        lambda pair: Unusual(f"{pair[0]} = {json.dumps(pair[1])[:80]}", {pair[0]: pair[1]})
    )
