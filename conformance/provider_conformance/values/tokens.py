"""Tokens that differ from the valid one, each with its description."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def altered(token: str, position: int) -> tuple[str, str]:
    """Replace one character of a token by another of the same kind."""
    alphabet = next((kind for kind in _ALPHABETS if token[position] in kind), string.ascii_letters)
    other = alphabet[(alphabet.index(token[position]) + 1) % len(alphabet)] if token[position] in alphabet else "x"
    what = f"a token that differs from the valid one in character {position + 1} of {len(token)}"
    return what, token[:position] + other + token[position + 1 :]


def nudged(token: str, position: int) -> tuple[str, str]:
    """Put one character of a token into the other letter case, or alter it where it is no letter.

    Whoever does not look at the character takes that, too, and so does whoever does not look at its letter case.
    """
    other = token[position].swapcase()
    if other == token[position] or len(other) != 1 or not other.isascii():
        return altered(token, position)
    what = f"the valid token with character {position + 1} of {len(token)} in the other letter case"
    return what, token[:position] + other + token[position + 1 :]


def telling(token: str) -> Iterator[tuple[str, str]]:
    """The wrong tokens that tell most: changed at the ends and in the middle, in letter case, in order."""
    for position in sorted({0, len(token) // 2, len(token) - 1}):
        yield nudged(token, position)
    # Of a token in both cases, the two of one case alone are others than the one with each letter swapped.
    seen = {token}
    for what, other in (
        ("the valid token in the other letter case", token.swapcase()),
        ("the valid token in lower case", token.lower()),
        ("the valid token in capitals", token.upper()),
    ):
        if other not in seen and len(other) == len(token):
            seen.add(other)
            yield what, other
    # What a database takes for any character.
    for wildcard in "_.":
        if token[0] != wildcard:
            yield f"the valid token with {wildcard} for its first character", wildcard + token[1:]
    if token[::-1] != token:
        yield "the valid token written backwards", token[::-1]
    yield "another token of the same length", "".join(altered(token, index)[1][index] for index in range(len(token)))


def guessed(token: str) -> Iterator[tuple[str, str]]:
    """The token that whoever knows nothing but the docs would try: their sample, unless it is the valid one."""
    if token.upper() != SAMPLE:
        yield "the sample token of the documentation", SAMPLE


SAMPLE = "4DFCF1D4C30B4D798ECE3AE43769F008"


def of_other_length(token: str) -> Iterator[tuple[str, str]]:
    """Tokens of lengths that the docs rule out, made of the valid one: parts of it, and what it is a part of."""
    # As many whatever the token is made of, since what is sent derives from the seed alone.
    more = altered(token, 0)[1][0]
    made = {
        f"a token of {LONGEST} characters": (token * LONGEST)[:LONGEST],
        # A header's value loses the blanks around it.
        "an empty token": " ",
        "the first half of the valid token": token[: len(token) // 2],
        "the valid token without its last character": token[:-1],
        "the valid token without its first character": token[1:],
        "the valid token with a character after it": f"{token}{more}",
        "the valid token with a character before it": f"{more}{token}",
        "the valid token twice": token * 2,
        "the valid token after Bearer": f"Bearer {token}",
        "the valid token in quotes": f'"{token}"',
        "the valid token with its first character percent-encoded": f"%{ord(token[0]):02X}{token[1:]}",
        "a percent sign": "%",
        "an asterisk": "*",
        # True of nothing but the valid one, whatever a query does where it is pasted into one.
        "the valid token with a condition after it": f"{token}' AND 'a'='a",
        # No longer word, since whatever was sent as a token is masked wherever it is found.
        "the word null": "null",
        "the valid token with a letter beyond ASCII after it": f"{token}\xe9",
    }
    for length in (1, 63, 65, 128):
        made[f"a token of {length} characters"] = (token * length)[:length]
    seen = {token}
    for what, wrong in made.items():
        if wrong and wrong not in seen and len(wrong) != len(token):
            seen.add(wrong)
            yield what, wrong


LONGEST = 8192
"""Characters of the longest token that is sent."""

_ALPHABETS = (string.digits, string.ascii_uppercase, string.ascii_lowercase)
