"""Masks the token and every password wherever the run writes something down."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

MASK = "********"
SHORTEST_SECRET = 6
"""Secrets shorter than this are only masked where a property names them: they would be found in everything."""

_PASSWORD_MEMBER = re.compile(r'("password"\s*:\s*)("(?:[^"\\]|\\.)*"|[^,}\]\s]+)')
_PASSWORD_TEXT = re.compile(r"(\bpassword\s*[=:]\s*)([^\s,;&}]+)", re.IGNORECASE)


class Masker:
    """Replaces secrets, as they are and in the encodings in which servers echo them."""

    def __init__(self, *secrets: str) -> None:
        self._pattern = _pattern(secrets)

    def __call__(self, text: str) -> str:
        """Return the text with every secret masked."""
        text = _PASSWORD_MEMBER.sub(rf'\1"{MASK}"', text)
        text = _PASSWORD_TEXT.sub(rf"\1{MASK}", text) if '"password"' not in text else text
        return self._pattern.sub(MASK, text) if self._pattern else text


def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets if len(secret) >= SHORTEST_SECRET for form in encodings(secret)}
    if not forms:
        return None
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def encodings(secret: str) -> set[str]:
    """Return a secret as it is, as JSON, URL-encoded and in base64 at each of the three offsets."""
    raw = secret.encode()
    forms = {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote_plus(secret), raw.hex()}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        inner = encoded[(0, 2, 3)[offset] : len(encoded) - 4 if len(encoded) % 4 == 0 else None]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= SHORTEST_SECRET}
