"""What a call raises when it does not do what was asked.

There is no class for a single status such as 401 or 404: apart from destroy's 400, the documentation does not say which
4xx refuses what (D11), so that code which relied on one would fail with the next implementation.
"""

from __future__ import annotations

from typing import ClassVar


class ProviderError(Exception):
    """A call has failed; the text is one line, safe to print, and holds neither the token nor a password."""

    def __init__(self, operation: str, problem: str) -> None:
        super().__init__(operation, problem)
        self.operation = operation
        """The operation that was called, such as "create"."""
        self.problem = problem
        """What has happened."""

    def __str__(self) -> str:
        return f"{self.operation}: {self.problem}"


class _ErrorAnswer(ProviderError):
    verb: ClassVar[str]

    def __init__(self, operation: str, status: int, excerpt: str) -> None:
        super().__init__(operation, f"{self.verb} with {status}: {excerpt or 'no body'}")
        self.args = (operation, status, excerpt)  # what copies and pickles are made from
        self.status = status
        """The status of the answer."""
        self.excerpt = excerpt
        """The beginning of its body on one line, secrets masked; what it says is not documented."""


class Refused(_ErrorAnswer):
    """The server refused the request with a 4xx and has changed nothing."""

    verb = "refused"


class ServerFailed(_ErrorAnswer):
    """The server failed with a 5xx; whether it has done what was asked is not known."""

    verb = "failed"


class Busy(ProviderError):
    """The server asks to come back later, with 429, or 503 and Retry-After, which is no answer to the request (D18)."""

    def __init__(self, operation: str, status: int, retry_after: float | None) -> None:
        when = "later" if retry_after is None else f"in {retry_after:.0f} s"
        super().__init__(operation, f"the server asks with {status} to come back {when}")
        self.args = (operation, status, retry_after)
        self.status = status
        """429 or 503."""
        self.retry_after = retry_after
        """Seconds to wait, or None if the server does not say."""


class UnexpectedAnswer(ProviderError):
    """The answer is none of the documented ones; whether the server has done what was asked is not known."""


class Unreachable(ProviderError):
    """There was no complete answer: no connection, no trust in it, or too long a silence.

    Whether the server has done what was asked is not known.
    """
