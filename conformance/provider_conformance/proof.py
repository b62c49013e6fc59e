"""Proves that requirements can fail: certifies single faults of the reference and looks which requirements turn red."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provider_conformance import __version__
from provider_conformance.config import UsageError
from provider_conformance.contract import Level, load_catalogue, load_contract
from provider_conformance.reports.blocks import block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provider_conformance.faults.definition import Fault
    from provider_conformance.verdict import Report


@dataclass(frozen=True)
class Proof:
    """What certifying one fault showed: what had to turn red, and all that did.

    `block` tells the failure of the first requirement that had to turn red as reports do, `discrepancies` what
    verifying the report found.
    """

    fault: str
    wanted: tuple[str, ...]
    red: tuple[str, ...]
    not_tested: tuple[str, ...]
    seconds: float
    exchanges: int
    left: int
    block: tuple[str, ...] = ()
    discrepancies: tuple[str, ...] = ()

    @property
    def caught(self) -> bool:
        """Whether every requirement that the fault breaks turned red."""
        return set(self.wanted) <= set(self.red)

    @property
    def others(self) -> tuple[str, ...]:
        """Requirements that turned red though the fault is not theirs."""
        return tuple(name for name in self.red if name not in self.wanted)

    @property
    def void(self) -> bool:
        """Whether the fault breaks so much that catching it proves nothing."""
        return len(self.red) > MOST_RED


MOST_RED = 8
"""Requirements that a single fault may turn red: with more, it says nothing about any of them."""


def level_of(fault: Fault) -> Level:
    """Return the level at which a fault must be caught: its own, or the highest of its requirements."""
    if fault.level is not None:
        return fault.level
    levels = {load_catalogue()[name].level for name in fault.requirements} - {Level.ADVICE}
    return max(levels, key=lambda level: level.rank, default=Level.CORE)


def prove(faults: Iterable[Fault], workers: int) -> Iterator[Proof]:
    """Certify faults in parallel and give their proofs in order, each as soon as it is there."""
    # Without max_tasks_per_child: replacing its workers, the pool of Python 3.11 can come to a standstill.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(prove_one, [fault.id for fault in faults])


class Notebook:
    """Keeps proofs on disk as they come, so that an interrupted proof goes on where it stopped.

    The first line says what they were made with; proofs of anything else are not taken up again. Raises UsageError
    where the file cannot be read and written.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        made_with = json.dumps(
            {"tool": __version__, "catalogue": load_catalogue().sha256, "contract": load_contract().sha256}
        )
        self.proofs: dict[str, Proof] = {}
        with self._telling():
            lines = path.read_bytes().splitlines() if resume and path.exists() else []
            for line in lines[1:] if lines[:1] == [made_with.encode()] else []:
                with contextlib.suppress(ValueError, TypeError, AttributeError):  # a line that a kill cut off
                    proof = _proof(line)
                    self.proofs[proof.fault] = proof
            path.write_text("".join(f"{line}\n" for line in (made_with, *map(_line, self.proofs.values()))))

    def add(self, proof: Proof) -> None:
        """Keep one more proof."""
        self.proofs[proof.fault] = proof
        with self._telling(), self._path.open("a") as stream:
            stream.write(f"{_line(proof)}\n")

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UsageError(f"cannot keep proofs in {self._path}: {error.strerror or error}") from error


def _line(proof: Proof) -> str:
    return json.dumps(dataclasses.asdict(proof))


def _proof(line: bytes) -> Proof:
    kept: dict[str, Any] = json.loads(line)
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return Proof(**values)


def prove_one(identifier: str) -> Proof:
    """Certify the server of one fault over real sockets at the level of its requirements."""
    from provider_conformance import evidence  # noqa: PLC0415 - for worker processes, as all of these
    from provider_conformance.config import Config  # noqa: PLC0415
    from provider_conformance.faults.catalogue import find_fault  # noqa: PLC0415
    from provider_conformance.outcomes import report_of  # noqa: PLC0415
    from provider_conformance.progress import Silence  # noqa: PLC0415
    from provider_conformance.reference.server import Server  # noqa: PLC0415
    from provider_conformance.reports import json_report  # noqa: PLC0415
    from provider_conformance.run import certify  # noqa: PLC0415
    from provider_conformance.verdict import Outcome  # noqa: PLC0415
    from provider_conformance.verify import verify  # noqa: PLC0415

    fault = find_fault(identifier)
    began = time.monotonic()
    with Server(faults=[identifier]) as server, tempfile.TemporaryDirectory() as folder:
        config = Config(server.base_url, server.token, level_of(fault), report_dir=Path(folder))
        record = certify(config, Silence())
        report = report_of(record)
        kept = replace(report, evidence_sha256=evidence.write(record, config.report_dir))
        json_report.write(kept, config.report_dir)
        found = verify(config.report_dir).discrepancies
    red = [result for result in report.results if result.outcome is Outcome.FAIL]
    advised = [line.partition(":")[0] for line in report.advice]
    return Proof(
        identifier,
        fault.requirements,
        (*(result.requirement.id for result in red), *(name for name in advised if name in load_catalogue())),
        tuple(r.requirement.id for r in report.results if r.outcome in {Outcome.NOT_TESTED, Outcome.ERROR}),
        time.monotonic() - began,
        report.exchanges,
        len(report.cleanup.left),
        _block(report, fault.requirements[0], server.base_url),
        found,
    )


def _block(report: Report, wanted: str, base_url: str) -> tuple[str, ...]:
    """Return the first failure of a requirement in the lines of a report, with the documented address."""
    origin = "/".join(base_url.split("/", 3)[:3])
    for result in report.results:
        if result.requirement.id == wanted and result.failures:
            failure = result.failures[0]
            lines = [f"{line.label}: {line.text}" for line in block(result, failure, report.readings)]
            told = [f"FAILED {wanted} ({result.requirement.level}) {failure.summary}", *lines]
            return tuple(line.replace(origin, DOCUMENTED_ORIGIN) for line in told)
    return tuple(line for line in report.advice if line.startswith(wanted))


DOCUMENTED_ORIGIN = "http://127.0.0.1:8990"
