"""A server of bare sockets that answers with what no client should ever get; run it by `python -m hostile CASE AFTER`.

It serves as the reference does for the first AFTER requests, and answers every later one with the case.
"""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provider_conformance.reference.messages import Request
from provider_conformance.reference.server import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

    from provider_conformance.reference.service import Reference

Speech = "Callable[[], Iterator[bytes]]"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MEBIBYTE = 2**20


def whole(body: bytes, head: bytes = OK) -> Iterator[bytes]:
    """A complete answer."""
    yield head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def for_ever(beginning: bytes, again: bytes) -> Iterator[bytes]:
    """Something that has no end."""
    yield beginning
    yield from itertools.repeat(again)


def slowly() -> Iterator[bytes]:
    """A good answer, a byte a second."""
    for byte in next(whole(b'{"id": 1}')):
        yield bytes([byte])
        time.sleep(1)


def silence() -> Iterator[bytes]:
    """Nothing."""
    time.sleep(3600)
    yield b""


def bomb() -> Iterator[bytes]:
    """A gibibyte of blanks, compressed."""
    packed = gzip.compress(b" " * MEBIBYTE) * 1024
    yield from whole(packed, OK + b"Content-Encoding: gzip\r\n")


def redirected(where: str) -> Iterator[bytes]:
    """A redirect."""
    yield f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()


CASES: dict[str, Callable[[], Iterator[bytes]]] = {
    "silence": silence,
    "a byte a second": slowly,
    "headers without end": lambda: for_ever(OK, b"X-More: and more\r\n"),
    "one header without end": lambda: for_ever(OK + b"X-More: ", b"x" * 4096),
    "interim answers without end": lambda: for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "chunks without end": lambda: for_ever(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n"
    ),
    "trailers without end": lambda: for_ever(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-More: and more\r\n"),
    "a body without end": lambda: for_ever(OK + b"\r\n", b" " * 65536),
    "2 GiB": lambda: for_ever(OK + b"Content-Length: 2147483648\r\n\r\n", b" " * 65536),
    "a compressed gibibyte": bomb,
    "100,000 levels": lambda: whole(b'{"providers":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "500 levels": lambda: whole(b'{"providers":' + b"[" * 500 + b"]" * 500 + b"}"),
    "a number of a million digits": lambda: whole(b'{"id":' + b"9" * 1_400_000 + b"}"),
    "half a million empty arrays": lambda: whole(b"[" + b"[]," * 480_000 + b"[]]"),
    "a quarter million objects": lambda: whole(b'{"providers":[' + b'{"":0},' * 200_000 + b"{}]}"),
    "a quarter million equal names": lambda: whole(b"{" + b'"a":0,' * 230_000 + b'"a":0}'),
    "what is no UTF-8": lambda: whole(b'{"id": "\xff\xfe\xc3\x28"}'),
    "a body cut short": lambda: iter([OK + b'Content-Length: 1000\r\n\r\n{"id":']),
    "chunks cut short": lambda: iter([OK + b'Transfer-Encoding: chunked\r\n\r\n1000\r\n{"id":']),
    "a cut zip": lambda: whole(gzip.compress(b'{"id": 1}')[:-9], OK + b"Content-Encoding: gzip\r\n"),
    "no zip at all": lambda: whole(b'{"id": 1}', OK + b"Content-Encoding: gzip\r\n"),
    "no HTTP": lambda: iter([b"220 mail.example.com ESMTP\r\n"]),
    "a status of four digits": lambda: whole(b"{}", b"HTTP/1.1 2000 OK\r\n"),
    "control sequences": lambda: whole(b'{"error": "\x1b[2J\x07"}', b"HTTP/1.1 500 \x1b]0;title\x07\r\n"),
    "a redirect to itself": lambda: redirected("/api/providers/list"),
    "a redirect elsewhere": lambda: redirected("http://elsewhere.example/login"),
    "a login page": lambda: whole(b"<html><form>Password</form></html>", OK.replace(b"application/json", b"text/html")),
    "a wait for ever": lambda: whole(b"{}", b"HTTP/1.1 429 Slow Down\r\nRetry-After: 99999999999999999999999\r\n"),
    "a wait of no number": lambda: whole(b"{}", b"HTTP/1.1 429 Slow Down\r\nRetry-After: \xb2\r\n"),
    "an error like a query without end": lambda: whole(b"SELECT " * 250_000, b"HTTP/1.1 500 Oops\r\n"),
}


def serve(case: str, after: int, token: str) -> None:
    """Serve for ever, after a line that says where."""
    reference, answered = build(token), itertools.count()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/api/providers"}), flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=speak, args=(connection, case, after, reference, answered), daemon=True).start()


def speak(connection: socket.socket, case: str, after: int, reference: Reference, answered: Iterator[int]) -> None:
    """Answer the requests of one connection; whatever is hostile is the last on it."""
    with connection, connection.makefile("rb") as stream, suppress(OSError):
        while request := read(stream):
            if next(answered) >= after:
                for part in CASES[case]():
                    connection.sendall(part)
                return
            answer = reference.answer(request)
            media_type = f"Content-Type: {answer.media_type}\r\n" if answer.media_type else ""
            head = f"HTTP/1.1 {answer.status} As It Is\r\n{media_type}Content-Length: {len(answer.body)}\r\n\r\n"
            connection.sendall(head.encode() + answer.body)


def read(stream: BufferedReader) -> Request | None:
    """Read a request, or None when there is no other."""
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = []
    while (field := stream.readline().strip()) != b"":
        name, _, value = field.partition(b":")
        headers.append((name.lower(), value.strip()))
    length = next((int(value) for name, value in headers if name == b"content-length"), 0)
    parts = urlsplit(line[1])
    operation = parts.path.rpartition("/")[2]
    body = stream.read(length)
    if operation not in {"create", "show", "list", "update", "destroy"}:
        operation = "show"
    return Request(line[0], operation, parts.query.encode(), tuple(headers), body, None)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
