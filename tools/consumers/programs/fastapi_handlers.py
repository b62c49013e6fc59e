"""What the handlers that fastapi-code-generator leaves empty are filled with; all get its models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import HTTPException  # type: ignore[import-not-found]
from provider_store import Store  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from provider_store import Provider

STORE = Store()


def create_provider(body: Any) -> Provider:
    """Serve create."""
    return STORE.create(body.model_dump(mode="json"))


def show_provider(id: int) -> Provider:  # noqa: A002 - FastAPI hands parameters over by their names
    """Serve show."""
    found = STORE.show(id)
    if found is None:
        raise HTTPException(400)
    return found


def list_providers(pagination: int, pagesize: int, sort_by: Any) -> Provider:
    """Serve list."""
    return STORE.page(pagination, pagesize, sort_by.value if sort_by else "DEFAULT")


def update_provider(body: Any) -> None:
    """Serve update."""
    if not STORE.update(body.model_dump(mode="json")):
        raise HTTPException(400)


def destroy_provider(body: Any) -> None:
    """Serve destroy."""
    if not STORE.destroy(body.id.root):
        raise HTTPException(400)
