"""Serves the contract with Connexion, which validates requests and tokens: `... CONTRACT.JSON PORT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import connexion  # type: ignore[import-not-found]
import uvicorn
from connexion.options import SwaggerUIOptions  # type: ignore[import-not-found]
from connexion.resolver import Resolver  # type: ignore[import-not-found]
from provider_store import Provider, Store  # type: ignore[import-not-found]

STORE = Store()
Answer = tuple[Provider | str, int]
DONE: Answer = ("", 200)
REFUSED: Answer = ("no such provider", 400)


async def create(body: Provider) -> Answer:
    """Serve create."""
    return STORE.create(body), 200


async def show(id: int) -> Answer:  # noqa: A002 - Connexion hands parameters over by their names
    """Serve show."""
    found = STORE.show(id)
    return REFUSED if found is None else (found, 200)


async def list_(pagination: int, pagesize: int, sort_by: str = "DEFAULT") -> Answer:
    """Serve list."""
    return STORE.page(pagination, pagesize, sort_by), 200


async def update(body: Provider) -> Answer:
    """Serve update."""
    return DONE if STORE.update(body) else REFUSED


async def destroy(body: Provider) -> Answer:
    """Serve destroy."""
    return DONE if STORE.destroy(body["id"]) else REFUSED


HANDLERS: dict[str, Any] = {
    "createProvider": create,
    "showProvider": show,
    "listProviders": list_,
    "updateProvider": update,
    "destroyProvider": destroy,
}


def main() -> None:
    """Serve until SIGTERM."""
    contract_file, port = sys.argv[1:]
    contract = json.loads(Path(contract_file).read_text("utf-8"))
    contract["components"]["securitySchemes"]["accessToken"]["x-apikeyInfoFunc"] = "provider_store.holder"
    app = connexion.AsyncApp("provider", swagger_ui_options=SwaggerUIOptions(swagger_ui=False))
    app.add_api(contract, resolver=Resolver(HANDLERS.__getitem__))
    uvicorn.run(app, port=int(port), log_level="warning")


main()
