"""Flask on werkzeug's threaded server, HTTP/1.1, a route for each operation and Flask's own answers beside them."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import flask
from werkzeug.serving import WSGIRequestHandler, make_server

from variants.messages import Request
from variants.service import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from variants.service import Service


class Handler(WSGIRequestHandler):
    """Keeps connections, and hands the token on, which werkzeug drops for the underscore in its name."""

    protocol_version = "HTTP/1.1"

    def make_environ(self) -> dict[str, Any]:
        environ = super().make_environ()
        if (token := self.headers.get("access_token")) is not None:
            environ["HTTP_ACCESS_TOKEN"] = token
        return environ

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug named it
        pass


def serve(service: Service, base_path: str, started: Callable[[str, int], None]) -> None:
    """Serve for ever."""
    app = flask.Flask("variant")
    app.config["MAX_CONTENT_LENGTH"] = 2_000_000

    def view(operation: str) -> Callable[[], flask.Response]:
        def answer() -> flask.Response:
            token = flask.request.headers.get("access_token")
            headers = [(name, value) for name, value in flask.request.headers.items() if name.lower() != "access-token"]
            given = service.answer(
                Request(
                    flask.request.method,
                    f"/{operation}",
                    tuple(flask.request.args.items(multi=True)),
                    (*headers, *([] if token is None else [("access_token", token)])),
                    flask.request.get_data(),
                )
            )
            time.sleep(given.pause)
            response = flask.Response(given.body, given.status)
            del response.headers["Content-Type"]
            response.headers.extend(list(given.headers))
            response.headers["Cache-Control"] = "no-store"
            return response

        return answer

    for operation, method in METHODS.items():
        app.add_url_rule(f"{base_path}/{operation}", operation, view(operation), methods=[method])
    logging.getLogger("werkzeug").disabled = True
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    started("127.0.0.1", server.server_port)
    server.serve_forever()
