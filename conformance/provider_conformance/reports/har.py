"""Renders the exchanges of a record as a HAR 1.2 archive, which browsers and proxies show."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from provider_conformance.reports.files import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.exchange import Exchange, Headers
    from provider_conformance.record import Record

FILE_NAME = "exchanges.har"
UNKNOWN = -1
"""What HAR has for sizes and times that are not known."""


def write(record: Record, directory: Path) -> Path:
    """Write exchanges.har into a directory and return its path; raises OSError."""
    path = directory / FILE_NAME
    write_private(path, render(record))
    return path


def render(record: Record) -> bytes:
    """Return the archive as bytes; secrets are replaced already, and an exchange without answer has the status 0."""
    run = record.circumstances
    origin = "/".join(run.base_url.split("/", 3)[:3])
    started, entries = run.started, []
    for exchange in record.exchanges:
        entries.append(_entry(exchange, origin, started.isoformat()))
        started += timedelta(seconds=exchange.elapsed)
    creator = {"name": "sip-provider-conformance", "version": run.tool_version}
    archive = {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": entries}}
    return json.dumps(archive, indent=1).encode("ascii") + b"\n"


def _entry(exchange: Exchange, origin: str, started: str) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    milliseconds = round(exchange.elapsed * 1000, 3)
    told: dict[str, Any] = {
        "method": request.method,
        "url": origin + request.target,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request.headers),
        "queryString": _pairs(tuple(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))),
        "headersSize": UNKNOWN,
        "bodySize": len(request.body or b""),
    }
    if request.body is not None:
        media_type = next((value for name, value in request.headers if name.lower() == "content-type"), "")
        told["postData"] = {"mimeType": media_type, "text": request.body.decode("utf-8", "backslashreplace")}
    body = response.body if response else b""
    return {
        "startedDateTime": started,
        "time": milliseconds,
        "request": told,
        "response": {
            "status": response.status if response else 0,
            "statusText": response.reason or _phrase(response.status) if response else f"{exchange.problem}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(response.headers) if response else [],
            "content": _content(body, next(iter(response.header_values("content-type")), "") if response else ""),
            "redirectURL": "",
            "headersSize": UNKNOWN,
            "bodySize": len(body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": f"exchange {exchange.number}",
    }


def _content(body: bytes, media_type: str) -> dict[str, Any]:
    try:
        return {"size": len(body), "mimeType": media_type, "text": body.decode("utf-8")}
    except UnicodeDecodeError:
        text = base64.b64encode(body).decode()
        return {"size": len(body), "mimeType": media_type, "text": text, "encoding": "base64"}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(pairs: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
