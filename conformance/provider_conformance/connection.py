"""One connection to the implementation under test: bytes out, one parsed HTTP answer back, bounded in time and size.

The standard library's http.client reads the answers; the bytes of requests are ours, since a conformance suite
must know exactly what it sends and nothing may be repeated behind its back.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING

from provider_conformance.codings import decoded
from provider_conformance.dialling import BoundedReader, Deadline, TransportError, authorization, connected, first_line
from provider_conformance.exchange import Headers, Request, Response, TransportProblem
from provider_conformance.heads import FinalResponse
from provider_conformance.limits import LARGEST_ANSWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.route import Route

LONGEST_IDLE = 1.0
"""Seconds after which a kept connection is not used again: many servers drop idle ones after two."""

UNANSWERED = "without an answer"
"""Detail of a connection that was dropped before the first byte of an answer."""

CHUNKED = ("Transfer-Encoding", "chunked")
"""The header of a request whose body is sent in chunks: in one, and the empty one that ends it."""

STATUS_AT = len("HTTP/1.1 ")
"""Where in an answer its status begins: with 1, it is not the final one."""

LARGEST_AT_ONCE = 256 * 1024
"""Bytes of a request beyond which its answer is looked for while it is still being sent."""


class Connection:
    """A connection that is opened when needed, kept while the server keeps it, and never repeats a request."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._sock: socket.socket | None = None
        self._last_used = 0.0
        self._cut_short = False
        self.reused = False

    def close(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.close()
            self._sock = None

    def fileno(self) -> int:
        """Return the number by which the system knows the open connection."""
        assert self._sock is not None
        return self._sock.fileno()

    @property
    def has_unread(self) -> bool:
        """Whether some of what has come was decrypted, and not read: the system knows nothing of it."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def open(self, deadline: Deadline) -> None:
        """Make sure that there is a usable connection; a kept one that the server has closed is replaced."""
        self.reused = self._sock is not None and not self._stale()
        if not self.reused:
            self.close()
            self._sock = connected(self._route, deadline)
        self._cut_short = False

    def encoded(self, request: Request) -> bytes:
        """Write a request as the bytes of HTTP/1.1, for the proxy where it is one that is asked."""
        target, headers = request.target, request.headers
        if self._route.asks_proxy:
            target = self._route.address.origin + target
            headers += authorization(self._route.proxy)
        lines = [f"{request.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers]
        body = request.body or b""
        if CHUNKED in headers:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def send(self, payload: bytes, deadline: Deadline) -> None:
        """Write bytes; a server may answer and close before it has read them all, so a broken pipe is no end."""
        assert self._sock is not None
        self._sock.settimeout(deadline.left())
        try:
            # Over TLS there is something to read without any answer, such as session tickets.
            if self._route.tls is None and len(payload) > LARGEST_AT_ONCE:
                self._send_while_unanswered(self._sock, payload, deadline)
            else:
                self._sock.sendall(payload)
        except (TimeoutError, TransportError) as error:
            self.close()
            raise TransportError(TransportProblem.TIMED_OUT, "the request was not read") from error
        except OSError:
            return

    def receive(self, request: Request, deadline: Deadline) -> Response:
        """Read the answer to a request that was sent; raises TransportError."""
        assert self._sock is not None
        reader = BoundedReader(self._sock, deadline)
        keep = False
        answer = FinalResponse(reader, method=request.method)  # type: ignore[arg-type]
        try:
            answer.begin()
            body = _body(answer)
            keep = not answer.will_close and not self._cut_short and not _is_last(request)
            named, asked = answer.getheader("Content-Encoding") or "", _said(request, "accept-encoding")
            return Response(answer.status, answer.reason, tuple(answer.getheaders()), decoded(body, named, asked))
        except TransportError as error:
            if error.problem is not TransportProblem.TIMED_OUT:
                raise
            raise TransportError(error.problem, error.detail + _missing(answer)) from error
        except http.client.IncompleteRead as error:
            raise TransportError(TransportProblem.DROPPED, "in the middle of the answer") from error
        except (ConnectionError, ssl.SSLEOFError) as error:
            where = "before the whole answer came" if reader.received else UNANSWERED
            raise TransportError(TransportProblem.DROPPED, where) from error
        except (http.client.HTTPException, ValueError) as error:
            raise TransportError(TransportProblem.MALFORMED, first_line(error)) from error
        except OSError as error:
            raise TransportError(TransportProblem.DROPPED, first_line(error)) from error
        finally:
            self._last_used = time.monotonic()
            if not keep:
                self.close()

    @property
    def is_answered(self) -> bool:
        """Whether the final answer to what has been sent so far has begun to come, or will never come.

        Over TLS there is something to read without any answer, so that nothing is known of it.
        """
        if not isinstance(self._sock, socket.socket) or self._route.tls is not None or not readable([self], 0):
            return False
        try:
            began = self._sock.recv(STATUS_AT + 1, socket.MSG_PEEK)
        except OSError:
            return True
        return not began or began[STATUS_AT:] not in {b"", b"1"}

    def _send_while_unanswered(self, sock: socket.socket, payload: bytes, deadline: Deadline) -> None:
        """Write bytes until all are written or the server answers or closes; it need not read what it refuses."""
        left = memoryview(payload)
        while left:
            readable, writable, _ = select.select([sock], [sock], [], deadline.left())
            if readable:
                self._cut_short = True
                return
            if not writable:
                raise TimeoutError
            left = left[sock.send(left[:LARGEST_AT_ONCE]) :]

    def _stale(self) -> bool:
        assert self._sock is not None
        if time.monotonic() - self._last_used > LONGEST_IDLE:
            return True
        readable, _, _ = select.select([self._sock], [], [], 0)
        return bool(readable)


def readable(connections: Sequence[Connection], seconds: float) -> Sequence[Connection]:
    """Return those of some open connections from which there is something to read; wait so long for the first."""
    unread = [connection for connection in connections if connection.has_unread]
    return unread or select.select(connections, [], [], seconds)[0]


def with_length(headers: Headers, body: bytes | None) -> Headers:
    """Add the Content-Length that a body needs unless it is sent in chunks."""
    return headers if body is None or CHUNKED in headers else (*headers, ("Content-Length", str(len(body))))


def _is_last(request: Request) -> bool:
    """Tell whether a request asks for its connection to be closed: a server that does so need not say it."""
    return (_said(request, "connection") or "").lower() == "close"


def _said(request: Request, name: str) -> str | None:
    return next((value for key, value in request.headers if key.lower() == name), None)


def _body(answer: http.client.HTTPResponse) -> bytes:
    chunks = []
    size = 0
    while chunk := _piece(answer):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise TransportError(TransportProblem.TOO_LARGE, f"more than {LARGEST_ANSWER} bytes")
    if answer.length:
        raise TransportError(TransportProblem.DROPPED, "in the middle of the answer" + _missing(answer))
    return b"".join(chunks)


def _missing(answer: http.client.HTTPResponse) -> str:
    """Say what is missing of a packed body whose length is known: most often the length is that of before packing."""
    coding = answer.headers and answer.length and answer.getheader("Content-Encoding")
    if not coding:
        return ""
    return f": less than the {answer.getheader('Content-Length')} bytes of its Content-Length came, packed by {coding}"


def _piece(answer: http.client.HTTPResponse) -> bytes:
    """Read some of a body; of a refusal that ends with its connection, a reset is the end as well.

    Whoever refuses a request for its head and closes the connection need not have read its body, and what is left
    unread makes the system send a reset. Source: RFC 9112 section 9.6.
    """
    if answer.length is not None or answer.chunked or answer.status < http.HTTPStatus.BAD_REQUEST:
        return answer.read(65536)
    try:
        return answer.read1(65536)
    except ConnectionResetError:
        return b""
