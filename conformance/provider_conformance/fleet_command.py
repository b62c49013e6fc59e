"""The command that certifies a fleet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
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
    from provider_conformance.fleet import conduct  # noqa: PLC0415
    from provider_conformance.fleet.leaderboard import read_index, write_index, write_page  # noqa: PLC0415
    from provider_conformance.fleet.targets import read_fleet  # noqa: PLC0415
    from provider_conformance.reports.files import prepare  # noqa: PLC0415

    targets = read_fleet(file)
    prepare(report_dir, ())
    before = read_index(report_dir)
    notebook = conduct.Notebook(report_dir / conduct.PROGRESS, resume=resume)
    names = {target.name for target in targets}
    remaining = [target for target in targets if target.name not in notebook.outcomes]
    click.echo(f"{len(remaining)} of {len(targets)} implementations to certify")
    if remaining:
        with conduct.cluster(scheduler, workers) as client:
            for number, outcome in enumerate(conduct.certify_fleet(client, remaining, report_dir, per_host), 1):
                notebook.add(outcome)
                click.echo(f"{number}/{len(remaining)} {line_of(outcome)}")
    outcomes = [outcome for name, outcome in notebook.outcomes.items() if name in names]
    write_page(outcomes, before, report_dir)
    write_index(outcomes, report_dir)
    click.echo(f"leaderboard: {report_dir / 'leaderboard.html'}, index: {report_dir / 'fleet.json'}")
    return conduct.worst(outcomes)


def line_of(outcome: FleetResult) -> str:
    """Return one line on an outcome."""
    from provider_conformance.reports.inert import inert  # noqa: PLC0415

    failed = [name for name, result in outcome.requirements.items() if result in {"fail", "known"}]
    told = f"failed {', '.join(failed)}" if failed else outcome.reason
    return inert(f"{outcome.verdict:<13} {outcome.name}  {outcome.seconds:.1f} s{f'  {told}' if told else ''}", 300)
