"""What --workers saves where every answer takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.relay import relayed
from benchmarks.results import Benchmark, Row
from benchmarks.running import CONFORMANT, FULL, INCOMPLETE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Runner

LATENCY = 0.05
WORKERS = (1, 2, 4, 8, 16)
PART = () if FULL else ("AUTH-3", "CREATE-6", "LIST-2", "LIST-4")
"""Two requirements whose requests go side by side, and two where most wait for the one before."""

FAR = Benchmark(
    title=f"A target {LATENCY * 1000:.0f} ms away",
    about="By the clock, from the start of the process to its end, at level core, "
    + (f"of which only {', '.join(PART)}" if PART else "all of it")
    + ": some of the requests do not depend on each other, and some do. A run each, with more and more `--workers`."
    " Each answer is held back that long, on each connection by itself. A run holds 8 providers at a time, unless told"
    " otherwise: more workers than that find little to do.",
)


def test_latency(runner: Runner, contribute: Callable[[Row], None]) -> None:
    only = [word for requirement in PART for word in ("--only", requirement)]
    for workers in WORKERS:
        with relayed(LATENCY) as relay:
            run = runner.certify(
                *(relay.base_url, "--level", "core", "--workers", str(workers), *only),
                codes=[INCOMPLETE if only else CONFORMANT],
            )
        assert not [entry["id"] for entry in run.report["requirements"] if entry["failures"]]
        contribute(Row(FAR, f"`--workers {workers}`", (run.wall,), (run.exchanges,)))
