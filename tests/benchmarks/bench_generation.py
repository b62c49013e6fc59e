"""How long `provider-conformance models` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row
from benchmarks.running import COMMAND
from provider_conformance.models import recipe, targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Run, Runner

ROUNDS = 3
GENERATION = Benchmark(
    title="Generate models",
    about="By the clock, from the start of `provider-conformance models` to its end, into an empty folder.",
    packages=("datamodel-code-generator",),
)


def generate(runner: Runner, target: str) -> Run:
    """Write models of a kind into a new folder."""
    run = runner.run(*COMMAND, "models", "--output", "trunks", "--target", target)
    assert (run.folder / "trunks" / "__init__.py").exists()
    return run


def test_generation(runner: Runner, contribute: Callable[[Row], None]) -> None:
    """They take turns, so that what else the machine does falls on all of them."""
    generate(runner, recipe().target)  # compiles what is not compiled yet
    rounds = [[generate(runner, target) for target in targets()] for _ in range(ROUNDS)]
    for target, runs in zip(targets(), zip(*rounds, strict=True), strict=True):
        contribute(Row(GENERATION, f"`--target {target}`", tuple(run.wall for run in runs)))
