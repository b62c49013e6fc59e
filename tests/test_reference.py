"""The reference implementation over a real socket, against what the contract says of every level."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import create_engine, insert

from provider_conformance.faults.catalogue import UnknownFaultError
from provider_conformance.reference import jsonbody
from provider_conformance.reference.server import Server, ServerStartError, ThreadServer, build, new_token
from provider_conformance.reference.service import LARGEST_BODY, Reference
from provider_conformance.reference.store import METADATA, PROVIDERS, Store, UnstorableError
from provider_models import ListedProvider, Provider, ProviderCreated, ProviderList

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/json"

SETTINGS: dict[str, Any] = {
    "name": "Trunk 1",
    "hostname": "sip.example.com",
    "port": 5060,
    "protocol": "UDP",
    "auth_mode": "REGISTER_AUTH",
    "auth_id": "0049.30-1_a@b+c",
    "password": "secret",
    "require_register": True,
    "reregister_interval": 86400,
    "outbound_server": "192.0.2.1",
    "outbound_server_port": 65535,
    "provider_in_lan": False,
    "single_via_header": True,
    "status": "ONLINE",
    "ips": [],
}
UPDATED = SETTINGS | {
    "name": "Trunk 2",
    "protocol": "TCP",
    "ips": ["192.0.2.9", "2001:DB8::1"],
    "in_parameters": [],
    "out_parameters": [{"a": [1.5, None]}],
    "status": "OFFLINE",
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    base_url: str
    token: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.path = urlsplit(self.base_url).path
        self.connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=20)

    def send(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        self.connection.request(method, self.path + path, body, headers or {})
        response = self.connection.getresponse()
        return Reply(response.status, response.headers, response.read())

    def get(self, path: str) -> Reply:
        return self.send("GET", path, None, {"access_token": self.token})

    def post_raw(self, path: str, body: bytes, media_type: str | None = JSON, **headers: str) -> Reply:
        declared = {} if media_type is None else {"Content-Type": media_type}
        return self.send("POST", path, body, {"access_token": self.token} | declared | headers)

    def post(self, path: str, content: object) -> Reply:
        return self.post_raw(path, json.dumps(content).encode())

    def create(self, **changed: object) -> int:
        reply = self.post("/create", SETTINGS | changed)
        assert reply.status == 200, reply
        return int(reply.json["id"])

    def show(self, provider_id: int) -> dict[str, Any] | None:
        reply = self.get(f"/show?id={provider_id}")
        assert reply.status in {200, 404}, reply
        return reply.json if reply.status == 200 else None

    def listed(self) -> list[dict[str, Any]]:
        providers: list[dict[str, Any]] = self.get("/list?pagination=1&pagesize=1000").json["providers"]
        return providers


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    made = Client(server.base_url, server.token)
    yield made
    made.connection.close()


def assert_error(reply: Reply, status: int) -> None:
    assert reply.status == status, reply
    assert reply.headers["Content-Type"] == JSON
    assert list(reply.json) == ["error"]
    assert len(reply.body) < 300


# Plain traffic


def test_everything_that_is_created_is_shown(client: Client) -> None:
    provider_id = client.create()
    reply = client.get(f"/show?id={provider_id}")
    assert reply.headers["Content-Type"] == JSON
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.json == SETTINGS | {"id": provider_id, "in_parameters": [], "out_parameters": []}
    Provider.model_validate_json(reply.body)


def test_create_gives_nothing_but_the_id(client: Client) -> None:
    reply = client.post("/create", SETTINGS)
    assert ProviderCreated.model_validate_json(reply.body).model_dump() == reply.json
    assert list(reply.json) == ["id"]


def test_update_changes_everything_but_the_id_and_others(client: Client) -> None:
    provider_id, other = client.create(), client.create()
    before = client.show(other)
    for _ in range(2):
        reply = client.post("/update", UPDATED | {"id": provider_id})
        assert (reply.status, reply.body) == (200, b"")
        assert client.show(provider_id) == UPDATED | {"id": provider_id}
    assert client.show(other) == before


def test_destroy_removes_one_provider_for_good(client: Client) -> None:
    first, second = client.create(), client.create()
    assert client.post("/destroy", {"id": second}).status == 200
    assert client.show(second) is None
    assert first in [item["id"] for item in client.listed()]
    assert second not in [item["id"] for item in client.listed()]
    assert_error(client.post("/destroy", {"id": second}), 400)
    assert_error(client.post("/update", UPDATED | {"id": second}), 404)
    assert client.create() > second


def test_list_pages_give_everything_once(client: Client) -> None:
    ids = [client.create(name=f"{number:02}") for number in range(7)]
    for size in (1, 2, 3, 100):
        seen: list[int] = []
        page = 1
        while True:
            reply = client.get(f"/list?pagination={page}&pagesize={size}")
            content = ProviderList.model_validate_json(reply.body).model_dump(mode="json")
            assert (content["pagination"], content["pagesize"], content["sort_by"]) == (page, size, "DEFAULT")
            assert content["page_count"] == -(-content["count"] // size)
            assert len(content["providers"]) == min(size, content["count"] - len(seen))
            seen += [item["id"] for item in content["providers"]]
            if page == content["page_count"]:
                break
            page += 1
        assert len(seen) == len(set(seen)) == content["count"]
        assert set(ids) <= set(seen)
        beyond = client.get(f"/list?pagination={page + 1}&pagesize={size}")
        assert beyond.json["providers"] == []


def test_list_items_are_what_show_gives_but_the_password(client: Client) -> None:
    client.create()
    for item in client.listed():
        ListedProvider.model_validate(item)
        shown = client.show(item["id"])
        assert shown is not None
        del shown["password"]
        assert item == shown


def test_list_sorts_by_name_under_optional(client: Client) -> None:
    for name in ("b", "a", "c"):
        client.create(name=name)
    content = client.get("/list?pagination=1&pagesize=1000&sort_by=OPTIONAL").json
    names = [item["name"] for item in content["providers"]]
    assert names == sorted(names)
    assert content["sort_by"] == "OPTIONAL"
    assert client.get("/list?pagination=1&pagesize=1&sort_by=DEFAULT").json["sort_by"] == "DEFAULT"


# Access


@pytest.mark.parametrize("operation", ["create", "update", "destroy", "show", "list"])
@pytest.mark.parametrize(
    "alter",
    [
        lambda token: None,
        lambda token: "",
        lambda token: token[:-1],
        lambda token: token + "0",
        lambda token: token[:-1] + ("1" if token[-1] == "0" else "0"),
        lambda token: token.swapcase(),
        lambda token: "x" * 8192,
        lambda token: "\xff" * 64,
    ],
)
def test_any_other_token_is_refused(client: Client, operation: str, alter: Any) -> None:
    token = alter(client.token)
    headers = {"Content-Type": JSON} | ({} if token is None else {"access_token": token})
    provider_id = client.create()
    count = len(client.listed())
    method = "GET" if operation in {"show", "list"} else "POST"
    body = None if method == "GET" else json.dumps(UPDATED | {"id": provider_id}).encode()
    query = f"?id={provider_id}&pagination=1&pagesize=1&access_token={client.token}" if method == "GET" else ""
    reply = client.send(method, f"/{operation}{query}", body, headers)
    assert_error(reply, 401)
    assert reply.headers["WWW-Authenticate"]
    assert client.show(provider_id) == SETTINGS | {"id": provider_id, "in_parameters": [], "out_parameters": []}
    assert len(client.listed()) == count


def test_the_name_of_the_token_header_is_free_in_letter_case(client: Client) -> None:
    assert client.send("GET", "/list?pagination=1&pagesize=1", None, {"Access_Token": client.token}).status == 200


# Refusals


@pytest.mark.parametrize(
    ("operation", "name"),
    [("create", name) for name in sorted(SETTINGS)] + [("update", name) for name in sorted(UPDATED.keys() | {"id"})],
)
def test_a_missing_or_ill_typed_property_is_refused(client: Client, operation: str, name: str) -> None:
    provider_id = client.create()
    before, count = client.show(provider_id), len(client.listed())
    fair = UPDATED | {"id": provider_id}
    assert_error(client.post(f"/{operation}", {key: value for key, value in fair.items() if key != name}), 400)
    right = type(fair[name])
    values: tuple[Any, ...] = ("5060", "true", 1, 1.5, True, None, [], {})
    for value in values:
        if type(value) is not right:
            assert_error(client.post(f"/{operation}", fair | {name: value}), 400)
    if name in {"auth_mode", "protocol", "status"}:
        for text in (fair[name].lower(), fair[name] + " ", "", "X"):
            assert_error(client.post(f"/{operation}", fair | {name: text}), 400)
    assert client.show(provider_id) == before
    assert len(client.listed()) == count


BAD_BODIES = [
    b"",
    b" ",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b"{}",
    b'{"id": 1} x',
    b"\xef\xbb\xbf{}",
    b'{"id": NaN}',
    b'{"id": Infinity}',
    b'{"id": 01}',
    b'{"id": 1e999}',
    b'{"id": 1, "id": 1}',
    b'{"id": 1, "x": "\xff"}',
    b'{"id": "\\ud800"}',
    b'{"id": ' + b"9" * 5000 + b"}",
    b"[" * 1_000 + b"]" * 1_000,
    b"[" * 100_000,
    b'{"id":' * 100_000,
    '{"id": 1}'.encode("utf-16"),
]


@pytest.mark.parametrize("operation", ["create", "update", "destroy"])
@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:12]))
def test_a_body_that_is_no_json_object_is_refused(client: Client, operation: str, body: bytes) -> None:
    assert_error(client.post_raw(f"/{operation}", body), 400)


@pytest.mark.parametrize("operation", ["update", "destroy"])
@pytest.mark.parametrize(
    "make", [str, float, bool, lambda i: [i], lambda i: i + 0.5, lambda i: i + 2**64, lambda _: None]
)
def test_an_ill_typed_id_is_refused_with_400(client: Client, operation: str, make: Any) -> None:
    provider_id = client.create()
    assert_error(client.post(f"/{operation}", UPDATED | {"id": make(provider_id)}), 400)
    assert client.show(provider_id) is not None


@pytest.mark.parametrize("unknown", [-(2**63), -1, 0, 2**32 + 1, 2**63 - 1])
def test_an_unknown_id_is_refused(client: Client, unknown: int) -> None:
    assert client.show(unknown) is None
    assert_error(client.post("/update", UPDATED | {"id": unknown}), 404)
    assert_error(client.post("/destroy", {"id": unknown}), 400)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "?",
            "?id",
            "?id=",
            "?id=x",
            "?id=1.5",
            "?id=1&id=1",
            "?id=0x1",
            "?id=1_0",
            "?id=+1",
            "?id=%C3",
            "?id=%D9%A1",
        ),
        *(
            "?id=9223372036854775808",
            "?id=-9223372036854775809",
            "?id=" + "1" * 9000,
            "?id=true",
            "?id=null",
            "?id[]=1",
        ),
    ],
)
def test_show_needs_an_int64_id(client: Client, query: str) -> None:
    assert_error(client.get("/show" + query), 400)


@pytest.mark.parametrize(
    "query",
    ["", "?pagination=1", "?pagesize=1", "?pagination=&pagesize=1", "?pagination=1&pagesize=x"]
    + ["?pagination=2147483648&pagesize=1", "?pagination=-2147483649&pagesize=1", "?pagination=1.5&pagesize=1"]
    + ["?pagination=0&pagesize=1", "?pagination=1&pagesize=0", "?pagination=1&pagesize=1001"]
    + [f"?pagination=1&pagesize=1&sort_by={value}" for value in ("", "default", "NAME", "DEFAULT&sort_by=DEFAULT")],
)
def test_list_needs_its_parameters(client: Client, query: str) -> None:
    assert_error(client.get("/list" + query), 400)


def test_the_furthest_page_is_served(client: Client) -> None:
    assert client.get("/list?pagination=2147483647&pagesize=1000").json["providers"] == []


# Unusual values


@pytest.mark.parametrize("number", [0, -1, 65536, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_unusual_numbers_are_kept_exactly(client: Client, number: int) -> None:
    shown = client.show(client.create(port=number, reregister_interval=number))
    assert shown is not None
    assert (shown["port"], shown["reregister_interval"]) == (number, number)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_numbers_that_do_not_fit_are_refused(client: Client, number: int) -> None:
    assert_error(client.post("/create", SETTINGS | {"port": number}), 400)


TEXTS = ["", " a ", "'; DROP TABLE providers; --", "$(id)`id`", "<b>&amp;", "e\u0301", "\u00e9", "\U0001f4de"]
TEXTS += ["\x01\x1f\x7f\r\n\t", "\u202e\ufeff", "x" * 10_000, "\\u0041", "%00%0a", "null"]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_unusual_text_is_kept_exactly(client: Client, text: str) -> None:
    names = ("name", "hostname", "auth_id", "outbound_server", "password")
    shown = client.show(client.create(ips=[text], **dict.fromkeys(names, text)))
    assert shown is not None
    assert all(shown[name] == text for name in names)
    assert shown["ips"] == [text]


@pytest.mark.parametrize("text", ["\ud800", "a\udc00b", "\0", "a\0b"], ids=repr)
@pytest.mark.parametrize("nest", [lambda text: [text], lambda text: [{text: 1}], lambda text: [[{"a": text}]]])
def test_text_that_not_every_database_holds_is_refused(client: Client, text: str, nest: Any) -> None:
    assert_error(client.post("/create", SETTINGS | {"name": text}), 400)
    assert_error(client.post("/create", SETTINGS | {"ips": nest(text)}), 400)


def test_items_of_any_kind_are_kept_exactly(client: Client) -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    items: list[Any] = [None, True, 0, -1.5, 0.1, 10**30, "", {"b": 1, "a": [{}]}, deep, [[]]]
    shown = client.show(client.create(ips=items))
    assert shown is not None
    assert json.dumps(shown["ips"]) == json.dumps(items)


def test_a_number_that_would_be_rounded_is_refused(client: Client) -> None:
    body = json.dumps(SETTINGS | {"ips": ["#"]}).replace('"#"', "0.12345678901234567890123")
    assert_error(client.post_raw("/create", body.encode()), 400)


def test_undocumented_properties_are_ignored(client: Client) -> None:
    shown = client.show(client.create(id=999_999, extra="x", in_parameters=[1]))
    assert shown is not None
    assert shown["id"] != 999_999
    assert "extra" not in shown


# HTTP


@pytest.mark.parametrize(
    "media_type", [JSON, JSON + "; charset=utf-8", JSON + ";charset=UTF-8", 'Application/JSON; charset="utf-8"']
)
def test_json_is_accepted_however_it_is_spelt(client: Client, media_type: str) -> None:
    assert client.post_raw("/create", json.dumps(SETTINGS).encode(), media_type).status == 200


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/xml", JSON + "; charset=utf-16", "json"],
)
def test_other_media_types_are_refused(client: Client, media_type: str | None) -> None:
    for operation in ("create", "update", "destroy"):
        assert_error(client.post_raw(f"/{operation}", json.dumps(SETTINGS).encode(), media_type), 415)


def test_compressed_bodies_are_refused(client: Client) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    reply = client.post_raw("/create", bomb, JSON, **{"Content-Encoding": "gzip"})
    assert_error(reply, 415)


@pytest.mark.parametrize("operation", ["create", "update", "destroy", "show", "list"])
def test_other_methods_are_not_allowed(client: Client, operation: str) -> None:
    right = "GET" if operation in {"show", "list"} else "POST"
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {right}:
        reply = client.send(method, f"/{operation}", b"{}", {"access_token": client.token, "Content-Type": JSON})
        assert_error(reply, 405)
        assert right in [allowed.strip() for allowed in reply.headers["Allow"].split(",")]


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/create/", "/create/1", "/../create", "//create", "/%00", "/%ff"]
)
def test_unknown_paths_are_not_found(client: Client, path: str) -> None:
    assert_error(client.get(path), 404)
    assert_error(client.post(path, SETTINGS), 404)


def test_a_get_with_a_body_is_served(client: Client) -> None:
    reply = client.send("GET", "/list?pagination=1&pagesize=1", b"x" * 65536, {"access_token": client.token})
    assert reply.status == 200


def test_a_large_body_is_read_and_a_larger_one_refused(client: Client) -> None:
    shown = client.show(client.create(name="x" * 900_000))
    assert shown is not None
    assert len(shown["name"]) == 900_000
    client.post("/destroy", {"id": shown["id"]})
    for size in (LARGEST_BODY + 1, 8 * LARGEST_BODY):
        with suppress(ConnectionError):
            assert_error(client.post_raw("/create", b" " * size), 413)
        client.connection.close()
    chunks = (b" " * 65536 for _ in range(64))
    client.connection.request(
        "POST",
        client.path + "/create",
        chunks,
        {"access_token": client.token, "Content-Type": JSON},
        encode_chunked=True,
    )
    assert client.connection.getresponse().status == 413
    client.connection.close()
    client.create()


def test_a_request_cut_short_does_no_harm(client: Client) -> None:
    address = urlsplit(client.base_url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as raw:
        raw.sendall(f"POST {address.path}/create HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
    client.create()


@pytest.mark.parametrize("text", ["a-very-secret-value", "/etc/passwd"])
def test_errors_repeat_no_values(client: Client, text: str) -> None:
    replies = [
        client.get(f"/show?id={text}"),
        client.get(f"/list?pagination=1&pagesize=1&sort_by={text}"),
        client.post("/create", SETTINGS | {"port": text}),
        client.post("/create", SETTINGS | {"protocol": text}),
        client.post("/create", {text: text}),
        client.post("/destroy", {"id": text}),
        client.post_raw("/create", text.encode()),
        client.post_raw("/create", b"{}", text),
        client.get("/" + text),
    ]
    for reply in replies:
        assert reply.status in {400, 404, 415}
        assert text.encode() not in reply.body


# Concurrency


def test_concurrent_creates_get_ids_of_their_own(server: Server) -> None:
    def create_some(number: int) -> list[tuple[int, str]]:
        own = Client(server.base_url, server.token)
        made = [(own.create(name=f"{number}-{index}"), f"{number}-{index}") for index in range(20)]
        own.connection.close()
        return made

    with ThreadPoolExecutor(8) as pool:
        made = [pair for pairs in pool.map(create_some, range(8)) for pair in pairs]
    assert len({provider_id for provider_id, _ in made}) == 160
    own = Client(server.base_url, server.token)
    for provider_id, name in made:
        shown = own.show(provider_id)
        assert shown is not None
        assert shown["name"] == name
    own.connection.close()


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_concurrent_updates_never_blend(kind: str, tmp_path: Path) -> None:
    database = "sqlite://" if kind == "memory" else f"sqlite:///{tmp_path / 'providers.db'}"
    with ThreadServer(build(new_token(), database)) as server:
        own = Client(server.base_url, server.token)
        provider_id = own.create()

        def change(number: int) -> list[int]:
            other = Client(server.base_url, server.token)
            content = UPDATED | {"id": provider_id, "port": number, "name": str(number), "ips": [number]}
            statuses = [other.post("/update", content).status for _ in range(15)]
            for _ in range(15):
                shown = other.show(provider_id)
                assert shown is not None
                assert shown["name"] == "Trunk 1" or [int(shown["name"])] == [shown["port"]] == shown["ips"]
            other.connection.close()
            return statuses

        with ThreadPoolExecutor(6) as pool:
            assert {status for some in pool.map(change, range(6)) for status in some} == {200}
        own.connection.close()


class Slow(Reference):
    """Takes its time to find a provider."""

    def find(self, provider_id: int) -> dict[str, Any] | None:
        time.sleep(0.2)
        return super().find(provider_id)


def test_requests_are_handled_at_the_same_time() -> None:
    with ThreadServer(Slow(Store(), new_token())) as server:

        def ask(_: int) -> int:
            own = Client(server.base_url, server.token)
            status = own.get("/show?id=1").status
            own.connection.close()
            return status

        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, range(8))) == {404}
        assert time.monotonic() - started < 1.2


# Storage


def test_a_file_outlives_the_server_and_ids_are_not_reused(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'providers.db'}"
    with Server(database=database) as server:
        own = Client(server.base_url, server.token)
        kept, gone = own.create(), own.create()
        own.post("/destroy", {"id": gone})
        own.connection.close()
    with Server(database=database) as server:
        own = Client(server.base_url, server.token)
        assert [item["id"] for item in own.listed()] == [kept]
        assert own.create() > gone
        own.connection.close()


def test_providers_of_a_file_are_counted_whoever_has_written_them(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'providers.db'}"
    engine = create_engine(database)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        connection.execute(insert(PROVIDERS), [UPDATED] * 3)
    engine.dispose()

    one, other = Store(database), Store(database)
    assert one.page(0, 10)[0] == other.page(0, 10)[0] == 3
    made = [store.insert(UPDATED) for store in (one, other, one)]
    assert one.page(0, 10)[0] == other.page(0, 10)[0] == 6
    assert one.delete(made[1])
    assert not other.delete(made[1])
    assert other.replace(made[0], UPDATED)
    assert one.page(0, 10)[0] == len(one.all()) == 5
    with pytest.raises(UnstorableError):
        one.insert(UPDATED | {"port": 2**63})
    assert other.page(0, 10)[0] == len(other.all()) == 5
    one.close()
    other.close()


def test_a_database_that_cannot_hold_a_value_refuses_it() -> None:
    reference = build(new_token())
    reference.check_storable = lambda properties: None  # type: ignore[method-assign]
    with ThreadServer(reference) as server:
        own = Client(server.base_url, server.token)
        assert_error(own.post("/create", SETTINGS | {"port": 2**63}), 400)
        assert_error(own.post("/update", UPDATED | {"port": 2**63, "id": own.create()}), 400)
        own.connection.close()


def test_a_defect_is_answered_without_details(capfd: pytest.CaptureFixture[str]) -> None:
    reference = build(new_token())

    def fail(_: int) -> None:
        raise RuntimeError("a detail")

    reference.find = fail  # type: ignore[assignment]
    with ThreadServer(reference) as server:
        own = Client(server.base_url, server.token)
        reply = own.get("/show?id=1")
        assert_error(reply, 500)
        assert b"detail" not in reply.body
        own.connection.close()
    assert "a detail" not in capfd.readouterr().out


# JSON


def test_json_is_read_strictly_and_given_back_exactly() -> None:
    for text in (b'{"a":[1,-0.5,1e+20,true,null,"\xc3\xa9\xf0\x9f\x93\x9e"]}', b"[]", b'"\\u0041"', b"0.1", b"1E2"):
        value = jsonbody.decode(text)
        assert jsonbody.decode(jsonbody.encode(value)) == value
    for text in (b"1e400", b"-1e400", b"1e-400", b"0.1" + b"0" * 30 + b"1", b"1." + b"0" * 100, b"NaN", b"-Infinity"):
        with pytest.raises(jsonbody.NotJsonError):
            jsonbody.decode(text)


def test_nesting_is_limited() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' * depth + b"[]" + b"}" * depth

    jsonbody.decode(nested(jsonbody.DEEPEST - 1))
    for depth in (jsonbody.DEEPEST + 1, 2_000, 200_000):
        with pytest.raises(jsonbody.NotJsonError):
            jsonbody.decode(nested(depth))


# Processes


def test_the_server_starts_quickly_and_is_reaped() -> None:
    started = time.monotonic()
    with Server() as server:
        assert time.monotonic() - started < 5
        process_id = server.process_id
        os.kill(process_id, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_the_server_is_reaped_when_the_block_fails() -> None:
    server = Server()

    def fail() -> None:
        with server:
            process_ids.append(server.process_id)
            raise KeyError

    process_ids: list[int] = []
    with pytest.raises(KeyError):
        fail()
    (process_id,) = process_ids
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


def test_the_server_ends_with_a_parent_that_was_killed() -> None:
    program = (
        "import time\n"
        "from provider_conformance.reference.server import Server\n"
        "with Server() as server:\n"
        "    print(server.process_id, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    }
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        process_id = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return
        # Nobody may be there to reap an orphan in a container: a zombie has ended, too.
        status = Path(f"/proc/{process_id}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.1)
    os.kill(process_id, signal.SIGKILL)
    pytest.fail("the server outlived its parent")


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(ServerStartError, match="no fault is called"), Server(faults=["nonsense"]):
        pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServerStartError), Server(port=taken.getsockname()[1]):
            pass
    with pytest.raises(UnknownFaultError):
        build(new_token(), faults=["nonsense"])


def test_the_token_is_not_on_the_command_line() -> None:
    with Server() as server:
        command = Path(f"/proc/{server.process_id}/cmdline")
        if not command.exists():
            pytest.skip("no /proc")
        assert server.token.encode() not in command.read_bytes()


def test_serve_prints_a_request_that_works_and_ends_at_ctrl_c() -> None:
    program = "from provider_conformance.reference.server import serve; serve('127.0.0.1', 0, None, 'sqlite://')"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    }
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline().split(maxsplit=2) for _ in range(3)]
        base_url, token = lines[0][2].strip(), lines[1][1]
        own = Client(base_url, token)
        assert own.create() == 1
        assert own.get("/list?pagination=1&pagesize=10").status == 200
        own.connection.close()
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert process.stderr.read() == ""
        assert process.returncode == 0


def test_the_store_gives_its_rows_in_order() -> None:
    store = Store()
    for name in ("b", "a"):
        store.insert(SETTINGS | {"name": name, "in_parameters": [], "out_parameters": []})
    assert [row["name"] for row in store.all()] == ["b", "a"]
    assert [row["name"] for row in store.page(0, 9, "name")[1]] == ["a", "b"]
    assert store.page(1, 1)[0] == 2
    store.close()
