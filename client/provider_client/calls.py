"""What each operation sends, and what its answer means; nothing here sends anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from provider_client.errors import UnexpectedAnswer
from provider_models import Provider, ProviderCreated, ProviderDestroy, ProviderList

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider_models import ProviderCreate, ProviderUpdate, SortBy

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and how its answer is read."""

    operation: str
    read: Callable[[bytes], T]
    """Makes the result of the body of a 200; raises ValidationError or UnexpectedAnswer where that does not fit."""
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    """JSON; with one, the request is a POST."""
    password: str = field(default="", repr=False)
    """What the body holds and no message may repeat."""
    answers_json: bool = True
    """False where no content is documented, so that any will do (D12)."""


def create(provider: ProviderCreate) -> Call[int]:
    """Create a provider; gives its id."""
    return Call(
        "create",
        lambda answer: ProviderCreated.model_validate_json(answer).id,
        body=provider.model_dump_json().encode(),
        password=provider.password,
    )


def show(id: int) -> Call[Provider]:
    """Show the provider of an id."""

    def read(answer: bytes) -> Provider:
        provider = Provider.model_validate_json(answer)
        if provider.id != id:
            # Whoever went on with it would change somebody else's provider.
            raise UnexpectedAnswer("show", f"gives provider {provider.id} where {id} was asked for")
        return provider

    return Call("show", read, params={"id": str(id)})


def list_page(pagination: int, pagesize: int, sort_by: SortBy | None) -> Call[ProviderList]:
    """List one page of providers."""
    params = {"pagination": str(pagination), "pagesize": str(pagesize)}
    if sort_by is not None:
        params["sort_by"] = sort_by.value
    return Call("list", ProviderList.model_validate_json, params=params)


def update(provider: ProviderUpdate) -> Call[None]:
    """Replace the settings of a provider."""
    body = provider.model_dump_json().encode()
    return Call("update", _nothing, body=body, password=provider.password, answers_json=False)


def destroy(id: int) -> Call[None]:
    """Destroy the provider of an id."""
    return Call("destroy", _nothing, body=ProviderDestroy(id=id).model_dump_json().encode(), answers_json=False)


def _nothing(_: bytes) -> None:
    """Make nothing of a body."""
