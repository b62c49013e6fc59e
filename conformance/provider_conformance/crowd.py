"""Providers of others as the list gives them: whether they have changed, or may have, between two looks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from provider_conformance.judge import listed, loose_id
from provider_conformance.thinning import MARKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue

STATUS = "status"


@dataclass(frozen=True)
class Crowd:
    """Providers of others in the order in which pages gave them; of each no more than the list tells (D5)."""

    items: tuple[Mapping[str, JsonValue], ...]

    def differs_from(self, other: Crowd) -> bool:
        """Tell whether others have changed the list, or may have, since it was looked at before.

        Who comes, goes or is renamed does. So does who stands elsewhere, unless statuses are told and are the same: by
        them a list may be sorted, and they change by themselves (D9).
        """
        if self._known.keys() != other._known.keys() or self._tells_otherwise(other, MARKS):
            return True
        if list(self._known) == list(other._known):
            return False
        return not self._tells_statuses_like(other) or self._tells_otherwise(other, (STATUS,))

    def has(self, identity: int) -> bool:
        """Tell whether one of them bears an id."""
        return any(loose_id(item.get("id")) == identity for item in self.items)

    @cached_property
    def _known(self) -> Mapping[str, Mapping[str, JsonValue]]:
        """Each of them by its id, or by its name where it has none, in order."""
        return {json.dumps(item.get("id", {"name": item.get("name")})): item for item in self.items}

    def _both(self, other: Crowd) -> Iterator[tuple[Mapping[str, JsonValue], Mapping[str, JsonValue]]]:
        return ((item, other._known[key]) for key, item in self._known.items())

    def _tells_otherwise(self, other: Crowd, names: Collection[str]) -> bool:
        """Tell whether something is told of one of them both times, and not the same."""
        return any(a[name] != b[name] for a, b in self._both(other) for name in names if name in a and name in b)

    def _tells_statuses_like(self, other: Crowd) -> bool:
        """Tell whether statuses are told at all, and of the same ones both times."""
        told = [(STATUS in a, STATUS in b) for a, b in self._both(other)]
        return (True, True) in told and all(a == b for a, b in told)


def crowd_of(pages: Iterable[Exchange], ours: Collection[int]) -> Crowd:
    """Return all on some pages that are not ours."""
    items = (item for page in pages for item in listed(page))
    return Crowd(tuple(item for item in items if loose_id(item.get("id")) not in ours))
