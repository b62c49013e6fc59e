"""Faults of requests whose effect comes late, or depends on how a request is written."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request

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


# What depends on how a request is written


class _ReadsInOrder(Reference):
    """Sets properties in the order in which they come."""

    def validate_create(self, content: Any) -> Properties:
        return self.in_order(super().validate_create(content), list(content))

    def validate_update(self, content: Any) -> Properties:
        return self.in_order(super().validate_update(content), list(content))

    def in_order(self, properties: Properties, names: list[str]) -> Properties:
        """Return the properties as they are once all are set."""
        raise NotImplementedError


@fault("protocol-after-port-resets-port", "CREATE-4", "UPDATE-2", kind="conditional")
class ProtocolAfterPortResetsPort(_ReadsInOrder):
    """Sets the usual port again when the protocol is set after it."""

    def in_order(self, properties: Properties, names: list[str]) -> Properties:
        late = names.index("protocol") > names.index("port")
        return {**properties, "port": 5060} if late else properties


@fault("auth-mode-after-ips-clears-ips", "CREATE-4", "UPDATE-2", kind="conditional")
class AuthModeAfterIpsClearsIps(_ReadsInOrder):
    """Clears ips when the auth_mode is set after them."""

    def in_order(self, properties: Properties, names: list[str]) -> Properties:
        return {**properties, "ips": []} if names.index("auth_mode") > names.index("ips") else properties


@fault("update-with-id-first-refused", "UPDATE-1", kind="conditional")
class UpdateWithIdFirstRefused(Reference):
    """Refuses an update whose first member is its id."""

    def validate_update(self, content: Any) -> Properties:
        if isinstance(content, dict) and next(iter(content), None) == "id" and len(content) > 1:
            raise RefusedError(400, "id: unexpected")
        return super().validate_update(content)


@fault("create-into-a-small-buffer", "CREATE-1", kind="conditional")
class CreateIntoASmallBuffer(Reference):
    """Reads creates into a buffer of 700 bytes, and refuses longer ones."""

    def create(self, request: Request) -> Answer:
        if len(request.body) > 700:
            raise RefusedError(400, "body too long")
        return super().create(request)


@fault("create-after-an-empty-line-refused", "CREATE-1", kind="conditional")
class CreateAfterAnEmptyLineRefused(Reference):
    """Refuses a create whose JSON begins with white space."""

    def create(self, request: Request) -> Answer:
        if request.body[:1].isspace():
            raise RefusedError(400, "not an object")
        return super().create(request)


@fault("text-escapes-of-latin-letters-lost", "HTTP-7", kind="conditional")
class EscapesOfLatinLettersLost(Reference):
    """Reads escapes of ASCII and of surrogates alone; any other becomes a question mark."""

    def decode(self, body: bytes) -> Any:
        return super().decode(re.sub(rb"(?<!\\)\\u00[89a-fA-F][0-9a-fA-F]", b"?", body))


@fault("text-keeps-the-backslash-of-a-slash", "HTTP-7", kind="conditional")
class KeepsTheBackslashOfASlash(Reference):
    """Knows no escape for the slash, and keeps its backslash."""

    def decode(self, body: bytes) -> Any:
        return super().decode(re.sub(rb"(?<!\\)\\/", rb"\\\\/", body))
