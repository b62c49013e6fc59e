"""Faults of create."""

from __future__ import annotations

import ipaddress
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters


# CREATE-1: a complete, plausible create is answered with 200


@fault("create-answers-201", "CREATE-1", kind="always")
class Answers201(Reference):
    """Answers create with 201."""

    def create(self, request: Request) -> Answer:
        return replace(super().create(request), status=201)


@fault("create-refuses-high-ports", "CREATE-1", kind="conditional")
class RefusesHighPorts(Reference):
    """Refuses a port from 32768 on."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties["port"] >= 2**15:
            raise RefusedError(400, "port: too high")
        return properties


@fault("create-refuses-low-ports", "CREATE-1", kind="conditional")
class RefusesLowPorts(Reference):
    """Refuses an outbound port below 1024."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties["outbound_server_port"] < 1024:
            raise RefusedError(400, "outbound_server_port: too low")
        return properties


@fault("create-refuses-spaces-in-names", "CREATE-1", kind="conditional")
class RefusesSpacesInNames(Reference):
    """Refuses a name with a space in it."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if " " in properties["name"]:
            raise RefusedError(400, "name: no spaces")
        return properties


@fault("create-refuses-long-names", "CREATE-1", kind="conditional")
class RefusesLongNames(Reference):
    """Refuses a name of more than 63 characters."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if len(properties["name"]) > 63:
            raise RefusedError(400, "name: too long")
        return properties


@fault("create-refuses-one-character", "CREATE-1", kind="conditional")
class RefusesOneCharacter(Reference):
    """Refuses an auth_id of one character."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if len(properties["auth_id"]) == 1:
            raise RefusedError(400, "auth_id: too short")
        return properties


@fault("create-refuses-at-sign-in-auth-id", "CREATE-1", kind="conditional")
class RefusesAtSign(Reference):
    """Refuses an auth_id with an @ in it."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if "@" in properties["auth_id"]:
            raise RefusedError(400, "auth_id: no @")
        return properties


@fault("create-refuses-address-as-hostname", "CREATE-1", kind="conditional")
class RefusesAddressAsHostname(Reference):
    """Refuses an IP address as hostname."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if _is_address(properties["hostname"]):
            raise RefusedError(400, "hostname: not a name")
        return properties


@fault("create-refuses-long-intervals", "CREATE-1", kind="conditional")
class RefusesLongIntervals(Reference):
    """Refuses an interval above 65535 seconds."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties["reregister_interval"] > 65535:
            raise RefusedError(400, "reregister_interval: too long")
        return properties


@fault("create-refuses-eight-ips", "CREATE-1", kind="conditional")
class RefusesEightIps(Reference):
    """Refuses more than seven ips."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if len(properties["ips"]) > 7:
            raise RefusedError(400, "ips: too many")
        return properties


@fault("create-refuses-shared-outbound-server", "CREATE-1", kind="stateful")
class RefusesSharedOutboundServer(Reference):
    """Refuses an outbound server that another provider has."""

    def store_created(self, properties: Properties) -> int:
        if any(other["outbound_server"] == properties["outbound_server"] for other in self.store.all()):
            raise RefusedError(409, "outbound_server: in use")
        return super().store_created(properties)


@fault("create-refuses-name-of-destroyed", "CREATE-1", kind="stateful")
class RefusesNameOfDestroyed(Reference):
    """Refuses a name that any provider ever had."""

    def prepare(self) -> None:
        self.names: set[str] = set()

    def store_created(self, properties: Properties) -> int:
        if properties["name"] in self.names:
            raise RefusedError(409, "name: in use")
        self.names.add(properties["name"])
        return super().store_created(properties)


@fault("create-fails-after-destroy", "CREATE-1", kind="stateful")
class FailsAfterDestroy(Reference):
    """Refuses the first create after a destroy."""

    def prepare(self) -> None:
        self.busy = False

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        self.busy = self.busy or removed
        return removed

    def store_created(self, properties: Properties) -> int:
        busy, self.busy = self.busy, False
        if busy:
            raise RefusedError(409, "busy")
        return super().store_created(properties)


# CREATE-2: the answer gives the new id


@fault("create-id-as-text", "CREATE-2", kind="always")
class IdAsText(Reference):
    """Gives the new id as a string."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": str(provider_id)}


@fault("create-id-as-text-from-10", "CREATE-2", kind="conditional")
class IdAsTextFromTen(Reference):
    """Gives a new id of two or more digits as a string."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": provider_id if provider_id < 10 else str(provider_id)}


@fault("create-id-bare", "CREATE-2", kind="always")
class IdBare(Reference):
    """Answers create with the bare id instead of an object."""

    def rendered_created(self, provider_id: int) -> Any:
        return provider_id


@fault("create-id-in-array", "CREATE-2", kind="always")
class IdInArray(Reference):
    """Answers create with an array of one object."""

    def rendered_created(self, provider_id: int) -> Any:
        return [{"id": provider_id}]


@fault("create-id-in-envelope", "CREATE-2", kind="always")
class IdInEnvelope(Reference):
    """Wraps the new id in an object of its own."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"data": {"id": provider_id}}


@fault("create-id-fraction", "CREATE-2", kind="conditional")
class IdFraction(Reference):
    """Gives every fifth id with a fraction."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": provider_id if provider_id % 5 else provider_id + 0.5}


@fault("create-id-missing-for-ip-auth", "CREATE-2", kind="conditional")
class IdMissingForIpAuth(Reference):
    """Gives no id for a provider with IP_AUTH."""

    def rendered_created(self, provider_id: int) -> Any:
        stored = self.store.get(provider_id)
        return {} if stored is not None and stored["auth_mode"] == "IP_AUTH" else {"id": provider_id}


@fault("create-id-missing-after-destroy", "CREATE-2", kind="stateful")
class IdMissingAfterDestroy(Reference):
    """Gives null for an id in the first create after a destroy."""

    def prepare(self) -> None:
        self.forgetful = False

    def remove(self, provider_id: int) -> bool:
        self.forgetful = super().remove(provider_id)
        return self.forgetful

    def rendered_created(self, provider_id: int) -> Any:
        forgetful, self.forgetful = self.forgetful, False
        return {"id": None if forgetful else provider_id}


# CREATE-3: every provider has an id of its own


class _OwnIds(Reference):
    """Chooses ids itself; where it chooses one that is taken, the newer provider takes its place."""

    def prepare(self) -> None:
        self.last = 0
        self.turn = threading.Lock()

    def insert(self, properties: Properties) -> int:
        with self.turn:
            self.store.delete(properties["id"])
            return super().insert(properties)


@fault("create-reuses-highest-id", "CREATE-3", kind="stateful")
class ReusesHighestId(_OwnIds):
    """Gives the highest id in use plus one, hence again that of the newest provider once it is destroyed."""

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        return max((provider["id"] for provider in self.store.all()), default=0) + 1


@fault("create-reuses-lowest-free-id", "CREATE-3", kind="stateful")
class ReusesLowestFreeId(_OwnIds):
    """Gives the lowest id that no provider bears at present."""

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        taken = {provider["id"] for provider in self.store.all()}
        return next(number for number in range(1, len(taken) + 2) if number not in taken)


@fault("create-recycles-ids-of-destroyed", "CREATE-3", kind="stateful")
class RecyclesIdsOfDestroyed(_OwnIds):
    """Gives the ids of destroyed providers again, once three of them are free."""

    def prepare(self) -> None:
        super().prepare()
        self.free: list[int] = []

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        if removed:
            self.free.append(provider_id)
        return removed

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        if len(self.free) >= 3:
            return self.free.pop(0)
        self.last += 1
        return self.last


@fault("create-races-for-ids", "CREATE-3", kind="stateful")
class RacesForIds(_OwnIds):
    """Gives the same id to creates that overlap in time."""

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        last = self.last
        time.sleep(0.002)
        self.last = last + 1
        return self.last


@fault("create-counts-providers-for-id", "CREATE-3", kind="stateful")
class CountsProvidersForId(_OwnIds):
    """Gives the number of providers plus one as id, which after a destroy is somebody's."""

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        return len(self.store.all()) + 1


@fault("create-id-from-clock", "CREATE-3", kind="conditional")
class IdFromClock(_OwnIds):
    """Gives the time in hundredths of a second as id."""

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        return int(time.time() * 100)


@fault("create-id-wraps-at-16", "CREATE-3", kind="stateful")
class IdWrapsAtSixteen(_OwnIds):
    """Counts ids in four bits, so that the 17th provider takes the id of the first."""

    def new_id(self, properties: Properties) -> int:  # noqa: ARG002
        self.last = self.last % 16 + 1
        return self.last


@fault("create-answers-id-of-other", "CREATE-3", kind="stateful")
class AnswersIdOfOther(Reference):
    """Answers overlapping creates with the id of whichever was stored last."""

    def prepare(self) -> None:
        self.newest = 0

    def store_created(self, properties: Properties) -> int:
        self.newest = super().store_created(properties)
        time.sleep(0.002)
        return self.newest


# CREATE-4: show returns every plausible value unchanged


class _StoresOtherwise(Reference):
    """Stores something else than was sent to create."""

    def store_created(self, properties: Properties) -> int:
        return super().store_created(properties | self.altered(properties))

    def altered(self, properties: Properties) -> Properties:
        """Return the properties that are stored otherwise."""
        raise NotImplementedError


@fault("create-truncates-names", "CREATE-4", kind="conditional")
class TruncatesNames(_StoresOtherwise):
    """Cuts names after 32 characters."""

    def altered(self, properties: Properties) -> Properties:
        return {"name": properties["name"][:32]}


@fault("create-truncates-hostnames", "CREATE-4", kind="conditional")
class TruncatesHostnames(_StoresOtherwise):
    """Cuts hostnames after 40 characters."""

    def altered(self, properties: Properties) -> Properties:
        return {"hostname": properties["hostname"][:40]}


@fault("create-plus-becomes-space", "CREATE-4", kind="conditional")
class PlusBecomesSpace(_StoresOtherwise):
    """Turns + in an auth_id into a space, as in a form."""

    def altered(self, properties: Properties) -> Properties:
        return {"auth_id": properties["auth_id"].replace("+", " ")}


@fault("create-lowers-case", "CREATE-4", kind="conditional")
class LowersCase(_StoresOtherwise):
    """Turns auth_id to lower case."""

    def altered(self, properties: Properties) -> Properties:
        return {"auth_id": properties["auth_id"].lower()}


@fault("create-capitalises-names", "CREATE-4", kind="conditional")
class CapitalisesNames(_StoresOtherwise):
    """Turns inner capitals of a name's words to lower case."""

    def altered(self, properties: Properties) -> Properties:
        words = properties["name"].split(" ")
        return {"name": " ".join(word[:1] + word[1:].lower() for word in words)}


@fault("create-underscore-becomes-space", "CREATE-4", kind="conditional")
class UnderscoreBecomesSpace(_StoresOtherwise):
    """Turns underscores in a name into spaces."""

    def altered(self, properties: Properties) -> Properties:
        return {"name": properties["name"].replace("_", " ")}


@fault("create-strips-leading-zeros", "CREATE-4", kind="conditional")
class StripsLeadingZeros(_StoresOtherwise):
    """Takes the leading zeros off an auth_id of digits."""

    def altered(self, properties: Properties) -> Properties:
        auth_id = properties["auth_id"]
        return {"auth_id": str(int(auth_id)) if auth_id.isascii() and auth_id.isdigit() else auth_id}


@fault("create-strips-domain-of-auth-id", "CREATE-4", kind="conditional")
class StripsDomainOfAuthId(_StoresOtherwise):
    """Drops what follows an @ in an auth_id."""

    def altered(self, properties: Properties) -> Properties:
        return {"auth_id": properties["auth_id"].partition("@")[0]}


@fault("create-wraps-high-ports", "CREATE-4", kind="conditional")
class WrapsHighPorts(_StoresOtherwise):
    """Stores ports from 32768 on in a signed 16-bit number."""

    def altered(self, properties: Properties) -> Properties:
        port = properties["port"]
        return {"port": port - 2**16 if 2**15 <= port < 2**16 else port}


@fault("create-default-outbound-port", "CREATE-4", kind="always")
class DefaultOutboundPort(_StoresOtherwise):
    """Stores port as outbound_server_port."""

    def altered(self, properties: Properties) -> Properties:
        return {"outbound_server_port": properties["port"]}


@fault("create-clamps-intervals", "CREATE-4", kind="conditional")
class ClampsIntervals(_StoresOtherwise):
    """Stores intervals above an hour as an hour."""

    def altered(self, properties: Properties) -> Properties:
        interval = properties["reregister_interval"]
        return {"reregister_interval": 3600 if 3600 < interval <= 86400 else interval}


@fault("create-rounds-intervals", "CREATE-4", kind="conditional")
class RoundsIntervals(_StoresOtherwise):
    """Stores intervals in whole minutes."""

    def altered(self, properties: Properties) -> Properties:
        interval = properties["reregister_interval"]
        return {"reregister_interval": interval - interval % 60 if interval >= 60 else interval}


@fault("create-sorts-ips", "CREATE-4", kind="conditional")
class SortsIps(_StoresOtherwise):
    """Stores ips in alphabetical order."""

    def altered(self, properties: Properties) -> Properties:
        ips = properties["ips"]
        return {"ips": sorted(ips) if all(isinstance(ip, str) for ip in ips) else ips}


@fault("create-keeps-four-ips", "CREATE-4", kind="conditional")
class KeepsFourIps(_StoresOtherwise):
    """Stores the first four ips only."""

    def altered(self, properties: Properties) -> Properties:
        return {"ips": properties["ips"][:4]}


@fault("create-one-ip-a-network", "CREATE-4", kind="conditional")
class OneIpANetwork(_StoresOtherwise):
    """Drops a second IPv4 address of the same /24 network as a duplicate."""

    def altered(self, properties: Properties) -> Properties:
        networks: dict[str, Any] = {}
        for index, ip in enumerate(properties["ips"]):
            is_ipv4 = isinstance(ip, str) and _is_address(ip) and "." in ip and ":" not in ip
            networks.setdefault(ip.rpartition(".")[0] if is_ipv4 else str(index), ip)
        return {"ips": list(networks.values())}


@fault("create-canonical-ipv6", "VALUE-1", kind="conditional")
class CanonicalIpv6(_StoresOtherwise):
    """Stores IPv6 addresses in their longest form."""

    def altered(self, properties: Properties) -> Properties:
        ips = properties["ips"]
        return {"ips": [ipaddress.ip_address(ip).exploded if _is_address(ip) else ip for ip in ips]}


@fault("create-ignores-single-via-header", "CREATE-4", kind="conditional")
class IgnoresSingleViaHeader(_StoresOtherwise):
    """Stores single_via_header as false, whatever is sent."""

    def altered(self, properties: Properties) -> Properties:  # noqa: ARG002
        return {"single_via_header": False}


@fault("create-ignores-provider-in-lan", "CREATE-4", kind="conditional")
class IgnoresProviderInLan(_StoresOtherwise):
    """Stores provider_in_lan as false, whatever is sent."""

    def altered(self, properties: Properties) -> Properties:  # noqa: ARG002
        return {"provider_in_lan": False}


@fault("create-stores-tcp-as-udp", "CREATE-4", kind="conditional")
class StoresTcpAsUdp(_StoresOtherwise):
    """Accepts TCP and stores UDP."""

    def altered(self, properties: Properties) -> Properties:  # noqa: ARG002
        return {"protocol": "UDP"}


@fault("create-outbound-server-from-hostname", "CREATE-4", kind="always")
class OutboundServerFromHostname(_StoresOtherwise):
    """Stores hostname as outbound_server."""

    def altered(self, properties: Properties) -> Properties:
        return {"outbound_server": properties["hostname"]}


@fault("create-completes-hostnames", "CREATE-4", kind="conditional")
class CompletesHostnames(_StoresOtherwise):
    """Appends a domain to an outbound server without a dot."""

    def altered(self, properties: Properties) -> Properties:
        server = properties["outbound_server"]
        return {"outbound_server": server if "." in server or ":" in server else server + ".local"}


@fault("create-numbers-equal-outbound-servers", "CREATE-4", kind="stateful")
class NumbersEqualOutboundServers(_StoresOtherwise):
    """Appends a number to an outbound server that another provider has."""

    def altered(self, properties: Properties) -> Properties:
        server = properties["outbound_server"]
        number = sum(other["outbound_server"] == server for other in self.store.all())
        return {"outbound_server": f"{server}-{number}" if number else server}


@fault("create-keeps-ips-of-previous", "CREATE-4", kind="stateful")
class KeepsIpsOfPrevious(_StoresOtherwise):
    """Stores the ips of the previous create where this one has none."""

    def prepare(self) -> None:
        self.previous: list[Any] = []

    def altered(self, properties: Properties) -> Properties:
        previous, self.previous = self.previous, properties["ips"]
        return {"ips": properties["ips"] or previous}


@fault("create-mixes-overlapping", "CREATE-4", kind="stateful")
class MixesOverlapping(_StoresOtherwise):
    """Stores the auth_id of another create that is under way."""

    def prepare(self) -> None:
        self.lock = threading.Lock()
        self.auth_id = ""

    def altered(self, properties: Properties) -> Properties:
        with self.lock:
            self.auth_id = properties["auth_id"]
        time.sleep(0.002)
        return {"auth_id": self.auth_id}


# CREATE-5: the new provider is listed, once


class _ListsSome(Reference):
    """Lists some of the providers only."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, _ = super().page_of(asked)
        _, everything = self.store.page(0, count, self.order(asked.sort_by))
        listed = [provider for provider in everything if self.is_listed(provider)]
        start = (asked.pagination - 1) * asked.pagesize
        return count, listed[start : start + asked.pagesize]

    def is_listed(self, provider: Properties) -> bool:
        """Tell whether a provider is listed."""
        raise NotImplementedError


@fault("create-ip-auth-not-listed", "CREATE-5", kind="conditional")
class IpAuthNotListed(_ListsSome):
    """Does not list providers with IP_AUTH."""

    def is_listed(self, provider: Properties) -> bool:
        return bool(provider["auth_mode"] != "IP_AUTH")


@fault("create-lan-not-listed", "CREATE-5", kind="conditional")
class LanNotListed(_ListsSome):
    """Does not list providers in the LAN."""

    def is_listed(self, provider: Properties) -> bool:
        return not provider["provider_in_lan"]


@fault("create-not-listed-until-updated", "CREATE-5", kind="always")
class NotListedUntilUpdated(_ListsSome):
    """Lists a provider only once it has been updated."""

    def prepare(self) -> None:
        self.updated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updated.add(provider_id)
        return super().apply_update(provider_id, properties)

    def is_listed(self, provider: Properties) -> bool:
        return provider["id"] in self.updated


@fault("create-not-listed-until-shown", "CREATE-5", kind="stateful")
class NotListedUntilShown(_ListsSome):
    """Lists a provider only once it has been shown."""

    def prepare(self) -> None:
        self.shown: set[int] = set()

    def find(self, provider_id: int) -> Properties | None:
        self.shown.add(provider_id)
        return super().find(provider_id)

    def is_listed(self, provider: Properties) -> bool:
        return provider["id"] in self.shown


@fault("create-newest-not-listed", "CREATE-5", kind="stateful")
class NewestNotListed(_ListsSome):
    """Lists a provider only once another one has been created."""

    def prepare(self) -> None:
        self.newest = 0

    def store_created(self, properties: Properties) -> int:
        self.newest = super().store_created(properties)
        return self.newest

    def is_listed(self, provider: Properties) -> bool:
        return bool(provider["id"] != self.newest)


@fault("create-listed-twice", "CREATE-5", kind="always")
class ListedTwice(Reference):
    """Lists the newest provider twice."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, _ = super().page_of(asked)
        _, everything = self.store.page(0, count, self.order(asked.sort_by))
        everything += sorted(everything, key=lambda provider: int(provider["id"]))[-1:]
        start = (asked.pagination - 1) * asked.pagesize
        return count, everything[start : start + asked.pagesize]


# CREATE-6: every documented value is accepted


class _RefusesValue(Reference):
    """Refuses a documented value of one property."""

    name = ""
    value: Any = None

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties[self.name] == self.value:
            raise RefusedError(400, f"{self.name}: not supported")
        return properties


@fault("create-refuses-ip-auth", "CREATE-6", kind="conditional")
class RefusesIpAuth(_RefusesValue):
    """Refuses IP_AUTH."""

    name, value = "auth_mode", "IP_AUTH"


@fault("create-refuses-tcp", "CREATE-6", kind="conditional")
class RefusesTcp(_RefusesValue):
    """Refuses TCP."""

    name, value = "protocol", "TCP"


@fault("create-refuses-offline", "CREATE-6", kind="conditional")
class RefusesOffline(_RefusesValue):
    """Refuses OFFLINE."""

    name, value = "status", "OFFLINE"


@fault("create-refuses-lan", "CREATE-6", kind="conditional")
class RefusesLan(_RefusesValue):
    """Refuses provider_in_lan true."""

    name, value = "provider_in_lan", True


@fault("create-requires-single-via-header", "CREATE-6", kind="conditional")
class RequiresSingleViaHeader(_RefusesValue):
    """Takes single_via_header false for missing."""

    name, value = "single_via_header", False


@fault("create-refuses-empty-ips", "CREATE-6", kind="conditional")
class RefusesEmptyIps(_RefusesValue):
    """Takes empty ips for missing."""

    name, value = "ips", []


@fault("create-refuses-ips-with-register-auth", "CREATE-6", kind="conditional")
class RefusesIpsWithRegisterAuth(Reference):
    """Refuses ips of a provider with REGISTER_AUTH."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties["auth_mode"] == "REGISTER_AUTH" and properties["ips"]:
            raise RefusedError(400, "ips: not with REGISTER_AUTH")
        return properties


@fault("create-refuses-second-ip-auth", "CREATE-6", kind="stateful")
class RefusesSecondIpAuth(Reference):
    """Refuses IP_AUTH while there is such a provider already."""

    def store_created(self, properties: Properties) -> int:
        if properties["auth_mode"] == "IP_AUTH" and any(other["auth_mode"] == "IP_AUTH" for other in self.store.all()):
            raise RefusedError(409, "auth_mode: taken")
        return super().store_created(properties)


def _is_address(text: object) -> bool:
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True


# CREATE-7: a create that lacks a required property is refused


class _Defaults(Reference):
    """Has a default for a property that a create lacks."""

    defaults: Properties = {}  # noqa: RUF012 - never changed

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.defaults | content if isinstance(content, dict) else content)


for _name, _value in {
    "name": "unnamed",
    "hostname": "localhost",
    "port": 5060,
    "protocol": "UDP",
    "auth_mode": "REGISTER_AUTH",
    "auth_id": "",
    "password": "",
    "require_register": False,
    "reregister_interval": 3600,
    "outbound_server": "",
    "outbound_server_port": 5060,
    "provider_in_lan": False,
    "single_via_header": False,
    "status": "OFFLINE",
    "ips": [],
}.items():
    fault(
        f"create-lets-{_name.replace('_', '-')}-be-missing",
        "CREATE-7",
        kind="conditional",
        description=f"Creates a provider without {_name}, for which it has a default.",
    )(type(f"Defaults_{_name}", (_Defaults,), {"defaults": {_name: _value}}))


@fault("create-stores-incomplete", "CREATE-7", kind="conditional")
class StoresIncomplete(Reference):
    """Answers a create without a name with 400, yet stores the provider."""

    def validate_create(self, content: Any) -> Properties:
        if isinstance(content, dict) and "name" not in content:
            self.store_created(super().validate_create(content | {"name": ""}))
        return super().validate_create(content)


# CREATE-8: a property of the wrong type is refused


class _Coerces(Reference):
    """Makes the right type of a wrong one."""

    def validate_create(self, content: Any) -> Properties:
        if isinstance(content, dict):
            content = {name: self.coerced(name, value) for name, value in content.items()}
        return super().validate_create(content)

    def coerced(self, name: str, value: Any) -> Any:
        """Return what is taken for the value of a property."""
        raise NotImplementedError


@fault("create-coerces-digits", "CREATE-8", kind="conditional")
class CoercesDigits(_Coerces):
    """Takes digits in a string for a number."""

    def coerced(self, name: str, value: Any) -> Any:
        is_number = name in _NUMBERS and isinstance(value, str) and value.isascii() and value.isdigit()
        return int(value) if is_number and len(value) < 19 else value


@fault("create-coerces-booleans-to-numbers", "CREATE-8", kind="conditional")
class CoercesBooleansToNumbers(_Coerces):
    """Takes true and false for 1 and 0."""

    def coerced(self, name: str, value: Any) -> Any:
        return int(value) if name in _NUMBERS and isinstance(value, bool) else value


@fault("create-coerces-numbers-to-booleans", "CREATE-8", kind="conditional")
class CoercesNumbersToBooleans(_Coerces):
    """Takes 0 and 1 for false and true."""

    def coerced(self, name: str, value: Any) -> Any:
        return bool(value) if name in _FLAGS and isinstance(value, int) and value in {0, 1} else value


@fault("create-coerces-words-to-booleans", "CREATE-8", kind="conditional")
class CoercesWordsToBooleans(_Coerces):
    """Takes "true" and "false" for booleans."""

    def coerced(self, name: str, value: Any) -> Any:
        return value == "true" if name in _FLAGS and value in ("true", "false") else value


@fault("create-coerces-numbers-to-text", "CREATE-8", kind="conditional")
class CoercesNumbersToText(_Coerces):
    """Takes a number for its digits in a string."""

    def coerced(self, name: str, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if name in _TEXTS and is_number else value


@fault("create-cuts-fractions", "CREATE-8", kind="conditional")
class CutsFractions(_Coerces):
    """Cuts the fraction off a number."""

    def coerced(self, name: str, value: Any) -> Any:
        return int(value) if name in _NUMBERS and isinstance(value, float) else value


@fault("create-takes-null-for-empty-text", "CREATE-8", kind="conditional")
class TakesNullForEmptyText(_Coerces):
    """Takes null for an empty string."""

    def coerced(self, name: str, value: Any) -> Any:
        return "" if name in _TEXTS and value is None else value


@fault("create-takes-null-for-no-ips", "CREATE-8", kind="conditional")
class TakesNullForNoIps(_Coerces):
    """Takes null for empty ips."""

    def coerced(self, name: str, value: Any) -> Any:
        return [] if name == "ips" and value is None else value


@fault("create-takes-text-for-ips", "CREATE-8", kind="conditional")
class TakesTextForIps(_Coerces):
    """Takes a string for ips of one item."""

    def coerced(self, name: str, value: Any) -> Any:
        return [value] if name == "ips" and isinstance(value, str) else value


# CREATE-9: values outside an enum are refused


@fault("create-ignores-case-of-enum", "CREATE-9", kind="conditional")
class IgnoresCaseOfEnum(_Coerces):
    """Takes protocol in other letter case."""

    def coerced(self, name: str, value: Any) -> Any:
        return value.upper() if name == "protocol" and isinstance(value, str) else value


@fault("create-strips-enum", "CREATE-9", kind="conditional")
class StripsEnum(_Coerces):
    """Takes auth_mode with space around it."""

    def coerced(self, name: str, value: Any) -> Any:
        return value.strip() if name == "auth_mode" and isinstance(value, str) else value


@fault("create-cuts-enum-at-nul", "CREATE-9", kind="conditional")
class CutsEnumAtNul(_Coerces):
    """Reads protocol up to the first NUL, as programs in C do."""

    def coerced(self, name: str, value: Any) -> Any:
        return value.partition("\0")[0] if name == "protocol" and isinstance(value, str) else value


@fault("create-replaces-unknown-protocol", "CREATE-9", kind="conditional")
class ReplacesUnknownProtocol(_Coerces):
    """Takes any protocol it does not know for UDP."""

    def coerced(self, name: str, value: Any) -> Any:
        return "UDP" if name == "protocol" and isinstance(value, str) and value != "TCP" else value


@fault("create-ignores-status", "CREATE-9", kind="conditional")
class IgnoresStatus(_Coerces):
    """Takes any string for status, such as REGISTERED, for OFFLINE."""

    def coerced(self, name: str, value: Any) -> Any:
        return "OFFLINE" if name == "status" and isinstance(value, str) and value != "ONLINE" else value


@fault("create-shortens-auth-mode", "CREATE-9", kind="conditional")
class ShortensAuthMode(_Coerces):
    """Looks at the first letter of auth_mode only."""

    def coerced(self, name: str, value: Any) -> Any:
        known = {"I": "IP_AUTH", "R": "REGISTER_AUTH"}
        return known.get(value[:1], value) if name == "auth_mode" and isinstance(value, str) else value


# CREATE-10: a body that is not a JSON object is refused


class _ReadsOtherwise(Reference):
    """Reads more out of the body of a create than JSON allows."""

    def read_body(self, request: Request) -> Any:
        if request.operation != "create":
            return super().read_body(request)
        return self.lenient(request)

    def lenient(self, request: Request) -> Any:
        """Return what is read out of the body."""
        raise NotImplementedError


@fault("create-takes-array-of-one", "CREATE-10", kind="conditional")
class TakesArrayOfOne(_ReadsOtherwise):
    """Takes the first item of an array for the provider."""

    def lenient(self, request: Request) -> Any:
        content = super().read_body(replace(request, operation=""))
        return content[0] if isinstance(content, list) and content else content


@fault("create-ignores-rest", "CREATE-10", kind="conditional")
class IgnoresRest(_ReadsOtherwise):
    """Ignores what follows the object."""

    def lenient(self, request: Request) -> Any:
        return super().read_body(replace(request, operation="", body=request.body[: request.body.rfind(b"}") + 1]))


@fault("create-completes-truncated", "CREATE-10", kind="conditional")
class CompletesTruncated(_ReadsOtherwise):
    """Puts a missing last brace in."""

    def lenient(self, request: Request) -> Any:
        body = request.body if request.body.rstrip().endswith(b"}") else request.body + b"}"
        return super().read_body(replace(request, operation="", body=body))


@fault("create-reads-json-in-string", "CREATE-10", kind="conditional")
class ReadsJsonInString(_ReadsOtherwise):
    """Takes a string of JSON for the JSON in it."""

    def lenient(self, request: Request) -> Any:
        content = super().read_body(replace(request, operation=""))
        return self.decode(content.encode("utf-8", "replace")) if isinstance(content, str) else content


@fault("create-takes-nothing-for-template", "CREATE-10", kind="conditional")
class TakesNothingForTemplate(_ReadsOtherwise):
    """Creates a provider of defaults where the body is empty, null or no JSON at all."""

    def lenient(self, request: Request) -> Any:
        try:
            content = super().read_body(replace(request, operation=""))
        except RefusedError as refused:
            if refused.status != 400:
                raise
            content = None
        return _TEMPLATE if content is None else content


_NUMBERS = frozenset({"port", "outbound_server_port", "reregister_interval"})
_FLAGS = frozenset({"require_register", "provider_in_lan", "single_via_header"})
_TEXTS = frozenset({"name", "hostname", "auth_id", "password", "outbound_server"})
_TEMPLATE = {
    **dict.fromkeys(_TEXTS, "unknown"),
    **dict.fromkeys(_NUMBERS, 5060),
    **dict.fromkeys(_FLAGS, False),
    "protocol": "UDP",
    "auth_mode": "REGISTER_AUTH",
    "status": "OFFLINE",
    "ips": [],
}
