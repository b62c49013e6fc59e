"""Targets that are no implementation at all: the first line tells the engineer what is wrong."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import pytest

from command import TOKEN, certify
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers every request alike."""

    status: ClassVar[int] = 200
    headers_sent: ClassVar[dict[str, str]] = {"Content-Type": "application/json"}
    body: ClassVar[bytes] = b"{}"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        for name, value in (self.headers_sent | {"Content-Length": str(len(self.body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api/providers"
        server.shutdown()


def answering(status: int, body: bytes = b"{}", **headers: str) -> type[Answering]:
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return type("Handler", (Answering,), {"status": status, "body": body, "headers_sent": sent})


def test_a_server_that_answers_everything_with_an_empty_object_fails(tmp_path: Path) -> None:
    with serving(answering(200)) as url:
        run = certify(tmp_path, url, "--level", "core")

    assert run.code == 1
    assert "without the id of a new provider" in run.first_line
    assert {"CREATE-2"} <= run.ids("fail")
    assert run.report["verdict"] == "nonconformant"


def test_a_server_that_answers_everything_with_401_cannot_be_tested(tmp_path: Path) -> None:
    with serving(answering(401, b'{"error":"unauthorized"}')) as url:
        run = certify(tmp_path, url, "--level", "core")

    assert run.code == 3
    assert "the token is refused" in run.first_line
    assert "underscores_in_headers" in run.first_line
    assert not run.ids("fail")


@pytest.mark.parametrize("status", [400, 422, 451])
def test_a_token_may_be_refused_by_any_4xx_without_a_word(status: int, tmp_path: Path) -> None:
    with serving(answering(status, b"")) as url:
        run = certify(tmp_path, url, "--level", "core")

    assert run.code == 3
    assert "another service" in run.first_line
    assert "Or the token is refused" in run.first_line
    assert "underscores_in_headers" in run.first_line


def test_nobody_listening_cannot_be_tested(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    run = certify(tmp_path, f"http://127.0.0.1:{port}/api/providers", "--level", "core")

    assert run.code == 3
    assert "cannot reach" in run.first_line
    assert "is the server running" in run.first_line
    assert run.ids("not_tested") == {entry["id"] for entry in run.report["requirements"]}


def test_a_plain_file_server_is_no_such_api(tmp_path: Path) -> None:
    with serving(http.server.SimpleHTTPRequestHandler) as url:
        run = certify(tmp_path, url, "--level", "core")

    assert run.code == 3
    assert "no such API" in run.first_line


def test_a_login_page_is_named(tmp_path: Path) -> None:
    with serving(answering(200, b"<html>Please log in</html>", Content_Type="text/html")) as url:
        run = certify(tmp_path, url, "--level", "core")

    assert run.code == 3
    assert "does not speak JSON" in run.first_line
    assert "token" not in run.first_line


def test_a_redirect_is_not_followed_and_its_place_is_told(tmp_path: Path) -> None:
    seen: list[str] = []

    class Elsewhere(Answering):
        def answer(self) -> None:
            seen.append(self.headers.get("access_token", ""))
            super().answer()

        do_GET = do_POST = answer  # noqa: N815

    with serving(Elsewhere) as other, serving(answering(302, b"", Location=f"{other}/list")) as url:
        run = certify(tmp_path, url, "--level", "core")

    assert run.code == 3
    assert "redirects" in run.first_line
    assert not seen


def test_a_silent_server_costs_one_timeout_and_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/providers"
        run = certify(tmp_path, url, "--level", "core", "--timeout", "1", timeout=15)

    assert run.code == 3
    assert "does not answer" in run.first_line


def test_something_else_than_http_is_named(tmp_path: Path) -> None:
    def speak(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=speak, args=(listener,), daemon=True).start()
        run = certify(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}/", "--level", "core")

    assert run.code == 3
    assert "does not answer in HTTP" in run.first_line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_destroys_what_it_created(tmp_path: Path, number: signal.Signals) -> None:
    with Server(token=TOKEN) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "provider_conformance", "run", server.base_url, "--report-dir", str(tmp_path)],
            env=os.environ | {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        journal = tmp_path / "journal.jsonl"
        while not (journal.exists() and journal.read_text().count('"created"') > 20):
            assert process.poll() is None
            time.sleep(0.02)

        process.send_signal(number)
        output, _ = process.communicate(timeout=60)

        assert process.returncode == 3, output
        assert "interrupted" in output
        assert providers_of(server) == 0


def providers_of(server: Server) -> int:
    """Ask a server how many providers it has."""
    parts = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0)
    connection.request("GET", f"{parts.path}/list?pagination=1&pagesize=10", headers={"access_token": server.token})
    count = json.loads(connection.getresponse().read())["count"]
    connection.close()
    return int(count)
