"""How long somebody waits for the first failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row
from benchmarks.running import COMMAND
from command import TOKEN
from make_examples import FAULTS
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.running import Runner

ALWAYS_VISIBLE = (
    "create-answers-201",
    "create-id-as-text",
    "show-without-id",
    "show-port-as-text",
    "list-providers-by-id",
    "list-count-as-text",
    "update-answers-204",
    "update-drops-port",
    "destroy-answers-204",
    "destroy-does-nothing",
)
"""Faults that every answer of an operation shows, or what it leaves."""

FAILURE = Benchmark(
    title="The first failure",
    about="By the clock, from the start of `provider-conformance run` to the first line of its output that names a"
    " failure, and to its end. A run each for ten servers with one fault each: such as every answer of an operation"
    " shows, and those of the example report, most of which only few requests find. Best and worst are those of"
    " different faults. Wrong tokens are sent last, since a server may lock out whoever sends them: what is wrong with"
    " access shows at the end.",
)


def first_and_last(runner: Runner, fault: str) -> tuple[float, float]:
    """Certify a server with a fault; give the seconds to the first line that names a failure, and to the end."""
    with Server(token=TOKEN, faults=[fault]) as server:
        lines = list(runner.lines(*COMMAND, "run", server.base_url))
    told = [seconds for seconds, line in lines if line.startswith("fail ")]
    assert told, "".join(line for _, line in lines)
    return told[0], lines[-1][0]


def test_first_failure(runner: Runner, contribute: Callable[[Row], None]) -> None:
    always, always_whole = measured(ALWAYS_VISIBLE, runner)
    example, example_whole = measured(FAULTS, runner)

    contribute(Row(FAILURE, "the whole run", always_whole + example_whole))
    contribute(Row(FAILURE, "its first failure, of faults that every answer shows", always))
    contribute(Row(FAILURE, "its first failure, of the faults of the example report", example))


def measured(faults: Sequence[str], runner: Runner) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Certify a server with each of the faults; give all first times, and all last ones."""
    first, last = zip(*(first_and_last(runner, fault) for fault in faults), strict=True)
    return first, last
