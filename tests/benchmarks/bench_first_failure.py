"""How long somebody waits for the first failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row
from benchmarks.running import COMMAND
from command import TOKEN
from make_examples import FAULTS
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Runner

FAILURE = Benchmark(
    title="The first failure",
    about=f"By the clock, from the start of `provider-conformance run` to the first line of its output that names a"
    f" failure, and to its end. A run each for {len(FAULTS)} servers with one fault each, those of the example report:"
    " best and worst are those of different faults.",
)


def first_and_last(runner: Runner, fault: str) -> tuple[float, float]:
    """Certify a server with a fault; give the seconds to the first line that names a failure, and to the end."""
    with Server(token=TOKEN, faults=[fault]) as server:
        lines = list(runner.lines(*COMMAND, "run", server.base_url))
    told = [seconds for seconds, line in lines if line.startswith("fail ")]
    assert told, "".join(line for _, line in lines)
    return told[0], lines[-1][0]


def test_first_failure(runner: Runner, contribute: Callable[[Row], None]) -> None:
    first, last = zip(*(first_and_last(runner, fault) for fault in FAULTS), strict=True)
    contribute(Row(FAILURE, "the whole run", last))
    contribute(Row(FAILURE, "its first failure", first))
