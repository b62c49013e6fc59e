"""Runs tests side by side, so that the answers of one are waited for while others go on: what --workers is for.

Each lane is a thread with connections of its own. All lanes together hold no more providers than the run may, and have
no more requests under way than there are workers, but for those that a test of concurrency overlaps on purpose.
"""

from __future__ import annotations

import ast
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.parts import Parts, requirements_of
from provider_conformance.room import Room, Share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provider_conformance.drawing import Drawings
    from provider_conformance.session import Session

holding = pytest.mark.holding
"""Marks a test with the most providers that it holds at a time.

Others hold batches: as many as there is room for, and none while they wait for the next.
"""

alone = pytest.mark.alone
"""Marks a test that nothing may run beside."""

after = pytest.mark.after
"""Marks a test with requirements whose tests of the same stage must have ended before it, since it asks for them."""

STAGES = (
    (
        *("test_create.py", "test_update.py", "test_text.py", "test_lifecycle.py", "test_show.py", "test_destroy.py"),
        *("test_values.py", "test_concurrency.py", "test_list.py", "test_protocol.py", "test_fuzz.py"),
        *("test_samples.py", "test_clients.py"),
    ),
    ("test_http.py", "test_excess.py"),
    ("test_auth.py",),
)
"""What runs side by side: at first what others rest on, then what may bring a system down, and then wrong tokens."""


def staged(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return tests in the order in which lanes take them."""
    order = [name for stage in STAGES for name in stage]
    return sorted(items, key=lambda item: order.index(item.path.name))


def _entered(room: Room, item: pytest.Item) -> Share:
    """Let a test into the room."""
    mark = item.get_closest_marker("holding")
    return room.enter(mark.args[0]) if mark else room.enter(room.size, by_batches=True)


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
class _Ordered:
    """A test, what it must wait for, and how it ended."""

    test: pytest.Function
    stage: int
    alone: bool
    after: frozenset[str]
    begun: bool = False
    done: bool = False
    ending: BaseException | None = None


def _ordered(item: pytest.Function) -> _Ordered:
    earlier = item.get_closest_marker("after")
    return _Ordered(
        item,
        next(number for number, stage in enumerate(STAGES) if item.path.name in stage),
        item.get_closest_marker("alone") is not None,
        frozenset(earlier.args if earlier else ()),
    )


class Lanes:
    """Tests that run side by side in the order of their stages."""

    def __init__(self, session: Session, drawings: Drawings, items: Sequence[pytest.Item]) -> None:
        self._session = session
        self._drawings = drawings
        self._room = Room(session.providers.most)
        self._tests = {item.nodeid: _ordered(item) for item in staged(items) if isinstance(item, pytest.Function)}
        self._turn = threading.Condition()
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
        self._end(RunEndedError("the run has ended"))
        for thread in self._threads:
            thread.join()
        self._until_the_end.close()

    def _end(self, reason: RunEndedError) -> None:
        with self._turn:
            self._ended = self._ended or reason
            self._turn.notify_all()
        self._room.end(reason)

    def _work(self) -> None:
        lane = self._session.beside()
        try:
            while (test := self._next()) is not None:
                self._run(test, lane)
        finally:
            lane.target.close()

    def _run(self, test: _Ordered, lane: Session) -> None:
        share = _entered(self._room, test.test)
        session = lane.holding(share)
        try:
            self._try(test, session)
        except BaseException as ending:
            test.ending = ending
            # What it holds refers to all that the test has had.
            ending.__traceback__ = None
            if isinstance(ending, RunEndedError):
                self._end(ending)
        finally:
            share.leave(len(session.providers.held))
            with self._turn:
                self._session.providers.take_in(session.providers)
                test.done = True
                self._turn.notify_all()

    def _try(self, test: _Ordered, session: Session) -> None:
        if session.providers.most < 1:
            raise NotTestableError("providers cannot be destroyed (DESTROY-1), so that no more may be created")
        Parts(session, test.test, self._drawings).run(test.test)

    def _next(self) -> _Ordered | None:
        """Return the first test that may run beside those that do, or None when there will be none."""
        with self._turn:
            while self._ended is None:
                undone = [test for test in self._tests.values() if not test.done]
                if all(test.begun for test in undone):
                    return None
                for test in undone:
                    if not test.begun and _may_begin(test, undone):
                        test.begun = True
                        return test
                self._turn.wait()
            return None


def _may_begin(test: _Ordered, undone: Sequence[_Ordered]) -> bool:
    """Tell whether a test may begin while others, which have not ended yet, run or wait."""
    running = [other for other in undone if other.begun]
    if any(other.alone or test.alone for other in running):
        return False
    return all(
        other.stage == test.stage and not test.after & set(requirements_of(other.test))
        for other in undone
        if other is not test and other.stage <= test.stage
    )
