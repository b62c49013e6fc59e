"""Shows a search at a terminal, as a run is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from provider_conformance.limits import CLEANING_TIME, MOST_REQUESTS
from provider_conformance.reports.console import ConsoleProgress
from provider_conformance.reports.inert import inert
from provider_conformance.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from provider_conformance.config import Config
    from provider_conformance.verdict import Report


class SearchProgress(ConsoleProgress):
    """Listens to a search and shows it."""

    def target(self, base_url: str, *, embedded: bool) -> None:  # noqa: ARG002 - a search has a URL
        """Say what is searched."""
        self._say(Text(f"searching {inert(base_url)}"))

    def plan(self, requirements: int, config: Config) -> None:  # noqa: ARG002 - it bears on few of them
        """Say where the values come from, and what the search may do to the target at most."""
        self._say(Text(f"seed {config.seed}, {config.examples} examples of each property"))
        writes = f"creates, changes and destroys providers of its own, {config.max_providers} at a time"
        seconds = f"{(config.max_time or 0) + CLEANING_TIME:,.0f} s at most"
        self._say(Text(f"{writes}; {MOST_REQUESTS:,} requests at most; {seconds}", style="dim"))

    def _figures(self) -> str:
        return f"{self._exchanges} exchanges, {self._clock() - self._started:.1f} s"


def last_line(report: Report) -> Text:
    """Return the last line of a search: what was found, or what it says that nothing was."""
    seconds = (report.finished - report.started).total_seconds()
    effort = f"{report.exchanges} exchanges, {seconds:.1f} s, seed {report.seed}"
    if report.verdict is Verdict.NONCONFORMANT:
        broken = [one.requirement.id for one in report.results if one.outcome is Outcome.FAIL]
        return Text(f"found: {', '.join(broken)} ({effort})", style="bold red")
    if report.diagnosis:
        return Text(f"nothing found, for the system cannot be searched: {inert(report.diagnosis)}", style="bold red")
    return Text(f"nothing found in {effort}; this certifies nothing: only `run` does", style="bold yellow")
