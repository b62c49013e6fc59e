"""Tells GitHub about a run: a summary in Markdown for its page, and annotations in the output of its step.

What a system under test answered may stand in both. In the summary it is in fenced blocks and escaped HTML only, where
nothing acts; in the output no line of it can be taken for a command to the runner.
"""

from __future__ import annotations

import html
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provider_conformance.about import tracker
from provider_conformance.reports import figures
from provider_conformance.reports.blocks import block
from provider_conformance.reports.console import LABEL, LONGEST_COMMAND, LONGEST_TEXT, verdict_line
from provider_conformance.reports.figures import by_reason
from provider_conformance.reports.inert import inert
from provider_conformance.verdict import Outcome, counting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from provider_conformance.verdict import Failure, Report, RequirementResult

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
LARGEST_SUMMARY = 1024 * 1024
"""Bytes; GitHub shows nothing of a longer summary."""

MOST_ANNOTATIONS = 10
"""GitHub shows no more of a kind from one step."""

LONGEST_ANNOTATION = 4_000
"""Characters; GitHub cuts what is longer than 4,096."""

WORDS = {Outcome.FAIL: "FAILED", Outcome.KNOWN: "KNOWN TO FAIL"}


@dataclass(frozen=True)
class Silence:
    """Keeps the runner from looking for commands in ordinary output, between two lines that only we know."""

    token: str

    @classmethod
    def make(cls) -> Silence:
        """Return a silence that nobody else can end."""
        return cls(secrets.token_hex(16))

    @property
    def begin(self) -> str:
        """The line after which commands are ordinary output."""
        return f"::stop-commands::{self.token}\n"

    @property
    def end(self) -> str:
        """The line after which commands are obeyed again."""
        return f"::{self.token}::\n"


def summary_path(environment: Mapping[str, str]) -> Path | None:
    """Return the file that GitHub makes a summary of, or None elsewhere."""
    name = environment.get(SUMMARY_VARIABLE)
    return Path(name) if name else None


def append_summary(report: Report, path: Path) -> Path:
    """Append the summary to what earlier commands of the same step left, and return its path; raises OSError."""
    with path.open("ab") as stream:
        stream.write(summary(report, LARGEST_SUMMARY - stream.tell()))
    return path


def summary(report: Report, limit: int = LARGEST_SUMMARY) -> bytes:
    """Return the summary as Markdown of at most `limit` bytes: the verdict first, and as much as fits of the rest."""
    parts = [part.encode("utf-8", "backslashreplace") for part in _parts(report)]
    fitting = _fitting(parts, limit)
    if fitting == len(parts):
        return b"".join(parts)
    note = _note(len(parts))
    kept = _fitting(parts, limit - len(note))
    text = b"".join(parts[:kept]) + _note(len(parts) - kept)
    return text if len(text) <= limit else b""


def annotate(report: Report) -> tuple[str, ...]:
    """Return the lines that make annotations: an error for each failure, a warning for each reason not to test."""
    counted = counting(report.results, report.level)
    errors = [_error(result, report) for result in counted if result.outcome in WORDS]
    errors += [
        command("error", f"DEFECT of this suite: {', '.join(ids)}", inert(reason, LONGEST_TEXT))
        for reason, ids in by_reason(r for r in report.results if r.outcome is Outcome.ERROR).items()
    ]
    gaps = by_reason(result for result in counted if result.outcome is Outcome.NOT_TESTED)
    warnings = [
        command("warning", f"{len(ids)} not tested", f"{inert(reason, LONGEST_TEXT)}\n{', '.join(ids)}")
        for reason, ids in gaps.items()
    ]
    return (*_bounded("error", errors), *_bounded("warning", warnings))


def command(name: str, title: str, message: str) -> str:
    """Return a workflow command with its values escaped, cut to what GitHub takes."""
    if len(message) > LONGEST_ANNOTATION:
        message = f"{message[:LONGEST_ANNOTATION]}…"
    return f"::{name} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _error(result: RequirementResult, report: Report) -> str:
    requirement = result.requirement
    told = [_plain_failure(result, failure, report) for failure in result.failures]
    first = result.failures[0].summary if result.failures else result.reason or requirement.statement
    title = f"{WORDS[result.outcome]} {requirement.id} ({requirement.level.value}) {inert(first, LONGEST_TEXT)}"
    return command("error", title, "\n\n".join(told) or f"an implementation {inert(requirement.statement)}")


def _plain_failure(result: RequirementResult, failure: Failure, report: Report) -> str:
    lines = block(result, failure, report.readings)
    return "\n".join(f"{line.label}: {inert(line.text, LONGEST_TEXT)}" for line in lines)


def _bounded(kind: str, commands: list[str]) -> list[str]:
    """Return as many as GitHub shows, the last of which says how many there are beyond them."""
    if len(commands) <= MOST_ANNOTATIONS:
        return commands
    shown = commands[: MOST_ANNOTATIONS - 1]
    more = len(commands) - len(shown)
    return [*shown, command(kind, f"{more} more", "the output of this step and its reports tell them all")]


def _fitting(parts: list[bytes], limit: int) -> int:
    """Return how many of the first parts fit."""
    size = 0
    for number, part in enumerate(parts):
        size += len(part)
        if size > limit:
            return number
    return len(parts)


def _note(left_out: int) -> bytes:
    return f"{left_out} more parts do not fit here; `report.json` has everything.\n\n".encode()


def _parts(report: Report) -> Iterator[str]:
    """Give the summary in pieces that can stand without those after them."""
    counted = counting(report.results, report.level)
    yield f"## Conformance: {report.verdict.value} at level {report.level.value}\n\n"
    yield _fenced([inert(report.base_url, LONGEST_TEXT), verdict_line(report).plain])
    if report.diagnosis:
        yield _fenced(inert(line, LONGEST_TEXT) for line in report.diagnosis.splitlines())
    yield _table(report)
    for result in counted:
        if result.outcome in WORDS:
            yield from _failures(result, report)
    yield from _reasons("Not tested", (r for r in counted if r.outcome is Outcome.NOT_TESTED))
    defects = [result for result in report.results if result.outcome is Outcome.ERROR]
    yield from _reasons("Defects of this suite, which say nothing about the target", defects)
    if defects:
        yield _fenced([f"please report them at {inert(tracker())}"])
    if report.advice:
        yield "### Advice, which counts in no verdict\n\n"
        yield _fenced(inert(remark, LONGEST_TEXT) for remark in report.advice)
    if report.cleanup.left:
        yield f"### Left behind: {len(report.cleanup.left)} providers that could not be destroyed\n\n"


def _table(report: Report) -> str:
    rows = figures.rows(report)
    total = figures.total(rows)
    columns = figures.columns(total)
    lines = [["operation", *(heading for _, heading in columns), "exchanges", "p95 ms"]]
    lines.append(["---", *("--:" for _ in columns), "--:", "--:"])
    for row in rows:
        exchanges = "" if row.exchanges is None else str(row.exchanges)
        slow = "" if row.p95_ms is None else f"{row.p95_ms:.1f}"
        lines.append([row.operation, *(str(row.outcomes[outcome]) for outcome, _ in columns), exchanges, slow])
    lines.append(["total", *(str(total[outcome]) for outcome, _ in columns), str(report.exchanges), ""])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def _failures(result: RequirementResult, report: Report) -> Iterator[str]:
    requirement = result.requirement
    heading = f"{WORDS[result.outcome]} {requirement.id} ({requirement.level.value})"
    for failure in result.failures:
        lines = block(result, failure, report.readings)
        told = [f"{line.label:<{LABEL}}  {inert(line.text, LONGEST_TEXT)}" for line in lines if not line.command]
        commands = [inert(line.text, LONGEST_COMMAND) for line in lines if line.command]
        body = _fenced(told) + (_fenced(commands, "sh") if commands else "")
        yield _details(f"{heading} {inert(failure.summary, LONGEST_TEXT)}", body)
    if not result.failures:
        what = result.reason or requirement.statement
        yield _details(heading, _fenced([inert(what, LONGEST_TEXT)]))
    elif result.outcome is Outcome.KNOWN and result.reason:
        yield _fenced([f"known: {inert(result.reason, LONGEST_TEXT)}"])


def _reasons(title: str, results: Iterable[RequirementResult]) -> Iterator[str]:
    reasons = by_reason(results)
    if reasons:
        yield f"### {title}\n\n"
    for reason, ids in reasons.items():
        yield _fenced([inert(reason, LONGEST_TEXT), f"  {len(ids)}: {', '.join(ids)}"])


def _details(heading: str, body: str) -> str:
    """Return a part that can be folded; in its heading, a block of HTML, Markdown is not looked for."""
    return f"<details><summary><code>{html.escape(heading)}</code></summary>\n\n{body}</details>\n\n"


def _fenced(lines: Iterable[str], language: str = "text") -> str:
    """Return lines in a fence longer than any run of backticks in them, so that none of them can end it."""
    content = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{content}\n{fence}\n\n"
