"""Draws the values of tests ahead of them, while the implementation under test works on the requests of others.

What is slow to load for that judges answers, too, where that is needed for a rule.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pytest

from provider_conformance.rules import rule_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from multiprocessing.connection import Connection

    from hypothesis.strategies import SearchStrategy

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem

T = TypeVar("T")

FORKS = sys.platform == "linux"
"""Where a process can be forked and go on as if nothing had happened; elsewhere libraries of the system forbid it."""

NICE = 10
"""The implementation under test, if it runs here, goes first."""

LONGEST = 20.0
"""Seconds that anything in the other process may take at most, ten times what it does, before it is done here."""

FIRST_OF_ITS_OWN = 3
"""The first file descriptor of a process that is not one of the three that all have."""


class Draw:
    """Draws values for one test from Hypothesis, the same for the same seed on every machine."""

    def __init__(self, seed: int, test: str, examples: int) -> None:
        self._seed = seed
        self._test = test
        self.examples = examples

    def __call__(self, strategy: SearchStrategy[T], examples: int | None = None) -> tuple[T, ...]:
        """Return values of a strategy; none is sent before all are drawn, so that no answer changes them."""
        from provider_conformance.search import drawn  # noqa: PLC0415 - Hypothesis is slow to import

        return drawn(strategy, examples or self.examples, self.seed)

    @property
    def seed(self) -> int:
        """The seed of this test, derived from the run's."""
        digest = hashlib.sha256(f"{self._seed} {self._test}".encode()).digest()
        return int.from_bytes(digest[:8])


def drawing(what: Callable[[Draw], object]) -> pytest.MarkDecorator:
    """Mark a test with what draws its values; it gets them by the name of `drawn`."""
    return pytest.mark.drawing.with_args(what)


@dataclass(frozen=True)
class _Drawn:
    """What the other process has drawn for a test."""

    test: str
    values: object


@dataclass(frozen=True)
class _Question:
    """Exchanges that the other process is to judge by a rule."""

    rule: str
    exchanges: tuple[Exchange, ...]
    arguments: Mapping[str, object]

    def answer(self) -> Problem | None:
        """Judge them in this process."""
        return rule_named(self.rule)(*self.exchanges, **self.arguments)


@dataclass(frozen=True)
class _Judged:
    """What the other process finds wrong, if anything."""

    problem: Problem | None


class Drawings:
    """What the tests of a run draw: in a process of its own where there can be one, else when it is asked for.

    Drawing takes as long as a quarter of all requests, while this process waits for answers half of its time. Threads
    would not do: two that read source code at once, as Hypothesis does, break CPython 3.11.
    """

    def __init__(self, seed: int, examples: int) -> None:
        self._seed = seed
        self._examples = examples
        self._drawn = _drawn_before(seed, examples)
        self._turn = threading.Lock()
        self._child: int | None = None
        self._other: Connection | None = None

    def draw(self, item: pytest.Item) -> Draw:
        """Return what draws the values of a test."""
        return Draw(self._seed, item.name, self._examples)

    def begin(self, items: Iterable[pytest.Item], *, side_by_side: bool) -> None:
        """Start to draw the values of tests, in the order in which these will run; `side_by_side` is in threads."""
        marked = [item for item in items if item.get_closest_marker("drawing") is not None]
        wanted = [item for item in marked if item.nodeid not in self._drawn]
        if wanted and FORKS:
            self._other, back = Pipe()
            self._child = _forked()
            if self._child == 0:
                self._serve(wanted, back)
            back.close()
        elif side_by_side:
            for item in wanted:
                self.of(item)

    def of(self, item: pytest.Item) -> Any:
        """Return the values of a test, as soon as they are drawn; without the other process they are drawn here."""
        with self._turn:
            while item.nodeid not in self._drawn:
                if self._next() is None:
                    self._drawn[item.nodeid] = self._values(item)
            return self._drawn[item.nodeid]

    def rule(self, name: str) -> Callable[..., Problem | None]:
        """Return a rule that is applied in the other process, where all that it needs is loaded, if there is one."""

        def judged(*exchanges: Exchange, **arguments: object) -> Problem | None:
            question = _Question(name, exchanges, arguments)
            with self._turn:
                found = self._asked(question)
            return found.problem if found else question.answer()

        judged.__name__ = name
        return judged

    def end(self) -> None:
        """Draw nothing more."""
        if self._other is not None:
            self._other.close()
        if self._child is not None:
            with contextlib.suppress(OSError):
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
        self._other = self._child = None

    def _values(self, item: pytest.Item) -> object:
        mark = item.get_closest_marker("drawing")
        assert mark is not None
        return mark.args[0](self.draw(item))

    def _asked(self, question: _Question) -> _Judged | None:
        """Return what the other process says, or None when there is no other process any more."""
        try:
            if self._other is not None:
                self._other.send(question)
        except OSError:
            self.end()
        while (found := self._next()) is not None:
            if isinstance(found, _Judged):
                return found
        return None

    def _next(self) -> _Drawn | _Judged | None:
        """Return what the other process sends next, and keep what it has drawn; None when there is none any more."""
        if self._other is None:
            return None
        try:
            found: _Drawn | _Judged | None = self._other.recv() if self._other.poll(LONGEST) else None
        except (EOFError, OSError):
            found = None
        if isinstance(found, _Drawn):
            self._drawn[found.test] = found.values
        elif found is None:
            self.end()
        return found

    def _serve(self, items: Sequence[pytest.Item], back: Connection) -> NoReturn:
        """Draw in the other process, then judge until nobody asks; it ends without cleaning up what is not its own."""
        try:
            _let_go_of_all_but(back.fileno())
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            os.nice(NICE)
            for item in items:
                back.send(_Drawn(item.nodeid, self._values(item)))
            while True:
                question: _Question = back.recv()
                back.send(_Judged(question.answer()))
        finally:
            os._exit(0)


@cache
def _drawn_before(_seed: int, _examples: int) -> dict[str, object]:
    """Return what this process has drawn with such a seed: it need not do so again for another run."""
    return {}


def _let_go_of_all_but(kept: int) -> None:
    """Close what a forked process has open, connections above all: their ends would not be seen as long as it lives."""
    for descriptor in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if descriptor >= FIRST_OF_ITS_OWN and descriptor != kept:
            with contextlib.suppress(OSError):  # the one that the listing itself had open
                os.close(descriptor)


def _forked() -> int:
    with warnings.catch_warnings():
        # A thread that shows progress is lost in the other process, which shows none.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
