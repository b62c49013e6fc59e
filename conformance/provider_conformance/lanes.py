"""Runs tests side by side, so that the answers of one are waited for while others go on: what --workers is for.

Each lane is a thread with connections of its own. All lanes together hold no more providers than the run may, and have
no more requests under way than there are workers; a test that needs the list to itself asks for all of the providers,
and so has nobody beside it.
"""

from __future__ import annotations

import ast
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provider_conformance.drawing import Drawings
    from provider_conformance.session import Session

holding = pytest.mark.holding
"""Marks a test with the most providers that it holds at a time, where that is not all that the run may hold."""

STAGES = (
    (
        *("test_create.py", "test_update.py", "test_text.py", "test_lifecycle.py", "test_show.py", "test_destroy.py"),
        *("test_values.py", "test_concurrency.py", "test_list.py", "test_protocol.py", "test_fuzz.py"),
        "test_samples.py",
    ),
    ("test_http.py", "test_excess.py"),
    ("test_auth.py",),
)
"""What runs side by side: at first what others rest on, then what may bring a system down, and then wrong tokens."""


def staged(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return tests in the order in which lanes take them."""
    order = [name for stage in STAGES for name in stage]
    return sorted(items, key=lambda item: order.index(item.path.name))


def _stage(item: pytest.Item) -> int:
    return next(number for number, stage in enumerate(STAGES) if item.path.name in stage)


def _most(item: pytest.Item, all_of_them: int) -> int:
    mark = item.get_closest_marker("holding")
    return min(mark.args[0], all_of_them) if mark else all_of_them


@contextlib.contextmanager
def source_read_in_turns() -> Iterator[None]:
    """Let one thread at a time read source code, as Hypothesis does, and pytest where it tells of a failure.

    Two at a time break CPython 3.11, with "AST constructor recursion depth mismatch".
    """
    parse, turn = ast.parse, threading.RLock()

    def parse_in_turn(*arguments: Any, **options: Any) -> Any:
        with turn:
            return parse(*arguments, **options)

    ast.parse = parse_in_turn
    try:
        yield
    finally:
        ast.parse = parse


@dataclass
class _Running:
    """A test, the providers that are set apart for it, and how it ended."""

    test: pytest.Function
    stage: int
    most: int
    begun: bool = False
    done: bool = False
    ending: BaseException | None = None


class Lanes:
    """Tests that run side by side in the order of their stages."""

    def __init__(self, session: Session, drawings: Drawings, items: Sequence[pytest.Item]) -> None:
        self._session = session
        self._drawings = drawings
        most = session.providers.most
        self._tests = {
            item.nodeid: _Running(item, _stage(item), _most(item, most))
            for item in staged(items)
            if isinstance(item, pytest.Function)
        }
        self._turn = threading.Condition()
        self._free = most
        self._ended: RunEndedError | None = None
        self._until_the_end = contextlib.ExitStack()
        self._until_the_end.enter_context(source_read_in_turns())
        self._threads = [threading.Thread(target=self._work, name="lane") for _ in range(session.config.workers)]
        for thread in self._threads:
            thread.start()

    def result(self, item: pytest.Item) -> None:
        """Wait for a test to end; raises what it has raised."""
        test = self._tests[item.nodeid]
        with self._turn:
            self._turn.wait_for(lambda: test.done or (self._ended is not None and not test.begun))
        if (ending := test.ending if test.done else self._ended) is not None:
            raise ending

    def end(self) -> None:
        """Begin no further test, and wait until those that run have ended."""
        with self._turn:
            self._ended = self._ended or RunEndedError("the run has ended")
            self._turn.notify_all()
        for thread in self._threads:
            thread.join()
        self._until_the_end.close()

    def _work(self) -> None:
        lane = self._session.beside()
        try:
            while (test := self._next()) is not None:
                self._run(test, lane)
        finally:
            lane.target.close()

    def _run(self, test: _Running, lane: Session) -> None:
        session = lane.holding(test.most)
        try:
            self._try(test, session)
        except BaseException as ending:
            test.ending = ending
            # What it holds refers to all that the test has had.
            ending.__traceback__ = None
        with self._turn:
            self._session.providers.take_in(session.providers)
            self._free += test.most - len(session.providers.held)
            test.done = True
            if isinstance(test.ending, RunEndedError):
                self._ended = test.ending
            self._turn.notify_all()

    def _try(self, test: _Running, session: Session) -> None:
        if test.most < 1:
            raise NotTestableError("providers cannot be destroyed (DESTROY-1), so that no more may be created")
        Parts(session, test.test, self._drawings).run(test.test)

    def _next(self) -> _Running | None:
        """Return the first test that there is room for, or None when there will be none."""
        with self._turn:
            while self._ended is None:
                undone = [test for test in self._tests.values() if not test.done]
                waiting = [test for test in undone if not test.begun]
                if not waiting:
                    return None
                stage = min(test.stage for test in undone)
                running = len(undone) > len(waiting)
                for test in waiting:
                    # What an earlier test could not destroy takes the room of a later one, which then does with less.
                    if test.stage == stage and (test.most <= self._free or not running):
                        test.most = max(0, min(test.most, self._free))
                        self._free -= test.most
                        test.begun = True
                        return test
                self._turn.wait()
            return None
