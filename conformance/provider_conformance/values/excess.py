"""Bodies beyond all bounds, cheap to make and to send (HTTP-5)."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.values.strange import huge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provider_conformance.exchange import Headers
    from provider_conformance.values.plausible import Provider

MEBIBYTE = 2**20
LEVELS = 100_000


@dataclass(frozen=True)
class Excess:
    """A body that is too much, with the operation that it is sent to and its description."""

    what: str
    operation: Operation
    body: bytes
    headers: Headers = ()


def excesses(create: Provider, update: Callable[[], Provider], gone: int) -> Iterator[Excess]:
    """Excessive bodies of every kind, made of fair ones where they may be accepted, and else of an id that is gone.

    Each update asks for a fair one of its own.
    """
    yield Excess("a body of 8 MiB", Operation.CREATE, _with(create, b'"' + b"x" * (8 * MEBIBYTE) + b'"'))
    yield Excess("200,000 properties", Operation.UPDATE, _with(update(), _members(200_000)))
    yield Excess("a million numbers", Operation.DESTROY, b"[" + b"0," * 1_000_000 + b"0]")
    yield Excess("100,000 arrays in each other", Operation.CREATE, _with(create, b"[" * LEVELS + b"]" * LEVELS))
    objects = b'{"a":' * LEVELS + b"0" + b"}" * LEVELS
    yield Excess("100,000 objects in each other", Operation.UPDATE, _with(update(), objects))
    yield Excess("100,000 arrays that are never closed", Operation.DESTROY, b"[" * LEVELS)
    digits = huge(gone, 500_000).encode()
    yield Excess("a number of 500,000 digits", Operation.DESTROY, b'{"id":' + digits + b"}")
    bomb = _bomb(_with(create, b'"%s"'), 100)
    yield Excess("100 MiB compressed to 100 KiB", Operation.CREATE, bomb, (("Content-Encoding", "gzip"),))


def _with(provider: Provider, value: bytes) -> bytes:
    """Add an undocumented property: whether it is ignored, stored or refused is free (D19)."""
    return json.dumps(provider)[:-1].encode() + b',"padding":' + value + b"}"


def _members(count: int) -> bytes:
    return b'{"p' + '":0,"p'.join(map(str, range(count))).encode() + b'":0}'


def _bomb(frame: bytes, mebibytes: int) -> bytes:
    """Compress a text with many mebibytes in the place of %s, of which each is compressed once only and then repeated.

    A block that ends with a full flush stands for itself wherever it is put. Source: RFC 1951 section 3.2, RFC 1952.
    """
    head, _, tail = frame.partition(b"%s")
    block = b" " * MEBIBYTE
    checksum = zlib.crc32(head)
    for _ in range(mebibytes):
        checksum = zlib.crc32(block, checksum)
    checksum = zlib.crc32(tail, checksum)
    size = len(head) + mebibytes * MEBIBYTE + len(tail)
    parts = [_deflated(head), _deflated(block) * mebibytes, _deflated(tail, zlib.Z_FINISH)]
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    return header + b"".join(parts) + struct.pack("<II", checksum, size & 0xFFFFFFFF)


def _deflated(data: bytes, flush: int = zlib.Z_FULL_FLUSH) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush(flush)
