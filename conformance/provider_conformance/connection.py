"""One connection to the implementation under test: bytes out, one parsed HTTP answer back, bounded in time and size.

The standard library's http.client parses the answers; the bytes of requests are ours, since a conformance suite
must know exactly what it sends and nothing may be repeated behind its back.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import select
import socket
import ssl
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provider_conformance.exchange import Headers, Request, Response, TransportProblem

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes; a hundred providers take some 100 KiB, so nothing honest comes near."""

LONGEST_IDLE = 1.0
"""Seconds after which a kept connection is not used again: many servers drop idle ones after two."""

UNANSWERED = "without an answer"
"""Detail of a connection that was dropped before the first byte of an answer."""

GLANCE = 0.25
"""Seconds after which a wait for an answer looks whether the run was interrupted meanwhile."""


LARGEST_AT_ONCE = 256 * 1024
"""Bytes of a request beyond which its answer is looked for while it is still being sent."""


class TransportError(Exception):
    """A request got no complete HTTP answer."""

    def __init__(self, problem: TransportProblem, detail: str = "") -> None:
        super().__init__(f"{problem}: {detail}" if detail else str(problem))
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True)
class Address:
    """Where the implementation under test listens; `base_path` has no trailing slash."""

    secure: bool
    host: str
    port: int
    base_path: str

    @classmethod
    def of(cls, base_url: str) -> Address:
        """Take a validated base URL apart."""
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        assert parts.hostname is not None
        return cls(secure, parts.hostname, parts.port or (443 if secure else 80), parts.path.rstrip("/"))

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


class _Deadline:
    """The end of one exchange's time."""

    def __init__(self, seconds: float, glance: Callable[[], None]) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._glance = glance

    def slice(self) -> float:
        """Return how long the next wait may last; raises TransportError when the time is up."""
        self._glance()
        left = self._end - time.monotonic()
        if left <= 0:
            raise TransportError(TransportProblem.TIMED_OUT, f"no complete answer within {self._seconds:g} s")
        return min(left, GLANCE)


class _BoundedReader(io.RawIOBase):
    """Reads a socket so that the whole answer, not each of its bytes, is bounded in time."""

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self.received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while True:
            self._sock.settimeout(self._deadline.slice())
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self.received += count
            return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Pose as the socket that http.client reads from."""
        return io.BufferedReader(self, 65536)


class _FinalResponse(http.client.HTTPResponse):
    """Reads over all interim answers; http.client takes any but 100 for the final one (RFC 9110, section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        while 100 < status < 200 and status != http.client.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason


class Connection:
    """A connection that is opened when needed, kept while the server keeps it, and never repeats a request."""

    def __init__(self, address: Address, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._timeout = timeout
        self._tls = tls
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

    def exchange(self, request: Request, glance: Callable[[], None]) -> Response:
        """Send one request and return its answer; raises TransportError."""
        self.open(glance)
        payload = encoded(request)
        self.send(payload)
        return self.receive(request, glance)

    def open(self, glance: Callable[[], None]) -> None:
        """Make sure that there is a usable connection; a kept one that the server has closed is replaced."""
        self.reused = self._sock is not None and not self._stale()
        if not self.reused:
            self.close()
            self._sock = self._connected(glance)
        self._cut_short = False

    def send(self, payload: bytes) -> None:
        """Write bytes; a server may answer and close before it has read them all, so a broken pipe is no end."""
        assert self._sock is not None
        self._sock.settimeout(self._timeout)
        try:
            # Over TLS there is something to read without any answer, such as session tickets.
            if self._tls is None and len(payload) > LARGEST_AT_ONCE:
                self._send_while_unanswered(self._sock, payload)
            else:
                self._sock.sendall(payload)
        except TimeoutError as error:
            self.close()
            raise TransportError(TransportProblem.TIMED_OUT, "the request was not read") from error
        except OSError:
            return

    def receive(self, request: Request, glance: Callable[[], None]) -> Response:
        """Read the answer to a request that was sent; raises TransportError."""
        assert self._sock is not None
        reader = _BoundedReader(self._sock, _Deadline(self._timeout, glance))
        keep = False
        try:
            answer = _FinalResponse(reader, method=request.method)  # type: ignore[arg-type]
            answer.begin()
            body = _body(answer)
            keep = not answer.will_close and not self._cut_short
            return Response(answer.status, answer.reason, tuple(answer.getheaders()), _decoded(answer, body))
        except TransportError:
            raise
        except http.client.IncompleteRead as error:
            raise TransportError(TransportProblem.DROPPED, "in the middle of the answer") from error
        except (ConnectionError, ssl.SSLEOFError) as error:
            where = "before the whole answer came" if reader.received else UNANSWERED
            raise TransportError(TransportProblem.DROPPED, where) from error
        except (http.client.HTTPException, ValueError, zlib.error, EOFError) as error:
            raise TransportError(TransportProblem.MALFORMED, _first_line(error)) from error
        except OSError as error:
            raise TransportError(TransportProblem.DROPPED, _first_line(error)) from error
        finally:
            self._last_used = time.monotonic()
            if not keep:
                self.close()

    def _send_while_unanswered(self, sock: socket.socket, payload: bytes) -> None:
        """Write bytes until all are written or the server answers or closes; it need not read what it refuses."""
        left, end = memoryview(payload), time.monotonic() + self._timeout
        while left:
            readable, writable, _ = select.select([sock], [sock], [], max(0.0, end - time.monotonic()))
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

    def _connected(self, glance: Callable[[], None]) -> socket.socket:
        glance()
        try:
            sock = socket.create_connection((self._address.host, self._address.port), self._timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_hostname=self._address.host)
        except TimeoutError as error:
            raise TransportError(TransportProblem.UNREACHABLE, f"no connection within {self._timeout:g} s") from error
        except ssl.SSLError as error:
            raise TransportError(TransportProblem.UNREACHABLE, f"TLS: {_first_line(error)}") from error
        except OSError as error:
            raise TransportError(
                TransportProblem.UNREACHABLE, (error.strerror or _first_line(error)).lower()
            ) from error
        return sock


def encoded(request: Request) -> bytes:
    """Write a request as the bytes of HTTP/1.1."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    head = "\r\n".join([*lines, "", ""])
    return head.encode("latin-1") + (request.body or b"")


def with_length(headers: Headers, body: bytes | None) -> Headers:
    """Add the Content-Length that a body needs."""
    return headers if body is None else (*headers, ("Content-Length", str(len(body))))


def _body(answer: http.client.HTTPResponse) -> bytes:
    chunks = []
    size = 0
    while chunk := answer.read(65536):
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise TransportError(TransportProblem.TOO_LARGE, f"more than {LARGEST_ANSWER} bytes")
    if answer.length:
        raise TransportError(TransportProblem.DROPPED, "in the middle of the answer")
    return b"".join(chunks)


def _decoded(answer: http.client.HTTPResponse, body: bytes) -> bytes:
    """Undo gzip and deflate, which some servers use unasked."""
    coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if coding in {"identity", ""} or not body:
        return body
    if coding in {"gzip", "x-gzip"}:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            plain = stream.read(LARGEST_ANSWER + 1)
    elif coding == "deflate":
        plain = zlib.decompressobj().decompress(body, LARGEST_ANSWER + 1)
    else:
        raise TransportError(TransportProblem.MALFORMED, f"content coding {coding!r}, though none was asked for")
    if len(plain) > LARGEST_ANSWER:
        raise TransportError(TransportProblem.TOO_LARGE, f"more than {LARGEST_ANSWER} bytes once unpacked")
    return plain


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
