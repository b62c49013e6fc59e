"""Check what a validator of OpenAPI documents lets pass, and that contract and catalogue agree.

    python tools/check_contract.py   # exits 1 and names every problem

References that lead nowhere, links to operations that do not exist, security schemes that nobody defined, and
examples that are missing or violate their own schemas are all valid OpenAPI. Here they are problems.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator

from provider_conformance.contract import (
    CATALOGUE_FILE,
    CONTRACT_FILE,
    Catalogue,
    Contract,
    load_catalogue,
    load_contract,
    pointer_matches,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPENAPI = Path(__file__).resolve().parent.parent / "openapi"

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
READING = re.compile(r"\bD\d+\b")
NAMES = re.compile(r"/(properties|patternProperties|components/\w+)$")
"""Where the keys of a mapping are names that somebody chose."""

DATA = frozenset({"const", "default", "enum", "example", "value"})
"""What holds values, in which any key may stand."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that is wrong with the contract or the catalogue, and where."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def problems(contract: Contract, catalogue: Catalogue) -> list[Problem]:
    """Find all problems of the contract, of the catalogue, and between the two."""
    document = contract.document
    dangling = list(dangling_references(document))
    if dangling:  # nothing else can be looked at safely
        return dangling
    return [
        *unused_components(document),
        *unknown_link_targets(document),
        *undefined_security_schemes(document),
        *missing_examples(document),
        *invalid_examples(document),
        *catalogue_mismatches(contract, catalogue),
        *unknown_readings(contract),
    ]


def duplicate_keys(file: Path) -> Iterator[Problem]:
    """Find keys that a mapping has twice: of those, YAML parsers keep the last and say nothing."""
    seen_nodes: set[int] = set()

    def walk(node: yaml.Node) -> Iterator[Problem]:
        if id(node) in seen_nodes:  # an alias leads to the node that it names
            return
        seen_nodes.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from walk(item)
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if key.value in keys:
                    yield Problem(f"{file.name}, line {key.start_mark.line + 1}", f"{key.value} is there twice")
                keys.add(key.value)
                yield from walk(value)

    root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    if root is not None:
        yield from walk(root)


def dangling_references(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find references that lead nowhere, or out of the document."""
    for where, node in _walk(document):
        if isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            try:
                _follow(document, reference)
            except LookupError:
                yield Problem(where, f"{reference} leads nowhere")


def unused_components(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find components that nothing refers to; a security scheme is used by its name."""
    used = {node["$ref"] for _, node in _walk(document) if isinstance(node, dict) and "$ref" in node}
    for kind, components in document["components"].items():
        for name in components:
            reference = f"#/components/{kind}/{name}"
            if kind != "securitySchemes" and reference not in used:
                yield Problem(reference, "nothing refers to it")


def unknown_link_targets(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find links to operations, or to parameters of operations, that do not exist."""
    operations = dict(_operations(document))
    for name, link in document["components"].get("links", {}).items():
        where = f"#/components/links/{name}"
        operation = next((o for o in operations.values() if o["operationId"] == link["operationId"]), None)
        if operation is None:
            yield Problem(where, f"there is no operation {link['operationId']}")
            continue
        parameters = {_resolve(document, parameter)["name"] for parameter in operation.get("parameters", ())}
        for parameter in link.get("parameters", {}):
            if parameter not in parameters:
                yield Problem(where, f"{link['operationId']} has no parameter {parameter}")
        if "requestBody" in link and "requestBody" not in operation:
            yield Problem(where, f"{link['operationId']} has no request body")


def undefined_security_schemes(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find security requirements that name no scheme, and operations that ask for none at all."""
    defined = document["components"].get("securitySchemes", {})
    for where, operation in _operations(document):
        required = operation.get("security", document.get("security", []))
        if not required:
            yield Problem(where, "no security is required")
        for name in (name for requirement in required for name in requirement):
            if name not in defined:
                yield Problem(where, f"there is no security scheme {name}")


def missing_examples(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find schemas, parameters, request bodies and successful answers that no example illustrates."""
    for where, node in _illustrated(document):
        if not node.get("examples") and "example" not in node:
            yield Problem(where, "has no example")


def invalid_examples(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Find examples of bodies, parameters, headers and schemas that violate the schema that they illustrate."""
    for where, node in _descriptions(document):
        # A media type, a parameter or a header has its schema beside its examples; a schema is its own.
        schema = node.get("schema", node)
        for name, value in _examples(document, node):
            yield from _violations(document, schema, value, f"{where}/{name}")


def catalogue_mismatches(contract: Contract, catalogue: Catalogue) -> Iterator[Problem]:
    """Find parts of the contract that no requirement covers, and what requirements name but it lacks."""
    pointers = contract.pointers()
    readings = {reading.id for reading in contract.readings}
    for pointer in pointers:
        if not any(requirement.covers_pointer(pointer) for requirement in catalogue):
            yield Problem(CONTRACT_FILE, f"no requirement covers {pointer}")
    for requirement in catalogue:
        if not requirement.covers:
            yield Problem(requirement.id, "covers nothing")
        for pattern in requirement.covers:
            if not any(pointer_matches(pattern, pointer) for pointer in pointers):
                yield Problem(requirement.id, f"{pattern} names nothing in the contract")
        for reading in requirement.reading:
            if reading not in readings:
                yield Problem(requirement.id, f"there is no reading {reading}")


def unknown_readings(contract: Contract) -> Iterator[Problem]:
    """Find readings that the contract's texts mention but do not have, and those that no text mentions."""
    readings = {reading.id for reading in contract.readings}
    mentioned: set[str] = set()
    for where, node in _walk({key: part for key, part in contract.document.items() if key != "x-readings"}):
        if isinstance(node, str):
            found = set(READING.findall(node))
            mentioned |= found
            for reading in sorted(found - readings):
                yield Problem(where, f"there is no reading {reading}")
    for reading in sorted(readings - mentioned):
        yield Problem(f"#/x-readings/{reading}", "no text mentions it")


def _illustrated(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give what needs an example: component schemas, and what each operation takes and answers with on success."""
    for name, schema in document["components"].get("schemas", {}).items():
        yield f"#/components/schemas/{name}", schema
    for where, operation in _operations(document):
        for number, parameter in enumerate(operation.get("parameters", ())):
            yield f"{where}/parameters/{number}", _resolve(document, parameter)
        bodies = {f"{where}/responses/{status}": operation["responses"][status] for status in _successes(operation)}
        if "requestBody" in operation:
            bodies[f"{where}/requestBody"] = operation["requestBody"]
        for place, body in bodies.items():
            for media_type, content in _resolve(document, body).get("content", {}).items():
                yield f"{place}/content/{media_type.replace('/', '~1')}", content


def _successes(operation: Mapping[str, Any]) -> Iterator[str]:
    return (status for status in operation["responses"] if status.startswith("2"))


def _examples(document: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the examples of a media type, parameter, header or schema, by where in it they stand."""
    match node.get("examples"):
        case dict() as named if "schema" in node:
            for name, example in named.items():
                yield f"examples/{name}", _resolve(document, example)["value"]
        case list() as bare:
            yield from ((f"examples/{number}", value) for number, value in enumerate(bare))
    if "example" in node:
        yield "example", node["example"]


def _descriptions(node: object, where: str = "#") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the mappings that describe something: not those from names, and none within the value of an example."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _descriptions(item, f"{where}/{number}")
    elif isinstance(node, dict):
        of_names = NAMES.search(where) is not None
        if not of_names:
            yield where, node
        for key, value in node.items():
            if of_names or not (key in DATA or (key == "examples" and isinstance(value, list))):
                yield from _descriptions(value, f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}")


def _violations(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> Iterator[Problem]:
    # References in the schema start at the root of the document, so its components come along.
    validator = Draft202012Validator({**schema, "components": document["components"]})
    for error in validator.iter_errors(value):
        yield Problem(where, error.message)


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield f"#/paths/{path.replace('/', '~1')}/{method}", operation


def _walk(node: object, where: str = "#") -> Iterator[tuple[str, object]]:
    yield where, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _walk(value, f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _walk(value, f"{where}/{number}")


def _resolve(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = _follow(document, node["$ref"])
    return node


def _follow(document: Mapping[str, Any], reference: str) -> Any:
    if not reference.startswith("#/"):
        raise LookupError(reference)
    target: Any = document
    for step in reference.removeprefix("#/").split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return target


def main() -> int:
    """Print every problem; exit with 1 if there is any."""
    found = [
        *duplicate_keys(OPENAPI / CONTRACT_FILE),
        *duplicate_keys(OPENAPI / CATALOGUE_FILE),
        *problems(load_contract(), load_catalogue()),
    ]
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
