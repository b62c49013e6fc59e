"""provider_client against servers on real sockets: the reference, ones with a fault, and ones that use a freedom."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import re
import socket
import ssl
import subprocess
import sys
import time
import tomllib
import traceback
from collections.abc import AsyncIterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme

import provider_client
from provider_client import (
    AsyncProviderClient,
    Busy,
    ProviderClient,
    ProviderError,
    Refused,
    ServerFailed,
    UnexpectedAnswer,
    Unreachable,
)
from provider_client.endpoint import PART
from provider_conformance.reference.messages import JSON, MEMORY, Answer, Properties, RefusedError, Request
from provider_conformance.reference.server import Server, ThreadServer, build
from provider_conformance.reference.service import ListParameters, Reference
from provider_conformance.reference.store import Store
from provider_models import AuthMode, Protocol, ProviderCreate, ProviderStatus, ProviderUpdate, SortBy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "client.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
TOKEN = "4dfcf1d4c30b4d798ece3ae43769f008" * 2
PASSWORD = 'Tr0ub4dor "& 3'


def settings(name: str = "Example Telecom", password: str = PASSWORD) -> ProviderCreate:
    return ProviderCreate(
        name=name,
        auth_mode=AuthMode.REGISTER_AUTH,
        protocol=Protocol.UDP,
        hostname="sip.example.com",
        port=5060,
        outbound_server="proxy.example.com",
        outbound_server_port=5060,
        require_register=True,
        reregister_interval=3600,
        auth_id="example-pbx",
        password=password,
        ips=[],
        provider_in_lan=False,
        single_via_header=False,
        status=ProviderStatus.ONLINE,
    )


def changed(identity: int, name: str) -> ProviderUpdate:
    return ProviderUpdate(id=identity, in_parameters=[], out_parameters=[], **settings(name).model_dump())


class Awaited:
    """The asynchronous client, called as the other one is."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._client = AsyncProviderClient(*arguments, **options)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Awaited:
        self._runner.run(self._client.__aenter__())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._client.__aexit__(None, None, None))
        self._runner.close()

    def __repr__(self) -> str:
        return repr(self._client)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **options: self._runner.run(
            _outcome(getattr(self._client, name)(*arguments, **options))
        )


async def _outcome(result: Any) -> Any:
    return [item async for item in result] if isinstance(result, AsyncIterator) else await result


@pytest.fixture(params=[ProviderClient, Awaited], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Any:
    """The class to connect with: every test here holds for both clients."""
    return request.param


@contextmanager
def serving(kind: type[Reference] = Reference, **attributes: object) -> Iterator[ThreadServer]:
    """Serve an override of the reference; `attributes` are set on it."""
    reference = kind(Store(MEMORY), TOKEN)
    vars(reference).update(attributes)
    with ThreadServer(reference) as server:
        yield server


@pytest.fixture(scope="module")
def reference() -> Iterator[ThreadServer]:
    """A server without a fault, as the control of those that have one."""
    with serving() as server:
        yield server


@contextmanager
def faulty(*faults: str) -> Iterator[ThreadServer]:
    with ThreadServer(build(TOKEN, faults=faults)) as server:
        yield server


# The five operations


class Recording(Reference):
    """Keeps what it was sent."""

    def prepare(self) -> None:
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return super().answer(request)


def recorded(server: ThreadServer) -> list[Request]:
    assert isinstance(server.reference, Recording)
    return server.reference.requests


def test_the_life_of_a_provider(connect: Any) -> None:
    with serving() as server, connect(server.base_url, TOKEN) as client:
        first, second = client.create(settings()), client.create(settings("Another"))
        assert client.show(first).name == "Example Telecom"

        assert client.update(changed(first, "Renamed")) is None
        assert client.show(first).name == "Renamed"
        assert client.show(second).name == "Another"

        page = client.list(1, 1, SortBy.OPTIONAL)
        assert (page.count, page.sort_by) == (2, "OPTIONAL")
        assert [provider.name for provider in page.providers] == ["Another"]

        assert client.destroy(first) is None
        assert [provider.id for provider in client.providers()] == [second]
        with pytest.raises(Refused) as refused:
            client.show(first)
        assert str(refused.value) == 'show: refused with 404: {"error":"no provider of this id"}'
        assert (refused.value.operation, refused.value.status) == ("show", 404)


def test_requests_are_those_of_the_contract(connect: Any) -> None:
    with serving(Recording) as server, connect(server.base_url + "/", TOKEN) as client:
        identity = client.create(settings("Zoë"))
        client.show(identity)
        client.list(1, 10)
        client.list(1, 10, SortBy.DEFAULT)
        client.update(changed(identity, "Renamed"))
        client.destroy(identity)
        requests = recorded(server)

    assert [(request.method, request.operation, request.query) for request in requests] == [
        ("POST", "create", b""),
        ("GET", "show", b"id=1"),
        ("GET", "list", b"pagination=1&pagesize=10"),
        ("GET", "list", b"pagination=1&pagesize=10&sort_by=DEFAULT"),
        ("POST", "update", b""),
        ("POST", "destroy", b""),
    ]
    assert all(request.header(b"access_token") == [TOKEN.encode()] for request in requests)
    assert all(request.header(b"content-type") == ([JSON.encode()] if request.body else []) for request in requests)
    assert json.loads(requests[0].body) == settings("Zoë").model_dump(mode="json")
    assert json.loads(requests[5].body) == {"id": identity}


def test_properties_of_the_vendor_go_to_and_fro(connect: Any) -> None:
    with serving(Recording) as server, connect(server.base_url, TOKEN) as client:
        client.create(ProviderCreate(**settings().model_dump(), vendor_extension=[1]))  # type: ignore[call-arg]
        assert json.loads(recorded(server)[0].body)["vendor_extension"] == [1]


# What goes wrong


def created_and_shown(client: Any) -> object:
    return client.show(client.create(settings("Zoë")))


def created_and_listed(client: Any) -> object:
    client.create(settings("Zoë"))
    return client.list(1, 10)


def updated(client: Any) -> object:
    return client.update(changed(client.create(settings()), "Renamed"))


def updated_after_destroy(client: Any) -> object:
    identity = client.create(settings())
    client.destroy(identity)
    return client.update(changed(identity, "Renamed"))


FAULTS: list[tuple[str, Callable[[Any], object], type[ProviderError], str]] = [
    ("create-answers-201", created_and_shown, UnexpectedAnswer, "create: answered with 201 instead of 200"),
    ("http-create-as-text", created_and_shown, UnexpectedAnswer, "create: the answer is text/plain, not application/"),
    ("http-json-as-html", created_and_shown, UnexpectedAnswer, "create: the answer is text/html; charset=utf-8, not"),
    ("http-json-without-type", created_and_shown, UnexpectedAnswer, "create: the answer is of no declared type, not"),
    ("http-trailing-comma", created_and_shown, UnexpectedAnswer, "show: the answer does not fit: body: Invalid JSON"),
    ("http-byte-order-mark", created_and_shown, UnexpectedAnswer, "create: the answer does not fit: body: Invalid"),
    ("http-latin-1", created_and_shown, UnexpectedAnswer, "show: the answer does not fit: body: Invalid JSON"),
    ("create-id-as-text", created_and_shown, UnexpectedAnswer, "create: the answer does not fit: id: "),
    ("create-id-bare", created_and_shown, UnexpectedAnswer, "create: the answer does not fit: body: "),
    ("show-port-as-text", created_and_shown, UnexpectedAnswer, "show: the answer does not fit: port: Input should be"),
    ("show-null-password", created_and_shown, UnexpectedAnswer, "show: the answer does not fit: password: "),
    ("show-lower-case-enum", created_and_shown, UnexpectedAnswer, "show: the answer does not fit: protocol: "),
    ("list-port-as-text", created_and_listed, UnexpectedAnswer, "list: the answer does not fit: providers.0.port: "),
    ("list-count-as-text", created_and_listed, UnexpectedAnswer, "list: the answer does not fit: count: "),
    ("auth-valid-token-refused-by-update", updated, Refused, "update: refused with 40"),
]


@pytest.mark.parametrize(("fault", "story", "kind", "text"), FAULTS, ids=[fault for fault, *_ in FAULTS])
def test_a_faulty_answer_is_told_for_what_it_is(  # noqa: PLR0917 - fixtures, and a row of the table
    connect: Any,
    reference: ThreadServer,
    fault: str,
    story: Callable[[Any], object],
    kind: type[ProviderError],
    text: str,
) -> None:
    with faulty(fault) as server, connect(server.base_url, TOKEN) as client:
        with pytest.raises(ProviderError) as raised:
            story(client)
        assert type(raised.value) is kind
        assert str(raised.value).startswith(text)
        assert_tells_no_secret(raised.value)

    with connect(reference.base_url, TOKEN) as client:
        story(client)


def test_the_provider_of_another_id_is_no_answer(connect: Any) -> None:
    with faulty("show-unknown-id-gives-first") as server, connect(server.base_url, TOKEN) as client:
        identity = client.create(settings())
        assert client.show(identity).id == identity
        with pytest.raises(UnexpectedAnswer, match=r"^show: gives provider 1 where 77 was asked for$"):
            client.show(77)


@pytest.mark.parametrize(
    ("fault", "story"),
    [
        ("http-500-for-page-zero", lambda client: client.list(1, 0)),
        ("http-500-for-update-of-destroyed", updated_after_destroy),
    ],
)
def test_a_server_that_fails_is_not_one_that_refuses(
    connect: Any, reference: ThreadServer, fault: str, story: Callable[[Any], object]
) -> None:
    with faulty(fault) as server, connect(server.base_url, TOKEN) as client:
        with pytest.raises(ServerFailed, match="failed with 500: ") as failed:
            story(client)
        assert failed.value.status == 500

    with connect(reference.base_url, TOKEN) as client, pytest.raises(Refused):
        story(client)


def test_what_a_server_refuses(connect: Any) -> None:
    with serving() as server, connect(server.base_url, "f" * 64) as stranger, connect(server.base_url, TOKEN) as client:
        with pytest.raises(Refused, match=r"^list: refused with 401: .*access token missing or wrong"):
            stranger.list(1, 10)
        assert client.list(1, 10).count == 0

        identity = client.create(settings())
        client.destroy(identity)
        with pytest.raises(Refused, match=r"^destroy: refused with 400: .*no provider of this id"):
            client.destroy(identity)


class Answering(Reference):
    """Answers everything with one status, some headers and a body."""

    status = 200
    headers: tuple[tuple[str, str], ...] = ()
    body = b""
    media_type = JSON

    def answer(self, request: Request) -> Answer:
        return Answer(self.status, self.body, self.media_type, self.headers)


@pytest.mark.parametrize(
    ("status", "retry_after", "kind", "text"),
    [
        (429, "", Busy, "show: the server asks with 429 to come back later"),
        (429, "7", Busy, "show: the server asks with 429 to come back in 7 s"),
        (503, "30", Busy, "show: the server asks with 503 to come back in 30 s"),
        (503, "Thu, 01 Jan 2026 00:00:00 GMT", Busy, "show: the server asks with 503 to come back in 0 s"),
        (503, "soon", Busy, "show: the server asks with 503 to come back later"),
        (503, "", ServerFailed, "show: failed with 503: no body"),
        (400, "", Refused, "show: refused with 400: no body"),
        (499, "30", Refused, "show: refused with 499: no body"),
        (599, "30", ServerFailed, "show: failed with 599: no body"),
        (204, "", UnexpectedAnswer, "show: answered with 204 instead of 200"),
        (304, "", UnexpectedAnswer, "show: answered with 304 instead of 200"),
        (200, "", UnexpectedAnswer, "show: the answer does not fit: body: Invalid JSON: EOF while parsing a value"),
    ],
)
def test_every_status_has_its_error(
    connect: Any, status: int, retry_after: str, kind: type[ProviderError], text: str
) -> None:
    headers = (("Retry-After", retry_after),) if retry_after else ()
    with (
        serving(Answering, status=status, headers=headers) as server,
        connect(server.base_url, TOKEN) as client,
        pytest.raises(ProviderError) as raised,
    ):
        client.show(1)
    assert type(raised.value) is kind
    assert str(raised.value).startswith(text)
    if isinstance(raised.value, Busy):
        seconds = {"7": 7.0, "30": 30.0, "Thu, 01 Jan 2026 00:00:00 GMT": 0.0}
        assert raised.value.retry_after == seconds.get(retry_after)

    copy = pickle.loads(pickle.dumps(raised.value))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(raised.value), vars(raised.value))


@pytest.mark.parametrize("charset", ["hex", "undefined", "utf-16", "no\\such"])
def test_a_body_in_an_encoding_that_is_none(connect: Any, charset: str) -> None:
    attributes = {"status": 400, "body": "Zoë".encode(), "media_type": f"text/plain; charset={charset}"}
    told = r"^show: refused with 400: Zoë$"
    with (
        serving(Answering, **attributes) as server,
        connect(server.base_url, TOKEN) as client,
        pytest.raises(Refused, match=told),
    ):
        client.show(1)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"id": ' + b"9" * 10_000 + b"}",
        b'{"id": 1e400}',
        b'{"id": "\\ud800"}',
        b'{"x": "\xff"}',
        b"\0",
    ],
    ids=["deep", "long", "infinite", "half a character", "no UTF-8", "NUL"],
)
def test_json_that_is_hard_to_read(connect: Any, body: bytes) -> None:
    with serving(Answering, body=body) as server, connect(server.base_url, TOKEN) as client:
        with pytest.raises(UnexpectedAnswer, match=r"^show: the answer does not fit: ") as raised:
            client.show(1)
        assert_tells_no_secret(raised.value)


def test_where_no_content_is_documented_any_will_do(connect: Any) -> None:
    with serving(Answering, body=b"\xff<html>") as server, connect(server.base_url, TOKEN) as client:
        client.update(changed(1, "Renamed"))
        client.destroy(1)
        with pytest.raises(UnexpectedAnswer):
            client.create(settings())


@contextmanager
def moved_to(elsewhere: ThreadServer) -> Iterator[ThreadServer]:
    """Serve nothing but a redirect to what another server would serve."""
    headers = (("Location", f"{elsewhere.base_url}/list?pagination=1&pagesize=10"),)
    with serving(Answering, status=307, headers=headers) as server:
        yield server


MOVED = r"^list: answered with 307 instead of 200; redirects are not followed, since the token would go along$"


def test_the_token_follows_no_redirect(connect: Any) -> None:
    with serving(Recording) as elsewhere:
        with (
            moved_to(elsewhere) as server,
            connect(server.base_url, TOKEN) as client,
            pytest.raises(UnexpectedAnswer, match=MOVED),
        ):
            client.list(1, 10)
        assert recorded(elsewhere) == []
        with connect(elsewhere.base_url, TOKEN) as client:
            client.list(1, 10)
        assert len(recorded(elsewhere)) == 1


def test_a_port_where_nothing_listens(connect: Any) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with (
        connect(f"http://127.0.0.1:{port}/api/providers", TOKEN) as client,
        pytest.raises(Unreachable, match=r"^create: no answer: ConnectError: ") as raised,
    ):
        client.create(settings())
    assert_tells_no_secret(raised.value)


def test_a_connection_that_is_dropped(connect: Any) -> None:
    with faulty("http-drops-at-64-kib") as server, connect(server.base_url, TOKEN) as client:
        identity = client.create(settings())
        with pytest.raises(Unreachable, match=r"^update: no answer: (RemoteProtocol|Read|Write)Error") as raised:
            client.update(changed(identity, "x" * 70_000))
        assert_tells_no_secret(raised.value)
        client.update(changed(identity, "x" * 50_000))


def test_a_silence_ends_with_the_timeout(connect: Any) -> None:
    # In a process of its own, which can be ended while it sleeps.
    with (
        Server(faults=["http-hangs-at-huge-page"], token=TOKEN) as server,
        connect(server.base_url, TOKEN, timeout=0.5) as client,
    ):
        begun = time.monotonic()
        with pytest.raises(Unreachable, match=r"^list: no answer: ReadTimeout"):
            client.list(1, 2**31)
        assert time.monotonic() - begun < 4  # httpx waits 5 s unless it is told
        assert client.list(1, 10).count == 0


@contextmanager
def over_tls(authority: trustme.CA) -> Iterator[str]:
    """Serve the reference over TLS, with a certificate that nobody but this authority vouches for."""
    server = ThreadServer(build(TOKEN))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    config = server._server.config
    config.load()
    config.ssl = context
    with server:
        yield server.base_url.replace("http:", "https:")


def test_a_certificate_must_be_vouched_for(connect: Any) -> None:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with over_tls(authority) as url:
        untrusted = r"^list: no answer: ConnectError: .*CERTIFICATE_VERIFY_FAILED"
        with connect(url, TOKEN) as client, pytest.raises(Unreachable, match=untrusted):
            client.list(1, 10)
        with connect(url, TOKEN, verify=trusting) as client:
            assert client.list(1, 10).count == 0


# Secrets


class Echoing(Reference):
    """Refuses everything, and repeats what it was sent, in colour."""

    def answer(self, request: Request) -> Answer:
        token = request.header(b"access_token")[0].decode()
        form = "&".join(f"{name}={value}" for name, value in json.loads(request.body or b"{}").items())
        in_utf_16 = token.encode("utf-16-be").decode()
        said = [
            "\x1b[2Jport 5060 is \u202etaken\n",
            form,
            request.body.decode(),
            token,
            token[:32],
            token[-PART:],
            in_utf_16,
        ]
        return Answer(422, said[self.which].encode() if self.which >= 0 else "\n".join(said).encode(), "text/plain")

    which = -1


def assert_tells_no_secret(error: BaseException) -> None:
    """Look at everything that logs and terminals get to see of an error."""
    shown = "".join([str(error), repr(error), repr(error.args), repr(vars(error)), *traceback.format_exception(error)])
    shown = re.sub(r"\\+x00", "", shown)  # which UTF-16 would hide it by
    for secret in (TOKEN, PASSWORD, json.dumps(PASSWORD)[1:-1]):
        assert not [start for start in range(len(secret) - PART) if secret[start : start + PART] in shown]
    assert str(error).isprintable()
    # Errors of httpx hold the request, which tools that report errors would look into.
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize("which", range(-1, 7))
@pytest.mark.parametrize("password", [PASSWORD, "0", "s3cr"])
def test_what_a_server_repeats_is_not_told(connect: Any, which: int, password: str) -> None:
    with serving(Echoing, which=which) as server, connect(server.base_url, TOKEN) as client:
        with pytest.raises(Refused) as raised:
            client.create(settings(password=password))
        assert_tells_no_secret(raised.value)
        assert password not in raised.value.excerpt


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("\x1b[2Jport 5060\n is \u202etaken", r"\x1b[2Jport 5060 is \u202etaken"),
        ("x" * 10_000, "x" * 200 + "… (9800 more characters)"),
        ('{"providers": [{"password": "of another"}]}', '{"providers": [{"password": "********"}]}'),
    ],
    ids=["harmful", "long", "of another"],
)
def test_what_a_server_says_is_told_on_one_harmless_line(connect: Any, body: str, shown: str) -> None:
    with (
        serving(Answering, status=400, body=body.encode()) as server,
        connect(server.base_url, TOKEN) as client,
        pytest.raises(Refused) as raised,
    ):
        client.create(settings())
    assert str(raised.value) == f"create: refused with 400: {shown}"


@pytest.mark.parametrize("fault", ["http-discloses-token", "http-discloses-half-of-token"])
def test_a_token_that_a_server_discloses_is_not_told(connect: Any, fault: str) -> None:
    with faulty(fault) as server, connect(server.base_url, TOKEN[:-1]) as client:
        with pytest.raises(Refused, match="401") as raised:
            client.list(1, 10)
        assert_tells_no_secret(raised.value)


def test_neither_reprs_nor_logs_hold_secrets(connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving() as server, connect(server.base_url, TOKEN) as client:
        client.create(settings())
        assert repr(client).endswith(f"ProviderClient('{server.base_url}', token=********)")
    assert "/create" in caplog.text
    assert TOKEN not in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("token", ["", " ", TOKEN + "\n", "Zoë" * 20, "\ufeff" + TOKEN, TOKEN + "\x7f"])
def test_a_token_that_no_header_can_carry(connect: Any, token: str) -> None:
    with pytest.raises(ValueError, match=r"^the token must be printable ASCII") as raised:
        connect("https://pbx.example/api/providers", token)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pbx.example",
        "ftp://pbx.example",
        "https://",
        "https://user:hidden@pbx.example",
        "http://h/?a=1",
        "http://h:x",
    ],
)
def test_a_base_url_that_is_none(connect: Any, url: str) -> None:
    with pytest.raises(ValueError, match=r"^the base URL must ") as raised:
        connect(url, TOKEN)
    assert "hidden" not in str(raised.value)


def test_an_httpx_client_of_the_caller_stays_open_and_follows_no_redirect() -> None:
    with (
        serving(Recording) as elsewhere,
        moved_to(elsewhere) as server,
        httpx.Client(headers={"X-Gateway": "7"}, follow_redirects=True) as own,
    ):
        with ProviderClient(server.base_url, TOKEN, http=own) as client, pytest.raises(UnexpectedAnswer, match=MOVED):
            client.list(1, 10)
        assert recorded(elsewhere) == []
        with ProviderClient(elsewhere.base_url, TOKEN, http=own) as client:
            client.list(1, 10)
        assert recorded(elsewhere)[0].header(b"x-gateway") == [b"7"]
        assert not own.is_closed

        with ProviderClient(elsewhere.base_url, TOKEN) as client:
            client.list(1, 10)
        with pytest.raises(RuntimeError, match="closed"):
            client.list(1, 10)


def test_an_asynchronous_httpx_client_of_the_caller_stays_open_and_follows_no_redirect() -> None:
    async def story(moved: str, url: str) -> None:
        async with httpx.AsyncClient(headers={"X-Gateway": "7"}, follow_redirects=True) as own:
            async with AsyncProviderClient(moved, TOKEN, http=own) as client:
                with pytest.raises(UnexpectedAnswer, match=MOVED):
                    await client.list(1, 10)
            async with AsyncProviderClient(url, TOKEN, http=own) as client:
                await client.list(1, 10)
            assert not own.is_closed

        async with AsyncProviderClient(url, TOKEN) as client:
            await client.list(1, 10)
        with pytest.raises(RuntimeError, match="closed"):
            await client.list(1, 10)

    with serving(Recording) as elsewhere, moved_to(elsewhere) as server:
        asyncio.run(story(server.base_url, elsewhere.base_url))
        assert [request.header(b"x-gateway") for request in recorded(elsewhere)] == [[b"7"], []]


def test_asynchronous_calls_may_overlap() -> None:
    async def story(url: str) -> list[int]:
        async with AsyncProviderClient(url, TOKEN) as client:
            return await asyncio.gather(*(client.create(settings(f"Number {number}")) for number in range(8)))

    with serving() as server:
        assert sorted(asyncio.run(story(server.base_url))) == list(range(1, 9))


# Pages


class Paging(Recording):
    """Counts its pages from 0 or from 1, and uses the freedom of what lies before the first and past the last (D16)."""

    first = 1
    beyond = "refused"
    optional = "reversed"
    largest = 1000

    def list_parameters(self, request: Request) -> ListParameters:
        asked = {name: values[0] for name, values in self.parameters(request).items()}
        return ListParameters(int(asked["pagination"]), min(int(asked["pagesize"]), self.largest), asked.get("sort_by"))

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, everything = self.store.page(0, 1000, "id")
        if asked.sort_by == "OPTIONAL":
            turn = len(self.requests) % max(1, count)
            orders = {"reversed": everything[::-1], "partial": everything[::2]}
            everything = orders.get(self.optional) or everything[turn:] + everything[:turn]
        pages = [everything[at : at + asked.pagesize] for at in range(0, len(everything), asked.pagesize)]
        number = asked.pagination - self.first
        if 0 <= number < max(1, len(pages)):
            return count, pages[number] if pages else []
        if self.beyond == "refused":
            raise RefusedError(404, "no such page")
        if self.beyond == "empty" or not pages:
            return count, []
        return count, pages[number % len(pages) if self.beyond == "around" else 0 if number < 0 else -1]


@pytest.mark.parametrize("beyond", ["refused", "empty", "around", "nearest"])
@pytest.mark.parametrize("first", [0, 1])
def test_every_provider_is_given_once_in_order_however_pages_are_counted(connect: Any, first: int, beyond: str) -> None:
    with serving(Paging, first=first, beyond=beyond) as server, connect(server.base_url, TOKEN) as client:
        ids: list[int] = []
        for count in range(8):
            for pagesize in (1, 2, 3, 4, 6, 7, 100):
                for sort_by, expected in ((None, ids), (SortBy.DEFAULT, ids), (SortBy.OPTIONAL, ids[::-1])):
                    given = [provider.id for provider in client.providers(pagesize, sort_by)]
                    assert given == expected, (count, pagesize, sort_by)
            ids.append(client.create(settings(f"Number {count}")))


@pytest.mark.parametrize("beyond", ["refused", "empty", "around", "nearest"])
@pytest.mark.parametrize("first", [0, 1])
def test_an_optional_order_may_leave_some_out(connect: Any, first: int, beyond: str) -> None:
    attributes = {"first": first, "beyond": beyond, "optional": "partial"}
    with serving(Paging, **attributes) as server, connect(server.base_url, TOKEN) as client:
        ids = [client.create(settings(f"Number {number}")) for number in range(6)]
        for pagesize in (1, 2, 3, 5, 100):
            assert [provider.id for provider in client.providers(pagesize, SortBy.OPTIONAL)] == ids[::2], pagesize
            assert [provider.id for provider in client.providers(pagesize)] == ids


@pytest.mark.parametrize("first", [0, 1])
def test_an_optional_order_may_change_all_the_time(connect: Any, first: int) -> None:
    with serving(Paging, first=first, optional="turning") as server, connect(server.base_url, TOKEN) as client:
        ids = [client.create(settings(f"Number {number}")) for number in range(6)]
        for pagesize in (1, 2, 3, 5):
            given = [provider.id for provider in client.providers(pagesize, SortBy.OPTIONAL)]
            assert set(ids) >= set(given) > set()
        assert {provider.id for provider in client.providers(6, SortBy.OPTIONAL)} == set(ids)


@pytest.mark.parametrize("first", [0, 1])
def test_a_server_may_cap_the_size_of_pages(connect: Any, first: int) -> None:
    with serving(Paging, first=first, largest=2) as server, connect(server.base_url, TOKEN) as client:
        ids = [client.create(settings(f"Number {number}")) for number in range(5)]
        assert [provider.id for provider in client.providers(4)] == ids


def test_no_page_is_asked_for_in_vain(connect: Any) -> None:
    with serving(Recording) as server, connect(server.base_url, TOKEN) as client:
        for number in range(5):
            client.create(settings(f"Number {number}"))
        recorded(server).clear()
        list(client.providers())
        assert [request.query for request in recorded(server)] == [b"pagination=1&pagesize=100"]
        recorded(server).clear()
        list(client.providers(2))
        assert [request.query.rpartition(b"=")[0] for request in recorded(server)] == [
            b"pagination=1&pagesize",
            b"pagination=1&pagesize",
            b"pagination=2&pagesize",
            b"pagination=3&pagesize",
        ]


def test_pages_are_read_as_they_are_needed() -> None:
    with serving(Recording) as server, ProviderClient(server.base_url, TOKEN) as client:
        ids = [client.create(settings(f"Number {number}")) for number in range(6)]
        recorded(server).clear()
        assert next(client.providers(2)).id == ids[0]
        assert len(recorded(server)) == 2


class Deaf(Recording):
    """Gives the first page, whichever is asked for."""

    def list_parameters(self, request: Request) -> ListParameters:
        return replace(super().list_parameters(request), pagination=1)


def test_a_server_that_ignores_the_number_of_the_page_is_noticed(connect: Any) -> None:
    with serving(Deaf) as server, connect(server.base_url, TOKEN) as client:
        for number in range(6):
            client.create(settings(f"Number {number}"))
        assert len(list(client.providers(6))) == 6
        recorded(server).clear()
        with pytest.raises(UnexpectedAnswer, match=r"^list: its pages give 2 of the 6 providers it counts$"):
            list(client.providers(2))
        assert len(recorded(server)) == 3


@pytest.mark.parametrize(
    ("fault", "given"),
    [
        ("list-third-page-repeats-second", "its pages give 4 of the 6 providers it counts"),
        ("list-counts-a-million", "its pages give 6 of the 1000000 providers it counts"),
        ("list-loses-full-last-page", "its pages give 4 of the 6 providers it counts"),
        ("auth-valid-token-refused-by-later-pages", "refused with 403"),
        ("list-pages-overlap", [1, 2, 2, 3, 4, 5, 6]),
    ],
)
def test_what_is_missing_is_noticed_and_what_comes_twice_is_given_twice(
    connect: Any, fault: str, given: str | list[int]
) -> None:
    with faulty(fault) as server, connect(server.base_url, TOKEN) as client:
        ids = [client.create(settings(f"Number {number}")) for number in range(6)]
        assert ids == [1, 2, 3, 4, 5, 6]
        if isinstance(given, str):
            with pytest.raises(ProviderError, match=given):
                list(client.providers(2))
        else:
            assert [provider.id for provider in client.providers(2)] == given


def test_a_token_that_is_refused_is_told_by_the_iterator(connect: Any) -> None:
    with serving() as server, connect(server.base_url, "f" * 64) as client, pytest.raises(Refused, match="401"):
        list(client.providers())


def test_a_page_holds_somebody(connect: Any) -> None:
    with serving() as server, connect(server.base_url, TOKEN) as client:
        with pytest.raises(ValueError, match="pagesize must be at least 1"):
            list(client.providers(0))
        assert list(client.providers(1)) == []


# The package


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path} | environment, capture_output=True, text=True, check=False
    )


def test_without_the_extra_one_line_tells_which_one_is_missing() -> None:
    run = python("-W", "error", "-c", "import sys; sys.modules['httpx'] = None; import provider_client")
    advice = "provider_client needs httpx; install it with: pip install 'sip-provider-conformance[client]'"
    assert run.stderr.splitlines()[-1] == f"ModuleNotFoundError: {advice}"
    assert run.stderr.count("Traceback") == 1
    assert python("-W", "error", "-c", "import provider_client").returncode == 0


def test_it_loads_nothing_but_httpx_and_pydantic() -> None:
    def modules(statement: str) -> set[str]:
        loaded = "import sys; print(' '.join({name.partition('.')[0] for name in sys.modules}))"
        return set(python("-W", "error", "-c", f"import {statement}; {loaded}").stdout.split())

    needed = modules("httpx, pydantic; from pydantic import MISSING, BaseModel, StrictBool")
    new = modules("provider_client") - needed - set(sys.stdlib_module_names)
    assert new == {"provider_client", "provider_conformance", "provider_models"}


RIGHT = """
import ssl
from collections.abc import AsyncIterator, Iterator

import httpx
from provider_client import AsyncProviderClient, ProviderClient, Refused
from provider_models import ListedProvider, Provider, ProviderCreate, ProviderList, ProviderUpdate, SortBy


def use(client: ProviderClient, create: ProviderCreate, update: ProviderUpdate) -> None:
    identity: int = client.create(create)
    provider: Provider = client.show(identity)
    page: ProviderList = client.list(1, 10, SortBy.OPTIONAL)
    found: Iterator[ListedProvider] = client.providers(pagesize=10)
    client.update(update)
    client.destroy(provider.id + page.count + next(found).id)


async def use_async(client: AsyncProviderClient, create: ProviderCreate) -> int:
    found: AsyncIterator[ListedProvider] = client.providers(sort_by=SortBy.DEFAULT)
    ids = [provider.id async for provider in found]
    return await client.create(create) + len(ids)


def connect() -> None:
    with ProviderClient("http://h", "t", timeout=5, verify=ssl.create_default_context()) as client:
        try:
            client.destroy(1)
        except Refused as refused:
            status: int = refused.status
    ProviderClient("http://h", "t", http=httpx.Client())
    AsyncProviderClient("http://h", "t", http=httpx.AsyncClient())
"""

WRONG = """
import httpx
from provider_client import AsyncProviderClient, ProviderClient
from provider_models import Provider, ProviderCreate, ProviderUpdate


def use(client: ProviderClient, create: ProviderCreate, update: ProviderUpdate, shown: Provider) -> None:
    client.create(update)  # arg-type
    client.update(create)  # arg-type
    client.update(shown)  # arg-type
    client.show("7")  # arg-type
    client.list(1, 10, "DEFAULT")  # arg-type
    client.create(create).id  # attr-defined
    client.list(1)  # call-arg
    [found.ips.nothing for found in client.providers()]  # union-attr


async def use_async(client: AsyncProviderClient) -> None:
    (await client.show(1)).nothing  # attr-defined
    client.show(1).id  # attr-defined
    [found for found in client.providers()]  # attr-defined
    with client:  # attr-defined
        pass


ProviderClient("http://h")  # call-arg
ProviderClient("http://h", b"t")  # arg-type
ProviderClient("http://h", "t", http=httpx.AsyncClient())  # arg-type
"""


def test_type_checkers_take_right_use_and_refuse_wrong_use(tmp_path: Path) -> None:
    scripts = {"right": RIGHT, "wrong": WRONG} | {f"example_{number}": text for number, text in enumerate(EXAMPLES)}
    for name, script in scripts.items():
        (tmp_path / f"{name}.py").write_text(script, encoding="utf-8")
    options = ["--strict", "--no-incremental", "--config-file", os.devnull, "--no-pretty", "--no-color-output"]
    paths = os.pathsep.join(str(ROOT / name) for name in ("client", "conformance", "generated"))
    run = python("-m", "mypy", *options, *(str(tmp_path / f"{name}.py") for name in scripts), MYPYPATH=paths)

    errors = re.findall(r"(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$", run.stdout, re.MULTILINE)
    assert len(errors) == run.stdout.count(": error: ") > 0, run.stdout + run.stderr
    marked = {
        (number, line.rpartition("  # ")[2]) for number, line in enumerate(WRONG.splitlines(), 1) if "  # " in line
    }
    assert {(int(line), code) for name, line, code in errors if name == "wrong"} == marked
    assert {name for name, *_ in errors} == {"wrong"}


def test_type_checkers_are_told_to_trust_it() -> None:
    assert (ROOT / "client" / "provider_client" / "py.typed").is_file()


# The page about it


def test_the_examples_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    variables = {"PROVIDER_TOKEN": TOKEN, "TRUNK_PASSWORD": PASSWORD, "CA_FILE": str(tmp_path / "ca.pem")}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with serving() as plain, over_tls(authority) as secure:
        for example in EXAMPLES:
            url = secure if "CA_FILE" in example else plain.base_url
            assert "https://pbx.example/api/providers" in example
            exec(compile(example.replace("https://pbx.example/api/providers", url), "client.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == ["sip.example.com", "1 Example Telecom", "400", "[]", "0"]


def test_the_page_knows_every_error_and_what_to_install() -> None:
    section = PAGE.partition("## Errors")[2].partition("## Pages")[0]
    described = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert described == set(provider_client.__all__) - {"AsyncProviderClient", "ProviderClient", "ProviderError"}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"sip-provider-conformance\[(\w+)\]", PAGE)) <= extras.keys()
