"""Certifies one system of a fleet: what a worker of the cluster does."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provider_conformance.config import UsageError
from provider_conformance.journal import read_leftovers
from provider_conformance.run import JOURNAL
from provider_conformance.verdict import ExitCode, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPORT = "report.json"
LOCK = "lock"
OUTPUT = "output.txt"
PATIENCE = 120.0
"""Seconds that a run whose worker is gone may take to destroy what it created."""

PAUSE = 0.2
LONGEST_REASON = 300


@dataclass(frozen=True)
class Secret:
    """A token on its way to a worker: whatever is logged or shown of a task shows a mask."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class Job:
    """One system to certify, and the folder for its reports, which every worker has to reach."""

    name: str
    base_url: str
    folder: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class FleetResult:
    """What came out: verdict and exit code of the run, and the outcomes by requirement where there is a report."""

    name: str
    base_url: str
    verdict: Verdict
    exit_code: int
    level: str = ""
    reached: str | None = None
    requirements: Mapping[str, str] = field(default_factory=dict)
    exchanges: int = 0
    seconds: float = 0.0
    left: int = 0
    reason: str = ""


def certify_target(job: Job, token: Secret) -> FleetResult:
    """Certify a system, after destroying what an earlier try at it left; never two at once."""
    folder = Path(job.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with _alone(folder) as lock:
            _clean_up(job, token, folder, lock)
            return _outcome(job, folder, _run(job, token, folder, lock))
    except UsageError as error:
        return unfinished(job, str(error))


def unfinished(job: Job, reason: str) -> FleetResult:
    """Return the outcome of a system that was not certified."""
    return FleetResult(job.name, job.base_url, Verdict.INCOMPLETE, ExitCode.INCOMPLETE, reason=reason[:LONGEST_REASON])


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder; the processes of the run inherit it, so that it lasts as long as the last of them."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise UsageError(f"another run has held {folder / LOCK} for {PATIENCE:.0f} s") from None
                time.sleep(PAUSE)
        yield descriptor
    finally:
        os.close(descriptor)


def _clean_up(job: Job, token: Secret, folder: Path, lock: int) -> None:
    """Destroy what a run that was killed has left; raises UsageError if something may be left."""
    journal = folder / JOURNAL
    if not journal.exists():
        return
    with contextlib.suppress(UsageError):
        if read_leftovers(journal).nothing:
            return
    code = _command(["cleanup", str(journal)], job, token, folder, lock)
    if code != ExitCode.CONFORMANT:
        raise UsageError(f"what an earlier try left could not be destroyed: {_last_line(folder)}")


def _run(job: Job, token: Secret, folder: Path, lock: int) -> int:
    return _command(["run", job.base_url, "--report-dir", str(folder)], job, token, folder, lock)


def _command(words: list[str], job: Job, token: Secret, folder: Path, lock: int) -> int:
    """Run the command in a process that ends with this one, and return its exit code."""
    with tempfile.TemporaryDirectory() as scratch, (folder / OUTPUT).open("wb") as output:
        settings = Path(scratch) / "settings.json"
        settings.write_text(json.dumps(dict(job.settings)), "utf-8")
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-P", "-m", "provider_conformance.fleet.guarded", *words, "--config", str(settings)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            env=os.environ | {"PROVIDER_TOKEN": token.value, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            pass_fds=(lock,),
            start_new_session=True,
        )
        try:
            return process.wait()
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def _outcome(job: Job, folder: Path, code: int) -> FleetResult:
    try:
        report = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError):
        return FleetResult(job.name, job.base_url, Verdict.INCOMPLETE, code, reason=_last_line(folder))
    results = {one["id"]: one["outcome"] for one in report["requirements"]}
    gap = next((one["reason"] for one in report["requirements"] if one["outcome"] == "not_tested"), "")
    return FleetResult(
        job.name,
        job.base_url,
        Verdict(report["verdict"]),
        code,
        report["level"],
        report["reached_level"],
        results,
        report["statistics"]["exchanges"],
        report["duration_s"],
        len(report["cleanup"]["left"]),
        (report["diagnosis"] or (gap if report["verdict"] == Verdict.INCOMPLETE else ""))[:LONGEST_REASON],
    )


def _last_line(folder: Path) -> str:
    with contextlib.suppress(OSError):
        lines = (folder / OUTPUT).read_bytes()[-4000:].decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:LONGEST_REASON]
    return ""
