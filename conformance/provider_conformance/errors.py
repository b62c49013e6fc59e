"""What can end a test or a run early, each with one class, so that every ending can be told apart."""

from __future__ import annotations


class NotTestableError(Exception):
    """A precondition of a test does not hold; the message is the reason why its requirement was not tested."""


class ViolationError(AssertionError):
    """A requirement does not hold; the ledger has the details already."""


class RunEndedError(BaseException):
    """The run must end now; no BaseException subclass of ours is swallowed by code that catches Exception."""


class InterruptedRunError(RunEndedError):
    """Somebody asked the run to stop."""


class BudgetSpentError(RunEndedError):
    """The time that `--max-time` gives to the run is used up."""


class TargetLostError(RunEndedError):
    """The implementation under test cannot be tested any further; the message says why.

    `since` is the number of the first exchange of those at the end that had no answer, if that is why.
    """

    def __init__(self, message: str, since: int | None = None) -> None:
        super().__init__(message)
        self.since = since
