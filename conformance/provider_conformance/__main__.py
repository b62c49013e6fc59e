"""Entry point of the command `provider-conformance`, also where only the models are installed."""

from __future__ import annotations

import gc
import sys

SUITE_MODULES = frozenset(
    {
        "annotated_types",
        "click",
        "cryptography",
        "dask",
        "distributed",
        "httptools",
        "hypothesis",
        "jinja2",
        "jsonschema_rs",
        "pytest",
        "redis",
        "rich",
        "schemathesis",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "yaml",
    }
)
"""What the extras bring; a plain install has none of it."""

EXTRAS = {"fleet": "fleet", "models": "models", "search": "search"}
"""The extras that commands need, where that is another one than `suite`."""

USAGE = 2


def main() -> None:
    """Run the command and leave with its exit code."""
    try:
        from provider_conformance.cli import main as command  # noqa: PLC0415

        code = command()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in SUITE_MODULES:
            raise
        extra = EXTRAS.get(sys.argv[1] if len(sys.argv) > 1 else "", "suite")
        install = f"pip install 'sip-provider-conformance[{extra}]'"
        sys.stderr.write(f"provider-conformance: this needs {error.name}; install it with: {install}\n")
        code = USAGE
    # All of it ends with the process; to look for garbage among what a run has kept would take longer than its report.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
