"""Write the Pydantic models of the contract, or check that those in the repository are up to date.

    python tools/generate_models.py           # writes generated/provider_models
    python tools/generate_models.py --check   # exits 1 with a diff if that would change anything

What is generated, and how, is said in openapi/models.toml.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from provider_conformance.config import UsageError
from provider_conformance.models import GenerationError, generate, recipe, stale

MODELS = Path(__file__).resolve().parent.parent / "generated" / "provider_models"
OURS = recipe(
    header="""\
# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`."""
)


def write() -> None:
    """Replace the models in the repository, and what lies between them, by newly generated ones."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / MODELS.name
        generate(fresh, OURS)
        # The marker that tells type checkers to trust the annotations is all that the generator does not write.
        (fresh / "py.typed").touch()
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
        diff = stale(MODELS, OURS)
    except (GenerationError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    if diff:
        print(diff, end="")
        print("The generated models are stale: run `nox -s generate`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
