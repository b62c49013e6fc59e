"""Faults of show."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import INT64, Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters


# SHOW-1: 200 and an object with the id that was asked for


@fault("show-answers-203", "SHOW-1", kind="always")
class Answers203(Reference):
    """Answers show with 203."""

    def show(self, request: Request) -> Answer:
        return replace(super().show(request), status=203)


@fault("show-in-array", "SHOW-1", kind="always")
class InArray(Reference):
    """Answers show with an array of one provider."""

    def rendered_provider(self, provider: Properties) -> Any:
        return [provider]


@fault("show-in-envelope", "SHOW-1", kind="always")
class InEnvelope(Reference):
    """Wraps the provider in an object of its own."""

    def rendered_provider(self, provider: Properties) -> Any:
        return {"provider": provider}


@fault("show-without-id", "SHOW-1", kind="always")
class WithoutId(Reference):
    """Leaves the id out."""

    def rendered_provider(self, provider: Properties) -> Any:
        return {name: value for name, value in provider.items() if name != "id"}


@fault("show-other-id", "SHOW-1", kind="conditional")
class OtherId(Reference):
    """Gives an id of two digits or more without its last digit."""

    def rendered_provider(self, provider: Properties) -> Any:
        return provider | {"id": int(str(provider["id"])[:-1] or provider["id"])}


@fault("show-ip-auth-not-found", "SHOW-1", kind="conditional")
class IpAuthNotFound(Reference):
    """Does not find providers with IP_AUTH and no LAN."""

    def find(self, provider_id: int) -> Properties | None:
        provider = super().find(provider_id)
        hidden = provider and provider["auth_mode"] == "IP_AUTH" and not provider["provider_in_lan"]
        return None if hidden else provider


@fault("show-not-found-after-update", "SHOW-1", kind="stateful")
class NotFoundAfterUpdate(Reference):
    """Does not find a provider the first time after its update."""

    def prepare(self) -> None:
        self.changed: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.changed.add(provider_id)
        return super().apply_update(provider_id, properties)

    def find(self, provider_id: int) -> Properties | None:
        if provider_id in self.changed:
            self.changed.discard(provider_id)
            return None
        return super().find(provider_id)


@fault("show-not-found-before-list", "SHOW-1", kind="stateful")
class NotFoundBeforeList(Reference):
    """Does not find a new provider until some list has been asked for."""

    def prepare(self) -> None:
        self.unlisted: set[int] = set()

    def store_created(self, properties: Properties) -> int:
        provider_id = super().store_created(properties)
        self.unlisted.add(provider_id)
        return provider_id

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        self.unlisted.clear()
        return super().page_of(asked)

    def find(self, provider_id: int) -> Properties | None:
        return None if provider_id in self.unlisted else super().find(provider_id)


# SHOW-2: documented properties have their documented types


class _Renders(Reference):
    """Shows some properties otherwise than they are stored."""

    def rendered_provider(self, provider: Properties) -> Any:
        return provider | self.altered(provider)

    def altered(self, provider: Properties) -> Properties:
        """Return the properties that are shown otherwise."""
        raise NotImplementedError


@fault("show-port-as-text", "SHOW-2", kind="always")
class PortAsText(_Renders):
    """Shows port as a string."""

    def altered(self, provider: Properties) -> Properties:
        return {"port": str(provider["port"])}


@fault("show-interval-as-text", "SHOW-2", kind="always")
class IntervalAsText(_Renders):
    """Shows reregister_interval as a string."""

    def altered(self, provider: Properties) -> Properties:
        return {"reregister_interval": str(provider["reregister_interval"])}


@fault("show-booleans-as-numbers", "SHOW-2", kind="always")
class BooleansAsNumbers(_Renders):
    """Shows booleans as 0 and 1."""

    def altered(self, provider: Properties) -> Properties:
        return {name: int(value) for name, value in provider.items() if isinstance(value, bool)}


@fault("show-boolean-as-text", "SHOW-2", kind="always")
class BooleanAsText(_Renders):
    """Shows single_via_header as "true" and "false"."""

    def altered(self, provider: Properties) -> Properties:
        return {"single_via_header": str(provider["single_via_header"]).lower()}


@fault("show-ips-joined", "SHOW-2", kind="always")
class IpsJoined(_Renders):
    """Shows ips as one string, joined by commas."""

    def altered(self, provider: Properties) -> Properties:
        return {"ips": ",".join(map(str, provider["ips"]))}


@fault("show-null-for-empty-ips", "SHOW-2", kind="conditional")
class NullForEmptyIps(_Renders):
    """Shows empty ips as null."""

    def altered(self, provider: Properties) -> Properties:
        return {"ips": provider["ips"] or None}


@fault("show-single-ip-bare", "SHOW-2", kind="conditional")
class SingleIpBare(_Renders):
    """Shows ips of one item as that item."""

    def altered(self, provider: Properties) -> Properties:
        ips = provider["ips"]
        return {"ips": ips[0] if len(ips) == 1 else ips}


@fault("show-null-for-parameters", "SHOW-2", kind="conditional")
class NullForParameters(_Renders):
    """Shows in_parameters as null until an update has given it."""

    def prepare(self) -> None:
        self.updated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updated.add(provider_id)
        return super().apply_update(provider_id, properties)

    def altered(self, provider: Properties) -> Properties:
        return {} if provider["id"] in self.updated else {"in_parameters": None}


@fault("show-object-for-empty-parameters", "SHOW-2", kind="conditional")
class ObjectForEmptyParameters(_Renders):
    """Shows empty out_parameters as an empty object."""

    def altered(self, provider: Properties) -> Properties:
        return {"out_parameters": provider["out_parameters"] or {}}


@fault("show-null-password", "SHOW-2", kind="always")
class NullPassword(_Renders):
    """Shows null for the password."""

    def altered(self, provider: Properties) -> Properties:  # noqa: ARG002
        return {"password": None}


@fault("show-lower-case-enum", "SHOW-2", kind="always")
class LowerCaseEnum(_Renders):
    """Shows protocol in lower case."""

    def altered(self, provider: Properties) -> Properties:
        return {"protocol": provider["protocol"].lower()}


@fault("show-status-registered", "SHOW-2", kind="conditional")
class StatusRegistered(_Renders):
    """Shows REGISTERED for the status of a provider that is online."""

    def altered(self, provider: Properties) -> Properties:
        return {"status": "REGISTERED" if provider["status"] == "ONLINE" else provider["status"]}


@fault("show-digits-as-number", "SHOW-2", kind="conditional")
class DigitsAsNumber(_Renders):
    """Shows an auth_id of digits as a number."""

    def altered(self, provider: Properties) -> Properties:
        auth_id = provider["auth_id"]
        return {"auth_id": int(auth_id) if auth_id.isascii() and auth_id.isdigit() else auth_id}


@fault("show-fraction-after-update", "SHOW-2", kind="stateful")
class FractionAfterUpdate(_Renders):
    """Shows reregister_interval with a fraction once the provider has been updated."""

    def prepare(self) -> None:
        self.updated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updated.add(provider_id)
        return super().apply_update(provider_id, properties)

    def altered(self, provider: Properties) -> Properties:
        updated = provider["id"] in self.updated
        return {"reregister_interval": provider["reregister_interval"] + 0.5} if updated else {}


# SHOW-3: show and list change nothing


@fault("show-counts-in-interval", "SHOW-3", kind="always")
class CountsInInterval(Reference):
    """Adds a second to reregister_interval with every show."""

    def rendered_provider(self, provider: Properties) -> Any:
        self.store.replace(provider["id"], {"reregister_interval": provider["reregister_interval"] + 1})
        return provider


@fault("show-removes-ip", "SHOW-3", kind="conditional")
class RemovesIp(Reference):
    """Drops the last of several ips after showing them."""

    def rendered_provider(self, provider: Properties) -> Any:
        if len(provider["ips"]) > 1:
            self.store.replace(provider["id"], {"ips": provider["ips"][:-1]})
        return provider


@fault("show-switches-flag", "SHOW-3", kind="always")
class SwitchesFlag(Reference):
    """Switches single_via_header with every show."""

    def rendered_provider(self, provider: Properties) -> Any:
        self.store.replace(provider["id"], {"single_via_header": not provider["single_via_header"]})
        return provider


@fault("show-changes-other", "SHOW-3", kind="stateful")
class ChangesOther(Reference):
    """Gives the provider shown before the port of the one shown now."""

    def prepare(self) -> None:
        self.previous = 0

    def rendered_provider(self, provider: Properties) -> Any:
        if self.previous != provider["id"]:
            self.store.replace(self.previous, {"port": provider["port"]})
        self.previous = provider["id"]
        return provider


@fault("show-third-time-destroys", "SHOW-3", kind="stateful")
class ThirdTimeDestroys(Reference):
    """Removes a provider that is shown for the third time in a row."""

    def prepare(self) -> None:
        self.last = 0
        self.times = 0

    def rendered_provider(self, provider: Properties) -> Any:
        self.times = self.times + 1 if provider["id"] == self.last else 1
        self.last = provider["id"]
        if self.times == 3:
            self.store.delete(provider["id"])
        return provider


@fault("list-switches-lan", "SHOW-3", kind="conditional")
class ListSwitchesLan(Reference):
    """Sets provider_in_lan of every listed provider to false."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, providers = super().page_of(asked)
        for provider in providers:
            self.store.replace(provider["id"], {"provider_in_lan": False})
        return count, providers


@fault("list-removes-offline", "SHOW-3", kind="conditional")
class ListRemovesOffline(Reference):
    """Removes providers that are OFFLINE after listing them."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, providers = super().page_of(asked)
        for provider in providers:
            if provider["status"] == "OFFLINE":
                self.store.delete(provider["id"])
        return count, providers


# SHOW-4: no other provider for an unknown id


class _FindsOther(Reference):
    """Shows another provider where there is none of the id."""

    def find(self, provider_id: int) -> Properties | None:
        found = super().find(provider_id)
        return self.other(provider_id, self.store.all()) if found is None else found

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        """Return the other provider."""
        raise NotImplementedError


@fault("show-unknown-id-gives-first", "SHOW-4", kind="always")
class UnknownGivesFirst(_FindsOther):
    """Shows the oldest provider for an unknown id."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:  # noqa: ARG002
        return next(iter(everything), None)


@fault("show-unknown-id-gives-next", "SHOW-4", kind="conditional")
class UnknownGivesNext(_FindsOther):
    """Shows the provider of the next higher id."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        return next((provider for provider in everything if provider["id"] > provider_id), None)


@fault("show-unknown-id-gives-previous", "SHOW-4", kind="conditional")
class UnknownGivesPrevious(_FindsOther):
    """Shows the provider of the next lower id."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        return next((provider for provider in reversed(everything) if provider["id"] < provider_id), None)


@fault("show-unknown-id-disguises-next", "SHOW-4", kind="conditional")
class UnknownDisguisesNext(_FindsOther):
    """Shows the provider of the next higher id under the id that was asked for."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        following = (provider for provider in everything if provider["id"] > provider_id)
        return next((provider | {"id": provider_id} for provider in following), None)


@fault("show-id-in-32-bits", "SHOW-4", kind="conditional")
class IdInThirtyTwoBits(_FindsOther):
    """Looks at the lower 32 bits of the id only."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        return next((provider for provider in everything if provider["id"] == provider_id % 2**32), None)


@fault("show-id-without-sign", "SHOW-4", kind="conditional")
class IdWithoutSign(_FindsOther):
    """Ignores the sign of the id."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        return next((provider for provider in everything if provider["id"] == abs(provider_id)), None)


@fault("show-id-as-prefix", "SHOW-4", kind="conditional")
class IdAsPrefix(_FindsOther):
    """Shows a provider whose id begins with the digits of the one asked for, or the other way round."""

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:
        asked = str(provider_id)
        for provider in everything:
            if asked.startswith(str(provider["id"])) or str(provider["id"]).startswith(asked):
                return provider
        return None


@fault("show-unknown-id-gives-last-shown", "SHOW-4", kind="stateful")
class UnknownGivesLastShown(_FindsOther):
    """Shows the provider shown before for an unknown id."""

    def prepare(self) -> None:
        self.last: int | None = None

    def find(self, provider_id: int) -> Properties | None:
        found = super().find(provider_id)
        self.last = found["id"] if found is not None else None
        return found

    def other(self, provider_id: int, everything: list[Properties]) -> Properties | None:  # noqa: ARG002
        return next((provider for provider in everything if provider["id"] == self.last), None)


# SHOW-5: show of an unknown id is refused


class _AnswersUnknown(Reference):
    """Answers show of an unknown id with 200."""

    def show(self, request: Request) -> Answer:
        try:
            return super().show(request)
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return self.succeed(self.nothing(self.integer_parameter(self.parameters(request), "id", INT64)))

    def nothing(self, provider_id: int) -> Any:
        """Return what is shown."""
        raise NotImplementedError


@fault("show-unknown-id-gives-empty-object", "SHOW-5", kind="always")
class UnknownGivesEmptyObject(_AnswersUnknown):
    """Answers 200 and an empty object to show of an unknown id."""

    def nothing(self, provider_id: int) -> Any:  # noqa: ARG002
        return {}


@fault("show-unknown-id-gives-null", "SHOW-5", kind="always")
class UnknownGivesNull(_AnswersUnknown):
    """Answers 200 and null to show of an unknown id."""

    def nothing(self, provider_id: int) -> Any:  # noqa: ARG002
        return None


@fault("show-unknown-id-gives-error-with-200", "SHOW-5", kind="always")
class UnknownGivesErrorWith200(_AnswersUnknown):
    """Answers show of an unknown id with 200 and an error inside."""

    def nothing(self, provider_id: int) -> Any:  # noqa: ARG002
        return {"error": "no provider of this id", "code": 404}


@fault("show-destroyed-id-gives-its-id", "SHOW-5", kind="stateful")
class DestroyedGivesItsId(Reference):
    """Answers show of a destroyed id with 200 and the bare id."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        self.gone.add(provider_id)
        return super().remove(provider_id)

    def find(self, provider_id: int) -> Properties | None:
        return super().find(provider_id) or ({"id": provider_id} if provider_id in self.gone else None)


# SHOW-6: show without an id, or with one that is no int64 integer, is refused


class _ReadsId(Reference):
    """Takes something for an id that is none."""

    def parameters(self, request: Request) -> dict[str, list[str]]:
        parameters = super().parameters(request)
        if request.operation == "show":
            values = parameters.get("id", [])
            parameters["id"] = [self.read(values[0] if values else "")]
        return parameters

    def read(self, value: str) -> str:
        """Return what is taken for the id."""
        raise NotImplementedError


@fault("show-missing-id-gives-first", "SHOW-6", kind="conditional")
class MissingIdGivesFirst(_ReadsId):
    """Shows the oldest provider where the id is missing or empty."""

    def read(self, value: str) -> str:
        return value or next((str(provider["id"]) for provider in self.store.all()), value)


@fault("show-id-with-letters", "SHOW-6", kind="conditional")
class IdWithLetters(_ReadsId):
    """Ignores letters that follow the digits of an id."""

    def read(self, value: str) -> str:
        return value.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") or value


@fault("show-id-with-blanks", "SHOW-6", kind="conditional")
class IdWithBlanks(_ReadsId):
    """Ignores blanks after an id."""

    def read(self, value: str) -> str:
        return value.rstrip(" ")


@fault("show-id-with-line-feed", "SHOW-6", kind="conditional")
class IdWithLineFeed(_ReadsId):
    """Ignores a line feed after an id, as the dollar sign of many regular expressions does."""

    def read(self, value: str) -> str:
        return value.removesuffix("\n")


@fault("show-id-with-fraction", "SHOW-6", kind="conditional")
class IdWithFraction(_ReadsId):
    """Cuts the fraction off the id of a show."""

    def read(self, value: str) -> str:
        return value.partition(".")[0]


@fault("show-id-is-calculated", "SHOW-6", kind="conditional")
class IdIsCalculated(_ReadsId):
    """Writes the id into a query, where a difference is as good as a number."""

    def read(self, value: str) -> str:
        found = re.fullmatch("([0-9]{1,18})-([0-9]{1,18})", value, re.ASCII)
        return str(int(found[1]) - int(found[2])) if found else value


@fault("show-id-rounded-up", "SHOW-6", kind="conditional")
class IdRoundedUp(_ReadsId):
    """Takes the next integer for a fraction in the id of a show."""

    def read(self, value: str) -> str:
        digits, point, fraction = value.partition(".")
        is_fraction = point and digits.isascii() and digits.isdigit() and fraction.isdigit()
        return str(int(digits) + 1) if is_fraction else value


@fault("show-id-beyond-int64", "SHOW-6", kind="conditional")
class IdBeyondInt64(_ReadsId):
    """Takes the lower 64 bits of an id beyond int64 for the id of a show."""

    def read(self, value: str) -> str:
        is_number = value.isascii() and value.isdigit() and len(value) < 100
        return str((int(value) + 2**63) % 2**64 - 2**63) if is_number else value


@fault("show-ill-typed-id-answers-200", "SHOW-6", kind="conditional")
class IllTypedIdAnswers200(Reference):
    """Answers 200 and an empty object to an id that is no number."""

    def show(self, request: Request) -> Answer:
        try:
            return super().show(request)
        except RefusedError as refused:
            if refused.status != 400:
                raise
            return self.succeed({})
