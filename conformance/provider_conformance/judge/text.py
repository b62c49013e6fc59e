"""Rules for text that must come back as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.judge.reading import listed_item, members_of
from provider_conformance.judge.values import MISSING, Values, shown
from provider_conformance.judge.wording import Difference, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider_conformance.exchange import Exchange


def text_kept(exchange: Exchange, *, texts: Mapping[str, str], what: str) -> Problem | None:
    """Show gives back the text of each property exactly as it was sent."""
    return _text_difference(members_of(exchange) or {}, texts, f"show gives back {what} otherwise than it was sent")


def text_listed(page: Exchange, *, id: int, texts: Mapping[str, str], what: str) -> Problem | None:
    """List gives back the text of each property that it bears exactly as it was sent."""
    item = listed_item(page, id) or {}
    borne = {name: text for name, text in texts.items() if name in item}
    return _text_difference(item, borne, f"list gives back {what} otherwise than it was sent")


def _text_difference(actual: Values, expected: Mapping[str, str], summary: str) -> Problem | None:
    """Compare texts, and tell of the first that differs no more than where it does."""
    for name, text in expected.items():
        given = actual.get(name, MISSING)
        if given == text:
            continue
        if not isinstance(given, str):
            return Problem(f"{summary}: {name}", f"{len(text)} characters", f"{name} = {shown(given)}")
        position = next(
            (at for at, (came, sent) in enumerate(zip(given, text, strict=False)) if came != sent),
            min(len(given), len(text)),
        )
        return Problem(
            f"{summary}: {name}",
            f"{name} of {len(text)} characters, from position {position + 1}: {code_points(text, position)}",
            f"{name} of {len(given)} characters, from position {position + 1}: {code_points(given, position)}",
            (Difference(name, shown(text), shown(given)),),
        )
    return None


def code_points(text: str, start: int) -> str:
    """Write some characters of a text as code points."""
    some = [f"U+{ord(character):04X}" for character in text[start : start + 6]]
    return " ".join(some + ["…"] * (len(text) > start + 6)) or "nothing"
