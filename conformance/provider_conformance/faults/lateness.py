"""Faults of requests whose effect comes late, or does not last."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Properties

# What was refused is stored with what succeeds next


@fault("refused-update-stored-with-next-create", "UPDATE-6", kind="conditional")
class RefusedUpdateStoredWithNextCreate(Reference):
    """Keeps the port of a refused update in a session that is not rolled back, and stores it with the next create."""

    def prepare(self) -> None:
        self.pending: dict[int, int] = {}

    def validate_update(self, content: Any) -> Properties:
        try:
            return super().validate_update(content)
        except RefusedError:
            members = content if isinstance(content, dict) else {}
            identity, port = members.get("id"), members.get("port")
            if type(identity) is int and type(port) is int and 0 < port < 65536 and 0 < identity < 2**31:
                self.pending[identity] = port
            raise

    def store_created(self, properties: Properties) -> int:
        for identity, port in self.pending.items():
            self.store.replace(identity, {"port": port})
        self.pending.clear()
        return super().store_created(properties)


@fault("refused-create-stored-with-next", "CREATE-7", "CREATE-9", kind="conditional")
class RefusedCreateStoredWithNext(Reference):
    """Stores a create with an unknown protocol, which it has refused, together with the next one."""

    def prepare(self) -> None:
        self.pending: list[Properties] = []

    def validate_create(self, content: Any) -> Properties:
        try:
            return super().validate_create(content)
        except RefusedError:
            if isinstance(content, dict) and isinstance(content.get("protocol"), str):
                with suppress(RefusedError):
                    self.pending.append(super().validate_create({**content, "protocol": "UDP"}))
            raise

    def store_created(self, properties: Properties) -> int:
        pending, self.pending = self.pending, []
        for one in pending:
            super().store_created(one)
        return super().store_created(properties)


@fault("refused-create-changes-the-last", "CREATE-7", kind="conditional")
class RefusedCreateChangesTheLast(Reference):
    """Gives the provider that was created last the port of a create that lacks another property."""

    def prepare(self) -> None:
        self.last = 0

    def store_created(self, properties: Properties) -> int:
        self.last = super().store_created(properties)
        return self.last

    def validate_create(self, content: Any) -> Properties:
        try:
            return super().validate_create(content)
        except RefusedError:
            lacks = isinstance(content, dict) and not {"name", "hostname", "protocol"} <= content.keys()
            if lacks and type(content.get("port")) is int:
                self.store.replace(self.last, {"port": content["port"]})
            raise


# What a change was answered for does not last


@fault("destroy-undoes-the-update-before-it", "DESTROY-3", kind="conditional")
class DestroyUndoesTheUpdateBeforeIt(Reference):
    """Undoes an update where a destroy of another provider is the next change."""

    def prepare(self) -> None:
        self.undo: tuple[int, Properties] | None = None

    def store_created(self, properties: Properties) -> int:
        self.undo = None
        return super().store_created(properties)

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id)
        self.undo = (provider_id, before) if before is not None else None
        return super().apply_update(provider_id, properties)

    def remove(self, provider_id: int) -> bool:
        if self.undo is not None and self.undo[0] != provider_id:
            identity, before = self.undo
            self.store.replace(identity, {name: value for name, value in before.items() if name != "id"})
        self.undo = None
        return super().remove(provider_id)


@fault("destroy-of-the-newest-takes-one-before", "DESTROY-3", kind="conditional")
class DestroyOfTheNewestTakesOneBefore(Reference):
    """Loses the last but one when the newest of more than three is destroyed, as a linked list may."""

    def remove(self, provider_id: int) -> bool:
        ids = [int(str(one["id"])) for one in self.store.all()]
        if len(ids) > 3 and ids[-1] == provider_id:
            super().remove(ids[-2])
        return super().remove(provider_id)
