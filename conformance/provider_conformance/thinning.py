"""Keeps what is ours on a page of the list, and of others' providers, which may be thousands, what tells them apart."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance.judge import listed, loose_id, members_of
from provider_conformance.values.plausible import is_ours

if TYPE_CHECKING:
    from collections.abc import Collection

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue

MOST_WHOLE = 20
"""Providers of others on a page that are kept as they came."""

LARGEST_WHOLE = 256 * 1024
"""Bytes of a page that is kept as it came."""

MARKS = ("id", "name", "auth_id", "hostname")
LONGEST_MARK = 12_000
"""Characters; the longest that the run sends has some 10,000."""


def strangers(page: Exchange, ours: Collection[int]) -> list[int]:
    """Return the ids on a page that are not ours."""
    ids = [loose_id(item.get("id")) for item in listed(page)]
    return [identity for identity in ids if identity is not None and identity not in ours]


def thinned(page: Exchange, ours: Collection[int]) -> Exchange:
    """Return a page, of many or large providers of others without all but their ids and marks."""
    members, response = members_of(page), page.response
    if members is None or response is None or not page.succeeded:
        return page
    if len(response.body) <= LARGEST_WHOLE and len(strangers(page, ours)) <= MOST_WHOLE:
        return page
    providers = members.get("providers")
    kept: dict[str, JsonValue] = {name: value for name, value in members.items() if _is_short(value)}
    if isinstance(providers, list):
        kept["providers"] = [_thin(item, ours) for item in providers]
    return replace(page, response=replace(response, body=json.dumps(kept, separators=(",", ":")).encode()))


def _thin(item: JsonValue, ours: Collection[int]) -> JsonValue:
    if not isinstance(item, dict):
        return None
    name = item.get("name")
    if loose_id(item.get("id")) in ours or (isinstance(name, str) and is_ours(name)):
        return item
    return {mark: item[mark] for mark in MARKS if mark in item and _is_short(item[mark])}


def _is_short(value: JsonValue) -> bool:
    return not isinstance(value, dict | list) and (not isinstance(value, str) or len(value) <= LONGEST_MARK)
