"""Rules for what HTTP asks of any service."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import TYPE_CHECKING

from provider_conformance.disclosure import internals, sayings, token_disclosed, value_disclosed
from provider_conformance.exchange import TOKEN_HEADER, TransportProblem
from provider_conformance.judge.values import quoted
from provider_conformance.judge.wording import Problem, answer, name_of, outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue

SLOWEST = 5.0
"""Seconds that a request may always take: no noise on a busy machine is to be taken for harm."""


SLOWEST_FACTOR = 20


LARGEST_SEARCHED = 64 * 1024
"""Bytes of an error that are searched: what it discloses comes early, and a hostile one takes its time."""

LARGEST_SAID = 128 * 1024
"""Bytes of a request's body that are looked through for what an error repeats of it, and for the id that it is about.

Five texts of 10,000 characters are shorter.
"""


def method_refused(exchange: Exchange, *, allowed: str) -> Problem | None:
    """A method that an operation does not have gets 405 and an Allow header that lists the one it has, and not itself.

    Allow lists what the resource supports, and 405 says that it does not support this one; what else is listed, HEAD
    and OPTIONS for instance, is free. Source: RFC 9110 sections 10.2.1 and 15.5.6.
    """
    expected = f"405 with an Allow header that lists {allowed}"
    if exchange.status != 405 or exchange.response is None:
        return Problem(f"{name_of(exchange)} is answered with {outcome(exchange)}", expected, answer(exchange))
    values = exchange.response.header_values("allow")
    listed = {method.strip() for value in values for method in value.split(",")}
    refused = exchange.request.method
    if allowed in listed and refused not in listed:
        return None
    if allowed in listed:
        expected = f"{expected} and not {refused}, which is refused"
    given = f"Allow: {quoted(', '.join(values))}" if values else "no Allow header"
    return Problem(f"{name_of(exchange)} is answered with 405 and {given}", expected, f"{outcome(exchange)}, {given}")


def path_not_found(exchange: Exchange) -> Problem | None:
    """An unknown path gets 404. Source: RFC 9110 section 15.5.5."""
    if exchange.status == 404:
        return None
    return Problem(
        f"{name_of(exchange)}, an unknown path, is answered with {outcome(exchange)}", "404", answer(exchange)
    )


def media_type_refused(exchange: Exchange, *, what: str) -> Problem | None:
    """A body of another media type gets 415 or 400. Source: RFC 9110 section 15.5.16."""
    if exchange.status in {415, 400}:
        return None
    return Problem(
        f"{name_of(exchange)} with {what} is answered with {outcome(exchange)}", "415 or 400", answer(exchange)
    )


def served_as_usual(_excess: Exchange, after: Exchange, *_later: Exchange, usual: float, what: str) -> Problem | None:
    """The request after an excessive one is served in usual time; `usual` is how long such a one took before.

    Later ones are only there because the first was not served: they fail for the same cause.
    """
    limit = max(SLOWEST_FACTOR * usual, SLOWEST)
    if after.succeeded and after.elapsed <= limit:
        return None
    came = f"answered with {outcome(after)}" if not after.succeeded else f"served after {after.elapsed:.1f} s only"
    return Problem(
        f"after {what}, the next request is {came}",
        f"200 within {limit:.1f} s",
        f"{outcome(after)} in {after.elapsed:.1f} s",
    )


def stays_reachable(first: Exchange, again: Exchange, after: Exchange, *, what: str) -> Problem | None:
    """A request that got no answer before the target was unreachable does not end so when it is sent again.

    `what` tells what is special about it.
    """
    silent = first.response is None and again.response is None
    if not silent or TransportProblem.UNREACHABLE not in {again.problem, after.problem}:
        return None
    told = f"{name_of(again)} ({what})" if what else name_of(again)
    return Problem(
        f"{told} gets no answer, and the target is unreachable after it, twice",
        "a target that is there for the next request",
        f"{outcome(again)}, then {outcome(after)}",
    )


def discloses_nothing(exchange: Exchange, *, token: str, others: Mapping[str, Sequence[str]]) -> Problem | None:
    """An error discloses no stack trace, file path, query, valid token, or data of a provider that it is not about.

    `others` are the telling values of the run's providers by their ids in decimal. What the request itself says may
    be repeated, except for the token in its header.
    """
    response = exchange.response
    if response is None or response.status < 400:
        return None
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers if name.lower() != "set-cookie")
    found = ""
    for text in (response.body[:LARGEST_SEARCHED].decode("utf-8", "replace"), headers):
        found = found or _disclosed(text, exchange, token, others)
    if not found:
        return None
    return Problem(
        f"{name_of(exchange)} discloses {found} in its answer with {outcome(exchange)}",
        "an error that tells what is wrong with the request, and nothing of the inside",
        found,
    )


def forbids_storing(exchange: Exchange, *, password: str) -> Problem | None:
    """An answer that bears a password forbids to store it. Source: RFC 9111 section 5.2.2.5."""
    response = exchange.response
    if response is None or not exchange.succeeded or not _bears(exchange.json.value, password):
        return None
    values = response.header_values("cache-control")
    if "no-store" in {directive.strip().lower() for value in values for directive in value.split(",")}:
        return None
    return Problem(
        f"the answer of {name_of(exchange)} bears a password and may be stored by caches",
        "Cache-Control: no-store",
        f"Cache-Control: {quoted(', '.join(values))}" if values else "no Cache-Control header",
    )


def _disclosed(text: str, exchange: Exchange, token: str, others: Mapping[str, Sequence[str]]) -> str:
    """Say what a text from an error discloses, without repeating a secret; empty when it is nothing.

    Whom an error is about may be told of that one, but not who has sent no valid token: to a stranger, all are others.
    """
    request = exchange.request
    base = request.target.partition("?")[0].rpartition("/")[0]
    inner = internals(text, "", base)
    values = [value for some in others.values() for value in some]
    if inner is None and not token_disclosed(text, token, "") and value_disclosed(text, values, "") is None:
        return ""
    sent = (request.body or b"")[:LARGEST_SAID]
    body = sent.decode("utf-16" if sent.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8", "replace")
    headers = [value for _, value in request.headers if value != token]
    said = sayings(request.method, request.target, body, *headers)
    inner = internals(text, said, base)
    if inner is not None:
        return f"{inner[0]}: {quoted(inner[1])}"
    if token_disclosed(text, token, said):
        return "the valid token, or a part of it"
    # What looks like a sign may be a hyphen, and the other way round.
    is_stranger = (TOKEN_HEADER, token) not in {(name.lower(), value) for name, value in request.headers}
    about = set() if is_stranger else {*re.findall(r"\d+", said), *re.findall(r"-\d+", said)}
    values = [value for identity, some in others.items() if identity not in about for value in some]
    return "data of another provider" if value_disclosed(text, values, said) is not None else ""


def _bears(value: JsonValue, password: str) -> bool:
    """Tell whether a provider in an answer bears a password."""
    members = value if isinstance(value, dict) else {}
    providers = members.get("providers")
    items = [members, *(providers if isinstance(providers, list) else [])]
    return any(isinstance(item, dict) and item.get("password") == password for item in items)
