"""What every further core saves in a proof, where each fault is certified by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row
from benchmarks.running import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Runner

REQUIREMENT = "LIST-4"
PROOF = Benchmark(
    title="A proof on more cores",
    about="By the clock, from the start of the process to its end:"
    f" `provider-conformance prove --requirement {REQUIREMENT}`, with so many runs at a time. Each run has a server in"
    " a process of its own, so that even one at a time keeps more than one core busy.",
)


def test_proof(runner: Runner, contribute: Callable[[Row], None]) -> None:
    found = []
    for workers in dict.fromkeys((1, os.cpu_count() or 1)):
        run = runner.run(*COMMAND, "prove", "--requirement", REQUIREMENT, "--workers", str(workers))
        (page,) = run.folder.rglob("prove.md")
        found.append(page.read_text("utf-8"))
        contribute(Row(PROOF, f"`--workers {workers}`", (run.wall,)))
    assert len(set(found)) == 1
