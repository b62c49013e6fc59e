"""Makes the record of a run from what the ledger has gathered, with every secret replaced."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from provider_conformance.disclosure import parts_of, token_disclosed
from provider_conformance.exchange import TOKEN_HEADER, Request
from provider_conformance.masking import MASK, Masker, disguises, in_bytes, on_bytes, pieces_of
from provider_conformance.record import OTHER_TOKEN, TOKEN, Claim, Notes, Record
from provider_conformance.rules import judged_again, rests_on_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provider_conformance.exchange import Exchange, Headers, Response
    from provider_conformance.ledger import Ledger
    from provider_conformance.record import Circumstances
    from provider_conformance.target import Target

LONGEST_REQUEST = 16 * 1024
"""Bytes of a request's body that are kept; judgements rest on answers, and longer bodies are made to be excessive."""

NOTHING = "{}"
"""The arguments of most claims, as JSON text."""

_PASSWORD_SENT = re.compile(rb'"password"\s*:\s*("(?:[^"\\]|\\.)*")')


def record_of(ledger: Ledger, target: Target, circumstances: Circumstances) -> Record:
    """Return what a report is made from, with a placeholder for each secret."""
    masker = masker_of(ledger.exchanges, target)
    exchanges = [_without_members(exchange, masker) for exchange in ledger.exchanges]
    claims, notes = ledger.settled_claims(), ledger.notes()
    arguments = [json.dumps(claim.arguments) if claim.arguments else NOTHING for claim in claims]
    reasons = [text for about in notes.values() for text in (*about.gaps, *about.defects)]
    answers = [_told_by(exchange.response) for exchange in exchanges]
    texts = [(*_said_in(exchange), *answer) for exchange, answer in zip(exchanges, answers, strict=True)]
    told = {text for some in texts for text in some}
    echoed = masker.narrowed(told)
    mask = echoed | masker.narrowed([*set(arguments), *reasons, circumstances.diagnosis])
    parts = _parts_found(target.token, (text for answer in answers for text in answer))
    found = _any_of(parts, target.token)
    concealed = {text: mask.value(json.loads(text)) for text in set(arguments)}
    kept = tuple(
        _elsewhere(_without_parts(exchange, original, found), echoed)
        if echoed.finds("\n".join(some)) or any(part in text for part in parts for text in answer)
        else exchange
        for exchange, original, some, answer in zip(exchanges, ledger.exchanges, texts, answers, strict=True)
    )
    numbered = {exchange.number: exchange for exchange in kept}
    retold = (
        _retold(claim, cast("dict[str, object]", concealed[text]), numbered, mask)
        for claim, text in zip(claims, arguments, strict=True)
    )
    return Record(
        replace(circumstances, diagnosis=without_parts(mask(circumstances.diagnosis), target.token)),
        kept,
        tuple(retold),
        {name: _concealed(about, mask, target.token) for name, about in notes.items()},
    )


def _concealed(notes: Notes, mask: Masker, token: str) -> Notes:
    gaps, defects = (tuple(without_parts(mask(text), token) for text in texts) for texts in (notes.gaps, notes.defects))
    return Notes(gaps, defects, notes.controls)


def without_parts(text: str, token: str) -> str:
    """Return a text without parts of the valid token, as where an answer was cut off within it."""
    for spelt in {token, token.upper(), token.lower()}:
        parts = _any_of([part for part in parts_of(spelt) if part in text], spelt)
        text = text if parts is None else parts.sub(TOKEN, text)
    return text


def _retold(claim: Claim, arguments: dict[str, object], exchanges: Mapping[int, Exchange], mask: Masker) -> Claim:
    """Return a claim with concealed arguments, and with its problem told of exchanges without secrets.

    The problem that was told before may hold parts of some.
    """
    concealed = Claim(
        claim.requirement, claim.rule, claim.exchanges, arguments, claim.problem, claim.story, claim.excused
    )
    if claim.problem is None:
        return concealed
    whole = rests_on_whole(exchanges[number] for number in claim.exchanges)
    problem = judged_again(concealed, exchanges) if whole else None
    told = replace(claim.problem, summary=mask(claim.problem.summary), expected="", actual="", differences=())
    return replace(concealed, problem=problem or told)


def masker_of(exchanges: Iterable[Exchange], target: Target) -> Masker:
    """Return what replaces the token, all made from it, what gateways are told, and every password that was sent.

    A text that was sent as a password and, openly, as something else as well is no secret.
    """
    tokens: dict[str, str] = {target.token: TOKEN}
    passwords: dict[str, str] = {}
    openly: set[str] = set()
    for exchange in exchanges:
        for name, value in exchange.request.headers:
            if name.lower() == TOKEN_HEADER:
                tokens.setdefault(value, OTHER_TOKEN.format(number=len(tokens), length=len(value.strip())))
        body = (exchange.request.body or b"")[:LONGEST_REQUEST]
        for quoted in _PASSWORD_SENT.findall(body):
            if text := _text_of(quoted):
                passwords.setdefault(text, f"masked-password-{len(passwords) + 1}")
        openly.update(_told_openly(body))
    told = "\n".join(openly)
    secrets = {text: mask for text, mask in passwords.items() if text not in told}
    headers = {value: f"masked-header-{number}" for number, value in enumerate(target.secrets, 1)}
    # What is judged to be the token must be so again where it stands for it, and what is not must not.
    disguised = {form: TOKEN if token_disclosed(form, target.token, "") else MASK for form in disguises(target.token)}
    return Masker({**secrets, **headers, **disguised, **tokens})


def _told_openly(body: bytes) -> Iterator[str]:
    """Return the texts that a body bears in properties other than the password."""
    try:
        members = json.loads(body) if body.startswith(b"{") else None
    except (ValueError, RecursionError):
        return
    if isinstance(members, dict):
        yield from (value for name, value in members.items() if name != "password" and isinstance(value, str))


def _text_of(quoted: bytes) -> str | None:
    """Read a quoted password; one that has no UTF-8 is masked by the name of its property only."""
    try:
        text = str(json.loads(quoted))
        text.encode()
    except ValueError:
        return None
    return text


def _without_members(exchange: Exchange, masker: Masker) -> Exchange:
    """Return an exchange without tokens in their header, and without what is named a password."""
    request, response = exchange.request, exchange.response
    body = request.body
    if body is not None:
        cut = body[:LONGEST_REQUEST]
        body = masker.members_of(cut) + (b"" if len(cut) == len(body) else b"... (%d bytes)" % len(body))
    headers = tuple(
        (name, masker.header(value)) if name.lower() == TOKEN_HEADER else (name, value)
        for name, value in request.headers
    )
    if response is not None and (told := masker.members_of(response.body)) != response.body:
        response = replace(response, body=told)
    masked = Request(request.method, request.target, headers, body)
    return replace(exchange, request=masked, response=response)


def _elsewhere(exchange: Exchange, masker: Masker) -> Exchange:
    """Return an exchange without secrets wherever else they stand."""
    request, response, mask = exchange.request, exchange.response, masker.elsewhere
    request = replace(
        request,
        target=mask(request.target),
        headers=_on_headers(request.headers, masker),
        body=None if request.body is None else on_bytes(mask, request.body),
    )
    if response is not None:
        headers = _on_headers(response.headers, masker)
        response = replace(response, reason=mask(response.reason), headers=headers, body=on_bytes(mask, response.body))
    return replace(exchange, request=request, response=response, detail=mask(exchange.detail))


def _parts_found(token: str, texts: Iterable[str]) -> list[str]:
    """Return the parts of the token that some of the texts may bear."""
    whole = in_bytes("\n".join(pieces_of(texts)))
    return [part for part in parts_of(token) if '"' in part or in_bytes(part) in whole]


def _any_of(parts: Sequence[str], token: str) -> re.Pattern[str] | None:
    """Return what finds parts of the token, each as long as it goes."""
    if not parts:
        return None
    return re.compile("|".join(re.escape(part) + _as_far_as(token.partition(part)[2]) for part in parts))


def _as_far_as(text: str) -> str:
    """Return a pattern that matches a text from its beginning for as long as it agrees."""
    return "".join(f"(?:{re.escape(character)}" for character in text) + ")?" * len(text)


def _without_parts(exchange: Exchange, original: Exchange, parts: re.Pattern[str] | None) -> Exchange:
    """Return an exchange whose answer bears no part of the token; what the request itself has sent is told so."""
    response = exchange.response
    if parts is None or response is None:
        return exchange
    names = {name.lower(): value for name, value in exchange.request.headers}
    sent = [value.lower() for name, value in original.request.headers if name.lower() == TOKEN_HEADER]

    def stand_in(found: re.Match[str]) -> str:
        return names[TOKEN_HEADER] if any(found[0].lower() in token for token in sent) else TOKEN

    def mask(text: str) -> str:
        return parts.sub(stand_in, text)

    headers = tuple((name, mask(value)) for name, value in response.headers)
    response = replace(response, reason=mask(response.reason), headers=headers, body=on_bytes(mask, response.body))
    return replace(exchange, response=response)


def _on_headers(headers: Headers, masker: Masker) -> Headers:
    return tuple((masker.elsewhere(name), masker.elsewhere(value)) for name, value in headers)


def _said_in(exchange: Exchange) -> Sequence[str]:
    """Return all texts of an exchange but its answer in which a secret may stand."""
    request = exchange.request
    body = (request.body or b"").decode("utf-8", "surrogateescape")
    return request.target, *(value for _, value in request.headers), exchange.detail, body


def _told_by(response: Response | None) -> Sequence[str]:
    """Return all texts of an answer in which a secret may stand."""
    if response is None:
        return ()
    headers = (text for header in response.headers for text in header)
    return response.reason, *headers, response.body.decode("utf-8", "surrogateescape")
