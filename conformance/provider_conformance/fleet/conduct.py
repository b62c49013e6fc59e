"""Leads a fleet through its certification on a Dask cluster: who is next, on which host, and what came out."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import queue
import secrets
import signal
import time
from collections import Counter, deque
from dataclasses import asdict
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, KilledWorker, LocalCluster, Security
from distributed.comm.core import connect

from provider_conformance import __version__
from provider_conformance.config import UsageError
from provider_conformance.errors import RunEndedError
from provider_conformance.fleet.task import (
    PATIENCE,
    FleetResult,
    Job,
    Killed,
    Secret,
    certify_target,
    locked,
    unfinished,
)
from provider_conformance.reports.files import write_private
from provider_conformance.verdict import ExitCode, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from distributed import Future

    from provider_conformance.fleet.targets import FleetTarget
    from provider_conformance.guard import Guard

PROGRESS = "fleet.jsonl"
LOCKS = ".locks"
"""The folder of locks beside those of the systems, none of which is called so."""

TRIES = 3
"""Times that a system is handed to the cluster, where workers or runs die of it."""

CONNECTING = 30
"""Seconds that a scheduler has to answer."""

EMBEDDED = {
    "distributed.worker.daemon": False,
    "distributed.scheduler.allowed-failures": TRIES - 1,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
"""How Dask is set where it runs on this machine alone: nobody asks it for anything by HTTP."""

PAUSE = 0.2
"""Seconds between two looks whether somebody wants the fleet to end."""


class ClusterLostError(RunEndedError):
    """The scheduler is gone, and with it whatever it was told."""


class Notebook:
    """What has come out so far, a line a system, so that an interrupted fleet can be resumed.

    Raises UsageError where the file cannot be read and written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self.outcomes: dict[str, FleetResult] = {}
        try:
            for line in path.read_bytes().splitlines() if resume and path.exists() else ():
                with contextlib.suppress(ValueError, TypeError, KeyError):  # a line that a kill cut off
                    outcome = outcome_of(json.loads(line))
                    self.outcomes[outcome.name] = outcome
            write_private(path, "".join(f"{_line(outcome)}\n" for outcome in self.outcomes.values()).encode())
        except OSError as error:
            raise UsageError(f"cannot keep what comes out in {path}: {error.strerror or error}") from error

    def knows(self, target: FleetTarget) -> bool:
        """Tell whether a system is done: not if another one bore its name."""
        outcome = self.outcomes.get(target.name)
        return outcome is not None and outcome.base_url == target.base_url

    def add(self, outcome: FleetResult) -> None:
        """Keep one more outcome."""
        self.outcomes[outcome.name] = outcome
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(f"{_line(outcome)}\n")


def _line(outcome: FleetResult) -> str:
    return json.dumps(asdict(outcome))


def outcome_of(document: dict[str, Any]) -> FleetResult:
    """Read an outcome that was written as JSON; raises KeyError, TypeError and ValueError."""
    return FleetResult(**{**document, "verdict": Verdict(document["verdict"])})


@contextlib.contextmanager
def cluster(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Connect to a scheduler, or start workers here, each a process; raises UsageError where there is none."""
    if scheduler is not None:
        with _connected(scheduler) as client:
            yield client
        return
    # Any user of this machine can reach a port of it, and whoever speaks to a scheduler commands it.
    security = Security.temporary()
    with (
        dask.config.set(EMBEDDED),
        _local_cluster(workers, security) as local,
        Client(local, security=security) as client,
    ):
        yield client


def _local_cluster(workers: int, security: Security) -> LocalCluster:
    """Start workers here, which Ctrl-C does not reach: this process tells them what to do about it.

    What starts here inherits what is blocked, also the workers that take the place of dead ones later.
    """
    resource_tracker.ensure_running()  # which would start with the first worker, and unblock what is blocked
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,  # a run is a process of its own, and a worker has nothing else to do
            processes=True,
            dashboard_address=None,
            scheduler_kwargs={
                "dashboard_address": "127.0.0.1:0"
            },  # a port is listened at even so, which others may want
            protocol="tls://",
            security=security,
            silence_logs=logging.CRITICAL,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _connected(scheduler: str) -> Client:
    try:
        # A client would wait for ever for whatever listens there and is no scheduler.
        asyncio.run(asyncio.wait_for(_greet(scheduler), CONNECTING + 1))
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # the conductor tells it in a line
        return Client(scheduler, timeout=CONNECTING)
    except (OSError, ValueError, TypeError) as error:  # the last where TLS is asked for and not configured
        reason = str(error) or f"nothing in {CONNECTING} s"
        raise UsageError(f"no Dask scheduler answers at {scheduler}: {reason}") from error


async def _greet(scheduler: str) -> None:
    comm = await connect(scheduler, timeout=CONNECTING, **Security().get_connection_args("client"))
    await comm.close()


class Conductor:
    """Hands systems to the cluster as their hosts have room, and again where a worker dies.

    Never more than `per_host` run at a host, and never two at one system, whatever its names.
    """

    def __init__(
        self, client: Client, targets: Sequence[FleetTarget], folder: Path, per_host: int, guard: Guard
    ) -> None:
        self._client, self._folder, self._per_host, self._guard = client, folder, per_host, guard
        self._fleet = secrets.token_hex(4)  # others may lead fleets on the same cluster, of systems with the same names
        self._waiting = deque(targets)
        self._tries: Counter[str] = Counter()
        self._running: dict[str, tuple[FleetTarget, Future[Any]]] = {}
        self._done: queue.SimpleQueue[str] = queue.SimpleQueue()

    @property
    def running(self) -> list[FleetTarget]:
        """The systems that are with the cluster."""
        return [target for target, _ in self._running.values()]

    def certify(self) -> Iterator[FleetResult]:
        """Certify every system, and give each result as soon as it is there; raises RunEndedError."""
        self._hand_over()
        while self._running:
            target, future = self._running.pop(self._next())
            result = self._result(target, future)
            if result is None:
                self._waiting.append(target)
            self._hand_over()
            if result is not None:
                yield result

    def stop(self) -> list[str]:
        """Let every run that is under way end, and wait until it has; return the names of those that do not."""
        running = self.running
        if self._client.status == "running":  # without a scheduler, the workers end by themselves
            self._client.cancel([future for _, future in self._running.values()], force=True)
        deadline = time.monotonic() + PATIENCE
        return [target.name for target in running if not self._ended(target, deadline - time.monotonic())]

    def _ended(self, target: FleetTarget, patience: float) -> bool:
        try:
            with locked(self._lock(target), patience):
                return True
        except UsageError:
            return False

    def _next(self) -> str:
        """Wait for the next system that is done, and return the key of its task."""
        while True:
            self._guard.check()
            with contextlib.suppress(queue.Empty):
                return self._done.get(timeout=PAUSE)
            if self._client.status != "running":
                raise ClusterLostError("the scheduler is gone")

    def _hand_over(self) -> None:
        hosts = Counter(target.host for target in self.running)
        systems = {target.system for target in self.running}
        for target in list(self._waiting):
            if hosts[target.host] >= self._per_host or target.system in systems:
                continue
            self._waiting.remove(target)
            hosts[target.host] += 1
            systems.add(target.system)
            self._submit(target)

    def _submit(self, target: FleetTarget) -> None:
        self._tries[target.name] += 1
        key = f"certify-{target.name}-{self._fleet}-{self._tries[target.name]}"
        future = self._client.submit(certify_target, self.job_of(target), Secret(target.token), key=key, pure=False)
        self._running[key] = target, future
        future.add_done_callback(lambda _: self._done.put(key))

    def _result(self, target: FleetTarget, future: Future[Any]) -> FleetResult | None:
        """Return what came out, or None if the system is to be tried again."""
        if self._client.status != "running":
            raise ClusterLostError("the scheduler is gone")
        told: Any = None
        if future.status in {"finished", "error"}:
            told = future.result() if future.status == "finished" else future.exception()
        if isinstance(told, FleetResult):
            return told
        if self._tries[target.name] < TRIES and not isinstance(told, KilledWorker):
            return None
        reason = told.reason if isinstance(told, Killed) else f"no worker came to an end with it: {type(told).__name__}"
        return unfinished(self.job_of(target), reason)

    def job_of(self, target: FleetTarget) -> Job:
        """Return what a worker is told of a system, but for its token."""
        folder = (self._folder / target.name).resolve()
        return Job(__version__, target.name, target.base_url, str(folder), str(self._lock(target)), target.settings)

    def _lock(self, target: FleetTarget) -> Path:
        return self._folder.resolve() / LOCKS / hashlib.sha256(target.system.encode()).hexdigest()[:32]


def worst(codes: Iterable[int]) -> ExitCode:
    """Return the worst exit code: a failure, then a defect of ours, then what was not tested."""
    # What is no code of ours is of a run that did not end by itself.
    found = {code if code in set(ExitCode) else ExitCode.DEFECT for code in codes}
    order = (ExitCode.NONCONFORMANT, ExitCode.DEFECT, ExitCode.USAGE, ExitCode.INCOMPLETE)
    return next((code for code in order if code in found), ExitCode.CONFORMANT)
