"""Faults of HTTP and JSON as such."""

from __future__ import annotations

import random
import time
import traceback
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference import jsonbody
from provider_conformance.reference.messages import JSON, Answer, RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider_conformance.reference.messages import Properties, Request


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


@fault("http-comma-in-empty-list", "HTTP-1", kind="conditional")
class CommaInEmptyList(Reference):
    """Lists nobody with a comma between the brackets."""

    def list_providers(self, request: Request) -> Answer:
        answer = super().list_providers(request)
        return replace(answer, body=answer.body.replace(b'"providers":[]', b'"providers":[,]'))


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


# HTTP-2: no well-formed request is answered with 5xx


class _Breaks(Reference):
    """Answers some requests with 500."""

    def answer(self, request: Request) -> Answer:
        if self.is_affected(request):
            return self.refusal(RefusedError(500, "internal error"))
        return super().answer(request)

    def is_affected(self, request: Request) -> bool:
        """Tell whether a request is answered with 500."""
        raise NotImplementedError


@fault("http-500-for-malformed-json", "HTTP-2", kind="conditional")
class BreaksAtMalformedJson(Reference):
    """Answers a body that is not JSON with 500."""

    def decode(self, body: bytes) -> Any:
        try:
            return super().decode(body)
        except RefusedError:
            raise RefusedError(500, "internal error") from None


@fault("http-500-for-array", "HTTP-2", kind="conditional")
class BreaksAtArray(Reference):
    """Answers a body that is a JSON array with 500."""

    def decode(self, body: bytes) -> Any:
        content = super().decode(body)
        if isinstance(content, list):
            raise RefusedError(500, "internal error")
        return content


@fault("http-500-for-deep-nesting", "HTTP-2", kind="conditional")
class BreaksAtDeepNesting(_Breaks):
    """Answers a body nested 50 levels deep or more with 500."""

    def is_affected(self, request: Request) -> bool:
        return request.body.count(b"[") >= 50 or request.body.count(b"{") >= 50


@fault("http-500-for-beyond-int64", "HTTP-2", kind="conditional")
class BreaksBeyondInt64(Reference):
    """Answers an id on show that is beyond int64 with 500."""

    def integer_parameter(self, parameters: dict[str, list[str]], name: str, bounds: range) -> int:
        value = "".join(parameters.get(name, []))
        if name == "id" and value.isascii() and value.isdigit() and len(value) < 1000 and int(value) not in bounds:
            raise RefusedError(500, "internal error")
        return super().integer_parameter(parameters, name, bounds)


@fault("http-500-for-query-beyond-utf-8", "HTTP-2", kind="conditional")
class BreaksAtQueryBeyondUtf8(_Breaks):
    """Answers a query with an escaped byte that is not UTF-8 with 500."""

    def is_affected(self, request: Request) -> bool:
        return b"%ff" in request.query.lower() or b"%c3%28" in request.query.lower()


@fault("http-500-for-lone-surrogate", "HTTP-2", kind="conditional")
class BreaksAtLoneSurrogate(Reference):
    """Answers text with half of a surrogate pair with 500."""

    def check_storable(self, properties: Properties) -> None:
        for value in properties.values():
            if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
                raise RefusedError(500, "internal error")
        super().check_storable(properties)


@fault("http-500-for-page-zero", "HTTP-2", kind="conditional")
class BreaksAtPageZero(_Breaks):
    """Answers a list with pagesize 0 with 500."""

    def is_affected(self, request: Request) -> bool:
        return request.operation == "list" and b"pagesize=0" in request.query.split(b"&")


@fault("http-500-for-other-method", "HTTP-2", kind="conditional")
class BreaksAtOtherMethod(Reference):
    """Answers a method that an operation does not have with 500."""

    def refusal(self, refused: RefusedError) -> Answer:
        return super().refusal(RefusedError(500, "internal error") if refused.status == 405 else refused)


@fault("http-500-for-update-of-destroyed", "HTTP-2", kind="stateful")
class BreaksAtUpdateOfDestroyed(Reference):
    """Answers an update of a destroyed provider with 500."""

    def prepare(self) -> None:
        self.gone: set[int] = set()

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        if removed:
            self.gone.add(provider_id)
        return removed

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        if provider_id in self.gone:
            raise RefusedError(500, "internal error")
        return super().apply_update(provider_id, properties)


class _Drops(Reference):
    """Promises an answer to some requests, and closes the connection before it is complete."""

    def answer(self, request: Request) -> Answer:
        if self.is_affected(request):
            return Answer(200, b"{", JSON, (("Content-Length", "1000"),))
        return super().answer(request)

    def is_affected(self, request: Request) -> bool:
        """Tell whether the connection is dropped."""
        raise NotImplementedError


@fault("http-drops-at-64-kib", "HTTP-2", kind="conditional")
class DropsAt64KiB(_Drops):
    """Drops the connection when an update has a body of 60 KiB or more."""

    def is_affected(self, request: Request) -> bool:
        return request.operation == "update" and len(request.body) >= 60 * 1024


@fault("http-drops-at-null-byte", "HTTP-2", kind="conditional")
class DropsAtNullByte(_Drops):
    """Drops the connection when a query has an escaped NUL."""

    def is_affected(self, request: Request) -> bool:
        return b"%00" in request.query


@fault("http-hangs-at-huge-page", "HTTP-2", kind="conditional")
class HangsAtHugePage(Reference):
    """Does not answer a list of pages of 2**31 providers or more."""

    def integer_parameter(self, parameters: dict[str, list[str]], name: str, bounds: range) -> int:
        values = parameters.get(name, [""])
        if name == "pagesize" and values[0].isdecimal() and 2**31 <= int(values[0][:20]) < 2**63:
            time.sleep(HANGING)
        return super().integer_parameter(parameters, name, bounds)


HANGING = 60.0
"""Seconds; longer than any client waits."""


# HTTP-3: other methods are answered with 405 and Allow, unknown paths with 404


@fault("http-other-method-not-found", "HTTP-3", kind="always")
class OtherMethodNotFound(Reference):
    """Answers a method that an operation does not have with 404."""

    def refusal(self, refused: RefusedError) -> Answer:
        return super().refusal(RefusedError(404, "no such path") if refused.status == 405 else refused)


@fault("http-other-method-bad-request", "HTTP-3", kind="always")
class OtherMethodBadRequest(Reference):
    """Answers a method that an operation does not have with 400."""

    def refusal(self, refused: RefusedError) -> Answer:
        return super().refusal(RefusedError(400, "wrong method") if refused.status == 405 else refused)


@fault("http-without-allow", "HTTP-3", kind="always")
class WithoutAllow(Reference):
    """Answers a method that an operation does not have with 405 and no Allow header."""

    def refusal(self, refused: RefusedError) -> Answer:
        answer = super().refusal(refused)
        return replace(answer, headers=()) if refused.status == 405 else answer


@fault("http-allows-refused-method", "HTTP-3", kind="always")
class AllowsRefusedMethod(Reference):
    """Answers a method that an operation does not have with 405 and an Allow header of all that any operation has."""

    def refusal(self, refused: RefusedError) -> Answer:
        answer = super().refusal(refused)
        return replace(answer, headers=(("Allow", "GET, POST"),)) if refused.status == 405 else answer


@fault("http-unknown-path-answers-200", "HTTP-3", kind="always")
class UnknownPathAnswers200(Reference):
    """Answers an unknown path with 200 and an empty object."""

    def refusal(self, refused: RefusedError) -> Answer:
        return self.succeed({}) if refused.reason == "no such path" else super().refusal(refused)


@fault("http-unknown-path-answers-400", "HTTP-3", kind="always")
class UnknownPathAnswers400(Reference):
    """Answers an unknown path with 400."""

    def refusal(self, refused: RefusedError) -> Answer:
        return super().refusal(RefusedError(400, refused.reason) if refused.reason == "no such path" else refused)


# HTTP-4: a body of another media type is refused


@fault("http-any-type", "HTTP-4", kind="always")
class AnyType(Reference):
    """Reads JSON out of a body of any media type."""

    def is_json_type(self, declared: str, request: Request) -> bool:  # noqa: ARG002
        return True


class _AlsoType(Reference):
    """Reads JSON out of bodies of one other media type."""

    also = ""

    def is_json_type(self, declared: str, request: Request) -> bool:
        return self.also in declared.lower() or super().is_json_type(declared, request)


@fault("http-text-for-json", "HTTP-4", kind="conditional")
class TextForJson(_AlsoType):
    """Reads JSON out of a body of text/plain, which browsers send across sites unasked."""

    also = "text/plain"


@fault("http-form-for-json", "HTTP-4", kind="conditional")
class FormForJson(_AlsoType):
    """Reads JSON out of a body that is declared to be a form."""

    also = "application/x-www-form-urlencoded"


@fault("http-xml-for-json", "HTTP-4", kind="conditional")
class XmlForJson(_AlsoType):
    """Reads JSON out of a body that is declared to be XML."""

    also = "xml"


# HTTP-5: huge bodies do no harm to the next request


class _Suffers(Reference):
    """Answers the next requests with 503 after a body that it could not cope with."""

    def prepare(self) -> None:
        self.sick = 0

    def answer(self, request: Request) -> Answer:
        if self.sick:
            self.sick -= 1
            return self.refusal(RefusedError(503, "out of memory"))
        return super().answer(request)


@fault("http-sick-after-megabytes", "HTTP-5", kind="stateful")
class SickAfterMegabytes(_Suffers):
    """Answers ten requests with 503 after a body of more than a megabyte."""

    def refusal(self, refused: RefusedError) -> Answer:
        if refused.status == 413:
            self.sick = 10
        return super().refusal(refused)


@fault("http-sick-after-deep-nesting", "HTTP-5", kind="stateful")
class SickAfterDeepNesting(_Suffers):
    """Answers ten requests with 503 after a body nested 10,000 levels deep."""

    def decode(self, body: bytes) -> Any:
        if body.count(b"[") >= 10_000 or body.count(b"{") >= 10_000:
            self.sick = 10
        return super().decode(body)


@fault("http-sick-after-compressed", "HTTP-5", kind="stateful")
class SickAfterCompressed(_Suffers):
    """Answers ten requests with 503 after a compressed body."""

    def check_media_type(self, request: Request) -> None:
        if request.header(b"content-encoding"):
            self.sick = 10
        super().check_media_type(request)


# HTTP-6: errors disclose nothing


class _Discloses(Reference):
    """Says more in an error than a client should know."""

    def refusal(self, refused: RefusedError) -> Answer:
        answer = super().refusal(refused)
        detail = self.detail(refused)
        return answer if detail is None else replace(answer, body=jsonbody.encode({"error": detail}))

    def detail(self, refused: RefusedError) -> str | None:
        """Return what an error says, or None if it is the usual."""
        raise NotImplementedError


@fault("http-discloses-stack-trace", "HTTP-6", kind="conditional")
class DisclosesStackTrace(_Discloses):
    """Puts a stack trace into every answer with 400."""

    def detail(self, refused: RefusedError) -> str | None:
        return "".join(traceback.format_exception(refused)) if refused.status == 400 else None


@fault("http-discloses-path", "HTTP-6", kind="conditional")
class DisclosesPath(_Discloses):
    """Puts the path of a source file into answers with 404."""

    def detail(self, refused: RefusedError) -> str | None:
        return f"{refused.reason} (/usr/lib/pbx/providers/{refused.status}.py)" if refused.status == 404 else None


@fault("http-discloses-token", "HTTP-6", kind="conditional")
class DisclosesToken(_Discloses):
    """Puts the valid token into answers with 401."""

    def detail(self, refused: RefusedError) -> str | None:
        return f"expected {self.token.decode()}" if refused.status == 401 else None


@fault("http-discloses-half-of-token", "HTTP-6", kind="conditional")
class DisclosesHalfOfToken(_Discloses):
    """Puts the first half of the valid token into answers with 401, as a help for its owner."""

    def detail(self, refused: RefusedError) -> str | None:
        token = self.token.decode()
        return f"expected {token[: len(token) // 2]}…" if refused.status == 401 else None


@fault("http-discloses-query", "HTTP-6", kind="conditional")
class DisclosesQuery(_Discloses):
    """Puts a database query into answers with 400 and 404 about ids."""

    def detail(self, refused: RefusedError) -> str | None:
        is_about_id = refused.reason.startswith(("id", "no provider"))
        return "no row for: SELECT * FROM providers WHERE id = ?" if is_about_id else None


@fault("http-discloses-source-line", "HTTP-6", kind="conditional")
class DisclosesSourceLine(_Discloses):
    """Puts a source file, below where it was built, and a line of it into answers about bodies that are no JSON."""

    def detail(self, refused: RefusedError) -> str | None:
        return "unexpected token (src/json/parser.c:211)" if refused.reason.startswith("body: ") else None


@fault("http-discloses-log-line", "HTTP-6", kind="conditional")
class DisclosesLogLine(_Discloses):
    """Puts a line of its log, with where in the code it comes from, into answers about an enum."""

    def detail(self, refused: RefusedError) -> str | None:
        wrong = refused.reason.startswith(("auth_mode", "protocol", "status"))
        return "providers.go:120: json: cannot unmarshal string" if wrong else None


@fault("http-discloses-frames", "HTTP-6", kind="conditional")
class DisclosesFrames(Reference):
    """Puts the calls that led to it, as objects, into answers with 404."""

    def refusal(self, refused: RefusedError) -> Answer:
        answer = super().refusal(refused)
        frame = {"file": "ProviderController.php", "line": 12, "function": "update"}
        body = jsonbody.encode({"error": refused.reason, "trace": [frame]})
        return replace(answer, body=body) if refused.status == 404 else answer


@fault("http-discloses-command", "HTTP-6", kind="conditional")
class DisclosesCommand(_Discloses):
    """Puts a command of its document database into answers about an unknown id."""

    def detail(self, refused: RefusedError) -> str | None:
        command = '{"find":"providers","filter":{"_id":{"$eq":5}}}'
        return f"nothing found: {command}" if refused.reason.startswith("no provider") else None


@fault("http-discloses-other-provider", "HTTP-6", kind="conditional")
class DisclosesOtherProvider(_Discloses):
    """Names another provider, password and all, in answers about an unknown id."""

    def detail(self, refused: RefusedError) -> str | None:
        everything = self.store.all()
        if not everything or not refused.reason.startswith("no provider"):
            return None
        last = everything[-1]
        return f"did you mean {last['id']} ({last['name']}, {last['auth_id']}, {last['password']})?"


# HTTP-8: concurrent updates never end in a blend


class _Blends(Reference):
    """Applies an update in several steps, between which others come in."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        applied = False
        for step in self.steps(properties):
            applied = super().apply_update(provider_id, {name: properties[name] for name in step})
            time.sleep(random.uniform(0, 0.003))  # noqa: S311 - nobody is to be kept from guessing it
        return applied

    def steps(self, properties: Properties) -> Iterable[list[str]]:
        """Return the names of what is applied in each step."""
        raise NotImplementedError


@fault("http-updates-in-two-steps", "HTTP-8", kind="stateful")
class UpdatesInTwoSteps(_Blends):
    """Applies an update in two halves."""

    def steps(self, properties: Properties) -> Iterable[list[str]]:
        names = sorted(properties)
        return [names[::2], names[1::2]]


@fault("http-updates-one-by-one", "HTTP-8", kind="stateful")
class UpdatesOneByOne(_Blends):
    """Applies an update one property at a time, in no certain order."""

    def steps(self, properties: Properties) -> Iterable[list[str]]:
        names = list(properties)
        random.shuffle(names)
        return [[name] for name in names]


@fault("http-updates-what-changed", "HTTP-8", kind="stateful")
class UpdatesWhatChanged(Reference):
    """Applies only what differs from what it read a moment ago."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        stored = self.store.get(provider_id)
        if stored is None:
            return False
        time.sleep(0.003)
        changed = {name: value for name, value in properties.items() if stored[name] != value}
        return super().apply_update(provider_id, changed) if changed else True


@fault("http-loses-overlapping-updates", "HTTP-8", kind="stateful")
class LosesOverlappingUpdates(Reference):
    """Accepts updates of one provider that overlap, and applies none of them."""

    def prepare(self) -> None:
        self.under_way: Counter[int] = Counter()
        self.overlapped: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.under_way[provider_id] += 1
        if self.under_way[provider_id] > 1:
            self.overlapped.add(provider_id)
        time.sleep(0.003)
        lost = provider_id in self.overlapped
        self.under_way[provider_id] -= 1
        if not self.under_way[provider_id]:
            self.overlapped.discard(provider_id)
        return lost or super().apply_update(provider_id, properties)


# HTTP-9: answers that bear a password may not be stored


class _Caches(Reference):
    """Says of answers that they may be stored."""

    cache_control: str | None = None

    def succeed(self, content: object) -> Answer:
        answer = super().succeed(content)
        if not self.is_affected(content):
            return answer
        headers = (("Cache-Control", self.cache_control),) if self.cache_control else ()
        return replace(answer, headers=headers)

    def is_affected(self, content: object) -> bool:  # noqa: ARG002 - for overrides
        """Tell whether an answer may be stored."""
        return True


@fault("http-without-cache-control", "HTTP-9", kind="always")
class WithoutCacheControl(_Caches):
    """Says nothing of caches."""


@fault("http-no-cache", "HTTP-9", kind="always")
class NoCache(_Caches):
    """Asks caches to revalidate, which lets them store a password."""

    cache_control = "private, no-cache"


@fault("http-shown-password-stored", "HTTP-9", kind="conditional")
class ShownPasswordStored(_Caches):
    """Lets caches store what show gives, and nothing else."""

    cache_control = "max-age=60"

    def is_affected(self, content: object) -> bool:
        return isinstance(content, dict) and "password" in content
