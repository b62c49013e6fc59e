"""Faults of update."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import INT64, Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters


# UPDATE-1: a complete, plausible update is answered with 200


@fault("update-answers-204", "UPDATE-1", kind="always")
class Answers204(Reference):
    """Answers update with 204."""

    def update(self, request: Request) -> Answer:
        return replace(super().update(request), status=204)


@fault("update-answers-202", "UPDATE-1", kind="always")
class Answers202(Reference):
    """Answers update with 202."""

    def update(self, request: Request) -> Answer:
        return replace(super().update(request), status=202)


@fault("update-refuses-unchanged-name", "UPDATE-1", kind="conditional")
class RefusesUnchangedName(Reference):
    """Takes the provider's own name for one that is in use already."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        if any(provider["name"] == properties["name"] for provider in self.store.all()):
            raise RefusedError(409, "name: in use")
        return super().apply_update(provider_id, properties)


@fault("update-refuses-changed-name", "UPDATE-1", kind="conditional")
class RefusesChangedName(Reference):
    """Refuses to change a name."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored["name"] != properties["name"]:
            raise RefusedError(409, "name: cannot be changed")
        return super().apply_update(provider_id, properties)


@fault("update-refuses-no-change", "UPDATE-1", kind="conditional")
class RefusesNoChange(Reference):
    """Refuses an update that changes nothing."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored | properties == stored:
            raise RefusedError(409, "nothing to change")
        return super().apply_update(provider_id, properties)


@fault("update-refuses-change-of-auth-mode", "UPDATE-1", kind="conditional")
class RefusesChangeOfAuthMode(Reference):
    """Refuses to change auth_mode."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored["auth_mode"] != properties["auth_mode"]:
            raise RefusedError(409, "auth_mode: cannot be changed")
        return super().apply_update(provider_id, properties)


@fault("update-refuses-fourth", "UPDATE-1", kind="stateful")
class RefusesFourth(Reference):
    """Refuses every update of a provider after its third."""

    def prepare(self) -> None:
        self.updates: dict[int, int] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updates[provider_id] = self.updates.get(provider_id, 0) + 1
        if self.updates[provider_id] > 3:
            raise RefusedError(409, "changed too often")
        return super().apply_update(provider_id, properties)


@fault("update-not-found-after-destroy-of-newer", "UPDATE-1", kind="stateful")
class NotFoundAfterDestroyOfNewer(Reference):
    """Does not find a provider once a newer one has been destroyed."""

    def prepare(self) -> None:
        self.destroyed = 0

    def remove(self, provider_id: int) -> bool:
        self.destroyed = max(self.destroyed, provider_id)
        return super().remove(provider_id)

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        if provider_id < self.destroyed:
            raise RefusedError(404, "no provider of this id")
        return super().apply_update(provider_id, properties)


# UPDATE-2: every plausible value is as updated


_REAL = (
    "name",
    "hostname",
    "port",
    "protocol",
    "auth_mode",
    "auth_id",
    "require_register",
    "reregister_interval",
    "outbound_server",
    "outbound_server_port",
    "provider_in_lan",
    "single_via_header",
    "ips",
)


class _Drops(Reference):
    """Leaves one property as it is."""

    name = ""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        kept = {name: value for name, value in properties.items() if name != self.name}
        return super().apply_update(provider_id, kept)


for _name in _REAL:
    fault(
        f"update-drops-{_name.replace('_', '-')}",
        "UPDATE-2",
        kind="always",
        description=f"Leaves {_name} as it is.",
    )(type(f"Drops_{_name}", (_Drops,), {"name": _name}))


class _Applies(Reference):
    """Applies an update otherwise than it was sent."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is None:
            return super().apply_update(provider_id, properties)
        return super().apply_update(provider_id, properties | self.altered(stored, properties))

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        """Return the properties that are applied otherwise."""
        raise NotImplementedError


@fault("update-ignores-false", "UPDATE-2", kind="conditional")
class IgnoresFalse(_Applies):
    """Takes false for missing, so that no boolean can be switched off."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {name: stored[name] for name, value in properties.items() if value is False}


@fault("update-ignores-empty-ips", "UPDATE-2", kind="conditional")
class IgnoresEmptyIps(_Applies):
    """Takes empty ips for missing, so that they cannot be emptied."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {"ips": properties["ips"] or stored["ips"]}


@fault("update-adds-ips", "UPDATE-2", kind="conditional")
class AddsIps(_Applies):
    """Adds ips to the ones that are there, unless they are among them."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {"ips": stored["ips"] + [ip for ip in properties["ips"] if ip not in stored["ips"]]}


@fault("update-keeps-order-of-ips", "UPDATE-2", kind="conditional")
class KeepsOrderOfIps(_Applies):
    """Does not notice that the same ips come in another order."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        same = sorted(map(repr, stored["ips"])) == sorted(map(repr, properties["ips"]))
        return {"ips": stored["ips"] if same else properties["ips"]}


@fault("update-ignores-letter-case", "UPDATE-2", kind="conditional")
class IgnoresLetterCase(_Applies):
    """Does not notice that a name changes in letter case only."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        same = stored["name"].casefold() == properties["name"].casefold()
        return {"name": stored["name"] if same else properties["name"]}


@fault("update-never-lowers-interval", "UPDATE-2", kind="conditional")
class NeverLowersInterval(_Applies):
    """Keeps the larger of the old and the new interval."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {"reregister_interval": max(stored["reregister_interval"], properties["reregister_interval"])}


@fault("update-outbound-server-follows-hostname", "UPDATE-2", kind="conditional")
class OutboundServerFollowsHostname(_Applies):
    """Sets outbound_server to the hostname whenever that changes."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {} if stored["hostname"] == properties["hostname"] else {"outbound_server": properties["hostname"]}


@fault("update-ports-change-together", "UPDATE-2", kind="conditional")
class PortsChangeTogether(_Applies):
    """Keeps both ports unless both are changed."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        ports = ("port", "outbound_server_port")
        if all(stored[name] != properties[name] for name in ports):
            return {}
        return {name: stored[name] for name in ports}


@fault("update-truncates-names", "UPDATE-2", kind="conditional")
class TruncatesNames(_Applies):
    """Cuts new names after 32 characters, though not those of new providers."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:  # noqa: ARG002
        return {"name": properties["name"][:32]}


@fault("update-clears-ips-with-register-auth", "UPDATE-2", kind="conditional")
class ClearsIpsWithRegisterAuth(_Applies):
    """Empties ips of a provider with REGISTER_AUTH."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:  # noqa: ARG002
        return {"ips": [] if properties["auth_mode"] == "REGISTER_AUTH" else properties["ips"]}


@fault("update-applied-one-late", "UPDATE-2", kind="stateful")
class AppliedOneLate(Reference):
    """Applies an update when the next one comes."""

    def prepare(self) -> None:
        self.waiting: tuple[int, Properties] | None = None

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        if self.store.get(provider_id) is None:
            return False
        if self.waiting is not None:
            super().apply_update(*self.waiting)
        self.waiting = (provider_id, properties)
        return True


@fault("update-second-ignored", "UPDATE-2", kind="stateful")
class SecondIgnored(Reference):
    """Ignores every second update of a provider."""

    def prepare(self) -> None:
        self.updates: dict[int, int] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updates[provider_id] = self.updates.get(provider_id, 0) + 1
        if self.updates[provider_id] % 2 == 0:
            return self.store.get(provider_id) is not None
        return super().apply_update(provider_id, properties)


@fault("update-list-stale", "UPDATE-2", kind="stateful")
class ListStale(Reference):
    """Lists a provider as it was when it was listed first."""

    def prepare(self) -> None:
        self.listed: dict[int, Any] = {}

    def listed_provider(self, provider: Properties) -> Any:
        return self.listed.setdefault(provider["id"], super().listed_provider(provider))


@fault("update-show-stale", "UPDATE-2", kind="stateful")
class ShowStale(Reference):
    """Shows and lists a provider as it was when it was shown first."""

    def prepare(self) -> None:
        self.shown: dict[int, Properties] = {}

    def find(self, provider_id: int) -> Properties | None:
        provider = super().find(provider_id)
        return None if provider is None else self.shown.setdefault(provider_id, provider)

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider(self.shown.get(provider["id"], provider))


@fault("update-back-ignored", "UPDATE-2", kind="stateful")
class BackIgnored(_Applies):
    """Ignores a new hostname that the provider had before."""

    def prepare(self) -> None:
        self.had: dict[int, set[str]] = {}

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        had = self.had.setdefault(stored["id"], set())
        had.add(stored["hostname"])
        known = properties["hostname"] in had
        return {"hostname": stored["hostname"]} if known else {}


# UPDATE-3: no other provider changes, and never the id


class _ChangesOthers(Reference):
    """Applies an update to others as well."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        everything = self.store.all()
        before = next((provider for provider in everything if provider["id"] == provider_id), None)
        if before is not None:
            for other in everything:
                if other["id"] != provider_id and self.is_affected(other, before):
                    self.store.replace(other["id"], self.shared(properties))
        return super().apply_update(provider_id, properties)

    def is_affected(self, other: Properties, before: Properties) -> bool:
        """Tell whether another provider changes too, given the one to be updated as it was before."""
        raise NotImplementedError

    def shared(self, properties: Properties) -> Properties:
        """Return what is changed in others."""
        return {"port": properties["port"], "single_via_header": properties["single_via_header"]}


@fault("update-applies-to-same-outbound-server", "UPDATE-3", kind="conditional")
class AppliesToSameOutboundServer(_ChangesOthers):
    """Changes the ports of every provider with the same outbound server."""

    def is_affected(self, other: Properties, before: Properties) -> bool:
        return bool(other["outbound_server"] == before["outbound_server"])

    def shared(self, properties: Properties) -> Properties:
        return {"port": properties["port"], "outbound_server_port": properties["outbound_server_port"]}


@fault("update-applies-to-same-hostname", "UPDATE-3", kind="conditional")
class AppliesToSameHostname(_ChangesOthers):
    """Changes every provider with the same hostname."""

    def is_affected(self, other: Properties, before: Properties) -> bool:
        return bool(other["hostname"] == before["hostname"])

    def shared(self, properties: Properties) -> Properties:
        return properties


@fault("update-reaches-the-same-hostname", "UPDATE-3", kind="conditional")
class ReachesTheSameHostname(AppliesToSameHostname):
    """Changes the port of every provider with the same hostname."""

    def shared(self, properties: Properties) -> Properties:
        return {"port": properties["port"]}


@fault("update-reaches-names-that-begin-alike", "UPDATE-3", kind="conditional")
class ReachesNamesThatBeginAlike(_ChangesOthers):
    """Changes the port of every provider whose name begins with that of the one that is updated."""

    def is_affected(self, other: Properties, before: Properties) -> bool:
        return str(other["name"]).startswith(str(before["name"]))

    def shared(self, properties: Properties) -> Properties:
        return {"port": properties["port"]}


@fault("update-applies-to-same-auth-mode", "UPDATE-3", kind="conditional")
class AppliesToSameAuthMode(_ChangesOthers):
    """Changes port and single_via_header of every provider with the same auth_mode."""

    def is_affected(self, other: Properties, before: Properties) -> bool:
        return bool(other["auth_mode"] == before["auth_mode"])


@fault("update-applies-to-neighbour", "UPDATE-3", kind="conditional")
class AppliesToNeighbour(_ChangesOthers):
    """Changes port and single_via_header of the provider with the next id, too."""

    def is_affected(self, other: Properties, before: Properties) -> bool:
        return bool(other["id"] == before["id"] + 1)


@fault("update-applies-to-oldest", "UPDATE-3", kind="conditional")
class AppliesToOldest(_ChangesOthers):
    """Changes port and single_via_header of the oldest provider, too."""

    def is_affected(self, other: Properties, before: Properties) -> bool:  # noqa: ARG002
        return bool(other["id"] == self.store.all()[0]["id"])


@fault("update-applies-to-everyone", "UPDATE-3", kind="always")
class AppliesToEveryone(_ChangesOthers):
    """Changes the interval of every provider."""

    def is_affected(self, other: Properties, before: Properties) -> bool:  # noqa: ARG002
        return True

    def shared(self, properties: Properties) -> Properties:
        return {"reregister_interval": properties["reregister_interval"]}


@fault("update-gives-new-id", "UPDATE-3", kind="always")
class GivesNewId(Reference):
    """Replaces the provider by a new one with an id of its own."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is None:
            return False
        self.store.delete(provider_id)
        self.store.insert({name: value for name, value in (stored | properties).items() if name != "id"})
        return True


@fault("update-copies-provider", "UPDATE-3", kind="conditional")
class CopiesProvider(Reference):
    """Leaves the provider under its old name beside the renamed one."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored["name"] != properties["name"]:
            self.store.insert({name: value for name, value in stored.items() if name != "id"})
        return super().apply_update(provider_id, properties)


@fault("update-reaches-last-updated", "UPDATE-3", kind="stateful")
class ReachesLastUpdated(_ChangesOthers):
    """Changes port and single_via_header of the provider that was updated before, too."""

    def prepare(self) -> None:
        self.previous = 0

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        applied = super().apply_update(provider_id, properties)
        self.previous = provider_id
        return applied

    def is_affected(self, other: Properties, before: Properties) -> bool:  # noqa: ARG002
        return bool(other["id"] == self.previous)


@fault("update-takes-ips-from-others", "UPDATE-3", kind="conditional")
class TakesIpsFromOthers(Reference):
    """Takes its ips away from every other provider that has them."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        for other in self.store.all():
            kept = [ip for ip in other["ips"] if ip not in properties["ips"]]
            if other["id"] != provider_id and kept != other["ips"]:
                self.store.replace(other["id"], {"ips": kept})
        return super().apply_update(provider_id, properties)


# UPDATE-4: the same update twice leaves the same state


class _Twice(Reference):
    """Goes wrong when the update that a provider got last is sent again."""

    def prepare(self) -> None:
        self.last: dict[int, Properties] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        again = self.last.get(provider_id) == properties
        self.last[provider_id] = dict(properties)
        stored = self.store.get(provider_id)
        if again and stored is not None:
            return super().apply_update(provider_id, properties | self.altered(stored, properties))
        return super().apply_update(provider_id, properties)

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        """Return what the second update does otherwise."""
        raise NotImplementedError


@fault("update-twice-switches-flag", "UPDATE-4", kind="stateful")
class TwiceSwitchesFlag(_Twice):
    """Switches single_via_header when the same update is sent twice."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:  # noqa: ARG002
        return {"single_via_header": not stored["single_via_header"]}


@fault("update-twice-doubles-ips", "UPDATE-4", kind="stateful")
class TwiceDoublesIps(_Twice):
    """Adds the ips to themselves when the same update is sent twice."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {"ips": stored["ips"] + properties["ips"]}


@fault("update-twice-adds-intervals", "UPDATE-4", kind="stateful")
class TwiceAddsIntervals(_Twice):
    """Adds the interval to itself when the same update is sent twice."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {"reregister_interval": stored["reregister_interval"] + properties["reregister_interval"]}


@fault("update-twice-swaps-ports", "UPDATE-4", kind="stateful")
class TwiceSwapsPorts(_Twice):
    """Swaps the two ports when the same update is sent twice."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:  # noqa: ARG002
        return {"port": stored["outbound_server_port"], "outbound_server_port": stored["port"]}


@fault("update-twice-numbers-name", "UPDATE-4", kind="stateful")
class TwiceNumbersName(_Twice):
    """Takes the provider's own name for taken and numbers it when the same update is sent twice."""

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return {"name": stored["name"] + " 2" if stored["name"] == properties["name"] else properties["name"]}


@fault("update-twice-takes-back", "UPDATE-4", kind="stateful")
class TwiceTakesBack(_Twice):
    """Goes back to what was before when the same update is sent twice."""

    def prepare(self) -> None:
        super().prepare()
        self.before: dict[int, Properties] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and self.last.get(provider_id) != properties:
            self.before[provider_id] = stored
        return super().apply_update(provider_id, properties)

    def altered(self, stored: Properties, properties: Properties) -> Properties:
        return self.before.get(stored["id"], properties)


class _ListsRepeated(Reference):
    """Gives a provider otherwise in the list, and rightly in show, from the repetition of an update to the next one."""

    def prepare(self) -> None:
        self.repeated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        again = stored is not None and stored | properties == stored
        (self.repeated.add if again else self.repeated.discard)(provider_id)
        return super().apply_update(provider_id, properties)

    def remove(self, provider_id: int) -> bool:
        self.repeated.discard(provider_id)
        return super().remove(provider_id)

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        _, providers = self.store.page(0, 2**31, self.order(asked.sort_by))
        given = [item for one in providers for item in (self.items(one) if one["id"] in self.repeated else [one])]
        first = (asked.pagination - 1) * asked.pagesize
        return len(given), given[first : first + asked.pagesize]

    def items(self, provider: Properties) -> list[Properties]:
        """Return what the list gives of a provider that has got the same update again."""
        raise NotImplementedError


@fault("update-twice-lists-twice", "UPDATE-4", kind="stateful")
class TwiceListsTwice(_ListsRepeated):
    """Lists a provider twice once it has got the same update again."""

    def items(self, provider: Properties) -> list[Properties]:
        return [provider, provider]


@fault("update-twice-unlists", "UPDATE-4", kind="stateful")
class TwiceUnlists(_ListsRepeated):
    """Lists a provider no more once it has got the same update again."""

    def items(self, provider: Properties) -> list[Properties]:  # noqa: ARG002
        return []


@fault("update-twice-lists-other-port", "UPDATE-4", kind="stateful")
class TwiceListsOtherPort(_ListsRepeated):
    """Lists a provider with another port once it has got the same update again."""

    def items(self, provider: Properties) -> list[Properties]:
        return [provider | {"port": provider["port"] + 1}]


@fault("update-twice-destroys", "UPDATE-4", kind="stateful")
class TwiceDestroys(Reference):
    """Removes a provider when the update that it got last is sent again."""

    def prepare(self) -> None:
        self.last: dict[int, Properties] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        again = self.last.get(provider_id) == properties
        self.last[provider_id] = dict(properties)
        applied = super().apply_update(provider_id, properties)
        if again:
            self.store.delete(provider_id)
        return applied


# UPDATE-5: an update of an id that names no provider is refused, and creates none


@fault("update-unknown-id-answers-200", "UPDATE-5", kind="always")
class UnknownIdAnswers200(Reference):
    """Answers an update of an unknown id with 200, and does nothing."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        super().apply_update(provider_id, properties)
        return True


@fault("update-unknown-id-creates", "UPDATE-5", kind="always")
class UnknownIdCreates(Reference):
    """Creates a provider under an unknown id."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        if not super().apply_update(provider_id, properties):
            self.store.insert(properties | {"id": provider_id})
        return True


@fault("update-unknown-id-creates-though-refused", "UPDATE-5", kind="always")
class UnknownIdCreatesThoughRefused(Reference):
    """Refuses an update of an unknown id, yet creates a provider under a new one."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        applied = super().apply_update(provider_id, properties)
        if not applied:
            self.store.insert(properties)
        return applied


@fault("update-destroyed-id-brings-back", "UPDATE-5", kind="stateful")
class DestroyedIdBringsBack(Reference):
    """Brings a destroyed provider back when it is updated."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        if removed:
            self.gone.add(provider_id)
        return removed

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        if provider_id in self.gone:
            self.gone.discard(provider_id)
            self.store.insert(properties | {"id": provider_id})
            return True
        return super().apply_update(provider_id, properties)


# UPDATE-6: an incomplete or ill-typed update is refused and changes nothing


@fault("update-partial", "UPDATE-6", kind="conditional")
class Partial(Reference):
    """Leaves properties that an update lacks as they are."""

    def validate_update(self, content: Any) -> Properties:
        stored = self.store.get(content["id"]) if _names_a_provider(content) else None
        return super().validate_update((stored or {}) | content if isinstance(content, dict) else content)


class _FindsByMark(Reference):
    """Finds whom an update is about by another property where there is no id."""

    mark = ""

    def validate_update(self, content: Any) -> Properties:
        if isinstance(content, dict) and self.is_without_id(content):
            found = [one["id"] for one in self.store.all() if one[self.mark] == content.get(self.mark)]
            content = {**content, "id": found[0]} if found else content
        return super().validate_update(content)

    def is_without_id(self, content: Properties) -> bool:
        """Tell whether an update is taken for one without an id."""
        return "id" not in content


@fault("update-without-id-finds-by-name", "UPDATE-6", kind="conditional")
class WithoutIdFindsByName(_FindsByMark):
    """Applies an update without an id to the provider that bears its name."""

    mark = "name"


@fault("update-without-id-finds-by-auth-id", "UPDATE-6", kind="conditional")
class WithoutIdFindsByAuthId(_FindsByMark):
    """Applies an update without an id to the provider that bears its auth_id."""

    mark = "auth_id"


@fault("update-null-for-id-finds-by-hostname", "UPDATE-7", kind="conditional")
class NullForIdFindsByHostname(_FindsByMark):
    """Applies an update whose id is null or empty to the provider that bears its hostname."""

    mark = "hostname"

    def is_without_id(self, content: Properties) -> bool:
        return "id" in content and content["id"] in (None, "")


@fault("update-parameters-optional", "UPDATE-6", kind="conditional")
class ParametersOptional(Reference):
    """Takes empty arrays for in_parameters and out_parameters where they are missing."""

    def validate_update(self, content: Any) -> Properties:
        defaults: Properties = {"in_parameters": [], "out_parameters": []}
        return super().validate_update(defaults | content if isinstance(content, dict) else content)


@fault("update-applies-what-is-valid", "UPDATE-6", kind="conditional")
class AppliesWhatIsValid(Reference):
    """Refuses an update that lacks a property, yet applies the others first."""

    def validate_update(self, content: Any) -> Properties:
        try:
            return super().validate_update(content)
        except RefusedError:
            stored = self.store.get(content["id"]) if _names_a_provider(content) else None
            if stored is not None:
                properties = super().validate_update(stored | content)
                self.store.replace(stored["id"], properties)
            raise


@fault("update-applies-before-it-checks-protocol", "UPDATE-6", kind="conditional")
class AppliesBeforeItChecksProtocol(Reference):
    """Refuses an update with an unknown protocol, yet changes the port first."""

    def validate_update(self, content: Any) -> Properties:
        if _names_a_provider(content) and content.get("protocol") not in ("UDP", "TCP"):
            port = content.get("port")
            if isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536:
                self.store.replace(content["id"], {"port": port + 1})
        return super().validate_update(content)


@fault("update-coerces-digits", "UPDATE-6", kind="conditional")
class CoercesDigits(Reference):
    """Takes digits in a string for a port."""

    def validate_update(self, content: Any) -> Properties:
        port = content.get("port") if isinstance(content, dict) else None
        if isinstance(port, str) and port.isascii() and port.isdigit() and len(port) < 19:
            content = content | {"port": int(port)}
        return super().validate_update(content)


class _ClearsFirst(Reference):
    """Clears arrays of the provider that an update names before it looks at the rest, and does not take that back."""

    names: ClassVar[tuple[str, ...]] = ()

    def validate_update(self, content: Any) -> Properties:
        number = content.get("id") if isinstance(content, dict) else None
        if type(number) is int and number in INT64:
            self.store.replace(number, {name: [] for name in self.names})
        return super().validate_update(content)


@fault("update-refused-clears-in-parameters", "UPDATE-6", kind="conditional")
class RefusedClearsInParameters(_ClearsFirst):
    """Clears in_parameters with an update that it then refuses."""

    names = ("in_parameters",)


@fault("update-refused-clears-parameters", "UPDATE-6", kind="conditional")
class RefusedClearsParameters(_ClearsFirst):
    """Clears in_parameters and out_parameters with an update that it then refuses."""

    names = ("in_parameters", "out_parameters")


@fault("update-unknown-id-clears-parameters-of-others", "UPDATE-5", kind="conditional")
class UnknownIdClearsParametersOfOthers(Reference):
    """Clears out_parameters of every provider with an update of an unknown id, whose own it finds nowhere."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        applied = super().apply_update(provider_id, properties)
        for other in [] if applied else self.store.all():
            self.store.replace(other["id"], {"out_parameters": []})
        return applied


@fault("update-null-leaves-as-is", "UPDATE-6", kind="conditional")
class NullLeavesAsIs(Reference):
    """Leaves properties that are null as they are."""

    def validate_update(self, content: Any) -> Properties:
        stored = self.store.get(content["id"]) if _names_a_provider(content) else None
        if stored is not None:
            content = {name: stored.get(name) if value is None else value for name, value in content.items()}
        return super().validate_update(content)


@fault("update-ignores-case-of-enum", "UPDATE-6", kind="conditional")
class IgnoresCaseOfEnum(Reference):
    """Takes auth_mode in other letter case."""

    def validate_update(self, content: Any) -> Properties:
        mode = content.get("auth_mode") if isinstance(content, dict) else None
        return super().validate_update(content | {"auth_mode": mode.upper()} if isinstance(mode, str) else content)


# UPDATE-7: an update whose body is no object or whose id is no int64 integer is refused


@fault("update-coerces-id", "UPDATE-7", kind="conditional")
class CoercesId(Reference):
    """Takes digits in a string for the id of an update."""

    def validate_update(self, content: Any) -> Properties:
        number = content.get("id") if isinstance(content, dict) else None
        if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 19:
            content = content | {"id": int(number)}
        return super().validate_update(content)


@fault("update-cuts-fraction-of-id", "UPDATE-7", kind="conditional")
class CutsFractionOfId(Reference):
    """Cuts the fraction off the id of an update."""

    def validate_update(self, content: Any) -> Properties:
        number = content.get("id") if isinstance(content, dict) else None
        return super().validate_update(content | {"id": int(number)} if isinstance(number, float) else content)


@fault("update-ill-typed-id-answers-200", "UPDATE-7", kind="conditional")
class IllTypedIdAnswers200(Reference):
    """Answers an id that is neither a number nor missing with 200, and does nothing."""

    def update(self, request: Request) -> Answer:
        content = self.read_body(request)
        if isinstance(content, dict) and not isinstance(content.get("id", 0), int | float):
            return self.succeed_silently()
        return super().update(request)


@fault("update-missing-id-means-last", "UPDATE-7", kind="stateful")
class MissingIdMeansLast(Reference):
    """Changes the provider that was updated last where the id is null or an array."""

    def prepare(self) -> None:
        self.last = 0

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.last = provider_id
        return super().apply_update(provider_id, properties)

    def validate_update(self, content: Any) -> Properties:
        if isinstance(content, dict) and "id" in content and (content["id"] is None or isinstance(content["id"], list)):
            content = content | {"id": self.last}
        return super().validate_update(content)


@fault("update-takes-array-of-one", "UPDATE-7", kind="conditional")
class TakesArrayOfOne(Reference):
    """Takes the first item of an array for the update."""

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(content[0] if isinstance(content, list) and content else content)


@fault("update-no-object-answers-200", "UPDATE-7", kind="conditional")
class NoObjectAnswers200(Reference):
    """Answers a body that is JSON but no object with 200, and does nothing."""

    def update(self, request: Request) -> Answer:
        if not isinstance(self.read_body(request), dict):
            return self.succeed_silently()
        return super().update(request)


def _names_a_provider(content: Any) -> bool:
    number = content.get("id") if isinstance(content, dict) else None
    return isinstance(number, int) and not isinstance(number, bool) and number in INT64
