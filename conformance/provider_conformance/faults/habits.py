"""Faults by habits of stacks: lenient readers, joined columns, cached pages, ids taken from wherever they are."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

from provider_conformance.contract import Level
from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters

_NUMBERS = frozenset({"port", "outbound_server_port", "reregister_interval"})
_FLAGS = frozenset({"require_register", "provider_in_lan", "single_via_header"})
_TEXTS = frozenset({"name", "hostname", "auth_id", "password", "outbound_server"})
_ARRAYS = ("ips", "in_parameters", "out_parameters")
_HOSTS = ("hostname", "outbound_server")

_IDS = range(1, 2**31)
"""Ids that are taken from where they do not belong: after a larger one a database might have none left to give."""


def _id_in(content: Any) -> int | None:
    """Return the id in a body, if a provider may bear it."""
    number = content.get("id") if isinstance(content, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number in _IDS else None


def _query(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.query.decode("latin-1"))


# AUTH-5: the token is taken from that header alone


class _TokenElsewhere(Reference):
    """Takes the token from elsewhere where the header is missing."""

    def sent_token(self, request: Request) -> bytes | None:
        return super().sent_token(request) or self.token_elsewhere(request)

    def token_elsewhere(self, request: Request) -> bytes | None:
        """Return the token that a request bears elsewhere."""
        raise NotImplementedError


@fault("auth-token-in-header-token", "AUTH-5", kind="conditional")
class TokenInHeaderToken(_TokenElsewhere):
    """Takes the token from the header Token, too."""

    def token_elsewhere(self, request: Request) -> bytes | None:
        return next(iter(request.header(b"token")), None)


@fault("auth-token-in-parameter-of-other-name", "AUTH-5", kind="conditional")
class TokenInParameterOfOtherName(_TokenElsewhere):
    """Takes the token from a query parameter such as key, auth or accessToken where there is no header."""

    def token_elsewhere(self, request: Request) -> bytes | None:
        given = _query(request)
        names = ("auth_token", "accessToken", "key", "apikey", "auth")
        return next((given[name][0].encode("utf-8") for name in names if name in given), None)


@fault("auth-token-in-member-token", "AUTH-5", kind="conditional")
class TokenInMemberToken(_TokenElsewhere):
    """Takes the token from the member token of the body where there is no header."""

    def token_elsewhere(self, request: Request) -> bytes | None:
        try:
            content = self.decode(request.body)
        except RefusedError:
            return None
        token = content.get("token") if isinstance(content, dict) else None
        return token.encode("utf-8", "replace") if isinstance(token, str) else None


# CREATE-3: every provider has an id of its own, and none that a destroyed one bore


class _HonoursId(Reference):
    """Takes the id in the body of a create for the new provider's."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        number = _id_in(content)
        return properties if number is None else {**properties, "id": number}


@fault("create-takes-id-of-body", "CREATE-3", kind="conditional")
class TakesIdOfBody(_HonoursId):
    """Takes the id in the body of a create, in place of whoever bears it."""

    def store_created(self, properties: Properties) -> int:
        if "id" in properties:
            self.store.delete(properties["id"])
        return super().store_created(properties)


@fault("create-upserts-by-id", "CREATE-3", kind="conditional")
class UpsertsById(_HonoursId):
    """Changes the provider whose id is in the body of a create, and gives that id."""

    def store_created(self, properties: Properties) -> int:
        others = {name: value for name, value in properties.items() if name != "id"}
        number: int = properties.get("id", 0)
        return number if number and self.store.replace(number, others) else super().store_created(others)


# CREATE-7: a create that lacks any one required property is refused


@fault("create-empty-object-is-template", "CREATE-7", kind="conditional")
class EmptyObjectIsTemplate(Reference):
    """Creates a provider of defaults where the body is an empty object, as in the sample."""

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(_DEFAULTS if content == {} else content)


_DEFAULTS: Properties = {
    **dict.fromkeys(_TEXTS, ""),
    **dict.fromkeys(_NUMBERS, 5060),
    **dict.fromkeys(_FLAGS, False),
    "protocol": "UDP",
    "auth_mode": "IP_AUTH",
    "status": "OFFLINE",
    "ips": [],
}


class _Pair(Reference):
    """Takes two properties for optional together: one of them without the other is refused."""

    pair: ClassVar[Properties]

    def completed(self, content: Any) -> Any:
        """Return a body with the pair, if it has neither."""
        lacks = isinstance(content, dict) and self.pair.keys().isdisjoint(content)
        return {**content, **self.pair} if lacks else content


class _CreatePair(_Pair):
    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.completed(content))


@fault("create-outbound-pair-optional", "CREATE-7", kind="conditional")
class OutboundPairOptional(_CreatePair):
    """Creates a provider without outbound server if its port is missing as well."""

    pair: ClassVar = {"outbound_server": "", "outbound_server_port": 0}


@fault("create-credentials-pair-optional", "CREATE-7", kind="conditional")
class CredentialsPairOptional(_CreatePair):
    """Creates a provider without auth_id if the password is missing as well."""

    pair: ClassVar = {"auth_id": "", "password": ""}


@fault("create-register-pair-optional", "CREATE-7", kind="conditional")
class RegisterPairOptional(_CreatePair):
    """Creates a provider without require_register if the interval is missing as well."""

    pair: ClassVar = {"require_register": False, "reregister_interval": 3600}


@fault("create-flags-pair-optional", "CREATE-7", kind="conditional")
class FlagsPairOptional(_CreatePair):
    """Creates a provider without provider_in_lan if single_via_header is missing as well."""

    pair: ClassVar = {"provider_in_lan": False, "single_via_header": False}


# CREATE-8: a JSON type that the documentation does not give is refused (and UPDATE-6)


class _Coerces(Reference):
    """Makes a documented value of another one, on create and update alike."""

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.read(content))

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.read(content))

    def read(self, content: Any) -> Any:
        """Return what is read out of a body."""
        if not isinstance(content, dict):
            return content
        return {name: self.coerced(name, value) for name, value in content.items()}

    def coerced(self, name: str, value: Any) -> Any:
        """Return what is taken for the value of a property."""
        raise NotImplementedError


@fault("types-zero-for-empty-text", "CREATE-8", "UPDATE-6", kind="conditional")
class ZeroForEmptyText(_Coerces):
    """Takes 0 for an empty string, as what is falsy."""

    def coerced(self, name: str, value: Any) -> Any:
        return "" if name in _TEXTS and value == 0 and type(value) is int else value


@fault("types-empty-array-for-zero", "CREATE-8", "UPDATE-6", kind="conditional")
class EmptyArrayForZero(_Coerces):
    """Takes an empty array for the number 0."""

    def coerced(self, name: str, value: Any) -> Any:
        return 0 if name in _NUMBERS and value == [] else value


@fault("types-yes-and-no-for-booleans", "CREATE-8", "UPDATE-6", kind="conditional")
class YesAndNoForBooleans(_Coerces):
    """Takes "yes" and "no" for booleans."""

    def coerced(self, name: str, value: Any) -> Any:
        return value == "yes" if name in _FLAGS and value in ("yes", "no") else value


@fault("types-numbers-for-true", "CREATE-8", "UPDATE-6", kind="conditional")
class NumbersForTrue(_Coerces):
    """Takes every integer but 0 and 1, such as 2, for true."""

    def coerced(self, name: str, value: Any) -> Any:
        return True if name in _FLAGS and type(value) is int and value not in {0, 1} else value


@fault("types-number-for-ips", "CREATE-8", "UPDATE-6", kind="conditional")
class NumberForIps(_Coerces):
    """Takes a number that is not 0 for ips of one item."""

    def coerced(self, name: str, value: Any) -> Any:
        return [value] if name == "ips" and type(value) in {int, float} and value else value


@fault("types-object-for-ips", "CREATE-8", "UPDATE-6", kind="conditional")
class ObjectForIps(_Coerces):
    """Takes an object for ips of one item, unless it is empty or numbers its members."""

    def coerced(self, name: str, value: Any) -> Any:
        return [value] if name == "ips" and isinstance(value, dict) and value and "0" not in value else value


# CREATE-9: auth_mode, protocol, status outside their enum are refused (and UPDATE-6)


class _Spellings(_Coerces):
    """Takes other spellings of the values of one enum."""

    name = ""
    spellings: ClassVar[dict[str, str]]

    def coerced(self, name: str, value: Any) -> Any:
        return self.spellings.get(value, value) if name == self.name and isinstance(value, str) else value


@fault("enum-web-sockets-for-tcp", "CREATE-9", "UPDATE-6", kind="conditional")
class WebSocketsForTcp(_Spellings):
    """Takes protocols that go over TCP, such as WSS, for TCP."""

    name = "protocol"
    spellings: ClassVar = dict.fromkeys(("WS", "WSS", "TCP/TLS"), "TCP")


@fault("enum-both-for-tcp", "CREATE-9", "UPDATE-6", kind="conditional")
class BothForTcp(_Spellings):
    """Takes words for both protocols, such as BOTH and AUTO, for TCP."""

    name = "protocol"
    spellings: ClassVar = dict.fromkeys(("BOTH", "UDP/TCP", "UDP,TCP", "AUTO", "ALL"), "TCP")


@fault("enum-digit-for-offline", "CREATE-9", "UPDATE-6", kind="conditional")
class DigitForOffline(_Spellings):
    """Takes the status "0" for OFFLINE."""

    name = "status"
    spellings: ClassVar = {"0": "OFFLINE"}


@fault("enum-no-auth-mode", "CREATE-9", "UPDATE-6", kind="conditional")
class NoAuthMode(_Spellings):
    """Takes the auth_mode NONE for IP_AUTH."""

    name = "auth_mode"
    spellings: ClassVar = {"NONE": "IP_AUTH"}


@fault("enum-websocket-for-tcp", "CREATE-9", "UPDATE-6", kind="conditional")
class WebsocketForTcp(_Spellings):
    """Takes the protocol WS for TCP."""

    name = "protocol"
    spellings: ClassVar = {"WS": "TCP"}


# CREATE-10: a body that is not a JSON object is refused (and UPDATE-7)


class _MendsJson(Reference):
    """Reads more than JSON where a body is not JSON."""

    def decode(self, body: bytes) -> Any:
        try:
            return super().decode(body)
        except RefusedError:
            return super().decode(self.mended(body))

    def mended(self, body: bytes) -> bytes:
        """Return what is read in place of a body that is not JSON."""
        raise NotImplementedError


@fault("json-capitalised-literals", "CREATE-10", "UPDATE-7", kind="conditional")
class CapitalisedLiterals(_MendsJson):
    """Reads TRUE, False and NULL as what they are in lower case."""

    def mended(self, body: bytes) -> bytes:
        return re.sub(rb":\s*(?:TRUE|True|FALSE|False|NULL)\b", lambda found: found.group().lower(), body)


@fault("json-hexadecimal-numbers", "CREATE-10", "UPDATE-7", kind="conditional")
class HexadecimalNumbers(_MendsJson):
    """Reads numbers in hexadecimal, such as 0x13c4."""

    def mended(self, body: bytes) -> bytes:
        return re.sub(rb":\s*0x([0-9a-fA-F]{1,15})\b", lambda found: b":%d" % int(found[1], 16), body)


@fault("json-newline-in-text", "CREATE-10", "UPDATE-7", kind="conditional")
class NewlineInText(_MendsJson):
    """Reads strings that go on in the next line."""

    def mended(self, body: bytes) -> bytes:
        return re.sub(rb'"[^"\\]*"', lambda found: found.group().replace(b"\n", b"\\n"), body)


# LIST-1: list is answered with 200


@fault("list-wants-pagination-first", "LIST-1", kind="conditional")
class WantsPaginationFirst(Reference):
    """Refuses a query in which pagesize comes before pagination."""

    def list_parameters(self, request: Request) -> ListParameters:
        names = list(self.parameters(request))
        if "pagination" in names and "pagesize" in names[: names.index("pagination")]:
            raise RefusedError(400, "pagination: must come before pagesize")
        return super().list_parameters(request)


# LIST-3: every provider is given exactly once, in the same order while nothing changes


@fault("list-optional-sorts-in-place", "LIST-3", kind="stateful")
class OptionalSortsInPlace(Reference):
    """Sorts by hostname under OPTIONAL, and leaves everything in that order for DEFAULT."""

    def prepare(self) -> None:
        self.places: dict[int, int] = {}

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        places = self.places
        # Who has come since then is behind everybody else.
        there = sorted(self.store.all(), key=lambda one: places.get(one["id"], len(places) + int(one["id"])))
        if asked.sort_by == "OPTIONAL":
            there.sort(key=lambda one: str(one["hostname"]))
            self.places = {one["id"]: place for place, one in enumerate(there)}
        start = (asked.pagination - 1) * asked.pagesize
        return len(there), there[start : start + asked.pagesize]


# LIST-4: each listed provider has no value that show contradicts


@fault("list-clamps-ports", "LIST-4", kind="conditional", level=Level.STRICT)
class ClampsPorts(Reference):
    """Lists ports above 65535 as 65535, and shows them as they are."""

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider({**provider, "port": min(provider["port"], 65535)})


@fault("list-wraps-intervals-at-32-bits", "LIST-4", kind="conditional", level=Level.STRICT)
class WrapsIntervals(Reference):
    """Lists intervals in a signed 32-bit integer, and shows them as they are."""

    def listed_provider(self, provider: Properties) -> Any:
        wrapped = (provider["reregister_interval"] + 2**31) % 2**32 - 2**31
        return super().listed_provider({**provider, "reregister_interval": wrapped})


@fault("list-drops-ninth-ip", "LIST-4", kind="conditional", level=Level.STRICT)
class ListDropsNinthIp(Reference):
    """Lists the first eight ips only, and shows them all."""

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider({**provider, "ips": provider["ips"][:8]})


@fault("list-optional-later-pages-other-hostname", "LIST-4", kind="conditional")
class OptionalLaterPagesOtherHostname(Reference):
    """Gives the outbound server for the hostname on every page under OPTIONAL but the first."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        if asked.sort_by == "OPTIONAL" and asked.pagination > 1:
            providers = [{**provider, "hostname": provider["outbound_server"]} for provider in providers]
        return super().rendered_list(asked, count, providers)


class _KeepsPages(Reference):
    """Keeps pages until a provider is created or destroyed, and forgets that updates change them, too."""

    def prepare(self) -> None:
        self.pages: dict[ListParameters, tuple[int, list[Properties]]] = {}

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        pages = self.pages
        if not self.is_kept(asked):
            return super().page_of(asked)
        if asked not in pages:
            pages[asked] = super().page_of(asked)
        return pages[asked]

    def is_kept(self, asked: ListParameters) -> bool:
        """Tell whether a page is kept."""
        raise NotImplementedError

    def insert(self, properties: Properties) -> int:
        provider_id = super().insert(properties)
        self.pages = {}
        return provider_id

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        self.pages = {}
        return removed


@fault("list-optional-stale-after-update", "LIST-4", kind="stateful")
class OptionalStaleAfterUpdate(_KeepsPages):
    """Goes on to list under OPTIONAL what was before an update."""

    def is_kept(self, asked: ListParameters) -> bool:
        return asked.sort_by == "OPTIONAL"


@fault("list-optional-former-port", "LIST-4", kind="stateful")
class OptionalFormerPort(Reference):
    """Lists under OPTIONAL the port that a provider had before it was updated for the first time."""

    def prepare(self) -> None:
        self.former: dict[int, int] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None:
            self.former.setdefault(provider_id, stored["port"])
        return super().apply_update(provider_id, properties)

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        if asked.sort_by == "OPTIONAL":
            providers = [{**one, "port": self.former.get(one["id"], one["port"])} for one in providers]
        return super().rendered_list(asked, count, providers)


@fault("list-silent-stale-after-update", "LIST-4", kind="stateful")
class SilentStaleAfterUpdate(_KeepsPages):
    """Goes on to list what was before an update where no order is asked for."""

    def is_kept(self, asked: ListParameters) -> bool:
        return asked.sort_by is None


# LIST-6: count is the number of providers in all


@fault("list-count-drops-with-refused-destroys", "LIST-6", kind="stateful")
class CountDropsWithRefusedDestroys(Reference):
    """Counts a provider less for every destroy that it refused for its id, having counted before it checked."""

    def prepare(self) -> None:
        self.refused = 0

    def destroyed_id(self, content: Any) -> int:
        try:
            return super().destroyed_id(content)
        except RefusedError:
            self.refused += 1
            raise

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, providers = super().page_of(asked)
        return max(count - self.refused, 0), providers


# LIST-7: the sort_by that was asked for is reported back


@fault("list-optional-later-pages-report-default", "LIST-7", kind="conditional")
class OptionalLaterPagesReportDefault(Reference):
    """Reports DEFAULT on every page under OPTIONAL but the first."""

    def reported_sort(self, asked: ListParameters) -> Any:
        later = asked.sort_by == "OPTIONAL" and asked.pagination > 1
        return "DEFAULT" if later else super().reported_sort(asked)


# UPDATE-2: every plausible value is returned as updated


@fault("update-ignores-swapped-ports", "UPDATE-2", kind="conditional")
class IgnoresSwappedPorts(Reference):
    """Takes the two ports for unchanged where they are the same two as before, in whatever order."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        ports = ("port", "outbound_server_port")
        before = self.store.get(provider_id)
        if before is not None and {before[name] for name in ports} == {properties[name] for name in ports}:
            properties = {name: value for name, value in properties.items() if name not in ports}
        return super().apply_update(provider_id, properties)


# UPDATE-3: no other provider is changed


class _QueryGoesFirst(Reference):
    """Takes the id in the query before the one in the body."""

    operation = ""

    def read_body(self, request: Request) -> Any:
        content = super().read_body(request)
        given = _query(request).get("id", [""])[0]
        if request.operation != self.operation or _id_in(content) is None or not re.fullmatch("[0-9]{1,18}", given):
            return content
        return {**content, "id": int(given)}


@fault("update-query-goes-before-body", "UPDATE-3", kind="conditional")
class UpdateQueryGoesFirst(_QueryGoesFirst):
    """Changes the provider whose id is in the query, if there is one, whatever the body says."""

    operation = "update"


# UPDATE-6: an update that lacks a property, has a wrong type or a value outside an enum changes nothing


class _TakesAlone(Reference):
    """Leaves all else as it is where an update bears certain properties and no others."""

    alone: frozenset[str] = frozenset()

    def validate_update(self, content: Any) -> Properties:
        number = _id_in(content)
        stored = self.store.get(number) if number is not None and content.keys() == self.alone else None
        return super().validate_update(content if stored is None else {**stored, **content})


@fault("update-takes-id-alone", "UPDATE-6", kind="conditional")
class TakesIdAlone(_TakesAlone):
    """Takes an update of an id and nothing else, as in the sample, and changes nothing."""

    alone = frozenset({"id"})


@fault("update-takes-name-alone", "UPDATE-6", kind="conditional")
class TakesNameAlone(_TakesAlone):
    """Takes an update of an id and a name, and changes the name alone."""

    alone = frozenset({"id", "name"})


@fault("update-parameters-pair-optional", "UPDATE-6", kind="conditional")
class ParametersPairOptional(_Pair):
    """Takes an update without in_parameters if out_parameters are missing as well."""

    pair: ClassVar = {"in_parameters": [], "out_parameters": []}

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.completed(content))


class _ChangesThoughRefused(Reference):
    """Refuses an update, having changed some of the provider before."""

    changed: ClassVar[Properties]

    def validate_update(self, content: Any) -> Properties:
        try:
            return super().validate_update(content)
        except RefusedError:
            number = _id_in(content)
            if number is not None and self.is_affected(content):
                self.store.replace(number, self.changed)
            raise

    def is_affected(self, content: dict[str, Any]) -> bool:
        """Tell whether a body that is refused changes something."""
        raise NotImplementedError


@fault("update-refused-protocol-clears-ips", "UPDATE-6", kind="conditional")
class RefusedProtocolClearsIps(_ChangesThoughRefused):
    """Refuses an update without a known protocol, yet clears the ips first."""

    changed: ClassVar = {"ips": []}

    def is_affected(self, content: dict[str, Any]) -> bool:
        return content.get("protocol") not in ("UDP", "TCP")


@fault("update-refused-incomplete-resets-flags", "UPDATE-6", kind="conditional")
class RefusedIncompleteResetsFlags(_ChangesThoughRefused):
    """Refuses an update that lacks a few properties, yet puts flags and protocol back to defaults."""

    changed: ClassVar = {"provider_in_lan": False, "single_via_header": False, "protocol": "UDP"}

    def is_affected(self, content: dict[str, Any]) -> bool:
        return 10 < len(content) < 18


# DESTROY-3: every other provider is kept


@fault("destroy-query-goes-before-body", "DESTROY-3", kind="conditional")
class DestroyQueryGoesFirst(_QueryGoesFirst):
    """Destroys the provider whose id is in the query, if there is one, whatever the body says."""

    operation = "destroy"


# VALUE-1: an unusual array is stored exactly as it was sent, or refused


class _StoresOtherwise(Reference):
    """Stores some values as others, on create and update alike."""

    names: tuple[str, ...] = ()

    def validate_create(self, content: Any) -> Properties:
        return self.stored(super().validate_create(content))

    def validate_update(self, content: Any) -> Properties:
        return self.stored(super().validate_update(content))

    def stored(self, properties: Properties) -> Properties:
        """Return what is stored in place of properties."""
        return {name: self.altered(value) if name in self.names else value for name, value in properties.items()}

    def altered(self, value: Any) -> Any:
        """Return what is stored in place of a value."""
        raise NotImplementedError


@fault("value-ips-cut-at-128", "VALUE-1", kind="conditional")
class IpsCutAt128(_StoresOtherwise):
    """Stores the first 128 ips only."""

    names = ("ips",)

    def altered(self, value: Any) -> Any:
        return value[:128]


class _Items(_StoresOtherwise):
    """Stores items of arrays that are text as other text."""

    names: tuple[str, ...] = _ARRAYS

    def altered(self, value: Any) -> Any:
        return [self.item(item) if isinstance(item, str) else item for item in value]

    def item(self, text: str) -> str:
        """Return what is stored in place of an item."""
        raise NotImplementedError


@fault("value-ips-cut-at-45-characters", "VALUE-1", kind="conditional")
class IpsCutAt45Characters(_Items):
    """Cuts items of ips after 45 characters, as many as an address has at most."""

    names = ("ips",)

    def item(self, text: str) -> str:
        return text[:45]


@fault("value-items-cut-at-255-characters", "VALUE-1", kind="conditional")
class ItemsCutAt255Characters(_Items):
    """Cuts items of arrays after 255 characters."""

    def item(self, text: str) -> str:
        return text[:255]


@fault("value-items-without-astral", "VALUE-1", kind="conditional")
class ItemsWithoutAstral(_Items):
    """Stores ? for characters beyond the basic plane in items of arrays."""

    def item(self, text: str) -> str:
        return re.sub("[\U00010000-\U0010ffff]", "?", text)


@fault("value-items-without-backslashes", "VALUE-1", kind="conditional")
class ItemsWithoutBackslashes(_Items):
    """Drops backslashes in items of arrays."""

    def item(self, text: str) -> str:
        return text.replace("\\", "")


@fault("value-items-without-double-quotes", "VALUE-1", kind="conditional")
class ItemsWithoutDoubleQuotes(_Items):
    """Drops double quotes in items of arrays."""

    def item(self, text: str) -> str:
        return text.replace('"', "")


class _Joins(_StoresOtherwise):
    """Stores arrays of text in one column, where a separator within an item is one between two."""

    names: tuple[str, ...] = _ARRAYS
    separator = ""

    def altered(self, value: Any) -> Any:
        are_text = value and all(isinstance(item, str) for item in value)
        return self.separator.join(value).split(self.separator) if are_text else value


@fault("value-items-joined-by-semicolons", "VALUE-1", kind="conditional")
class ItemsJoinedBySemicolons(_Joins):
    """Stores items of arrays joined by semicolons, and takes an item apart at its own."""

    separator = ";"


@fault("value-items-joined-by-line-breaks", "VALUE-1", kind="conditional")
class ItemsJoinedByLineBreaks(_Joins):
    """Stores items of arrays joined by line breaks, and takes an item apart at its own."""

    separator = "\n"


@fault("value-items-joined-by-bars", "VALUE-1", kind="conditional")
class ItemsJoinedByBars(_Joins):
    """Stores items of arrays joined by vertical bars, and takes an item apart at its own."""

    separator = "|"


# HTTP-2: no well-formed request is answered with 5xx


@fault("http-500-for-listing-large-port", "HTTP-2", kind="conditional")
class FailsForListingLargePort(Reference):
    """Answers list with 500 where it would give a port above 65535."""

    def listed_provider(self, provider: Properties) -> Any:
        if provider["port"] > 65535:
            raise RefusedError(500, "internal error")
        return super().listed_provider(provider)


@fault("http-500-for-listing-ips-but-text", "HTTP-2", kind="conditional")
class FailsForListingIpsButText(Reference):
    """Answers list with 500 where it would give an item of ips that is no string."""

    def listed_provider(self, provider: Properties) -> Any:
        if not all(isinstance(item, str) for item in provider["ips"]):
            raise RefusedError(500, "internal error")
        return super().listed_provider(provider)


def _depth(value: object) -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


@fault("http-500-for-showing-deep-nesting", "HTTP-2", kind="conditional")
class FailsForShowingDeepNesting(Reference):
    """Answers show with 500 where it would give more than 20 levels of nesting, which it stored."""

    def rendered_provider(self, provider: Properties) -> Any:
        if _depth(provider) > 20:
            raise RefusedError(500, "internal error")
        return super().rendered_provider(provider)


# HTTP-4: a body of another media type is refused


@fault("http-json-by-prefix-of-type", "HTTP-4", kind="conditional")
class JsonByPrefixOfType(Reference):
    """Takes every media type that begins with application/json, such as application/json-seq."""

    def is_json_type(self, declared: str, request: Request) -> bool:
        return declared.lower().startswith("application/json") or super().is_json_type(declared, request)


@fault("http-form-with-charset-for-json", "HTTP-4", kind="conditional")
class FormWithCharsetForJson(Reference):
    """Reads JSON out of a form whose type has a parameter, having looked for the bare type only."""

    def is_json_type(self, declared: str, request: Request) -> bool:
        is_form = declared.lower().startswith("application/x-www-form-urlencoded;")
        return is_form or super().is_json_type(declared, request)


@fault("http-yaml-for-json", "HTTP-4", kind="conditional")
class YamlForJson(Reference):
    """Reads JSON out of a body that is declared to be YAML."""

    def is_json_type(self, declared: str, request: Request) -> bool:
        return "yaml" in declared.lower() or super().is_json_type(declared, request)


# HTTP-6: no error discloses another provider's data


class _GoesOnAfter401(Reference):
    """Answers show with 401, and goes on to write what was asked for."""

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if answer.status != 401 or request.operation != "show" or not self.is_affected(request):
            return answer
        try:
            return replace(answer, body=answer.body + self.show(request).body)
        except RefusedError:
            return answer

    def is_affected(self, request: Request) -> bool:  # noqa: ARG002 - for overrides
        """Tell whether a request that was refused is served as well."""
        return True


@fault("http-401-with-provider", "HTTP-6", kind="always")
class Answers401WithProvider(_GoesOnAfter401):
    """Answers show without the valid token with 401, and with the provider in the body."""


@fault("http-401-with-provider-for-wrong-token", "HTTP-6", kind="conditional")
class Answers401WithProviderForWrongToken(_GoesOnAfter401):
    """Answers show with a wrong token with 401, and with the provider in the body."""

    def is_affected(self, request: Request) -> bool:
        return bool(request.header(b"access_token"))


# HTTP-7: text is returned exactly as it was sent, or refused


@fault("text-strips-port-of-host", "HTTP-7", kind="conditional")
class StripsPortOfHost(_StoresOtherwise):
    """Drops a port after a hostname."""

    names = _HOSTS

    def altered(self, value: Any) -> Any:
        return re.sub(r"^([^:]+):[0-9]+$", r"\1", value)


@fault("text-strips-scheme-of-host", "HTTP-7", kind="conditional")
class StripsSchemeOfHost(_StoresOtherwise):
    """Drops sip: and sips: before a hostname."""

    names = _HOSTS

    def altered(self, value: Any) -> Any:
        return re.sub("^sips?:", "", value)


@fault("text-strips-slashes-of-host", "HTTP-7", kind="conditional")
class StripsSlashesOfHost(_StoresOtherwise):
    """Drops slashes after a hostname."""

    names = _HOSTS

    def altered(self, value: Any) -> Any:
        return value.rstrip("/")


@fault("text-lowers-ipv6-of-host", "HTTP-7", kind="conditional")
class LowersIpv6OfHost(_StoresOtherwise):
    """Stores an IPv6 address for a hostname in lower case."""

    names = _HOSTS

    def altered(self, value: Any) -> Any:
        return value.lower() if value.count(":") > 1 and re.fullmatch("[0-9a-fA-F:]+", value) else value


@fault("text-strips-scheme-of-auth-id", "HTTP-7", kind="conditional")
class StripsSchemeOfAuthId(_StoresOtherwise):
    """Drops sip: and sips: before an auth_id."""

    names = ("auth_id",)

    def altered(self, value: Any) -> Any:
        return re.sub("^sips?:", "", value)


@fault("text-strips-enclosing-quotes", "HTTP-7", kind="conditional")
class StripsEnclosingQuotes(_StoresOtherwise):
    """Drops the double quotes around a name or an auth_id."""

    names = ("name", "auth_id")

    def altered(self, value: Any) -> Any:
        return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


@fault("text-none-is-empty", "HTTP-7", kind="conditional")
class NoneIsEmpty(_StoresOtherwise):
    """Stores an empty string for words of nothing, such as None and NULL."""

    names = ("auth_id", "outbound_server")

    def altered(self, value: Any) -> Any:
        return "" if value in {"None", "nil", "N/A", "NULL"} else value
