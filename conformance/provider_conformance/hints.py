"""Guesses the usual cause of a failure from how it looks, for whoever has to find it in somebody's server."""

from __future__ import annotations

import html
import ipaddress
import json
import unicodedata
from typing import TYPE_CHECKING

from provider_conformance.causes import CAUSES
from provider_conformance.contract import Operation
from provider_conformance.oddities import BARE, oddity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge.wording import Difference, Problem

    Guess = Callable[[object, object], str]

INT16_MAX, INT16_SPAN = 2**15 - 1, 2**16
INT32_MAX, INT32_SPAN = 2**31 - 1, 2**32
LARGEST_ALLOWED = frozenset({2**8 - 1, INT16_MAX, INT16_SPAN - 1, INT32_MAX, INT32_SPAN - 1})
LARGEST_EXACT = 2**53
"""Integers beyond it are not exact as floating-point numbers."""


COMPARED_IN_TIME = frozenset({"unchanged", "refused_without_change", "list_unchanged", "listed_alike", "list_agrees"})
"""Rules whose differences lie between two answers: how values are stored is not what they tell of."""

UNTOUCHED = "still gives the old value"


def hint(rule: str, problem: Problem, exchanges: Sequence[Exchange]) -> str:
    """Return the usual cause of a problem, or nothing where there is none; `exchanges` are those that were judged."""
    if rule not in COMPARED_IN_TIME:
        guesses = (_truthiness,) if UNTOUCHED in problem.summary else _BY_VALUES
        if found := _of_values(problem.differences, guesses):
            return found
    broken = next((cause for exchange in exchanges if (cause := _of_answer(exchange))), "")
    return broken or next((cause for told, cause in CAUSES.get(rule, ()) if told in problem.summary), "")


def _of_values(differences: Sequence[Difference], guesses: Sequence[Guess]) -> str:
    """Guess from what was sent and what came of it: where all is as before, no single value is the reason."""
    found = []
    for difference in differences:
        sent, came = _value(difference.expected), _value(difference.actual)
        found.append(next(((guess, cause) for guess in guesses if (cause := guess(sent, came))), (None, "")))
    explained = all(cause for _, cause in found)
    told = zip(differences, found, strict=True)
    return next(
        (f"{one.name}: {cause}" for one, (guess, cause) in told if cause and (explained or guess not in WEAK)), ""
    )


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
    if abs(sent) > INT16_MAX and (came in {INT16_MAX, -INT16_MAX - 1} or (sent - came) % INT16_SPAN == 0):
        return "cut to 16 bits: a smallint column or variable"
    if sent < 0 and came == -sent:
        return "the sign is dropped"
    if came in LARGEST_ALLOWED and sent > came:
        return "limited to a largest value, where it should be refused"
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
    if not isinstance(sent, bool):
        return ""
    if not isinstance(came, bool) and came in (0, 1, "0", "1", "true", "false", "True", "False"):
        return "the boolean comes back as something else: a column without a boolean type"
    if came is (not sent):
        return "always the same boolean: the value is not stored, or a default overwrites it"
    return ""


def _text(sent: object, came: object) -> str:
    if not isinstance(sent, str) or not isinstance(came, str):
        return ""
    return next((cause for fits, cause in _OF_TEXT if fits(sent, came)), "")


def _is_cut(sent: str, came: str) -> bool:
    return 0 < len(came) < len(sent) and sent.startswith(came)


def _is_cut_at_a_sign(sent: str, came: str) -> bool:
    return _is_cut(sent, came) and not sent[len(came)].isalnum() and sent[len(came)] not in "_-. "


def _is_thinned(sent: str, came: str) -> bool:
    left = iter(sent)
    return bool(came) and all(character in left for character in came)


def _as_latin_1(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _same_address(sent: str, came: str) -> bool:
    try:
        return ipaddress.ip_address(sent) == ipaddress.ip_address(came)
    except ValueError:
        return False


_OF_TEXT: tuple[tuple[Callable[[str, str], bool], str], ...] = (
    (lambda sent, came: came in {sent.strip(), " ".join(sent.split())}, "blanks are removed, on the way in or out"),
    (lambda sent, came: came.lower() == sent.lower(), "letter case is changed: lower() or upper() on the way in"),
    (_is_cut_at_a_sign, "cut at a sign: it is parsed, as if it were an address"),
    (_is_cut, "the end is cut off: the column is too short"),
    (lambda sent, came: came in {sent.lstrip("0"), sent.lstrip("+")}, "text of digits is read as a number"),
    (lambda sent, came: came == sent.replace("+", " "), "decoded like a form, in which + stands for a blank"),
    (_same_address, "the address is written anew: a column for addresses, or a library that normalizes them"),
    (lambda sent, came: html.unescape(came) == sent, "escaped for HTML on the way in or out"),
    (lambda sent, came: _folded(came) == _folded(sent), "normalised: Unicode forms are folded into each other"),
    (lambda sent, came: came == _as_latin_1(sent), "UTF-8 is read as Latin-1"),
    (lambda sent, came: came.replace("''", "'") == sent, "quotes are doubled on the way in, and not read back"),
    (lambda _, came: "?" in came or "\ufffd" in came, "characters are replaced: the character set is too small"),
    (_is_thinned, "characters are removed: a filter, or a character set that is too small"),
)


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
    if len(came) == len(sent) and all(_same_address(str(old), str(new)) for old, new in zip(sent, came, strict=True)):
        return "addresses are written anew: a column for addresses, or a library that normalizes them"
    if came == [item if isinstance(item, str) else str(item) for item in sent]:
        return "items become text: a column or a list of text"
    if len(came) < len(sent) and came == [item for at, item in enumerate(sent) if item not in sent[:at]]:
        return "what occurs twice is kept once: a set, or a unique index"
    if came and came == sent[: len(came)]:
        return f"only the first {len(came)} of {len(sent)} items: the others are cut off"
    return ""


def _lost(sent: object, came: object) -> str:
    if came is _NOTHING and sent is not _NOTHING:
        return "the property is missing: it is left out where it is serialized, perhaps because its value is empty"
    if came is None and sent is not None:
        return "null instead of the value: the property is not stored, or read under another name"
    return ""


_BY_VALUES: tuple[Guess, ...] = (_truthiness, _number, _boolean, _list, _text, _lost)

WEAK = frozenset({_truthiness, _boolean})
"""Guesses that fit whenever a value is an older one."""

UNPACKABLE = ("packed by", "cannot be unpacked", "content coding")
"""How it is told of a compressed answer that it cannot be read."""

PACKED_TWICE = (
    "one layer compresses answers and another writes their headers, or compresses them too: Content-Encoding and "
    "Content-Length are those of what is sent"
)


def _of_answer(exchange: Exchange) -> str:  # noqa: PLR0911 - a list of causes
    """Guess from an answer alone."""
    status = exchange.status
    if status is not None and status >= 500:
        return f"an exception that the handler does not catch; {_special(exchange)}the server's log names it"
    if status == 422 and exchange.operation == Operation.DESTROY:
        return "the framework's own validation answers 422 before the handler is asked"
    if status in {301, 302, 307, 308}:
        return "a redirect, as frameworks answer to a missing or superfluous slash"
    if status in {401, 403} and oddity(exchange.request) == BARE:
        return "a firewall, or a rule of the server's own, takes requests without a User-Agent for those of robots"
    if exchange.detail and any(word in exchange.detail for word in UNPACKABLE):
        return PACKED_TWICE
    if exchange.response is None:
        return f"the handler hangs or crashes; {_special(exchange)}the server's log may tell"
    return ""


def _special(exchange: Exchange) -> str:
    what = oddity(exchange.request)
    return f"what is special is that {what}; " if what else ""
