"""Illegal values: what the docs rule out and every implementation must refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

from provider_conformance.call import json_body
from provider_conformance.contract import Operation, load_contract
from provider_conformance.jsontext import JsonValue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.values.plausible import Provider, Traits

NumberText = Callable[[int], str]

IdText = Callable[[int], str | None]
"""Writes what is no id, made of one; None where nothing of the kind can be made of it."""


def ids_that_are_none() -> Iterator[tuple[str, IdText, int | None]]:
    """Values that are no int64 integer, each with its description, and the id that a careless server may take it for.

    Where one can, the value is made of an id, so that whatever a server that coerces makes of it is that id again;
    the third item is None for those.
    """
    yield "the id as text", lambda identity: json.dumps(str(identity)), None
    yield "the id as text with a blank after it", lambda identity: json.dumps(f"{identity} "), None
    yield "an id of letters", lambda _: '"abc"', 0
    yield "an empty text as id", lambda _: '""', 0
    yield "a fraction as id", fraction_beyond, None
    yield "a fraction that is almost none as id", _almost, None
    yield "true as id", lambda _: "true", 1
    yield "false as id", lambda _: "false", 0
    yield "null as id", lambda _: "null", 0
    yield "an array as id", lambda identity: f"[{identity}]", None
    yield "an empty array as id", lambda _: "[]", 0
    yield "an object as id", lambda identity: f'{{"id":{identity}}}', None
    yield "an object as id that some databases compare with", lambda identity: f'{{"$eq":{identity}}}', None
    yield "an array of two ids", lambda identity: f"[{identity},{identity}]", None
    yield "an id in a text like a UUID", lambda identity: f'"{identity}-e29b-41d4-a716-446655440000"', None
    yield "an id in a long text", lambda identity: json.dumps(f"{identity}" + "x" * 300), None
    yield "an id with an exponent far too large", lambda _: "1e30", None
    yield "an id beyond every double", lambda _: "1e400", 0
    yield "an id too large for int64", lambda identity: str(identity + 2**64), None
    yield "an id far too large", lambda identity: str(identity + 2**128), None
    yield "an id too small for int64", lambda identity: str(identity - 2**65), None


def fraction_beyond(identity: int, *steps: Decimal) -> str | None:
    """Write a number a little farther from zero than an id: the id, when it is cut off or rounded."""
    return _told_by_doubles(identity, steps or (QUARTER,), -1 if identity < 0 else 1)


def fraction_before(identity: int, *steps: Decimal) -> str | None:
    """Write a number a little nearer to zero than an id: the id, when it is rounded or the next integer is taken."""
    return _told_by_doubles(identity, steps or (QUARTER,), 1 if identity < 0 else -1)


QUARTER, HALF = Decimal("0.25"), Decimal("0.5")


def _told_by_doubles(identity: int, steps: Sequence[Decimal], sign: int) -> str | None:
    """Write a number beside an id that a double tells from every integer.

    Many read numbers as doubles (RFC 8259 section 6 expects no more of anybody), which have no fractions beyond 2**52:
    there, such a number is the id itself.
    """
    numbers = (identity + sign * step for step in steps)
    return next((f"{number:f}" for number in numbers if Decimal(float(number)) == number), None)


def _almost(identity: int) -> str | None:
    """Write an id with a fraction so small that only rounding makes an integer of it, not the precision of a double."""
    return f"{identity}.0000001" if abs(identity) < 2**24 else fraction_beyond(identity)


def _suits_all(_identity: int) -> bool:
    return True


def _is_written(text: IdText, identity: int) -> bool:
    return text(identity) is not None


@dataclass(frozen=True)
class Violation:
    """One thing wrong with a body: what it is, and how a plausible body is written so that it has it, and nothing else.

    `guess` is an id that a careless server may act on although the body does not bear it: 0 for what is missing or
    empty, 1 for true. An `anonymous` body bears nothing of ours. `in_query` names a property that goes into the query
    instead. `breaks` names the requirement at stake where that is not the one that the test speaks for. One that writes
    None has no body, not even an empty one. `suits` tells whether it can be made of a provider of some id. `traits` are
    those of the body that it is made of, None where any will do; a `likely` one is what careless servers accept first.
    """

    what: str
    write: Callable[[Provider], bytes | None]
    guess: int | None = None
    breaks: str | None = None
    in_query: str | None = None
    anonymous: bool = False
    suits: Callable[[int], bool] = _suits_all
    traits: Traits | None = None
    likely: bool = False

    def made_of(self, traits: Traits | None) -> Violation:
        """Return the same thing wrong with a body of some traits; None are the usual ones."""
        if traits is None:
            return self
        return replace(self, what=f"{self.what} with {traits.auth_mode} over {traits.protocol}", traits=traits)

    def query(self, body: Provider) -> tuple[tuple[str, str], ...]:
        """Return the query that goes with the body."""
        return ((self.in_query, str(body[self.in_query])),) if self.in_query else ()


def dealt_out(violations: Iterable[Violation], bases: Sequence[Traits]) -> Iterator[Violation]:
    """Deal violations out among bodies of the usual traits and of others; the likely go to the first of these, too.

    What a server looks at may depend on what else a body has, such as its auth_mode.
    """
    turns = cycle((None, *bases))
    for violation in violations:
        if violation.likely:
            yield from map(violation.made_of, (None, *bases[:1]))
        else:
            yield violation.made_of(next(turns))


def rewritten(body: JsonValue, ours: Provider) -> bytes:
    """Write a generated body with the id and the text of ours, wherever it has an id and text."""
    if not isinstance(body, dict):
        return json_body(body)
    texts = {name: value for name, value in ours.items() if isinstance(value, str) and name not in UNKNOWN}
    own = {name: texts[name] for name, value in body.items() if name in texts and isinstance(value, str)}
    return json_body({**body, **own, **({"id": ours["id"]} if "id" in body and "id" in ours else {})})


def missing_properties(operation: Operation) -> Iterator[Violation]:
    """Every required property missing, alone, with the one that it belongs to, and with all but a few."""
    required = documented(operation)
    for name in required:
        yield Violation(f"no {name}", partial(_without, (name,)), 0 if name == "id" else None)
    for pair in PAIRS:
        if required.keys() >= set(pair):
            yield Violation(f"neither {' nor '.join(pair)}", partial(_without, pair))
    for kept in FEW:
        known = [name for name in kept if name in required]
        if len(known) + 1 < len(required):
            what = f"nothing but {' and '.join(known)}" if known else "no property at all"
            yield Violation(what, partial(_only, known), anonymous=not known)


PAIRS = (
    ("outbound_server", "outbound_server_port"),
    ("auth_id", "password"),
    ("require_register", "reregister_interval"),
    ("provider_in_lan", "single_via_header"),
    ("in_parameters", "out_parameters"),
    ("hostname", "port"),
    ("protocol", "port"),
    ("status", "password"),
    ("require_register", "ips"),
    ("auth_id", "password", "ips"),
    ("in_parameters", "out_parameters", "ips"),
)
"""Properties that one may leave out together, who takes them for optional only as a whole."""

FEW = (("id",), ("id", "name"))
"""What a body has, at most, of one whose sender takes all else for optional, as the samples do (D4)."""


def misplaced_properties(operation: Operation) -> Iterator[Violation]:
    """Required properties that are missing though something like them is there: other spellings, other places."""
    for name in ("name", "auth_mode", "port"):
        yield Violation(f"{name.upper()} for {name}", partial(_renamed, name, name.upper()))
    yield Violation("authMode for auth_mode", partial(_renamed, "auth_mode", "authMode"))
    yield Violation("every name in camel case", partial(_respelt, _camel))
    yield Violation("hyphens in every name", partial(_respelt, lambda name: name.replace("_", "-")))
    elsewhere = "id" if "id" in documented(operation) else "name"
    yield Violation(f"{elsewhere} in the query", partial(_without, (elsewhere,)), 0, in_query=elsewhere)
    yield Violation("everything one level deeper", _wrapped, 0 if "id" in documented(operation) else None)
    # Some of them have no use where others have the opposite values, and are required all the same.
    for name in documented(operation):
        if name not in {"id", "auth_mode"}:
            yield Violation(f"no {name} with IP_AUTH over UDP", partial(_without_any, name))


def ill_typed_properties(operation: Operation) -> Iterator[Violation]:
    """Every property but the id with values of every other JSON type, such as careless servers coerce."""
    schemas = documented(operation).items()
    kinds = {name: "enum" if "enum" in schema else str(schema["type"]) for name, schema in schemas if name != "id"}
    for name, kind in kinds.items():
        for label, of in ILL_TYPED[kind].items():
            yield replace(_altered(name, label, of), likely=label in LIKELY[kind])
    for rare, alterations in RARE.items():
        names = cycle(name for name, kind in kinds.items() if kind == rare)
        for (label, of), name in zip(alterations.items(), names, strict=False):
            yield _altered(name, label, of)


def values_outside_enums(operation: Operation) -> Iterator[Violation]:
    """Every enum with strings that are not in it."""
    enums = {name: schema["enum"] for name, schema in documented(operation).items() if "enum" in schema}
    for name in enums:
        for label, of in OUTSIDE_ENUM.items():
            yield _altered(name, label, of)
        other, foreign = next((other, some[0]) for other, some in enums.items() if other != name)
        for index, unknown in enumerate(UNKNOWN[name]):
            of = _constantly(unknown)
            yield replace(_altered(name, f"{unknown}, which is not in its enum", of), likely=index == 0)
        yield _altered(name, f"{foreign}, a value of {other}", _constantly(foreign))


def bodies_that_are_no_object() -> Iterator[Violation]:
    """Bodies that are not JSON, or JSON and no object; whatever can be is made of a body that would be accepted.

    None is cut off within an id, since what is left of it could be somebody else's.
    """
    yield Violation("a comma after the last property", lambda body: json_body(body)[:-1] + b",}")
    yield Violation("single quotes", lambda body: json_body(body).replace(b'"', b"'"))
    yield Violation("names without quotes", lambda body: re.sub(rb'"(\w+)":', rb"\1:", json_body(body)))
    yield Violation("NaN for a number", lambda body: json_body(body)[:-1] + b',"note":NaN}')
    yield Violation("Infinity for a number", lambda body: json_body(body)[:-1] + b',"note":-Infinity}')
    yield Violation("a comment", lambda body: json_body(body)[:-1] + b"/* nothing */}")
    yield Violation("a comment to the end of the line", lambda body: json_body(body)[:-1] + b"// nothing\n}")
    yield Violation("a tab within a text", lambda body: json_body(body)[:-1] + b',"note":"a\tb"}')
    yield Violation("an escape that JSON does not have", lambda body: json_body(body)[:-1] + b',"note":"\\x41"}')
    yield Violation("a line feed within a text", lambda body: json_body(body)[:-1] + b',"note":"a\nb"}')
    yield Violation("TRUE for true", lambda body: json_body(body)[:-1] + b',"note":TRUE}')
    yield Violation("a hexadecimal number", lambda body: json_body(body)[:-1] + b',"note":0x1F}')
    yield Violation("a number with leading zeros", lambda body: json_body(body)[:-1] + b',"note":007}')
    yield Violation("a number with a plus sign", lambda body: json_body(body)[:-1] + b',"note":+5}')
    yield Violation("two commas between properties", lambda body: json_body(body)[:-1] + b',,"note":0}')
    yield Violation("a comma at the end of an array", lambda body: json_body(body)[:-1] + b',"note":[1,]}')
    yield Violation("NUL after the document", lambda body: json_body(body) + b"\0")
    yield Violation("the colon after the first name missing", lambda body: json_body(body).replace(b'":', b'" ', 1))
    yield Violation("a comma between properties missing", lambda body: json_body(body)[:-1] + b' "note":0}')
    yield Violation("the first brace missing", lambda body: json_body(body)[1:])
    yield Violation("the last brace missing", lambda body: json_body(body)[:-1])
    yield Violation("a bracket for the last brace", lambda body: json_body(body)[:-1] + b"]")
    yield Violation("the end cut off within a name", lambda body: json_body(body)[:-1] + b',"no')
    yield Violation("the end cut off after a colon", lambda body: json_body(body)[:-1] + b',"note":')
    yield Violation("the end cut off within a text", lambda body: json_body(body)[:-1] + b',"note":"no')
    yield Violation("the second half cut off", lambda body: json_body(dict([*body.items()][: len(body) // 2 + 1]))[:-1])
    yield Violation("all but the first name cut off", lambda body: json_body(body).partition(b":")[0] + b":", 0)
    yield Violation("all but the first brace cut off", lambda _: b"{", 0)
    yield Violation("the same document twice", lambda body: json_body(body) * 2)
    yield Violation("another document on the next line", lambda body: json_body(body) + b"\n{}")
    yield Violation("an empty object after the document", lambda body: json_body(body) + b"{}")
    yield Violation("a letter after the document", lambda body: json_body(body) + b"x")
    yield Violation("a brace too many", lambda body: json_body(body) + b"}")
    yield Violation("a letter before the document", lambda body: b"x" + json_body(body))
    yield Violation("an empty body", lambda _: b"", 0)
    yield Violation("no body at all", lambda _: None, 0)
    yield Violation("a body of white space", lambda _: b" \r\n\t", 0)
    yield Violation("an empty array", lambda _: b"[]", 0)
    yield Violation("an array around the object", lambda body: b"[" + json_body(body) + b"]")
    yield Violation("an array of the values", lambda body: json_body(list(body.values())))
    yield Violation("a string of JSON", lambda body: json_body(json_body(body).decode()))
    yield Violation("an empty string", lambda _: b'""', 0)
    yield Violation("a number", lambda body: json_body(body.get("id", 5060)))
    yield Violation("true", lambda _: b"true", 1)
    yield Violation("false", lambda _: b"false", 0)
    yield Violation("null", lambda _: b"null", 0)


def ill_typed_ids(operation: Operation) -> Iterator[Violation]:
    """Bodies whose id is no int64 integer; those made of the id of the body have no guess."""
    assert "id" in documented(operation)
    for what, text, guess in ids_that_are_none():
        yield Violation(what, partial(_with_id, text), guess, suits=partial(_is_written, text))


def ids_in_a_query() -> Iterator[tuple[str, IdText]]:
    """Values of a query parameter that are no int64 integer, however freely numbers are spelt (D17), made of an id."""
    yield "a fraction", lambda identity: fraction_beyond(identity, QUARTER, HALF)
    yield "a fraction just short of one", lambda identity: fraction_before(identity, QUARTER, HALF)
    yield from _no_integers_in_a_query()
    yield "too large for int64", lambda identity: str(identity + 2**64)
    yield "far too large", lambda identity: str(identity + 2**128)
    yield "too small for int64", lambda identity: str(identity - 2**65)
    yield "one too large for int64", lambda _: str(2**63)
    yield "one too small for int64", lambda _: str(-(2**63) - 1)


def pages_in_a_query() -> Iterator[tuple[str, NumberText]]:
    """Values of `pagination` that are no int32 integer, made of the number of a page that exists."""
    yield from _numbers_in_a_query()
    yield "a number that int32 wraps to the page", lambda page: str(page + 2**32)
    yield "that int64 wraps to the page", lambda page: str(page + 2**64)
    yield "far too large", lambda page: str(page + 2**128)
    yield "one too large for int32", lambda _: str(2**31)
    yield "one too small for int32", lambda _: str(-(2**31) - 1)
    yield "the largest int64", lambda _: str(2**63 - 1)
    yield "one too large for int64", lambda _: str(2**63)
    yield "one too small for int64", lambda _: str(-(2**63) - 1)


def sizes_in_a_query() -> Iterator[tuple[str, NumberText]]:
    """Values of `pagesize` that are no integer; no range is documented for it."""
    yield from _numbers_in_a_query()


def unfair_pages(first: int) -> Iterator[tuple[str, dict[str, str | None]]]:
    """What is changed in a fair query of list, or left out (None), so that it must be refused; `first` is a page."""
    yield "no pagination", {"pagination": None}
    yield "no pagesize", {"pagesize": None}
    yield "neither pagination nor pagesize", _NO_PAGE
    yield "PAGINATION for pagination", {"pagination": None, "PAGINATION": str(first)}
    yield "pageSize for pagesize", {"pagesize": None, "pageSize": "10"}
    yield "other names for pagination and pagesize", {**_NO_PAGE, "page": str(first), "page_size": "10", "limit": "10"}
    yield "an array in the name of pagination", {"pagination": None, "pagination[]": str(first)}
    yield "an array in the name of pagesize", {"pagesize": None, "pagesize[]": "10"}
    for what, text in pages_in_a_query():
        yield f"a pagination that is {what}", {"pagination": text(first)}
    for what, text in sizes_in_a_query():
        yield f"a pagesize that is {what}", {"pagesize": text(10)}


_NO_PAGE: dict[str, str | None] = {"pagination": None, "pagesize": None}


def unfair_ids(identity: int) -> Iterator[tuple[str, dict[str, str | None]]]:
    """What is changed in a fair query of show, or left out (None), so that it must be refused; made of an id."""
    yield "no id", {"id": None}
    for name in ("ID", "provider_id"):
        yield f"{name} for id", {"id": None, name: str(identity)}
    yield "an array in the name of id", {"id": None, "id[]": str(identity)}
    yield "an object in the name of id", {"id": None, "id[$eq]": str(identity)}
    for what, text in ids_in_a_query():
        if (spelt := text(identity)) is not None:
            yield f"an id that is {what}", {"id": spelt}


ORDERS = (
    *(" ", "default", "Default", "optional", "DEFAULT ", " DEFAULT", "DEFAULT,OPTIONAL", "DEFAULTS", "OPTION"),
    *("NAME", "id", "0", "1", "null", "true", "DEFAULT DESC", "-DEFAULT", "DEFAULT\n", "constructor", "__proto__"),
)
"""Values outside the enum of `sort_by`; "Optional" is in the description and hence free (D14).

So is an empty one, since whoever sends it has specified none.
"""


def _numbers_in_a_query() -> Iterator[tuple[str, NumberText]]:
    yield "a fraction", lambda number: f"{number}.25"
    yield "a fraction below one", lambda _: "0.5"
    yield from _no_integers_in_a_query()


def _no_integers_in_a_query() -> Iterator[tuple[str, NumberText]]:
    yield "empty", lambda _: ""
    yield "a blank", lambda _: " "
    yield "letters", lambda _: "abc"
    yield "digits and a letter", lambda number: f"{number}x"
    yield "two numbers", lambda number: f"{number} {number}"
    # Blanks before a number are left out: the plus sign of a free +5 is one where it is not escaped (D17).
    yield "a number with a blank after it", lambda number: f"{number} "
    yield "a number with a line feed after it", lambda number: f"{number}\n"
    yield "true", lambda _: "true"
    yield "null", lambda _: "null"
    yield "NaN", lambda _: "NaN"
    yield "Infinity", lambda _: "Infinity"
    yield "hexadecimal", lambda number: f"{number:#x}" if number >= 0 else "0x10"
    yield "an underscore between digits", lambda number: f"0_{number}"
    yield "a difference", lambda number: f"{number + 1}-1"
    yield "digits of another script", lambda number: str(number).translate(FULL_WIDTH)
    yield "digits of yet another script", lambda number: str(number).translate(ARABIC)
    yield "a superscript digit", lambda _: "\u00b2"
    yield "two numbers with a comma", lambda number: f"{number},{number}"
    yield "a number with a comma in it", lambda number: f"0,{number}"
    yield "a number with a letter for its type", lambda number: f"{number}d"
    yield "a number with NUL after it", lambda number: f"{number}\0"
    yield "an array", lambda number: f"[{number}]"
    yield "digits in quotes", lambda number: f'"{number}"'


ARABIC = {ord("0") + digit: 0x660 + digit for digit in range(10)}
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}

UNKNOWN = {
    "auth_mode": ("DIGEST_AUTH", "REGISTER", "NONE", "IPAUTH", "constructor", "toString"),
    "protocol": ("TLS", "SCTP", "WSS", "BOTH", "WS", "DTLS", "constructor", "__proto__"),
    "status": ("REGISTERED", "UNREGISTERED", "0", "DISABLED", "UNKNOWN", "constructor", "valueOf"),
}
"""What one would expect in the enums and is not in them, and what every object has in languages that look there."""


def documented(operation: Operation) -> dict[str, dict[str, Any]]:
    """Return the schemas of the properties that the contract requires in the body of an operation."""
    contract = load_contract()
    (described,) = contract.document["paths"][operation.path].values()
    schema = contract.resolve(described["requestBody"]["content"]["application/json"]["schema"])
    assert set(schema["required"]) == set(schema["properties"])
    return {name: dict(contract.resolve(schema["properties"][name])) for name in schema["required"]}


Alteration = Callable[[Any], JsonValue]
"""Makes of a plausible value one that is not; most ignore it."""


def _constantly(value: JsonValue) -> Alteration:
    return lambda _: value


_NULL: dict[str, Alteration] = {"null": _constantly(None)}
_TRUE: dict[str, Alteration] = {"true": _constantly(True)}  # noqa: FBT003
_FALSE: dict[str, Alteration] = {"false": _constantly(False)}  # noqa: FBT003
_BITS: dict[str, Alteration] = {"0": _constantly(0), "1": _constantly(1)}
_NOTHING: dict[str, Alteration] = {"an empty string": _constantly("")}
_EMPTY: dict[str, Alteration] = {"an empty array": _constantly([]), "an empty object": _constantly({})}
_AROUND: dict[str, Alteration] = {
    "an array around it": lambda value: [value],
    "an object around it": lambda value: {"value": value},
}

ILL_TYPED: dict[str, dict[str, Alteration]] = {
    "string": {
        **_NULL,
        **_TRUE,
        "a number": _constantly(5060),
        "a fraction": _constantly(1.5),
        **_EMPTY,
        **_AROUND,
    },
    "enum": {**_NULL, **_TRUE, **_BITS, **_AROUND},
    "integer": {
        **_NULL,
        **_TRUE,
        **_FALSE,
        **_NOTHING,
        "letters": _constantly("abc"),
        "its digits in a string": str,
        "a fraction in a string": lambda value: f"{value}.5",
        "a fraction": lambda value: value + 0.5,
        "a fraction that is almost none": lambda value: value + 1e-7,
        **_AROUND,
    },
    "boolean": {
        **_NULL,
        **_BITS,
        **_NOTHING,
        '"true"': _constantly("true"),
        '"false"': _constantly("false"),
        '"1"': _constantly("1"),
        '"on"': _constantly("on"),
        **_AROUND,
    },
    "array": {
        **_NULL,
        **_TRUE,
        **_FALSE,
        "0": _constantly(0),
        **_NOTHING,
        "a string": _constantly("192.0.2.1"),
        "a string of JSON": _constantly('["192.0.2.1"]'),
        "an empty object": _constantly({}),
        "an object for an array": _constantly({"0": "192.0.2.1"}),
        "an object": _constantly({"ip": "192.0.2.1"}),
        "a number": _constantly(5060),
    },
}
"""For each documented type, values of the other JSON types, made of the plausible value where a server may coerce."""

LIKELY = {
    "string": ("null", "a number", "an array around it"),
    "enum": ("null",),
    "integer": ("null", "its digits in a string"),
    "boolean": ("null", '"true"'),
    "array": ("null", "a string"),
}
"""What careless servers accept first, of each documented type."""

RARE: dict[str, dict[str, Alteration]] = {
    "string": {"0": _constantly(0), **_FALSE},
    "integer": _EMPTY,
    "boolean": {
        "2": _constantly(2),
        '"yes"': _constantly("yes"),
        '"no"': _constantly("no"),
        '"off"': _constantly("off"),
        **_EMPTY,
        "a fraction": _constantly(0.5),
    },
}
"""What fewer servers coerce, and those that do in all properties of a type: each is sent in one of these only."""

OUTSIDE_ENUM: dict[str, Alteration] = {
    "its value in lower case": str.lower,
    "its value in mixed case": str.capitalize,
    "the first letter of its value": lambda value: value[:1],
    "its value and a letter more": lambda value: f"{value}S",
    "a blank before its value": lambda value: f" {value}",
    "a blank after its value": lambda value: f"{value} ",
    "a line feed after its value": lambda value: f"{value}\n",
    "NUL and a letter after its value": lambda value: f"{value}\0x",
    "its value with a hyphen in it": lambda value: (
        value.replace("_", "-") if "_" in value else f"{value[:2]}-{value[2:]}"
    ),
    "an empty string": _constantly(""),
    '"*"': _constantly("*"),
    '"1"': _constantly("1"),
    "its value twice, with a comma": lambda value: f"{value},{value}",
}
"""What becomes of a documented value of an enum so that it is none any more."""


def _altered(name: str, label: str, of: Alteration) -> Violation:
    return Violation(f"{name} as {label}", lambda body: json_body({**body, name: of(body[name])}))


def _without(names: Collection[str], body: Provider) -> bytes:
    return json_body({other: value for other, value in body.items() if other not in names})


def _only(names: Collection[str], body: Provider) -> bytes:
    return json_body({name: body[name] for name in names})


def _renamed(name: str, other: str, body: Provider) -> bytes:
    return json_body({other if key == name else key: value for key, value in body.items()})


def _respelt(spelling: Callable[[str], str], body: Provider) -> bytes:
    return json_body({spelling(name): value for name, value in body.items()})


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _wrapped(body: Provider) -> bytes:
    return json_body({"provider": body})


def _without_any(name: str, body: Provider) -> bytes:
    return _without((name,), _plain(body))


def _plain(body: Provider) -> Provider:
    """Return a provider without registration, TCP, and whatever else may be switched on."""
    return {
        **{key: False if value is True else value for key, value in body.items()},
        "auth_mode": "IP_AUTH",
        "protocol": "UDP",
        "status": "OFFLINE",
        "ips": body["ips"] or ["192.0.2.1"],
    }


def _with_id(text: IdText, body: Provider) -> bytes:
    identity = body["id"]
    assert isinstance(identity, int)
    return json_body({**body, "id": 0}).replace(b'"id":0', f'"id":{text(identity)}'.encode(), 1)
