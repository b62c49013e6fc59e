"""Guesses the usual cause of a failure from how it looks, for whoever has to find it in somebody's server."""

from __future__ import annotations

import html
import json
import unicodedata
from typing import TYPE_CHECKING

from provider_conformance.contract import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge.wording import Problem

INT32_MAX, INT32_SPAN = 2**31 - 1, 2**32
LARGEST_EXACT = 2**53
"""Integers beyond it are not exact as floating-point numbers."""


def hint(rule: str, problem: Problem, exchanges: Sequence[Exchange]) -> str:
    """Return the usual cause of a problem, or nothing where there is none; `exchanges` are those that were judged."""
    for difference in problem.differences:
        for guess in _BY_VALUES:
            if found := guess(_value(difference.expected), _value(difference.actual)):
                return f"{difference.name}: {found}"
    for told, cause in _BY_RULE.get(rule, ()):
        if told in problem.summary:
            return cause
    return next((cause for exchange in exchanges if (cause := _of_answer(exchange))), "")


class _Unreadable:
    """What is no value: missing, or shortened."""


_NOTHING = _Unreadable()


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return _NOTHING


def _number(sent: object, came: object) -> str:  # noqa: PLR0911 - a list of causes
    if not isinstance(sent, int) or isinstance(sent, bool):
        return ""
    if isinstance(came, str) and came == str(sent):
        return "the number comes back as text: a text column, or a serializer that quotes numbers"
    if isinstance(came, float) and came == sent:
        return "the integer comes back as a fraction: a floating-point column"
    if not isinstance(came, int) or isinstance(came, bool):
        return ""
    if abs(sent) > INT32_MAX and (came in {INT32_MAX, -INT32_MAX - 1} or (sent - came) % INT32_SPAN == 0):
        return "cut to 32 bits: an int32 column or variable"
    if abs(sent) > LARGEST_EXACT and int(float(sent)) == came:
        return "rounded to a double: the number passes through floating point, as in JavaScript"
    return ""


def _truthiness(sent: object, came: object) -> str:
    if sent in (0, "", False, []) and not isinstance(sent, float) and came != sent:
        return (
            f"{json.dumps(sent)} is taken for no value: a test for truth (`if value`, `value or default`) "
            "where a test for presence is meant"
        )
    return ""


def _boolean(sent: object, came: object) -> str:
    if isinstance(sent, bool) and (came in (0, 1, "0", "1", "true", "false", "True", "False")) and came is not sent:
        return "the boolean comes back as something else: a column without a boolean type"
    if isinstance(sent, bool) and came == (not sent):
        return "always the same boolean: the value is not stored, or a default overwrites it"
    return ""


def _text(sent: object, came: object) -> str:  # noqa: PLR0911 - a list of causes
    if not isinstance(sent, str) or not isinstance(came, str):
        return ""
    if came == sent.strip() or came == " ".join(sent.split()):
        return "blanks are removed: a trim on the way in or out"
    if came.lower() == sent.lower():
        return "letter case is changed: lower() or upper() on the way in, or a case-insensitive collation"
    if came and sent.startswith(came):
        return f"cut to {len(came)} characters: the column is too short"
    if html.unescape(came) == sent:
        return "escaped for HTML on the way in or out"
    if unicodedata.normalize("NFKC", came) == unicodedata.normalize("NFKC", sent):
        return "normalised: Unicode forms are folded into each other"
    if sent.encode("utf-8", "surrogatepass").decode("latin-1") == came:
        return "UTF-8 is read as Latin-1"
    if "?" in came or "\ufffd" in came:
        return "characters are replaced: the column's character set is too small"
    return ""


def _list(sent: object, came: object) -> str:  # noqa: PLR0911 - a list of causes
    if not isinstance(sent, list):
        return ""
    if came is None:
        return "the array comes back as null: an empty relation, or a column that was never written"
    if isinstance(came, str):
        return "the array comes back as text: it is stored serialized and not read back"
    if not isinstance(came, list):
        return ""
    if came != sent and sorted(map(repr, came)) == sorted(map(repr, sent)):
        return "the same items in another order: a set, or rows without an order"
    if came == sent[: len(came)]:
        return f"only the first {len(came)} of {len(sent)} items: the others are cut off"
    return ""


def _lost(sent: object, came: object) -> str:
    if came is _NOTHING and sent is not _NOTHING:
        return "the property is missing: it is left out where it is serialized, perhaps because its value is empty"
    if came is None and sent is not None:
        return "null instead of the value: the property is not stored, or read under another name"
    return ""


_BY_VALUES: tuple[Callable[[object, object], str], ...] = (_truthiness, _number, _boolean, _list, _text, _lost)

_PAGES = "off by one: the offset is computed from the wrong page number, or limit and offset are mixed up"
_STALE = "an answer from before the change: a cache, a replica that lags, or a transaction that is not committed"
_BY_RULE: dict[str, tuple[tuple[str, str], ...]] = {
    "every_one_once": (("", _PAGES),),
    "at_most_pagesize": (("", "pagesize is not used as the limit of the query, or the limit is one too many"),),
    "counts_all": (("", "the count is taken from the page, or before the filter, and not from all providers"),),
    "same_order": (("", "no order is given to the query, so that the database is free to choose one each time"),),
    "listed_once": (("", _STALE),),
    "lists_update": (("", _STALE),),
    "no_longer_shown": (("", _STALE),),
    "not_listed": (("", _STALE),),
    "ids_differ": (("", "ids are computed (highest + 1) without a lock: two requests compute the same"),),
    "id_is_new": (("", "ids are reused, or computed as the highest id or the count plus one"),),
    "in_one_state": (("", "concurrent updates write property by property, without a transaction"),),
    "refused": (
        ("letter case", "compared without regard to letter case: a case-insensitive collation, or lower()"),
        ("token", "the token is not checked on this operation, or only a part of it is compared"),
        (" as text", "the framework coerces text into numbers: use strict types"),
        ("true", "the framework coerces booleans into numbers, or the other way round: use strict types"),
        ("false", "the framework coerces booleans into numbers, or the other way round: use strict types"),
        ("null", "null is taken for a missing value, and a default for that"),
        ("no ", "the property has a default, or is optional, in the server's model"),
        ("padd", "blanks around the value are removed before it is checked"),
    ),
    "refused_as_invalid_id": (("422", "the framework's own validation answers 422 before the handler is asked"),),
    "served_as_usual": (("", "the body is read whole, or parsed, before its size is looked at"),),
    "name_spelt_freely": (("", "the header is looked up by its exact spelling; names of headers have no letter case"),),
}


def _of_answer(exchange: Exchange) -> str:
    """Guess from an answer alone."""
    status = exchange.status
    if status is not None and status >= 500:
        return "an exception that the handler does not catch; the server's log of that moment names it"
    if status == 422 and exchange.operation == Operation.DESTROY:
        return "the framework's own validation answers 422 before the handler is asked"
    if status in {301, 302, 307, 308}:
        return "a redirect, as frameworks answer to a missing or superfluous slash"
    if exchange.response is None:
        return "the handler hangs or crashes; the server's log of that moment may tell"
    return ""
