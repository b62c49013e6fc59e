"""A server that acts on whatever it is sent: it destroys everybody whose id it finds in a destroy, however written."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from typing import Self

FIRST_ID = 900
"""The first id that it gives, after those of others."""

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        """Its query and its body."""
        body = self.body.decode(json.detect_encoding(self.body), "replace")
        return f"{unquote(self.target.partition('?')[2])} {body.rpartition('?>')[2]}"


class Greedy(ThreadingHTTPServer):
    """Serves providers while a `with` block lasts; `seen` is all that came, `most` how many of its own lived at most.

    It destroys nobody as long as it `keeps` them, refuses a create without a name as long as it is `strict`, and takes
    so many seconds more for each answer as it is `slow`.
    """

    daemon_threads = True

    def __init__(
        self, others: dict[int, dict[str, Any]] | None = None, *, keeps: bool = False, slow: float = 0
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.others = others or {}
        self.providers = dict(self.others)
        self.keeps = keeps
        self.slow = slow
        self.strict = False
        self.seen: list[Seen] = []
        self.most = 0
        self.turn = threading.Lock()
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}/api/providers"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Keep quiet about clients that were killed."""

    @property
    def ours(self) -> dict[int, dict[str, Any]]:
        """The providers that were created since it was started."""
        return {key: value for key, value in self.providers.items() if key >= FIRST_ID}

    @property
    def theirs(self) -> dict[int, dict[str, Any]]:
        """Those that were there before."""
        return {key: value for key, value in self.providers.items() if key < FIRST_ID}

    def sent_to(self, operation: str) -> list[Seen]:
        """Return what was sent to an operation."""
        return [one for one in self.seen if one.target.partition("?")[0].endswith(f"/{operation}")]

    def answer(self, seen: Seen) -> tuple[int, Any]:
        """Do what a request may mean."""
        path, _, query = seen.target.partition("?")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        match path.rpartition("/")[2]:
            case "create":
                return self.create(seen)
            case "show":
                provider = self.providers.get(int(asked.get("id", "0")))
                return (404, {}) if provider is None else (200, {"id": int(asked["id"]), **provider})
            case "list":
                return self.page(int(asked.get("pagination", 1)), int(asked.get("pagesize", 10)))
            case "destroy":
                return self.destroy(seen)
        return 200, {}

    def create(self, seen: Seen) -> tuple[int, Any]:
        members = json.loads(seen.body)
        if self.strict and "name" not in members:
            return 400, {}
        identity = max([FIRST_ID - 1, *self.providers]) + 1
        self.providers[identity] = members
        self.most = max(self.most, len(self.ours))
        return 200, {"id": identity}

    def page(self, page: int, size: int) -> tuple[int, Any]:
        items = [{"id": key, **value} for key, value in sorted(self.providers.items())][(page - 1) * size :][:size]
        paging = {"count": len(self.providers), "pagination": page, "pagesize": size, "sort_by": "DEFAULT"}
        return 200, {**paging, "providers": items}

    def destroy(self, seen: Seen) -> tuple[int, Any]:
        numbers = [float(text) if "." in text else int(text) for text in NUMBER.findall(seen.text)]
        doomed = {abs(int(number)) % 2**64 for number in numbers} or {0, 1}
        for identity in () if self.keeps else doomed:
            self.providers.pop(identity, None)
        return (500, {}) if self.keeps else (200, {})


class Handler(BaseHTTPRequestHandler):
    """Hands every request on, whatever its method."""

    protocol_version = "HTTP/1.1"
    server: Greedy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.command, self.path, tuple(self.headers.items()), body)
        time.sleep(self.server.slow)
        with self.server.turn:
            self.server.seen.append(seen)
            status, content = self.server.answer(seen)
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - as the library calls them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library gives
        pass
