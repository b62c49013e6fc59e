"""Makes text that came from elsewhere harmless to look at."""

from __future__ import annotations

import unicodedata

ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Control, format (bidi, zero-width), surrogate, private and unassigned characters, and odd blanks."""

LONGEST_LINE = 600
"""Characters of a line of output that quotes a target or a file."""


def inert(text: str, limit: int | None = None) -> str:
    r"""Return the text on one line, with every character that acts or hides spelt out as an escape.

    Answers of a server can hold ANSI sequences that repaint a terminal, bidirectional marks that reorder a
    line, and characters that XML forbids. `\x1b[2J` in place of them shows what was there and does nothing.
    Beyond `limit` characters the rest is counted instead of shown.
    """
    dropped = 0
    if limit is not None and len(text) > limit:
        dropped = len(text) - limit
        text = text[:limit]
    if not text.isprintable():  # the usual text needs no second look
        text = "".join(_spelt_out(character) for character in text)
    return f"{text}… ({dropped} more characters)" if dropped else text


def inert_lines(text: str) -> str:
    """Return the text with its line breaks kept and each line made inert."""
    return "\n".join(inert(line) for line in text.replace("\r\n", "\n").split("\n"))


def _spelt_out(character: str) -> str:
    if character == " " or unicodedata.category(character) not in ESCAPED_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")
