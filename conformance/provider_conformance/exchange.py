"""What was sent and what came back: the record that every judgement rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache

from provider_conformance.jsontext import JsonText, read_json

Headers = tuple[tuple[str, str], ...]

TOKEN_HEADER = "access_token"  # noqa: S105 - the name of the header

JSON_TYPE = "application/json"
"""The media type of JSON."""


class TransportProblem(StrEnum):
    """Why a request got no complete HTTP answer."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"
    DROPPED = "connection dropped"
    MALFORMED = "malformed HTTP"
    TOO_LARGE = "answer too large"


@dataclass(frozen=True)
class Request:
    """One HTTP request as it was written to the socket; the token and passwords are in clear until masked."""

    method: str
    target: str
    headers: Headers
    body: bytes | None = None


LARGEST_KEPT_READ = 256 * 1024
"""Bytes of a body that is kept as it was read: a larger one may take thirty times as much, and several come at once."""


@lru_cache(maxsize=2)
def _read_lately(body: bytes) -> JsonText:
    return read_json(body)


@dataclass(frozen=True)
class Response:
    """One complete HTTP answer; `body` is what is left after chunked and gzip coding are undone.

    An answer that was too long to be kept is not `whole`: of its body there is the beginning only.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    whole: bool = True

    def header_values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, whatever the letter case of its name, in the order they came."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def json(self) -> JsonText:
        """The body read as JSON text, with what is wrong with it."""
        return self._read if len(self.body) <= LARGEST_KEPT_READ else _read_lately(self.body)

    @cached_property
    def _read(self) -> JsonText:
        return read_json(self.body)


@dataclass(frozen=True)
class Exchange:
    """One request with its answer or with the reason why there is none.

    `number` counts from 1 in the order of sending; `operation` is one of the contract's five, or None for a
    request outside them; `elapsed` is in seconds. Exactly one of `response` and `problem` is set.
    """

    number: int
    operation: str | None
    request: Request
    response: Response | None
    problem: TransportProblem | None = None
    detail: str = ""
    elapsed: float = field(default=0.0, compare=False)

    @property
    def status(self) -> int | None:
        """The HTTP status of the answer, or None when there was no complete one."""
        return self.response.status if self.response else None

    @property
    def succeeded(self) -> bool:
        """Whether the answer is exactly 200, the only success that the docs know (D12)."""
        return self.status == 200

    @property
    def refused(self) -> bool:
        """Whether the answer is a 4xx, the only refusal that the docs know (D11)."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def json(self) -> JsonText:
        """The answer's body read as JSON text; an empty text when there was no answer."""
        return self.response.json if self.response else read_json(b"")
