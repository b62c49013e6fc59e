"""Stands in front of a server, and holds each of its answers back as a long way would."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from command import TOKEN
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 64 * 1024


class Relay(socketserver.ThreadingTCPServer):
    """Passes on what comes, in both directions; each answer waits for `delay` seconds, on each connection by itself.

    Counts how many requests wait for their answers at a time.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, base_url: str, delay: float) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        parts = urlsplit(base_url)
        self.upstream = (str(parts.hostname), int(parts.port or 80))
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}{parts.path}"
        self.delay = delay
        self.most = 0
        """How many requests have waited at a time, at most."""
        self._waiting = 0
        self._counting = threading.Lock()

    def begin_waiting(self) -> None:
        """Count a request that waits from now on."""
        with self._counting:
            self._waiting += 1
            self.most = max(self.most, self._waiting)

    def end_waiting(self) -> None:
        """Count a request no longer, since its answer comes."""
        with self._counting:
            self._waiting -= 1


class Passage(socketserver.BaseRequestHandler):
    """One connection through the relay; a request is not sent before the answer to the one before has come."""

    server: Relay
    request: socket.socket

    def handle(self) -> None:
        """Pass on requests until the client is done, and wait until the server is, too."""
        self._asked = False
        with socket.create_connection(self.server.upstream) as upstream:
            for end in (self.request, upstream):
                # Otherwise what is sent in two pieces waits for 40 ms, which would be blamed on the client.
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answering = threading.Thread(target=self._answers, args=(upstream,), daemon=True)
            answering.start()
            with suppress(OSError):
                while data := self.request.recv(CHUNK):
                    if not self._asked:
                        self._asked = True
                        self.server.begin_waiting()
                    upstream.sendall(data)
            with suppress(OSError):
                upstream.shutdown(socket.SHUT_WR)
            # A server may answer what it has not read, and then hang up.
            answering.join()
        if self._asked:
            self.server.end_waiting()

    def _answers(self, upstream: socket.socket) -> None:
        with suppress(OSError):
            while data := upstream.recv(CHUNK):
                if self._asked:
                    time.sleep(self.server.delay)
                    self._asked = False
                    self.server.end_waiting()
                self.request.sendall(data)
        with suppress(OSError):
            self.request.shutdown(socket.SHUT_WR)


@contextmanager
def relayed(delay: float) -> Iterator[Relay]:
    """A reference implementation that has served nobody yet, in a process of its own, behind a relay."""
    with Server(token=TOKEN) as server, Relay(server.base_url, delay) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield relay
        relay.shutdown()
