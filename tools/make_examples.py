"""Write the example reports of docs/examples: of a server with ten faults, and of one that conforms.

python tools/make_examples.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from provider_conformance.reference.server import Server, new_token
from provider_conformance.verdict import ExitCode

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
PORT = 8994
"""That of the examples in the guide; the reports quote it."""
FILES = ("report.json", "report.html", "junit.xml", "badge.svg", "evidence.jsonl.gz")

FAULTS = (
    "auth-ignores-letter-case",
    "create-truncates-names",
    "create-coerces-digits",
    "show-id-in-32-bits",
    "list-loses-partial-page",
    "list-reports-optional",
    "update-hostname-resets-interval",
    "update-partial",
    "destroy-again-answers-200",
    "http-500-for-lone-surrogate",
)


def make(name: str, faults: tuple[str, ...], version: str, expected: ExitCode) -> None:
    """Certify a server and keep its reports as the example of that name; raises RuntimeError for another verdict."""
    token = new_token()
    with tempfile.TemporaryDirectory() as folder, Server(faults=faults, token=token, port=PORT) as server:
        command = [
            *(sys.executable, "-m", "provider_conformance", "run", server.base_url),
            *("--implementation", "Example PBX", "--implementation-version", version, "--report-dir", "."),
        ]
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=folder, env=os.environ | {"PROVIDER_TOKEN": token}, check=False
        )
        if done.returncode != expected:
            raise RuntimeError(f"the run for {name} ended with {done.returncode}")
        target = EXAMPLES / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file in FILES:
            shutil.copyfile(Path(folder, file), target / file)


if __name__ == "__main__":
    make("ten-faults", FAULTS, "4.2", ExitCode.NONCONFORMANT)
    make("conformant", (), "4.3", ExitCode.CONFORMANT)
