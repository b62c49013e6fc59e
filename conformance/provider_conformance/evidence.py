"""Keeps the record of a run in a file, and reads it again: JSON lines, compressed, one line an exchange or a claim."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from dataclasses import asdict, fields
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from provider_conformance.contract import Level
from provider_conformance.exchange import Exchange, Request, Response, TransportProblem
from provider_conformance.judge.wording import Difference, Problem
from provider_conformance.record import Circumstances, Claim, Notes, Record
from provider_conformance.reports.files import write_private
from provider_conformance.reports.json_report import EVIDENCE
from provider_conformance.verdict import Cleanup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from provider_conformance.exchange import Headers

FILE_NAME = EVIDENCE
EVIDENCE_VERSION = "1.0"
LARGEST = 512 * 1024 * 1024
"""Bytes that a file may unpack to: a run keeps less than a third of it."""

AT_ONCE = 32
"""Lines that are compressed together: fewer take longer, and all of them would take memory twice."""

FAST = 3
"""Compression: three times as fast as the default, and a tenth larger."""


class EvidenceError(Exception):
    """A file that holds no evidence, or a part of it only; the message says what is wrong."""


def write(record: Record, directory: Path) -> str:
    """Write the record into a directory, readable by its owner only, and return its SHA-256; raises OSError."""
    content = render(record)
    write_private(directory / FILE_NAME, content)
    return sha256(content)


def sha256(content: bytes) -> str:
    """Return the hash by which a report names its evidence."""
    return hashlib.sha256(content).hexdigest()


def render(record: Record) -> bytes:
    """Return the record as a file's content, the same for the same record."""
    packed = io.BytesIO()
    encode = json.JSONEncoder(separators=(",", ":")).encode
    lines = map(encode, _lines(record))
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=FAST, mtime=0) as stream:
        while some := tuple(islice(lines, AT_ONCE)):
            stream.write("\n".join((*some, "")).encode())
    return packed.getvalue()


def read(content: bytes) -> Record:
    """Read a record again; raises EvidenceError."""
    try:
        return _record(_documents(content))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise EvidenceError(f"the evidence is damaged: {type(error).__name__}: {error}") from error


def _lines(record: Record) -> Iterator[dict[str, Any]]:
    run = asdict(record.circumstances)
    times = {name: run[name].isoformat() for name in ("started", "finished")}
    yield {"evidence_version": EVIDENCE_VERSION, "run": {**run, **times}}
    yield from ({"exchange": _of_exchange(exchange)} for exchange in record.exchanges)
    yield from ({"claim": _of_claim(claim)} for claim in record.claims)
    yield from ({"requirement": name, "notes": asdict(notes)} for name, notes in sorted(record.notes.items()))
    # A file that was cut is known by the lack of this line.
    yield {"end": {"exchanges": len(record.exchanges), "claims": len(record.claims), "notes": len(record.notes)}}


def _documents(content: bytes) -> list[dict[str, Any]]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            text = stream.read(LARGEST + 1)
    except (OSError, EOFError) as error:
        raise EvidenceError(f"the evidence cannot be unpacked: {error}") from error
    if len(text) > LARGEST:
        raise EvidenceError(f"the evidence unpacks to more than {LARGEST} bytes")
    documents = [json.loads(line) for line in text.splitlines()]
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise EvidenceError("the evidence is empty, or no JSON lines")
    return documents


def _record(documents: list[dict[str, Any]]) -> Record:
    head, *middle, end = documents
    if head.get("evidence_version") != EVIDENCE_VERSION:
        raise EvidenceError(
            f"evidence of version {head.get('evidence_version')}, where this tool reads {EVIDENCE_VERSION}"
        )
    record = Record(
        _circumstances(head["run"]),
        tuple(_exchange(line["exchange"]) for line in middle if "exchange" in line),
        tuple(_claim(line["claim"]) for line in middle if "claim" in line),
        {line["requirement"]: _notes(line["notes"]) for line in middle if "notes" in line},
    )
    counts = {"exchanges": len(record.exchanges), "claims": len(record.claims), "notes": len(record.notes)}
    if end.get("end") != counts or sum(counts.values()) != len(middle):
        raise EvidenceError("the evidence is incomplete: its last line does not count what stands before it")
    return record


_MEMBERS_OF_CLAIMS = tuple(one.name for one in fields(Claim))


def _of_claim(claim: Claim) -> dict[str, Any]:
    # `asdict` would copy every argument, of which there are many.
    members = {name: getattr(claim, name) for name in _MEMBERS_OF_CLAIMS}
    return {**members, "problem": asdict(claim.problem) if claim.problem else None}


def _of_exchange(exchange: Exchange) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    told: dict[str, Any] = {
        "number": exchange.number,
        "operation": exchange.operation,
        "elapsed": exchange.elapsed,
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            **_of_body(request.body),
        },
    }
    if response is None:
        return {**told, "problem": exchange.problem, "detail": exchange.detail}
    return {
        **told,
        "response": {
            "status": response.status,
            "reason": response.reason,
            "headers": response.headers,
            "whole": response.whole,
            **_of_body(response.body),
        },
    }


def _exchange(line: dict[str, Any]) -> Exchange:
    request, response = line["request"], line.get("response")
    return Exchange(
        line["number"],
        line["operation"],
        Request(request["method"], request["target"], _headers(request["headers"]), _body(request)),
        response and _response(response),
        TransportProblem(line["problem"]) if response is None else None,
        line.get("detail", ""),
        line["elapsed"],
    )


def _response(line: dict[str, Any]) -> Response:
    headers = _headers(line["headers"])
    return Response(line["status"], line["reason"], headers, _body(line) or b"", line["whole"])


def _of_body(body: bytes | None) -> dict[str, str]:
    """Write a body as text where it is some, so that people can read it."""
    if body is None:
        return {}
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _body(line: dict[str, Any]) -> bytes | None:
    if "base64" in line:
        return base64.b64decode(line["base64"], validate=True)
    body: str | None = line.get("body")
    return None if body is None else body.encode("utf-8")


def _headers(pairs: Iterable[Iterable[str]]) -> Headers:
    return tuple((name, value) for name, value in pairs)


def _claim(line: dict[str, Any]) -> Claim:
    return Claim(
        line["requirement"],
        line["rule"],
        tuple(line["exchanges"]),
        line["arguments"],
        _problem(line["problem"]),
        tuple(line["story"]),
        line["excused"],
    )


def _problem(line: dict[str, Any] | None) -> Problem | None:
    if line is None:
        return None
    return Problem(**{**line, "differences": tuple(Difference(**one) for one in line["differences"])})


def _notes(line: dict[str, Any]) -> Notes:
    return Notes(**{name: tuple(values) for name, values in line.items()})


def _circumstances(line: dict[str, Any]) -> Circumstances:
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in line["options"].items()}
    cleanup = line["cleanup"]
    return Circumstances(
        **{
            **line,
            "level": Level(line["level"]),
            "options": options,
            "selected": tuple(line["selected"]),
            "started": datetime.fromisoformat(line["started"]),
            "finished": datetime.fromisoformat(line["finished"]),
            "cleanup": Cleanup(cleanup["created"], cleanup["destroyed"], tuple(cleanup["left"])),
        }
    )
