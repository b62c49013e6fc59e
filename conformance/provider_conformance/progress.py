"""What a run tells while it goes on; the console shows it, tests may ignore it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from provider_conformance.config import Config
    from provider_conformance.verdict import RequirementResult


class Progress(Protocol):
    """Listens to a run."""

    def target(self, base_url: str, *, embedded: bool) -> None:
        """Hear which implementation is certified, and whether it is the embedded reference."""

    def plan(self, requirements: int, config: Config) -> None:
        """Hear how many requirements the run is going to test, and the settings that bound it."""

    def diagnosis(self, text: str) -> None:
        """Hear what is wrong with the target as a whole: unreachable, token refused, no such API."""

    def note(self, text: str) -> None:
        """Hear a remark that is no failure: a lower cap on providers, a wait for Retry-After."""

    def requirement_started(self, requirement_id: str) -> None:
        """Hear which requirement is tested now."""

    def requirement_finished(self, result: RequirementResult) -> None:
        """Hear the outcome of a requirement, as far as its own tests go."""

    def exchanged(self, exchanges: int) -> None:
        """Hear how many exchanges there were so far; called often, so it must be cheap."""

    def cleaning(self, providers: int) -> None:
        """Hear that the run destroys what it still holds."""


class Silence:
    """Listens to a run and shows nothing."""

    def target(self, base_url: str, *, embedded: bool) -> None:
        """Show nothing."""

    def plan(self, requirements: int, config: Config) -> None:
        """Show nothing."""

    def diagnosis(self, text: str) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def requirement_started(self, requirement_id: str) -> None:
        """Show nothing."""

    def requirement_finished(self, result: RequirementResult) -> None:
        """Show nothing."""

    def exchanged(self, exchanges: int) -> None:
        """Show nothing."""

    def cleaning(self, providers: int) -> None:
        """Show nothing."""
