"""Sends the requests of recorded failures again, on providers of its own, and judges whether they still fail."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provider_conformance import judge
from provider_conformance.api import Api
from provider_conformance.call import Call
from provider_conformance.cleanup import clean_up
from provider_conformance.concealing import LONGEST_REQUEST
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.exchange import TOKEN_HEADER
from provider_conformance.guard import Guard
from provider_conformance.history import history
from provider_conformance.journal import Journal, read_leftovers
from provider_conformance.ledger import Ledger
from provider_conformance.outcomes import told_claims
from provider_conformance.record import OTHER_TOKEN, TOKEN
from provider_conformance.rules import judged_again
from provider_conformance.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provider_conformance.config import Config
    from provider_conformance.exchange import Exchange, Headers, Request
    from provider_conformance.record import Claim, Record

OVERLAPPED = frozenset({"ids_differ", "in_one_state"})
"""Rules on requests that overlapped, which one after another prove nothing."""

NAMED_ID = re.compile(r'("id"\s*:\s*)([^,}]*)')
QUERIED_ID = re.compile(r"((?:^|&)id=)([^&]*)")
NUMBER = re.compile(r"-?[0-9]+")
WRONG_TOKEN = re.compile(OTHER_TOKEN.format(number=r"\d+", length=r"(\d+)"))


class Answer(StrEnum):
    """What a replay found out about a failure."""

    FAILS = "still fails"
    HOLDS = "no longer fails"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Replayed:
    """One failure after its replay; `reason` says why nothing can be told, or how it fails now."""

    requirement: str
    summary: str
    answer: Answer
    reason: str = ""


class UnsafeError(Exception):
    """A request that cannot be sent again without touching what is not ours; the message says why."""


def replay(
    record: Record, config: Config, journal_path: Path, only: int | None, note: Callable[[str], None]
) -> Iterator[tuple[int, Replayed]]:
    """Replay the failures of a record one after another, each with its number; destroys what it created at the end.

    What it creates is in a journal first, as in a run; `note` is told what is left.
    """
    assert config.base_url is not None
    journal = Journal(journal_path)
    ledger = Ledger()
    target = Target(config, Guard(config.max_time), ledger.record, lambda _: None)
    journal.run(config.base_url)
    try:
        for number, (requirement, claim, problem) in enumerate(told_claims(record), 1):
            if only in {None, number}:
                answer, reason = _Replay(record, claim, Api(target, ledger), journal).answer()
                yield number, Replayed(requirement.id, problem.summary, answer, reason)
    finally:
        target.close()
        journal.close()
        pages = Journal(journal_path, resume=True)
        for left in clean_up(replace(config, max_time=None), read_leftovers(journal_path), pages, note).left:
            note(f"LEFT: {left}")
        pages.close()


class _Replay:
    """The replay of one failure."""

    def __init__(self, record: Record, claim: Claim, api: Api, journal: Journal) -> None:
        self._record = record
        self._claim = claim
        self._api = api
        self._journal = journal
        self._ids: dict[int, int] = {}
        self._recorded_path = urlsplit(record.circumstances.base_url).path.rstrip("/")

    def answer(self) -> tuple[Answer, str]:
        """Send what led to the failure, and judge again."""
        if self._claim.rule in OVERLAPPED:
            return Answer.UNKNOWN, "it needs requests that overlap: certify the requirement again with --only"
        recorded = {exchange.number: exchange for exchange in self._record.exchanges}
        made: dict[int, Exchange] = {}
        try:
            for number in history(self._record, self._claim):
                made[number] = self._sent(recorded[number])
        except (UnsafeError, NotTestableError, RunEndedError) as reason:
            return Answer.UNKNOWN, str(reason)
        lost = [exchange for exchange in made.values() if exchange.response is None]
        if lost and any(recorded[number].response for number, exchange in made.items() if exchange in lost):
            return Answer.UNKNOWN, f"the target gives no answer: {judge.outcome(lost[0])}"
        renewed = replace(self._claim, arguments=self._renewed(self._claim.arguments))
        problem = judged_again(renewed, made)
        return (Answer.HOLDS, "") if problem is None else (Answer.FAILS, f"now: {problem.summary}")

    def _sent(self, recorded: Exchange) -> Exchange:
        call = self._call(recorded.operation, recorded.request)
        name = _name_in(call.body)
        if call.operation == Operation.CREATE and name:
            self._journal.create(name)
        exchange = self._api.send(call)
        if call.operation == Operation.CREATE and recorded.status == 200:
            old, new = judge.given_id(recorded), judge.given_id(exchange)
            if old is not None and new is None:
                raise UnsafeError(f"what it needs cannot be created: {judge.answer(exchange)}")
            if old is not None and new is not None:
                self._ids[old] = new
                self._journal.created(name or "", new)
        return exchange

    def _call(self, operation: str | None, request: Request) -> Call:
        """Return a recorded request as a call on the target: with the real token, and with new ids for old ones."""
        path, _, query = request.target.partition("?")
        if not path.startswith(f"{self._recorded_path}/"):
            raise UnsafeError(f"{path} is outside the recorded base URL")
        name = path[len(self._recorded_path) + 1 :]
        query = QUERIED_ID.sub(lambda found: found[1] + self._with_ids(found[2]), query)
        self._make_safe(name, request, query)
        headers = tuple(pair for pair in request.headers if pair[0] not in SENT_ANYWAY)
        media_type = next((value for key, value in headers if key == "Content-Type"), None)
        token_header, token = self._token(headers)
        return Call(
            name,
            request.method,
            query=self._with_secrets(query),
            body=self._body(operation or name, request),
            content_type=media_type,
            token=token,
            token_header=token_header,
            headers=tuple(
                (key, self._with_secrets(value))
                for key, value in headers
                if key != "Content-Type" and key.lower() != TOKEN_HEADER
            ),
            outside=operation is None,
        )

    def _token(self, headers: Headers) -> tuple[str, str]:
        """Return the header of the token and what goes into it: the real one, a wrong one of the same kind, or none."""
        for name, value in headers:
            if name.lower() == TOKEN_HEADER:
                return name, self._with_secrets(value)
        return TOKEN_HEADER, ""

    def _with_secrets(self, text: str) -> str:
        real = self._api.target.token

        def wrong(found: re.Match[str]) -> str:
            length = int(found[1])
            if length == 0:
                return " "  # without any, there would be no header
            if length == len(real):
                return ("x" if real[0] != "x" else "y") + real[1:]
            return (real * (length // len(real) + 1))[:length]

        return WRONG_TOKEN.sub(wrong, text).replace(TOKEN, real)

    def _body(self, operation: str, request: Request) -> bytes | None:
        if request.body is None:
            return None
        if len(request.body) > LONGEST_REQUEST:
            raise UnsafeError("the body is not recorded whole")
        text = request.body.decode("utf-8", "surrogateescape")
        if operation != Operation.CREATE:
            text = NAMED_ID.sub(lambda found: found[1] + self._with_ids(found[2]), text)
        return self._with_secrets(text).encode("utf-8", "surrogateescape")

    def _make_safe(self, name: str, request: Request, query: str) -> None:
        """Raise UnsafeError for what may change a provider, unless every id in it is one of the replay's own.

        A server that coerces may take what bears no id for 0 or 1: these must be nobody's.
        """
        if request.method == "GET" or (name == Operation.CREATE and request.method == "POST"):
            return
        text = (request.body or b"").decode("utf-8", "replace")
        bodies = [self._with_ids(found[2]) for found in NAMED_ID.finditer(text)]
        named = [*bodies, *[found[2] for found in QUERIED_ID.finditer(query)]]
        ids = {int(number) for value in named for number in NUMBER.findall(value)}
        strangers = ids - set(self._ids.values()) if ids else {0, 1}
        if any(not judge.says_gone(self._api.show(identity)) for identity in strangers):
            raise UnsafeError("it may touch somebody else's provider")

    def _with_ids(self, text: str) -> str:
        """Renew ids in a text, as far as they are those of providers that the replay has created again."""
        return NUMBER.sub(lambda found: str(self._ids.get(int(found[0]), int(found[0]))) if found[0] else "", text)

    def _renewed(self, value: Any) -> Any:
        """Renew ids in what a rule is given."""
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self._ids.get(value, value)
        if isinstance(value, list | tuple):
            return [self._renewed(item) for item in value]
        if isinstance(value, dict):
            return {
                self._renewed_key(name): member if name in NO_IDS else self._renewed(member)
                for name, member in value.items()
            }
        return value

    def _renewed_key(self, name: str) -> str:
        return str(self._ids.get(int(name), name)) if NUMBER.fullmatch(name) else name


NO_IDS = frozenset({*judge.documented_properties(), "pagesize", "first"}) - {"id"}
"""What a rule is given that holds numbers which are no ids, and may be equal to one."""

SENT_ANYWAY = frozenset({"Host", "User-Agent", "Accept", "Accept-Encoding", "Content-Length"})


def _name_in(body: bytes | None) -> str | None:
    try:
        name = json.loads(body or b"")["name"]
    except (ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None
