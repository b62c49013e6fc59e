"""The standard library's http.server: HTTP/1.0, a connection for every request, and no length of anything."""

from __future__ import annotations

import gzip
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from variants.messages import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from variants.service import Service

LONGEST_BODY = 2_000_000


def serve(service: Service, base_path: str, started: Callable[[str, int], None]) -> None:
    """Serve for ever."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 60

        def handle_any(self) -> None:
            length = self.headers.get("Content-Length") or "0"
            body = self.rfile.read(min(int(length), LONGEST_BODY)) if length.isdigit() else b""
            split = urlsplit(self.path)
            path = split.path.removeprefix(base_path) if split.path.startswith(base_path + "/") else "?"
            query = tuple(parse_qsl(split.query, keep_blank_values=True))
            answer = service.answer(Request(self.command, path, query, tuple(self.headers.items()), body))
            time.sleep(answer.pause)
            content = answer.body
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if content and "gzip" in self.headers.get("Accept-Encoding", ""):
                self.send_header("Content-Encoding", "gzip")
                content = gzip.compress(content)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.handle_any
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    started("127.0.0.1", server.server_port)
    server.serve_forever()
