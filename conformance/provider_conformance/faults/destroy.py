"""Faults of destroy."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import INT64, Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters


# DESTROY-1: destroy of an existing provider is answered with 200


@fault("destroy-answers-204", "DESTROY-1", kind="always")
class Answers204(Reference):
    """Answers destroy with 204."""

    def destroy(self, request: Request) -> Answer:
        return replace(super().destroy(request), status=204)


@fault("destroy-answers-404-though-done", "DESTROY-1", kind="always")
class Answers404(Reference):
    """Removes the provider and then answers 404, having looked for it once more."""

    def destroy(self, request: Request) -> Answer:
        super().destroy(request)
        raise RefusedError(404, "no provider of this id")


@fault("destroy-refuses-online", "DESTROY-1", kind="conditional")
class RefusesOnline(Reference):
    """Refuses to destroy a provider that was created ONLINE."""

    def remove(self, provider_id: int) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored["status"] == "ONLINE":
            raise RefusedError(409, "provider is online")
        return super().remove(provider_id)


@fault("destroy-refuses-ip-auth", "DESTROY-1", kind="conditional")
class RefusesIpAuth(Reference):
    """Refuses to destroy a provider with IP_AUTH."""

    def remove(self, provider_id: int) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None and stored["auth_mode"] == "IP_AUTH":
            raise RefusedError(400, "provider in use")
        return super().remove(provider_id)


@fault("destroy-refuses-updated", "DESTROY-1", kind="stateful")
class RefusesUpdated(Reference):
    """Refuses to destroy a provider that has been updated."""

    def prepare(self) -> None:
        self.updated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updated.add(provider_id)
        return super().apply_update(provider_id, properties)

    def remove(self, provider_id: int) -> bool:
        if provider_id in self.updated and self.store.get(provider_id) is not None:
            raise RefusedError(409, "provider was changed")
        return super().remove(provider_id)


@fault("destroy-needs-second-try", "DESTROY-1", kind="stateful")
class NeedsSecondTry(Reference):
    """Refuses the first destroy of a provider and takes the second."""

    def prepare(self) -> None:
        self.tried: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        if self.store.get(provider_id) is not None and provider_id not in self.tried:
            self.tried.add(provider_id)
            raise RefusedError(409, "try again")
        return super().remove(provider_id)


# DESTROY-2: a destroyed provider is neither shown nor listed


@fault("destroy-does-nothing", "DESTROY-2", kind="always")
class DoesNothing(Reference):
    """Answers 200 and removes nothing."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        known = provider_id not in self.gone and self.store.get(provider_id) is not None
        self.gone.add(provider_id)
        return known


@fault("destroy-keeps-ip-auth", "DESTROY-2", kind="conditional")
class KeepsIpAuth(Reference):
    """Answers 200 and removes nothing if the provider has IP_AUTH."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        stored = self.store.get(provider_id)
        if stored is None or stored["auth_mode"] != "IP_AUTH":
            return super().remove(provider_id)
        known = provider_id not in self.gone
        self.gone.add(provider_id)
        return known


@fault("destroy-keeps-showing", "DESTROY-2", kind="always")
class KeepsShowing(Reference):
    """Goes on to show a destroyed provider, which is listed no more."""

    def prepare(self) -> None:
        self.gone: dict[int, Properties] = {}

    def remove(self, provider_id: int) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None:
            self.gone[provider_id] = stored
        return super().remove(provider_id)

    def find(self, provider_id: int) -> Properties | None:
        return super().find(provider_id) or self.gone.get(provider_id)


@fault("destroy-keeps-showing-the-shown", "DESTROY-2", kind="stateful")
class KeepsShowingTheShown(Reference):
    """Goes on to show a destroyed provider that was shown before."""

    def prepare(self) -> None:
        self.shown: dict[int, Properties] = {}

    def find(self, provider_id: int) -> Properties | None:
        provider = super().find(provider_id)
        if provider is not None:
            self.shown[provider_id] = provider
        return provider or self.shown.get(provider_id)


@fault("destroy-keeps-listing", "DESTROY-2", kind="always")
class KeepsListing(Reference):
    """Goes on to list a destroyed provider, which is shown no more."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        known = provider_id not in self.gone and self.store.get(provider_id) is not None
        self.gone.add(provider_id)
        return known

    def find(self, provider_id: int) -> Properties | None:
        return None if provider_id in self.gone else super().find(provider_id)

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        return provider_id not in self.gone and super().apply_update(provider_id, properties)


class _RemembersLast(Reference):
    """Keeps what the provider destroyed last was like."""

    def prepare(self) -> None:
        self.last: Properties | None = None

    def remove(self, provider_id: int) -> bool:
        stored = self.store.get(provider_id)
        removed = super().remove(provider_id)
        self.last = stored if stored is not None else self.last
        return removed


@fault("destroy-keeps-listing-newest", "DESTROY-2", kind="stateful")
class KeepsListingNewest(_RemembersLast):
    """Goes on to list the provider destroyed last until the next create."""

    def store_created(self, properties: Properties) -> int:
        self.last = None
        return super().store_created(properties)

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, _ = super().page_of(asked)
        _, everything = self.store.page(0, count, self.order(asked.sort_by))
        everything += [self.last] if self.last is not None else []
        start = (asked.pagination - 1) * asked.pagesize
        return len(everything), everything[start : start + asked.pagesize]


@fault("destroy-keeps-listing-on-second-page", "DESTROY-2", kind="stateful")
class KeepsListingOnSecondPage(_RemembersLast):
    """Lists the provider destroyed last in place of the last one of page 2."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, page = super().page_of(asked)
        if asked.pagination == 2 and page and self.last is not None:
            return count, [*page[:-1], self.last]
        return count, page


class _BringsBackLast(_RemembersLast):
    def prepare(self) -> None:
        super().prepare()
        self.turn = threading.Lock()

    def bring_back(self) -> None:
        """Store the provider destroyed last anew, once, however many requests come at the same time."""
        with self.turn:
            last, self.last = self.last, None
        if last is not None:
            self.store.insert(last)


@fault("destroy-undone-by-create", "DESTROY-2", kind="stateful")
class UndoneByCreate(_BringsBackLast):
    """Brings the provider destroyed last back when another one is created."""

    def store_created(self, properties: Properties) -> int:
        self.bring_back()
        return super().store_created(properties)


@fault("destroy-undone-by-update", "DESTROY-2", kind="stateful")
class UndoneByUpdate(_BringsBackLast):
    """Brings the provider destroyed last back when another one is updated."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        applied = super().apply_update(provider_id, properties)
        if applied:
            self.bring_back()
        return applied


# DESTROY-3: every other provider stays


class _TakesOthers(Reference):
    """Removes other providers as well."""

    def remove(self, provider_id: int) -> bool:
        gone = self.store.get(provider_id)
        if gone is not None:
            for other in self.store.all():
                if other["id"] != provider_id and self.is_affected(other, gone):
                    self.store.delete(other["id"])
        return super().remove(provider_id)

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        """Tell whether another provider is removed, too."""
        raise NotImplementedError


@fault("destroy-takes-next", "DESTROY-3", kind="conditional")
class TakesNext(_TakesOthers):
    """Removes the provider with the next id, too."""

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        return bool(other["id"] == gone["id"] + 1)


@fault("destroy-takes-previous", "DESTROY-3", kind="conditional")
class TakesPrevious(_TakesOthers):
    """Removes the provider with the id before, too."""

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        return bool(other["id"] == gone["id"] - 1)


@fault("destroy-takes-prefix-of-name", "DESTROY-3", kind="conditional")
class TakesPrefixOfName(_TakesOthers):
    """Removes every provider whose name begins with the name of the destroyed one, too."""

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        return bool(other["name"].startswith(gone["name"]))


@fault("destroy-takes-same-outbound-server", "DESTROY-3", kind="conditional")
class TakesSameOutboundServer(_TakesOthers):
    """Removes every provider with the same outbound server, too."""

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        return bool(other["outbound_server"] == gone["outbound_server"])


@fault("destroy-takes-same-hostname", "DESTROY-3", kind="conditional")
class TakesSameHostname(_TakesOthers):
    """Removes every provider with the same hostname, too."""

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        return bool(other["hostname"] == gone["hostname"])


@fault("destroy-takes-older", "DESTROY-3", kind="conditional")
class TakesOlder(_TakesOthers):
    """Removes every older provider of the same auth_mode, too."""

    def is_affected(self, other: Properties, gone: Properties) -> bool:
        return bool(other["id"] < gone["id"] and other["auth_mode"] == gone["auth_mode"])


@fault("destroy-hides-others", "DESTROY-3", kind="conditional")
class HidesOthers(Reference):
    """Lists no provider that is older than the one destroyed last."""

    def prepare(self) -> None:
        self.destroyed = 0

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        if removed:
            self.destroyed = provider_id
        return removed

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, _ = super().page_of(asked)
        _, everything = self.store.page(0, count, self.order(asked.sort_by))
        listed = [provider for provider in everything if provider["id"] > self.destroyed]
        start = (asked.pagination - 1) * asked.pagesize
        return len(listed), listed[start : start + asked.pagesize]


@fault("destroy-third-takes-oldest", "DESTROY-3", kind="stateful")
class ThirdTakesOldest(Reference):
    """Removes the oldest provider with every third destroy, too."""

    def prepare(self) -> None:
        self.destroyed = 0

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        self.destroyed += removed
        if removed and self.destroyed % 3 == 0:
            for oldest in self.store.all()[:1]:
                self.store.delete(oldest["id"])
        return removed


@fault("destroy-again-takes-oldest", "DESTROY-3", kind="stateful")
class AgainTakesOldest(Reference):
    """Removes the oldest provider when one is destroyed that was destroyed before."""

    def prepare(self) -> None:
        self.destroyed: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        if provider_id in self.destroyed:
            for oldest in self.store.all()[:1]:
                self.store.delete(oldest["id"])
        self.destroyed.add(provider_id)
        return super().remove(provider_id)


# DESTROY-4: an id that is not an int64 integer is answered with exactly 400


class _AnswersIllTyped(Reference):
    """Answers an ill-typed id otherwise than with 400."""

    status = 422

    def destroyed_id(self, content: Any) -> int:
        if isinstance(content, dict) and "id" in content and self.is_affected(content["id"]):
            raise RefusedError(self.status, "id: not valid")
        return super().destroyed_id(content)

    def is_affected(self, value: Any) -> bool:
        """Tell whether an id is answered otherwise."""
        raise NotImplementedError


@fault("destroy-answers-422-to-ill-typed", "DESTROY-4", kind="always")
class Answers422ToIllTyped(_AnswersIllTyped):
    """Answers an id that is no integer with 422."""

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, bool) or not isinstance(value, int | float)


@fault("destroy-answers-404-to-text", "DESTROY-4", kind="conditional")
class Answers404ToText(_AnswersIllTyped):
    """Answers an id that is a string with 404."""

    status = 404

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, str)


@fault("destroy-answers-422-to-fraction", "DESTROY-4", kind="conditional")
class Answers422ToFraction(_AnswersIllTyped):
    """Answers an id with a fraction with 422."""

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, float) and not value.is_integer()


@fault("destroy-answers-404-to-too-large", "DESTROY-4", kind="conditional")
class Answers404ToTooLarge(_AnswersIllTyped):
    """Answers an id beyond int64 with 404."""

    status = 404

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, int) and value not in INT64


@fault("destroy-answers-404-to-boolean", "DESTROY-4", kind="conditional")
class Answers404ToBoolean(_AnswersIllTyped):
    """Answers an id that is a boolean with 404."""

    status = 404

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, bool)


@fault("destroy-answers-404-to-null", "DESTROY-4", kind="conditional")
class Answers404ToNull(_AnswersIllTyped):
    """Answers null for an id with 404."""

    status = 404

    def is_affected(self, value: Any) -> bool:
        return value is None


@fault("destroy-answers-422-to-array", "DESTROY-4", kind="conditional")
class Answers422ToArray(_AnswersIllTyped):
    """Answers an array for an id with 422."""

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, list)


@fault("destroy-second-ill-typed-409", "DESTROY-4", kind="stateful")
class SecondIllTyped409(_AnswersIllTyped):
    """Answers an ill-typed id with 409 right after another one."""

    status = 409

    def prepare(self) -> None:
        self.previous = False

    def is_affected(self, value: Any) -> bool:
        previous, self.previous = self.previous, isinstance(value, bool) or not isinstance(value, int)
        return previous and self.previous and not isinstance(value, float)


class _Silent(Reference):
    """Answers 200 to an id that is not an integer, and does nothing."""

    def destroy(self, request: Request) -> Answer:
        content = self.read_body(request)
        if isinstance(content, dict) and "id" in content and self.is_affected(content["id"]):
            return self.succeed_silently()
        return super().destroy(request)

    def is_affected(self, value: Any) -> bool:
        """Tell whether an id is answered with 200."""
        raise NotImplementedError


@fault("destroy-answers-200-to-null", "DESTROY-4", kind="conditional")
class Answers200ToNull(_Silent):
    """Answers null for an id with 200."""

    def is_affected(self, value: Any) -> bool:
        return value is None


@fault("destroy-answers-200-to-array", "DESTROY-4", kind="conditional")
class Answers200ToArray(_Silent):
    """Answers an array for an id with 200, whatever is in it."""

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, list)


@fault("destroy-answers-200-to-text", "DESTROY-4", kind="conditional")
class Answers200ToText(_Silent):
    """Answers an id that is a string with 200, whatever is in it."""

    def is_affected(self, value: Any) -> bool:
        return isinstance(value, str)


class _Coerces(Reference):
    """Makes an integer of an id that is none, and destroys the provider of that id."""

    def destroyed_id(self, content: Any) -> int:
        if isinstance(content, dict) and "id" in content:
            content = content | {"id": self.coerced(content["id"])}
        return super().destroyed_id(content)

    def coerced(self, value: Any) -> Any:
        """Return what is taken for the id."""
        raise NotImplementedError


@fault("destroy-coerces-text", "DESTROY-4", kind="conditional")
class CoercesText(_Coerces):
    """Takes digits in a string for the id of a destroy."""

    def coerced(self, value: Any) -> Any:
        is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20
        return int(value) if is_number else value


@fault("destroy-coerces-text-with-a-blank", "DESTROY-4", kind="conditional")
class CoercesTextWithABlank(_Coerces):
    """Takes a string of digits with a blank after them for an id, and no other string."""

    def coerced(self, value: Any) -> Any:
        digits = value[:-1] if isinstance(value, str) and value.endswith(" ") else ""
        return int(digits) if digits.isascii() and digits.isdigit() else value


@fault("destroy-coerces-fraction", "DESTROY-4", kind="conditional")
class CoercesFraction(_Coerces):
    """Cuts the fraction off the id of a destroy."""

    def coerced(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) else value


@fault("destroy-coerces-array", "DESTROY-4", kind="conditional")
class CoercesArray(_Coerces):
    """Takes the first item of an array for the id."""

    def coerced(self, value: Any) -> Any:
        return value[0] if isinstance(value, list) and value else value


@fault("destroy-coerces-too-large", "DESTROY-4", kind="conditional")
class CoercesTooLarge(_Coerces):
    """Takes the lower 64 bits of an id beyond int64 for the id of a destroy."""

    def coerced(self, value: Any) -> Any:
        is_large = isinstance(value, int) and value not in INT64
        return (value + 2**63) % 2**64 - 2**63 if is_large else value


# DESTROY-5: an id that names no provider is answered with exactly 400


@fault("destroy-unknown-id-answers-200", "DESTROY-5", kind="always")
class UnknownIdAnswers200(Reference):
    """Answers a destroy of an unknown id with 200."""

    def remove(self, provider_id: int) -> bool:
        super().remove(provider_id)
        return True


@fault("destroy-unknown-id-answers-404", "DESTROY-5", kind="always")
class UnknownIdAnswers404(Reference):
    """Answers a destroy of an unknown id with 404."""

    def remove(self, provider_id: int) -> bool:
        if not super().remove(provider_id):
            raise RefusedError(404, "no provider of this id")
        return True


@fault("destroy-again-answers-410", "DESTROY-5", kind="stateful")
class AgainAnswers410(Reference):
    """Answers a destroy of a destroyed id with 410."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        if provider_id in self.gone:
            raise RefusedError(410, "provider is gone")
        removed = super().remove(provider_id)
        if removed:
            self.gone.add(provider_id)
        return removed


@fault("destroy-again-answers-200", "DESTROY-5", kind="stateful")
class AgainAnswers200(Reference):
    """Answers the second destroy of an id with 200, and the third with 400."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        if provider_id in self.gone:
            self.gone.discard(provider_id)
            return True
        removed = super().remove(provider_id)
        if removed:
            self.gone.add(provider_id)
        return removed


# DESTROY-6: a destroy whose body lacks id or is not a JSON object is refused


@fault("destroy-without-id-answers-200", "DESTROY-6", kind="conditional")
class WithoutIdAnswers200(Reference):
    """Answers an object without id with 200, and does nothing."""

    def destroy(self, request: Request) -> Answer:
        content = self.read_body(request)
        if isinstance(content, dict) and "id" not in content:
            return self.succeed_silently()
        return super().destroy(request)


@fault("destroy-takes-bare-id", "DESTROY-6", kind="conditional")
class TakesBareId(Reference):
    """Takes a bare integer for the id."""

    def destroyed_id(self, content: Any) -> int:
        is_bare = isinstance(content, int) and not isinstance(content, bool)
        return super().destroyed_id({"id": content} if is_bare else content)


@fault("destroy-takes-several", "DESTROY-6", kind="conditional")
class TakesSeveral(Reference):
    """Takes an array of objects and destroys each of them."""

    def destroy(self, request: Request) -> Answer:
        content = self.read_body(request)
        if isinstance(content, list):
            for item in content:
                self.remove(self.destroyed_id(item))
            return self.succeed_silently()
        return super().destroy(request)


@fault("destroy-no-object-answers-200", "DESTROY-6", kind="conditional")
class NoObjectAnswers200(Reference):
    """Answers a body that is no JSON with 200, and does nothing."""

    def destroy(self, request: Request) -> Answer:
        try:
            self.read_body(request)
        except RefusedError as refused:
            if refused.status != 400:
                raise
            return self.succeed_silently()
        return super().destroy(request)


@fault("destroy-without-id-takes-newest", "DESTROY-6", kind="stateful")
class WithoutIdTakesNewest(Reference):
    """Destroys the provider that was created last where the id is missing."""

    def prepare(self) -> None:
        self.newest = 0

    def store_created(self, properties: Properties) -> int:
        self.newest = super().store_created(properties)
        return self.newest

    def destroyed_id(self, content: Any) -> int:
        return super().destroyed_id({"id": self.newest} | content if isinstance(content, dict) else content)
