"""The standard library's http.server: HTTP/1.0, a connection for every request, and no length of anything."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from variants.messages import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from variants.service import Service

LONGEST_BODY = 2_000_000


def serve(service: Service, base_path: str, started: Callable[[str, int], None], *, hasty: bool = False) -> None:
    """Serve for ever; who is `hasty` reads no body that comes without the token."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 60
        rbufsize = 1 if hasty else -1  # what is read ahead is not left unread

        def handle_any(self) -> None:
            split = urlsplit(self.path)
            path = split.path.removeprefix(base_path) if split.path.startswith(base_path + "/") else "?"
            query = tuple(parse_qsl(split.query, keep_blank_values=True))
            request = Request(self.command, path, query, tuple(self.headers.items()), b"")
            length = self.headers.get("Content-Length") or "0"
            if length.isdigit() and not (hasty and not service.has_token(request)):
                request = replace(request, body=self.rfile.read(min(int(length), LONGEST_BODY)))
            answer = service.answer(request)
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
