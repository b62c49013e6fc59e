"""Serves the decisions of a `Reference` over ASGI."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from provider_conformance.reference.messages import Answer, RefusedError, Request
from provider_conformance.reference.service import LARGEST_BODY, Reference

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request as HttpRequest

BASE_PATH = "/api/providers"

THREADS = 32
"""Requests that are handled at the same time; more wait their turn."""

METHODS = {"create": "POST", "show": "GET", "list": "GET", "update": "POST", "destroy": "POST"}


def application(reference: Reference) -> Starlette:
    """Return the ASGI application of a reference implementation or of a fault."""

    async def refuse(_request: HttpRequest, error: Exception) -> Response:
        """Answer an unknown path or a method that an operation does not have (HTTP-3)."""
        assert isinstance(error, HTTPException)
        headers = tuple((error.headers or {}).items())
        reason = "no such path" if error.status_code == 404 else "method not allowed"
        return _response(reference.refusal(RefusedError(error.status_code, reason, *headers)))

    async def fail(_request: HttpRequest, _error: Exception) -> Response:
        """Answer without a word on what went wrong inside (HTTP-6)."""
        return _response(reference.refusal(RefusedError(500, "internal error")))

    # A thread each, so that requests which arrive together are handled together, as in a real system; but not where
    # all that a request does is to wait for its turn. An executor of our own costs a third less than Starlette's.
    in_turns = type(reference) is Reference and reference.store.in_turns
    threads = None if in_turns else ThreadPoolExecutor(THREADS, thread_name_prefix="reference")
    app = Starlette(
        routes=[
            Route(f"{BASE_PATH}/{operation}", _endpoint(reference, operation, threads), methods=[method])
            for operation, method in METHODS.items()
        ],
        exception_handlers={HTTPException: refuse, Exception: fail},
    )
    app.router.redirect_slashes = False
    return app


def _endpoint(
    reference: Reference, operation: str, threads: ThreadPoolExecutor | None
) -> Callable[[HttpRequest], Awaitable[Response]]:
    async def serve(http: HttpRequest) -> Response:
        began = time.monotonic()
        try:
            pieces = await _read(http)
        except RefusedError as refused:
            return _response(reference.refusal(refused))
        client = http.scope.get("client")
        request = Request(
            method=http.method,
            operation=operation,
            query=http.scope["query_string"],
            headers=tuple((name.lower(), value) for name, value in http.scope["headers"]),
            body=b"".join(pieces),
            client=tuple(client) if client else None,
            waited=time.monotonic() - began,
            first_piece=len(pieces[0]) if len(pieces) > 1 else None,
        )
        if threads is None:
            return _response(reference.answer(request))
        return _response(await asyncio.get_running_loop().run_in_executor(threads, reference.answer, request))

    return serve


async def _read(http: HttpRequest) -> list[bytes]:
    """Return the pieces in which the body came, or refuse one that is too large as soon as that is known (HTTP-5)."""
    pieces: list[bytes] = []
    size = 0
    declared = http.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:19]) > LARGEST_BODY:
        raise RefusedError(413, "body too large")
    async for chunk in http.stream():
        pieces += [chunk] if chunk else []
        size += len(chunk)
        if size > LARGEST_BODY:
            raise RefusedError(413, "body too large")
    return pieces


def _response(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.media_type is not None:
        headers["Content-Type"] = answer.media_type
    return Response(answer.body, answer.status, headers)
