"""aiohttp: one thread, kept connections, and gzip where it is accepted."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from aiohttp import web

from variants.messages import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from variants.service import Service


def serve(service: Service, base_path: str, started: Callable[[str, int], None]) -> None:
    """Serve for ever."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        path = request.path.removeprefix(base_path) if request.path.startswith(base_path + "/") else "?"
        answer = service.answer(
            Request(request.method, path, tuple(request.query.items()), tuple(request.headers.items()), body)
        )
        await asyncio.sleep(answer.pause)
        response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        if answer.body:
            response.enable_compression()
        if not any(name.lower() == "content-type" for name, _ in answer.headers):
            response.headers.popall("Content-Type", None)
        return response

    async def main() -> None:
        app = web.Application(client_max_size=2_000_000)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "localhost", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        started(f"[{host}]" if ":" in host else host, port)
        await asyncio.Event().wait()

    asyncio.run(main())


def served(service: Service) -> str:
    """Serve in a thread for as long as the tests last, and return the base URL."""
    base_path, there = "/api/providers", threading.Event()
    urls: list[str] = []

    def started(host: str, port: int) -> None:
        urls.append(f"http://{host}:{port}{base_path}")
        there.set()

    threading.Thread(target=serve, args=(service, base_path, started), daemon=True).start()
    assert there.wait(30)
    return urls[0]
