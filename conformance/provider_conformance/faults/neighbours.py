"""Faults that show with what is almost the same: another letter case, another writing, a host that two share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Properties, Request
    from provider_conformance.reference.service import ListParameters


# Names that are taken for each other


def _slug(text: str) -> str:
    """Return what names a file or a section after a text."""
    return re.sub("[^a-z0-9]+", "-", text.lower())


def _clash(left: str, right: str) -> bool:
    return left != right and _slug(left) == _slug(right)


@fault("create-name-unique-by-slug", "CREATE-1", kind="conditional")
class NameUniqueBySlug(Reference):
    """Refuses a name that differs from another's in its punctuation only."""

    def store_created(self, properties: Properties) -> int:
        if any(_clash(other["name"], properties["name"]) for other in self.store.all()):
            raise RefusedError(409, "name: taken")
        return super().store_created(properties)


@fault("create-overwrites-same-slug", "CREATE-4", kind="conditional")
class OverwritesSameSlug(Reference):
    """Writes hostname and port into a provider whose name differs in its punctuation only."""

    def store_created(self, properties: Properties) -> int:
        for other in self.store.all():
            if _clash(other["name"], properties["name"]):
                self.store.replace(other["id"], {name: properties[name] for name in ("hostname", "port")})
        return super().store_created(properties)


@fault("create-stores-two-rows", "CREATE-5", kind="always")
class StoresTwoRows(Reference):
    """Stores two rows for one create, and answers with the id of the second."""

    def insert(self, properties: Properties) -> int:
        super().insert(properties)
        return super().insert(properties)


@fault("update-reaches-same-auth-id-in-any-case", "UPDATE-3", kind="conditional")
class ReachesSameAuthIdInAnyCase(Reference):
    """Changes the port of every provider whose auth_id is the same in another letter case."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id)
        for other in self.store.all() if before else ():
            if before and other["auth_id"].lower() == before["auth_id"].lower():
                self.store.replace(other["id"], {"port": properties["port"]})
        return super().apply_update(provider_id, properties)


class _AfterRemoval(Reference):
    """Does something to the others once a provider is removed."""

    def follow(self, gone: Properties, other: Properties) -> None:
        """Do to another provider what follows."""
        raise NotImplementedError

    def remove(self, provider_id: int) -> bool:
        before = self.store.get(provider_id)
        removed = super().remove(provider_id)
        for other in self.store.all() if before else ():
            if before:
                self.follow(before, other)
        return removed


@fault("destroy-takes-same-name-in-any-case", "DESTROY-3", kind="conditional")
class TakesSameNameInAnyCase(_AfterRemoval):
    """Removes every provider whose name is the same in another letter case, too."""

    def follow(self, gone: Properties, other: Properties) -> None:
        if other["name"].lower() == gone["name"].lower():
            self.store.delete(other["id"])


# Hosts that are kept in a table of their own


@fault("update-renames-host-of-others", "UPDATE-3", kind="conditional")
class RenamesHostOfOthers(Reference):
    """Changes the outbound server of others along with the hostname that it is."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id)
        changed = super().apply_update(provider_id, properties)
        for other in self.store.all() if before else ():
            if before and other["id"] != provider_id and other["outbound_server"] == before["hostname"]:
                self.store.replace(other["id"], {"outbound_server": properties["hostname"]})
        return changed


@fault("update-renames-own-outbound-server", "UPDATE-2", kind="conditional")
class RenamesOwnOutboundServer(Reference):
    """Changes the outbound server along with the hostname where both have been the same."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id)
        if before and before["hostname"] == before["outbound_server"] == properties["outbound_server"]:
            properties = {**properties, "outbound_server": properties["hostname"]}
        return super().apply_update(provider_id, properties)


@fault("destroy-empties-outbound-server-of-others", "DESTROY-3", kind="conditional")
class EmptiesOutboundServerOfOthers(_AfterRemoval):
    """Leaves no outbound server to others where it was the hostname of the provider that is gone."""

    def follow(self, gone: Properties, other: Properties) -> None:
        if other["outbound_server"] == gone["hostname"]:
            self.store.replace(other["id"], {"outbound_server": ""})


@fault("destroy-drops-host-from-ips-of-others", "DESTROY-3", kind="conditional")
class DropsHostFromIpsOfOthers(_AfterRemoval):
    """Drops the address that was the hostname of the provider that is gone from the ips of others."""

    def follow(self, gone: Properties, other: Properties) -> None:
        if gone["hostname"] in other["ips"]:
            self.store.replace(other["id"], {"ips": [item for item in other["ips"] if item != gone["hostname"]]})


# Values that are taken for unchanged, or must not be another property's


@fault("update-compares-minutes", "UPDATE-2", kind="conditional")
class ComparesMinutes(Reference):
    """Takes an interval of as many whole minutes for unchanged."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id) or properties
        if before["reregister_interval"] // 60 == properties["reregister_interval"] // 60:
            properties = {**properties, "reregister_interval": before["reregister_interval"]}
        return super().apply_update(provider_id, properties)


@fault("update-compares-32-characters", "UPDATE-2", kind="conditional")
class Compares32Characters(Reference):
    """Takes a name for unchanged that has the same first 32 characters."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id) or properties
        if before["name"][:32] == properties["name"][:32]:
            properties = {**properties, "name": before["name"]}
        return super().apply_update(provider_id, properties)


@fault("create-refuses-name-for-hostname", "CREATE-1", kind="conditional")
class RefusesNameForHostname(Reference):
    """Refuses a hostname that is the name as well."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if properties["hostname"] == properties["name"]:
            raise RefusedError(400, "hostname: must differ from name")
        return properties


# One and the same JSON, written otherwise

_ESCAPED_ASCII = re.compile(rb"\\u(00[2-7][0-9a-fA-F])")


class _ReadsOtherwise(Reference):
    """Refuses or misreads a body that others read."""

    def reread(self, body: bytes) -> bytes:
        """Return what is read in place of a body, or refuse it."""
        raise NotImplementedError

    def decode(self, body: bytes) -> Any:
        return super().decode(self.reread(body))


@fault("create-refuses-escaped-ascii", "CREATE-1", kind="conditional")
class RefusesEscapedAscii(_ReadsOtherwise):
    """Refuses a body that writes characters of ASCII as escapes."""

    def reread(self, body: bytes) -> bytes:
        if _ESCAPED_ASCII.search(body):
            raise RefusedError(400, "body: unexpected escape")
        return body


@fault("create-misreads-escaped-ascii", "CREATE-4", kind="conditional")
class MisreadsEscapedAscii(_ReadsOtherwise):
    """Drops the backslash of an escape of ASCII."""

    def reread(self, body: bytes) -> bytes:
        return re.sub(rb"\\u002[Bb]", b"u002B", body)


@fault("create-refuses-tabs", "CREATE-1", kind="conditional")
class RefusesTabs(_ReadsOtherwise):
    """Takes no tab for white space."""

    def reread(self, body: bytes) -> bytes:
        if b"\t" in body:
            raise RefusedError(400, "body: unexpected character")
        return body


@fault("destroy-refuses-final-newline", "DESTROY-1", kind="conditional")
class RefusesFinalNewline(Reference):
    """Refuses a destroy whose body ends with a newline."""

    def destroy(self, request: Request) -> Any:
        if request.body.endswith(b"\n"):
            raise RefusedError(400, "body: trailing data")
        return super().destroy(request)


# Lists and values in rare company


@fault("list-null-when-empty", "LIST-1", kind="conditional")
class NullWhenEmpty(Reference):
    """Gives null in place of no providers."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        content = super().rendered_list(asked, count, providers)
        return content if count else {**content, "providers": None}


@fault("list-bare-array-when-empty", "LIST-1", kind="conditional")
class BareArrayWhenEmpty(Reference):
    """Gives an empty array, and nothing else, where there are no providers."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        return super().rendered_list(asked, count, providers) if count else []


@fault("list-later-page-by-default-bears-text", "LIST-1", kind="conditional")
class LaterPageByDefaultBearsText(Reference):
    """Gives ports as text on later pages that are asked for without sort_by."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        if asked.sort_by is None and asked.pagination > 1:
            providers = [{**provider, "port": str(provider["port"])} for provider in providers]
        return super().rendered_list(asked, count, providers)


@fault("value-altered-in-company", "VALUE-1", kind="conditional")
class AlteredInCompany(Reference):
    """Puts the interval of a new provider to an hour where both of its ports are beyond what ports are."""

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        if min(properties["port"], properties["outbound_server_port"]) > 65535:
            return {**properties, "reregister_interval": 3600}
        return properties


@fault("value-parameters-appended", "VALUE-1", kind="stateful")
class ParametersAppended(Reference):
    """Appends new in_parameters of an update to those that are there."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = (self.store.get(provider_id) or properties)["in_parameters"]
        added = [item for item in properties["in_parameters"] if item not in before]
        if added:
            properties = {**properties, "in_parameters": [*before, *added]}
        return super().apply_update(provider_id, properties)
