"""How requests are sent that do not depend on each other: each while the answer to the one before is looked at."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from provider_conformance.api import Api
from provider_conformance.call import Call
from provider_conformance.config import Config
from provider_conformance.errors import NotTestableError
from provider_conformance.guard import Guard
from provider_conformance.ledger import Ledger
from provider_conformance.survival import SURVIVAL, answerable, judge_survival
from provider_conformance.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provider_conformance.exchange import Exchange

LONG = 10.0


class Handler(BaseHTTPRequestHandler):
    """Answers with the query of the request, and counts what is under way."""

    protocol_version = "HTTP/1.1"
    server: Counting

    def do_GET(self) -> None:
        query = self.path.partition("?")[2]
        with self.server.turn:
            self.server.seen.append(query)
            self.server.under_way += 1
            self.server.most = max(self.server.most, self.server.under_way)
            self.server.turn.notify_all()
        body = query.encode()
        # Counted down before it is sent: whoever has read the answer may send the next at once.
        with self.server.turn:
            self.server.under_way -= 1
        patience = self.server.patience and self.path.endswith("c")
        busy = time.monotonic() < self.server.busy_until
        self.send_response(503 if patience else 429 if busy else 200)
        if patience or busy:
            self.send_header("Retry-After", "7200" if patience else "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.server.closing:
            self.rfile.readline()  # the next request, whose answer never comes
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives
        pass


class Counting(ThreadingHTTPServer):
    """A server that remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.turn = threading.Condition()
        self.seen: list[str] = []
        self.under_way = self.most = 0
        self.closing = False
        self.patience = False
        self.busy_until = 0.0


@pytest.fixture
def server() -> Iterator[Counting]:
    with Counting() as counting:
        threading.Thread(target=counting.serve_forever, daemon=True).start()
        yield counting
        counting.shutdown()


@contextmanager
def aimed(server: Counting, folder: Path, workers: int = 1) -> Iterator[tuple[Target, list[Exchange]]]:
    """A target, and what is recorded of it."""
    recorded: list[Exchange] = []
    config = Config(f"http://127.0.0.1:{server.server_address[1]}/api", "token", report_dir=folder, workers=workers)
    target = Target(config, Guard(), recorded.append, lambda _: None)
    yield target, recorded
    target.close()


def calls(*queries: str) -> list[Call]:
    return [Call("show", "GET", query=query) for query in queries]


def answers(exchanges: list[Exchange]) -> list[bytes]:
    return [exchange.response.body if exchange.response else b"" for exchange in exchanges]


def test_the_next_request_is_under_way_while_an_answer_is_looked_at(server: Counting, tmp_path: Path) -> None:
    with aimed(server, tmp_path) as (target, recorded):
        sending = target.send_all(calls("a", "b", "c"))

        first = next(sending)

        assert answers([first]) == [b"a"]
        with server.turn:
            assert server.turn.wait_for(lambda: server.seen == ["a", "b"], LONG)
        time.sleep(0.05)
        assert server.seen == ["a", "b"], "no more than one ahead"
        assert answers([first, *sending]) == [b"a", b"b", b"c"]
        assert answers(recorded) == [b"a", b"b", b"c"]
    assert server.most == 1


def test_an_answer_that_nobody_comes_for_is_recorded_and_given_to_nobody_else(server: Counting, tmp_path: Path) -> None:
    with aimed(server, tmp_path) as (target, recorded):
        sending = target.send_all(calls("a", "b", "c"))
        next(sending)

        another = target.send(*calls("d"))

        assert answers([another]) == [b"d"]
        assert answers(recorded) == [b"a", b"b", b"d"]
        assert [exchange.number for exchange in recorded] == [1, 2, 3]
        # Whoever does come for it later gets it all the same.
        assert answers(list(sending)) == [b"b", b"c"]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_connection_that_was_closed_in_silence_costs_no_answer(
    server: Counting, workers: int, tmp_path: Path
) -> None:
    server.closing = True
    with aimed(server, tmp_path, workers) as (target, recorded):
        answered = list(target.send_all(calls("a", "b", "c", "d", "e", "f")))

    assert answers(answered) == [b"a", b"b", b"c", b"d", b"e", b"f"]
    lost = [exchange for exchange in recorded if exchange.response is None]
    assert lost
    assert not set(map(id, lost)) & set(map(id, answerable(recorded, ()))), "nobody is blamed for it"


def test_what_another_test_is_about_to_send_anew_is_not_judged_by_this_one(server: Counting, tmp_path: Path) -> None:
    server.closing = True
    with aimed(server, tmp_path) as (target, recorded):
        list(target.send_all(calls("a", "b")))
    (lost,) = [exchange for exchange in recorded if exchange.response is None]
    ledger = Ledger(workers=2)
    for exchange in recorded[: recorded.index(lost) + 1]:
        ledger.record(exchange)

    judge_survival(ledger, own=target.own - {lost.number})
    assert ledger.judged(SURVIVAL) == target.own & set(range(lost.number))
    for exchange in recorded[recorded.index(lost) + 1 :]:
        ledger.record(exchange)
    judge_survival(ledger)

    assert ledger.judged(SURVIVAL) == target.own - {lost.number}
    assert not ledger.violated(SURVIVAL)


@pytest.mark.parametrize("workers", [1, 3])
def test_what_was_sent_ahead_is_given_once_to_whoever_asks(server: Counting, workers: int, tmp_path: Path) -> None:
    with aimed(server, tmp_path, workers) as (target, _):
        api, (a, b, c) = Api(target, Ledger()), calls("a", "b", "c")

        with api.ahead([a, b, a]):
            assert len(server.seen) == 3
            known = [api.send(a), *api.send_all([b, c]), api.send(a)]
            assert answers(known) == [b"a", b"b", b"c", b"a"]
            assert len({exchange.number for exchange in known}) == 4
            assert sorted(server.seen) == ["a", "a", "b", "c"]
            api.send(a)
            assert len(server.seen) == 5, "who looks again really does"

        with api.ahead([a]):
            pass
        api.send(a)
        assert len(server.seen) == 7, "nothing is kept beyond the block"

        with api.ahead([a]):
            api.look_anew()
            api.send(a)
        assert len(server.seen) == 9, "nor when that is asked for"

        server.patience = True
        with pytest.raises(NotTestableError, match="asks to wait"), api.ahead([a, c]):
            pass
        server.patience = False
        sent = len(server.seen)
        api.send(a)
        assert len(server.seen) == sent + 1, "nor when not all of it is answered"


def test_what_the_run_made_sure_of_is_given_to_who_looks_next_unless_anything_was_sent_between(
    server: Counting, tmp_path: Path
) -> None:
    with aimed(server, tmp_path) as (target, _):
        api = Api(target, Ledger())

        looks = api.look([1, 2])
        assert server.seen == ["id=1", "id=2"]
        assert api.show_all([2, 1]) == looks[::-1]
        assert len(server.seen) == 2
        api.show(1)
        assert len(server.seen) == 3, "who looks again really does"

        for between in (lambda: api.show(3), lambda: api.send_each(calls("a")), lambda: api.send_together(calls("b"))):
            api.look([1])
            sent = len(server.seen)
            between()
            api.show(1)
            assert len(server.seen) == sent + 2


def test_another_target_counts_on(server: Counting, tmp_path: Path) -> None:
    with aimed(server, tmp_path) as (target, recorded):
        other = target.beside()
        target.send(*calls("a"))
        other.send(*calls("b"))
        target.send(*calls("c"))
        other.close()
    assert [exchange.number for exchange in recorded] == [1, 2, 3]


def test_who_rounds_the_time_to_wait_down_to_0_is_waited_for(server: Counting, tmp_path: Path) -> None:
    with aimed(server, tmp_path) as (target, recorded):
        server.busy_until = time.monotonic() + 1
        assert target.send(*calls("a")).status == 200
    waited = [exchange for exchange in recorded if exchange.status == 429]
    assert 2 <= len(waited) <= 6
