"""The command that certifies a fleet."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provider_conformance.config import UsageError
from provider_conformance.verdict import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provider_conformance.fleet.conduct import Conductor, Notebook
    from provider_conformance.fleet.targets import FleetTarget
    from provider_conformance.fleet.task import FleetResult


@click.command("fleet", short_help="Certify many implementations.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler; without one, workers are started here.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="the number of cores",
    help="Workers to start here: runs at a time.",
)
@click.option(
    "--per-host", type=click.IntRange(min=1), default=1, show_default=True, help="Most runs at a time against one host."
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted fleet in the same directory stopped.")
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    default=Path("provider-conformance-fleet"),
    show_default=True,
    help="Where the reports of all and the leaderboard are written; every worker has to reach it by this path.",
)
def fleet_command(  # noqa: PLR0913
    file: Path, scheduler: str | None, workers: int, per_host: int, report_dir: Path, *, resume: bool
) -> int:
    """Certify every implementation that FILE lists, and show them side by side.

    FILE is TOML: a table [[target]] for each, with name, base-url, token-env or token-file, and settings, which are
    options of `run`; [defaults] holds what is the same for all. Exits with the code of the worst verdict.
    """
    from provider_conformance.fleet.targets import read_fleet  # noqa: PLC0415
    from provider_conformance.fleet.task import HeldError, locked  # noqa: PLC0415
    from provider_conformance.reports.files import prepare  # noqa: PLC0415

    targets = read_fleet(file)
    prepare(report_dir, ())
    try:
        with locked(report_dir / ".lock", patience=0):
            return _certified(targets, report_dir, (scheduler, workers), per_host, resume=resume)
    except HeldError as error:
        raise UsageError(f"another fleet is at work in {report_dir}; name another directory") from error


def _certified(
    targets: Sequence[FleetTarget], report_dir: Path, where: tuple[str | None, int], per_host: int, *, resume: bool
) -> ExitCode:
    """Certify what is not done yet, tell and write what came out, and return the exit code."""
    from provider_conformance.cli import final_exit_code  # noqa: PLC0415 - that imports this
    from provider_conformance.fleet import conduct, leaderboard  # noqa: PLC0415
    from provider_conformance.guard import Guard  # noqa: PLC0415
    from provider_conformance.reports.stream import tolerant  # noqa: PLC0415
    from provider_conformance.run import interruptible  # noqa: PLC0415

    output, guard = tolerant(sys.stdout), Guard()

    def say(text: str) -> None:
        output.write(f"{text}\n")
        output.flush()

    before = leaderboard.read_index(report_dir)
    notebook = conduct.Notebook(report_dir / conduct.PROGRESS, resume=resume)
    remaining = [target for target in targets if not notebook.knows(target)]
    say(f"{len(remaining)} of {len(targets)} implementations to certify")
    written = True
    if remaining:
        scheduler, workers = where
        with interruptible(guard), conduct.cluster(scheduler, min(workers, len(remaining))) as client:
            conductor = conduct.Conductor(client, remaining, report_dir, per_host, guard)
            written = _conducted(conductor, notebook, len(remaining), say)
    outcomes = [notebook.outcomes[target.name] for target in targets if notebook.knows(target)]
    codes: list[int] = [outcome.exit_code for outcome in outcomes]
    if len(outcomes) < len(targets):
        say(f"{len(outcomes)} of {len(targets)} implementations are certified: --resume goes on")
        codes.append(ExitCode.INCOMPLETE)
    else:
        written = _shown_side_by_side(outcomes, before, report_dir, say) and written
    return final_exit_code(conduct.worst(codes), told=written and output.broken is None)


def _conducted(conductor: Conductor, notebook: Notebook, targets: int, say: Callable[[str], None]) -> bool:
    """Note and tell each outcome as it comes, up to an interruption; tell whether all could be written."""
    from provider_conformance.errors import RunEndedError  # noqa: PLC0415

    try:
        for number, outcome in enumerate(conductor.certify(), 1):
            notebook.add(outcome)
            say(f"{number}/{targets} {line_of(outcome)}")
    except (RunEndedError, OSError) as reason:
        say(f"{reason}: the runs under way destroy what they have created")
        for name in conductor.stop():
            say(f"{name} has not come to an end")
        return not isinstance(reason, OSError)
    return True


def _shown_side_by_side(
    outcomes: Sequence[FleetResult], before: Mapping[str, FleetResult], report_dir: Path, say: Callable[[str], None]
) -> bool:
    """Write the leaderboard and the index, and tell where they are; tell whether they could be written."""
    from provider_conformance.fleet import leaderboard  # noqa: PLC0415

    try:
        leaderboard.write_page(outcomes, before, report_dir)
        leaderboard.write_index(outcomes, report_dir)
    except OSError as error:
        say(f"the leaderboard could not be written: {error.strerror or error}")
        return False
    say(f"leaderboard: {report_dir / leaderboard.PAGE}, index: {report_dir / leaderboard.INDEX}")
    return True


def line_of(outcome: FleetResult) -> str:
    """Return one line on an outcome."""
    from provider_conformance.reports.inert import inert  # noqa: PLC0415

    failed = [name for name, result in outcome.requirements.items() if result in {"fail", "known"}]
    told = f"failed {', '.join(failed)}" if failed else outcome.reason
    return inert(f"{outcome.verdict:<13} {outcome.name}  {outcome.seconds:.1f} s{f'  {told}' if told else ''}", 300)
