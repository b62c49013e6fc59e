"""Runs programs as a user does, in processes of their own, and takes the time."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command import TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pytest

COMMAND = (sys.executable, "-m", "provider_conformance")
SCHEMATHESIS = str(Path(sysconfig.get_path("scripts"), "schemathesis"))
CONFORMANT, INCOMPLETE = 0, 3


@dataclass(frozen=True)
class Run:
    """One process: seconds by the clock from its start to its end, seconds of processor time, and where it ran."""

    wall: float
    processor: float
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        """What the report.json says that a certification has left."""
        found: dict[str, Any] = json.loads((self.folder / "reports" / "report.json").read_bytes())
        return found

    @property
    def exchanges(self) -> int:
        """How many exchanges a certification has had."""
        return int(self.report["statistics"]["exchanges"])


class Runner:
    """Starts programs in empty folders, with a place for their compiled modules that nobody else writes to."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        # Otherwise modules might be compiled anew each time, which takes longer than all the rest.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        compiled = str(folders.mktemp("compiled"))
        self._environment: Mapping[str, str] = kept | {"PYTHONPYCACHEPREFIX": compiled, "PROVIDER_TOKEN": TOKEN}

    def run(self, *command: str, codes: Collection[int] = (0,)) -> Run:
        """Run a program to its end; it has to end with one of these exit codes."""
        folder = self._folders.mktemp("run")
        before, start = _of_children(), time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env=self._environment, capture_output=True, encoding="utf-8", check=False
        )
        run = Run(time.perf_counter() - start, _of_children() - before, folder)
        assert done.returncode in codes, done.stdout + done.stderr
        return run

    def certify(self, *arguments: str, codes: Collection[int] = (CONFORMANT,)) -> Run:
        """Run `provider-conformance run`."""
        return self.run(*COMMAND, "run", *arguments, "--report-dir", "reports", codes=codes)

    def lines(self, *command: str) -> Iterator[tuple[float, str]]:
        """Run a program, and give each line of its output with the seconds since its start; last comes an empty one."""
        folder, start = self._folders.mktemp("run"), time.perf_counter()
        with subprocess.Popen(
            command, cwd=folder, env=self._environment, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield time.perf_counter() - start, line
        yield time.perf_counter() - start, ""


def _of_children() -> float:
    """Return the processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
