"""Requests side by side: as many as --workers says, and with the same outcome."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from command import TOKEN, certify
from provider_conformance.reference.server import Server
from test_cleanup import everybody
from test_variants import assert_not_blamed, assert_well_behaved, serving
from variants.catalogue import find_variant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REFUSALS = ("--only", "CREATE-9", "--only", "UPDATE-7", "--only", "SHOW-6")


class Relay(socketserver.ThreadingTCPServer):
    """Stands in front of a server, makes its answers wait, and counts the requests that wait at a time."""

    daemon_threads = True

    def __init__(self, base_url: str, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        parts = urlsplit(base_url)
        self.upstream = (str(parts.hostname), int(parts.port or 80))
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}{parts.path}"
        self.delay = delay
        self.waiting: set[object] = set()
        self.most = 0


class Passage(socketserver.BaseRequestHandler):
    """One connection through the relay."""

    server: Relay

    def handle(self) -> None:
        client: socket.socket = self.request
        with socket.create_connection(self.server.upstream) as upstream:
            threading.Thread(target=self._answers, args=(upstream, client), daemon=True).start()
            while data := client.recv(65536):
                self.server.waiting.add(self)
                self.server.most = max(self.server.most, len(self.server.waiting))
                time.sleep(self.server.delay)
                upstream.sendall(data)

    def _answers(self, upstream: socket.socket, client: socket.socket) -> None:
        while data := upstream.recv(65536):
            self.server.waiting.discard(self)
            client.sendall(data)


def assert_nobody_is_blamed(name: str, workers: int, folder: Path) -> None:
    """Certify a conforming variant by so many workers: it is not blamed, and treated as well as by one."""
    variant = find_variant(name)
    with serving(variant) as server:
        run = certify(folder, server.url, "--level", variant.level, "--workers", str(workers), token=server.token)
        audit = server.audit()
    assert_not_blamed(run)
    assert_well_behaved(audit)
    assert bool(audit["left"]) == variant.keeps


@pytest.fixture
def relay() -> Iterator[Relay]:
    """The reference implementation, far away."""
    with Server(token=TOKEN) as server, Relay(server.base_url, 0.02) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield relay
        relay.shutdown()


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_so_many_requests_are_under_way_at_a_time(relay: Relay, workers: int, tmp_path: Path) -> None:
    run = certify(tmp_path, relay.base_url, *REFUSALS, "--workers", str(workers))

    assert relay.most == workers
    assert run.ids("pass") == {"CREATE-9", "UPDATE-7", "SHOW-6"}, run.told()
    assert run.report["options"]["workers"] == workers
    assert run.report["cleanup"]["left"] == []


def test_a_slow_target_is_told_how_to_be_tested_faster(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    assert "--workers 8" in certify(tmp_path / "one", relay.base_url, "--only", "AUTH-1").output
    many = certify(tmp_path / "many", relay.base_url, "--only", "AUTH-1", "--workers", "4")
    assert "--workers" not in many.output


def test_workers_find_the_same(tmp_path: Path) -> None:
    """A whole certification beside itself: of a conforming server, and of one that stores what it refuses."""
    outcomes = []
    for workers in ("1", "8"):
        with (
            Server(token=TOKEN) as server,
            Server(token=TOKEN, faults=["update-applies-before-it-checks-protocol"]) as faulty,
        ):
            folders = [tmp_path / f"{workers}-{name}" for name in ("fair", "faulty")]
            for folder in folders:
                folder.mkdir()
            fair = certify(folders[0], server.base_url, "--workers", workers)
            bad = certify(folders[1], faulty.base_url, "--workers", workers)
            assert everybody(server) == []
        assert fair.report["verdict"] == "conformant", fair.told()
        outcomes.append(bad.ids("fail"))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]


@pytest.mark.parametrize(
    "name",
    [
        "looping-among-strangers",
        *(pytest.param(name, marks=pytest.mark.seeds) for name in ("core-null", "flask-first-page-0-nearest")),
        *(pytest.param(name, marks=pytest.mark.seeds) for name in ("handmade-slow", "handmade-hangs-up")),
    ],
)
def test_who_is_asked_much_at_a_time_is_not_blamed(name: str, tmp_path: Path) -> None:
    assert_nobody_is_blamed(name, 6, tmp_path)
