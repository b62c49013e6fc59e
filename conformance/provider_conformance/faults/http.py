"""Faults of HTTP and JSON as such: HTTP-1 and HTTP-10."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference import jsonbody
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request


# HTTP-1: the JSON of 200 answers is application/json, well-formed, in UTF-8


class _MediaType(Reference):
    """Sends the JSON of every answer as another media type."""

    media_type: str | None = None

    def succeed(self, content: object) -> Answer:
        return replace(super().succeed(content), media_type=self.media_type)


@fault("http-json-as-html", "HTTP-1", kind="always")
class JsonAsHtml(_MediaType):
    """Sends JSON as text/html."""

    media_type = "text/html; charset=utf-8"


@fault("http-json-as-text", "HTTP-1", kind="always")
class JsonAsText(_MediaType):
    """Sends JSON as text/plain."""

    media_type = "text/plain"


@fault("http-json-without-type", "HTTP-1", kind="always")
class JsonWithoutType(_MediaType):
    """Sends JSON without a Content-Type."""

    media_type = None


@fault("http-json-as-text-json", "HTTP-1", kind="always")
class JsonAsTextJson(_MediaType):
    """Sends JSON as text/json."""

    media_type = "text/json"


@fault("http-list-as-javascript", "HTTP-1", kind="conditional")
class ListAsJavascript(Reference):
    """Sends the JSON of list as application/javascript."""

    def list_providers(self, request: Request) -> Answer:
        return replace(super().list_providers(request), media_type="application/javascript")


@fault("http-create-as-text", "HTTP-1", kind="conditional")
class CreateAsText(Reference):
    """Sends the JSON of create as text/plain."""

    def create(self, request: Request) -> Answer:
        return replace(super().create(request), media_type="text/plain")


@fault("http-byte-order-mark", "HTTP-1", kind="always")
class ByteOrderMark(Reference):
    """Sends a byte order mark before JSON."""

    def encode(self, content: object) -> bytes:
        return b"\xef\xbb\xbf" + super().encode(content)


@fault("http-byte-order-mark-of-list", "HTTP-1", kind="conditional")
class ByteOrderMarkOfList(Reference):
    """Sends a byte order mark before the JSON of list."""

    def list_providers(self, request: Request) -> Answer:
        answer = super().list_providers(request)
        return replace(answer, body=b"\xef\xbb\xbf" + answer.body)


@fault("http-duplicate-id", "HTTP-1", kind="always")
class DuplicateId(Reference):
    """Shows the id twice."""

    def show(self, request: Request) -> Answer:
        answer = super().show(request)
        provider_id = jsonbody.decode(answer.body)["id"]
        return replace(answer, body=b'{"id":%d,' % provider_id + answer.body[1:])


@fault("http-duplicate-count", "HTTP-1", kind="conditional")
class DuplicateCount(Reference):
    """Gives count a second time where list has more than one page."""

    def list_providers(self, request: Request) -> Answer:
        answer = super().list_providers(request)
        content = jsonbody.decode(answer.body)
        if content["page_count"] <= 1:
            return answer
        return replace(answer, body=b'{"count":%d,' % content["count"] + answer.body[1:])


@fault("http-duplicate-name-after-update", "HTTP-1", kind="stateful")
class DuplicateNameAfterUpdate(Reference):
    """Shows the port twice once the provider has been updated, the old one first."""

    def prepare(self) -> None:
        self.ports: dict[int, int] = {}

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is not None:
            self.ports[provider_id] = stored["port"]
        return super().apply_update(provider_id, properties)

    def show(self, request: Request) -> Answer:
        answer = super().show(request)
        port = self.ports.get(jsonbody.decode(answer.body)["id"])
        return answer if port is None else replace(answer, body=b'{"port":%d,' % port + answer.body[1:])


@fault("http-latin-1", "HTTP-1", kind="conditional")
class Latin1(Reference):
    """Sends letters beyond ASCII in ISO 8859-1."""

    def encode(self, content: object) -> bytes:
        text = super().encode(content).decode("utf-8")
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            return text.encode("utf-8")


@fault("http-utf-16-list", "HTTP-1", kind="conditional")
class Utf16List(Reference):
    """Sends the JSON of list in UTF-16."""

    def list_providers(self, request: Request) -> Answer:
        answer = super().list_providers(request)
        return replace(answer, body=answer.body.decode("utf-8").encode("utf-16-be"))


@fault("http-guard-before-json", "HTTP-1", kind="conditional")
class GuardBeforeJson(Reference):
    """Sends the guard )]}', of some frameworks before the JSON of list."""

    def list_providers(self, request: Request) -> Answer:
        answer = super().list_providers(request)
        return replace(answer, body=b")]}',\n" + answer.body)


@fault("http-trailing-comma", "HTTP-1", kind="conditional")
class TrailingComma(Reference):
    """Shows a provider with a comma after the last property."""

    def show(self, request: Request) -> Answer:
        answer = super().show(request)
        return replace(answer, body=answer.body[:-1] + b",}")


@fault("http-escapes-at-sign", "HTTP-1", kind="conditional")
class EscapesAtSign(Reference):
    """Escapes @ with a backslash, which JSON does not have."""

    def encode(self, content: object) -> bytes:
        return super().encode(content).replace(b"@", b"\\@")


@fault("http-third-show-as-text", "HTTP-1", kind="stateful")
class ThirdShowAsText(Reference):
    """Sends every third answer of show as text/plain, as if out of a cache."""

    def prepare(self) -> None:
        self.shown = 0

    def show(self, request: Request) -> Answer:
        answer = super().show(request)
        self.shown += 1
        return replace(answer, media_type="text/plain") if self.shown % 3 == 0 else answer


# HTTP-10: application/json is accepted with and without charset=utf-8


class _RefusesType(Reference):
    """Refuses some spellings of application/json."""

    operations_affected: tuple[str, ...] = ("create", "update", "destroy")

    def is_json_type(self, declared: str, request: Request) -> bool:
        if request.operation in self.operations_affected and not self.accepts(declared):
            return False
        return super().is_json_type(declared, request)

    def accepts(self, declared: str) -> bool:
        """Tell whether a Content-Type is accepted."""
        return ";" not in declared


@fault("http-charset-refused", "HTTP-10", kind="conditional")
class CharsetRefused(_RefusesType):
    """Refuses application/json with a charset."""


@fault("http-charset-refused-by-create", "HTTP-10", kind="conditional")
class CharsetRefusedByCreate(_RefusesType):
    """Refuses application/json with a charset on create."""

    operations_affected = ("create",)


@fault("http-charset-refused-by-update", "HTTP-10", kind="conditional")
class CharsetRefusedByUpdate(_RefusesType):
    """Refuses application/json with a charset on update."""

    operations_affected = ("update",)


@fault("http-charset-refused-by-destroy", "HTTP-10", kind="conditional")
class CharsetRefusedByDestroy(_RefusesType):
    """Refuses application/json with a charset on destroy."""

    operations_affected = ("destroy",)


@fault("http-charset-required-by-update", "HTTP-10", kind="always")
class CharsetRequiredByUpdate(_RefusesType):
    """Refuses application/json without a charset on update."""

    operations_affected = ("update",)

    def accepts(self, declared: str) -> bool:
        return ";" in declared


@fault("http-space-before-charset-refused", "HTTP-10", kind="conditional")
class SpaceBeforeCharsetRefused(_RefusesType):
    """Refuses a space between application/json and its charset."""

    def accepts(self, declared: str) -> bool:
        return "; " not in declared


@fault("http-charset-refused-after-change", "HTTP-10", kind="stateful")
class CharsetRefusedAfterChange(Reference):
    """Refuses a request whose charset is not the one of the request before."""

    def prepare(self) -> None:
        self.previous: str | None = None

    def check_media_type(self, request: Request) -> None:
        super().check_media_type(request)
        declared = request.header(b"content-type")[0].decode("latin-1").lower()
        charset = declared.partition(";")[2].strip()
        changed = self.previous is not None and charset != self.previous
        self.previous = charset
        if changed:
            raise RefusedError(415, "Content-Type: changed")


@fault("http-charset-read-as-utf-16", "HTTP-10", kind="conditional")
class CharsetReadAsUtf16(Reference):
    """Reads a body with a charset as UTF-16, and hence refuses it."""

    def read_body(self, request: Request) -> Any:
        self.check_media_type(request)
        if ";" in request.header(b"content-type")[0].decode("latin-1"):
            raise RefusedError(400, "body: not well-formed")
        return self.decode(request.body)
