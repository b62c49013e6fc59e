"""Reads recorded answers leniently, so that one wrong thing does not hide another."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from provider_conformance.contract import Operation, load_contract
from provider_conformance.judge.values import NEVER_COMPARED, Values, loose_id, shown, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue


def members_of(exchange: Exchange) -> dict[str, JsonValue] | None:
    """Return the members of an answer that is a JSON object, else None."""
    value = exchange.json.value if exchange.json.readable else None
    return value if isinstance(value, dict) else None


def listed(exchange: Exchange) -> list[dict[str, JsonValue]]:
    """Return the providers of a list answer; what is no object is left out."""
    return [item for item in _records(exchange) if isinstance(item, dict)]


def counted(page: Exchange) -> int | None:
    """Return how many providers a page says that the list has, or None when it does not say so."""
    count = (members_of(page) or {}).get("count")
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def page_length(exchange: Exchange) -> int:
    """Count the providers of a list answer, broken ones among them."""
    return len(_records(exchange))


def _records(exchange: Exchange) -> list[JsonValue]:
    providers = (members_of(exchange) or {}).get("providers") if exchange.succeeded else None
    return providers if isinstance(providers, list) else []


def listed_item(exchange: Exchange, id: int) -> dict[str, JsonValue] | None:
    """Return the provider with an id from a list answer, or None."""
    return next((item for item in listed(exchange) if loose_id(item.get("id")) == id), None)


def times_listed(pages: Iterable[Exchange], id: int, name: str) -> int:
    """Count how often pages give a provider: by its id, and where that is nowhere, by its name."""
    items = [item for page in pages for item in listed(page)]
    return sum(loose_id(item.get("id")) == id for item in items) or sum(item.get("name") == name for item in items)


TURNED_AWAY = frozenset({401, 403, 407})
"""Statuses by which a fair request is refused for its token; what is not fair may be refused by them, too (D11)."""


def turned_away(exchange: Exchange) -> bool:
    """Tell whether a fair request was refused for its token; a create may be forbidden for a cap, too."""
    return exchange.status in (TURNED_AWAY - {403} if exchange.operation == Operation.CREATE else TURNED_AWAY)


def says_gone(shown: Exchange) -> bool:
    """Tell whether show says that there is no such provider; to be turned away or not answered says nothing."""
    return shown.refused and shown.status not in TURNED_AWAY | {429}


def given_id(exchange: Exchange) -> int | None:
    """Return the id that create gave, also where its JSON type is wrong, so that the run can go on."""
    return loose_id((members_of(exchange) or {}).get("id"))


@cache
def documented_properties() -> tuple[str, ...]:
    """The properties of a provider that are compared."""
    names = _properties(Operation.SHOW)
    return tuple(name for name in names if name not in NEVER_COMPARED)


@cache
def _properties(operation: str) -> dict[str, dict[str, JsonValue]]:
    """The property schemas of an answer, references resolved; `listed` is an item of list."""
    if operation == "listed":
        providers = _properties(Operation.LIST)["providers"]
        return _resolved(load_contract().response_schema(Operation.LIST), providers["items"])
    schema = load_contract().response_schema(Operation(operation))
    return _resolved(schema, schema)


def _resolved(root: Mapping[str, JsonValue], schema: JsonValue) -> dict[str, dict[str, JsonValue]]:
    properties = _dereferenced(root, schema)["properties"]
    assert isinstance(properties, dict)
    return {name: _dereferenced(root, value) for name, value in properties.items()}


def _dereferenced(root: Mapping[str, JsonValue], schema: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(schema, dict)
    while isinstance(reference := schema.get("$ref"), str):
        siblings = {key: value for key, value in schema.items() if key != "$ref"}
        target: JsonValue = dict(root)
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(target, dict)
            target = target[step]
        assert isinstance(target, dict)
        schema = {**target, **siblings}
    return schema


def wrong_types(members: Values, operation: str) -> dict[str, str]:
    """Name every documented property whose value the contract rules out, with what is wrong with it."""
    problems = {}
    for name, schema in _properties(operation).items():
        if name in members and (problem := _wrong_type(members[name], schema)):
            value = "text" if name == "password" and isinstance(members[name], str) else shown(members[name])
            problems[name] = f"{name} is {value}, {problem}"
    return problems


def _wrong_type(value: JsonValue, schema: Mapping[str, JsonValue]) -> str | None:
    expected = schema.get("type")
    if expected is not None and type_of(value) != expected:
        return f"{type_of(value)}, not {expected}"
    enum = schema.get("enum")
    if isinstance(enum, list) and value not in enum:
        return f"none of {', '.join(map(str, enum))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(value, int) and isinstance(low, int) and isinstance(high, int) and not low <= value <= high:
        return f"outside {schema.get('format', 'its range')}"
    return None
