"""The catalogue of single faults: complete, readable, and each of them shows in ordinary traffic."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from provider_conformance.contract import Level, load_catalogue
from provider_conformance.faults.catalogue import UnknownFaultError, combined, find_fault, load_faults
from provider_conformance.reference.messages import Answer, RefusedError, Request
from provider_conformance.reference.server import Server
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider_conformance.faults.definition import Fault

TOKEN = "aB3" * 21 + "x"
SEVERAL = [
    "192.0.2.10",
    "192.0.2.9",
    "198.51.100.7",
    "2001:DB8::1",
    "203.0.113.5",
    "203.0.113.6",
    "10.0.0.1",
    "10.1.0.1",
]

FAULTS = load_faults()

WITHOUT_ID = {"create-id-bare", "create-id-in-array", "create-id-in-envelope"}
"""Faults after whose create a client does not know an id to go on with."""

WITHOUT_SHOW = {"show-not-found-before-list", "samples-get-with-content-type-refused"}
"""Faults that do not show a new provider at once, or not to a client that sends a media type with everything."""

ONLY_IN_TIME = {"http-hangs-at-huge-page"}
"""Faults whose answers are right, and come when nobody waits for them any more."""

LEVELS = {requirement.id: requirement.level for requirement in load_catalogue()}


def is_core(fault: Fault) -> bool:
    return any(LEVELS[requirement] is Level.CORE for requirement in fault.requirements)


def settings(number: int = 0, **changed: object) -> dict[str, Any]:
    return {
        "name": f"pconf trunk {number}",
        "hostname": f"sip{number}.example.com",
        "port": 5060,
        "protocol": "UDP",
        "auth_mode": "REGISTER_AUTH",
        "auth_id": f"user{number}",
        "password": "secret",
        "require_register": True,
        "reregister_interval": 600,
        "outbound_server": f"proxy{number}.example.com",
        "outbound_server_port": 5070,
        "provider_in_lan": False,
        "single_via_header": False,
        "status": "ONLINE",
        "ips": [],
    } | changed


PARAMETERS = {"in_parameters": ["transport=udp"], "out_parameters": ["user=phone"]}

VARIANTS = [
    settings(0),
    settings(
        1, port=40000, outbound_server_port=80, reregister_interval=86399, single_via_header=True, ips=SEVERAL[:1]
    ),
    settings(2, auth_mode="IP_AUTH", require_register=False, ips=SEVERAL, provider_in_lan=True, status="OFFLINE"),
    settings(3, name="N" * 60 + "_é.z", auth_id="0049+30@Home.example", hostname="h" * 60 + ".com", protocol="TCP"),
    settings(4, hostname="2001:db8::5", outbound_server="192.0.2.77", auth_id="7", ips=["10.9.8.7"]),
    settings(5, auth_mode="IP_AUTH", require_register=False, ips=["192.0.2.1"], auth_id="007"),
    settings(
        6, hostname="localhost", outbound_server="gate", port=65535, outbound_server_port=65535, name="CamelCase Name"
    ),
    settings(
        7,
        outbound_server="gate",
        hostname="localhost",
        outbound_server_port=65535,
        name="pconf trunk 0 b",
        ips=["192.0.2.1"],
    ),
]


class Traffic:
    """Speaks to an implementation without a socket and notes everything that it answers."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.seen: list[object] = []
        self.address = ("192.0.2.200", 40000)

    def send(
        self,
        operation: str,
        content: object = None,
        query: str = "",
        *,
        token: str | None = TOKEN,
        media_type: str = "application/json",
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Answer:
        usual = ((b"user-agent", b"traffic"), (b"accept", b"*/*"), (b"content-type", media_type.encode()))
        headers = [*usual, *more]
        if token is not None:
            headers.append((b"access_token", token.encode()))
        if not isinstance(content, bytes):
            content = b"" if content is None else json.dumps(content).encode()
        body = content
        method = "POST" if body else "GET"
        answer = self.reference.answer(Request(method, operation, query.encode(), tuple(headers), body, self.address))
        self.seen.append((operation, query, answer))
        return answer

    def create(self, content: dict[str, Any] | bytes, **more: Any) -> int:
        answer = self.send("create", content, **more)
        try:
            number = json.loads(answer.body)["id"]
        except (ValueError, TypeError, LookupError):
            number = 0
        return number if isinstance(number, int) else 0

    def look(self, *ids: int) -> None:
        for number in ids:
            self.send("show", query=f"id={number}")
        self.send("list", query="pagination=1&pagesize=100")

    def page(self) -> None:
        for size in (1, 2, 3):
            for page in range(1, 10 // size + 2):
                self.send("list", query=f"pagination={page}&pagesize={size}")
        for sort_by in ("OPTIONAL", "DEFAULT"):
            self.send("list", query=f"pagination=1&pagesize=2&sort_by={sort_by}")
            self.send("list", query="pagination=2&pagesize=2")
            self.send("list", query=f"pagination=2&pagesize=2&sort_by={sort_by}")

    def update(self, number: int, content: dict[str, Any], **more: Any) -> None:
        self.send("update", {"in_parameters": [], "out_parameters": [], "id": number} | content, **more)


def ordinary_traffic(reference: Reference) -> list[object]:
    """Return what an implementation answers to much of what the docs allow, and to wrong tokens and ids."""
    traffic = Traffic(reference)
    ids = []
    for content in VARIANTS:
        number = traffic.create(content)
        ids.append(number)
        traffic.look()
        traffic.look(number, number, number)
        traffic.page()

    changed = settings(
        50, name="PCONF trunk 50", port=1, outbound_server_port=2, reregister_interval=30, protocol="TCP",
        provider_in_lan=True, single_via_header=True, auth_mode="IP_AUTH", require_register=False, ips=SEVERAL[::-1],
    )  # fmt: skip
    for step in (
        changed,
        changed,
        changed | {"ips": SEVERAL, "name": "pconf trunk 50"},
        changed | {"port": 7},
        changed | {"single_via_header": False, "hostname": "sip0.example.com"},
        settings(51, name="x" * 60, ips=SEVERAL[:2]),
        settings(51, name="x" * 60),
        settings(51, name="x" * 60),
        settings(51, hostname="2001:db8::6", outbound_server="2001:db8::7"),
        VARIANTS[0],
    ):
        traffic.update(ids[0], step)
        traffic.look(*ids)
    traffic.update(ids[1], VARIANTS[1] | {"port": 4}, media_type="application/json; charset=utf-8")
    for number in (5, 6, 4):
        traffic.update(ids[number], VARIANTS[number] | {"outbound_server_port": 9, "port": 9})
        traffic.look(*ids)

    swapped = TOKEN[1] + TOKEN[0] + TOKEN[2:]
    wrong_tokens = (
        *(None, TOKEN.lower(), TOKEN.upper(), swapped, "y" * 64, "y" * 64, "y" * 32 + TOKEN[32:]),
        *("y" + TOKEN[1:], TOKEN[:-1] + "y", TOKEN[:30] + "y" + TOKEN[31:]),
        *(TOKEN[:20] + "y" + TOKEN[21:], TOKEN[:-1] + TOKEN[-1].upper()),
        "4DFCF1D4C30B4D798ECE3AE43769F008",
    )
    for token in wrong_tokens:
        victim = traffic.create(settings(60))
        traffic.send("show", query=f"id={victim}", token=token)
        traffic.send("list", query="pagination=1&pagesize=3", token=token)
        traffic.send("create", settings(61), token=token)
        traffic.update(victim, settings(62), token=token)
        traffic.look(victim)
        traffic.send("destroy", {"id": victim}, token=token)
        traffic.look(victim)
        traffic.send("destroy", {"id": victim})
    traffic.look(*ids)

    gone = traffic.create(settings(70), media_type="application/json; charset=utf-8")
    traffic.send("destroy", {"id": gone}, media_type="application/json; charset=utf-8")
    for value in (gone, ids[4]):
        wrong: Any
        for wrong in (str(value), f"{value} ", value + 0.5, True, None, [value], [], {}, value + 2**64, 2**63, "x"):
            traffic.send("destroy", {"id": wrong})
        traffic.look(value)
    for unknown in (gone, ids[3] + 2**32, -ids[3], ids[3] * 10 + 7):
        traffic.send("show", query=f"id={unknown}")
        traffic.send("destroy", {"id": unknown})
    traffic.look(*ids)

    for place in (1, 6, 2, 7, 0, 3):
        traffic.send("destroy", {"id": ids[place]})
        traffic.look(*ids, gone)
        traffic.send("list", query="pagination=2&pagesize=2")
        traffic.update(ids[4], VARIANTS[4])
        traffic.look(*ids)
        again = traffic.create(VARIANTS[place])
        traffic.look(*ids, again)
    otherwise_written(traffic)
    traffic.seen += overlapping_creates(reference)
    return traffic.seen


def otherwise_written(traffic: Traffic) -> None:
    """Write creates and updates as some clients do, and change one provider right before another is destroyed."""
    turned = traffic.create(dict(reversed(settings(80, port=5081, ips=SEVERAL).items())))
    after_a_line = traffic.create(b"\n" + json.dumps(settings(81)).encode())
    long = dict.fromkeys(("name", "auth_id", "password"), "x" * 64)
    hosts = dict.fromkeys(("hostname", "outbound_server"), f"{'h' * 60}.com")
    longest = traffic.create(settings(82, **long, **hosts, ips=[f"192.0.2.{last}" for last in range(101, 109)]))
    traffic.look(turned, longest)
    traffic.send("update", {"id": turned, "in_parameters": [], "out_parameters": [], **settings(83, port=5082)})
    traffic.look(turned, longest)
    traffic.update(turned, settings(84, port=5083))
    traffic.send("destroy", {"id": longest})
    traffic.look(turned)
    for number in (turned, after_a_line):
        traffic.send("destroy", {"id": number})


def unfair_traffic(reference: Reference) -> list[object]:
    """Return what an implementation answers to what the docs do not allow, and to what is unusual."""
    traffic = Traffic(reference)
    kept, *others = (traffic.create(VARIANTS[place]) for place in (0, 1, 2))
    gone = others[0]
    traffic.page()
    traffic.update(kept, VARIANTS[0] | PARAMETERS)
    for number in others:
        traffic.send("destroy", {"id": number})
    unfair_bodies(traffic, kept, "create", VARIANTS[5])
    unfair_bodies(traffic, kept, "update", {"in_parameters": [], "out_parameters": [], "id": kept} | VARIANTS[2])
    traffic.update(kept, VARIANTS[0] | {"port": 5099, "protocol": "TLS"})
    traffic.create(settings(90))
    traffic.look(kept)
    unusual_values(traffic)
    traffic.send("create", json.dumps(settings(91, name="a/b")).replace("a/b", "a\\/b").encode())
    traffic.look()
    unfair_ids(traffic, kept, gone)
    unfair_queries(traffic, kept)
    unfair_tokens(traffic, kept)
    strange_http(traffic, kept)
    traffic.seen.append(is_blended(reference, kept))
    return traffic.seen


def unfair_bodies(traffic: Traffic, kept: int, operation: str, content: dict[str, Any]) -> None:
    values: tuple[Any, ...] = (
        None,
        "5060",
        "true",
        1,
        1.5,
        True,
        [],
        {},
        "udp",
        " IP_AUTH",
        "REGISTERED",
        "ip_auth",
        "I",
    )
    for name in content:
        traffic.send(operation, {key: value for key, value in content.items() if key != name})
        traffic.look(kept)
        for value in values:
            traffic.send(operation, content | {name: value})
    traffic.send(operation, content | {"protocol": "SCTP", "port": 4711})
    traffic.send(operation, content | {"protocol": "TCP\0x"})
    traffic.look(kept)
    body = json.dumps(content).encode()
    for wrong in (
        b"",
        b"null",
        b"1",
        b"{",
        body[:-1],
        body + b"x",
        b"[" + body + b"]",
        json.dumps(body.decode()).encode(),
    ):
        traffic.send(operation, wrong)
    for wrong_id in (str(kept), kept + 0.5, [kept], None):
        traffic.send(operation, content | {"id": wrong_id})
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        traffic.send(operation, content, media_type=media_type)
    traffic.look(kept)


def unusual_values(traffic: Traffic) -> None:
    texts = ("<&\"'>\\", "e\u0301 ", "\U0001f4de", "a\x01b", "x" * 300, "\ud800")
    numbers = (65536, 2**31, 2**53 + 1, -5, 0, 2**63)
    arrays: tuple[list[Any], ...] = ([1, 1.5], ["a", "a"], ["a"] * 9, [[]], [None], [True])
    for text, number, ips in zip(texts, numbers, arrays, strict=True):
        odd = dict.fromkeys(("name", "hostname", "auth_id", "outbound_server"), text)
        for changed in (
            odd,
            {"port": number},
            {"reregister_interval": number},
            {"ips": ips},
            {"require_register": False},
        ):
            traffic.look(traffic.create(VARIANTS[0] | changed))
    for unusual in (
        {"ips": ["2001:DB8::1", "2001:db8::2"]},
        {"ips": ["a\0b"]},
        {"ips": ["e\u0301"]},
        {"port": 5083.0},
    ):
        traffic.look(traffic.create(VARIANTS[0] | unusual))


def unfair_ids(traffic: Traffic, kept: int, gone: int) -> None:
    for number in (gone, gone):
        traffic.send("destroy", {"id": number})
    traffic.update(kept, VARIANTS[0] | PARAMETERS)
    traffic.update(gone, VARIANTS[3])
    traffic.look(gone, kept)
    wrong: tuple[object, ...] = ({}, [{"id": kept}], kept, b"{", b"")
    for content in wrong:
        traffic.send("destroy", content)
        traffic.look(kept)


def unfair_queries(traffic: Traffic, kept: int) -> None:
    for query in ("", "id=", f"id={kept}abc", f"id={kept}.5", f"id={2**64 + kept}", "id=x", "id=%ff", f"id={2**63}"):
        traffic.send("show", query=query)
    traffic.send("show", query=f"id={kept + 1}-1")
    for blank in ("%20", "%0A"):
        traffic.send("show", query=f"id={kept}{blank}")
        traffic.send("list", query=f"pagination=1{blank}&pagesize=5")
        traffic.send("list", query=f"pagination=1&pagesize=5{blank}")
    for query in (
        "pagesize=5",
        "pagination=1",
        "pagination=x&pagesize=5",
        "pagination=1&pagesize=5.5",
        "pagination=2147483648&pagesize=5",
        "pagination=1&pagesize=5&sort_by=NAME",
        "pagination=1&pagesize=0",
        "pagination=1&pagesize=1&sort_by=OPTIONAL",
        "pagination=99&pagesize=1&sort_by=OPTIONAL",
        "pagination=%2B1&pagesize=1",
        "pagination=9&pagesize=100",
        "pagination=1&pagesize=10&x=%00",
    ):
        traffic.send("list", query=query)


def unfair_tokens(traffic: Traffic, kept: int) -> None:
    for token in ("", TOKEN[:40], TOKEN + "x", "x" + TOKEN, "y" * 2000):
        traffic.send("show", query=f"id={kept}", token=token)
    for token in ("", "y" * 8192):
        victim = traffic.create(settings(63))
        traffic.send("show", query=f"id={victim}", token=token)
        traffic.send("create", settings(64), token=token)
        traffic.update(victim, settings(65), token=token)
        traffic.look(victim)
        traffic.send("destroy", {"id": victim}, token=token)
        traffic.look(victim)
    traffic.send("show", query=f"id={kept}&access_token={TOKEN}", token=None)
    traffic.send("show", query=f"id={kept}", token=None, more=((b"cookie", b"access_token=" + TOKEN.encode()),))
    traffic.send("create", VARIANTS[0] | {"access_token": TOKEN}, token=None)
    traffic.send("create", b"{", token=None)


def strange_http(traffic: Traffic, kept: int) -> None:
    traffic.send("create", b"[" * 60 + b"]" * 60)
    traffic.send("create", b"[" * 100_000)
    traffic.send("update", b" " * 64 * 1024)
    traffic.look(kept)
    traffic.send("create", VARIANTS[0], more=((b"content-encoding", b"gzip"),))
    traffic.look(kept)
    # These three are found out before a request gets as far as the decisions.
    for refused in (
        RefusedError(405, "method not allowed", ("Allow", "GET")),
        RefusedError(404, "no such path"),
        RefusedError(413, "body too large"),
    ):
        traffic.seen.append(traffic.reference.refusal(refused))
        traffic.look(kept)


def is_blended(reference: Reference, provider_id: int) -> bool:
    """Tell whether overlapping updates ever leave a provider as none of them had it."""
    accepted = [VARIANTS[place] | {"in_parameters": [], "out_parameters": []} for place in (1, 2, 3, 5)]
    # On a busy machine one might else be over before the next one begins.
    together = threading.Barrier(len(accepted))

    def change(content: dict[str, Any]) -> None:
        together.wait()
        for _ in range(3):
            Traffic(reference).update(provider_id, content)

    for _ in range(10):
        with ThreadPoolExecutor(len(accepted)) as pool:
            list(pool.map(change, accepted))
        shown = Traffic(reference).send("show", query=f"id={provider_id}")
        if json.loads(shown.body) not in [content | {"id": provider_id} for content in accepted]:
            return True
    return False


def overlapping_creates(reference: Reference) -> list[object]:
    """Return what creates that arrive together come to, in an order that does not depend on who was first."""

    def create(number: int) -> tuple[int, int]:
        own = Traffic(reference)
        provider_id = own.create(settings(number, name=f"parallel {number}"))
        return provider_id, number

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(100, 124)))
    outcome: list[object] = [len({provider_id for provider_id, _ in made})]
    for provider_id, number in made:
        shown = Traffic(reference).send("show", query=f"id={provider_id}").body
        outcome.append((number, b'"parallel %d"' % number in shown, b'"user%d"' % number in shown))
    return outcome


def run(implementation: type[Reference], traffic: Callable[[Reference], list[object]]) -> list[object]:
    store = Store()
    try:
        return traffic(implementation(store, TOKEN))
    finally:
        store.close()


@pytest.fixture(scope="module")
def ordinary() -> list[object]:
    seen = run(Reference, ordinary_traffic)
    assert seen == run(Reference, ordinary_traffic), "the reference itself does not answer the same twice"
    return seen


@pytest.fixture(scope="module")
def unfair() -> list[object]:
    seen = run(Reference, unfair_traffic)
    assert seen == run(Reference, unfair_traffic), "the reference itself does not answer the same twice"
    return seen


def test_ids_are_unique_and_speak() -> None:
    assert [name for name, times in Counter(fault.id for fault in FAULTS).items() if times > 1] == []
    for fault in FAULTS:
        assert fault.id.replace("-", "").isalnum()
        assert fault.id == fault.id.lower()
        assert find_fault(fault.id) is fault


def test_descriptions_are_one_sentence_each() -> None:
    assert [text for text, times in Counter(fault.description for fault in FAULTS).items() if times > 1] == []
    for fault in FAULTS:
        assert fault.description[0].isupper(), fault.id
        assert fault.description.endswith("."), fault.id
        assert "\n" not in fault.description


def test_every_requirement_has_three_faults() -> None:
    counts = Counter(requirement for fault in FAULTS for requirement in fault.requirements)
    known = {requirement.id for requirement in load_catalogue()}
    assert counts.keys() <= known
    few = {requirement.id: counts[requirement.id] for requirement in load_catalogue() if counts[requirement.id] < 3}
    assert few == {}


def test_there_are_faults_of_every_kind() -> None:
    counts = Counter(fault.kind for fault in FAULTS)
    assert counts.keys() == {"always", "conditional", "stateful"}
    assert min(counts.values()) >= 20


def test_every_fault_overrides_the_reference_in_few_places() -> None:
    for fault in FAULTS:
        assert issubclass(fault.implementation, Reference)
        assert fault.implementation is not Reference
        assert fault.requirements


def name_of(fault: Fault) -> str:
    return fault.id


def shows_to_one_client(fault: Fault) -> bool:
    """Tell whether a fault shows to one client that sends one request after another, with the usual headers."""
    module = fault.implementation.__module__
    return fault.id not in ONLY_IN_TIME and not module.endswith(
        (".circumstances", ".clients", ".coincidences", ".habits", ".neighbours", ".oddities", ".overlaps")
    )


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if is_core(fault) and shows_to_one_client(fault)], ids=name_of
)
def test_core_faults_show_in_ordinary_traffic(fault: Fault, ordinary: list[object]) -> None:
    assert run(fault.implementation, ordinary_traffic) != ordinary


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if not is_core(fault) and shows_to_one_client(fault)], ids=name_of
)
def test_other_faults_show_in_unfair_traffic(fault: Fault, unfair: list[object]) -> None:
    assert run(fault.implementation, unfair_traffic) != unfair


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
def test_every_fault_still_serves_a_create_and_a_show(fault: Fault) -> None:
    store = Store()
    traffic = Traffic(fault.implementation(store, TOKEN))
    # What a fault refuses is refused by itself only, hence not all of these.
    several = (VARIANTS[0], VARIANTS[1], settings(8, name="plain"))
    created = next(answer for content in several if (answer := traffic.send("create", content)).status // 100 == 2)
    if fault.id not in WITHOUT_ID | WITHOUT_SHOW:
        provider_id = json.loads(created.body.removeprefix(b"\xef\xbb\xbf"))["id"]
        assert traffic.send("show", query=f"id={provider_id}").status // 100 == 2
    store.close()


def test_several_faults_are_had_together() -> None:
    store = Store()
    faulty = combined(["create-answers-201", "create-id-in-envelope"])
    answer = Traffic(faulty(store, TOKEN)).send("create", VARIANTS[0])
    store.close()
    assert answer.status == 201
    assert json.loads(answer.body) == {"data": {"id": 1}}


def test_faults_that_would_undo_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="list-counts-page and list-counts-pages cannot be had together"):
        combined(["list-counts-page", "list-counts-pages"])
    with pytest.raises(UnknownFaultError):
        combined(["create-answers-201", "nonsense"])


@pytest.mark.parametrize("name", ["create-answers-201", "list-random-order", "http-json-without-type"])
def test_a_fault_is_served_over_a_socket(name: str) -> None:
    with Server(faults=[name]) as server:
        address = urlsplit(server.base_url)
        connection = http.client.HTTPConnection(address.netloc, timeout=10)
        headers = {"access_token": server.token, "Content-Type": "application/json"}
        connection.request("POST", address.path + "/create", json.dumps(VARIANTS[0]), headers)
        response = connection.getresponse()
        assert json.loads(response.read()) == {"id": 1}
        assert (response.status == 201) == (name == "create-answers-201")
        assert (response.getheader("Content-Type") is None) == (name == "http-json-without-type")
        connection.close()
