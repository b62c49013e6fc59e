"""Write the Pydantic models of the contract, or check that those in the repository are up to date.

    python tools/generate_models.py           # writes generated/provider_models
    python tools/generate_models.py --check   # exits 1 with a diff if that would change anything

What is generated, and how, is said under [tool.datamodel-codegen] in pyproject.toml.
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PYPROJECT = REPOSITORY / "pyproject.toml"
MODELS = REPOSITORY / "generated" / "provider_models"

GENERATOR = "datamodel-code-generator"
"""What writes the models. Its output changes between versions, so pyproject.toml pins it exactly."""


class GenerationError(Exception):
    """The models could not be generated."""


def pinned_version() -> str | None:
    """Tell which version of the generator the dependency group `models` pins, or None if it pins none."""
    groups = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["dependency-groups"]
    for requirement in groups["models"]:
        name, _, version = requirement.partition("==")
        if name.partition("[")[0].strip() == GENERATOR and version:
            return str(version).strip()
    return None


def generate(destination: Path) -> None:
    """Write the package `provider_models` into the new directory `destination`.

    Raises GenerationError if the generator is absent, has another version than the pinned one, or fails.
    """
    try:
        installed = metadata.version(GENERATOR)
    except metadata.PackageNotFoundError:
        raise GenerationError(f"{GENERATOR} is not installed; `nox -s generate` installs it") from None
    if (pinned := pinned_version()) not in {None, installed}:
        raise GenerationError(f"{GENERATOR} {pinned} is needed, {installed} is installed")
    command = [sys.executable, "-W", "ignore", "-m", "datamodel_code_generator", "--output", str(destination)]
    # The input is named relative to the repository; pyproject.toml is looked for in the working directory.
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode != 0:
        raise GenerationError(f"{GENERATOR} failed:\n{run.stderr.strip()}")
    # The marker that tells type checkers to trust the annotations is all that the generator does not write.
    (destination / "py.typed").touch()


def differences(expected: Path, actual: Path) -> str:
    """Compare two directories file by file, as a unified diff; the empty string if they are the same."""
    before, after = _contents(actual), _contents(expected)
    return "".join(
        line if line.endswith("\n") else f"{line}\n"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
        for line in [
            f"--- {name}{'' if name in before else ' (missing)'}\n",
            f"+++ {name}{'' if name in after else ' (not generated)'}\n",
            *list(_diff(before.get(name, ""), after.get(name, "")))[2:],
        ]
    )


def _diff(before: str, after: str) -> list[str]:
    return list(difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True)))


def _contents(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def check() -> str:
    """Generate the models anew, elsewhere, and give the diff to those in the repository."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / MODELS.name
        generate(fresh)
        return differences(expected=fresh, actual=MODELS)


def write() -> None:
    """Replace the models in the repository, and what lies between them, by newly generated ones."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / MODELS.name
        generate(fresh)
        # Only once generating has succeeded: a failure leaves the old models alone.
        shutil.rmtree(MODELS, ignore_errors=True)
        shutil.copytree(fresh, MODELS)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; exit with 1 if the models are stale, with 2 if they cannot be generated."""
    parser = argparse.ArgumentParser(description="Write the Pydantic models of the contract.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if they are stale")
    options = parser.parse_args(arguments)
    try:
        if not options.check:
            write()
            return 0
        diff = check()
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 2
    if diff:
        print(diff, end="")
        print("The generated models are stale: run `nox -s generate`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
