"""The commands that work on reports of earlier runs: verify, replay and compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from provider_conformance.config import UsageError
from provider_conformance.options import configured, reached, reaching
from provider_conformance.verdict import ExitCode

REPLAY_JOURNAL = "replay.jsonl"
existing = click.Path(path_type=Path, exists=True)


@click.command("verify", short_help="Judge a run again from its evidence.")
@click.argument("report", type=existing)
def verify_command(report: Path) -> int:
    """Judge the run of REPORT again, from the evidence beside it alone, and compare.

    REPORT is report.json or its directory; nothing is sent. Exits with 0 when report, evidence, contract and catalogue
    fit together and every judgement comes out as it was, else with 1 and a line for each discrepancy; with 3 where
    answers were too long to be kept, so that not all can be judged again. It proves that the report follows from what
    was recorded, and not that it was recorded honestly.
    """
    from provider_conformance.reports.inert import LONGEST_LINE, inert  # noqa: PLC0415
    from provider_conformance.verify import verify  # noqa: PLC0415

    found = verify(report)
    for line in found.discrepancies:
        click.echo(f"DISCREPANCY {inert(line, LONGEST_LINE)}")
    if found.discrepancies:
        return ExitCode.NONCONFORMANT
    if found.unjudged:
        click.echo(f"NOT VERIFIED: {found.unjudged} judgements rest on answers that were too long to be kept")
        return ExitCode.INCOMPLETE
    document, exchanges = found.document, found.document["statistics"]["exchanges"]
    click.echo(f"verified: {document['verdict']} at level {document['level']} follows from {exchanges} exchanges")
    return ExitCode.CONFORMANT


@click.command("compare", short_help="Tell what got better and worse between two reports.")
@click.argument("old", type=existing)
@click.argument("new", type=existing)
def compare_command(old: Path, new: Path) -> int:
    """Tell what got better and what got worse from the report OLD to NEW; each is report.json or its directory.

    Exits with 1 when something got worse: a requirement that held does not, or cannot be told, or the level reached is
    lower.
    """
    from provider_conformance.compare import compare  # noqa: PLC0415
    from provider_conformance.reports.inert import LONGEST_LINE, inert  # noqa: PLC0415
    from provider_conformance.verify import read_report  # noqa: PLC0415

    documents = read_report(old), read_report(new)
    try:
        found = compare(*documents)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"one of the two is no report of provider-conformance: {type(error).__name__}") from error
    for remark in found.remarks:
        click.echo(f"note: {inert(remark, LONGEST_LINE)}")
    for change in sorted(found.changes, key=lambda change: (not change.is_worse, not change.is_better)):
        word = "worse" if change.is_worse else "better" if change.is_better else "other"
        line = f"{word:<7}{change.requirement:<11}{change.before} -> {change.after}: {change.told}"
        click.echo(inert(line, LONGEST_LINE))
    levels = [level or "none" for level in (found.old_level, found.new_level)]
    click.echo(f"level reached: {levels[0]} -> {levels[1]}; {len(found.changes)} requirements differ")
    return ExitCode.NONCONFORMANT if found.regressed else ExitCode.CONFORMANT


@click.command("replay", short_help="Send the requests of failures again.")
@click.argument("report", type=existing)
@click.argument("base_url", required=False)
@click.option("--failure", type=click.IntRange(min=1), help="That one alone; they count from 1 in the report's order.")
@configured
@reaching
def replay_command(report: Path, base_url: str | None, failure: int | None, **reach: Any) -> int:
    """Send the requests of REPORT's failures to the live system again, and say whether they still fail.

    The system is that of the report, or the one at BASE_URL. Ids and names are renewed: only providers that the replay
    created are changed, and they are destroyed again, after each failure. What a kill leaves is in replay.jsonl beside
    the report, for `cleanup`. Exits with 1 when a failure still fails, with 0 when none does, and with 3 when that
    cannot be told of one, or when something may be left though none fails.
    """
    from provider_conformance.masking import masked_by  # noqa: PLC0415
    from provider_conformance.replay import Answer, replaying  # noqa: PLC0415
    from provider_conformance.reports.inert import LONGEST_LINE, inert  # noqa: PLC0415
    from provider_conformance.verify import read_evidence  # noqa: PLC0415

    record = read_evidence(report)
    config = reached(base_url or record.circumstances.base_url, **reach)
    mask = masked_by(config.token or "")

    def tell(line: str) -> None:
        click.echo(inert(mask(line), LONGEST_LINE))

    journal = (report if report.is_dir() else report.parent) / REPLAY_JOURNAL
    answers = []
    with replaying(record, config, journal, lambda text: tell(f"note: {text}")) as replays:
        for number, told in replays.each(failure):
            answers.append(told.answer)
            line = f"{number}. {told.requirement} {told.answer}: {told.summary}"
            tell(line + (f" ({told.reason})" if told.reason else ""))
    for reason in replays.left:
        tell(f"LEFT: {reason}")
    if replays.left:
        click.echo(f"something may be left; mend that and run: provider-conformance cleanup {journal}", err=True)
    if failure is not None and not answers:
        raise UsageError(f"the report has no failure {failure}")
    if not answers:
        click.echo("the report has no failures")
    if Answer.FAILS in answers:
        return ExitCode.NONCONFORMANT
    return ExitCode.INCOMPLETE if Answer.UNKNOWN in answers or replays.left else ExitCode.CONFORMANT
