"""Faults that depend on how a body is written: the order of its members, its length, its blanks and escapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request


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
