"""How long the command takes to say anything at all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row
from benchmarks.running import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Runner

ROUNDS = 20
ABOUT = "from the start of a new process to its end, with compiled files in place"
WALL = Benchmark(title="Start the command: by the clock", about=f"By the clock, {ABOUT}.", packages=("click",))
PROCESSOR = Benchmark(
    title="Start the command: by the processor", about=f"Processor time, {ABOUT}.", packages=("click",)
)
COMMANDS = {
    "`python -c pass`": (sys.executable, "-c", "pass"),
    '`python -c "import click"`': (sys.executable, "-c", "import click"),
    '`python -c "import provider_conformance.cli"`': (sys.executable, "-c", "import provider_conformance.cli"),
    "the command's `--help`": (*COMMAND, "--help"),
}


def test_start(runner: Runner, contribute: Callable[[Row], None]) -> None:
    """They take turns, so that what else the machine does falls on all of them."""
    for command in COMMANDS.values():
        runner.run(*command)  # compiles what is not compiled yet
    rounds = [[runner.run(*command) for command in COMMANDS.values()] for _ in range(ROUNDS)]
    for subject, runs in zip(COMMANDS, zip(*rounds, strict=True), strict=True):
        contribute(Row(WALL, subject, tuple(run.wall for run in runs)))
        contribute(Row(PROCESSOR, subject, tuple(run.processor for run in runs)))
