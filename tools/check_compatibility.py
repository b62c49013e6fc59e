"""Compare the contract with that of the last release: what breaks a client needs a new major version.

    python tools/check_compatibility.py              # openapi/openapi.yaml with the newest of openapi/released
    python tools/check_compatibility.py OLD [NEW]    # any two contracts

What was released is kept as files, not looked up by a tag, since an sdist has no tags. Changes are judged as a client
meets them: in what it sends, less may not be taken; in what it gets, nothing unknown may come. Words and examples are
free. What this check does not understand it holds to be breaking, so that it errs on the side of those who build on the
contract. It is our own since openapi-diff from npm refuses OpenAPI 3.1, and oasdiff is in no package of PyPI or npm.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from enum import Enum, IntEnum
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

OPENAPI = Path(__file__).resolve().parent.parent / "openapi"
CONTRACT = OPENAPI / "openapi.yaml"
RELEASED = OPENAPI / "released"
CHANGELOG = OPENAPI / "CHANGELOG.md"

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")

WORDS = frozenset({"$comment", "description", "example", "examples", "externalDocs", "summary", "tags", "title"})
"""What explains, and changes nothing."""

MEANINGFUL_EXTENSIONS = frozenset({"x-required-level", "x-token-schema"})
"""Of our own keys those that change what is asked of an answer or a token; `x-readings` are looked at by themselves."""

EVERY_TYPE = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
OPAQUE = ("format", "pattern", "multipleOf")
"""Keywords whose values cannot be compared, but which without doubt refuse more than nothing."""

WIDER_FORMATS = frozenset({("int32", "int64"), ("float", "double")})
MAPPINGS = frozenset({"properties", "patternProperties", "dependentSchemas", "variables"})
"""What maps names, which somebody chose, to what they name."""

UNDERSTOOD = frozenset(
    {"type", "enum", "const", "uniqueItems", "required", "properties", "additionalProperties", "items", "deprecated"}
    | {*LOWER_BOUNDS, *UPPER_BOUNDS, *OPAQUE}
)


class Impact(IntEnum):
    """What a change asks of the version: at least a new minor one, or a new major one."""

    ADDITION = 1
    BREAKING = 2


class Way(Enum):
    """How the values that a schema takes change: fewer, more, or both (or who knows)."""

    NARROWER = "narrower"
    WIDER = "wider"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was, where, and what it asks of the version."""

    impact: Impact
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.impact.name.lower()}: {self.where}: {self.what}"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Find all that is different in meaning between two OpenAPI documents, in the order of the old one."""
    before, after = dereferenced(old), dereferenced(new)
    return [
        *_dialect(before, after),
        *_each(before["paths"], after["paths"], "", "path", _path(before, after)),
        *_names_of_schemas(before, after),
        *_security_schemes(before, after),
        *_servers(before, after),
        *_readings(before, after),
        *_rest(before, after, {"openapi", "info", "paths", "components", "security", "servers"}, "contract"),
    ]


def version_problem(found: Iterable[Change], old: str, new: str) -> str | None:
    """Say what is wrong with the new version, given the changes since the old one; None if nothing is.

    Raises ValueError for a version that is not of three numbers.
    """
    before, after = _numbers(old), _numbers(new)
    impact = max((change.impact for change in found), default=None)
    if after < before:
        return f"version {new} is older than {old}"
    if impact is Impact.BREAKING and after[0] == before[0]:
        return f"a breaking change since {old} needs version {before[0] + 1}.0.0, not {new}"
    if impact is Impact.ADDITION and after[:2] == before[:2]:
        return f"an addition since {old} needs version {before[0]}.{before[1] + 1}.0, not {new}"
    return None


def changelog_problems(changelog: str, versions: Iterable[str]) -> list[str]:
    """Name the versions of which the changelog says nothing; any number of them."""
    told = set(re.findall(rf"^## \[({VERSION.pattern})\]", changelog, re.MULTILINE))
    known = {entry[0] for entry in told}
    return [f"the changelog has no section on version {version}" for version in versions if version not in known]


def newest(folder: Path) -> Path:
    """Return the contract that was released last; FileNotFoundError if none was, ValueError for a strange name."""
    files = sorted(folder.glob("*.yaml"), key=lambda file: _numbers(file.stem))
    if not files:
        raise FileNotFoundError(f"{folder} has no released contract")
    return files[-1]


def dereferenced(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with what references lead to in their place; those within what they lead to are left."""

    def resolve(node: Any, within: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [resolve(item, within) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        beside = {key: value for key, value in node.items() if key != "$ref"}
        if not isinstance(reference, str):
            return {key: resolve(value, within) for key, value in node.items()}
        if reference in within:
            return node
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return resolve({**target, **beside}, (*within, reference))

    resolved: dict[str, Any] = resolve(document, ())
    return resolved


# What is not a schema. Each of these yields the changes of one kind of object of a document without references.


def _dialect(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if _numbers(old["openapi"])[:2] != _numbers(new["openapi"])[:2]:
        what = f"it is OpenAPI {new['openapi']}, no longer {old['openapi']}, which not every tool may read"
        yield Change(Impact.BREAKING, "contract", what)


def _path(old: Mapping[str, Any], new: Mapping[str, Any]) -> Callable[[Any, Any, str], Iterator[Change]]:
    """Return what compares the operations of a path, with the parameters and the security that they inherit."""

    def operations(document: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
        inherited = {"security": document.get("security", [])}
        return {
            method.upper(): {
                **inherited,
                **operation,
                "parameters": [*item.get("parameters", ()), *operation.get("parameters", ())],
            }
            for method, operation in item.items()
            if method in METHODS
        }

    def compare(before: Any, after: Any, where: str) -> Iterator[Change]:
        yield from _each(operations(old, before), operations(new, after), where, "operation", _operation)
        yield from _rest(before, after, METHODS | {"parameters"}, where)

    return compare


def _operation(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    before, after = _parameters(old), _parameters(new)
    yield from _each(before, after, where, "parameter", _parameter, _breaking_if_required)
    yield from _request_body(old.get("requestBody"), new.get("requestBody"), f"{where} request")
    yield from _responses(old["responses"], new["responses"], where)
    yield from _security(old["security"], new["security"], where)
    yield from _rest(old, new, {"parameters", "requestBody", "responses", "security"}, where)


def _parameters(operation: Mapping[str, Any]) -> dict[str, Any]:
    # What an operation says of a parameter goes before what its path says, hence the later one stays.
    return {f"{one['name']} in {one['in']}": one for one in operation["parameters"]}


def _parameter(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    yield from _requiredness(old, new, where)
    yield from _schema(old.get("schema", True), new.get("schema", True), where, sent=True)
    yield from _rest(old, new, {"name", "in", "required", "schema"}, where)


def _request_body(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, where: str) -> Iterator[Change]:
    if old is None and new is None:
        return
    if new is None:
        yield Change(Impact.BREAKING, where, "the body is gone")
    elif old is None:
        yield Change(_breaking_if_required(new), where, "the body is new")
    else:
        yield from _requiredness(old, new, where)
        yield from _each(old["content"], new["content"], where, "media type", _media_type(sent=True))
        yield from _rest(old, new, {"required", "content"}, where)


def _responses(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    for status, response in old.items():
        if status in new:
            yield from _response(response, new[status], f"{where} {status}")
        else:
            yield Change(Impact.BREAKING, where, f"status {status} is gone")
    for status in new.keys() - old.keys():
        # 404 is nothing new to whoever knows that any 4XX may come.
        known = f"{status[0]}XX" in old or "default" in old
        what = f"status {status} is new" + ("" if known else ", and no client expects it")
        yield Change(Impact.ADDITION if known else Impact.BREAKING, where, what)


def _response(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    before, after = old.get("content", {}), new.get("content", {})
    yield from _each(before, after, where, "media type", _media_type(sent=False), _breaking)
    yield from _each(old.get("headers", {}), new.get("headers", {}), where, "header", _header)
    yield from _each(old.get("links", {}), new.get("links", {}), where, "link", _link)
    yield from _rest(old, new, {"content", "headers", "links"}, where)


def _header(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    if old.get("required", False) and not new.get("required", False):
        yield Change(Impact.BREAKING, where, "it may be absent")
    yield from _schema(old.get("schema", True), new.get("schema", True), where, sent=False)
    yield from _rest(old, new, {"required", "schema"}, where)


def _link(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    yield from _rest(old, new, set(), where)


def _media_type(*, sent: bool) -> Callable[[Any, Any, str], Iterator[Change]]:
    def compare(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
        yield from _schema(old.get("schema", True), new.get("schema", True), where, sent=sent)
        yield from _rest(old, new, {"schema"}, where)

    return compare


def _security(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], where: str) -> Iterator[Change]:
    """Compare alternatives: whoever satisfies one of the old ones has to satisfy one of the new ones."""
    before, after = list(old) or [{}], list(new) or [{}]
    for one in before:
        if not any(_asks_no_more(other, one) for other in after):
            yield Change(Impact.BREAKING, where, f"{' and '.join(one) or 'no token'} does not suffice")
    for one in after:
        if one not in before:
            yield Change(Impact.ADDITION, where, f"{' and '.join(one) or 'no token'} suffices")


def _asks_no_more(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(name in other and set(scopes) <= set(other[name]) for name, scopes in one.items())


def _security_schemes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    def compare(before: Mapping[str, Any], after: Mapping[str, Any], where: str) -> Iterator[Change]:
        yield from _schema(before.get("x-token-schema", True), after.get("x-token-schema", True), where, sent=True)
        yield from _rest(before, after, {"x-token-schema"}, where)

    kind = "securitySchemes"
    before, after = old.get("components", {}).get(kind, {}), new.get("components", {}).get(kind, {})
    yield from _each(before, after, "", "security scheme", compare)


def _names_of_schemas(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Find component schemas that went or came: models are called by their names. What they say, operations tell."""
    before, after = old.get("components", {}).get("schemas", {}), new.get("components", {}).get("schemas", {})
    yield from _each(before, after, "", "schema", lambda *_: iter(()))


def _servers(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before, after = ({one["url"]: one for one in document.get("servers", ())} for document in (old, new))
    yield from _each(before, after, "", "server", lambda one, other, where: _rest(one, other, {"url"}, where))


def _readings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Find readings that went, came or read otherwise. What that breaks no program can tell; it is never nothing."""
    before, after = old.get("x-readings", {}), new.get("x-readings", {})
    for name in before | after:
        if before.get(name, {}).get("reading") != after.get(name, {}).get("reading"):
            yield Change(Impact.ADDITION, f"reading {name}", "it reads otherwise: see for yourself what that breaks")


def _requiredness(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[Change]:
    before, after = old.get("required", False), new.get("required", False)
    if after and not before:
        yield Change(Impact.BREAKING, where, "it is required")
    elif before and not after:
        yield Change(Impact.ADDITION, where, "it is no longer required")


def _addition(_: Any) -> Impact:
    return Impact.ADDITION


def _breaking(_: Any) -> Impact:
    return Impact.BREAKING


def _breaking_if_required(one: Mapping[str, Any]) -> Impact:
    return Impact.BREAKING if one.get("required", False) else Impact.ADDITION


def _each(  # noqa: PLR0913, PLR0917 - two sides, and how to name, compare and judge what they have
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    where: str,
    kind: str,
    compare: Callable[[Any, Any, str], Iterator[Change]],
    arrival: Callable[[Any], Impact] = _addition,
) -> Iterator[Change]:
    """Compare what two mappings have under the same names; what is gone breaks, what is new `arrival` judges."""
    for name, before in old.items():
        if name in new:
            yield from compare(before, new[name], f"{where} {name}".strip())
        else:
            yield Change(Impact.BREAKING, where or "contract", f"{kind} {name} is gone")
    for name, after in new.items():
        if name not in old:
            yield Change(arrival(after), where or "contract", f"{kind} {name} is new")


def _rest(old: Mapping[str, Any], new: Mapping[str, Any], known: Iterable[str], where: str) -> Iterator[Change]:
    """Hold to be breaking what differs and is neither words nor looked at elsewhere."""
    for key in sorted(old.keys() | new.keys()):
        if key in known or _is_words(key):
            continue
        if key == "deprecated":
            if bool(old.get(key)) is not bool(new.get(key)):
                yield Change(Impact.ADDITION, where, f"it is {'' if new.get(key) else 'no longer '}deprecated")
        elif _bare({key: old.get(key)}) != _bare({key: new.get(key)}):
            yield Change(Impact.BREAKING, where, f"{key} differs")


# Schemas.


def _schema(old: Any, new: Any, where: str, *, sent: bool) -> Iterator[Change]:
    """Compare two schemas of what a client sends, or else of what it gets."""
    before, after = _as_mapping(old), _as_mapping(new)
    harmless = Way.WIDER if sent else Way.NARROWER
    if old is False or new is False:  # nothing at all is allowed
        if old is not new:
            way, what = (Way.NARROWER, "it is not allowed") if new is False else (Way.WIDER, "it is allowed")
            yield Change(Impact.ADDITION if way is harmless else Impact.BREAKING, where, what)
        return
    for way, what in _ways(before, after):
        yield Change(Impact.ADDITION if way is harmless else Impact.BREAKING, where, what)
    yield from _properties(before, after, where, sent=sent)
    yield from _schema_beneath(before, after, "items", f"{where}[]", sent=sent)
    yield from _schema_beneath(before, after, "additionalProperties", f"{where}.*", sent=sent)
    yield from _rest(before, after, UNDERSTOOD - {"deprecated"}, where)


def _schema_beneath(
    old: Mapping[str, Any], new: Mapping[str, Any], key: str, where: str, *, sent: bool
) -> Iterator[Change]:
    if key in old or key in new:
        yield from _schema(old.get(key, True), new.get(key, True), where, sent=sent)


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], where: str, *, sent: bool) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    # Where nothing else could come, whatever comes now is unknown.
    closed = not sent and old.get("additionalProperties", True) is False
    for name, schema in before.items():
        if name in after:
            yield from _schema(schema, after[name], f"{where}.{name}", sent=sent)
        else:
            yield Change(Impact.BREAKING, where, f"property {name} is gone")
    for name in after:
        if name not in before:
            yield Change(Impact.BREAKING if closed else Impact.ADDITION, where, f"property {name} is new")


def _ways(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Way, str]]:
    """Tell in which ways a schema itself, what lies beneath it aside, takes fewer or more values than it did."""
    yield from _types(_types_of(old), _types_of(new))
    yield from _choices(_choices_of(old), _choices_of(new))
    for key in (*LOWER_BOUNDS, *UPPER_BOUNDS):
        none = -inf if key in LOWER_BOUNDS else inf
        before, after = old.get(key, none), new.get(key, none)
        if before != after:
            narrower = after > before if key in LOWER_BOUNDS else after < before
            yield (
                Way.NARROWER if narrower else Way.WIDER,
                f"{key} is {new.get(key, 'gone')}, was {old.get(key, 'none')}",
            )
    for key in OPAQUE:
        if old.get(key) != new.get(key):
            yield _opaque(old.get(key), new.get(key)), f"{key} is {new.get(key, 'gone')}, was {old.get(key, 'none')}"
    if (unique := new.get("uniqueItems", False)) != old.get("uniqueItems", False):
        yield Way.NARROWER if unique else Way.WIDER, f"items may {'not ' * unique}repeat"
    before_required, after_required = set(old.get("required", ())), set(new.get("required", ()))
    yield from ((Way.NARROWER, f"property {name} is required") for name in sorted(after_required - before_required))
    yield from ((Way.WIDER, f"property {name} is optional") for name in sorted(before_required - after_required))


def _types(old: frozenset[str], new: frozenset[str]) -> Iterator[tuple[Way, str]]:
    if old != new:
        way = Way.NARROWER if new < old else Way.WIDER if old < new else Way.OTHER
        yield way, f"it is {_either(new)}, was {_either(old)}"


def _choices(old: frozenset[str] | None, new: frozenset[str] | None) -> Iterator[tuple[Way, str]]:
    if old is None or new is None:
        if old is not new:
            yield Way.WIDER if new is None else Way.NARROWER, f"any value is {'' if new is None else 'no longer '}meant"
        return
    yield from ((Way.NARROWER, f"value {value} is gone") for value in sorted(old - new))
    yield from ((Way.WIDER, f"value {value} is new") for value in sorted(new - old))


def _opaque(old: Any, new: Any) -> Way:
    if old is None or (new, old) in WIDER_FORMATS:
        return Way.NARROWER
    return Way.WIDER if new is None or (old, new) in WIDER_FORMATS else Way.OTHER


def _types_of(schema: Mapping[str, Any]) -> frozenset[str]:
    named = schema.get("type", EVERY_TYPE)
    types = frozenset({named}) if isinstance(named, str) else frozenset(named)
    return types | {"integer"} if "number" in types else types


def _choices_of(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the values that `enum` and `const` leave, as JSON, or None if they leave any."""
    choices = [{_as_json(value) for value in schema["enum"]}] if "enum" in schema else []
    choices += [{_as_json(schema["const"])}] if "const" in schema else []
    return frozenset(set.intersection(*choices)) if choices else None


def _either(types: frozenset[str]) -> str:
    return "anything" if types == EVERY_TYPE else " or ".join(sorted(types))


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _as_mapping(schema: Any) -> Mapping[str, Any]:
    """Return the schema as a mapping, which says nothing if it takes everything."""
    mapping: Mapping[str, Any] = {} if isinstance(schema, bool) else schema
    return mapping


def _bare(node: Any, *, names: bool = False) -> Any:
    """Return the node without words, at any depth; of a mapping from `names`, no key is a word."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if names or not _is_words(key)}
        return {key: _bare(value, names=not names and key in MAPPINGS) for key, value in kept.items()}
    return node


def _is_words(key: str) -> bool:
    return key in WORDS or (key.startswith("x-") and key not in MEANINGFUL_EXTENSIONS)


def _numbers(version: str) -> tuple[int, int, int]:
    match = VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"{version} is no version of three numbers")
    major, minor, patch = map(int, match.groups())
    return major, minor, patch


def _load(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every change and every problem; exit with 1 if there is a problem."""
    parser = argparse.ArgumentParser(description="Compare the contract with that of the last release.")
    parser.add_argument("old", type=Path, nargs="?", help="default: the newest of openapi/released")
    parser.add_argument("new", type=Path, nargs="?", default=CONTRACT, help="default: openapi/openapi.yaml")
    options = parser.parse_args(arguments)
    released = options.old or newest(RELEASED)
    old, new = _load(released), _load(options.new)
    versions = old["info"]["version"], new["info"]["version"]
    found = changes(old, new)
    problems = [problem] if (problem := version_problem(found, *versions)) else []
    if options.old is None:
        problems += changelog_problems(CHANGELOG.read_text(encoding="utf-8"), sorted(set(versions)))
        if released.stem != versions[0]:
            problems.append(f"{released.name} is version {versions[0]}")
    for line in (*found, *problems):
        print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
