"""Plausible values: what an operator sends and every implementation must accept and keep unchanged (D13).

Text has 1 to 64 letters, digits, single inner spaces and `. - _ @ +`; hosts are names under the reserved example
domains or addresses from the documentation networks (RFC 2606, RFC 5737), so that a live system that tries to
register with them reaches nobody; ports are 1 to 65535, intervals 30 to 86400 seconds. What must be its own
(name, auth_id, hostname) carries the provider's number.
"""

from __future__ import annotations

import hashlib
import re
import string
from dataclasses import dataclass, field, fields, replace
from functools import cache
from itertools import cycle, product
from typing import TYPE_CHECKING

from provider_conformance.jsontext import JsonValue
from provider_conformance.masking import SHORTEST_SECRET
from provider_conformance.values.narrowing import Plausible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypothesis.strategies import SearchStrategy

NAME_PREFIX = "pconf"
"""Every provider of ours has a name that begins so."""

LONGEST_TEXT = 64
MOVED = 40
"""How many numbers further the addresses of a provider are that has moved."""
MOST_IPS = 8
PORTS = (1, 80, 255, 256, 1023, 1024, 5060, 5061, 32767, 32768, 49151, 65535)
INTERVALS = (30, 59, 60, 127, 128, 255, 256, 300, 3600, 32767, 32768, 65535, 65536, 86399, 86400)
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
DOMAINS = ("example.com", "example.net", "pbx.example", "xn--bcher-kva.example", "sip.example.org")

RUN_OF_NAME = re.compile(rf"{NAME_PREFIX}-[0-9]+-")
"""What the names of one run have in common."""

FURNITURE = {"in_parameters": ("transport=udp",), "out_parameters": ("user=phone",)}
"""What the lists of parameters have where something must be there to be lost."""

Provider = dict[str, JsonValue]
ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Traits:
    """What is drawn for a provider before its number makes name, auth_id and hostname its own.

    `host` and `outbound_host` are a label, or empty for an address; without a `domain` a label stands alone.
    `auth_alone` gives up the number in auth_id, for the shortest ones; `auth_first` puts it first. `ips` counts
    addresses, `rotation` shuffles them, and `moved` takes others.
    """

    name_tail: str = ""
    auth_tail: str = "user"
    auth_alone: bool = False
    auth_first: bool = False
    password: str = "Secret-1"
    host: str = "sip"
    outbound_host: str = "proxy"
    domain: str = DOMAINS[0]
    auth_mode: str = "REGISTER_AUTH"
    protocol: str = "UDP"
    status: str = "OFFLINE"
    provider_in_lan: bool = False
    single_via_header: bool = False
    port: int = 5060
    outbound_server_port: int = 5070
    reregister_interval: int = 3600
    ips: int = 0
    rotation: int = 0
    moved: bool = False


TYPICAL = Traits()


def is_ours(name: str) -> bool:
    """Tell whether a provider's name is one that runs give, in whatever letter case it comes back."""
    return name.casefold().startswith(f"{NAME_PREFIX}-")


@dataclass(frozen=True)
class Values:
    """Makes the plausible providers of one run; `nonce` tells its names from those of other runs."""

    nonce: str
    plausible: Plausible = field(default_factory=Plausible)

    @property
    def prefix(self) -> str:
        """How all our names begin."""
        return f"{NAME_PREFIX}-{self.nonce}-"

    def name(self, number: int, tail: str = "") -> str:
        """Return the name of our provider with a number."""
        # A tail that goes on with digits would make the name another number's.
        parted = f".{tail}" if tail[:1].isdigit() else tail
        own = f"{self.prefix}{number}"
        return own + self.plausible.text(_clean(f"{own}{parted}").removeprefix(own), len(own))

    def own(self, number: int) -> str:
        """Return the digits that make text our provider's own."""
        return f"{self.nonce}{number}"

    def provider(self, number: int, traits: Traits = TYPICAL) -> Provider:
        """Return the complete body of a plausible create."""
        registers = traits.auth_mode == "REGISTER_AUTH"
        addresses = traits.ips if registers else max(1, traits.ips)
        own, plausible = self.own(number), self.plausible
        given = _addresses(number + (MOVED if traits.moved else 0), addresses, traits.rotation)
        return {
            "name": self.name(number, traits.name_tail),
            "auth_mode": traits.auth_mode,
            "protocol": traits.protocol,
            "require_register": registers,
            "password": plausible.text(traits.password) or "x",
            "reregister_interval": plausible.interval(traits.reregister_interval),
            "port": plausible.port(traits.port),
            "ips": list[JsonValue](dict.fromkeys(map(plausible.address, given)))[: plausible.most_ips],
            "auth_id": traits.auth_tail if traits.auth_alone else self._own_text(traits, own),
            # Only name, auth_id and hostname must be nobody else's.
            "outbound_server": plausible.host(_host(traits.outbound_host, "", traits.domain, 300)),
            "status": traits.status,
            "hostname": plausible.host(_host(traits.host, own, traits.domain, number + 97 * int(self.nonce))),
            "outbound_server_port": plausible.port(traits.outbound_server_port),
            "provider_in_lan": traits.provider_in_lan,
            "single_via_header": traits.single_via_header,
        }

    def _own_text(self, traits: Traits, own: str) -> str:
        """Return a plausible auth_id that begins or ends with what makes it a provider's own."""
        cut = self.plausible.text(_clean(traits.auth_tail[: LONGEST_TEXT - len(own)]), len(own)).strip()
        return own + cut if traits.auth_first else cut + own

    @property
    def parameters(self) -> Provider:
        """The two lists of parameters that only an update has."""
        return {
            "in_parameters": list(self.plausible.in_parameters),
            "out_parameters": list(self.plausible.out_parameters),
        }

    def update(self, identity: int, body: Mapping[str, JsonValue]) -> Provider:
        """Return the complete body of an update: a create's values, the id and the two lists of parameters."""
        return {**body, "id": identity, **self.parameters}

    def furnished(self, identity: int, body: Mapping[str, JsonValue]) -> Provider:
        """Return the body of an update whose lists of parameters have items, unusual ones where none are plausible."""
        plain = self.update(identity, body)
        return {**plain, **{name: plain[name] or list[JsonValue](items) for name, items in FURNITURE.items()}}


def nonce(seed: int, attempt: int = 0) -> str:
    """Derive the part of our names that tells runs apart; digits only, so that it suits any property."""
    digest = hashlib.sha256(f"names {seed} {attempt}".encode()).digest()
    return f"{int.from_bytes(digest[:4]) % 10**4:04d}"


def combinations() -> Iterator[Traits]:
    """Every documented value of every enum and boolean, empty and filled `ips`, in combinations that make sense.

    Half of them all, so chosen that any four values that make sense together occur together.
    """
    for (auth_mode, ips, half), protocol, status, in_lan, single_via in product(
        (("REGISTER_AUTH", 0, False), ("REGISTER_AUTH", 2, True), ("IP_AUTH", 1, False)),
        ("UDP", "TCP"),
        ("ONLINE", "OFFLINE"),
        (False, True),
        (False, True),
    ):
        if (protocol == "TCP") ^ (status == "ONLINE") ^ in_lan ^ single_via != half:
            continue
        yield Traits(
            auth_mode=auth_mode,
            ips=ips,
            protocol=protocol,
            status=status,
            provider_in_lan=in_lan,
            single_via_header=single_via,
        )


def few_combinations() -> tuple[Traits, ...]:
    """A few combinations, in which every documented value occurs."""
    return tuple(combinations())[::3]


def single_changes() -> Iterator[Traits]:
    """Traits that differ from the typical ones in one property each, or in as many as a combination needs."""
    changes: tuple[dict[str, str | int | bool], ...] = (
        {"name_tail": " renamed"},
        {"auth_tail": "other"},
        {"password": "Other-Secret-2"},
        {"host": "gateway"},
        {"outbound_host": "border"},
        {"protocol": "TCP"},
        {"status": "ONLINE"},
        {"provider_in_lan": True},
        {"single_via_header": True},
        {"port": 5080},
        {"outbound_server_port": 5090},
        {"reregister_interval": 1800},
        {"ips": 2},
        {"ips": 3, "rotation": 1},
        {"auth_mode": "IP_AUTH", "ips": 1},
    )
    for change in changes:
        yield replace(TYPICAL, **change)  # type: ignore[arg-type]


def changes_of_unlike() -> Iterator[Traits]:
    """Change one property after another of a provider unlike the typical one, and each back again."""
    unlike = different_in_all()
    for traits in single_changes():
        names = differences(traits, TYPICAL)
        changed = {name: getattr(traits, name) for name in names}
        back = {name: getattr(TYPICAL, name) for name in names}
        yield replace(unlike, **(back if all(getattr(unlike, name) == changed[name] for name in names) else changed))
        yield unlike


def different_in_all() -> Traits:
    """Return traits that differ from the typical ones in every property but auth_mode, which others depend on."""
    values = {name: getattr(traits, name) for traits in single_changes() for name in differences(traits, TYPICAL)}
    return Traits(**{**values, "auth_mode": "REGISTER_AUTH", "ips": 2, "rotation": 0})


def unlike(number: int) -> Traits:
    """Return traits that share no value with those of another number, but for what is one of two."""
    number %= 1000
    return Traits(
        password=f"Secret-{number}",
        outbound_host=f"proxy{number}",
        port=5100 + number,
        outbound_server_port=6100 + number,
        reregister_interval=600 + number,
    )


def near_changes() -> Iterator[Traits]:
    """Traits that differ from those before in little that a careless comparison takes for nothing: case and order."""
    yield Traits(name_tail=" renamed", auth_tail="other", host="gateway", outbound_host="border", ips=3)
    yield Traits(name_tail=" Renamed", auth_tail="Other", host="Gateway", outbound_host="Border", ips=3)
    yield Traits(name_tail=" Renamed", auth_tail="Other", host="Gateway", outbound_host="Border", ips=3, rotation=1)
    yield Traits(name_tail=" Renamed", auth_tail="Other", host="Gateway", outbound_host="Border", ips=3, moved=True)
    # Each port is the other's before.
    yield Traits(port=5070, outbound_server_port=5060)
    yield Traits(port=5060, outbound_server_port=5070, name_tail=f" {'long' * 11}a")
    # Nor is a second none because the minute is the same, nor the end of a text because of its beginning.
    yield Traits(port=5060, outbound_server_port=5070, name_tail=f" {'long' * 11}b", reregister_interval=3601)


def varied() -> tuple[Traits, ...]:
    """Providers that differ in every property, so that no value can be taken for another's."""
    return (
        TYPICAL,
        Traits(
            " b",
            "bob",
            password="Secret-2",
            host="gw",
            port=5081,
            outbound_server_port=6081,
            reregister_interval=60,
            ips=3,
        ),
        Traits(" Carrier", "carl", auth_mode="IP_AUTH", protocol="TCP", port=5082, reregister_interval=120, ips=1),
        Traits("-d", "dora", status="ONLINE", provider_in_lan=True, port=5083, outbound_server_port=6083, ips=1),
        Traits(" E", "0012", host="", single_via_header=True, port=5084, reregister_interval=240, domain=DOMAINS[1]),
        Traits("_f", "f.f", protocol="TCP", port=65535, outbound_server_port=1, reregister_interval=86400, ips=8),
        Traits("@g", "G+g", outbound_host="", auth_mode="IP_AUTH", ips=2, rotation=1, port=5086, status="ONLINE"),
        Traits(".h", "h h", provider_in_lan=True, single_via_header=True, port=5087, outbound_server_port=6087),
    )


def boundaries() -> Iterator[Traits]:
    """Values at the edges of what is plausible, and just where implementations tend to break."""
    for index, interval in enumerate(INTERVALS):
        count = 1 + index % MOST_IPS
        yield Traits(
            port=PORTS[index % len(PORTS)],
            outbound_server_port=PORTS[-1 - index % len(PORTS)],
            reregister_interval=interval,
            auth_mode="IP_AUTH" if count % 2 else "REGISTER_AUTH",
            ips=count,
            rotation=index,
        )
    yield longest()


def longest() -> Traits:
    """Return traits that make the longest body: of a fixed size may be what it is read into."""
    long = "x" * LONGEST_TEXT
    return Traits(
        name_tail=f".{long}",
        auth_tail=long,
        password=f"Pw {long}"[:LONGEST_TEXT],
        host=long[:60],
        outbound_host=long[:60],
        port=PORTS[-1],
        outbound_server_port=PORTS[-1],
        reregister_interval=INTERVALS[-1],
        ips=MOST_IPS,
    )


def texts() -> Iterator[Traits]:
    """Text that is plausible and yet goes wrong in careless implementations."""
    tails = (
        " Main Trunk",
        ".a-b_c@d+e f",
        "+49 30 1234",
        "@example.com",
        " null",
        "-TRUE",
        "_x" * 30,
        " Aa Bb Cc Dd" * 5,
        "." + string.ascii_letters,
        "." + string.digits * 2 + "+",
        " x",
        " A--B...C",
        " Select Union Western",
    )
    auths = (
        "0",
        "000",
        "00420",
        "1e5",
        "7E",
        "0x1F",
        "+1",
        "-1",
        "1.",
        "a.b-c_d@e+f ",
        "Alice Smith ",
        "MixedCASE",
        "x" * LONGEST_TEXT,
        "NaN",
        "user@",
        "1_0",
        "12345678901234567890",
        "alice.",
    )
    hosts = ("SIP-Gateway", "", "a", "3cx", "trunk.east", "n" * 54, "")
    for index in range(max(len(tails), len(auths))):
        yield Traits(
            name_tail=tails[index % len(tails)],
            auth_tail=auths[index % len(auths)],
            auth_first=index % 4 == 1,
            host=hosts[index % len(hosts)],
            outbound_host=hosts[(index + 3) % len(hosts)],
            domain=(*DOMAINS, "")[index % (len(DOMAINS) + 1)],
            password=_unlike_any_other(_clean(auths[index % len(auths)])),
        )


def mixed() -> Iterator[Traits]:
    """The texts, each with other numbers, addresses, enums and flags than the one before."""
    for text, edge, kind in zip(texts(), cycle(boundaries()), cycle(combinations())):
        yield replace(
            text,
            port=edge.port,
            outbound_server_port=edge.outbound_server_port,
            reregister_interval=edge.reregister_interval,
            ips=edge.ips,
            rotation=edge.rotation,
            auth_mode=kind.auth_mode,
            protocol=kind.protocol,
            status=kind.status,
            provider_in_lan=kind.provider_in_lan,
            single_via_header=kind.single_via_header,
        )


def _unlike_any_other(text: str) -> str:
    """Make a password of text; a long one must be nothing else as well, since it is masked wherever it is found."""
    return text if len(text) < SHORTEST_SECRET else f"Pw {text}"[:LONGEST_TEXT].strip()


@cache
def strategy() -> SearchStrategy[Traits]:
    """Search the whole space of plausible providers."""
    from hypothesis import strategies as st  # noqa: PLC0415 - slow to import, and listing requirements needs none of it

    # Lists of characters: building st.text and st.from_regex costs a third of a second each.
    text = st.lists(st.sampled_from(ALPHABET + " .-_@+"), max_size=LONGEST_TEXT).map("".join)
    word = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=12).map("".join)
    label = st.just("") | st.lists(word, min_size=1, max_size=2).map(lambda words: "h" + "-".join(words))
    spaces = {
        "name_tail": text,
        "auth_tail": text,
        "auth_alone": st.just(False),  # noqa: FBT003
        "auth_first": st.booleans(),
        "moved": st.booleans(),
        "password": text.map(_clean).filter(bool),
        "host": label,
        "outbound_host": label,
        "domain": st.sampled_from(DOMAINS),
        "auth_mode": st.sampled_from(("REGISTER_AUTH", "IP_AUTH")),
        "protocol": st.sampled_from(("UDP", "TCP")),
        "status": st.sampled_from(("ONLINE", "OFFLINE")),
        "provider_in_lan": st.booleans(),
        "single_via_header": st.booleans(),
        "port": st.sampled_from(PORTS) | st.integers(1, 65535),
        "outbound_server_port": st.sampled_from(PORTS) | st.integers(1, 65535),
        "reregister_interval": st.sampled_from(INTERVALS) | st.integers(30, 86400),
        "ips": st.integers(0, MOST_IPS),
        "rotation": st.integers(0, MOST_IPS),
    }
    assert spaces.keys() == {trait.name for trait in fields(Traits)}
    return st.builds(Traits, **spaces)


def differences(traits: Traits, base: Traits) -> tuple[str, ...]:
    """Name the traits that differ."""
    return tuple(trait.name for trait in fields(Traits) if getattr(traits, trait.name) != getattr(base, trait.name))


def rebased(traits: Traits, base: Traits) -> Traits:
    """Let traits that are typical be those of another base."""
    changes = {name: getattr(base, name) for name in differences(TYPICAL, base)}
    return replace(
        traits, **{name: to for name, to in changes.items() if getattr(traits, name) == getattr(TYPICAL, name)}
    )


def _clean(text: str) -> str:
    """Make text plausible: single inner spaces, none at the ends, at most 64 characters."""
    return re.sub(" +", " ", text).strip()[:LONGEST_TEXT].strip()


def _host(label: str, own: str, domain: str, number: int) -> str:
    """Return a host name that carries the provider's number, or, without a label, an address."""
    if not label:
        return _address(number)
    labels = [f"{label}-{own}" if own else label, *([domain] if domain else [])]
    return ".".join(labels)[-LONGEST_TEXT:]


def _address(number: int) -> str:
    return f"{NETWORKS[number // 254 % len(NETWORKS)]}.{number % 254 + 1}"


def _addresses(number: int, count: int, rotation: int) -> Iterator[str]:
    """Return different addresses in an order that is neither rising nor falling."""
    addresses = [_address(number * MOST_IPS + index * 101) for index in range(count)]
    turn = rotation % count if count else 0
    yield from (*addresses[turn:], *addresses[:turn])
