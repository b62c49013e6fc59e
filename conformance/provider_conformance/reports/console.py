"""Shows a run at a terminal while it goes on, and what it found out when it is over."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, TextIO, cast

from rich import box
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from provider_conformance.about import tracker
from provider_conformance.contract import Level
from provider_conformance.journal import HOW_TO_CLEAN_UP
from provider_conformance.limits import CLEANING_TIME, MOST_REQUESTS
from provider_conformance.reports import figures
from provider_conformance.reports.blocks import block
from provider_conformance.reports.figures import by_reason
from provider_conformance.reports.inert import inert, inert_lines
from provider_conformance.verdict import Outcome, Verdict, counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import RenderableType

    from provider_conformance.config import Config
    from provider_conformance.reports.blocks import Line
    from provider_conformance.reports.stream import TolerantStream
    from provider_conformance.verdict import Report, RequirementResult

USUAL_REQUESTS = {Level.CORE: 2_200, Level.STRICT: 4_300, Level.HARDENED: 5_100}
"""Requests of a run without any trouble and without providers of others, about."""

HEARTBEAT = 10.0
"""Seconds after which a run without a terminal says that it is still alive."""

REFRESHES = 8
"""Redraws a second of the live display."""

BAR_WIDTH = 10
LABEL = 12
"""Columns of the labels of a failure's lines."""

LONGEST_TEXT = 600
LONGEST_COMMAND = 8_000
MOST_IDS = 50

OUTCOME_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.KNOWN: "yellow",
    Outcome.ERROR: "bold magenta",
    Outcome.NOT_TESTED: "yellow",
}
VERDICT_STYLES = {
    Verdict.CONFORMANT: "bold green",
    Verdict.NONCONFORMANT: "bold red",
    Verdict.INCOMPLETE: "bold yellow",
}


class ConsoleProgress:
    """Listens to a run and shows it: one redrawn line on a terminal, single lines elsewhere.

    What is wrong with the target as a whole comes first, before the name of the target even: lines that are
    due earlier are held back until it is clear that there is no such diagnosis. Use as a context manager.
    """

    def __init__(self, stream: TolerantStream, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = Console(file=cast("TextIO", stream), markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._clock = clock
        self._started = self._spoken = clock()
        self._held_back: list[Text] | None = []
        self._outcomes: Counter[Outcome] = Counter()
        self._planned = 0
        self._current = "first contact"
        self._exchanges = 0
        self.diagnosed = ""
        self._live: Live | None = None
        if stream.isatty() and self.console.is_interactive:
            self._live = Live(
                get_renderable=self._display,
                console=self.console,
                refresh_per_second=REFRESHES,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )

    def __enter__(self) -> ConsoleProgress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._live.stop()
        self._release()

    def target(self, base_url: str, *, embedded: bool) -> None:
        """Say which implementation is certified."""
        name = "the embedded reference implementation at " if embedded else ""
        self._say(Text(f"certifying {name}{inert(base_url)}"))

    def plan(self, requirements: int, config: Config) -> None:
        """Say how much there is to do, and what the run may do to the target at most."""
        self._planned = requirements
        self._say(Text(f"{requirements} requirement{'s'[: requirements != 1]} up to level {config.level.value}"))
        whole = not config.only and not config.read_only
        usual = f"some {USUAL_REQUESTS[config.level]:,} requests, " if whole else "requests: "
        requests = f"{usual}{MOST_REQUESTS:,} at most"
        time_limit = f"{config.max_time + CLEANING_TIME:,.0f} s at most" if config.max_time else "no limit of time"
        writes = f"creates, changes and destroys providers of its own, {config.max_providers} at a time"
        self._say(Text(f"{'creates nothing' if config.read_only else writes}; {requests}; {time_limit}", style="dim"))

    def diagnosis(self, text: str) -> None:
        """Say what is wrong with the target as a whole, ahead of everything that was held back."""
        if text != self.diagnosed:
            self.diagnosed = text
            self.console.print(Text(inert_lines(text), style="bold red"))
        self._release()

    def note(self, text: str) -> None:
        """Say what is worth knowing and no failure."""
        self._say(Text(f"note: {inert(text)}", style="dim"))

    def requirement_started(self, requirement_id: str) -> None:
        """Show what is tested now."""
        self._current = inert(requirement_id)

    def requirement_finished(self, result: RequirementResult) -> None:
        """Count the outcome, and tell a failure at once rather than at the end only."""
        self._outcomes[result.outcome] += 1
        if result.outcome in {Outcome.PASS, Outcome.FAIL, Outcome.KNOWN}:
            self._release()  # something was tested, so the target as a whole answers
        if result.outcome in {Outcome.FAIL, Outcome.ERROR}:
            summary = result.failures[0].summary if result.failures else result.reason
            line = Text(f"{result.outcome.value} {result.requirement.id}", OUTCOME_STYLES[result.outcome])
            self._say(line.append(f" {inert(summary, LONGEST_TEXT)}", style="not bold default"))
        self._heartbeat()

    def exchanged(self, exchanges: int) -> None:
        """Count the exchanges; the display looks at the number when it is redrawn."""
        self._exchanges = exchanges
        self._heartbeat()

    def cleaning(self, providers: int) -> None:
        """Show that providers are destroyed."""
        self._current = f"destroying {providers} providers"

    def _say(self, text: Text) -> None:
        if self._held_back is None:
            self._spoken = self._clock()
            self.console.print(text)
        else:
            self._held_back.append(text)

    def _release(self) -> None:
        held_back, self._held_back = self._held_back or [], None
        for text in held_back:
            self.console.print(text)

    def _heartbeat(self) -> None:
        if self._live is None and self._held_back is None and self._clock() - self._spoken >= HEARTBEAT:
            self._say(Text(f"… {self._figures()}"))

    def _figures(self) -> str:
        elapsed = self._clock() - self._started
        tested = f"{self._outcomes.total()} of {self._planned} requirements"
        failed = f", {self._outcomes[Outcome.FAIL]} failed" if self._outcomes[Outcome.FAIL] else ""
        speed = f" ({self._exchanges / elapsed:.0f}/s)" if elapsed > 0 else ""
        return f"{tested}{failed}, {self._exchanges} exchanges{speed}, {elapsed:.1f} s"

    def _display(self) -> RenderableType:
        bar = ProgressBar(total=max(self._planned, 1), completed=self._outcomes.total(), width=BAR_WIDTH)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=BAR_WIDTH)
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(bar, Text(self._current), Text(self._figures()))
        return grid


def show_report(console: Console, report: Report) -> None:
    """Print everything that a run has to say but the verdict: a table, failures, gaps, advice, left-overs."""
    counted = counting(report.results, report.level)
    console.print()
    console.print(_summary(report), soft_wrap=False)
    console.print()
    for result in counted:
        if result.outcome in {Outcome.FAIL, Outcome.KNOWN}:
            _show_failures(console, result, report)
    _show_gaps(console, counted)
    _show_defects(console, [r for r in report.results if r.outcome is Outcome.ERROR])
    for remark in report.stale:
        console.print(Text(f"STALE {inert(remark, LONGEST_TEXT)}", style="bold red"))
    if report.advice:
        console.print(Text("advice (counts in no verdict):", style="bold"))
        for remark in report.advice:
            console.print(Text(f"  - {inert(remark, LONGEST_TEXT)}"))
        console.print()
    if report.cleanup.left:
        _show_left(console, report)


def verdict_line(report: Report) -> Text:
    """Return the last line of a run."""
    seconds = (report.finished - report.started).total_seconds()
    reached = report.reached_level
    also = f"; level {reached.value} holds" if reached and reached is not report.level else ""
    text = (
        f"verdict: {report.verdict.value} (level {report.level.value}{also}), "
        f"{report.exchanges} {'exchange' if report.exchanges == 1 else 'exchanges'} in {seconds:.1f} s"
    )
    return Text(text, style=VERDICT_STYLES[report.verdict])


def _summary(report: Report) -> Table:
    rows = figures.rows(report)
    total = figures.total(rows)
    columns = figures.columns(total)

    table = Table(box=box.SIMPLE_HEAD, show_footer=True, show_edge=False, pad_edge=False)
    table.add_column("operation", footer="total")
    for outcome, heading in columns:
        table.add_column(heading, justify="right", footer=_figure(total[outcome], outcome))
    table.add_column("exchanges", justify="right", footer=str(report.exchanges))
    table.add_column("p95 ms", justify="right")
    for row in rows:
        table.add_row(
            Text(inert(row.operation)),
            *(_figure(row.outcomes[outcome], outcome) for outcome, _ in columns),
            "" if row.exchanges is None else str(row.exchanges),
            "" if row.p95_ms is None else f"{row.p95_ms:.1f}",
        )
    return table


def _figure(count: int, outcome: Outcome) -> Text:
    return Text(str(count), style=OUTCOME_STYLES[outcome] if count else "dim")


def _show_failures(console: Console, result: RequirementResult, report: Report) -> None:
    requirement = result.requirement
    word = "FAILED" if result.outcome is Outcome.FAIL else "KNOWN TO FAIL"
    for number, failure in enumerate(result.failures):
        line = Text(f"{word} {requirement.id} ({requirement.level.value})", OUTCOME_STYLES[result.outcome])
        console.print(line.append(f" {inert(failure.summary, LONGEST_TEXT)}", style="bold not dim default"))
        told = block(result, failure, report.readings)
        _show_block(console, [line for line in told if number == 0 or not line.shared])
    if not result.failures:
        what = inert(result.reason or requirement.statement, LONGEST_TEXT)
        bare = f"{word} {requirement.id} ({requirement.level.value}) {what}\n"
        console.print(Text(bare, OUTCOME_STYLES[result.outcome]))
    elif result.outcome is Outcome.KNOWN and result.reason:
        console.print(Text(f"  known: {inert(result.reason, LONGEST_TEXT)}\n"))


def _show_block(console: Console, lines: Iterable[Line]) -> None:
    before = ""
    for line in lines:
        label = "" if line.label == before else line.label
        before = line.label
        console.print(
            Text(f"  {label:<{LABEL}}  {inert(line.text, LONGEST_COMMAND if line.command else LONGEST_TEXT)}")
        )
    console.print()


def _show_gaps(console: Console, counted: Iterable[RequirementResult]) -> None:
    """Print what was not tested."""
    reasons = by_reason(result for result in counted if result.outcome is Outcome.NOT_TESTED)
    if not reasons:
        return
    console.print(Text("not tested:", style="bold yellow"))
    for reason, ids in reasons.items():
        console.print(Text(f"  {inert(reason, LONGEST_TEXT)}"))
        console.print(Text(f"    {len(ids)}: {', '.join(ids)}"))
    console.print()


def _show_defects(console: Console, results: Iterable[RequirementResult]) -> None:
    for reason, ids in by_reason(results).items():
        line = Text(f"DEFECT of this suite in what tests {', '.join(ids)}", style="bold magenta")
        console.print(line.append(f": {inert(reason, LONGEST_TEXT)}"))
        console.print(Text(f"  it says nothing about the target; please report it at {tracker()}\n"))


def _show_left(console: Console, report: Report) -> None:
    left = report.cleanup.left
    ids = ", ".join(map(str, left[:MOST_IDS])) + (", …" if len(left) > MOST_IDS else "")
    created, destroyed = report.cleanup.created, report.cleanup.destroyed
    line = Text(f"LEFT BEHIND {len(left)} providers that could not be destroyed", style="bold red")
    console.print(line.append(f" (created {created}, destroyed {destroyed}); ids: {ids}"))
    console.print(Text(f"  once that is mended: {HOW_TO_CLEAN_UP}\n"))
