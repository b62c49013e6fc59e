"""Heads of answers are read as the standard library reads them, whatever a server sends, but for blanks and bounds."""

from __future__ import annotations

import http.client
import io
import time
from typing import IO, TYPE_CHECKING, Any
from unittest import mock

import hypothesis
import pytest
from hypothesis import strategies as st

from provider_conformance.dialling import TransportError
from provider_conformance.exchange import TransportProblem
from provider_conformance.heads import LARGEST_HEAD, MOST_FIELDS, FinalResponse

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.sampled_from(
    [
        "Content-Length",
        "content-type",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "X",
        "x-" * 9,
        "",
        "From a",
        " b",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["0", "5", "-5", "+5", "five", "9" * 5000, "chunked", "Chunked", "gzip, chunked", "close"]),
    st.text(st.characters(codec="latin-1", exclude_characters="\n"), max_size=12),
)
FIELDS = st.builds(
    "{}{}{}{}{}".format,
    NAMES,
    st.sampled_from([":", ": ", ":\t ", " :", "", "::"]),
    VALUES,
    st.sampled_from(["", " ", "\t"]),
    st.sampled_from(["\r\n", "\r\n", "\n", "\r", "\r\n folded\r\n"]),
)
STATUS_LINES = st.sampled_from(
    [
        "HTTP/1.1 200 OK",
        "HTTP/1.0 404 Not  Found ",
        "HTTP/1.1 204",
        "HTTP/0.9 200 OK",
        "HTTP/2 200",
        "HTTP/1.1 304 x",
        "ICY 200 OK",
    ]
)
METHODS = ("GET", "HEAD", "POST")


class Stream:
    """Poses as a socket with an answer in it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def read(kind: Callable[..., Any], content: bytes, method: str) -> object:
    """Return all that is known of an answer after its head, and its body; or the error."""
    answer = kind(Stream(content), method=method)
    try:
        answer.begin()
        head = (answer.version, answer.status, answer.reason, answer.headers.items())
        return *head, answer.chunked, answer.length, answer.will_close, answer.read(100)
    except (http.client.HTTPException, ValueError) as error:
        return type(error), str(error)


def trimmed(stream: IO[bytes]) -> http.client.HTTPMessage:
    """Read fields by the standard library, which takes blanks after a value for a part of it (RFC 9110, 5.5)."""
    message = http.client.HTTPMessage()
    for name, value in PARSE_HEADERS(stream).items():
        message[name] = value.strip(" \t")
    return message


PARSE_HEADERS = http.client.parse_headers


def standard(content: bytes, method: str) -> object:
    """Return all that the standard library finds, once values are without the blanks around them."""
    with mock.patch.object(http.client, "parse_headers", trimmed):
        return read(http.client.HTTPResponse, content, method)


@hypothesis.given(STATUS_LINES, st.lists(FIELDS, max_size=6), st.sampled_from(METHODS), st.sampled_from(["", "\r\n"]))
@hypothesis.settings(max_examples=500, deadline=None)
def test_any_head_is_read_as_the_standard_library_reads_it(
    status_line: str, fields: list[str], method: str, end: str
) -> None:
    content = f"{status_line}\r\n{''.join(fields)}{end}5\r\nhello\r\n0\r\n\r\n".encode("latin-1")

    assert read(FinalResponse, content, method) == standard(content, method)


@pytest.mark.parametrize("blanks", [" ", "\t", " \t "])
@pytest.mark.parametrize("more", ["", "X: a\r\n folded\r\n"], ids=["plain", "folded"])
def test_blanks_after_a_value_are_no_part_of_it(blanks: str, more: str) -> None:
    fields = f"Transfer-Encoding: chunked{blanks}\r\n{more}Content-Type: application/json{blanks}\r\n"
    content = f"HTTP/1.1 200 OK\r\n{fields}\r\n5\r\nhello\r\n0\r\n\r\n"
    answer = FinalResponse(Stream(content.encode()), method="GET")  # type: ignore[arg-type]

    answer.begin()

    assert answer.getheader("content-type") == "application/json"
    assert (answer.chunked, answer.read()) == (True, b"hello")


@pytest.mark.parametrize("fields", ["X: y\r\n" * MOST_FIELDS, f"X: {'y' * 200_000}\r\n"], ids=["many", "long"])
def test_a_large_head_is_read(fields: str) -> None:
    answer = FinalResponse(Stream(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode()), method="GET")  # type: ignore[arg-type]

    answer.begin()

    assert len(answer.getheaders()) == fields.count("\r\n")


@pytest.mark.parametrize(
    "fields", ["X: y\r\n" * (MOST_FIELDS + 1), f"X: {'y' * LARGEST_HEAD}\r\n"], ids=["many", "long"]
)
def test_a_head_that_is_too_large_is_not_read_and_not_called_malformed(fields: str) -> None:
    answer = FinalResponse(Stream(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode()), method="GET")  # type: ignore[arg-type]

    with pytest.raises(TransportError) as refusal:
        answer.begin()

    assert refusal.value.problem is TransportProblem.TOO_LARGE


def test_a_line_that_is_broken_off_in_blanks_takes_no_time() -> None:
    content = b"HTTP/1.1 200 OK\r\nX:" + b" " * (LARGEST_HEAD - 100)
    began = time.monotonic()

    read(FinalResponse, content, "GET")

    assert time.monotonic() - began < 1


def test_interim_answers_are_read_over_with_their_fields() -> None:
    interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    final = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    found = read(FinalResponse, f"{interim}{final}".encode(), "GET")

    assert found == read(http.client.HTTPResponse, final.encode(), "GET")
