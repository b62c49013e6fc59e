"""Bodies that are sent late and in two pieces: what arrives when, and that nobody is blamed who answers early."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from provider_conformance.call import Call
from provider_conformance.config import Config
from provider_conformance.guard import Guard
from provider_conformance.target import LATE, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provider_conformance.exchange import Exchange

BODY = b'{"name": "pconf", "port": 5060}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Listening:
    """A server of one thread: it takes a connection, does with it what it is told to, and takes the next."""

    def __init__(self, speak: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api"
        self._speak = speak
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._listener.accept()[0] as connection:
                connection.settimeout(5)
                self._speak(connection)


def aimed(url: str, folder: Path, *, timeout: float = 5.0) -> tuple[Target, list[Exchange]]:
    """A target, and what is recorded of it."""
    recorded: list[Exchange] = []
    config = Config(url, "token", report_dir=folder, timeout=timeout)
    return Target(config, Guard(), recorded.append, lambda _: None), recorded


def calls(count: int) -> list[Call]:
    return [Call("create", "POST", body=BODY) for _ in range(count)]


def test_the_body_comes_late_and_in_two_pieces(tmp_path: Path) -> None:
    pieces: list[tuple[float, bytes]] = []

    def speak(connection: socket.socket) -> None:
        while sum(len(piece) for _, piece in pieces[1:]) < len(BODY):
            piece = connection.recv(65536)
            pieces.append((time.monotonic(), piece))
        connection.sendall(OK)

    target, recorded = aimed(Listening(speak).url, tmp_path)
    (exchange,) = target.send_slowly(calls(1))

    assert exchange.succeeded
    assert recorded == [exchange]
    (began, head), (came, first), (_, second) = pieces
    assert head.endswith(b"\r\n\r\n")
    assert came - began >= LATE - 0.02
    assert first + second == BODY
    assert exchange.elapsed < LATE, "what we take ourselves is not counted"


def one_after_another(connection: socket.socket) -> None:
    """Answer one request after it has come, as servers of one thread do, and keep the connection."""
    connection.settimeout(1)
    received = b""
    try:
        while True:
            received += connection.recv(65536)
            if received.endswith(BODY):
                connection.sendall(OK)
                received = b""
            if not received and not connection.recv(1, socket.MSG_PEEK):
                return
    except TimeoutError:
        return


def test_two_cost_the_time_of_one_even_with_a_server_of_one_thread(tmp_path: Path) -> None:
    target, recorded = aimed(Listening(one_after_another).url, tmp_path)
    assert target.send(calls(1)[0]).succeeded

    began = time.monotonic()
    answers = target.send_slowly(calls(2))

    assert [answer.status for answer in answers] == [200, 200]
    assert time.monotonic() - began < 2 * LATE, "and the connection that was kept is not in the way"
    assert [exchange.number for exchange in recorded] == [1, 2, 3]


def test_a_timeout_that_is_shorter_is_that_of_the_answer_alone(tmp_path: Path) -> None:
    target, _ = aimed(Listening(one_after_another).url, tmp_path, timeout=LATE / 2)
    assert target.send_slowly(calls(1))[0].succeeded


@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_who_refuses_before_the_body_comes_is_heard(interim: bytes, tmp_path: Path) -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(interim + b"HTTP/1.1 422 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    target, _ = aimed(Listening(speak).url, tmp_path)
    assert target.send_slowly(calls(1))[0].status == 422


def test_who_gives_hints_before_the_body_comes_gets_the_body(tmp_path: Path) -> None:
    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        received = b""
        while len(received) < len(BODY):
            received += connection.recv(65536)
        connection.sendall(OK)

    target, _ = aimed(Listening(speak).url, tmp_path)
    assert target.send_slowly(calls(1))[0].succeeded


def test_a_connection_that_is_to_be_closed_is_not_used_again_and_nobody_is_called_silent(tmp_path: Path) -> None:
    """Who answers such a request without saying that it closes, and does so a moment later, conforms."""
    notes: list[str] = []

    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)
        time.sleep(0.05)

    config = Config(Listening(speak).url, "token", report_dir=tmp_path)
    target = Target(config, Guard(), lambda _: None, notes.append)
    closing = Call("show", "GET", query="id=1", headers=(("Connection", "close"),))
    assert [target.send(closing).status for _ in range(3)] == [200, 200, 200]
    assert notes == []
