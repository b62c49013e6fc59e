"""Judges a record: outcomes, failures and figures, from what was exchanged and claimed alone."""

from __future__ import annotations

import hashlib
import math
import shlex
from collections import Counter
from typing import TYPE_CHECKING

from provider_conformance.codings import IDENTITY
from provider_conformance.contract import Level, load_contract, told_at
from provider_conformance.exchange import TOKEN_HEADER
from provider_conformance.hints import hint
from provider_conformance.judge.wording import outcome
from provider_conformance.known import applied
from provider_conformance.record import TOKEN, Notes
from provider_conformance.reports.inert import inert
from provider_conformance.verdict import Failure, OperationStatistics, Outcome, Report, RequirementResult, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provider_conformance.contract import Requirement
    from provider_conformance.exchange import Exchange, Request
    from provider_conformance.judge import Problem
    from provider_conformance.record import Claim, Record

MOST_FAILURES = 5
"""Failures that are told in full for one requirement; the others are counted."""

LONGEST_EXCERPT = 2000
"""Characters of a body that a step of a failure shows."""

LONGEST_BODY = 4000
"""Characters of a body that a command line bears; longer ones are made to be excessive, and nobody reads them."""

DOCUMENTED_LENGTH = 64
"""Characters of a token (D2)."""

EMPTY_TOKEN = "-of-0"  # noqa: S105 - how what stands for it ends

NO_EVIDENCE = "no exchange bore on it"
UNTOLD = frozenset({"Host", "User-Agent", "Accept", "Accept-Encoding", "Content-Length"})
"""Headers that curl sends by itself, or whose absence means the same."""

OF_CURL = ("User-Agent", "Accept")
"""Headers that curl sends unless it is told not to."""

PACKING = "Accept-Encoding"

OF_THE_TARGET = frozenset({"host", "origin", "referer", TOKEN_HEADER})
"""Headers that bear the address of the target, or its token."""


def report_of(record: Record) -> Report:
    """Return the report of a record; from the same record comes the same report, at any time and place."""
    run = record.circumstances
    results, stale = applied(results_of(record), run.known)
    return Report(
        tool_version=run.tool_version,
        contract_version=run.contract_version,
        contract_sha256=run.contract_sha256,
        catalogue_version=run.catalogue_version,
        catalogue_sha256=run.catalogue_sha256,
        base_url=run.base_url,
        implementation=run.implementation,
        implementation_version=run.implementation_version,
        level=run.level,
        seed=run.seed,
        options=run.options,
        started=run.started,
        finished=run.finished,
        results=tuple(result for result in results if result.requirement.level is not Level.ADVICE),
        advice=_advice(results, run.token_length),
        diagnosis=run.diagnosis,
        statistics=statistics(record.exchanges),
        exchanges=len(record.exchanges),
        requests_sha256=fingerprint(record.exchanges),
        cleanup=run.cleanup,
        readings=load_contract().readings,
        stale=stale,
    )


def results_of(record: Record) -> list[RequirementResult]:
    """Return the outcome of every requirement: a violation fails it, and a pass needs evidence without gaps."""
    exchanges = {exchange.number: exchange for exchange in record.exchanges}
    claims: dict[str, list[Claim]] = {}
    for claim in record.claims:
        claims.setdefault(claim.requirement, []).append(claim)
    told = told_at(record.circumstances.level)
    return [_result(requirement, claims.get(requirement.id, []), record, exchanges) for requirement in told]


def _result(
    requirement: Requirement, claims: Sequence[Claim], record: Record, exchanges: Mapping[int, Exchange]
) -> RequirementResult:
    run, notes = record.circumstances, record.notes.get(requirement.id, Notes())
    violations = [claim for claim in claims if claim.problem is not None and not claim.excused]
    numbers = {number for claim in claims for number in claim.exchanges}.union(notes.controls)
    found, reason = outcome_of(notes, violated=bool(violations), judged=bool(numbers))
    if requirement.id not in run.selected and found is not Outcome.FAIL:
        return RequirementResult(requirement, Outcome.NOT_TESTED, "not selected by --only")
    if run.options.get("read_only") and reason == NO_EVIDENCE:
        reason = "needs providers of the run's own, and may create none (--read-only)"
    failures = _failures(violations, exchanges, run.base_url)
    return RequirementResult(
        requirement,
        found,
        failures[0].summary if failures else reason,
        exchanges=len(numbers),
        controls=len(notes.controls),
        failures=failures,
    )


def outcome_of(notes: Notes, *, violated: bool, judged: bool) -> tuple[Outcome, str]:
    """Return the outcome of a requirement, and the reason where it was not tested or our own test failed."""
    if violated:
        return Outcome.FAIL, ""
    if notes.defects:
        return Outcome.ERROR, notes.defects[0]
    if notes.gaps:
        return Outcome.NOT_TESTED, notes.gaps[0]
    return (Outcome.PASS, "") if judged else (Outcome.NOT_TESTED, NO_EVIDENCE)


def told_claims(record: Record) -> list[tuple[Requirement, Claim, Problem]]:
    """Return the claims that the failures of a report tell of, in the report's order."""
    return [
        (requirement, *same[0])
        for requirement in told_at(record.circumstances.level)
        if requirement.level is not Level.ADVICE
        for same in _kinds([claim for claim in record.claims if claim.requirement == requirement.id])
    ]


def _kinds(claims: Iterable[Claim]) -> list[list[tuple[Claim, Problem]]]:
    """Put violations of the same kind together; of very many kinds, the first are enough."""
    kinds: dict[str, list[tuple[Claim, Problem]]] = {}
    for claim in claims:
        if claim.problem is not None and not claim.excused:
            kinds.setdefault(_kind(claim), []).append((claim, claim.problem))
    return list(kinds.values())[:MOST_FAILURES]


def _failures(claims: Sequence[Claim], exchanges: Mapping[int, Exchange], base_url: str) -> tuple[Failure, ...]:
    """Tell each kind of violation once, by its rule and what differs, and count those that are alike."""
    return tuple(_failure(*same[0], len(same) - 1, exchanges, base_url) for same in _kinds(claims))


def _failure(claim: Claim, problem: Problem, alike: int, exchanges: Mapping[int, Exchange], base_url: str) -> Failure:
    numbers = sorted({*claim.story, *claim.exchanges})
    return Failure(
        problem.summary,
        problem.expected,
        problem.actual,
        tuple(_step(exchanges[number], base_url) for number in numbers if number in exchanges),
        problem.differences,
        alike=alike,
        hint=hint(claim.rule, problem, [exchanges[number] for number in claim.exchanges]),
        rule=claim.rule,
    )


def _step(exchange: Exchange, base_url: str) -> Step:
    request, response = exchange.request, exchange.response
    sent = f"{request.method} {request.target}"
    sent += f" {_excerpt(request.body)}" if request.body is not None else ""
    came = outcome(exchange)
    came += f" {_excerpt(response.body)}" if response is not None and response.body else ""
    return Step(exchange.number, inert(sent), inert(came), curl(request, base_url))


def _excerpt(body: bytes) -> str:
    text = body[: 4 * LONGEST_EXCERPT].decode("utf-8", "backslashreplace")
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}… ({len(body)} bytes)"


def _kind(claim: Claim) -> str:
    """Name what violations have in common: the rule and the words of the summary without its numbers."""
    assert claim.problem is not None
    words = "".join("#" if character.isdigit() else character for character in claim.problem.summary)
    return f"{claim.rule} {words}"


def statistics(exchanges: Iterable[Exchange]) -> tuple[OperationStatistics, ...]:
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


def fingerprint(exchanges: Iterable[Exchange]) -> str:
    """Return a hash of all that was sent, in order, but for address and tokens: equal for runs that sent the same."""
    digest = hashlib.sha256()
    for exchange in exchanges:
        request = exchange.request
        headers = [pair for pair in request.headers if pair[0].lower() not in OF_THE_TARGET]
        digest.update(repr((request.method, request.target, headers, request.body)).encode())
    return digest.hexdigest()


def curl(request: Request, base_url: str) -> str:
    """Write a request as a command line; the token is taken from the environment, and a long body is cut."""
    origin = base_url.split("/", 3)
    words = ["curl", "-sS"]
    if request.method != "GET":
        words += ["-X", request.method]
    words.append(shlex.quote("/".join(origin[:3]) + request.target))
    for name, value in request.headers:
        if name.lower() == TOKEN_HEADER:
            words += ["-H", _token_header(name, value)]
        elif name not in UNTOLD or (name == PACKING and value != IDENTITY):
            words += ["-H", shlex.quote(f"{name}: {value}")]
    said = {name.lower(): value for name, value in request.headers}
    words += [word for name in OF_CURL if name.lower() not in said for word in ("-H", f"{name}:")]
    if said.get(PACKING.lower(), IDENTITY) != IDENTITY:
        words.append("--compressed")
    if request.body is not None:
        body = request.body.decode("utf-8", "backslashreplace")
        more = f"… ({len(body) - LONGEST_BODY} more characters)" if len(body) > LONGEST_BODY else ""
        words += ["--data-binary", shlex.quote(body[:LONGEST_BODY] + more)]
    return " ".join(words)


def _token_header(name: str, value: str) -> str:
    if value.endswith(EMPTY_TOKEN):  # curl leaves a header without a value out, unless it ends in a semicolon
        return f"'{name};'"
    return f'"{name}: {"$PROVIDER_TOKEN" if value == TOKEN else "$WRONG_TOKEN"}"'


def _advice(results: Iterable[RequirementResult], token_length: int) -> tuple[str, ...]:
    advice = [
        f"{result.requirement.id}: {failure.summary}"
        for result in results
        if result.requirement.level is Level.ADVICE
        for failure in result.failures
    ]
    if token_length != DOCUMENTED_LENGTH:
        advice.append(f"the token has {token_length} characters, where the documentation says 64 (D2)")
    return tuple(advice)


def _percentiles(milliseconds: list[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        name: round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)], 3)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }
