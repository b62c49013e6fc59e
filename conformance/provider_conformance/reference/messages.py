"""What goes in and out of the reference implementation, free of any web framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Properties: TypeAlias = dict[str, Any]
"""The documented properties of one provider, `id` among them once it is stored."""

JSON = "application/json"

MEMORY = "sqlite://"
"""The database URL of a store that is forgotten when the process ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with everything that a decision may rest on.

    `waited` are the seconds for which its body was waited for, `first_piece` is how many bytes of that came first; None
    where all came together.
    """

    method: str
    operation: str
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    client: tuple[str, int] | None = None
    waited: float = 0.0
    first_piece: int | None = None

    def header(self, name: bytes) -> list[bytes]:
        """Return every value of a header, which the server has put in lower case (RFC 9110, section 5.1)."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready to be sent."""

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class RefusedError(Exception):
    """Ends the handling of a request with a 4xx answer.

    The reason is shown to the client, so it names properties of the contract only and never repeats a value (HTTP-6).
    """

    def __init__(self, status: int, reason: str, *headers: tuple[str, str]) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers
