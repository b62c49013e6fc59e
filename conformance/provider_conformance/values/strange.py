"""Requests that no client of the docs sends: other media types, and what tends to bring errors about.

Whatever could act on a query or a command that it is put into does nothing there: this may be somebody's live system.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider_conformance.values.plausible import Provider

MEDIA_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=pconf",
    "text/plain",
    "text/plain;charset=UTF-8;note=application/json",
    "text/html",
    "text/json",
    "text/x-json",
    "text/csv",
    "application/xml",
    "text/xml",
    "application/octet-stream",
    "application/jsonlines",
    "application/jsonrequest",
    "application/x-json",
    "application/yaml",
    "application/javascript",
    "application/x-www-form-urlencoded; charset=UTF-8",
)
"""Media types as which JSON must not pass: forms and plain text are what browsers send across sites without asking."""


def as_form(provider: Provider) -> bytes:
    """Write a provider as a form that a browser would send."""
    return urlencode(provider, doseq=True).encode()


def as_multipart(provider: Provider) -> bytes:
    """Write a provider as a form in parts, as browsers send files."""
    parts = [
        f'--pconf\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in provider.items()
    ]
    return "".join([*parts, "--pconf--\r\n"]).encode()


def as_xml(provider: Provider) -> bytes:
    """Write a provider as XML."""
    members = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in provider.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><provider>{members}</provider>'.encode()


def huge(identity: int, digits: int) -> str:
    """Write a number of many digits of which a server that keeps 64 bits makes the id again."""
    return str(2**64) + "0" * (digits - 40) + f"{identity + 2**64:020d}"


def odd_ids(gone: int) -> Iterator[str]:
    """Queries of show that go wrong in many ways; ids are made of one that names nothing."""
    yield f"id={gone}"
    yield ""
    yield "id=abc"
    yield f"id={gone}%27"
    yield f"id={gone}%20AND%20%271%27=%272"
    yield f"id={gone}%22%29%3B"
    yield f"id={gone}&id={gone}"
    yield f"id[x]={gone}"
    yield f"id={gone}.5"
    yield f"id={2**63}"
    yield f"id={huge(gone, 400)}"
    yield "id=%00"
    yield "id=%ff%fe"
    yield "id=%zz"
    yield "id=%7B%7B7*7%7D%7D"


def odd_lists() -> Iterator[str]:
    """Queries of list that go wrong in many ways."""
    yield ""
    yield "pagination=a&pagesize=b"
    yield "pagination=1%27&pagesize=10"
    yield "pagination=-1&pagesize=-1"
    yield f"pagination={2**31}&pagesize={2**63}"
    yield f"pagination={'9' * 400}&pagesize=10"
    yield "pagination=1&pagesize=10&sort_by=name%27"
    yield "pagination[]=1&pagesize[]=10"


def odd_bodies(gone: int) -> Iterator[bytes]:
    """Bodies that go wrong in many ways; ids are ones that name nothing."""
    yield b""
    yield b'{"id":'
    yield b"[]"
    yield b"{}"
    yield b'\xff\xfe{"id":%d}' % gone
    yield b'{"id":"\'"}'
    yield b'{"id":{"x":""},"name":[],"port":{}}'
    yield b'{"id":' + huge(gone, 400).encode() + b"}"
    yield b'{"id":' + b"[" * 90 + b"]" * 90 + b"}"
    yield json.dumps({"id": gone}).encode()
    yield json.dumps({"id": gone, "name": "'", "port": "'", "ips": "x", "status": "\\"}).encode()
