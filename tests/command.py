"""Runs the command as a user does, in a process of its own, and reads what it leaves."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "4dfcf1d4c30b4d798ece3ae43769f008" * 2


@dataclass(frozen=True)
class Run:
    """What one run of the command left: its exit code, its output, and report.json where there is one."""

    code: int
    output: str
    report: dict[str, Any]

    @property
    def first_line(self) -> str:
        """What the engineer reads first."""
        return self.output.splitlines()[0]

    def ids(self, outcome: str) -> set[str]:
        """The requirements with an outcome."""
        return {entry["id"] for entry in self.report["requirements"] if entry["outcome"] == outcome}

    def told(self) -> str:
        """The failures, for the message of an assertion."""
        return "\n".join(
            f"{entry['id']}: {failure['summary']} | expected {failure['expected']} | got {failure['actual']}"
            for entry in self.report["requirements"]
            for failure in entry["failures"]
        )


def certify(folder: Path, base_url: str | None, *options: str, token: str = TOKEN, timeout: float = 300) -> Run:
    """Run `provider-conformance run` and return what it left in a folder."""
    reports = folder / "reports"
    command = [sys.executable, "-m", "provider_conformance", "run", *([base_url] if base_url else []), *options]
    done = subprocess.run(
        [*command, "--report-dir", str(reports)],
        env=os.environ | {"PROVIDER_TOKEN": token, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    report = reports / "report.json"
    return Run(done.returncode, done.stdout + done.stderr, json.loads(report.read_bytes()) if report.exists() else {})


def text_of(path: Path) -> str:
    """Return what a file says, unpacked where it is packed."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
