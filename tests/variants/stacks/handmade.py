"""A server of bare sockets that makes the most of what HTTP/1.1 allows.

Answers come in chunks of odd sizes with extensions and trailers, after an interim answer now and then; header names are
spelt as no other server does; kept connections are closed without notice.
"""

from __future__ import annotations

import gzip
import re
import socket
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from variants.messages import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

    from variants.service import Service

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
LONGEST_LINE = 65_536
LONGEST_BODY = 2_000_000
NO_CONTENT = {204, 304}
PACKED: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
TARGET = re.compile(r"([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True)
class Wire:
    """What this server makes of the freedoms of HTTP."""

    requests_per_connection: int | None = None
    """How many a kept connection serves before it is closed without notice."""
    idle: float = 30.0
    """Seconds after which a kept connection on which nothing comes is closed."""
    chunks: tuple[int, ...] = ()
    """Sizes of the chunks, over and over; none: the body has a Content-Length."""
    interim: bool = False
    """Every fifth answer on a connection comes after one of 103, and now and then two of 102 before."""
    closes_after_errors: bool = False
    """An answer that is no 200 is the last on its connection, and says so."""
    waits_for_the_end: bool = False
    """A connection that is closed without notice is closed for answers only; otherwise requests on it are reset."""
    reasons: bool = True
    """Whether status lines have a reason phrase."""
    trickle: bool = False
    """Every tenth answer is sent byte by byte."""
    hangs_up_on_nonsense: bool = False
    """A request whose target is no URI is not answered, and its connection closed."""
    packing: str = "gzip"
    """How bodies are packed where that is accepted: gzip, deflate, both of them, or not at all."""


def serve(service: Service, base_path: str, started: Callable[[str, int], None], wire: Wire) -> None:
    """Serve for ever."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    started("127.0.0.1", listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Conversation(service, base_path, wire, connection).hold, daemon=True).start()


class Conversation:
    """What is said on one connection."""

    def __init__(self, service: Service, base_path: str, wire: Wire, connection: socket.socket) -> None:
        self._service, self._base_path, self._wire, self._connection = service, base_path, wire, connection
        self._answered = 0
        self._sizes = cycle(wire.chunks or (1,))

    def hold(self) -> None:
        """Answer requests until somebody hangs up."""
        self._connection.settimeout(30)
        with self._connection, self._connection.makefile("rb") as reader, suppress(OSError, ValueError):
            while not (last := self._exchange(reader)) and self._answered != self._wire.requests_per_connection:
                pass
            if not (last or self._wire.waits_for_the_end):
                return
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(0.5)
            while self._connection.recv(65_536):
                pass

    def _exchange(self, reader: BufferedReader) -> bool:
        """Answer one request; return whether it is the last."""
        line = reader.readline(LONGEST_LINE).decode("latin-1").rstrip("\r\n")
        if not line:
            return True
        self._connection.settimeout(30)  # `idle` is for kept connections between requests
        method, _, rest = line.partition(" ")
        target, _, version = rest.rpartition(" ")
        headers = []
        while header := reader.readline(LONGEST_LINE).decode("latin-1").rstrip("\r\n"):
            name, _, value = header.partition(":")
            headers.append((name, value.strip(" \t")))
        fields = {name.lower(): value for name, value in headers}
        if "100-continue" in fields.get("expect", "").lower():
            self._connection.sendall(b"HTTP/1.1 100 \r\n\r\n")
        body = self._body(reader, fields)
        path, _, query = target.partition("?")
        path = path.removeprefix(self._base_path) if path.startswith(self._base_path + "/") else "?"
        if self._wire.hangs_up_on_nonsense and not TARGET.fullmatch(target):
            return True
        answer = self._service.answer(
            Request(method, path, tuple(parse_qsl(query, keep_blank_values=True)), tuple(headers), body)
        )
        time.sleep(answer.pause)
        last = (
            version == "HTTP/1.0"
            or "close" in fields.get("connection", "").lower()
            or (self._wire.closes_after_errors and answer.status != 200)
        )
        self._send(answer, fields, method, version, last=last)
        self._answered += 1
        self._connection.settimeout(self._wire.idle)
        return last

    def _body(self, reader: BufferedReader, fields: dict[str, str]) -> bytes:
        if "chunked" not in fields.get("transfer-encoding", "").lower():
            return reader.read(min(int(fields.get("content-length") or 0), LONGEST_BODY))
        body = b""
        while size := int(reader.readline(LONGEST_LINE).partition(b";")[0], 16):
            body += reader.read(size)[: LONGEST_BODY - len(body)]
            reader.readline(LONGEST_LINE)
        while reader.readline(LONGEST_LINE).strip():
            pass
        return body

    def _send(self, answer: Answer, fields: dict[str, str], method: str, version: str, *, last: bool) -> None:
        wire, body = self._wire, answer.body
        if wire.interim and version == "HTTP/1.1" and self._answered % 5 == 3:
            self._connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * (self._answered % 2 * 2) + HINTS)
        lines = [f"HTTP/1.1 {answer.status} {'As You Like It' if wire.reasons else ''}"]
        lines += [f"{odd(name)}:{value} \t " for name, value in answer.headers]
        lines += ["sErVeR:\t \xfcber/1.0 (a; comment)", "X-Empty:", "Set-Cookie: a=b; Path=/", "Set-Cookie: c=d"]
        accepted = fields.get("accept-encoding", "")
        for coding in wire.packing.split() if body else ():
            if coding in accepted:
                lines.append(f"content-encoding: {coding.title()}")
                body = PACKED[coding](body)
        if last:
            lines.append("CONNECTION: Close")
        chunked = bool(wire.chunks) and version == "HTTP/1.1"
        if chunked:
            lines += ["tRANSFER-eNCODING: Chunked", "Trailer: X-Sum"]
            parts = [*self._chunks(body), b"0;last\r\nX-Sum: none\r\n\r\n"]
        else:
            lines.append(f"content-LENGTH:{len(body):04}")
            parts = [body]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        if method == "HEAD" or answer.status in NO_CONTENT:
            parts = []
        for part in [head, *parts]:
            if wire.trickle and self._answered % 10 == 7:
                for byte in part[:2000]:
                    self._connection.sendall(bytes([byte]))
                self._connection.sendall(part[2000:])
            else:
                self._connection.sendall(part)

    def _chunks(self, body: bytes) -> list[bytes]:
        chunks = []
        while body:
            piece, body = body[: (size := next(self._sizes))], body[size:]
            chunks.append(b'%04X ; a="b;c"\r\n%b\r\n' % (len(piece), piece))
        return chunks


def odd(name: str) -> str:
    """Spell a header's name as no other server does."""
    return "".join(char.upper() if at % 3 else char.lower() for at, char in enumerate(name))
