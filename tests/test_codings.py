"""Answers that are packed: those that were asked for are read, what cannot be is told, and no secret is kept packed."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from command import TOKEN, certify, text_of
from provider_conformance.codings import MOST_CODINGS, decoded
from provider_conformance.dialling import TransportError
from provider_conformance.exchange import TransportProblem
from provider_conformance.limits import LARGEST_ANSWER
from provider_conformance.reference.server import Server
from provider_conformance.verify import verify
from variants.freedoms import Freedoms
from variants.service import Service
from variants.stacks.looping import served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLAIN = b'{"id": 1, "name": "pconf"}' * 20


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize(
    ("named", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("X-GZip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
        (" gzip ,, identity", gzip.compress),
    ],
)
def test_what_is_packed_is_unpacked(named: str, pack: Callable[[bytes], bytes]) -> None:
    assert decoded(pack(PLAIN), named, "gzip, deflate") == PLAIN


def test_nothing_is_nothing_however_it_is_said_to_be_packed() -> None:
    assert decoded(b"", "gzip", "gzip, deflate") == b""


@pytest.mark.parametrize(
    ("body", "named", "asked", "told"),
    [
        pytest.param(*case[1:], id=case[0])
        for case in (
            ("plain as gzip", PLAIN, "gzip", "gzip", "said to be gzip, and cannot be unpacked: Not a gzipped"),
            ("plain as deflate", PLAIN, "deflate", "gzip", "said to be deflate, and cannot be unpacked"),
            ("cut gzip", gzip.compress(PLAIN)[:-9], "gzip", "gzip", "cannot be unpacked: Compressed file ended"),
            ("wrong sum", gzip.compress(PLAIN)[:-8] + bytes(8), "gzip", "gzip", "cannot be unpacked: CRC"),
            ("cut zlib", zlib.compress(PLAIN)[:-9], "deflate", "gzip", "cannot be unpacked: it ends too early"),
            ("cut deflate", raw_deflate(PLAIN)[:-1], "deflate", "gzip", "cannot be unpacked: it ends too early"),
            ("another", PLAIN, "br", "gzip, deflate", "content coding 'br', where gzip, deflate was asked for"),
            ("identity asked for", PLAIN, "br", "identity", "content coding 'br', though none was asked for"),
            ("nothing asked for", PLAIN, "br", None, "content coding 'br', though none was asked for"),
            ("many", PLAIN, "gzip," * (MOST_CODINGS + 1), "gzip", "content codings, one upon another"),
        )
    ],
)
def test_what_cannot_be_unpacked_is_told(body: bytes, named: str, asked: str | None, told: str) -> None:
    with pytest.raises(TransportError, match=told) as raised:
        decoded(body, named, asked)
    assert raised.value.problem is TransportProblem.MALFORMED


@pytest.mark.parametrize(("named", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
@pytest.mark.parametrize("more", ["", "gzip, "])
def test_bombs_are_not_unpacked(named: str, pack: Callable[[bytes], bytes], more: str) -> None:
    with pytest.raises(TransportError) as raised:
        decoded(pack(b" " * (LARGEST_ANSWER + 1)), more + named, "gzip")
    assert raised.value.problem is TransportProblem.TOO_LARGE


def test_what_is_packed_is_kept_unpacked_and_masked_and_judged_again(tmp_path: Path) -> None:
    run = certify(tmp_path, served(Service(Freedoms(), TOKEN)), "--only", "SHOW-1", "--only", "CREATE-4", "--har")

    assert run.told() == ""
    assert {"SHOW-1", "CREATE-4"} <= run.ids("pass")
    kept = text_of(tmp_path / "reports" / "evidence.jsonl.gz")
    packed = [line for line in kept.splitlines() if '"Content-Encoding","gzip"' in line or '"deflate"]' in line]
    assert packed, "the server packs what is asked for so"
    assert all('"base64"' not in line for line in packed)
    assert any("masked-password" in line.partition('"response"')[2] for line in packed)
    assert verify(tmp_path / "reports").discrepancies == ()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("clients-compressed-list-of-plain-length", "bytes of its Content-Length came, packed by gzip"),
        ("clients-says-compressed-and-is-plain", "said to be gzip, and cannot be unpacked"),
    ],
)
def test_what_is_packed_wrongly_is_told_as_that(fault: str, told: str, tmp_path: Path) -> None:
    with Server(token=TOKEN, faults=[fault]) as server:
        run = certify(tmp_path, server.base_url, "--only", "LIST-1", "--only", "SHOW-1")

    assert run.code == 1
    assert told in run.output
    assert "one layer compresses answers and another writes their headers" in run.output
    assert "-H 'Accept-Encoding: gzip, deflate'" in run.output
    assert "--compressed" in run.output
