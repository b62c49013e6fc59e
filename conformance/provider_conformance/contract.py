"""The contract and the catalogue of requirements, as objects.

Both are files, `openapi.yaml` and `requirements.yaml`, which nothing here repeats. An installed package
brings its own copy of them; a checkout has the originals in its folder `openapi/`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

CONTRACT_FILE = "openapi.yaml"
CATALOGUE_FILE = "requirements.yaml"

# The parser in C is several times faster, but not every build of PyYAML has it.
_YAML_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_COMPONENTS = "#/components/schemas/"
_DEFINITIONS = "#/$defs/"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

JsonSchema = dict[str, Any]


class ContractNotFoundError(FileNotFoundError):
    """Neither the installed package nor a checkout around it has the file."""


class ContractFormatError(ValueError):
    """The file is there, but is not what it should be."""


class UnknownRequirementError(KeyError):
    """The catalogue has no requirement of that id."""


class NoSchemaError(LookupError):
    """The contract gives that operation no body of that kind."""


class Level(StrEnum):
    """How much is asked of an implementation; each level up to hardened includes those before it."""

    CORE = "core"
    STRICT = "strict"
    HARDENED = "hardened"
    ADVICE = "advice"

    @property
    def rank(self) -> int:
        """The place of this level in the order core, strict, hardened, advice, from 0."""
        return list(Level).index(self)

    def includes(self, other: Level) -> bool:
        """Tell whether certifying this level asks for requirements of `other`; advice is never asked for."""
        return Level.ADVICE not in {self, other} and other.rank <= self.rank


class Operation(StrEnum):
    """What a requirement is about: one of the five operations, or all of them."""

    CREATE = "create"
    SHOW = "show"
    LIST = "list"
    UPDATE = "update"
    DESTROY = "destroy"
    ALL = "all"

    @property
    def path(self) -> str:
        """The path of the operation under the base URL, such as `/create`; ValueError for ALL."""
        if self is Operation.ALL:
            raise ValueError("only a single operation has a path")
        return f"/{self.value}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that an implementation can be held to. `statement` completes "An implementation …"."""

    id: str
    level: Level
    operation: Operation
    statement: str
    source: str
    reading: tuple[str, ...]
    since: str
    covers: tuple[str, ...]

    def covers_pointer(self, pointer: str) -> bool:
        """Tell whether this requirement is about the part of the contract that `pointer` names."""
        return any(pointer_matches(pattern, pointer) for pattern in self.covers)


@dataclass(frozen=True, slots=True)
class Reading:
    """A place where the documentation contradicts itself or is silent, and how the contract reads it."""

    id: str
    documented: str
    reading: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation, outside its body. `location` is `query` or `header`."""

    name: str
    location: str
    required: bool
    schema: JsonSchema


@dataclass(frozen=True)
class Catalogue:
    """All requirements, in their order. `sha256` is that of the file, in hexadecimal."""

    version: str
    sha256: str
    requirements: tuple[Requirement, ...]

    @cached_property
    def _by_id(self) -> dict[str, Requirement]:
        return {requirement.id: requirement for requirement in self.requirements}

    def __getitem__(self, requirement_id: str) -> Requirement:
        try:
            return self._by_id[requirement_id]
        except KeyError:
            raise UnknownRequirementError(requirement_id) from None

    def __contains__(self, requirement_id: object) -> bool:
        return requirement_id in self._by_id

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self.requirements)

    def __len__(self) -> int:
        return len(self.requirements)

    def up_to(self, level: Level) -> tuple[Requirement, ...]:
        """Select the requirements that certifying `level` asks for.

        Raises ValueError for advice, which nothing is certified against: an empty selection would pass.
        """
        if level is Level.ADVICE:
            raise ValueError("advice is no level to certify")
        return tuple(requirement for requirement in self if level.includes(requirement.level))


@dataclass(frozen=True, eq=False)
class Contract:
    """The OpenAPI document, parsed. `sha256` is that of the file, in hexadecimal.

    Of `document` there is one copy in the process: read it, and do not change it.
    """

    version: str
    sha256: str
    document: Mapping[str, Any]
    readings: tuple[Reading, ...]

    def request_schema(self, operation: Operation) -> JsonSchema:
        """Give the JSON Schema (2020-12, self-contained) of an operation's request body.

        Raises NoSchemaError for show and list, which have none, and ValueError for ALL.
        """
        body = self._operation(operation).get("requestBody")
        if body is None:
            raise NoSchemaError(f"{operation} has no request body")
        return self._self_contained(body["content"]["application/json"]["schema"])

    def response_schema(self, operation: Operation, level: Level = Level.HARDENED) -> JsonSchema:
        """Give the JSON Schema (2020-12, self-contained) of the body of an operation's 200 answer.

        With `level` core, properties whose absence only the strict level blames are not required. Raises
        NoSchemaError for update and destroy, whose body is free, and ValueError for ALL.
        """
        media_type = self._operation(operation)["responses"]["200"]["content"].get("application/json")
        if media_type is None:
            raise NoSchemaError(f"the body of a successful {operation} is free")
        return self._self_contained(media_type["schema"], level)

    def parameters(self, operation: Operation) -> tuple[Parameter, ...]:
        """Give the parameters of an operation, the header with the access token first; ValueError for ALL."""
        described = self._operation(operation)
        header = self._token_scheme()
        token = Parameter(header["name"], header["in"], required=True, schema=dict(header["x-token-schema"]))
        return (
            token,
            *(
                Parameter(
                    parameter["name"],
                    parameter["in"],
                    parameter.get("required", False),
                    self._self_contained(parameter["schema"]),
                )
                for parameter in map(self.resolve, described.get("parameters", ()))
            ),
        )

    def pointers(self) -> tuple[str, ...]:
        """Name every part of the contract that a requirement can cover, in the order of the document.

        These are operations (`create`), parameters (`list.parameter.sort_by`), properties of bodies
        (`create.request.port`, `list.response.providers.id`), documented answers (`destroy.400`) and values
        of enums (`status.ONLINE`). Catalogues name them in `covers`.
        """
        found: dict[str, None] = {}  # a set that keeps its order
        for operation in Operation:
            if operation is not Operation.ALL:
                found.update(dict.fromkeys(self._pointers_of(operation)))
        return tuple(found)

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow a `$ref` within the document, and those it leads to; give other nodes back as they are.

        Raises KeyError if a reference leads nowhere.
        """
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def _operation(self, operation: Operation) -> Mapping[str, Any]:
        # Every path has exactly one method.
        (described,) = self.document["paths"][operation.path].values()
        found: Mapping[str, Any] = described
        return found

    def _token_scheme(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["components"]["securitySchemes"]["accessToken"]
        return found

    def _pointers_of(self, operation: Operation) -> Iterator[str]:
        described = self._operation(operation)
        yield operation.value
        yield f"{operation}.parameter.{self._token_scheme()['name']}"
        for parameter in map(self.resolve, described.get("parameters", ())):
            yield f"{operation}.parameter.{parameter['name']}"
            yield from self._enum_pointers(parameter["name"], parameter["schema"])
        if "requestBody" in described:
            body = described["requestBody"]["content"]["application/json"]["schema"]
            yield from self._property_pointers(f"{operation}.request", body)
        for status, response in described["responses"].items():
            yield f"{operation}.{status}"
            if status == "200":
                for media_type in self.resolve(response)["content"].values():
                    yield from self._property_pointers(f"{operation}.response", media_type["schema"])

    def _property_pointers(self, prefix: str, schema: Mapping[str, Any]) -> Iterator[str]:
        for name, property_schema in self.resolve(schema).get("properties", {}).items():
            yield f"{prefix}.{name}"
            yield from self._enum_pointers(name, property_schema)
            items = self.resolve(property_schema).get("items", {})
            yield from self._property_pointers(f"{prefix}.{name}", items)

    def _enum_pointers(self, name: str, schema: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"{name}.{value}" for value in self.resolve(schema).get("enum", ()))

    def _self_contained(self, schema: Mapping[str, Any], level: Level = Level.HARDENED) -> JsonSchema:
        definitions: dict[str, Any] = {}

        def rewrite(node: Any) -> Any:
            if isinstance(node, list):
                return [rewrite(item) for item in node]
            if not isinstance(node, dict):
                return node
            if (reference := node.get("$ref", "")).startswith(_COMPONENTS):
                name = reference.removeprefix(_COMPONENTS)
                if name not in definitions:
                    # Entered before it is filled, so that a schema may refer to itself.
                    definitions[name] = {}
                    definitions[name] = rewrite(self.document["components"]["schemas"][name])
                return node | {"$ref": f"{_DEFINITIONS}{name}"}
            required_level = node.get("x-required-level")
            lenient = required_level is not None and not level.includes(Level(required_level))
            return {key: rewrite(value) for key, value in node.items() if not (lenient and key == "required")}

        rewritten = rewrite(schema)
        return {"$schema": _DIALECT, **rewritten} | ({"$defs": definitions} if definitions else {})


def pointer_matches(pattern: str, pointer: str) -> bool:
    """Tell whether a pattern of `covers` matches a pointer; `*` stands for any one step between the dots."""
    wanted, given = pattern.split("."), pointer.split(".")
    return len(wanted) == len(given) and all(w in {"*", g} for w, g in zip(wanted, given, strict=True))


@cache
def load_contract() -> Contract:
    """Read the OpenAPI document, once in a process.

    Raises ContractNotFoundError if it is absent and ContractFormatError if it is no OpenAPI document.
    """
    content = _read(CONTRACT_FILE)
    document = _parse(CONTRACT_FILE, content)
    try:
        return Contract(
            version=document["info"]["version"],
            sha256=hashlib.sha256(content).hexdigest(),
            document=document,
            readings=tuple(
                Reading(id=reading_id, documented=reading["documented"], reading=reading["reading"])
                for reading_id, reading in document["x-readings"].items()
            ),
        )
    except (KeyError, TypeError) as error:
        raise ContractFormatError(f"{CONTRACT_FILE}: missing or misplaced: {error}") from error


@cache
def load_catalogue() -> Catalogue:
    """Read the catalogue of requirements, once in a process.

    Raises ContractNotFoundError if it is absent and ContractFormatError if an entry lacks a field, has an
    unknown one, names no known level or operation, or bears the id of another.
    """
    return parse_catalogue(_read(CATALOGUE_FILE))


def parse_catalogue(content: bytes) -> Catalogue:
    """Make a catalogue of the YAML that describes one; ContractFormatError as for `load_catalogue`."""
    document = _parse(CATALOGUE_FILE, content)
    try:
        requirements = tuple(_requirement(entry) for entry in document["requirements"])
        version = document["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise ContractFormatError(f"{CATALOGUE_FILE}: {error}") from error
    ids = [requirement.id for requirement in requirements]
    if duplicates := {requirement_id for requirement_id in ids if ids.count(requirement_id) > 1}:
        raise ContractFormatError(f"{CATALOGUE_FILE}: more than one of {', '.join(sorted(duplicates))}")
    return Catalogue(version, hashlib.sha256(content).hexdigest(), requirements)


def _requirement(entry: dict[str, Any]) -> Requirement:
    return Requirement(
        **(
            entry
            | {
                "level": Level(entry["level"]),
                "operation": Operation(entry["operation"]),
                "reading": tuple(entry["reading"]),
                "covers": tuple(entry["covers"]),
            }
        )
    )


def _read(name: str) -> bytes:
    for folder in _folders():
        file = folder / name
        if file.is_file():
            return file.read_bytes()
    raise ContractNotFoundError(f"{name} is neither in the installed package nor in a checkout around it")


def _folders() -> tuple[Traversable, ...]:
    package = resources.files("provider_conformance")
    checkout = Path(__file__).resolve().parents[2]
    return (package / "openapi", checkout / "openapi")


def _parse(name: str, content: bytes) -> dict[str, Any]:
    try:
        document = yaml.load(content, Loader=_YAML_LOADER)  # noqa: S506 - either is a safe loader
    except yaml.YAMLError as error:
        raise ContractFormatError(f"{name}: {error}") from error
    if not isinstance(document, dict):
        raise ContractFormatError(f"{name}: not a mapping")
    return document


def told_at(level: Level) -> tuple[Requirement, ...]:
    """Return the requirements that a report at a level speaks of: all up to the level, and the advice."""
    return tuple(
        requirement
        for requirement in load_catalogue()
        if level.includes(requirement.level) or requirement.level is Level.ADVICE
    )
