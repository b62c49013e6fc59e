"""Decides what the reference implementation answers: one small method for every decision of the contract.

A request goes through `answer`, which authenticates it and hands it to the method of its operation; that in turn
reads as a list of steps. Each single fault in `provider_conformance.faults` overrides one or two of these steps, which
is why they are small and why none does two things.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias
from urllib.parse import parse_qsl

from pydantic import ValidationError

from provider_conformance.reference import jsonbody
from provider_conformance.reference.messages import JSON, Answer, Properties, RefusedError, Request
from provider_conformance.reference.store import UnstorableError
from provider_models import ProviderCreate, ProviderDestroy, ProviderUpdate, SortBy

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider_conformance.reference.store import Order, Store

Body: TypeAlias = ProviderCreate | ProviderUpdate | ProviderDestroy

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
PAGE_SIZES = range(1, 1001)
LARGEST_BODY = 1024 * 1024

_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_HIDDEN_IN_LIST = frozenset({"password"})


@dataclass(frozen=True, slots=True)
class ListParameters:
    """What a list request asks for; `sort_by` is None where the request is silent."""

    pagination: int
    pagesize: int
    sort_by: str | None


class Reference:
    """A conforming implementation of the five operations."""

    def __init__(self, store: Store, token: str) -> None:
        self.store = store
        self.token = token.encode("utf-8")
        self.prepare()

    def prepare(self) -> None:
        """Set up what an override needs to remember from one request to the next."""

    # What every operation has in common

    @cached_property
    def operations(self) -> dict[str, Callable[[Request], Answer]]:
        """The operations by name."""
        return {
            "create": self.create,
            "show": self.show,
            "list": self.list_providers,
            "update": self.update,
            "destroy": self.destroy,
        }

    def answer(self, request: Request) -> Answer:
        """Answer a request to an operation that exists."""
        try:
            self.authenticate(request)
            return self.operations[request.operation](request)
        except RefusedError as refused:
            return self.refusal(refused)

    def succeed(self, content: object) -> Answer:
        """Answer 200 with JSON (HTTP-1)."""
        return Answer(200, self.encode(content), JSON, (("Cache-Control", "no-store"),))

    def succeed_silently(self) -> Answer:
        """Answer 200 with nothing, as is listed for update and destroy (D12)."""
        return Answer(200, b"", None, (("Cache-Control", "no-store"),))

    def encode(self, content: object) -> bytes:
        """Return the JSON text of an answer."""
        return jsonbody.encode(content)

    def refusal(self, refused: RefusedError) -> Answer:
        """Answer a request that is refused."""
        body = jsonbody.encode({"error": refused.reason})
        return Answer(refused.status, body, JSON, (("Cache-Control", "no-store"), *refused.headers))

    # Access

    def authenticate(self, request: Request) -> None:
        """Refuse a request that does not carry the valid token (AUTH-2, AUTH-3)."""
        sent = self.sent_token(request)
        if sent is None or not self.token_matches(sent, request):
            self.refuse_access()

    def sent_token(self, request: Request) -> bytes | None:
        """Return the token of a request: one header, and nothing but the header (AUTH-5)."""
        tokens = request.header(b"access_token")
        return tokens[0] if len(tokens) == 1 else None

    def token_matches(self, sent: bytes, request: Request) -> bool:  # noqa: ARG002 - for overrides
        """Compare in a time that does not tell how much of the token was right."""
        return hmac.compare_digest(sent, self.token)

    def refuse_access(self) -> NoReturn:
        """Refuse a request for want of the valid token (RFC 9110, section 15.5.2)."""
        raise RefusedError(401, "access token missing or wrong", ("WWW-Authenticate", "access_token"))

    # Bodies

    def read_body(self, request: Request) -> Any:
        """Return the JSON value that a request carries."""
        self.check_media_type(request)
        return self.decode(request.body)

    def check_media_type(self, request: Request) -> None:
        """Refuse a body that is not declared to be JSON in UTF-8, not compressed (HTTP-4, HTTP-10)."""
        declared = request.header(b"content-type")
        coding = request.header(b"content-encoding")
        if len(declared) != 1 or not self.is_json_type(declared[0].decode("latin-1"), request):
            raise RefusedError(415, "Content-Type must be application/json", ("Accept", JSON))
        if any(value.strip().lower() not in {b"", b"identity"} for value in coding):
            raise RefusedError(415, "compressed bodies are not supported", ("Accept-Encoding", "identity"))

    def is_json_type(self, declared: str, request: Request) -> bool:  # noqa: ARG002 - for overrides
        """Tell whether a Content-Type is application/json; a charset, if any, must be UTF-8 (RFC 8259, section 8.1)."""
        media_type, *parameters = (part.strip().lower() for part in declared.split(";"))
        charsets = [part.removeprefix("charset=") for part in parameters if part.startswith("charset=")]
        return media_type == JSON and all(charset.strip('"') == "utf-8" for charset in charsets)

    def decode(self, body: bytes) -> Any:
        """Parse a body."""
        try:
            return jsonbody.decode(body)
        except jsonbody.NotJsonError as error:
            raise RefusedError(400, f"body: {error}") from None

    def validate(self, model: type[Body], content: Any) -> Properties:
        """Hold a body against its generated model and return its documented properties."""
        try:
            valid = model.model_validate(content)
        except ValidationError as error:
            raise RefusedError(400, _explain(error, model)) from None
        properties = {name: _plain(getattr(valid, name)) for name in model.model_fields}
        self.check_storable(properties)
        return properties

    def check_storable(self, properties: Properties) -> None:
        """Refuse what the documents allow and a database might not give back exactly (VALUE-1, HTTP-7)."""
        for name, value in properties.items():
            if not _is_storable(value):
                raise RefusedError(400, f"{name}: a value that cannot be stored")

    # Query parameters

    def parameters(self, request: Request) -> dict[str, list[str]]:
        """Return the values of every query parameter."""
        found: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(request.query.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError:  # bytes that are not ASCII, escapes that are not UTF-8
            raise RefusedError(400, "query: not well-formed") from None
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return found

    def integer_parameter(self, parameters: dict[str, list[str]], name: str, bounds: range) -> int:
        """Return a query parameter that must be there once and be an integer within bounds (SHOW-6, LIST-8)."""
        values = parameters.get(name, [])
        if len(values) != 1 or not _INTEGER.fullmatch(values[0]) or int(values[0]) not in bounds:
            raise RefusedError(400, f"{name}: must be given once, an integer from {bounds[0]} to {bounds[-1]}")
        return int(values[0])

    # Create

    def create(self, request: Request) -> Answer:
        """Add a provider."""
        properties = self.validate_create(self.read_body(request))
        return self.succeed(self.rendered_created(self.store_created(properties)))

    def validate_create(self, content: Any) -> Properties:
        """Return the properties of a provider to be created (CREATE-7 to CREATE-10)."""
        return self.validate(ProviderCreate, content)

    def new_id(self, properties: Properties) -> int | None:  # noqa: ARG002 - for overrides
        """Return the id of a provider to be created, or None to let the database number it (CREATE-3)."""
        return None

    def store_created(self, properties: Properties) -> int:
        """Store a new provider and return its id."""
        # Only update has these two (D4), yet show gives them.
        complete: Properties = {"in_parameters": [], "out_parameters": []} | properties
        chosen = self.new_id(properties)
        if chosen is not None:
            complete["id"] = chosen
        return self.insert(complete)

    def insert(self, properties: Properties) -> int:
        """Insert a complete provider."""
        try:
            return self.store.insert(properties)
        except UnstorableError:
            raise RefusedError(400, "a value that cannot be stored") from None

    def rendered_created(self, provider_id: int) -> Any:
        """Return the content of create's answer (CREATE-2)."""
        return {"id": provider_id}

    # Show

    def show(self, request: Request) -> Answer:
        """Show a provider."""
        provider_id = self.integer_parameter(self.parameters(request), "id", INT64)
        provider = self.find(provider_id)
        if provider is None:
            raise RefusedError(404, "no provider of this id")
        return self.succeed(self.rendered_provider(provider))

    def find(self, provider_id: int) -> Properties | None:
        """Return the provider of an id, if there is one (SHOW-4, SHOW-5)."""
        return self.store.get(provider_id)

    def rendered_provider(self, provider: Properties) -> Any:
        """Return the content of show's answer (SHOW-2)."""
        return provider

    # List

    def list_providers(self, request: Request) -> Answer:
        """List a page of providers."""
        asked = self.list_parameters(request)
        count, providers = self.page_of(asked)
        return self.succeed(self.rendered_list(asked, count, providers))

    def list_parameters(self, request: Request) -> ListParameters:
        """Return what a list request asks for (LIST-8); pages are counted from 1 (D7)."""
        parameters = self.parameters(request)
        return ListParameters(
            pagination=self.integer_parameter(parameters, "pagination", INT32[INT32.index(1) :]),
            pagesize=self.integer_parameter(parameters, "pagesize", PAGE_SIZES),
            sort_by=self.sort_parameter(parameters),
        )

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        """Return what to sort by, or None where the request does not say."""
        values = parameters.get("sort_by")
        if values is None:
            return None
        if len(values) != 1 or values[0] not in {member.value for member in SortBy}:
            raise RefusedError(400, "sort_by: must be DEFAULT or OPTIONAL")
        return values[0]

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        """Return the number of providers in all, and those of the page asked for (LIST-2, LIST-3)."""
        return self.store.page((asked.pagination - 1) * asked.pagesize, asked.pagesize, self.order(asked.sort_by))

    def order(self, sort_by: str | None) -> Order:
        """Return what to order by: OPTIONAL is free (D14), and sorting by name is of use to people."""
        return "name" if sort_by == SortBy.OPTIONAL.value else "id"

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        """Return the content of list's answer (LIST-6, LIST-7, LIST-9)."""
        return {
            "count": count,
            "page_count": -(-count // asked.pagesize),
            "pagination": asked.pagination,
            "pagesize": asked.pagesize,
            "sort_by": self.reported_sort(asked),
            "providers": [self.listed_provider(provider) for provider in providers],
        }

    def reported_sort(self, asked: ListParameters) -> Any:
        """Return the order that list reports (D14, LIST-5)."""
        return asked.sort_by or SortBy.DEFAULT.value

    def listed_provider(self, provider: Properties) -> Any:
        """Return one item of a list: everything but the secret, which nobody needs in bulk (LIST-4)."""
        return {name: value for name, value in provider.items() if name not in _HIDDEN_IN_LIST}

    # Update

    def update(self, request: Request) -> Answer:
        """Change a provider."""
        properties = self.validate_update(self.read_body(request))
        provider_id = properties.pop("id")
        if not self.apply_update(provider_id, properties):
            raise RefusedError(404, "no provider of this id")
        return self.succeed_silently()

    def validate_update(self, content: Any) -> Properties:
        """Return the id and the properties of an update (UPDATE-6, UPDATE-7)."""
        return self.validate(ProviderUpdate, content)

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        """Change every property at once; tell whether there is such a provider (UPDATE-2 to UPDATE-5)."""
        try:
            return self.store.replace(provider_id, properties)
        except UnstorableError:
            raise RefusedError(400, "a value that cannot be stored") from None

    # Destroy

    def destroy(self, request: Request) -> Answer:
        """Remove a provider."""
        if not self.remove(self.destroyed_id(self.read_body(request))):
            raise RefusedError(400, "no provider of this id")
        return self.succeed_silently()

    def destroyed_id(self, content: Any) -> int:
        """Return the id that a destroy names (DESTROY-4, DESTROY-6)."""
        provider_id = self.validate(ProviderDestroy, content)["id"]
        assert isinstance(provider_id, int)
        return provider_id

    def remove(self, provider_id: int) -> bool:
        """Remove a provider for good; tell whether there was one (DESTROY-2, DESTROY-3, DESTROY-5)."""
        return self.store.delete(provider_id)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return jsonbody.is_text(value)
    if isinstance(value, list):
        # Arrays are stored as JSON, which has integers of any size; only their text needs a look.
        return all(_is_text_within(item) for item in value)
    return isinstance(value, bool) or value in INT64


def _is_text_within(value: Any) -> bool:
    if isinstance(value, dict):
        return all(jsonbody.is_text(name) and _is_text_within(child) for name, child in value.items())
    if isinstance(value, list):
        return all(_is_text_within(child) for child in value)
    return not isinstance(value, str) or jsonbody.is_text(value)


def _explain(error: ValidationError, model: type[Body]) -> str:
    """Say what is wrong with a body: the property and the rule, never the value (HTTP-6)."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    names = [str(part) for part in first["loc"][:1] if part in model.model_fields]
    return ": ".join([*names, first["msg"]]) if names else "body: " + first["msg"]
