"""The process beside a run draws values and judges, and a run does without it if it must."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from provider_conformance.aside import FORKS
from provider_conformance.config import DEFAULT_EXAMPLES
from provider_conformance.drawing import Draw, Drawings
from provider_conformance.exchange import Exchange, Request, Response
from provider_conformance.rules import SECOND_OPINION, rule_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

forking = pytest.mark.skipif(not FORKS, reason="there is no other process where none can be forked")


def process_and_values(draw: Draw) -> tuple[int, int]:
    return os.getpid(), draw.examples


@dataclass(frozen=True)
class Item:
    """As much of a test as drawing looks at."""

    name: str
    path: str

    @property
    def nodeid(self) -> str:
        return f"{self.path}::{self.name}"

    def get_closest_marker(self, _name: str) -> Item:
        return self

    @property
    def args(self) -> tuple[Callable[[Draw], object]]:
        """What the mark holds that says how its values are drawn."""
        return (process_and_values,)


def item(name: str, path: str = "test_file.py") -> pytest.Item:
    return cast("pytest.Item", Item(name, path))


def answer(body: bytes) -> Exchange:
    headers = (("content-type", "application/json"),)
    return Exchange(1, "create", Request("POST", "/create", ()), Response(200, "OK", headers, body))


@pytest.fixture
def drawings(request: pytest.FixtureRequest) -> Iterator[Drawings]:
    """What has begun to draw for two tests; each test has a seed of its own, since what a process drew it keeps."""
    drawings = Drawings(seed=hash(request.node.name), examples=7)
    drawings.begin([item("one"), item("two")], side_by_side=False)
    yield drawings
    drawings.end()


@forking
def test_values_are_drawn_in_another_process(drawings: Drawings) -> None:
    process, examples = drawings.of(item("two"))

    assert process != os.getpid()
    assert examples == 7
    assert drawings.of(item("one"))[0] == process


@forking
def test_more_examples_are_drawn_by_more_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    items = [
        item("one", "a.py"),
        item("two", "a.py"),
        item("three", "b.py"),
        item("four", "c.py"),
        item("five", "d.py"),
    ]
    drawings = Drawings(seed=hash("more"), examples=10 * DEFAULT_EXAMPLES)
    drawings.begin(items, side_by_side=False)

    one, two, three, four, five = (drawings.of(each)[0] for each in items)

    drawings.end()
    assert one == two == five
    assert len({os.getpid(), one, three, four}) == 4


def test_the_other_process_judges_as_this_one_would(drawings: Drawings) -> None:
    opinion = drawings.rule(SECOND_OPINION, item("one"))

    found: list[Any] = [
        opinion(answer(body), operation="create", level="core") for body in (b'{"id":7}', b'{"id":"7"}', b'{"id":8}')
    ]

    assert found[0] is found[2] is None
    assert found[1] == rule_named(SECOND_OPINION)(answer(b'{"id":"7"}'), operation="create", level="core")
    assert found[1] is not None
    assert drawings.of(item("two"))[1] == 7


@forking
def test_a_run_does_without_the_other_process_where_that_has_died(drawings: Drawings) -> None:
    other, _ = drawings.of(item("one"))
    os.kill(other, signal.SIGKILL)

    problem = drawings.rule(SECOND_OPINION, item("one"))(answer(b'{"id":"7"}'), operation="create", level="core")

    assert problem is not None
    assert drawings.of(item("three"))[0] == os.getpid()


@forking
def test_a_connection_that_the_run_closes_is_closed_while_the_other_process_lives() -> None:
    ours, theirs = socket.socketpair()
    drawings = Drawings(seed=hash("closing"), examples=7)
    drawings.begin([item("one")], side_by_side=False)
    drawings.of(item("one"))

    ours.close()

    theirs.settimeout(10)
    assert theirs.recv(1) == b""
    drawings.end()
    theirs.close()


@forking
def test_a_run_does_not_load_schemathesis_itself(tmp_path: Path) -> None:
    script = (
        "import sys; from provider_conformance.cli import main;"
        "sys.argv[1:] = ['run', '--only', 'CREATE-2', '--only', 'SHOW-2'];"
        "main(); sys.exit('schemathesis' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "2 requirements" in done.stdout
