"""Schemathesis at our service: inputs generated from the contract, and a second opinion on answers.

Only its generator and its checks are used. Requests are sent by our own client and aimed at our own providers, since
its own runner sends invented ids to update and destroy.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.specs.openapi.checks import response_schema_conformance

from provider_conformance.contract import Level, Operation
from provider_conformance.judge import Problem, answer, name_of
from provider_conformance.values.bounded import as_traits, bounded_contract

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from schemathesis.specs.openapi.schemas import OpenApiSchema

    from provider_conformance.exchange import Exchange
    from provider_conformance.values.plausible import Provider, Traits

METHODS = {Operation.CREATE: "POST", Operation.SHOW: "GET", Operation.LIST: "GET", Operation.UPDATE: "POST"}


@cache
def _schema(level: Level) -> OpenApiSchema:
    # An explicit configuration: otherwise a schemathesis.toml in the working directory would be read.
    config = schemathesis.Config.from_dict({"cache": {"enabled": False}, "max-redirects": 0})
    return schemathesis.openapi.from_dict(bounded_contract(level), config=config)


@cache
def generated(operation: Operation) -> SearchStrategy[Traits]:
    """Generate providers that the contract allows in the body of an operation and an operator may send."""
    cases = _schema(Level.CORE)[operation.path][METHODS[operation]].as_strategy(
        generation_mode=GenerationMode.POSITIVE
    )
    return cases.map(lambda case: as_traits(cast("Provider", case.body)))


def second_opinion(exchange: Exchange, *, operation: str, level: str) -> Problem | None:
    """Judge a 200 answer by Schemathesis's own checks of media type and schema."""
    if exchange.response is None:
        return None
    load_all_checks()
    described = _schema(Level(level))[Operation(operation).path][METHODS[Operation(operation)]]
    prepared = requests.Request(exchange.request.method, f"http://target.example{exchange.request.target}").prepare()
    headers: dict[str, list[str]] = {}
    for name, value in exchange.response.headers:
        headers.setdefault(name.lower(), []).append(value)
    response = schemathesis.Response(
        exchange.response.status, headers, exchange.response.body, prepared, exchange.elapsed, verify=True
    )
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


def _flat(failure: BaseException) -> Iterator[BaseException]:
    """Give the failures that Schemathesis groups, none of which is an Exception group."""
    if isinstance(failure, BaseExceptionGroup):
        for one in failure.exceptions:
            yield from _flat(one)
    else:
        yield failure
