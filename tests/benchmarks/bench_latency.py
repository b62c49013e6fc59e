"""What --workers saves where every answer takes its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row
from relay import relayed

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Runner

LATENCY = 0.05
WORKERS = (1, 2, 4, 8, 16)
MORE_PROVIDERS = tuple(("--workers", "16", "--max-providers", most) for most in ("16", "32"))

FAR = Benchmark(
    title=f"A target {LATENCY * 1000:.0f} ms away",
    about="By the clock, from the start of the process to its end: a full certification, a run each, with more and more"
    " `--workers`. Each answer is held back that long, on each connection by itself. Tests run side by side as far as"
    " the providers allow that they need: of those a run holds 8 at a time, unless told otherwise.",
)


def test_latency(runner: Runner, contribute: Callable[[Row], None]) -> None:
    for options in (*[("--workers", str(workers)) for workers in WORKERS], *MORE_PROVIDERS):
        with relayed(LATENCY) as relay:
            run = runner.certify(relay.base_url, *options)
        contribute(Row(FAR, f"`{' '.join(options)}`", (run.wall,), (run.exchanges,)))
