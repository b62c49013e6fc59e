"""Replaces the token and every password wherever the run writes something down."""

from __future__ import annotations

import base64
import json
import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from provider_conformance.jsontext import JsonValue

MASK = "********"
SHORTEST_SECRET = 6
"""Secrets shorter than this are only masked where a property names them: they would be found in everything."""

STRETCH = 60
"""Characters between the beginnings of two parts of a long text: what repeats itself does so after a divisor of it."""

_NAMES = ("assword", "PASSWORD")
"""Where none of these is, nothing is named a password."""

_NAMES_IN_BYTES = tuple(name.encode() for name in _NAMES)
_PASSWORD_MEMBER = re.compile(r'("password"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\\?\Z)|-?[0-9][^,}\]\s]*)', re.DOTALL)
"""A member and its value, which may have been cut off."""

_PASSWORD_TEXT = re.compile(r"(\bpassword\s*[=:]\s*)([^\s,;&}]+)", re.IGNORECASE)


class Masker:
    """Replaces secrets, as they are and in the encodings in which servers echo them.

    `secrets` are what is known, each with what stands for it; what only the name of its property tells becomes a mask.
    """

    def __init__(self, secrets: Mapping[str, str], forms: Mapping[str, str] | None = None) -> None:
        self._secrets = secrets
        self._forms = _forms(secrets) if forms is None else forms

    def narrowed(self, texts: Iterable[str]) -> Masker:
        """Return one that looks only for what is found in these texts: most secrets are never echoed."""
        pieces = pieces_of(texts)
        whole = in_bytes("\n".join(pieces))
        # Encodings of a secret, and secrets themselves, often begin alike; where nothing does so, they need no look.
        beginnings = {form[:SHORTEST_SECRET] for form in self._forms}
        short = in_bytes("\n".join({stretch for piece in pieces for stretch in _stretches(piece)}))
        begun = {beginning for beginning in beginnings if '"' in beginning or in_bytes(beginning) in short}
        found = {
            form: mask
            for form, mask in self._forms.items()
            if form[:SHORTEST_SECRET] in begun and ('"' in form or in_bytes(form) in whole)
        }
        return Masker(self._secrets, found)

    def __or__(self, other: Masker) -> Masker:
        """Return one that looks for what either of two looks for, which were narrowed from one."""
        return Masker(self._secrets, {**self._forms, **other._forms})

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced."""
        return self.elsewhere(self.members(text))

    def members(self, text: str) -> str:
        """Return the text with what is named a password replaced."""
        if not any(map(text.__contains__, _NAMES)):
            return text
        text = _PASSWORD_MEMBER.sub(self._of_member, text)
        return _PASSWORD_TEXT.sub(rf"\1{MASK}", text) if '"password"' not in text else text

    def members_of(self, body: bytes) -> bytes:
        """Return a body with what is named a password replaced; most name none, which is seen before it is decoded."""
        if not any(map(body.__contains__, _NAMES_IN_BYTES)):
            return body
        return on_bytes(self.members, body)

    def elsewhere(self, text: str) -> str:
        """Return the text with every known secret replaced, wherever it stands."""
        return self._pattern.sub(self._of_form, text) if self._forms else text

    def finds(self, text: str) -> bool:
        """Tell whether there may be a known secret in a text: most often there is none, and to look is quicker."""
        return any(map(text.__contains__, self._forms))

    def value(self, value: JsonValue) -> JsonValue:
        """Return a JSON value with every secret in it replaced."""
        if isinstance(value, str):
            return self.elsewhere(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {
                self.elsewhere(name): self._secrets.get(member, MASK)
                if name == "password" and isinstance(member, str)
                else self.value(member)
                for name, member in value.items()
            }
        return value

    def header(self, value: str) -> str:
        """Return what stands for the value of a header that is a secret."""
        return self._secrets.get(value, MASK)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, sorted(self._forms, key=len, reverse=True))))

    def _of_form(self, found: re.Match[str]) -> str:
        return self._forms[found[0]]

    def _of_member(self, found: re.Match[str]) -> str:
        value = found[2]
        if not value.startswith('"'):
            return f"{found[1]}0"
        try:
            text = str(json.loads(value))
        except ValueError:
            return f'{found[1]}"\\{MASK}"'  # what was no JSON is none without its secret
        if any("\udc80" <= character <= "\udcff" for character in text):
            return f'{found[1]}"{MASK}\udcff"'  # nor is what was no UTF-8
        return f'{found[1]}"{self._secrets.get(text, MASK)}"'


def on_bytes(mask: Callable[[str], str], body: bytes) -> bytes:
    """Replace something in the text of a body; what is no UTF-8 stays as it is."""
    return mask(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def pieces_of(texts: Iterable[str]) -> set[str]:
    """Return what stands between quotation marks in texts: what many have in common, such as names of members, once."""
    return {piece for text in texts for piece in text.split('"')}


def in_bytes(text: str) -> bytes:
    """Return a text as bytes, in which searching is twice as fast."""
    return text.encode("utf-8", "surrogatepass")


def _stretches(piece: str) -> Iterator[str]:
    """Cut a text so that each beginning of a secret stays whole: what is excessively long often repeats itself."""
    return (piece[start : start + STRETCH + SHORTEST_SECRET] for start in range(0, len(piece), STRETCH))


def _forms(secrets: Mapping[str, str]) -> dict[str, str]:
    return {
        form: placeholder
        for secret, placeholder in secrets.items()
        if len(secret) >= SHORTEST_SECRET
        for form in encodings(secret)
    }


def disguises(token: str) -> set[str]:
    """Return a token as only whoever wants to show it writes it: in one letter case, or every character escaped."""
    escaped = ("".join(form.format(ord(letter)) for letter in token) for form in ("%{:02X}", "\\u{:04x}", "&#{:d};"))
    return {token.upper(), token.lower(), token.encode().hex().upper(), *escaped}


def masked_by(*secrets: str) -> Masker:
    """Return what replaces secrets by the same mask."""
    return Masker(dict.fromkeys(secrets, MASK))


def encodings(secret: str) -> set[str]:
    """Return a secret as it is, as JSON, URL-encoded and in base64 at each of the three offsets."""
    raw = secret.encode()
    forms = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret), raw.hex()}
    forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        inner = encoded[(0, 2, 3)[offset] : len(encoded) - 4 if len(encoded) % 4 == 0 else None]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    # What holds a quotation mark would take a JSON text's own along; there it is escaped.
    return {form for form in forms if len(form) >= SHORTEST_SECRET and not re.search(r'(?<!\\)"', form)}
