"""The command that searches for violations beyond a certification, on one machine or on several."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provider_conformance import options
from provider_conformance.contract import Level
from provider_conformance.options import configured, plausible, reached, reaching

if TYPE_CHECKING:
    from provider_conformance.config import Config

DEFAULT_EXAMPLES = 1000
DEFAULT_MAX_TIME = 3600.0


@click.command(
    "search",
    short_help="Search for violations beyond a certification.",
    epilog="""\b
Exit codes:
  1  something was found: at least one requirement does not hold
  2  bad usage or configuration
  3  nothing was found, which certifies nothing; never 0
  4  a defect of this tool""",
)
@click.argument("base_url")
@configured
@reaching
@click.option(
    "--database",
    metavar="DIRECTORY|URL",
    help="Examples that failed, to be tried first: a directory, or redis://HOST of what several machines share.",
)
@options.level("The highest level of what is looked for.")
@options.examples(DEFAULT_EXAMPLES, "Effort: values that are drawn for each property; of orders of operations a tenth.")
@options.max_time(DEFAULT_MAX_TIME, "Budget for the whole search in seconds, which the properties share.")
@options.max_providers("search")
@click.option(
    "--repeat",
    "seed",
    type=options.SEEDS,
    metavar="SEED",
    help="Draw the values of an earlier search again, by the seed that it told.  [default: new ones each time]",
)
@options.implementation("What is searched")
@options.report_dir(Path("provider-conformance-search"))
@click.pass_context
def search_command(  # noqa: PLR0913 - one parameter an option is how click hands them over
    context: click.Context,
    /,
    *,
    base_url: str,
    database: str | None,
    level: str,
    examples: int,
    max_time: float,
    max_providers: int,
    seed: int | None,
    implementation: str,
    implementation_version: str,
    report_dir: Path,
    **reach: Any,
) -> int:
    """Search the implementation at BASE_URL for violations, with other values each time.

    What was found before, here or on another machine with the same database, is tried first. The search changes and
    destroys only providers that it created itself. Its report can be verified and replayed like that of a run.

    It never exits with 0, which means certified everywhere else: values that happen to be handled well prove nothing of
    all others. A job that takes 3 for good has to say so.
    """
    config = replace(
        reached(base_url, **reach),
        level=Level(level),
        seed=secrets.randbelow(options.LARGEST_SEED + 1) if seed is None else seed,
        max_time=max_time,
        max_providers=max_providers,
        examples=examples,
        implementation=implementation,
        implementation_version=implementation_version,
        report_dir=report_dir,
        plausible=plausible(context.obj),
    )
    return _search(config, database)


def _search(config: Config, database: str | None) -> int:
    """Search, show and write the report, and return the exit code."""
    from provider_conformance import deep, evidence  # noqa: PLC0415
    from provider_conformance.cli import final_exit_code, write_reports  # noqa: PLC0415 - that imports this
    from provider_conformance.example_database import opened_database  # noqa: PLC0415
    from provider_conformance.outcomes import report_of  # noqa: PLC0415
    from provider_conformance.reports import badge, html_report, json_report, junit  # noqa: PLC0415
    from provider_conformance.reports.console import show_report  # noqa: PLC0415
    from provider_conformance.reports.files import prepare  # noqa: PLC0415
    from provider_conformance.reports.stream import tolerant  # noqa: PLC0415
    from provider_conformance.search_progress import SearchProgress, last_line  # noqa: PLC0415

    output = tolerant(sys.stdout)
    with SearchProgress(output) as progress:
        examples = None if database is None else opened_database(database, progress.note)
        stale = (one.FILE_NAME for one in (json_report, junit, html_report, badge, evidence))
        prepare(config.report_dir, tuple(stale))
        searched = deep.search(config, examples, progress)
        report = report_of(searched.record)
        if report.diagnosis:
            progress.diagnosis(report.diagnosis)
    show_report(progress.console, report)
    for requirement in searched.unrepeated:
        progress.note(f"{requirement} was broken once, and not when the same values were sent again")
    for requirement in searched.untried:
        progress.note(f"{requirement} was broken once, and the search ended before the same values were sent again")
    written = write_reports(searched.record, report, config)
    progress.console.print(last_line(report))
    output.flush()
    return final_exit_code(report.exit_code, told=written and output.broken is None)
