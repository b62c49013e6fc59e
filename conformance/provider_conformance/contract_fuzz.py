"""Schemathesis at our service: inputs generated from the contract, and a second opinion on answers.

Only its generator and its checks are used. Requests are sent by our own client and aimed at our own providers, since
its own runner sends invented ids to update and destroy.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast

import jsonschema_rs
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.specs.openapi.checks import response_schema_conformance

from provider_conformance.contract import Level, Operation, load_contract
from provider_conformance.judge import INT64, Problem, answer, is_int64, name_of
from provider_conformance.search import drawn, repeatable
from provider_conformance.values.bounded import as_traits, bounded_contract
from provider_conformance.values.illegal import Violation, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hypothesis.strategies import SearchStrategy
    from schemathesis import Case
    from schemathesis.specs.openapi.schemas import OpenApiSchema

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.values.plausible import Provider, Traits

T = TypeVar("T")

METHODS = {Operation.CREATE: "POST", Operation.SHOW: "GET", Operation.LIST: "GET", Operation.UPDATE: "POST"}


@cache
def _schema(level: Level) -> OpenApiSchema:
    # An explicit configuration: otherwise a schemathesis.toml in the working directory would be read.
    config = schemathesis.Config.from_dict({"cache": {"enabled": False}, "max-redirects": 0})
    return schemathesis.openapi.from_dict(bounded_contract(level), config=config)


@cache
def generated(operation: Operation) -> SearchStrategy[Traits]:
    """Generate providers that the contract allows in the body of an operation and an operator may send."""
    cases = _schema(Level.CORE)[operation.path][METHODS[operation]].as_strategy(generation_mode=GenerationMode.POSITIVE)
    return cases.map(lambda case: as_traits(cast("Provider", case.body)))


def ill_formed(operation: Operation, examples: int, seed: int) -> tuple[Violation, ...]:
    """Generate bodies that must be refused: what the generator takes for invalid and the contract's schema does, too.

    They are held against the schema again, since what the generator changes may be free: 5060.0 for an integer (D17),
    a property that is not documented (D19), a length or a range that only plausible values have (D13). The id in them
    becomes that of a provider of ours. Update's without an id, or with one that is no int64 integer, are left out:
    these are enumerated elsewhere, made of ids of our own. Of destroy's, nothing else would be left.
    """
    validator = jsonschema_rs.validator_for(load_contract().request_schema(operation))
    found: dict[str, Violation] = {}
    for case in _cases(operation, examples, seed):
        body = _plain(case.body)
        if isinstance(body, dict) and is_int64(body.get("id")):
            body["id"] = SOME_ID
        elif operation is not Operation.CREATE:
            continue
        what = next((_told(error) for error in validator.iter_errors(body)), None)
        if what is not None:
            breaks = _broken(validator, body) if operation is Operation.CREATE else None
            found[json.dumps(body, sort_keys=True)] = Violation(what, partial(rewritten, body), breaks=breaks)
    return sampled(list(found.values()), examples, seed)


def ill_formed_queries(operation: Operation, examples: int, seed: int) -> tuple[dict[str, str], ...]:
    """Generate queries that must be refused: one documented parameter at least is none however freely it is read.

    Parameters that are not documented, and those that are repeated, are free and left out; page sizes and pages that
    do not exist are numbers, and free (D16), as numbers in other spellings are (D17).
    """
    found = {}
    for case in _cases(operation, examples, seed):
        query = {name: value for name, value in dict(case.query or {}).items() if name in LEGAL[operation]}
        if not all(isinstance(value, str | int | float) for value in query.values()):
            continue
        texts = {name: _as_text(value) for name, value in query.items()}
        if any(not is_legal(texts.get(name)) for name, is_legal in LEGAL[operation].items()):
            found[repr(sorted(texts.items()))] = texts
    return sampled(list(found.values()), examples, seed)


def second_opinion(exchange: Exchange, *, operation: str, level: str) -> Problem | None:
    """Judge a 200 answer by Schemathesis's own checks of media type and schema."""
    body = _exact(exchange)
    if exchange.response is None or body is None:
        return None
    load_all_checks()
    described = _schema(Level(level))[Operation(operation).path][METHODS[Operation(operation)]]
    prepared = requests.Request(exchange.request.method, f"http://target.example{exchange.request.target}").prepare()
    headers: dict[str, list[str]] = {}
    for name, value in exchange.response.headers:
        headers.setdefault(name.lower(), []).append(value)
    response = schemathesis.Response(exchange.response.status, headers, body, prepared, exchange.elapsed, verify=True)
    try:
        described.Case().validate_response(response, checks=[response_schema_conformance])
    except (AssertionError, BaseExceptionGroup) as failure:
        # Only what its schema check says. It also takes a number of 5,000 digits for no JSON, which is valid in an
        # undocumented property; media types and well-formedness have a rule of their own (HTTP-1).
        broken = [one for one in _flat(failure) if isinstance(one, JsonSchemaError)]
        if broken:
            told = " ".join(str(broken[0]).split())[:300]
            what = f"the answer of {name_of(exchange)} breaks the contract: {told}"
            return Problem(what, "the contract's schema", answer(exchange))
    return None


def _exact(exchange: Exchange) -> bytes | None:
    """Return the body of an answer with its integers in plain digits, or None where a number is beyond every double.

    The checks read 5.0, which is free (D17), as a double, and one near the bounds of int64 as what is beyond them.
    """
    if exchange.response is None:
        return None
    if not exchange.json.readable:
        return exchange.response.body
    try:
        return json.dumps(exchange.json.value, allow_nan=False).encode()
    except ValueError:
        return None


def _flat(failure: BaseException) -> Iterator[BaseException]:
    """Give the failures that Schemathesis groups, none of which is an Exception group."""
    if isinstance(failure, BaseExceptionGroup):
        for one in failure.exceptions:
            yield from _flat(one)
    else:
        yield failure


def sampled(items: Sequence[T], most: int, seed: int) -> tuple[T, ...]:
    """Take so many of the items, the same for the same seed."""
    return tuple(Random(seed).sample(items, min(most, len(items))))  # noqa: S311 - nothing secret


def _cases(operation: Operation, examples: int, seed: int) -> Iterator[Case[Any]]:
    """Give the generator's negative cases: all that it enumerates, and some that it draws."""
    schema = _schema(Level.CORE)
    described = schema[operation.path][METHODS[operation]]
    config = schema.config.generation_for(operation=described, phase="coverage")
    # What it enumerates is in part drawn by Hypothesis, too.
    with repeatable():
        enumerated = list(
            schema.iter_coverage_cases(described, generation_modes=[GenerationMode.NEGATIVE], generation_config=config)
        )
    yield from (case for case in enumerated if case.method == described.method.upper())
    yield from drawn(described.as_strategy(generation_mode=GenerationMode.NEGATIVE), max(5, examples), seed)


def _plain(body: object) -> JsonValue:
    """Return a JSON value of a generated body; what is none, such as no body at all, becomes null."""
    try:
        value: JsonValue = json.loads(json.dumps(body, allow_nan=False))
    except (TypeError, ValueError):
        return None
    return value


def _broken(validator: jsonschema_rs.Validator, body: JsonValue) -> str | None:
    """Name the requirement of create that a body breaks."""
    if not isinstance(body, dict):
        return "CREATE-10"
    kinds = {error.kind.name for error in validator.iter_errors(body)}
    order = {"required": "CREATE-7", "type": "CREATE-8", "enum": "CREATE-9"}
    return next((name for kind, name in order.items() if kind in kinds), None)


def _told(error: jsonschema_rs.ValidationError) -> str:
    """Say what the schema has against a body, without its values."""
    where = ".".join(str(part) for part in error.instance_path) or "a body"
    return f"{where} that breaks {error.kind.name!r} of the schema"


def _as_text(value: float | str) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_number(text: str | None, bounds: range | None) -> bool:
    """Tell whether a parameter is an integer within bounds, however freely it is spelt (D17), or so as a double."""
    if text is None or not FREELY_SPELT.fullmatch(text):
        return False
    number = Decimal(text.strip())
    if number.adjusted() > LONGEST_NUMBER:
        return bounds is None
    return float(number).is_integer() and (bounds is None or int(number) in bounds)


FREELY_SPELT = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,4})?\s*", re.ASCII)
"""A little more than is free, so that nobody is blamed for what may be read as a number."""

LONGEST_NUMBER = 100
SOME_ID = 1
LEGAL: dict[Operation, dict[str, Callable[[str | None], bool]]] = {
    Operation.SHOW: {"id": lambda text: _is_number(text, INT64)},
    Operation.LIST: {
        "pagination": lambda text: _is_number(text, range(-(2**31), 2**31)),
        "pagesize": lambda text: _is_number(text, None),
        "sort_by": lambda text: text in {None, "", "DEFAULT", "OPTIONAL", "Optional"},
    },
}
"""For each parameter of a query, whether its value is none that must be refused."""
