"""How long a full certification takes, beside what a property-based tester for any API does in that time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.counting import counted
from benchmarks.results import Benchmark, Row
from benchmarks.running import SCHEMATHESIS
from command import TOKEN
from provider_conformance.explain import contract_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.running import Runner

ROUNDS = 3
MINUTE = 60
CERTIFICATION = Benchmark(
    title="A full certification",
    about="By the clock, from the start of the process to its end. `provider-conformance run` does everything up to"
    " level hardened; `schemathesis run` makes all its checks in all its phases on the same contract, as far as it goes"
    " by itself, and once for a minute. Each has a new reference implementation in a process of its own, which counts"
    " what it is sent. They do not do the same, and the one knows this API where the other works for any: what can be"
    " compared is how many exchanges a second they manage, and how long one waits.",
    packages=("schemathesis",),
    by="rate",
)
TESTING = Benchmark(
    title="A full certification, while requests come",
    about="The same runs by the clock of the server, from the first request that it is sent to the last one: without"
    " what either takes to start and to write reports, of which a longer run would have no more.",
    packages=("schemathesis",),
    by="rate",
)
OURS, THEIRS, THEIRS_LONGER = "`provider-conformance run`", "`schemathesis run`", f"the same, `--max-time {MINUTE}`"


@dataclass(frozen=True)
class Session:
    """What one run took: seconds as one waits, seconds from the first request to the last one, and exchanges."""

    waited: float
    testing: float
    exchanges: int


def ours(runner: Runner) -> Session:
    """Certify a new server."""
    with counted() as server:
        run = runner.certify(server.base_url)
    # What the server counts is what the run itself has recorded, save for what is no HTTP, or cut short.
    assert abs(server.requests - run.exchanges) < 0.01 * run.exchanges
    return Session(run.wall, server.seconds, server.requests)


def theirs(runner: Runner, *options: str) -> Session:
    """Let Schemathesis test a new server.

    It sends invented ids to update and destroy: never let it at anything but a reference of its own.
    """
    with counted() as server:
        target = ("--url", server.base_url, "--header", f"access_token:{TOKEN}", "--checks", "all")
        # 1 stands for what it takes for failures; this is no place to judge them.
        run = runner.run(SCHEMATHESIS, "run", str(contract_path()), *target, *options, codes=(0, 1))
    return Session(run.wall, server.seconds, server.requests)


def test_certification(runner: Runner, contribute: Callable[[Row], None]) -> None:
    """They take turns, so that what else the machine does falls on both."""
    theirs(runner, "--phases", "examples")  # compiles what is not compiled yet
    rounds = [(ours(runner), theirs(runner)) for _ in range(ROUNDS)]
    measured = {OURS: [one for one, _ in rounds], THEIRS: [other for _, other in rounds]}
    measured[THEIRS_LONGER] = [theirs(runner, "--max-time", str(MINUTE))]
    for subject, found in measured.items():
        exchanges = tuple(one.exchanges for one in found)
        assert min(exchanges) > 500
        contribute(Row(CERTIFICATION, subject, tuple(one.waited for one in found), exchanges))
        contribute(Row(TESTING, subject, tuple(one.testing for one in found), exchanges))
