"""Certifies one system of a fleet: what a worker of the cluster does."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from distributed import Status, get_worker

from provider_conformance import __version__
from provider_conformance.config import UsageError
from provider_conformance.journal import read_leftovers
from provider_conformance.options import SETTINGS_VARIABLE
from provider_conformance.reports.files import prepare
from provider_conformance.run import JOURNAL
from provider_conformance.settings import TOKEN_VARIABLE
from provider_conformance.verdict import ExitCode, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REPORT = "report.json"
STALE = (REPORT, "report.html", "junit.xml", "badge.svg", "evidence.jsonl.gz", "exchanges.har")
"""What an earlier run has left: where this one comes to nothing, nobody must take that for its outcome."""

OUTPUT = "output.txt"
PATIENCE = 120.0
"""Seconds that a run whose worker is gone may take to destroy what it created."""

PAUSE = 0.2
LONGEST_REASON = 300


ALIVE = frozenset({Status.running, Status.paused})
"""What a worker is for as long as somebody may wait for what it does."""


@dataclass(frozen=True)
class Secret:
    """A token on its way to a worker: whatever is logged or shown of a task shows a mask."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class Job:
    """One system to certify, with the folder of its reports and the file of its lock, which every worker has to reach.

    `version` is that of this package where the fleet is led. The settings are not shown: a header may be a secret.
    """

    version: str
    name: str
    base_url: str
    folder: str
    lock: str
    settings: Mapping[str, Any] = field(repr=False)


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


@dataclass(frozen=True)
class Killed:
    """A run that somebody has killed, and not its worker: the system is certified anew, as where the worker is gone."""

    reason: str


class HeldError(UsageError):
    """Somebody else holds a lock, and does not let go of it."""


class UnwantedError(UsageError):
    """Whoever has asked for a system to be certified has gone, or wants it no more."""


def certify_target(job: Job, token: Secret) -> FleetResult | Killed:
    """Certify a system, after destroying what an earlier try at it left; never two at once.

    What nobody waits for is not begun: the reports of the last run stay, for one that is resumed.
    """
    folder = Path(job.folder)
    if job.version != __version__:
        return unfinished(job, f"the worker on {socket.gethostname()} has version {__version__}, not {job.version}")
    try:
        with locked(Path(job.lock), check=_check_wanted) as lock:
            _check_wanted()
            prepare(folder, STALE)
            _clean_up(job, token, lock)
            _check_wanted()
            code = _command(["run", job.base_url, "--report-dir", str(folder)], job, token, lock)
            if code < 0:
                _clean_up(job, token, lock)
                return Killed(f"the run was killed by signal {-code}")
            return _outcome(job, code)
    except UsageError as error:
        return unfinished(job, str(error))
    except OSError as error:
        return unfinished(job, f"{error.filename or folder}: {error.strerror or error}")


def unfinished(job: Job, reason: str) -> FleetResult:
    """Return the outcome of a system that was not certified."""
    left = _left_by_journal(Path(job.folder) / JOURNAL)
    return FleetResult(
        job.name, job.base_url, Verdict.INCOMPLETE, ExitCode.INCOMPLETE, left=left, reason=reason[:LONGEST_REASON]
    )


@contextlib.contextmanager
def locked(path: Path, patience: float = PATIENCE, check: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Hold a lock; the processes of the run inherit it, so that it lasts as long as the last of them.

    What `check` raises ends the wait for it. Raises HeldError, and UsageError where there can be no lock.
    """
    descriptor = _opened(path)
    try:
        deadline = time.monotonic() + patience
        while not _taken(path, descriptor):
            if time.monotonic() >= deadline:
                raise HeldError(f"another run has held {path} for {patience:.0f} s")
            check()
            time.sleep(PAUSE)
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"cannot open the lock {path}: {error.strerror or error}") from error


def _taken(path: Path, descriptor: int) -> bool:
    """Take a lock unless somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # a file system without locks
        raise UsageError(f"cannot lock {path}: {error.strerror or error}") from error
    return True


def _clean_up(job: Job, token: Secret, lock: int) -> None:
    """Destroy what a run that was killed has left; raises UsageError if something may be left."""
    journal = Path(job.folder) / JOURNAL
    if not journal.exists() or b"\n" not in journal.read_bytes():  # killed before it had sent anything
        return
    leftovers = read_leftovers(journal)
    if leftovers.nothing:
        return
    if leftovers.base_url != job.base_url:  # whose token this is not
        raise UsageError(f"an earlier try left something at {leftovers.base_url}: `cleanup {journal}` destroys it")
    code = _command(["cleanup", str(journal)], job, token, lock)
    if code != ExitCode.CONFORMANT:
        raise UsageError(f"what an earlier try left could not be destroyed: {_last_line(job)}")


def _left_by_journal(journal: Path) -> int:
    """Return how many providers a journal says may be left."""
    with contextlib.suppress(UsageError):
        leftovers = read_leftovers(journal)
        return len(leftovers.created) + len(leftovers.unanswered)
    return 0


def _command(words: list[str], job: Job, token: Secret, lock: int) -> int:
    """Run the command in a process that ends with this one, and return its exit code.

    Token and settings travel in its environment, which nobody else can read, and which leaves no file.
    """
    own = {
        TOKEN_VARIABLE: token.value,
        SETTINGS_VARIABLE: json.dumps(dict(job.settings)),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    with tempfile.TemporaryDirectory() as scratch, _private(Path(job.folder) / OUTPUT) as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-P", "-m", "provider_conformance.fleet.guarded", *words],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=scratch,
            env=os.environ | own,
            pass_fds=(lock,),
            start_new_session=True,
        )
        assert process.stdin is not None
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return process.wait(PAUSE)
                if not _wanted():
                    process.stdin.close()
        finally:
            process.stdin.close()
            process.wait()


def _private(path: Path) -> BinaryIO:
    """Open a file for writing that only its owner may read, whoever might read an older one of that name."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "wb")


def _wanted() -> bool:
    """Tell whether anybody waits for what this task does: Dask cannot end one that runs, it only takes note."""
    try:
        worker = get_worker()
    except ValueError:  # called by something else than a worker
        return True
    task = worker.state.tasks.get(worker.get_current_task())
    return worker.status in ALIVE and task is not None and task.state != "cancelled"


def _check_wanted() -> None:
    if not _wanted():
        raise UnwantedError("nobody waits for it any more")


def _outcome(job: Job, code: int) -> FleetResult:
    try:
        report = json.loads((Path(job.folder) / REPORT).read_bytes())
    except (OSError, ValueError):
        return FleetResult(job.name, job.base_url, Verdict.INCOMPLETE, code or ExitCode.DEFECT, reason=_last_line(job))
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


def _last_line(job: Job) -> str:
    with contextlib.suppress(OSError):
        lines = (Path(job.folder) / OUTPUT).read_bytes()[-4000:].decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:LONGEST_REASON]
    return ""
