"""Faults that show in certain circumstances only: other headers, values beside each other, a past."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl

from provider_conformance.contract import Level
from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters


# Headers and spellings of the samples


@fault("samples-get-with-content-type-refused", "SHOW-1", "LIST-1", kind="conditional")
class GetWithContentTypeRefused(Reference):
    """Refuses a GET that names a media type, as the samples do, for its empty body."""

    def authenticate(self, request: Request) -> None:
        super().authenticate(request)
        if request.method == "GET" and request.header(b"content-type") and not request.body:
            raise RefusedError(400, "body: not well-formed")


@fault("samples-several-lines-refused", "CREATE-1", kind="conditional")
class SeveralLinesRefused(Reference):
    """Refuses a create whose body has several lines, as the samples do."""

    def create(self, request: Request) -> Answer:
        if b"\n" in request.body:
            raise RefusedError(400, "body: not well-formed")
        return super().create(request)


@fault("create-properties-in-order", "CREATE-1", kind="conditional")
class PropertiesInOrder(Reference):
    """Refuses a create in which ips come before auth_mode."""

    def validate_create(self, content: Any) -> Properties:
        names = list(content) if isinstance(content, dict) else []
        if "ips" in names and "auth_mode" in names and names.index("ips") < names.index("auth_mode"):
            raise RefusedError(400, "ips: auth_mode is not known yet")
        return super().validate_create(content)


# Access


@fault("auth-cookie-will-do", "AUTH-2", kind="stateful")
class CookieWillDo(Reference):
    """Sets a cookie with every answer, and serves whoever sends it back without a token."""

    def authenticate(self, request: Request) -> None:
        if not any(b"session=1" in value for value in request.header(b"cookie")):
            super().authenticate(request)

    def succeed(self, content: object) -> Answer:
        answer = super().succeed(content)
        return replace(answer, headers=(*answer.headers, ("Set-Cookie", "session=1; HttpOnly")))


@fault("auth-trusts-forwarded-localhost", "AUTH-2", kind="conditional")
class TrustsForwardedLocalhost(Reference):
    """Serves without a token whoever says to come from 127.0.0.1."""

    def authenticate(self, request: Request) -> None:
        if request.header(b"access_token") or request.header(b"x-forwarded-for") != [b"127.0.0.1"]:
            super().authenticate(request)


@fault("auth-later-pages-open", "AUTH-2", kind="conditional")
class LaterPagesOpen(Reference):
    """Serves every page of the list but the first without a token."""

    def authenticate(self, request: Request) -> None:
        pages = parse_qs(request.query.decode("latin-1")).get("pagination", ["1"])
        later = request.operation == "list" and pages[0].isdecimal() and int(pages[0]) > 1
        if request.header(b"access_token") or not later:
            super().authenticate(request)


@fault("auth-list-cached", "AUTH-2", kind="stateful")
class ListCached(Reference):
    """Gives a page that was given before to whoever asks for it, until something is created, updated or destroyed."""

    def prepare(self) -> None:
        self.given: dict[bytes, Answer] = {}

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        if request.operation != "list":
            if request.operation != "show":
                self.given.clear()
        elif answer.status == 200:
            self.given[request.query] = answer
        return self.given.get(request.query, answer) if answer.status == 401 else answer


@fault("auth-like-wildcard", "AUTH-3", kind="conditional")
class LikeWildcard(Reference):
    """Compares tokens with LIKE, where _ stands for any character."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        alike = len(sent) == len(self.token) and all(s in (t, ord("_")) for s, t in zip(sent, self.token, strict=True))
        return alike or super().token_matches(sent, request)


@fault("auth-bearer-in-header", "AUTH-4", kind="conditional")
class BearerInHeader(Reference):
    """Takes the token after the word Bearer, too."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return super().token_matches(sent.removeprefix(b"Bearer "), request)


@fault("auth-any-header", "AUTH-5", kind="conditional")
class AnyHeader(Reference):
    """Takes the token from the header X-Access-Token, too."""

    def sent_token(self, request: Request) -> bytes | None:
        return super().sent_token(request) or next(iter(request.header(b"x-access-token")), None)


# What a refused request leaves behind


@fault("update-refused-is-listed", "UPDATE-6", kind="stateful")
class RefusedIsListed(Reference):
    """Refuses an update, and lists its port from then on."""

    def prepare(self) -> None:
        self.indexed: dict[Any, Any] = {}

    def validate_update(self, content: Any) -> Properties:
        try:
            properties = super().validate_update(content)
        except RefusedError:
            if isinstance(content, dict) and isinstance(content.get("id"), int):
                self.indexed[content["id"]] = content.get("port")
            raise
        self.indexed.pop(properties["id"], None)
        return properties

    def listed_provider(self, provider: Properties) -> Any:
        port = self.indexed.get(provider["id"])
        listed = super().listed_provider(provider)
        return {**listed, "port": port} if isinstance(port, int) and not isinstance(port, bool) else listed


class _Hides(Reference):
    """Leaves some providers out of the list."""

    def prepare(self) -> None:
        self.hidden: set[int] = set()

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        there = [provider for provider in self.store.all() if provider["id"] not in self.hidden]
        start = (asked.pagination - 1) * asked.pagesize
        return len(there), there[start : start + asked.pagesize]


@fault("destroy-refused-hides", "DESTROY-4", kind="stateful")
class RefusedHides(_Hides):
    """Refuses an id that is text, and yet leaves the provider out of the list from then on."""

    def destroyed_id(self, content: Any) -> int:
        if isinstance(content, dict) and isinstance(content.get("id"), str) and content["id"].isdecimal():
            self.hidden.add(int(content["id"]))
        return super().destroyed_id(content)


@fault("create-refused-leaves-port", "CREATE-4", kind="stateful", level=Level.STRICT)
class RefusedLeavesPort(Reference):
    """Takes a create that lacks its name as a template: refuses it, and stores its port with the next one."""

    def prepare(self) -> None:
        self.port: int | None = None

    def validate_create(self, content: Any) -> Properties:
        try:
            properties = super().validate_create(content)
        except RefusedError:
            if isinstance(content, dict) and isinstance(content.get("port"), int) and "name" not in content:
                self.port = content["port"]
            raise
        kept, self.port = self.port, None
        return properties if kept is None else {**properties, "port": kept}


@fault("create-refused-keeps-names", "CREATE-1", kind="stateful", level=Level.STRICT)
class RefusedKeepsNames(Reference):
    """Refuses a name that a create bore which was refused for want of another property."""

    def prepare(self) -> None:
        self.taken: set[str] = set()

    def validate_create(self, content: Any) -> Properties:
        name = content.get("name") if isinstance(content, dict) else None
        if isinstance(name, str) and name in self.taken:
            raise RefusedError(409, "name: taken")
        try:
            return super().validate_create(content)
        except RefusedError:
            if isinstance(name, str) and len(content) < 15:
                self.taken.add(name)
            raise


# Names that others bear, bore, or had to give up


@fault("create-upserts-by-name", "CREATE-3", kind="stateful")
class UpsertsByName(Reference):
    """Changes the provider whose name a create bears, and gives its id."""

    def store_created(self, properties: Properties) -> int:
        for other in self.store.all():
            if other["name"] == properties["name"]:
                self.store.replace(other["id"], properties)
                return int(other["id"])
        return super().store_created(properties)


@fault("create-refuses-former-name", "CREATE-1", kind="stateful")
class RefusesFormerName(Reference):
    """Refuses a name that another provider gave up for another."""

    def prepare(self) -> None:
        self.former: dict[str, int] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id)
        if before is not None and before["name"] != properties["name"]:
            self.former[before["name"]] = provider_id
            self.former.pop(properties["name"], None)
        return super().apply_update(provider_id, properties)

    def remove(self, provider_id: int) -> bool:
        self.former = {name: owner for name, owner in self.former.items() if owner != provider_id}
        return super().remove(provider_id)

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties["name"] in self.former:
            raise RefusedError(409, "name: taken")
        return properties


@fault("http-conflict-discloses", "HTTP-6", kind="conditional")
class ConflictDiscloses(Reference):
    """Refuses an update to a name that another provider bears, and gives that provider, password and all."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        for other in self.store.all():
            if other["name"] == properties["name"] and other["id"] != provider_id:
                raise RefusedError(409, f"name: taken by {json.dumps(other)}")
        return super().apply_update(provider_id, properties)


# Values beside each other


@fault("create-drops-own-address", "CREATE-4", kind="conditional")
class DropsOwnAddress(Reference):
    """Leaves the hostname out of ips where it is an address among them."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        return {**properties, "ips": [item for item in properties["ips"] if item != properties["hostname"]]}


@fault("update-hostname-resets-interval", "UPDATE-2", kind="conditional")
class HostnameResetsInterval(Reference):
    """Puts an interval that stays as it is back to 3600 when the hostname changes."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id) or properties
        moved = before["hostname"] != properties["hostname"]
        if moved and before["reregister_interval"] == properties["reregister_interval"]:
            properties = {**properties, "reregister_interval": 3600}
        return super().apply_update(provider_id, properties)


@fault("create-names-in-any-case", "CREATE-7", kind="conditional")
class NamesInAnyCase(Reference):
    """Takes the names of properties in any letter case."""

    def validate_create(self, content: Any) -> Properties:
        folded = {name.lower(): value for name, value in content.items()} if isinstance(content, dict) else content
        return super().validate_create(folded)


@fault("create-reads-query", "CREATE-7", kind="conditional")
class ReadsQuery(Reference):
    """Takes text that the body lacks out of the query."""

    def create(self, request: Request) -> Answer:
        self.query = dict(parse_qsl(request.query.decode("latin-1")))
        return super().create(request)

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create({**self.query, **content} if isinstance(content, dict) else content)


# Lists


@fault("list-silent-counts-page", "LIST-6", kind="conditional")
class SilentCountsPage(Reference):
    """Counts the providers of the page where no order is asked for."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, providers = super().page_of(asked)
        return (count if asked.sort_by else len(providers)), providers


@fault("list-later-pages-without-ips", "LIST-4", kind="conditional")
class LaterPagesWithoutIps(Reference):
    """Lists no ips on any page but the first."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        if asked.pagination > 1:
            providers = [{**provider, "ips": []} for provider in providers]
        return super().rendered_list(asked, count, providers)


@fault("list-random-among-equals", "LIST-3", kind="conditional")
class RandomAmongEquals(Reference):
    """Sorts by port, and those of the same port in another order every time."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        there = self.store.all()
        random.shuffle(there)
        there.sort(key=lambda provider: int(provider["port"]))
        start = (asked.pagination - 1) * asked.pagesize
        return len(there), there[start : start + asked.pagesize]


# Ids


@fault("show-minus-one-is-newest", "SHOW-4", kind="conditional")
class MinusOneIsNewest(Reference):
    """Shows the newest provider for the id -1."""

    def find(self, provider_id: int) -> Properties | None:
        everybody = self.store.all()
        return everybody[-1] if provider_id == -1 and everybody else super().find(provider_id)


@fault("show-remembers-nobody", "SHOW-1", kind="stateful")
class RemembersNobody(Reference):
    """Remembers that there was no provider of an id, although one is created later."""

    def prepare(self) -> None:
        self.nobody: set[int] = set()

    def find(self, provider_id: int) -> Properties | None:
        found = None if provider_id in self.nobody else super().find(provider_id)
        if found is None:
            self.nobody.add(provider_id)
        return found


# How often something was done


@fault("destroy-is-lost-now-and-then", "DESTROY-2", kind="conditional")
class IsLostNowAndThen(Reference):
    """Says of every fiftieth destroy that it was done, and keeps the provider."""

    def prepare(self) -> None:
        self.removals = 0

    def remove(self, provider_id: int) -> bool:
        self.removals += 1
        if self.removals % 50 == 0:
            return self.store.get(provider_id) is not None
        return super().remove(provider_id)


@fault("auth-token-of-another-request-at-the-same-time", "AUTH-3", kind="conditional")
class TokenOfAnotherRequest(Reference):
    """Keeps the token of a request where requests at the same time write theirs."""

    def prepare(self) -> None:
        self.latest = b""

    def sent_token(self, request: Request) -> bytes | None:
        own = super().sent_token(request)
        self.latest = own or b""
        time.sleep(0.001)
        # A valid token of its own is served in any case, so that nothing else is wrong.
        return self.latest if own not in {None, self.token} else own
