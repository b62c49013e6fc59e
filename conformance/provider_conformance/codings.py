"""Undoes the content codings of answers: gzip and deflate, in bounded memory, whether or not they were asked for."""

from __future__ import annotations

import gzip
import io
import zlib

from provider_conformance.dialling import TransportError, first_line
from provider_conformance.exchange import TransportProblem
from provider_conformance.limits import LARGEST_ANSWER

IDENTITY = "identity"
"""The Accept-Encoding of a request whose answer is to be sent as it is."""

MOST_CODINGS = 5
"""Codings of one body, one upon another: as many as curl undoes."""


def decoded(body: bytes, named: str, asked: str | None) -> bytes:
    """Return a body without the codings that its Content-Encoding names; raises TransportError where it has others.

    `asked` is the Accept-Encoding of the request.
    """
    codings = [name for part in named.lower().split(",") if (name := part.strip()) not in {"", IDENTITY}]
    if len(codings) > MOST_CODINGS:
        raise TransportError(TransportProblem.MALFORMED, f"{len(codings)} content codings, one upon another")
    for coding in reversed(codings) if body else ():
        body = _undone(body, coding, asked)
    return body


def _undone(body: bytes, coding: str, asked: str | None) -> bytes:
    try:
        if coding in {"gzip", "x-gzip"}:
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
                plain = stream.read(LARGEST_ANSWER + 1)
        elif coding == "deflate":
            plain = _inflated(body)
        else:
            told = "though none was asked for" if asked in {None, IDENTITY} else f"where {asked} was asked for"
            raise TransportError(TransportProblem.MALFORMED, f"content coding {coding!r}, {told}")
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        told = f"the body is said to be {coding}, and cannot be unpacked: {first_line(error)}"
        raise TransportError(TransportProblem.MALFORMED, told) from error
    if len(plain) > LARGEST_ANSWER:
        raise TransportError(TransportProblem.TOO_LARGE, f"more than {LARGEST_ANSWER} bytes once unpacked")
    return plain


def _inflated(body: bytes) -> bytes:
    """Unpack deflate: in the frame of zlib, as RFC 9110 has it, or without one, as some servers send and browsers take.

    Source: RFC 9110 section 8.4.1.2.
    """
    try:
        return _unpacked(body, zlib.MAX_WBITS)
    except zlib.error:
        try:
            return _unpacked(body, -zlib.MAX_WBITS)
        except zlib.error:
            pass
        raise


def _unpacked(body: bytes, window: int) -> bytes:
    unpacking = zlib.decompressobj(window)
    plain = unpacking.decompress(body, LARGEST_ANSWER + 1)
    if len(plain) <= LARGEST_ANSWER and not unpacking.eof:
        raise EOFError("it ends too early")
    return plain
