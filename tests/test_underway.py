"""Several requests that one thread has under way: each gets its own answer in its own time, and none is left behind."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from provider_conformance.call import Call
from provider_conformance.config import Config
from provider_conformance.errors import RunEndedError
from provider_conformance.exchange import TransportProblem
from provider_conformance.guard import Guard
from provider_conformance.target import NEAR, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


LONG = 10.0
SHORT = 0.4
FAR = 20 * NEAR
HANGING = "hanging"
MANY = "abcdef" * 5


class Handler(BaseHTTPRequestHandler):
    """Answers with the query of the request, once the server lets it."""

    protocol_version = "HTTP/1.1"
    server: Gated

    def do_GET(self) -> None:
        query = self.path.partition("?")[2]
        self.server.before_answering(query)
        self.send_response(200)
        self.send_header("Content-Length", str(len(query)))
        self.end_headers()
        self.wfile.write(query.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives
        pass


class Gated(ThreadingHTTPServer):
    """A server whose answers wait for what the test says; what hangs does so until the end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()
        self.wait: Callable[[str], Any] = lambda _: None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have given up."""

    def before_answering(self, query: str) -> None:
        if query == HANGING:
            self.over.wait(LONG)
        self.wait(query)


@pytest.fixture
def server() -> Iterator[Gated]:
    with Gated() as gated:
        threading.Thread(target=gated.serve_forever, args=(0.01,), daemon=True).start()
        yield gated
        gated.over.set()
        gated.shutdown()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let each connection take its time to be opened, as over a long way, the later the more; tells when they were."""
    connect = socket.socket.connect
    opened: list[float] = []
    numbers = count(1)

    def connect_from_afar(sock: socket.socket, address: Any) -> None:
        time.sleep(FAR + next(numbers) * NEAR)
        connect(sock, address)
        opened.append(time.monotonic())

    monkeypatch.setattr(socket.socket, "connect", connect_from_afar)
    return opened


@contextmanager
def aimed(server: Gated, folder: Path, **settings: Any) -> Iterator[tuple[Target, Guard]]:
    """A target, and what tells it to end."""
    config = Config(f"http://127.0.0.1:{server.server_address[1]}/api", "token", report_dir=folder, **settings)
    guard = Guard()
    target = Target(config, guard, lambda _: None, lambda _: None)
    yield target, guard
    target.close()


def calls(*queries: str) -> list[Call]:
    return [Call("show", "GET", query=query) for query in queries]


def told(exchanges: Any) -> list[str]:
    return [exchange.response.body.decode() if exchange.response else str(exchange.problem) for exchange in exchanges]


@pytest.mark.parametrize("together", [False, True])
def test_requests_really_overlap_and_get_their_own_answers(server: Gated, together: bool, tmp_path: Path) -> None:
    everybody = threading.Barrier(6, timeout=LONG)
    server.wait = lambda query: time.sleep(everybody.wait() * 0.01 if query else 0)
    with aimed(server, tmp_path, workers=6) as (target, _):
        answers = (target.send_together if together else target.send_all)(calls(*"abcdef"))

        assert told(answers) == list("abcdef")


def test_none_that_are_sent_together_is_whole_before_all_have_begun(
    server: Gated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, bytes]] = []
    send = socket.socket.sendall
    client = threading.current_thread()

    def noted(sock: socket.socket, data: bytes) -> None:
        if threading.current_thread() is client:
            sent.append((sock.fileno(), data))
        send(sock, data)

    monkeypatch.setattr(socket.socket, "sendall", noted)
    with aimed(server, tmp_path) as (target, _):
        assert told(target.send_together(calls(*"abcdef"))) == list("abcdef")

    begun, ended = sent[:6], sent[6:]
    assert len({sock for sock, _ in begun}) == 6
    assert [sock for sock, _ in ended] == [sock for sock, _ in begun]
    assert {data[-3:] for _, data in begun} == {b"\r\n\r"}
    assert {data for _, data in ended} == {b"\n"}


@pytest.mark.parametrize("together", [False, True])
def test_one_that_is_never_answered_costs_no_other_its_answer(server: Gated, together: bool, tmp_path: Path) -> None:
    with aimed(server, tmp_path, workers=3, timeout=SHORT) as (target, _):
        send = target.send_together if together else target.send_all

        assert told(send(calls("a", HANGING, "c", "d", "e"))) == ["a", TransportProblem.TIMED_OUT, "c", "d", "e"]
        assert told(send(calls(*"abcde"))) == list("abcde"), "nor does anybody get what is another's afterwards"


def test_an_answer_that_had_to_wait_for_others_to_be_sent_came_in_time(server: Gated, tmp_path: Path) -> None:
    with aimed(server, tmp_path, workers=4, timeout=SHORT, rate=2.0) as (target, _):
        assert told(target.send_all(calls(*"abcdef"))) == list("abcdef")


def test_who_may_have_but_one_under_way_waits_for_nobody_who_waits(server: Gated, tmp_path: Path) -> None:
    with aimed(server, tmp_path, workers=4) as (target, _):
        other = target.beside()
        while target.traffic.make_do_with_fewer() is not None:
            pass

        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(list, one.send_all(calls(*MANY))) for one in (target, other)]
            assert [told(answers.result(LONG)) for answers in both] == [list(MANY)] * 2
        other.close()


def test_an_interruption_leaves_no_answer_to_whoever_sends_next(server: Gated, tmp_path: Path) -> None:
    sent = threading.Semaphore(0)
    may_go_on = threading.Event()

    def wait(_: str) -> None:
        sent.release()
        may_go_on.wait(LONG)

    server.wait = wait
    with aimed(server, tmp_path, workers=3) as (target, guard), ThreadPoolExecutor(1) as pool:
        interrupted = pool.submit(lambda: list(target.send_all(calls(*"abcdef"))))
        assert all(sent.acquire(timeout=LONG) for _ in range(3))
        guard.interrupt()
        with pytest.raises(RunEndedError):
            interrupted.result(LONG)
        may_go_on.set()
        guard.clean_up(LONG)

        assert told(target.send_all(calls(*"uvwxyz"))) == list("uvwxyz")


@pytest.mark.parametrize("together", [False, True])
def test_connections_to_a_far_target_are_opened_at_once(
    server: Gated, far: list[float], together: bool, tmp_path: Path
) -> None:
    with aimed(server, tmp_path, workers=4) as (target, _):
        target.traffic.keeps_connections = False
        assert told([target.send(*calls("a"))]) == ["a"]
        assert len(far) == 1

        assert told((target.send_together if together else target.send_all)(calls(*"abcd"))) == list("abcd")

        assert len(far) == 5
        assert max(far) - far[1] < FAR
