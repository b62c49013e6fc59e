"""Keeps what is ours on a page of the list, and of others' providers, which may be thousands, what tells them apart."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance.jsontext import LONGEST_NUMBER
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
"""What tells a provider from others."""

KEPT = (*MARKS, "status")
"""What is kept of others: a list may be sorted by their statuses, which change by themselves (D9)."""

LONGEST_MARK = 12_000
"""Characters; the longest that the run sends has some 10,000."""


BEYOND: int = 10**LONGEST_NUMBER
"""A number that is read as infinite."""


def strangers(page: Exchange, ours: Collection[int], gone: Collection[int]) -> list[int]:
    """Return the ids on a page that are not ours, or no longer: one of those that are gone may have been given anew."""
    ids = [(loose_id(item.get("id")), item.get("name")) for item in listed(page)]
    return [
        identity
        for identity, name in ids
        if identity is not None
        and (identity not in ours or (identity in gone and isinstance(name, str) and not is_ours(name)))
    ]


def thinned(page: Exchange, ours: Collection[int], gone: Collection[int]) -> Exchange:
    """Return a page, of many or large providers of others without all but their ids and marks."""
    members, response = members_of(page), page.response
    if members is None or response is None or not page.succeeded:
        return page
    if len(response.body) <= LARGEST_WHOLE and len(strangers(page, ours, gone)) <= MOST_WHOLE:
        return page
    providers = members.get("providers")
    kept: dict[str, JsonValue] = {name: value for name, value in members.items() if _is_short(value)}
    if isinstance(providers, list):
        kept["providers"] = [_thin(item, ours, gone) for item in providers]
    body = json.dumps(_written_out(kept), separators=(",", ":"))
    return replace(page, response=replace(response, body=body.encode()))


def _thin(item: JsonValue, ours: Collection[int], gone: Collection[int]) -> JsonValue:
    if not isinstance(item, dict):
        return None
    identity, name = loose_id(item.get("id")), item.get("name")
    if (identity in ours and identity not in gone) or (isinstance(name, str) and is_ours(name)):
        return item
    return {name: item[name] for name in KEPT if name in item and _is_short(item[name])}


def _written_out(value: JsonValue) -> JsonValue:
    """Put a number that JSON has for each that was too large to be read, and that Python would write as none."""
    if isinstance(value, float) and math.isinf(value):
        return BEYOND if value > 0 else -BEYOND
    if isinstance(value, list):
        return [_written_out(item) for item in value]
    if isinstance(value, dict):
        return {name: _written_out(member) for name, member in value.items()}
    return value


def _is_short(value: JsonValue) -> bool:
    return not isinstance(value, dict | list) and (not isinstance(value, str) or len(value) <= LONGEST_MARK)
