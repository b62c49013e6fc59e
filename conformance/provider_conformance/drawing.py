"""Draws the values of tests ahead of them, while the implementation under test works on the requests of others."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
import threading
import warnings
from functools import cache
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from multiprocessing.connection import Connection

    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

FORKS = sys.platform == "linux"
"""Where a process can be forked and go on as if nothing had happened; elsewhere libraries of the system forbid it."""

NICE = 10
"""The implementation under test, if it runs here, goes first."""

LONGEST = 20.0
"""Seconds that drawing the values of one test may take at most, ten times what it does, before it is done here."""


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
        self._drawn_elsewhere: Connection | None = None

    def draw(self, item: pytest.Item) -> Draw:
        """Return what draws the values of a test."""
        return Draw(self._seed, item.name, self._examples)

    def begin(self, items: Iterable[pytest.Item], *, side_by_side: bool) -> None:
        """Start to draw the values of tests, in the order in which these will run; `side_by_side` is in threads."""
        marked = [item for item in items if item.get_closest_marker("drawing") is not None]
        wanted = [item for item in marked if item.nodeid not in self._drawn]
        if wanted and FORKS:
            self._drawn_elsewhere, writing = Pipe(duplex=False)
            self._child = _forked()
            if self._child == 0:
                self._drawn_elsewhere.close()
                self._draw_all(wanted, writing)
            writing.close()
        elif side_by_side:
            for item in wanted:
                self.of(item)

    def of(self, item: pytest.Item) -> Any:
        """Return the values of a test, as soon as they are drawn; without the other process they are drawn here."""
        with self._turn:
            while item.nodeid not in self._drawn:
                name, values = self._next() or (item.nodeid, self._values(item))
                self._drawn[name] = values
            return self._drawn[item.nodeid]

    def end(self) -> None:
        """Draw nothing more."""
        if self._drawn_elsewhere is not None:
            self._drawn_elsewhere.close()
        if self._child is not None:
            with contextlib.suppress(OSError):
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
        self._drawn_elsewhere = self._child = None

    def _values(self, item: pytest.Item) -> object:
        mark = item.get_closest_marker("drawing")
        assert mark is not None
        return mark.args[0](self.draw(item))

    def _next(self) -> tuple[str, object] | None:
        """Return what the other process has drawn next, or None when that is all."""
        if self._drawn_elsewhere is None or not self._drawn_elsewhere.poll(LONGEST):
            return None
        try:
            drawn: tuple[str, object] = self._drawn_elsewhere.recv()
        except (EOFError, OSError):
            return None
        return drawn

    def _draw_all(self, items: Sequence[pytest.Item], writing: Connection) -> NoReturn:
        """Draw in the other process, which ends without cleaning up what is not its own."""
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            os.nice(NICE)
            for item in items:
                writing.send((item.nodeid, self._values(item)))
        finally:
            os._exit(0)


@cache
def _drawn_before(_seed: int, _examples: int) -> dict[str, object]:
    """Return what this process has drawn with such a seed: it need not do so again for another run."""
    return {}


def _forked() -> int:
    with warnings.catch_warnings():
        # A thread that shows progress is lost in the other process, which shows none.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
