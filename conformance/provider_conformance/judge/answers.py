"""Rules for the answers of every operation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.exchange import JSON_TYPE, TOKEN_HEADER, Exchange, Request, TransportProblem
from provider_conformance.judge.reading import documented_properties, members_of, wrong_types
from provider_conformance.judge.values import MISSING, Values, loose_id, quoted, shown, type_of
from provider_conformance.judge.wording import Problem, answer, difference, kind_of_body, name_of, outcome, with_what

if TYPE_CHECKING:
    from collections.abc import Sequence


def accepted(exchange: Exchange, *, what: str = "") -> Problem | None:
    """Success is exactly 200 (D12); `what` tells what is special about the request."""
    if exchange.succeeded:
        return None
    return Problem(
        f"{name_of(exchange)}{with_what(what)} is answered with {outcome(exchange)}", "200", answer(exchange)
    )


def refused(exchange: Exchange, *, what: str) -> Problem | None:
    """A refusal is any 4xx (D11); `what` tells why it is due."""
    if exchange.refused:
        return None
    return Problem(
        f"{name_of(exchange)}{with_what(what)} is not refused but answered with {outcome(exchange)}",
        "a refusal: any 4xx",
        answer(exchange),
    )


def says_json(exchange: Exchange) -> bool:
    """Tell whether an answer has something in it that it says is JSON."""
    response = exchange.response
    if response is None or response.json.empty:
        return False
    return {_essence(value) for value in response.header_values("content-type")} == {JSON_TYPE}


def json_well_formed(exchange: Exchange) -> Problem | None:
    """The JSON of a 200 answer is application/json, UTF-8, without byte order mark and duplicate names.

    An empty body is left to the rules that say what must be in it. Source: RFC 8259, RFC 9110 section 8.3.
    """
    response = exchange.response
    if response is None or response.json.empty:
        return None
    media_types = response.header_values("content-type")
    if not media_types:
        return Problem(f"the answer of {name_of(exchange)} has no Content-Type", JSON_TYPE, answer(exchange))
    for media_type in media_types:
        if _essence(media_type) != JSON_TYPE:
            return Problem(
                f"the answer of {name_of(exchange)} is sent as {quoted(media_type)}",
                f"Content-Type: {JSON_TYPE}",
                answer(exchange),
            )
        charset = _charset(media_type.partition(";")[2])
        if charset not in {None, "utf-8", "utf8", "us-ascii"}:
            return Problem(
                f"the answer of {name_of(exchange)} claims the charset {quoted(charset)}",
                "UTF-8, the only encoding of JSON on the network",
                answer(exchange),
            )
    if response.json.problems:
        return Problem(
            f"the JSON of {name_of(exchange)} is not well-formed: {response.json.problems[0]}",
            "well-formed JSON in UTF-8, without byte order mark and duplicate names",
            "; ".join(response.json.problems),
        )
    return None


def served_alike(plain: Exchange, special: Exchange, *, what: str) -> Problem | None:
    """Of two requests that may differ as they do, both are accepted when one is; `what` tells of the second."""
    if plain.succeeded == special.succeeded:
        return None
    odd = special if plain.succeeded else plain
    told = what if plain.succeeded else f"the plain request, not {what},"
    return Problem(f"{name_of(odd)} with {told} is answered with {outcome(odd)}", "200, as for its twin", answer(odd))


def documented_types(exchange: Exchange, *, operation: str, ours: Sequence[int] = ()) -> Problem | None:
    """The documented properties of an answer bear only values of their documented types and enums.

    Of a list's providers only those in `ours` are judged: others may hold what no client could have sent.
    """
    members = members_of(exchange)
    if members is None:
        return None
    wrong = [problem for name, problem in wrong_types(members, operation).items() if name != "providers"]
    providers = members.get("providers") if operation == Operation.LIST else None
    if operation == Operation.LIST and "providers" in members:
        if not isinstance(providers, list):
            wrong.append(f"providers is {shown(providers)}, {type_of(providers)}, not array")
        else:
            wrong += [
                f"provider {shown(item['id'])}: {problem}"
                for item in providers
                if isinstance(item, dict) and loose_id(item.get("id")) in ours
                for problem in wrong_types(item, "listed").values()
            ]
    if not wrong:
        return None
    return Problem(
        f"{operation} answers with a value of the wrong type: {wrong[0]}", "the documented types", "; ".join(wrong)
    )


def answers_object(exchange: Exchange) -> Problem | None:
    """The answer is 200 and a JSON object."""
    if not exchange.succeeded:
        return accepted(exchange)
    if exchange.response is not None and not exchange.json.empty and not exchange.json.readable:
        return None
    if members_of(exchange) is None:
        return Problem(f"{name_of(exchange)} answers with {kind_of_body(exchange)}", "a JSON object", answer(exchange))
    return None


def unchanged(before: Exchange, after: Exchange, *, since: str = "") -> Problem | None:
    """Two answers of show give the same provider; `since` tells what was sent between them."""
    when = f"after {since}, " if since else ""
    old, new = members_of(before) or {}, members_of(after)
    if new is None or not after.succeeded:
        return Problem(
            f"{when}provider {shown(old.get('id'))} can no longer be shown: {outcome(after)}",
            "the provider as it was before",
            answer(after),
        )
    names = documented_properties()
    return difference(
        {name: new.get(name, MISSING) for name in names},
        {name: old.get(name, MISSING) for name in names},
        f"{when}provider {shown(old.get('id'))} has changed",
    )


def refused_without_change(before: Exchange, request: Exchange, after: Exchange, *, what: str) -> Problem | None:
    """A request that had to be refused has left a provider of ours as it was, whatever it was answered with."""
    problem = unchanged(before, after)
    if problem is None:
        return None
    return Problem(
        f"{name_of(request)}{with_what(what)} is answered with {outcome(request)}, and yet {problem.summary}",
        problem.expected,
        problem.actual,
    )


def kept_exactly(
    request: Exchange, after: Exchange, *, values: Values, what: str, spoilt: Sequence[str] = ()
) -> Problem | None:
    """What is unusual and was accepted is stored exactly as it was sent.

    Properties in `spoilt` are not given back rightly even where they are plausible: the fault lies elsewhere.
    """
    members = members_of(after) if after.succeeded else None
    if members is None:
        return Problem(
            f"{name_of(request)}{with_what(what)} is accepted, but then the provider is not shown: {outcome(after)}",
            "the values as they were sent, or a refusal",
            answer(after),
        )
    return difference(
        {name: members.get(name, MISSING) for name in values if name not in spoilt},
        {name: value for name, value in values.items() if name not in spoilt},
        f"{name_of(request)}{with_what(what)} is accepted, but show gives something else than was sent",
    )


def stored_or_refused(exchange: Exchange, *, what: str) -> Problem | None:
    """What the docs allow and nobody sends is accepted or refused; that success is exactly 200 is judged elsewhere."""
    if 200 <= (exchange.status or 0) < 300 or exchange.refused:
        return None
    return Problem(
        f"{name_of(exchange)}{with_what(what)} is neither accepted nor refused but answered with {outcome(exchange)}",
        "200 or any 4xx",
        answer(exchange),
    )


def survived(exchange: Exchange) -> Problem | None:
    """A request is answered, and not by an error of the server's own; 501 and 505 are none."""
    broken = exchange.status is not None and exchange.status >= 500 and exchange.status not in {501, 505}
    silent = exchange.problem in {TransportProblem.TIMED_OUT, TransportProblem.DROPPED}
    if not broken and not silent:
        return None
    told = f"{name_of(exchange)}{with_what(_unusual(exchange.request))}"
    return Problem(f"{told} is answered with {outcome(exchange)}", "any answer but 5xx", answer(exchange))


USUAL_HEADERS = frozenset(
    {*("host", "user-agent", "accept", "accept-encoding", "content-type", "content-length"), TOKEN_HEADER}
)


def _unusual(request: Request) -> str:
    """Say what is unusual about how a request is sent: names of headers, and a body where none is expected."""
    names = [name for name, _ in request.headers if name.lower() not in USUAL_HEADERS]
    return ", ".join([*names, *(["a body"] if request.method == "GET" and request.body else [])])


_PARAMETER = re.compile(r'(?:^|;)\s*+([^\s;="]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;"]*+))', re.DOTALL)
"""A parameter of a media type, its value quoted or not (RFC 9110 section 5.6.6)."""


def _essence(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def _charset(parameters: str) -> str | None:
    """Return the charset that a media type claims; a quoted value may have anything in it."""
    for name, quote, plain in _PARAMETER.findall(parameters):
        if name.lower() == "charset":
            return (re.sub(r"\\(.)", r"\1", quote) or plain).strip().lower()
    return None
