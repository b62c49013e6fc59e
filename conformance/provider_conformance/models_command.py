"""The command that writes models of the contract into a downstream project."""

from __future__ import annotations

from pathlib import Path

import click

from provider_conformance.config import UsageError
from provider_conformance.verdict import ExitCode

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TABLE = "tool.provider-conformance.models"
KEYS = ("output", "target", "python")
PROJECT = Path("pyproject.toml")


@click.command("models", short_help="Write models of the contract into your project.")
@click.option("--output", type=click.Path(path_type=Path), help="The folder, a package of your project.")
@click.option(
    "--target",
    metavar="KIND",
    help="What they are: pydantic, dataclass, typeddict or msgspec.  [default: pydantic]",
)
@click.option("--python", type=click.Choice(PYTHONS), help="The oldest Python that they are for.  [default: 3.11]")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 and a diff if that would change something.")
def models_command(output: Path | None, target: str | None, python: str | None, *, check: bool) -> int:
    """Write typed models of the contract into a project, or check that they are up to date.

    What is not said here is taken from [tool.provider-conformance.models] in the pyproject.toml of the current
    directory: output, target and python. One version of this package writes the same bytes everywhere.
    """
    from provider_conformance import models  # noqa: PLC0415

    said = _of_project()
    folder = output or (Path(said["output"]) if "output" in said else None)
    if folder is None:
        raise UsageError(f"name a folder with --output, or as output under [{TABLE}] in {PROJECT}")
    wanted = models.recipe(target or said.get("target"), python or said.get("python"))
    for given, known, what in ((wanted.target, models.targets(), "target"), (wanted.python, PYTHONS, "python")):
        if given not in known:
            raise UsageError(f"{given!r} is no {what}: there are {', '.join(known)}")
    if not check:
        models.write(folder, wanted)
        click.echo(f"{folder} has the models")
        return ExitCode.CONFORMANT
    diff = models.stale(folder, wanted)
    if not diff:
        return ExitCode.CONFORMANT
    click.echo(diff, nl=False)
    click.echo(f"{folder} is stale: run `provider-conformance models` without --check", err=True)
    return ExitCode.NONCONFORMANT


def _of_project() -> dict[str, str]:
    """Return what the project in the current directory says; raises UsageError."""
    from provider_conformance.settings import read_toml  # noqa: PLC0415

    table: object = read_toml(PROJECT) if PROJECT.exists() else {}
    for part in TABLE.split("."):
        table = table.get(part, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict) or not all(key in KEYS and isinstance(value, str) for key, value in table.items()):
        raise UsageError(f"[{TABLE}] in {PROJECT} may have {', '.join(KEYS)}, each a text, and nothing else")
    return table
