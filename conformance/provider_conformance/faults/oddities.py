"""Faults by odd requests: trust in what a gateway would say, queries pasted together, parsers that rewrite values."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from provider_conformance.faults.definition import fault
from provider_conformance.reference import jsonbody
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request

_ARRAYS = ("ips", "in_parameters", "out_parameters")
_HOSTS = ("hostname", "outbound_server")


# AUTH-2: a request without the header is refused


class _Trusts(Reference):
    """Serves some requests without a token."""

    def authenticate(self, request: Request) -> None:
        if not self.is_trusted(request):
            super().authenticate(request)

    def is_trusted(self, request: Request) -> bool:
        """Tell whether a request needs no token."""
        raise NotImplementedError


@fault("auth-trusts-user-of-gateway", "AUTH-2", kind="conditional")
class TrustsUserOfGateway(_Trusts):
    """Believes anybody what only a gateway says of a user that it knows."""

    def is_trusted(self, request: Request) -> bool:
        return bool(request.header(b"x-forwarded-user") or request.header(b"x-remote-user"))


@fault("auth-trusts-client-address", "AUTH-2", kind="conditional")
class TrustsClientAddress(_Trusts):
    """Takes whoever says so, in headers of some proxies, for a client on the machine itself."""

    def is_trusted(self, request: Request) -> bool:
        names = (b"x-client-ip", b"true-client-ip", b"cf-connecting-ip")
        return any(request.header(name) == [b"127.0.0.1"] for name in names)


@fault("auth-trusts-own-origin", "AUTH-2", kind="conditional")
class TrustsOwnOrigin(_Trusts):
    """Serves whoever says to come from a page of its own without a token."""

    def is_trusted(self, request: Request) -> bool:
        own = {b"http://" + host for host in request.header(b"host")}
        return not own.isdisjoint(request.header(b"origin"))


@fault("auth-open-with-authorization", "AUTH-2", kind="conditional")
class OpenWithAuthorization(_Trusts):
    """Leaves a request with any Authorization to a gateway that is not there."""

    def is_trusted(self, request: Request) -> bool:
        return bool(request.header(b"authorization"))


# AUTH-4: tokens whose length the documentation rules out are refused


@fault("auth-token-pasted-into-query", "AUTH-4", kind="conditional")
class TokenPastedIntoQuery(Reference):
    """Looks the token up by a query that it is pasted into."""

    def token_matches(self, sent: bytes, request: Request) -> bool:  # noqa: ARG002 - what is overridden has it
        with closing(sqlite3.connect(":memory:")) as database:
            database.execute("CREATE TABLE tokens (token TEXT)")
            database.execute("INSERT INTO tokens VALUES (?)", (self.token.decode(),))
            query = f"SELECT 1 FROM tokens WHERE token = '{sent.decode('latin-1')}'"  # noqa: S608 - the fault
            try:
                return database.execute(query).fetchone() is not None
            except sqlite3.Error:
                return False


@fault("auth-token-is-word-for-nothing", "AUTH-4", kind="conditional")
class TokenIsWordForNothing(Reference):
    """Takes the word null, which careless clients send, for the token."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return sent == b"null" or super().token_matches(sent, request)


# AUTH-5: the token is taken from that header alone


@fault("auth-cookie-before-header", "AUTH-5", kind="conditional")
class CookieBeforeHeader(Reference):
    """Prefers a token in a cookie to the one in the header, without which it serves nobody."""

    def sent_token(self, request: Request) -> bytes | None:
        cookies = [cookie.strip() for value in request.header(b"cookie") for cookie in value.split(b";")]
        tokens = [cookie.partition(b"=")[2] for cookie in cookies if cookie.startswith(b"access_token=")]
        sent = super().sent_token(request)
        return next(iter(tokens), sent) if sent is not None else None


# CREATE-7 and UPDATE-6: a body that lacks any one required property is refused


class _ReadsOtherwise(Reference):
    """Reads something out of a body that is not in it."""

    def validate_create(self, content: Any) -> Properties:
        return super().validate_create(self.read(content) if isinstance(content, dict) else content)

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.read(content) if isinstance(content, dict) else content)

    def read(self, content: Properties) -> Properties:
        """Return what is read out of an object."""
        raise NotImplementedError


class _Together(_ReadsOtherwise):
    """Takes some properties for optional together: one of them without the others is refused."""

    defaults: ClassVar[Properties]

    def read(self, content: Properties) -> Properties:
        return {**self.defaults, **content} if self.defaults.keys().isdisjoint(content) else content


@fault("types-host-and-port-optional", "CREATE-7", "UPDATE-6", kind="conditional")
class HostAndPortOptional(_Together):
    """Takes hostname and port for optional together."""

    defaults: ClassVar = {"hostname": "localhost", "port": 5060}


@fault("types-status-and-password-optional", "CREATE-7", "UPDATE-6", kind="conditional")
class StatusAndPasswordOptional(_Together):
    """Takes status and password, which show does not give as they were sent, for optional together."""

    defaults: ClassVar = {"status": "OFFLINE", "password": ""}


# CREATE-8 and UPDATE-6: a JSON type that the documentation does not give is refused


@fault("types-null-for-unused-interval", "CREATE-8", "UPDATE-6", kind="conditional")
class NullForUnusedInterval(_ReadsOtherwise):
    """Takes null for a reregister_interval where nothing is registered."""

    def read(self, content: Properties) -> Properties:
        unused = content.get("require_register") is False and content.get("reregister_interval", 0) is None
        return {**content, "reregister_interval": 0} if unused else content


# DESTROY-4, UPDATE-7, SHOW-6: an id that is no int64 integer is refused


class _Operators(Reference):
    """Hands an object for an id on to a database that compares with what is in it."""

    def compared(self, content: Any) -> Any:
        """Return a body with the id that the database finds."""
        identity = content.get("id") if isinstance(content, dict) else None
        return {**content, "id": identity["$eq"]} if isinstance(identity, dict) and "$eq" in identity else content


@fault("destroy-id-is-operator", "DESTROY-4", kind="conditional")
class DestroyIdIsOperator(_Operators):
    """Destroys the provider whose id a document database finds by the operator in an object."""

    def destroyed_id(self, content: Any) -> int:
        return super().destroyed_id(self.compared(content))


@fault("update-id-is-operator", "UPDATE-7", kind="conditional")
class UpdateIdIsOperator(_Operators):
    """Updates the provider whose id a document database finds by the operator in an object."""

    def validate_update(self, content: Any) -> Properties:
        return super().validate_update(self.compared(content))


@fault("show-id-is-operator", "SHOW-6", kind="conditional")
class ShowIdIsOperator(Reference):
    """Shows the provider whose id is in a parameter that names an operator, too."""

    def parameters(self, request: Request) -> dict[str, list[str]]:
        found = super().parameters(request)
        return {"id": found["id[$eq]"], **found} if "id[$eq]" in found else found


@fault("destroy-id-rounded", "DESTROY-4", kind="conditional")
class DestroyIdRounded(Reference):
    """Takes a number for an integer that is one but for what arithmetic may have left behind."""

    def destroyed_id(self, content: Any) -> int:
        number = content.get("id") if isinstance(content, dict) else None
        if isinstance(number, float) and abs(number - round(number)) < 1e-6:
            return super().destroyed_id({**content, "id": round(number)})
        return super().destroyed_id(content)


# HTTP-2: no well-formed request is answered with 5xx


class _Collapses(Reference):
    """Answers some requests with 500."""

    def answer(self, request: Request) -> Answer:
        if self.is_too_odd(request):
            return self.refusal(RefusedError(500, "internal error"))
        return super().answer(request)

    def is_too_odd(self, request: Request) -> bool:
        """Tell whether a request is answered with 500."""
        raise NotImplementedError


@fault("http-500-for-post-without-length", "HTTP-2", kind="conditional")
class CollapsesWithoutLength(_Collapses):
    """Answers a POST that has neither a body nor a length with 500."""

    def is_too_odd(self, request: Request) -> bool:
        framed = request.header(b"content-length") or request.header(b"transfer-encoding")
        return request.method == "POST" and not request.body and not framed


@fault("http-500-for-accept-without-slash", "HTTP-2", kind="conditional")
class CollapsesAtAccept(_Collapses):
    """Answers an Accept of something without a slash with 500."""

    def is_too_odd(self, request: Request) -> bool:
        wanted = [part for value in request.header(b"accept") for part in value.split(b",")]
        return any(b"/" not in part for part in wanted)


@fault("http-500-for-authorization-of-one-word", "HTTP-2", kind="conditional")
class CollapsesAtAuthorization(_Collapses):
    """Answers an Authorization that is a scheme and nothing else with 500."""

    def is_too_odd(self, request: Request) -> bool:
        return any(b" " not in value for value in request.header(b"authorization"))


@fault("http-500-for-utf-16", "HTTP-2", kind="conditional")
class CollapsesAtUtf16(_Collapses):
    """Decodes a body as UTF-16 where that is what its type says, and answers one that is not with 500."""

    def is_too_odd(self, request: Request) -> bool:
        return any(b"charset=utf-16" in value for value in request.header(b"content-type"))


@fault("http-500-for-nul-in-items", "HTTP-2", kind="conditional")
class CollapsesAtNulInItems(Reference):
    """Answers NUL in items of ips, which its database does not take, with 500."""

    def check_storable(self, properties: Properties) -> None:
        if b"\\u0000" in jsonbody.encode(properties.get("ips")):
            raise RefusedError(500, "internal error")
        super().check_storable(properties)


@fault("http-500-for-reserved-names", "HTTP-2", kind="conditional")
class CollapsesAtReservedNames(Reference):
    """Answers a body that overrides what its language looks into objects with by 500."""

    def decode(self, body: bytes) -> Any:
        content = super().decode(body)
        if isinstance(content, dict) and "hasOwnProperty" in content:
            raise RefusedError(500, "internal error")
        return content


@fault("http-500-for-order-given-twice", "HTTP-2", kind="conditional")
class CollapsesAtOrders(Reference):
    """Answers list with 500 where sort_by is given twice, and hence is no text."""

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        if len(parameters.get("sort_by", [])) > 1:
            raise RefusedError(500, "internal error")
        return super().sort_parameter(parameters)


@fault("http-500-for-superscript", "HTTP-2", kind="conditional")
class CollapsesAtSuperscript(Reference):
    """Answers a number of digits that are no decimal ones, having made sure of digits only, with 500."""

    def integer_parameter(self, parameters: dict[str, list[str]], name: str, bounds: range) -> int:
        if any(value.isdigit() and not value.isdecimal() for value in parameters.get(name, [])):
            raise RefusedError(500, "internal error")
        return super().integer_parameter(parameters, name, bounds)


# VALUE-1: an unusual array is stored exactly as it was sent, or refused


class _RewritesItems(Reference):
    """Rewrites what is within arrays."""

    def validate_create(self, content: Any) -> Properties:
        return self._rewritten(super().validate_create(content))

    def validate_update(self, content: Any) -> Properties:
        return self._rewritten(super().validate_update(content))

    def _rewritten(self, properties: Properties) -> Properties:
        return {name: self.within(value) if name in _ARRAYS else value for name, value in properties.items()}

    def within(self, value: Any) -> Any:
        """Return what is stored in place of a value, and of all that is within it."""
        if isinstance(value, list):
            return [self.within(item) for item in value]
        if isinstance(value, dict):
            return self.rewrite({name: self.within(item) for name, item in value.items()})
        return self.rewrite(value)

    def rewrite(self, value: Any) -> Any:
        """Return what is stored in place of an object, or of what is neither that nor an array."""
        raise NotImplementedError


_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)\.\d+Z")


@fault("value-items-dates-rewritten", "VALUE-1", kind="conditional")
class DatesRewritten(_RewritesItems):
    """Reads a point in time out of items that are text, and writes it otherwise."""

    def rewrite(self, value: Any) -> Any:
        return _TIME.sub(r"\2/\3/\1 \4", value) if isinstance(value, str) else value


@fault("value-items-numbered-become-arrays", "VALUE-1", kind="conditional")
class NumberedBecomeArrays(_RewritesItems):
    """Takes an object whose names count from 0 for an array."""

    def rewrite(self, value: Any) -> Any:
        numbered = isinstance(value, dict) and value and [*value] == [str(number) for number in range(len(value))]
        return [*value.values()] if numbered else value


@fault("value-items-names-respelt", "VALUE-1", kind="conditional")
class NamesRespelt(_RewritesItems):
    """Puts underscores into names in camel case within items."""

    def rewrite(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {re.sub("(?<=[a-z])[A-Z]", lambda found: f"_{found[0].lower()}", name): value[name] for name in value}


@fault("value-items-beyond-uint64-rounded", "VALUE-1", kind="conditional")
class BeyondUint64Rounded(_RewritesItems):
    """Keeps integers beyond 64 bits within items as floating point numbers."""

    def rewrite(self, value: Any) -> Any:
        return float(value) if type(value) is int and abs(value) >= 2**64 else value


# HTTP-4: a body of another media type is refused


@fault("http-synonyms-of-json", "HTTP-4", kind="conditional")
class SynonymsOfJson(Reference):
    """Takes older names of JSON's media type."""

    def is_json_type(self, declared: str, request: Request) -> bool:
        return declared in {"text/x-json", "application/jsonrequest"} or super().is_json_type(declared, request)


# HTTP-6: no error discloses what is inside


class _Tells(Reference):
    """Says in some answers what only its developers should know."""

    status = 400
    told = ""

    def refusal(self, refused: RefusedError) -> Answer:
        answer = super().refusal(refused)
        told = {"error": refused.reason, "detail": self.told}
        return replace(answer, body=jsonbody.encode(told)) if refused.status == self.status else answer


@fault("http-discloses-trace-of-terms", "HTTP-6", kind="conditional")
class TellsTraceOfTerms(_Tells):
    """Puts a stack trace as Erlang writes it into every answer with 400."""

    told = '{badmatch,undefined},[{provider_handler,show,2,[{file,"src/provider_handler.erl"},{line,88}]}]'


@fault("http-discloses-query-of-mapper", "HTTP-6", kind="conditional")
class TellsQueryOfMapper(_Tells):
    """Puts a query in the language of an object mapper into answers with 404."""

    status = 404
    told = "could not execute query: from Provider p where p.id = :id and p.deleted = false"


@fault("http-discloses-line-of-source", "HTTP-6", kind="conditional")
class TellsLineOfSource(_Tells):
    """Puts the file and the line of a program in C++ into every answer with 400."""

    told = "/build/pbx/src/provider_api.cpp:212: parse failed"


@fault("http-discloses-missing-file", "HTTP-6", kind="conditional")
class TellsMissingFile(_Tells):
    """Puts the file that it could not open into answers with 404."""

    status = 404
    told = "ENOENT: no such file or directory, open '/app/config/errors.json'"


# HTTP-7: text is returned exactly as it was sent, or refused


class _RewritesText(Reference):
    """Rewrites the text of some properties."""

    names: tuple[str, ...] = ("name", "auth_id", "hostname", "outbound_server")
    pattern = ""
    replacement = ""

    def validate_create(self, content: Any) -> Properties:
        return self._rewritten(super().validate_create(content))

    def validate_update(self, content: Any) -> Properties:
        return self._rewritten(super().validate_update(content))

    def _rewritten(self, properties: Properties) -> Properties:
        texts = {name: re.sub(self.pattern, self.replacement, properties[name]) for name in self.names}
        return {**properties, **texts}


@fault("text-strips-dot-of-host", "HTTP-7", kind="conditional")
class StripsDotOfHost(_RewritesText):
    """Drops the dot at the end of a hostname."""

    names = _HOSTS
    pattern = r"(?<=[a-z])\.$"


@fault("text-drops-scripts-in-links", "HTTP-7", kind="conditional")
class DropsScriptsInLinks(_RewritesText):
    """Drops the scheme of links that run a script."""

    pattern = "javascript:"


@fault("text-drops-rare-control-characters", "HTTP-7", kind="conditional")
class DropsRareControlCharacters(_RewritesText):
    """Drops control characters that mean the end of a file or of a line to hardly anybody any more."""

    pattern = "[\x10-\x1a]"


@fault("text-shortens-decimals", "HTTP-7", kind="conditional")
class ShortensDecimals(_RewritesText):
    """Drops zeros at the end of an auth_id that is a decimal number."""

    names = ("auth_id",)
    pattern = r"^(\d+\.\d*?)0+$"
    replacement = r"\1"


@fault("text-rewrites-dates", "HTTP-7", kind="conditional")
class RewritesDates(_RewritesText):
    """Writes a point in time as it is used to."""

    pattern = _TIME.pattern
    replacement = r"\2/\3/\1 \4"
