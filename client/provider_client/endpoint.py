"""Makes requests out of calls, and results or errors out of answers; nothing here sends anything."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import httpx
from pydantic import ValidationError

from provider_client.errors import Busy, Refused, ServerFailed, UnexpectedAnswer, Unreachable
from provider_conformance.masking import MASK, masked_by
from provider_conformance.reports.inert import inert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider_client.calls import Call

T = TypeVar("T")

LONGEST_EXCERPT = 200
"""Characters of a body that an error shows."""

PART = 8
"""Characters in a row of a secret that are too many to be shown."""


class Endpoint:
    """Where an API is, and the token for it."""

    def __init__(self, base_url: str, token: str, timeout: float | httpx.Timeout) -> None:
        self._base_url = _checked_url(base_url)
        self._token = _checked_token(token)
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"{self._base_url!r}, token={MASK}"

    def request(self, http: httpx.Client | httpx.AsyncClient, call: Call[T]) -> httpx.Request:
        """Return the request of a call, with what the httpx client adds to each of its own."""
        headers = {"access_token": self._token}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return http.build_request(
            "GET" if call.body is None else "POST",
            f"{self._base_url}/{call.operation}",
            params=call.params,
            content=call.body,
            headers=headers,
            timeout=self._timeout,
        )

    @contextmanager
    def reaching(self, call: Call[T]) -> Iterator[None]:
        """Raise Unreachable where the block raises an error of httpx."""
        try:
            yield
        except httpx.RequestError as error:
            reason = self._shown(call, str(error))
            problem = ": ".join(filter(None, ("no answer", type(error).__name__, reason)))
            # Not as its cause: that holds the request, and with it the token.
            raise Unreachable(call.operation, problem) from None

    def result(self, call: Call[T], response: httpx.Response) -> T:
        """Return the result of a call; raises what the answer calls for."""
        status = response.status_code
        if status == 429 or (status == 503 and "Retry-After" in response.headers):
            raise Busy(call.operation, status, _seconds(response.headers.get("Retry-After", "")))
        if 400 <= status < 600:
            kind = Refused if status < 500 else ServerFailed
            # Not by the charset that it claims, which may be none; without the NULs that hide a secret in UTF-16.
            told = response.content.replace(b"\0", b"").decode("utf-8", "replace")
            raise kind(call.operation, status, self._shown(call, told))
        if status != 200:
            remark = "; redirects are not followed, since the token would go along" if response.is_redirect else ""
            raise UnexpectedAnswer(call.operation, f"answered with {status} instead of 200{remark}")
        declared = response.headers.get("Content-Type", "")
        if call.answers_json and declared.partition(";")[0].strip().lower() != "application/json":
            found = self._shown(call, declared) or "of no declared type"
            raise UnexpectedAnswer(call.operation, f"the answer is {found}, not application/json")
        try:
            return call.read(response.content)
        except ValidationError as error:
            problem = _where(error)
        raise UnexpectedAnswer(call.operation, f"the answer does not fit: {problem}")

    def _shown(self, call: Call[T], text: str) -> str:
        """Return the beginning of a text from elsewhere, on one line, without secrets and safe to look at."""
        secrets = [secret for secret in (self._token, call.password) if secret]
        masked = masked_by(*secrets)(text)
        if any(part in masked for secret in secrets for part in _parts(secret)):
            return "(not shown, since it holds a part of a secret)"
        return inert(" ".join(masked.split()), LONGEST_EXCERPT)


def _parts(secret: str) -> set[str]:
    """Return what a text that is shown must not hold: a short secret as a whole, and every part of a longer one."""
    forms = (secret, json.dumps(secret)[1:-1])
    return {form[start : start + PART] for form in forms for start in range(max(1, len(form) - PART + 1))}


def _where(error: ValidationError) -> str:
    """Say where an answer does not fit its model and which rule it breaks, never the value."""
    first, *more = error.errors(include_url=False, include_context=False, include_input=False)
    place = ".".join(map(str, first["loc"])) or "body"
    return f"{place}: {first['msg']}" + (f" (and {len(more)} more)" if more else "")


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that a Retry-After asks for, be it a number or a date; None for anything else."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after, re.ASCII):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _checked_url(base_url: str) -> str:
    """Return a base URL without its last slash; raises ValueError, which shows nothing of it."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("the base URL must be like https://pbx.example/api/providers")
    if url.userinfo or url.query or url.fragment:
        raise ValueError("the base URL must have no user, password, query or fragment")
    return str(url).rstrip("/")


def _checked_token(token: str) -> str:
    """Return a token that a header can carry as it is; raises ValueError, which shows nothing of it."""
    if not token or not token.isascii() or not token.isprintable() or token != token.strip():
        raise ValueError("the token must be printable ASCII, not empty, and without blanks around it")
    return token
