"""Faults that show where values coincide, where others are the opposite, or where requests come in a rare order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs

from provider_conformance.contract import Level
from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import Answer, RefusedError
from provider_conformance.reference.service import INT64, Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Properties, Request
    from provider_conformance.reference.service import ListParameters


# Access


@fault("auth-any-token-served-by-later-pages", "AUTH-3", kind="conditional")
class AnyTokenServedByLaterPages(Reference):
    """Takes any token for any page of the list but the first."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        page = parse_qs(request.query.decode("latin-1")).get("pagination", ["1"])[0]
        later = request.operation == "list" and page.isdecimal() and int(page) > 1
        return later or super().token_matches(sent, request)


@fault("auth-any-token-served-by-optional", "AUTH-3", kind="conditional")
class AnyTokenServedByOptional(Reference):
    """Takes any token for a list under OPTIONAL."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return b"sort_by=OPTIONAL" in request.query or super().token_matches(sent, request)


@fault("auth-read-from-cache", "AUTH-3", kind="stateful")
class ReadFromCache(Reference):
    """Gives what it has given before, until anything is posted, to whoever asks for it with any token."""

    def prepare(self) -> None:
        self.given: dict[tuple[str, bytes], Answer] = {}

    def answer(self, request: Request) -> Answer:
        if request.method != "GET":
            self.given.clear()
            return super().answer(request)
        asked = request.operation, request.query
        if asked in self.given and request.header(b"access_token"):
            return self.given[asked]
        answer = super().answer(request)
        if answer.status == 200:
            self.given[asked] = answer
        return answer


@fault("auth-token-in-cookie-of-other-name", "AUTH-5", kind="conditional")
class TokenInCookieOfOtherName(Reference):
    """Takes the token from a cookie named token where there is no header."""

    def sent_token(self, request: Request) -> bytes | None:
        pairs = [part.strip().partition(b"=") for value in request.header(b"cookie") for part in value.split(b";")]
        return super().sent_token(request) or next((value for name, _, value in pairs if name == b"token"), None)


@fault("auth-token-as-api-key", "AUTH-5", kind="conditional")
class TokenAsApiKey(Reference):
    """Takes the token from the header X-Api-Key, too."""

    def sent_token(self, request: Request) -> bytes | None:
        return super().sent_token(request) or next(iter(request.header(b"x-api-key")), None)


# Values of one provider that are alike


def _names_itself(properties: Properties) -> bool:
    return bool(properties["outbound_server"] == properties["hostname"])


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


class _Refuses(Reference):
    """Refuses plausible values that coincide."""

    def is_refused(self, properties: Properties) -> bool:
        """Tell whether values are refused."""
        raise NotImplementedError

    def accept(self, properties: Properties) -> Properties:
        """Return values that are not refused."""
        if self.is_refused(properties):
            raise RefusedError(409, "values that do not go together")
        return properties


class _RefusesCreate(_Refuses):
    def validate_create(self, content: Any) -> Properties:
        return self.accept(super().validate_create(content))


class _RefusesUpdate(_Refuses):
    def validate_update(self, content: Any) -> Properties:
        return self.accept(super().validate_update(content))


@fault("create-refuses-name-for-auth-id", "CREATE-1", kind="conditional")
class RefusesNameForAuthId(_RefusesCreate):
    """Refuses an auth_id that is the name as well."""

    def is_refused(self, properties: Properties) -> bool:
        return bool(properties["auth_id"] == properties["name"])


@fault("create-refuses-auth-id-of-equal-number", "CREATE-1", kind="conditional")
class RefusesAuthIdOfEqualNumber(_RefusesCreate):
    """Compares the auth_id with those of others as numbers where both are digits."""

    def is_refused(self, properties: Properties) -> bool:
        return any(_number(other["auth_id"]) == _number(properties["auth_id"]) for other in self.store.all())


@fault("create-refuses-registrar-as-outbound-server", "CREATE-1", kind="conditional")
class RefusesRegistrarAsOutboundServer(_RefusesCreate):
    """Refuses an outbound server that is the registrar, by its hostname and port."""

    def is_refused(self, properties: Properties) -> bool:
        return _names_itself(properties) and properties["port"] == properties["outbound_server_port"]


@fault("update-refuses-registrar-as-outbound-server", "UPDATE-1", kind="conditional")
class RefusesChangeToRegistrarAsOutboundServer(_RefusesUpdate):
    """Refuses an update to an outbound server that is the registrar."""

    def is_refused(self, properties: Properties) -> bool:
        return _names_itself(properties)


def _addresses(properties: Properties) -> set[str]:
    return {item for item in properties["ips"] if isinstance(item, str)}


def _addresses_of_others(reference: Reference, provider_id: int | None) -> set[str]:
    others = [other for other in reference.store.all() if other["id"] != provider_id]
    return {address for other in others for address in _addresses(other)}


class _Alters(Reference):
    """Stores values otherwise where they coincide."""

    def altered(self, properties: Properties, provider_id: int | None) -> Properties:
        """Return what is stored in place of some values."""
        raise NotImplementedError


class _CreateAlters(_Alters):
    def store_created(self, properties: Properties) -> int:
        return super().store_created({**properties, **self.altered(properties, None)})


class _UpdateAlters(_Alters):
    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        return super().apply_update(provider_id, {**properties, **self.altered(properties, provider_id)})


class _NoOutboundServerLikeHostname(_Alters):
    def altered(self, properties: Properties, provider_id: int | None) -> Properties:  # noqa: ARG002 - as above
        return {"outbound_server": ""} if _names_itself(properties) else {}


class _NoAddressesOfOthers(_Alters):
    def altered(self, properties: Properties, provider_id: int | None) -> Properties:
        taken = _addresses_of_others(self, provider_id)
        return {"ips": [item for item in properties["ips"] if not (isinstance(item, str) and item in taken)]}


class _NoOutboundServerAmongAddresses(_Alters):
    def altered(self, properties: Properties, provider_id: int | None) -> Properties:  # noqa: ARG002 - as above
        return {"ips": [item for item in properties["ips"] if item != properties["outbound_server"]]}


class _WordsAreBits(_Alters):
    def altered(self, properties: Properties, provider_id: int | None) -> Properties:  # noqa: ARG002 - as above
        return {"auth_id": "1"} if properties["auth_id"] in {"true", "yes", "on"} else {}


@fault("create-drops-outbound-server-like-hostname", "CREATE-4", kind="conditional")
class CreateDropsOutboundServerLikeHostname(_CreateAlters, _NoOutboundServerLikeHostname):
    """Stores no outbound server of a new provider where it is the hostname."""


@fault("create-drops-addresses-of-others", "CREATE-4", kind="conditional")
class CreateDropsAddressesOfOthers(_CreateAlters, _NoAddressesOfOthers):
    """Drops addresses of a new provider that another one has."""


@fault("create-drops-outbound-server-from-ips", "CREATE-4", kind="conditional")
class CreateDropsOutboundServerFromIps(_CreateAlters, _NoOutboundServerAmongAddresses):
    """Drops the address of a new provider that is its outbound server already."""


@fault("create-words-become-bits", "CREATE-4", kind="conditional")
class CreateWordsBecomeBits(_CreateAlters, _WordsAreBits):
    """Stores 1 for an auth_id of a new provider that reads true."""


@fault("update-drops-outbound-server-like-hostname", "UPDATE-2", kind="conditional")
class UpdateDropsOutboundServerLikeHostname(_UpdateAlters, _NoOutboundServerLikeHostname):
    """Stores no outbound server with an update where it is the hostname."""


@fault("update-drops-addresses-of-others", "UPDATE-2", kind="conditional")
class UpdateDropsAddressesOfOthers(_UpdateAlters, _NoAddressesOfOthers):
    """Drops addresses of an update that another provider has."""


@fault("update-drops-outbound-server-from-ips", "UPDATE-2", kind="conditional")
class UpdateDropsOutboundServerFromIps(_UpdateAlters, _NoOutboundServerAmongAddresses):
    """Drops the address of an update that is the outbound server already."""


@fault("update-words-become-bits", "UPDATE-2", kind="conditional")
class UpdateWordsBecomeBits(_UpdateAlters, _WordsAreBits):
    """Stores 1 for an auth_id of an update that reads true."""


@fault("update-compares-first-address", "UPDATE-2", kind="conditional")
class ComparesFirstAddress(_UpdateAlters):
    """Takes ips for unchanged that are as many as before and begin with the same."""

    def altered(self, properties: Properties, provider_id: int | None) -> Properties:
        before = (self.store.get(provider_id or 0) or properties)["ips"]
        after = properties["ips"]
        return {"ips": before} if len(before) == len(after) and before[:1] == after[:1] else {}


# Properties that are taken for optional where others have certain values


class _Completes(Reference):
    """Fills in what a body lacks."""

    name = ""
    default: object = None

    def completed(self, content: Any) -> Any:
        """Return a body with what it may lack."""
        lacks = isinstance(content, dict) and self.name not in content and self.is_dispensable(content)
        return {**content, self.name: self.default} if lacks else content

    def is_dispensable(self, content: dict[str, Any]) -> bool:
        """Tell whether a body may lack the property."""
        raise NotImplementedError


class _NoSingleViaOverUdp(_Completes):
    name, default = "single_via_header", False

    def is_dispensable(self, content: dict[str, Any]) -> bool:
        return content.get("protocol") == "UDP"


@fault("create-single-via-header-optional-over-udp", "CREATE-7", kind="conditional")
class CreateSingleViaOptionalOverUdp(_NoSingleViaOverUdp):
    """Creates a provider without single_via_header if its protocol is UDP."""

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.completed(content))


@fault("update-single-via-header-optional-over-udp", "UPDATE-6", kind="conditional")
class UpdateSingleViaOptionalOverUdp(_NoSingleViaOverUdp):
    """Takes an update without single_via_header if its protocol is UDP."""

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.completed(content))


@fault("create-outbound-port-optional-with-ip-auth", "CREATE-7", kind="conditional")
class OutboundPortOptionalWithIpAuth(_Completes):
    """Creates a provider without outbound_server_port if its auth_mode is IP_AUTH."""

    name, default = "outbound_server_port", 5060

    def is_dispensable(self, content: dict[str, Any]) -> bool:
        return content.get("auth_mode") == "IP_AUTH"

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.completed(content))


# Properties that are only looked at where others have certain values


class _LooksAway(Reference):
    """Takes any value for some properties of some bodies, and makes of it what it can."""

    names: ClassVar[tuple[str, ...]] = ()

    def read(self, content: Any) -> Any:
        """Return a body with documented values for whatever is not looked at."""
        if not isinstance(content, dict) or not self.looks_away(content):
            return content
        return {name: self.mended(name, value) if name in self.names else value for name, value in content.items()}

    def looks_away(self, content: dict[str, Any]) -> bool:
        """Tell whether a body is one of those."""
        return content.get("auth_mode") == "IP_AUTH"

    def mended(self, name: str, value: Any) -> Any:
        """Return what is stored for a value."""
        raise NotImplementedError

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.read(content))

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.read(content))


@fault("types-numbers-for-credentials-with-ip-auth", "CREATE-8", "UPDATE-6", kind="conditional")
class NumbersForCredentialsWithIpAuth(_LooksAway):
    """Stores a number for auth_id or password as text if the auth_mode is IP_AUTH."""

    names = ("auth_id", "password")

    def mended(self, name: str, value: Any) -> Any:  # noqa: ARG002 - as above
        return str(value) if type(value) in {int, float} else value


@fault("types-numbers-in-text-with-ip-auth", "CREATE-8", "UPDATE-6", kind="conditional")
class NumbersInTextWithIpAuth(_LooksAway):
    """Takes the digits of a number in a string for it if the auth_mode is IP_AUTH."""

    names = ("port", "outbound_server_port", "reregister_interval")

    def mended(self, name: str, value: Any) -> Any:  # noqa: ARG002 - as above
        return int(value) if isinstance(value, str) and value.isdecimal() else value


@fault("types-text-for-ips-with-ip-auth", "CREATE-8", "UPDATE-6", kind="conditional")
class TextForIpsWithIpAuth(_LooksAway):
    """Takes one address for ips if the auth_mode is IP_AUTH, where they are needed."""

    names = ("ips",)

    def mended(self, name: str, value: Any) -> Any:  # noqa: ARG002 - as above
        return [value] if isinstance(value, str) and value else value


@fault("enum-any-status-with-ip-auth", "CREATE-9", "UPDATE-6", kind="conditional")
class AnyStatusWithIpAuth(_LooksAway):
    """Takes any text for the status if the auth_mode is IP_AUTH, by which nothing registers."""

    names = ("status",)

    def mended(self, name: str, value: Any) -> Any:  # noqa: ARG002 - as above
        return "OFFLINE" if isinstance(value, str) and value != "ONLINE" else value


@fault("types-any-single-via-header-over-udp", "CREATE-8", "UPDATE-6", kind="conditional")
class AnySingleViaHeaderOverUdp(_LooksAway):
    """Takes whatever single_via_header is for true or false if the protocol is UDP."""

    names = ("single_via_header",)

    def looks_away(self, content: dict[str, Any]) -> bool:
        return content.get("protocol") == "UDP"

    def mended(self, name: str, value: Any) -> Any:  # noqa: ARG002 - as above
        return bool(value)


# Enums that are looked up in what has more members than those


class _LooksUp(_LooksAway):
    """Looks up the value of an enum in an object whose prototype has members, too."""

    inherited: ClassVar = frozenset({"constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"})

    def looks_away(self, content: dict[str, Any]) -> bool:  # noqa: ARG002 - as above
        return True


@fault("enum-inherited-name-for-auth-mode", "CREATE-9", "UPDATE-6", kind="conditional")
class InheritedNameForAuthMode(_LooksUp):
    """Takes an auth_mode such as constructor, which every object of some languages has."""

    names = ("auth_mode",)

    def mended(self, name: str, value: Any) -> Any:  # noqa: ARG002 - as above
        return "IP_AUTH" if isinstance(value, str) and value in self.inherited else value


@fault("list-inherited-name-for-order", "LIST-8", kind="conditional")
class InheritedNameForOrder(Reference):
    """Takes an order such as constructor, which every object of some languages has."""

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        asked = parameters.get("sort_by", [])
        return "DEFAULT" if asked in (["constructor"], ["__proto__"]) else super().sort_parameter(parameters)


# Bodies that are almost right


class _ReadsAuthMode(Reference):
    """Takes other spellings of auth_mode."""

    spellings: ClassVar[dict[str, str]]

    def validate_create(self, content: Any) -> Properties:
        spelt = content.get("auth_mode") if isinstance(content, dict) else None
        if isinstance(spelt, str) and spelt in self.spellings:
            content = {**content, "auth_mode": self.spellings[spelt]}
        return super().validate_create(content)


@fault("create-reads-hyphens-in-enum", "CREATE-9", kind="conditional")
class ReadsHyphensInEnum(_ReadsAuthMode):
    """Takes a hyphen for the underscore in auth_mode."""

    spellings: ClassVar = {"REGISTER-AUTH": "REGISTER_AUTH", "IP-AUTH": "IP_AUTH"}


@fault("create-reads-short-enum", "CREATE-9", kind="conditional")
class ReadsShortEnum(_ReadsAuthMode):
    """Takes an auth_mode without its last word."""

    spellings: ClassVar = {"REGISTER": "REGISTER_AUTH", "IP": "IP_AUTH"}


class _Mends(Reference):
    """Mends the body of a create before it is read."""

    def mended(self, body: bytes) -> bytes:
        """Return what is read in place of a body."""
        raise NotImplementedError

    def create(self, request: Request) -> Answer:
        return super().create(replace(request, body=self.mended(request.body)))


@fault("create-reads-first-line", "CREATE-10", kind="conditional")
class ReadsFirstLine(_Mends):
    """Reads the first document of a body that has one a line."""

    def mended(self, body: bytes) -> bytes:
        return body.partition(b"\n{")[0]


@fault("create-ignores-second-comma", "CREATE-10", kind="conditional")
class IgnoresSecondComma(_Mends):
    """Takes two commas in a row for one."""

    def mended(self, body: bytes) -> bytes:
        return body.replace(b",,", b",")


@fault("destroy-reads-query-of-empty-body", "DESTROY-6", kind="conditional")
class ReadsQueryOfEmptyBody(Reference):
    """Takes the id out of the query where the body is empty."""

    def read_body(self, request: Request) -> Any:
        ids = parse_qs(request.query.decode("latin-1")).get("id", [""])
        return super().read_body(request) if request.body.strip() or not ids[0] else {"id": int(ids[0])}


# Queries that are almost right


@fault("show-parameter-in-any-case", "SHOW-6", kind="conditional")
class ParameterInAnyCase(Reference):
    """Takes the name of show's parameter in any letter case."""

    def parameters(self, request: Request) -> dict[str, list[str]]:
        found = super().parameters(request)
        return {name.lower(): values for name, values in found.items()} if request.operation == "show" else found


@fault("show-provider-id-for-id", "SHOW-6", kind="conditional")
class ProviderIdForId(Reference):
    """Takes provider_id for the id of a show."""

    def parameters(self, request: Request) -> dict[str, list[str]]:
        found = super().parameters(request)
        return {"id": found["provider_id"], **found} if "provider_id" in found else found


@fault("list-pagination-optional-with-order", "LIST-8", kind="conditional")
class PaginationOptionalWithOrder(Reference):
    """Gives the first page where pagination is missing and an order is asked for."""

    def list_parameters(self, request: Request) -> ListParameters:
        if b"sort_by=" in request.query and b"pagination=" not in request.query:
            request = replace(request, query=request.query + b"&pagination=1")
        return super().list_parameters(request)


@fault("list-refuses-single-optional", "LIST-5", kind="conditional")
class RefusesSingleOptional(Reference):
    """Refuses OPTIONAL for pages of one provider."""

    def list_parameters(self, request: Request) -> ListParameters:
        asked = super().list_parameters(request)
        if asked.sort_by == "OPTIONAL" and asked.pagesize == 1:
            raise RefusedError(400, "sort_by: there is nothing to sort")
        return asked


# Lists that depend on the order that is asked for, on pages asked for before, or on what is listed


@fault("list-port-as-text-under-optional", "LIST-1", kind="conditional")
class PortAsTextUnderOptional(Reference):
    """Gives the port of listed providers as a string under OPTIONAL."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        if asked.sort_by == "OPTIONAL":
            providers = [{**provider, "port": str(provider["port"])} for provider in providers]
        return super().rendered_list(asked, count, providers)


@fault("list-count-as-text-when-silent", "LIST-1", kind="conditional")
class CountAsTextWhenSilent(Reference):
    """Gives count as a string where no order is asked for."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        content = super().rendered_list(asked, count, providers)
        return content if asked.sort_by else {**content, "count": str(count)}


@fault("list-other-interval-when-silent", "LIST-4", kind="conditional")
class OtherIntervalWhenSilent(Reference):
    """Gives intervals in minutes where no order is asked for."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        if asked.sort_by is None:
            providers = [
                {**provider, "reregister_interval": provider["reregister_interval"] // 60} for provider in providers
            ]
        return super().rendered_list(asked, count, providers)


@fault("list-goes-on-from-last-page", "LIST-3", kind="stateful")
class GoesOnFromLastPage(Reference):
    """Gives for every page but the first what follows the last one that was given of that size."""

    def prepare(self) -> None:
        self.given: dict[tuple[int, str | None], int] = {}

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        cursor = asked.pagesize, asked.sort_by
        start = self.given.get(cursor, 0) if asked.pagination > 1 else 0
        count, page = self.store.page(start, asked.pagesize, self.order(asked.sort_by))
        self.given[cursor] = start + len(page)
        return count, page


@fault("list-pages-of-ids", "LIST-3", kind="stateful")
class PagesOfIds(Reference):
    """Takes the ids between the lowest and the highest for places, so that gaps leave room on pages."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        there = self.store.all()
        if asked.sort_by == "OPTIONAL" or not there:
            return super().page_of(asked)
        start = there[0]["id"] + (asked.pagination - 1) * asked.pagesize
        page = [provider for provider in there if start <= provider["id"] < start + asked.pagesize]
        return len(there), page


class _Filters(Reference):
    """Lists each provider as often as something about it says."""

    def times(self, provider: Properties) -> int:
        """Return how often a provider is listed."""
        raise NotImplementedError

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        ordered = self.store.page(0, 2**31, self.order(asked.sort_by))[1]
        listed = [provider for provider in ordered for _ in range(self.times(provider))]
        start = (asked.pagination - 1) * asked.pagesize
        return len(listed), listed[start : start + asked.pagesize]


@fault("create-several-ips-listed-twice", "CREATE-5", kind="conditional")
class SeveralIpsListedTwice(_Filters):
    """Lists a provider with more than two ips twice."""

    def times(self, provider: Properties) -> int:
        return 2 if len(provider["ips"]) > 2 else 1


@fault("create-long-interval-not-listed", "CREATE-5", kind="conditional")
class LongIntervalNotListed(_Filters):
    """Does not list a provider with an interval of more than twelve hours."""

    def times(self, provider: Properties) -> int:
        return 0 if 43_200 < provider["reregister_interval"] < 90_000 else 1


# Reading that writes, and ids that name nobody


@fault("show-folds-hostname", "SHOW-3", kind="stateful")
class FoldsHostname(Reference):
    """Stores the hostname in lower case once it has been shown."""

    def find(self, provider_id: int) -> Properties | None:
        provider = super().find(provider_id)
        if provider is not None and not provider["hostname"].islower():
            self.store.replace(provider_id, {"hostname": provider["hostname"].lower()})
        return provider


@fault("show-unknown-id-resets-oldest", "SHOW-3", kind="stateful")
class UnknownIdResetsOldest(Reference):
    """Puts the interval of the oldest provider back to 3599 when an unknown id is shown."""

    def find(self, provider_id: int) -> Properties | None:
        provider = super().find(provider_id)
        there = self.store.all() if provider is None else []
        if there:
            self.store.replace(there[0]["id"], {"reregister_interval": 3599})
        return provider


@fault("show-largest-id-is-newest", "SHOW-4", kind="conditional")
class LargestIdIsNewest(Reference):
    """Shows the newest provider for the largest id that there may be."""

    def find(self, provider_id: int) -> Properties | None:
        there = self.store.all() if provider_id == INT64[-1] else []
        return there[-1] if there else super().find(provider_id)


# Updates and destroys of what is alike, or was there before


@fault("update-reaches-longer-names", "UPDATE-3", kind="conditional")
class ReachesLongerNames(Reference):
    """Changes the ports of every provider whose name begins with the provider's, too."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id)
        changed = super().apply_update(provider_id, properties)
        for other in self.store.all() if before else ():
            if before and other["name"].startswith(before["name"]):
                self.store.replace(other["id"], {"port": properties["port"], "ips": properties["ips"]})
        return changed


@fault("update-unknown-id-changes-namesake", "UPDATE-5", kind="stateful")
class UnknownIdChangesNamesake(Reference):
    """Changes the provider whose name an update bears where its id is unknown."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        ids = [other["id"] for other in self.store.all() if other["name"] == properties["name"]]
        return super().apply_update(provider_id, properties) or (bool(ids) and super().apply_update(ids[0], properties))


class _Remembers(Reference):
    """Remembers the providers that were destroyed, by their ids."""

    def prepare(self) -> None:
        self.gone: dict[int, Properties] = {}

    def remove(self, provider_id: int) -> bool:
        before = self.store.get(provider_id)
        if before is not None:
            self.gone[provider_id] = before
        return super().remove(provider_id)


@fault("update-destroyed-id-brings-namesake-back", "UPDATE-5", kind="stateful")
class DestroyedIdBringsNamesakeBack(_Remembers):
    """Brings a destroyed provider back when it is updated by its own name."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.gone.get(provider_id)
        if before is not None and before["name"] == properties["name"]:
            self.store.insert({**self.gone.pop(provider_id), **properties})
            return True
        return super().apply_update(provider_id, properties)


@fault("destroy-undone-by-namesake", "DESTROY-2", kind="stateful")
class UndoneByNamesake(_Remembers):
    """Brings a destroyed provider back when another one is created with its name."""

    def store_created(self, properties: Properties) -> int:
        for provider_id, before in list(self.gone.items()):
            if before["name"] == properties["name"]:
                self.store.insert(self.gone.pop(provider_id))
        return super().store_created(properties)


class _Takes(Reference):
    """Removes other providers, too."""

    def takes(self, destroyed: Properties, other: Properties) -> bool:
        """Tell whether another provider goes with one that is destroyed."""
        raise NotImplementedError

    def remove(self, provider_id: int) -> bool:
        before = self.store.get(provider_id)
        for other in self.store.all() if before else ():
            if before and other["id"] != provider_id and self.takes(before, other):
                self.store.delete(other["id"])
        return super().remove(provider_id)


@fault("destroy-takes-same-ips", "DESTROY-3", kind="conditional")
class TakesSameIps(_Takes):
    """Removes every provider with the same ips, too, unless they are empty."""

    def takes(self, destroyed: Properties, other: Properties) -> bool:
        return bool(destroyed["ips"]) and destroyed["ips"] == other["ips"]


@fault("destroy-takes-shared-address", "DESTROY-3", kind="conditional")
class TakesSharedAddress(_Takes):
    """Removes every provider that shares an address among the ips, too."""

    def takes(self, destroyed: Properties, other: Properties) -> bool:
        return bool(_addresses(destroyed) & _addresses(other))


@fault("destroy-updated-again-answers-409", "DESTROY-5", kind="stateful")
class UpdatedAgainAnswers409(Reference):
    """Answers the second destroy of a provider that had been updated with 409."""

    def prepare(self) -> None:
        self.updated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updated.add(provider_id)
        return super().apply_update(provider_id, properties)

    def remove(self, provider_id: int) -> bool:
        gone = super().remove(provider_id)
        if not gone and provider_id in self.updated:
            raise RefusedError(409, "no provider of this id")
        return gone


@fault("update-twice-over-tcp-drops-ip", "UPDATE-4", kind="stateful")
class TwiceOverTcpDropsIp(Reference):
    """Drops the last of the ips when the same update comes twice, if the protocol is TCP."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored | properties == stored and properties["protocol"] == "TCP":
            properties = {**properties, "ips": properties["ips"][:-1]}
        return super().apply_update(provider_id, properties)


@fault("update-locked-by-refused", "UPDATE-1", kind="stateful", level=Level.STRICT)
class LockedByRefused(Reference):
    """Refuses the next update of a provider after one that was refused."""

    def prepare(self) -> None:
        self.locked: set[int] = set()

    def validate_update(self, content: Any) -> Properties:
        provider_id = content.get("id") if isinstance(content, dict) else None
        try:
            properties = super().validate_update(content)
        except RefusedError:
            if isinstance(provider_id, int):
                self.locked.add(provider_id)
            raise
        if provider_id in self.locked:
            self.locked.discard(properties["id"])
            raise RefusedError(409, "locked")
        return properties


# Media types, and bodies that are sent in other ways


@fault("http-bytes-for-json", "HTTP-4", kind="conditional")
class BytesForJson(Reference):
    """Reads JSON out of a body of application/octet-stream."""

    def is_json_type(self, declared: str, request: Request) -> bool:
        return declared == "application/octet-stream" or super().is_json_type(declared, request)


@fault("http-json-anywhere-in-type", "HTTP-4", kind="conditional")
class JsonAnywhereInType(Reference):
    """Takes a media type that names application/json in a parameter."""

    def is_json_type(self, declared: str, request: Request) -> bool:
        return "application/json" in declared.partition(";")[2] or super().is_json_type(declared, request)


@fault("http-charset-refused-with-ips", "HTTP-10", kind="conditional")
class CharsetRefusedWithIps(Reference):
    """Refuses application/json with a charset where the body has ips."""

    def read_body(self, request: Request) -> Any:
        content = super().read_body(request)
        if isinstance(content, dict) and content.get("ips") and b"charset" in request.header(b"content-type")[0]:
            raise RefusedError(400, "ips: not well-formed")
        return content


class _Fails(Reference):
    """Answers some requests with 500."""

    def is_affected(self, request: Request) -> bool:
        """Tell whether a request fails."""
        raise NotImplementedError

    def answer(self, request: Request) -> Answer:
        return (
            self.refusal(RefusedError(500, "internal error")) if self.is_affected(request) else super().answer(request)
        )


@fault("http-500-for-chunks", "HTTP-2", kind="conditional")
class FailsForChunks(_Fails):
    """Answers a body that is sent in chunks with 500."""

    def is_affected(self, request: Request) -> bool:
        return bool(request.header(b"transfer-encoding"))


@fault("http-500-for-expect", "HTTP-2", kind="conditional")
class FailsForExpect(_Fails):
    """Answers a client that expects to be told to go on with 500."""

    def is_affected(self, request: Request) -> bool:
        return bool(request.header(b"expect"))


@fault("http-500-for-get-with-body", "HTTP-2", kind="conditional")
class FailsForGetWithBody(_Fails):
    """Answers a GET that has a body with 500."""

    def is_affected(self, request: Request) -> bool:
        return request.method == "GET" and bool(request.body)


@fault("http-500-for-malformed-body-without-token", "HTTP-2", kind="conditional")
class FailsForMalformedBodyWithoutToken(_Fails):
    """Answers a body that is no JSON with 500 where there is no token, since it is read first."""

    def is_affected(self, request: Request) -> bool:
        if request.method != "POST" or request.header(b"access_token"):
            return False
        try:
            self.decode(request.body)
        except RefusedError:
            return True
        return False


@fault("http-500-past-the-end-under-optional", "HTTP-2", kind="conditional")
class FailsPastTheEndUnderOptional(Reference):
    """Answers a page past the last with 500 under OPTIONAL."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, providers = super().page_of(asked)
        if asked.sort_by == "OPTIONAL" and not providers and asked.pagination > 1:
            raise RefusedError(500, "no element at the index")
        return count, providers


@fault("http-500-for-sign-in-query", "HTTP-2", kind="conditional")
class FailsForSignInQuery(Reference):
    """Answers a number with a plus sign in a query, which its check lets pass, with 500."""

    def integer_parameter(self, parameters: dict[str, list[str]], name: str, bounds: range) -> int:
        if any(value.startswith("+") for value in parameters.get(name, [])):
            raise RefusedError(500, "not a number")
        return super().integer_parameter(parameters, name, bounds)


@fault("http-500-for-unknown-coding", "HTTP-2", kind="conditional")
class FailsForUnknownCoding(_Fails):
    """Answers a Content-Encoding that it does not know with 500."""

    def is_affected(self, request: Request) -> bool:
        return request.header(b"content-encoding") == [b"none-such"]
