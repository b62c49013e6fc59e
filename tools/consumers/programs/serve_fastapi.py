"""Serves what fastapi-code-generator made, with what it leaves to its user: tokens, and 400 for what is not valid.

python serve_fastapi.py PORT
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import Request, Response  # type: ignore[import-not-found]
from fastapi.exceptions import RequestValidationError  # type: ignore[import-not-found]
from made.main import app  # type: ignore[import-not-found]
from provider_store import knows  # type: ignore[import-not-found]


@app.middleware("http")  # type: ignore[untyped-decorator]
async def check_token(request: Request, proceed: Any) -> Any:
    """Refuse whoever lacks the token."""
    if not knows(request.headers.get("access_token", "")):
        return Response(status_code=401)
    return await proceed(request)


@app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
async def refuse(_request: Request, _error: Exception) -> Response:
    """Refuse what is not valid by 400, not 422, as destroy must (D11)."""
    return Response(status_code=400)


uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
