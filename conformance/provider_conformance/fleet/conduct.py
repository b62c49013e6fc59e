"""Leads a fleet through its certification on a Dask cluster: who is next, on which host, and what came out."""

from __future__ import annotations

import contextlib
import json
from collections import Counter, deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, LocalCluster, as_completed

from provider_conformance.config import UsageError
from provider_conformance.fleet.task import FleetResult, Job, Secret, certify_target, unfinished
from provider_conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from distributed import Future

    from provider_conformance.fleet.targets import FleetTarget

PROGRESS = "fleet.jsonl"
TRIES = 3
"""Times that a system is handed to the cluster, where workers die of it."""

CONNECTING = 30
"""Seconds that a scheduler has to answer."""


class Notebook:
    """What has come out so far, a line a system, so that an interrupted fleet can be resumed."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self.outcomes: dict[str, FleetResult] = {}
        if resume:
            with contextlib.suppress(FileNotFoundError):
                for line in path.read_text("utf-8").splitlines():
                    with contextlib.suppress(ValueError, TypeError, KeyError):  # a line that a kill cut off
                        outcome = outcome_of(json.loads(line))
                        self.outcomes[outcome.name] = outcome
        path.write_text("".join(f"{_line(outcome)}\n" for outcome in self.outcomes.values()), "utf-8")

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
        try:
            client = Client(scheduler, timeout=CONNECTING)
        except (OSError, ValueError) as error:
            raise UsageError(f"no Dask scheduler answers at {scheduler}: {error}") from error
        with client:
            yield client
        return
    # One thread a worker: a run is a process of its own, and a worker has nothing else to do.
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


def certify_fleet(client: Client, targets: Sequence[FleetTarget], folder: Path, per_host: int) -> Iterator[FleetResult]:
    """Certify every system, and give each result as soon as it is there; never more than `per_host` at a host."""
    conductor = Conductor(client, targets, folder, per_host)
    while conductor.running:
        result = conductor.next()
        if result is not None:
            yield result


class Conductor:
    """Hands systems to the cluster as their hosts have room, and again where a worker dies."""

    def __init__(self, client: Client, targets: Sequence[FleetTarget], folder: Path, per_host: int) -> None:
        self._client, self._folder, self._per_host = client, folder, per_host
        self._waiting = deque(targets)
        self._tries: Counter[str] = Counter()
        self._done = as_completed(raise_errors=False)
        self.running: dict[Future[Any], FleetTarget] = {}
        self._hand_over()

    def next(self) -> FleetResult | None:
        """Wait for the next system, and return what came out of it, or None if it is to be tried again."""
        future = next(self._done)
        target = self.running.pop(future)
        result = self._result(future, target)
        if result is None:
            self._waiting.append(target)
        self._hand_over()
        return result

    def _hand_over(self) -> None:
        busy = Counter(target.host for target in self.running.values())
        for target in list(self._waiting):
            if busy[target.host] >= self._per_host:
                continue
            self._waiting.remove(target)
            busy[target.host] += 1
            self._tries[target.name] += 1
            job, token = job_of(target, self._folder), Secret(target.token)
            key = f"certify-{target.name}-{self._tries[target.name]}"
            future = self._client.submit(certify_target, job, token, key=key, pure=False)
            self.running[future] = target
            self._done.add(future)

    def _result(self, future: Future[Any], target: FleetTarget) -> FleetResult | None:
        """Return what came out, or None if workers have died of it, but not too often yet."""
        if future.status == "finished":
            result: FleetResult = future.result()
            return result
        if self._tries[target.name] < TRIES:
            return None
        error = future.exception() if future.status == "error" else None
        return unfinished(job_of(target, self._folder), f"no worker came to an end with it: {type(error).__name__}")


def job_of(target: FleetTarget, folder: Path) -> Job:
    """Return what a worker is told of a system, but for its token."""
    return Job(target.name, target.base_url, str((folder / target.name).resolve()), target.settings)


def worst(outcomes: Iterable[FleetResult]) -> int:
    """Return the exit code of the worst outcome: a failure, then a defect of ours, then what was not tested."""
    order = (1, 4, 2, 3)
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in order if code in codes), 0)
