"""The command `provider-conformance`: parses what it is told, calls what does it, prints what came out.

Whatever is not needed for `--help` is imported where it is used.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provider_conformance import __version__, options
from provider_conformance.__main__ import SUITE_MODULES
from provider_conformance.config import (
    DEFAULT_EXAMPLES,
    DEFAULT_MAX_TIME,
    DEFAULT_SEED,
    Config,
    UsageError,
)
from provider_conformance.contract import Level, Operation
from provider_conformance.fleet_command import fleet_command
from provider_conformance.models_command import models_command
from provider_conformance.options import FILE_NAME, configured, plausible, reached, reaching
from provider_conformance.report_commands import compare_command, replay_command, verify_command
from provider_conformance.search_command import search_command
from provider_conformance.verdict import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provider_conformance.contract import Requirement
    from provider_conformance.record import Record
    from provider_conformance.reports.files import ReportForm
    from provider_conformance.reports.github import Silence
    from provider_conformance.reports.stream import TolerantStream
    from provider_conformance.verdict import Report

T = TypeVar("T")

COMMAND = "provider-conformance"
DEFAULT_PORT = 8990
WIDTH = 100
FORMATS = ("text", "github")

EXIT_CODES = """\b
Exit codes:
  0  conformant: every requirement up to the level was tested and holds
  1  nonconformant: at least one does not
  2  bad usage or configuration
  3  incomplete: no failure, but something could not be tested
  4  a defect of this tool"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; nothing but the verdict nonconformant returns 1."""
    from provider_conformance.reports.stream import tolerated  # noqa: PLC0415

    with tolerated() as output:
        code = _called(arguments)
    # Whoever reads the first lines alone has what they want, unless it is a run that counts on being read.
    if output.broken is None or (isinstance(output.broken, BrokenPipeError) and code != ExitCode.DEFECT):
        return code
    unread = ExitCode.USAGE if code == ExitCode.CONFORMANT else ExitCode(code)
    return _complain(f"Error: the output could not be written: {output.broken.strerror}", unread)


def _called(arguments: Sequence[str] | None) -> int:
    """Run the command and return its exit code, whatever it raises."""
    try:
        code = group.main(args=arguments, prog_name=COMMAND, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except UsageError as error:
        return _complain(f"Error: {error}", ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", ExitCode.INCOMPLETE)
    except BaseException as error:  # SystemExit among them, by which click ends a process with 1 for a broken pipe
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in SUITE_MODULES:
            raise
        return _defect(error)
    return code if isinstance(code, int) else ExitCode.CONFORMANT


@click.group(COMMAND, context_settings={"max_content_width": WIDTH, "help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def group() -> None:
    """Certify implementations of the SIP provider (trunk) management API."""


@group.command("run", epilog=EXIT_CODES, short_help="Certify an implementation.")
@click.argument("base_url", required=False)
@configured
@reaching
@options.level("The level to certify; each includes those before it.")
@click.option(
    "--only",
    "only",
    multiple=True,
    metavar="ID|OPERATION|LEVEL",
    help="Test a part; can be repeated. The verdict is then incomplete at best.",
)
@click.option(
    "--seed",
    type=options.SEEDS,
    default=DEFAULT_SEED,
    show_default=True,
    help="Everything random derives from it: the same seed sends the same requests.",
)
@options.max_time(DEFAULT_MAX_TIME, "Budget for the whole run in seconds; what does not fit is not tested.")
@options.max_providers("run")
@options.examples(DEFAULT_EXAMPLES, "Effort of the property-based tests.")
@click.option(
    "--read-only",
    is_flag=True,
    help="Test only what can be tested without creating anything. The verdict is then incomplete at best.",
)
@click.option(
    "--known-failures",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file of requirements that are known to fail, each with a reason; the verdict stays nonconformant.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Like --known-failures; a file that is not there yet is written from what fails in this run.",
)
@options.implementation("What is certified")
@click.option("--har", is_flag=True, help="Write all exchanges to exchanges.har as well, without secrets.")
@options.report_dir(Config.report_dir)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="What the output is for: people, or GitHub Actions too, which then annotates every failure.",
)
@click.pass_context
def run_command(  # noqa: PLR0913 - one parameter an option is how click hands them over
    context: click.Context,
    /,
    *,
    base_url: str | None,
    level: str,
    only: tuple[str, ...],
    seed: int,
    max_time: float,
    max_providers: int,
    examples: int,
    read_only: bool,
    known_failures: Path | None,
    baseline: Path | None,
    report_dir: Path,
    form: str,
    **more: Any,
) -> int:
    """Certify the implementation at BASE_URL, or the embedded reference implementation without one.

    BASE_URL is the URL under which /create and its siblings live, such as
    http://127.0.0.1:8990/api/providers. The run changes and destroys only providers that it created itself.
    """
    from provider_conformance import settings  # noqa: PLC0415
    from provider_conformance.contract import load_catalogue  # noqa: PLC0415

    if known_failures is not None and baseline is not None:
        raise UsageError("--baseline and --known-failures name the same thing: give one of them")
    told = {name: more.pop(name) for name in ("implementation", "implementation_version", "har")}
    config = replace(
        reached(base_url, **more),
        level=Level(level),
        seed=seed,
        max_time=max_time,
        only=settings.selection(only, load_catalogue(), Level(level)),
        max_providers=max_providers,
        examples=examples,
        read_only=read_only,
        known=_known(known_failures, baseline),
        baseline=None if baseline is None or baseline.exists() else baseline,
        report_dir=report_dir,
        plausible=plausible(context.obj),
        **told,
    )
    return _run(config, form)


def _known(known_failures: Path | None, baseline: Path | None) -> dict[str, str]:
    """Read the known failures, if there are any; raises UsageError."""
    from provider_conformance import known  # noqa: PLC0415

    file = known_failures or (baseline if baseline is not None and baseline.exists() else None)
    return {} if file is None else known.read(file, datetime.now(UTC).date())


@group.command("cleanup", short_help="Destroy what a killed run left behind.")
@click.argument("journal", type=click.Path(path_type=Path))
@configured
@reaching
def cleanup_command(journal: Path, **reach: Any) -> int:
    """Destroy the providers that a run created and could not destroy, by its JOURNAL.

    The target is that of the run. A provider is only destroyed if it still bears a name of that run; running this
    twice does no harm. Exits with 0 when nothing is left.
    """
    from provider_conformance.cleanup import clean_up  # noqa: PLC0415
    from provider_conformance.journal import Journal, read_leftovers  # noqa: PLC0415
    from provider_conformance.masking import masked_by  # noqa: PLC0415
    from provider_conformance.reports.inert import LONGEST_LINE, inert  # noqa: PLC0415

    leftovers = read_leftovers(journal)
    if leftovers.nothing:
        click.echo("nothing is left of that run")
        return ExitCode.CONFORMANT
    config = replace(reached(leftovers.base_url, **reach), max_time=None)
    mask = masked_by(config.token or "")
    pages = Journal(journal, resume=True)
    try:
        findings = clean_up(config, leftovers, pages, lambda text: click.echo(f"note: {inert(mask(text))}"))
    finally:
        pages.close()
    for identity in findings.destroyed:
        click.echo(f"destroyed provider {identity}")
    for reason in findings.left:
        click.echo(f"LEFT: {inert(mask(reason), LONGEST_LINE)}")
    if findings.left:
        return _complain("something may be left; mend that and run the same again", ExitCode.INCOMPLETE)
    click.echo("nothing is left of that run")
    return ExitCode.CONFORMANT


@group.command("smoke", short_help="Look whether a target can be certified.")
@click.argument("base_url")
@configured
@reaching
def smoke_command(base_url: str, **reach: Any) -> int:
    """Look whether the API at BASE_URL can be reached and used, without creating anything.

    Exits with 0 when it can, and with 3 and a line that says what to do when it cannot.
    """
    from provider_conformance.masking import masked_by  # noqa: PLC0415
    from provider_conformance.reports.inert import inert  # noqa: PLC0415
    from provider_conformance.smoke import glance  # noqa: PLC0415

    config = reached(base_url, **reach)
    diagnosis = glance(config)
    if diagnosis.fatal:
        return _complain(inert(masked_by(config.token or "")(diagnosis.text)), ExitCode.INCOMPLETE)
    click.echo(f"{config.base_url} serves the list of providers to this token")
    return ExitCode.CONFORMANT


@group.command("init", short_help="Write a configuration file with comments.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init_command(*, force: bool) -> int:
    """Write provider-conformance.toml into this directory: every setting of `run`, with a comment and its default."""
    from provider_conformance.template import TEMPLATE  # noqa: PLC0415

    path = Path(FILE_NAME)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(TEMPLATE)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already; --force overwrites it") from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    click.echo(f"{path} is written; `provider-conformance run` reads it")
    return ExitCode.CONFORMANT


@group.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 is any free one.",
)
@click.option("--token", metavar="TOKEN", help="The access token to ask for.  [default: a random one]")
@click.option("--database", metavar="URL", help="An SQLAlchemy URL to store providers at.  [default: memory]")
def serve_command(host: str, port: int, token: str | None, database: str | None) -> int:
    """Run the reference implementation, for developers of clients."""
    from sqlalchemy.exc import ArgumentError, OperationalError  # noqa: PLC0415

    from provider_conformance import settings  # noqa: PLC0415
    from provider_conformance.reference.messages import MEMORY  # noqa: PLC0415
    from provider_conformance.reference.server import serve  # noqa: PLC0415
    from provider_conformance.reports.inert import inert  # noqa: PLC0415

    secret = None if token is None else settings.checked_token(token, "--token")
    try:
        serve(host, port, secret, database or MEMORY)
    except (ArgumentError, OperationalError) as error:
        raise UsageError(f"cannot use the database: {inert(str(error), 300)}") from error
    except ImportError as error:
        if error.name in SUITE_MODULES:
            raise
        raise UsageError(f"the database needs the Python package {error.name}, which is absent") from error
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot listen on {inert(host)} port {port}: {inert(reason)}") from error
    return ExitCode.CONFORMANT


@group.command("prove")
@click.option(
    "--requirement", "only", multiple=True, metavar="ID", help="The faults of this requirement alone; repeatable."
)
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count() or 1, help="Runs at a time.")
@click.option("--resume", is_flag=True, help="Go on where an interrupted proof in the same directory stopped.")
@click.option(
    "--report-dir", type=click.Path(path_type=Path), default=Path("provider-conformance-proof"), show_default=True
)
def prove_command(only: tuple[str, ...], workers: int, report_dir: Path, *, resume: bool) -> int:
    """Prove that each requirement can fail, by certifying single faults of the reference.

    Exits with 1 when a fault escapes.
    """
    from provider_conformance import explain  # noqa: PLC0415
    from provider_conformance.contract import load_catalogue  # noqa: PLC0415
    from provider_conformance.faults.catalogue import load_faults  # noqa: PLC0415
    from provider_conformance.proof import Notebook, prove  # noqa: PLC0415
    from provider_conformance.reports import proof_report  # noqa: PLC0415
    from provider_conformance.reports.files import prepare  # noqa: PLC0415

    catalogue = load_catalogue()
    requirements = [explain.find(name, catalogue) for name in only] or list(catalogue)
    wanted = {requirement.id for requirement in requirements}
    faults = [fault for fault in load_faults() if wanted & set(fault.requirements)]
    prepare(report_dir, proof_report.FILES)
    notebook = Notebook(report_dir / "prove.jsonl", resume=resume)
    for proof in prove([fault for fault in faults if fault.id not in notebook.proofs], workers):
        notebook.add(proof)
        click.echo(proof_report.line_of(proof))
    proofs = [notebook.proofs[fault.id] for fault in faults]
    proven = proof_report.by_requirement(requirements, proofs)
    try:
        proof_report.write(proven, proofs, faults, report_dir)
    except OSError as error:
        raise UsageError(f"cannot write what was proven to {report_dir}: {error.strerror or error}") from error
    caught = sum(proof.caught and not proof.void for proof in proofs)
    click.echo(f"\n{proof_report.table(proven)}\n\n{caught} of {len(proofs)} faults caught")
    return ExitCode.CONFORMANT if all(one.can_fail for one in proven) else ExitCode.NONCONFORMANT


@group.group("requirements", invoke_without_command=True)
@click.option("--level", type=click.Choice([level.value for level in Level]), help="Those of this level alone.")
@click.option(
    "--operation",
    type=click.Choice([operation.value for operation in Operation]),
    help="Those about this operation alone.",
)
@click.pass_context
def requirements_command(context: click.Context, level: str | None, operation: str | None) -> None:
    """List the requirements that an implementation is held to, or explain one."""
    from provider_conformance import explain  # noqa: PLC0415
    from provider_conformance.contract import load_catalogue  # noqa: PLC0415

    if context.invoked_subcommand is not None:
        return
    chosen: list[Requirement] = [
        requirement
        for requirement in load_catalogue()
        if level in {None, requirement.level} and operation in {None, requirement.operation}
    ]
    click.echo(explain.listing(chosen), nl=False)


@requirements_command.command("explain")
@click.argument("requirement_id", metavar="ID")
def explain_command(requirement_id: str) -> None:
    """Say what a requirement asks for, where it comes from and what tests it."""
    from provider_conformance import explain  # noqa: PLC0415
    from provider_conformance.contract import load_catalogue, load_contract  # noqa: PLC0415

    requirement = explain.find(requirement_id, load_catalogue())
    click.echo(explain.explanation(requirement, load_contract().readings), nl=False)


group.add_command(fleet_command)
group.add_command(models_command)
group.add_command(verify_command)
group.add_command(replay_command)
group.add_command(compare_command)
group.add_command(search_command)


@group.command("spec")
@click.option("--path", "locate", is_flag=True, help="Print where the file is instead of what it says.")
def spec_command(*, locate: bool) -> None:
    """Print the contract, an OpenAPI 3.1 document."""
    from provider_conformance.explain import contract_path  # noqa: PLC0415

    path = contract_path()
    click.echo(f"{path}\n" if locate else path.read_text("utf-8"), nl=False)


def _run(config: Config, form: str) -> int:
    """Certify, show and write the report, and return the exit code.

    Every way out is decided here: click ends a process with 1 for an interrupt and for a broken pipe, and
    1 is a verdict.
    """
    from provider_conformance import evidence  # noqa: PLC0415
    from provider_conformance.reports import har  # noqa: PLC0415
    from provider_conformance.reports.files import prepare  # noqa: PLC0415
    from provider_conformance.reports.stream import tolerant  # noqa: PLC0415

    reports = (one.FILE_NAME for one in _report_forms())
    prepare(config.report_dir, (*reports, evidence.FILE_NAME, har.FILE_NAME))
    output = tolerant(sys.stdout)
    silence = _silence() if form == "github" else None
    try:
        return _certified(config, output, silence)
    except (UsageError, ModuleNotFoundError):
        raise
    except KeyboardInterrupt:
        return _complain("verdict: incomplete, interrupted", ExitCode.INCOMPLETE)
    except BaseException as error:  # groups of exceptions and SystemExit among them
        return _defect(error, config.token)


def _silence() -> Silence:
    from provider_conformance.reports.github import Silence  # noqa: PLC0415

    return Silence.make()


def _certified(config: Config, output: TolerantStream, silence: Silence | None) -> int:
    from provider_conformance.reports.console import (  # noqa: PLC0415
        ConsoleProgress,
        show_report,
        verdict_line,
    )
    from provider_conformance.run import certify  # noqa: PLC0415

    if silence:
        output.write(silence.begin)
        output.flush()  # before anything else, standard error included
    with ConsoleProgress(output) as progress:
        record = certify(config, progress)
        from provider_conformance.outcomes import report_of  # noqa: PLC0415 - nothing before the tests needs it

        report = report_of(record)
        if report.diagnosis:
            progress.diagnosis(report.diagnosis)
    show_report(progress.console, report)
    written = write_reports(record, report, config)
    if silence:  # only here: what tells of a defect may quote the target, too
        from provider_conformance.reports.github import annotate  # noqa: PLC0415

        output.write(silence.end)
        output.writelines(f"{line}\n" for line in annotate(report))
    progress.console.print(verdict_line(report))
    output.flush()
    return final_exit_code(report.exit_code, told=written and output.broken is None)


def _report_forms() -> tuple[ReportForm, ...]:
    """Return what writes the reports of a run, each a file of its own."""
    from provider_conformance.reports import badge, html_report, json_report, junit  # noqa: PLC0415

    return json_report, junit, html_report, badge


def write_reports(record: Record, report: Report, config: Config) -> bool:
    """Write every report file that can be written, the evidence first; return whether all could."""
    from provider_conformance import evidence, known  # noqa: PLC0415
    from provider_conformance.reports import github, har  # noqa: PLC0415

    directory = config.report_dir
    kept = _written(directory / evidence.FILE_NAME, lambda: evidence.write(record, directory))
    report = replace(report, evidence_sha256=kept or "")
    forms = _report_forms()
    written = [bool(_written(directory / form.FILE_NAME, partial(form.write, report, directory))) for form in forms]
    if config.har:
        written.append(bool(_written(directory / har.FILE_NAME, lambda: har.write(record, directory))))
    if summary := github.summary_path(os.environ):
        written.append(bool(_written(summary, partial(github.append_summary, report, summary))))
    if config.baseline is not None:
        text = known.written(report.results, report.started.date())
        written.append(bool(_written(config.baseline, partial(config.baseline.write_text, text, "utf-8"))))
    complete = kept is not None and all(written)
    if complete:
        names = ", ".join(str(directory / form.FILE_NAME) for form in forms)
        click.echo(f"reports: {names}")
    return complete


def _written(path: Path, write: Callable[[], T]) -> T | None:
    """Write a file; say so where it cannot be written, and return None."""
    try:
        return write()
    except OSError as error:
        _complain(f"Error: {path} could not be written: {error.strerror}", ExitCode.DEFECT)
        return None


def final_exit_code(code: ExitCode, *, told: bool) -> ExitCode:
    """Return the exit code of a run whose report may not have reached anybody; a proven failure stays one."""
    return code if told or code is ExitCode.NONCONFORMANT else ExitCode.DEFECT


def _complain(message: str, code: ExitCode) -> ExitCode:
    with contextlib.suppress(OSError):  # there is nowhere left to say it; the exit code still does
        click.echo(message, err=True)
    return code


def _defect(error: BaseException, secret: str | None = None) -> ExitCode:
    """Tell a defect of ours from one of the target, with what its report needs and without the token."""
    from provider_conformance.about import tracker  # noqa: PLC0415
    from provider_conformance.reports.inert import inert_lines  # noqa: PLC0415

    trace = "".join(traceback.format_exception(error))
    if secret:
        trace = trace.replace(secret, "[masked]")
    message = (
        f"{inert_lines(trace)}\n"
        f"This is a defect of {COMMAND} {__version__}, it says nothing about the target. "
        f"Please report it, with the lines above, at {tracker()}"
    )
    return _complain(message, ExitCode.DEFECT)
