"""Turns what the ledger has gathered into outcomes, failures and figures, with every secret masked."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shlex
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from provider_conformance.hints import hint
from provider_conformance.judge.wording import outcome
from provider_conformance.masking import Masker
from provider_conformance.target import TOKEN_HEADER
from provider_conformance.verdict import Failure, OperationStatistics, Outcome, RequirementResult, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.contract import Requirement
    from provider_conformance.exchange import Exchange, Request
    from provider_conformance.ledger import Claim, Evidence, Ledger
    from provider_conformance.target import Target

MOST_FAILURES = 5
"""Failures that are told in full for one requirement; the others are counted."""

LONGEST_EXCERPT = 2000
"""Characters of a body that a step of a failure shows."""

LONGEST_TOLD = 100_000
"""Bytes of a body beyond which it is not told in full."""

NO_EVIDENCE = "no exchange bore on it"


def result_of(requirement: Requirement, ledger: Ledger, target: Target) -> RequirementResult:
    """Return the outcome of a requirement: a violation fails it, and a pass needs evidence without gaps."""
    evidence = ledger.of(requirement.id)
    found, reason = _outcome(evidence)
    mask = masker(ledger, target) if reason else Masker()
    return RequirementResult(
        requirement,
        found,
        mask(reason),
        exchanges=len(evidence.exchanges),
        controls=evidence.controls,
        failures=_failures(evidence, ledger, target, mask),
    )


def masker(ledger: Ledger, target: Target) -> Masker:
    """Return what masks the token, all made from it, what gateways are told, and every password that was sent."""
    return _masker(ledger, target, len(ledger.exchanges))


@lru_cache(maxsize=1)
def _masker(ledger: Ledger, target: Target, _exchanges: int) -> Masker:
    tokens = {
        value
        for exchange in ledger.exchanges
        for name, value in exchange.request.headers
        if name.lower() == TOKEN_HEADER
    }
    bodies = (exchange.request.body or b"" for exchange in ledger.exchanges)
    passwords = {found for body in bodies for found in PASSWORD_SENT.findall(body[:LONGEST_TOLD])}
    texts = {text for found in passwords if (text := _text_of(found)) is not None}
    return Masker(target.token, *target.secrets, *sorted(tokens), *sorted(texts))


PASSWORD_SENT = re.compile(rb'"password"\s*:\s*("(?:[^"\\]|\\.)*")')


def _text_of(quoted: bytes) -> str | None:
    """Read a quoted password; one that has no UTF-8 is masked by the name of its property only."""
    try:
        text = str(json.loads(quoted))
        text.encode()
    except ValueError:
        return None
    return text


def statistics(exchanges: Sequence[Exchange]) -> tuple[OperationStatistics, ...]:
    """Return count, status codes and latency of each operation, in the order in which they were first sent."""
    by_operation: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        by_operation.setdefault(exchange.operation or "other", []).append(exchange)
    return tuple(
        OperationStatistics(
            operation,
            len(some),
            dict(Counter(str(one.status or one.problem) for one in some).most_common()),
            _percentiles([one.elapsed * 1000 for one in some]),
        )
        for operation, some in by_operation.items()
    )


def fingerprint(exchanges: Sequence[Exchange]) -> str:
    """Return a hash of all that was sent, in order, but for address and tokens: equal for runs that sent the same."""
    digest = hashlib.sha256()
    tokens = [value for exchange in exchanges[:1] for name, value in exchange.request.headers if name == TOKEN_HEADER]
    for exchange in exchanges:
        request = exchange.request
        headers = [pair for pair in request.headers if pair[0].lower() not in {"host", TOKEN_HEADER}]
        sent = repr((request.method, request.target, headers, request.body))
        for token in tokens:  # elsewhere than in its header, where it is tried, too
            sent = sent.replace(token, "").replace(quote(token, safe=""), "")
        digest.update(sent.encode())
    return digest.hexdigest()


def curl(request: Request, target: Target) -> str:
    """Write a request as a command line; the token is taken from the environment, and a password is masked."""
    origin = target.base_url.split("/", 3)
    words = ["curl", "-sS"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(shlex.quote("/".join(origin[:3]) + request.target))
    for name, value in request.headers:
        if name.lower() == TOKEN_HEADER:
            variable = "$PROVIDER_TOKEN" if value == target.token else "$WRONG_TOKEN"
            words += ["-H", f'"{name}: {variable}"']
        elif name not in {"Host", "User-Agent", "Accept", "Accept-Encoding", "Content-Length"}:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body is not None:
        words += ["--data-binary", shlex.quote(_told(request.body))]
    return " ".join(words)


def _told(body: bytes) -> str:
    """Write a body as text; of one that nobody would read or paste, only the beginning."""
    if len(body) > LONGEST_TOLD:
        return f"{body[:200].decode('utf-8', 'backslashreplace')}… ({len(body)} bytes)"
    return body.decode("utf-8", "backslashreplace")


def _outcome(evidence: Evidence) -> tuple[Outcome, str]:
    if evidence.violations:
        return Outcome.FAIL, evidence.violations[0].problem.summary if evidence.violations[0].problem else ""
    if evidence.defects:
        return Outcome.ERROR, evidence.defects[0]
    if evidence.gaps:
        return Outcome.NOT_TESTED, evidence.gaps[0]
    if not evidence.exchanges:
        return Outcome.NOT_TESTED, NO_EVIDENCE
    return Outcome.PASS, ""


def _failures(evidence: Evidence, ledger: Ledger, target: Target, mask: Masker) -> tuple[Failure, ...]:
    """Tell each kind of violation once, by its rule and what differs, and count those that are alike."""
    kinds: dict[str, list[Claim]] = {}
    for claim in evidence.violations:
        assert claim.problem is not None
        kinds.setdefault(_kind(claim), []).append(claim)
    exchanges = {exchange.number: exchange for exchange in ledger.exchanges}
    failures = []
    for claims in list(kinds.values())[:MOST_FAILURES]:
        first = claims[0]
        assert first.problem is not None
        numbers = sorted({*first.story, *first.exchanges})
        judged = [exchanges[number] for number in first.exchanges if number in exchanges]
        failures.append(
            Failure(
                mask(first.problem.summary),
                mask(first.problem.expected),
                mask(first.problem.actual),
                tuple(_step(exchanges[number], target, mask) for number in numbers if number in exchanges),
                tuple(
                    replace(one, expected=mask(one.expected), actual=mask(one.actual))
                    for one in first.problem.differences
                ),
                alike=len(claims) - 1,
                hint=hint(first.rule, first.problem, judged),
                rule=first.rule,
            )
        )
    return tuple(failures)


def _step(exchange: Exchange, target: Target, mask: Masker) -> Step:
    request, response = exchange.request, exchange.response
    sent = f"{request.method} {request.target}"
    sent += f" {_excerpt(request.body)}" if request.body is not None else ""
    came = outcome(exchange)
    came += f" {_excerpt(response.body)}" if response is not None and response.body else ""
    return Step(exchange.number, mask(sent), mask(came), mask(curl(request, target)))


def _excerpt(body: bytes) -> str:
    text = body[: 4 * LONGEST_EXCERPT].decode("utf-8", "backslashreplace")
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}… ({len(body)} bytes)"


def _kind(claim: Claim) -> str:
    """Name what violations have in common: the rule and the words of the summary without its numbers."""
    assert claim.problem is not None
    words = "".join("#" if character.isdigit() else character for character in claim.problem.summary)
    return f"{claim.rule} {words}"


def _percentiles(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        name: round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)], 3)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }
