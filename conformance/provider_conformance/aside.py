"""A process forked off a run, which draws the values of tests and judges where that needs what is slow to load."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from provider_conformance.rules import rule_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.connection import Connection

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem

FORKS = sys.platform == "linux"
"""Where a process can be forked and go on as if nothing had happened; elsewhere libraries of the system forbid it."""

NICE = 10
"""The implementation under test, if it runs here, goes first."""

FIRST_OF_ITS_OWN = 3
"""The first file descriptor of a process that is not one of the three that all have."""


@dataclass(frozen=True)
class Drawn:
    """What was drawn for a test."""

    test: str
    values: object


@dataclass(frozen=True)
class Question:
    """Exchanges that are to be judged by a rule."""

    rule: str
    exchanges: tuple[Exchange, ...]
    arguments: Mapping[str, object]

    def answer(self) -> Judged:
        """Judge them in this process."""
        return Judged(rule_named(self.rule)(*self.exchanges, **self.arguments))


@dataclass(frozen=True)
class Judged:
    """What a rule finds wrong, if anything."""

    problem: Problem | None


class Aside:
    """A process that draws what `work` gives, one after another, and then answers questions until nobody asks.

    `patience` is in seconds: what takes longer is given up, and the process with it.
    """

    def __init__(self, work: Callable[[], Iterator[Drawn]], patience: float) -> None:
        self._patience = patience
        self._there, back = Pipe()
        self._process = _forked()
        if self._process == 0:
            _serve(work, back)
        back.close()
        self._ended = False

    def ask(self, question: Question) -> None:
        """Send a question, whose answer comes after all that is drawn."""
        try:
            if not self._ended:
                self._there.send(question)
        except OSError:
            self.end()

    def receive(self) -> Drawn | Judged | None:
        """Return what comes next, or None when nothing will come any more."""
        if self._ended:
            return None
        with contextlib.suppress(EOFError, OSError):
            if self._there.poll(self._patience):
                found: Drawn | Judged = self._there.recv()
                return found
        self.end()
        return None

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._ended:
            return
        self._ended = True
        self._there.close()
        with contextlib.suppress(OSError):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _serve(work: Callable[[], Iterator[Drawn]], back: Connection) -> NoReturn:
    """Do the work of the other process, which ends without cleaning up what is not its own."""
    try:
        _let_go_of_all_but(back.fileno())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.nice(NICE)
        for drawn in work():
            back.send(drawn)
        while True:
            question: Question = back.recv()
            back.send(question.answer())
    finally:
        os._exit(0)


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
