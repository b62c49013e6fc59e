"""Reads the head of an answer: http.client's reader, with fields read in a tenth of the time where they are plain."""

from __future__ import annotations

import email.parser
import http.client
import re
from typing import IO, TYPE_CHECKING

from provider_conformance.dialling import TransportError
from provider_conformance.exchange import TransportProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_FIELDS = 1000
LARGEST_HEAD = 256 * 1024
"""Fields, and bytes of them, beyond which an answer is not read: HTTP has no bounds (RFC 9110, section 5.4)."""

BLANKS = " \t"
"""White space around a field's value, which is no part of it (RFC 9110, section 5.5)."""

# Possessive: a line that is broken off in blanks would take its time otherwise.
_FIELD = re.compile(rb"([!-9;-~]+):[ \t]*+([^\r\n]*+)\r?\n")
_INTERIM = range(100, 200)


class FinalResponse(http.client.HTTPResponse):
    """Reads over all interim answers; http.client takes any but 100 for the final one (RFC 9110, section 15.2)."""

    def begin(self) -> None:
        """Read everything before the body; raises http.client.HTTPException and what the stream raises."""
        version, status, reason = self._read_status()  # type: ignore[attr-defined]
        while status in _INTERIM and status != http.client.SWITCHING_PROTOCOLS:
            fields(self.fp)
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
        self.code = self.status = status
        self.reason = reason.strip()
        if not version.startswith("HTTP/1.") and version != "HTTP/0.9":
            raise http.client.UnknownProtocol(version)
        self.version = 10 if version in {"HTTP/1.0", "HTTP/0.9"} else 11
        self.headers = self.msg = fields(self.fp)  # type: ignore[assignment]
        self.chunked = (self.headers.get("transfer-encoding") or "").lower() == "chunked"
        self.chunk_left = None
        self.length = self._declared_length()
        closes: bool = self._check_close()  # type: ignore[attr-defined]
        self.will_close = closes or (self.length is None and not self.chunked)

    def _declared_length(self) -> int | None:
        """Return how long the body is, or None where only its end tells (RFC 9112, section 6.3)."""
        bodiless = self.status in {http.client.NO_CONTENT, http.client.NOT_MODIFIED} or self.status in _INTERIM
        if bodiless or self._method == "HEAD":  # type: ignore[attr-defined]
            return 0
        declared = self.headers.get("content-length")
        try:
            length = int(declared) if declared and not self.chunked else -1
        except ValueError:
            return None
        return length if length >= 0 else None


class Fields:
    """Header fields in the order in which they came, with what http.client asks of them: its own take as long to make.

    Names are found whatever their letter case.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def items(self) -> Sequence[tuple[str, str]]:
        """Return names and values."""
        return self._pairs

    def get_all(self, name: str) -> list[str]:
        """Return the values of every field of a name."""
        wanted = name.lower()
        return [value for key, value in self._pairs if key.lower() == wanted]

    def get(self, name: str) -> str | None:
        """Return the value of the first field of a name."""
        return next(iter(self.get_all(name)), None)


def fields(stream: IO[bytes]) -> Fields:
    """Read header fields up to the empty line, as http.client does, but without white space around their values.

    Raises http.client.HTTPException, and TransportError where there are too many.
    """
    lines = _lines(stream)
    pairs = []
    for line in lines[:-1]:
        plain = _FIELD.fullmatch(line)
        if plain is None:
            return Fields(_trimmed(b"".join(lines).decode("iso-8859-1")))
        pairs.append((plain[1].decode("ascii"), plain[2].decode("iso-8859-1").rstrip(BLANKS)))
    return Fields(pairs)


def _trimmed(head: str) -> list[tuple[str, str]]:
    """Read fields of which one is folded, broken off or none at all: the standard library has a way with each."""
    found = email.parser.Parser(http.client.HTTPMessage).parsestr(head)
    return [(name, value.strip(BLANKS)) for name, value in found.items()]


def _lines(stream: IO[bytes]) -> list[bytes]:
    """Return lines as they came, the empty one or the end of all included."""
    lines: list[bytes] = []
    left = LARGEST_HEAD
    while True:
        line = stream.readline(left + 1)
        left -= len(line)
        if left < 0:
            raise TransportError(TransportProblem.TOO_LARGE, f"more than {LARGEST_HEAD} bytes of header fields")
        lines.append(line)
        if line in {b"\r\n", b"\n", b""}:
            return lines
        if len(lines) > MOST_FIELDS:
            raise TransportError(TransportProblem.TOO_LARGE, f"more than {MOST_FIELDS} header fields")
