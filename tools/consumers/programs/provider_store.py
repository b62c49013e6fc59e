"""Keeps providers in memory, for servers whose requests something else has validated."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from typing import Any

Provider = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """Providers by their id; ids count from 1 and are never given twice."""

    providers: dict[int, Provider] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)
    ids: count[int] = field(default_factory=lambda: count(1))

    def create(self, settings: Provider) -> Provider:
        """Keep a new provider; return its id, as create answers."""
        with self.lock:
            number = next(self.ids)
            self.providers[number] = {"in_parameters": [], "out_parameters": [], **settings, "id": number}
        return {"id": number}

    def show(self, number: int) -> Provider | None:
        """Return a provider, or None if there is none of that id."""
        return self.providers.get(number)

    def page(self, pagination: int, pagesize: int, sort_by: str) -> Provider:
        """Return a page of at least one provider a page, as list answers; pages count from 1."""
        key = "name" if sort_by == "OPTIONAL" else "id"
        with self.lock:
            everything = sorted(self.providers.values(), key=lambda provider: provider[key])
        size = max(pagesize, 1)
        first = (pagination - 1) * size
        return {
            "providers": everything[first : first + size] if pagination > 0 else [],
            "count": len(everything),
            "page_count": -(-len(everything) // size),
            "pagination": pagination,
            "pagesize": pagesize,
            "sort_by": sort_by,
        }

    def update(self, settings: Provider) -> bool:
        """Replace the settings of a provider; tell whether it is there."""
        with self.lock:
            found = settings["id"] in self.providers
            if found:
                self.providers[settings["id"]] = settings
        return found

    def destroy(self, number: int) -> bool:
        """Forget a provider; tell whether it was there."""
        with self.lock:
            return self.providers.pop(number, None) is not None


def knows(token: str) -> bool:
    """Tell whether that is the token that this server was started with."""
    return hmac.compare_digest(token.encode("utf-8"), os.environ["PROVIDER_TOKEN"].encode("utf-8"))


def holder(token: str) -> dict[str, str] | None:
    """Return who holds a token, in the form that Connexion asks for."""
    return {"sub": "operator"} if knows(token) else None
