"""The generated models take what the JSON Schemas of the contract take, refuse what they refuse, and lose nothing.

Where they differ stands in `model_differences`, with the reason; whatever else differs fails here, and so does a listed
difference that is no more. HYPOTHESIS_EFFORT multiplies how many values are drawn (20 takes some minutes), and draws
other ones on every run.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError, model_validator

import provider_models
from model_differences import (
    DIFFERENCES,
    LOSSES,
    Difference,
    Judge,
    Loss,
    nested,
    table_of_differences,
    table_of_losses,
    unlimited_digits,
    whole,
)
from provider_conformance.contract import load_contract
from provider_models import Provider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.capture import CaptureManager
    from _pytest.terminal import TerminalReporter

DOCS = Path(__file__).parents[1] / "docs" / "models.md"
COMPONENTS: dict[str, Any] = load_contract().document["components"]
SCHEMAS: dict[str, Any] = COMPONENTS["schemas"]
MODELS: dict[str, type[BaseModel]] = {
    name: getattr(provider_models, name) for name, schema in SCHEMAS.items() if schema["type"] == "object"
}
ENUM_VALUES = sorted({value for schema in SCHEMAS.values() for value in schema.get("enum", ())})

EFFORT = float(os.environ.get("HYPOTHESIS_EFFORT", "1"))
SEARCH = settings(
    max_examples=max(1, int(60 * EFFORT)),
    derandomize=EFFORT == 1,  # the same values on every ordinary run, so that it blames nobody's change by chance
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

every_model = pytest.mark.parametrize("name", MODELS)


# What the schemas say.


class NoJsonError(ValueError):
    """A text is no JSON, or has names twice, whose meaning is open."""


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Give a schema without references, which `jsonschema` spends most of its time on; no schema refers to itself."""
    schema = dict(resolved(schema))
    if "properties" in schema:
        schema["properties"] = {name: inlined(part) for name, part in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = inlined(schema["items"])
    return schema


@cache
def reference(name: str) -> Draft202012Validator:
    return Draft202012Validator(inlined(SCHEMAS[name]))


@cache
def second_opinion(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": COMPONENTS})


def read_strictly(text: bytes) -> Any:
    """Read what RFC 8259 calls JSON text, in UTF-8 and without a byte order mark; numbers exactly, names once."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise NoJsonError("a name is there twice")
        return dict(pairs)

    def constant(token: str) -> Any:
        raise NoJsonError(token)

    def number(token: str) -> int | Decimal:
        exact = whole(token)
        return int(exact) if exact != token else Decimal(token)

    return json.loads(text.decode("utf-8"), parse_float=number, parse_constant=constant, object_pairs_hook=members)


def schema_takes(name: str, value: Any) -> bool:
    with unlimited_digits():
        return reference(name).is_valid(value)


def schema_takes_text(name: str, text: bytes) -> bool:
    try:
        with unlimited_digits():
            value = read_strictly(text)
    except ValueError:
        return False
    return schema_takes(name, value)


# What the others say.


def takes(judge: Judge, name: str, model: type[BaseModel], case: Any) -> bool:
    """Ask one judge. What no validator of JSON knows, such as a set, `jsonschema-rs` refuses by raising."""
    if judge is Judge.RUST:
        try:
            return second_opinion(name).is_valid(case)
        except ValueError:
            return False
    try:
        if judge is Judge.TEXT:
            model.model_validate_json(case)
        else:
            model.model_validate(case)
    except ValidationError:
        return False
    return True


def mended(difference: Difference, judge: Judge, case: Any) -> Any:
    with unlimited_digits():
        if judge is Judge.TEXT:
            return difference.mend_text(case.decode("utf-8")).encode("utf-8")
        return difference.mend(case)


def reasons(judge: Judge, name: str, model: type[BaseModel], case: Any) -> tuple[Difference, ...]:
    """Give the listed differences without which judge and schemas agree; none if something else is different, too."""
    expects = schema_takes_text if judge is Judge.TEXT else schema_takes
    taken = takes(judge, name, model, case)
    found = []
    for difference in DIFFERENCES:
        if judge in difference.witnesses:
            without = mended(difference, judge, case)
            with unlimited_digits():
                changed = repr(without) != repr(case)
            if changed:
                found.append(difference)
                case = without
    agree = takes(judge, name, model, case) == expects(name, case)
    return tuple(found) if agree and any(one.taken is taken for one in found) else ()


class Tally:
    """Compares judges with the schemas, one value at a time, and counts what it compared."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def value(self, name: str, value: Any, model: type[BaseModel] | None = None) -> None:
        """Compare a Python value; AssertionError if a judge differs for no listed reason."""
        expected = schema_takes(name, value)
        self.counts["taken" if expected else "refused"] += 1
        for judge in (Judge.VALUE, Judge.RUST):
            self._compare(judge, name, model or MODELS[name], value, expected=expected)

    def text(self, name: str, text: bytes, model: type[BaseModel] | None = None) -> None:
        """Compare a text; AssertionError if the model differs for no listed reason."""
        expected = schema_takes_text(name, text)
        self.counts["taken" if expected else "refused"] += 1
        self._compare(Judge.TEXT, name, model or MODELS[name], text, expected=expected)

    def _compare(self, judge: Judge, name: str, model: type[BaseModel], case: Any, *, expected: bool) -> None:
        if takes(judge, name, model, case) is not expected and not reasons(judge, name, model, case):
            verdicts = ("refuses", "take") if expected else ("takes", "refuse")
            with unlimited_digits():
                shown = f"{case!r:.2000}"
            raise AssertionError(f"{judge} {verdicts[0]} as {name} what the schemas {verdicts[1]}: {shown}")


class RecordProperty(Protocol):
    def __call__(self, name: str, value: object) -> None: ...


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest, record_testsuite_property: RecordProperty) -> Iterator[Tally]:
    """Compares, and at last says how much: on the terminal, and in what `--junit-xml` writes."""
    tally = Tally()
    yield tally
    total = ", ".join(f"{number} {what}" for what, number in sorted(tally.counts.items()))
    record_testsuite_property("values compared with the schemas", total)
    terminal: TerminalReporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture: CaptureManager = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        terminal.write_line(f"\nvalues compared with the schemas: {tally.counts.total()} ({total})")


# Values, listed.


ENUM_NEIGHBOURS = [
    changed
    for value in ENUM_VALUES
    for changed in (value, value.lower(), value.title(), f" {value}", f"{value}\n", value[:-1])
]
PROBES: tuple[Any, ...] = (
    *(None, True, False, "", " ", "\0", "5060", "-1", "1.0", "true", "null", "\U0001f4de", "x" * 10_000, "\ud800"),
    *ENUM_NEIGHBOURS,
    *(0, 1, -1, 65535, 65536, 2**31 - 1, 2**31, -(2**31) - 1, 2**32, 2**53, 2**53 + 1, -(2**53) - 1),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, -(2**64), 2**80, 10**400, -(10**400)),
    *(0.0, -0.0, 1.0, 1.5, -1.5, 0.1, 5e-324, 1e16, 2.0**53, 2.0**63, -(2.0**63), 1e300, 1.7976931348623157e308),
    *([], [None], [1, 1.0, True, "x", None, [], {}], [[[]]], nested(150), {}, {"id": 1}, {"": {}}, [{"id": 1}]),
)
NO_JSON: tuple[Any, ...] = (
    *(float("nan"), float("inf"), float("-inf"), [float("nan")], 10**5000, nested(250)),
    *((), ("x",), {"x"}, frozenset(), b"", b"UDP", bytearray(b"TCP"), b"5060", Decimal(1), Decimal("1.5"), 1j),
    *(provider_models.Protocol.UDP, provider_models.ProviderStatus.ONLINE, object(), int, Path("x"), {5060: 0}),
)
"""What only Python code can pass."""

SPELLINGS: tuple[bytes, ...] = (
    *(b"1.0", b"1e2", b"1E+2", b"100e-2", b"1e-2", b"5060.000", b"-0", b"-0.0", b"1E400", b"-1E400", b"1e-400"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809"),
    *(b"9223372036854775807.0", b"9.223372036854775807e18", b"9.223372036854775808e18", b"9007199254740993"),
    *(b"1" * 4300, b"1" * 4301, b"007", b"+5", b"0x10", b"1_000", b".5", b"5.", b"1e", b"--1", b"- 1", b"1,0"),
    *(b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf", b"[NaN]", b'{"x": -Infinity}', b"None", b"True", b"TRUE"),
    *(b'"\\ud800"', b'"\\udc00"', b'"\\ud83d\\ude00"', b'"\\ud83dx"', b'"\\ude00\\ud83d"', b'["\\ud800"]'),
    *(b'"\\u0000"', b'"\\u0055DP"', b'"\\u00zz"', b'"\\x41"', b'"\\/"', b'"\t"', b'"\n"', b'"\x7f"', b'"\xff"'),
    *('"\u00e9"'.encode(), '"\ufeff"'.encode(), b'"\xed\xa0\x80"', b'"\xc0\x80"', b"'x'", b'"x', b"x", b"", b","),
    *(b"[1,]", b"[,1]", b"[1 2]", b"[", b"]", b"{}", b'{"a": 1,}', b'{"a": 1, "a": 2}', b"{a: 1}", b"{1: 2}"),
    *(b"[" * 150 + b"]" * 150, b"[" * 250 + b"]" * 250, b'{"a":' * 250 + b"1" + b"}" * 250, b"[/**/]", b"[1]//"),
)
"""Of a value in JSON text, right and wrong."""


def wrapped(text: bytes) -> Iterator[bytes]:
    """Give a text in every way that something can be around it, inside it, or missing from it."""
    yield from (b" \t\r\n" + text + b"\n", b"\xef\xbb\xbf" + text, b"\x0c" + text, text + b"\0", text + b" ]")
    yield from (text + text, text + b",", b"[" + text + b"]", b'"' + text + b'"', text.replace(b"}", b",}"))
    yield from (text.replace(b",", b"/**/,"), text.replace(b'"', b"'"), text.replace(b":", b"="), text.lower())
    yield from (text.decode().encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"))
    yield from (text[:end] for end in range(len(text)))


def example(schema: dict[str, Any]) -> Any:
    """Give a valid value with every documented property, out of the examples of the schemas."""
    schema = resolved(schema)
    if "properties" in schema:
        return {name: example(part) for name, part in schema["properties"].items()}
    return schema["examples"][0] if "examples" in schema else [example(schema["items"])]


def places(value: Any, put: Callable[[Any], Any] = lambda value: value) -> Iterator[tuple[Any, Callable[[Any], Any]]]:
    """Give every object that a schema describes within a value, and what puts another one in its place."""
    yield value, put
    if isinstance(value.get("providers"), list):
        yield from places(value["providers"][0], lambda item: put(value | {"providers": [item]}))


def single_changes(name: str, probes: tuple[Any, ...]) -> Iterator[Any]:
    """Give a valid value with each probe in each place, and without each property."""
    for whole_object, put in places(example(SCHEMAS[name])):
        yield put(whole_object)
        for probe in probes:
            yield put(probe)
        for key in [*whole_object, "undocumented", "", "model_config", "__class__"]:
            yield put({other: value for other, value in whole_object.items() if other != key})
            yield put({"first": 0} | {key: whole_object.get(key)} | whole_object)
            for probe in probes:
                yield put(whole_object | {key: probe})
        yield put({f"{key} ": value for key, value in whole_object.items()})
        yield put({key.upper(): value for key, value in whole_object.items()})


def respelt(name: str) -> Iterator[bytes]:
    """Give the text of a valid value with each spelling in each place, with each name twice, and damaged."""
    hole = '"a hole"'
    for whole_object, put in places(example(SCHEMAS[name])):
        for key in [*whole_object, "undocumented"]:
            text = json.dumps(put(whole_object | {key: "a hole"})).encode()
            yield from (text.replace(hole.encode(), spelling) for spelling in SPELLINGS)
            given = json.dumps(whole_object.get(key)).encode()
            for other in (b"null", b"[]", b'"x"', b"1"):
                # The name stands twice: right first, then wrong first.
                yield text.replace(hole.encode(), given + b', "%s": %s' % (key.encode(), other))
                yield text.replace(hole.encode(), other + b', "%s": %s' % (key.encode(), given))
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in next(iter(whole_object)))
        yield json.dumps(put(whole_object)).replace(next(iter(whole_object)), escaped).encode()
        yield from (json.dumps(put("a hole")).encode().replace(hole.encode(), spelling) for spelling in SPELLINGS)
    yield from wrapped(json.dumps(example(SCHEMAS[name])).encode())


# Values, drawn.

ANY_TEXT = st.text() | st.text(st.characters(exclude_categories=()))
NAMES = st.sampled_from(["model_dump", "model_fields", "model_extra", "__dict__", "_x", "self", "", "id ", "a.b"])
NUMBERS = st.integers() | st.integers(-3, 3).flatmap(lambda near: st.sampled_from([2**53 + near, near - 2**53]))


def json_values(texts: st.SearchStrategy[str], floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | NUMBERS | floats | texts | st.sampled_from(ENUM_VALUES)
    return st.recursive(
        leaves, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(texts, parts, max_size=3), max_leaves=5
    )


FINITE = st.floats(allow_nan=False, allow_infinity=False)
ANY_JSON = json_values(st.text(), FINITE)
ANYTHING = json_values(ANY_TEXT, st.floats())


def valid(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw what a schema takes: documented properties, those that may be absent or not, and others, in any order."""
    schema = resolved(schema)
    kinds: dict[str | None, Callable[[], st.SearchStrategy[Any]]] = {
        None: lambda: ANY_JSON,
        "boolean": st.booleans,
        "string": lambda: st.sampled_from(schema["enum"]) if "enum" in schema else st.text(),
        "array": lambda: st.lists(valid(schema["items"]), max_size=3),
        "integer": lambda: integers(schema.get("minimum"), schema.get("maximum")),
        "object": lambda: objects(schema),
    }
    return kinds[schema.get("type")]()


def integers(minimum: int | None, maximum: int | None) -> st.SearchStrategy[int]:
    if minimum is None or maximum is None:
        return NUMBERS
    return st.integers(minimum, maximum) | st.sampled_from([minimum, minimum + 1, 0, 2**53 + 1, maximum - 1, maximum])


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = {name: valid(part) for name, part in schema["properties"].items()}
    required = {name: part for name, part in properties.items() if name in schema["required"]}
    optional = {name: part for name, part in properties.items() if name not in required}
    others = st.dictionaries((NAMES | st.text()).filter(lambda name: name not in properties), ANY_JSON, max_size=3)
    return st.builds(
        lambda own, other, order: dict(order.sample([*own.items(), *other.items()], len(own) + len(other))),
        st.fixed_dictionaries(required, optional=optional),
        others,
        st.randoms(use_true_random=False),
    )


@cache
def valid_as(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return objects(SCHEMAS[name])


@st.composite
def nearly_valid(draw: st.DrawFn, name: str) -> Any:
    """Draw a valid value and change it in one to three places."""
    value: dict[str, Any] = draw(valid_as(name))
    for _ in range(draw(st.integers(1, 3))):
        providers = value.get("providers")
        within = bool(isinstance(providers, list) and providers and isinstance(providers[0], dict))
        within = within and draw(st.booleans())
        changed: dict[Any, Any] = value["providers"][0] if within else value
        key = draw(st.sampled_from([*SCHEMAS["Provider" if within else name]["properties"], "undocumented"]) | ANY_TEXT)
        if draw(st.booleans()):
            changed[key] = draw(st.sampled_from(PROBES) | ANYTHING)
        else:
            changed.pop(key, None)
    return value


@st.composite
def with_text(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[Any, bytes]:
    """Draw a value, and a text of it: escaped or not, indented or not, perhaps damaged in one place."""
    value = draw(values)
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 0, 2])))
    # Half pairs can be escaped only.
    damaged = bytearray(text.encode("utf-8", "backslashreplace"))
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(damaged) - 1))
        # The space ends the exponent: with more digits behind it, nothing could spell the number as an integer.
        damage = st.sampled_from([b"", b",", b'"', b"}", b".0", b"e2 ", b"\\"])
        damaged[at : at + draw(st.integers(0, 2))] = draw(damage)
    return value, bytes(damaged)


class TestTheyTakeTheSame:
    @every_model
    def test_with_a_single_change(self, name: str, tally: Tally) -> None:
        before = tally.counts.total()
        for value in single_changes(name, PROBES + NO_JSON):
            tally.value(name, value)
        assert tally.counts.total() - before >= len(PROBES + NO_JSON) * (len(SCHEMAS[name]["properties"]) + 1)
        assert tally.counts.keys() >= {"taken", "refused"}

    @every_model
    def test_with_a_single_change_of_a_text(self, name: str, tally: Tally) -> None:
        before = tally.counts.total()
        for value in single_changes(name, PROBES):
            tally.text(name, json.dumps(value).encode())
        for text in respelt(name):
            tally.text(name, text)
        assert tally.counts.total() - before >= len(PROBES + SPELLINGS) * (len(SCHEMAS[name]["properties"]) + 1)

    @every_model
    def test_when_nearly_nothing_is_wrong(self, name: str, tally: Tally) -> None:
        @SEARCH
        @given(with_text(nearly_valid(name)))
        def search(drawn: tuple[Any, bytes]) -> None:
            value, text = drawn
            tally.value(name, value)
            tally.text(name, text)

        search()

    @every_model
    def test_on_anything(self, name: str, tally: Tally) -> None:
        @SEARCH
        @given(with_text(ANYTHING))
        def search(drawn: tuple[Any, bytes]) -> None:
            value, text = drawn
            tally.value(name, value)
            tally.text(name, text)

        search()


def test_a_text_that_arrives_as_a_string_is_read_as_its_bytes(tally: Tally) -> None:
    for text in respelt("Provider"):
        try:
            decoded = text.decode("utf-8")
        except UnicodeDecodeError:
            continue
        try:
            Provider.model_validate_json(decoded)
        except ValidationError:
            assert not takes(Judge.TEXT, "Provider", Provider, text), text
        else:
            assert takes(Judge.TEXT, "Provider", Provider, text), text


class WithoutId(Provider):
    id: Annotated[StrictInt | None, Field(ge=-(2**63), le=2**63 - 1)] = None  # type: ignore[assignment]


class WithAnotherBound(Provider):
    id: Annotated[StrictInt, Field(ge=-(2**63), le=2**63 - 2)]


class WithoutBounds(Provider):
    id: StrictInt


class WithTrueForOne(Provider):
    port: int = 0


class WithNull(Provider):
    name: StrictStr | None = None  # type: ignore[assignment]


class WithLooseText(Provider):
    status: StrictStr = ""  # type: ignore[assignment]


class WithTextOnly(Provider):
    ips: list[str] = Field(default_factory=list)


class WithoutFractions(Provider):
    ips: list[StrictInt | StrictStr | StrictBool | list[Any] | dict[str, Any] | None] = Field(default_factory=list)


class WithoutEmptyNames(Provider):
    @model_validator(mode="before")
    @classmethod
    def refuse(cls, value: Any) -> Any:
        if isinstance(value, dict) and "" in value:
            raise ValueError
        return value


class WithoutOthers(Provider):
    model_config = ConfigDict(extra="forbid")


class WithoutEmptyText(Provider):
    hostname: Annotated[StrictStr, Field(min_length=1)] = "x"


@pytest.mark.parametrize(
    "wrong",
    [
        WithoutId,
        WithAnotherBound,
        WithoutBounds,
        WithTrueForOne,
        WithNull,
        WithLooseText,
        WithTextOnly,
        WithoutFractions,
        WithoutEmptyNames,
        WithoutOthers,
        WithoutEmptyText,
    ],
)
def test_a_model_that_is_slightly_wrong_is_noticed(wrong: type[BaseModel]) -> None:
    tally = Tally()

    def values() -> None:
        for value in single_changes("Provider", PROBES):
            tally.value("Provider", value, wrong)

    def texts() -> None:
        for value in single_changes("Provider", PROBES):
            tally.text("Provider", json.dumps(value).encode(), wrong)

    with pytest.raises(AssertionError, match=r"model_validate (takes|refuses) as Provider"):
        values()
    with pytest.raises(AssertionError, match=r"model_validate_json (takes|refuses) as Provider"):
        texts()


WITNESSES = [
    pytest.param(difference, judge, witness, id=f"{judge}: {difference.name} {number}")
    for difference in DIFFERENCES
    for judge, witnesses in difference.witnesses.items()
    for number, witness in enumerate(witnesses)
]


@pytest.mark.parametrize(("difference", "judge", "witness"), WITNESSES)
def test_every_listed_difference_exists(difference: Difference, judge: Judge, witness: Any) -> None:
    expects = schema_takes_text if judge is Judge.TEXT else schema_takes
    assert takes(judge, "Provider", Provider, witness) is difference.taken
    assert expects("Provider", witness) is not difference.taken
    assert reasons(judge, "Provider", Provider, witness) == (difference,)
    # The control: without it, and with nothing else changed, both take it.
    without = mended(difference, judge, witness)
    assert takes(judge, "Provider", Provider, without)
    assert expects("Provider", without)


def canonical(value: Any) -> str:
    """Spell a value so that 1, 1.0 and true differ, and the order of names does not matter."""
    return json.dumps(value, sort_keys=True)


def shuffled(value: Any, seed: int) -> Any:
    """Give the same value with its names in another order, at every depth."""
    if isinstance(value, list):
        return [shuffled(item, seed) for item in value]
    if not isinstance(value, dict):
        return value
    members = [(key, shuffled(item, seed)) for key, item in value.items()]
    return dict(random.Random(seed).sample(members, len(members)))


def assert_kept(model: type[BaseModel], value: dict[str, Any]) -> None:
    """Pass a value through a model both ways, and back both ways."""
    text = json.dumps(value)
    for parsed in (model.model_validate(value), model.model_validate_json(text)):
        assert canonical(parsed.model_dump(mode="json")) == canonical(value)
        assert canonical(json.loads(parsed.model_dump_json())) == canonical(value)
        assert model.model_validate_json(parsed.model_dump_json()) == parsed
        assert model.model_validate(parsed.model_dump()) == parsed


class TestTheyLoseNothing:
    @every_model
    def test_of_a_valid_value(self, name: str, tally: Tally) -> None:
        @SEARCH
        @given(valid_as(name), st.integers())
        def search(value: dict[str, Any], seed: int) -> None:
            assert schema_takes(name, value)
            tally.value(name, value)
            tally.text(name, json.dumps(value).encode())
            assert_kept(MODELS[name], value)
            other = MODELS[name].model_validate(shuffled(value, seed))
            assert other == MODELS[name].model_validate(value)
            assert canonical(other.model_dump(mode="json")) == canonical(value)

        search()

    @every_model
    def test_of_what_stands_for_itself_only(self, name: str) -> None:
        whatever = [
            2**53 + 1,
            -(2**63) - 1,
            10**400,
            1.0,
            1,
            True,
            -0.0,
            0.1,
            5e-324,
            1e16,
            1e22,
            1.7976931348623157e308,
        ]
        others = {
            "numbers": whatever,
            "nothing": None,
            "": {"": [[], {}, ""]},
            "model_dump": 1,
            "__class__": "x",
            "_": 0,
        }
        assert_kept(MODELS[name], example(SCHEMAS[name]) | others)

    def test_of_deep_values(self) -> None:
        assert_kept(Provider, {"id": 1, "ips": nested(190), "x": nested(190)})

    @every_model
    def test_and_add_nothing(self, name: str) -> None:
        schema = SCHEMAS[name]
        least = {key: value for key, value in example(schema).items() if key in schema["required"]}
        parsed = MODELS[name].model_validate(least)
        assert parsed.model_dump().keys() == parsed.model_fields_set == set(least)
        assert_kept(MODELS[name], least)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_every_listed_loss_exists(loss: Loss) -> None:
    validate = Provider.model_validate_json if isinstance(loss.given, bytes) else Provider.model_validate
    parsed = validate(loss.given)
    if isinstance(loss.written, str):
        assert parsed.model_dump_json() == loss.written
    else:
        with pytest.raises(loss.written):
            parsed.model_dump_json()


@pytest.mark.parametrize("table", [table_of_differences, table_of_losses])
def test_the_page_about_the_models_has_the_tables(table: Callable[[], str]) -> None:
    assert f"\n\n{table()}\n" in DOCS.read_text("utf-8")
