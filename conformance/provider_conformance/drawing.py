"""Draws the values of tests ahead of them, while the implementation under test works on the requests of others.

What is slow to load for that judges answers, too, where that is needed for a rule.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from provider_conformance.aside import FORKS, Aside, Drawn, Judged, Question
from provider_conformance.config import DEFAULT_EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem

T = TypeVar("T")

LONGEST = 20.0
"""Seconds that anything in another process may take at most, ten times what it does, before it is done here."""


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
    """What the tests of a run draw: in processes of their own where there can be some, else when it is asked for.

    Drawing takes as long as a quarter of all requests, while this process waits for answers half of its time. Threads
    would not do: two that read source code at once, as Hypothesis does, break CPython 3.11.
    """

    def __init__(self, seed: int, examples: int) -> None:
        self._seed = seed
        self._examples = examples
        self._drawn = _drawn_before(seed, examples)
        self._turn = threading.Lock()
        self._asides: dict[str, Aside] = {}

    def draw(self, item: pytest.Item) -> Draw:
        """Return what draws the values of a test."""
        return Draw(self._seed, item.name, self._examples)

    def begin(self, items: Iterable[pytest.Item], *, side_by_side: bool) -> None:
        """Start to draw the values of tests, in the order in which these will run; `side_by_side` is in threads."""
        marked = [item for item in items if item.get_closest_marker("drawing") is not None]
        wanted = [item for item in marked if item.nodeid not in self._drawn]
        if wanted and FORKS:
            for some in _dealt(wanted, _processes(self._examples)):
                aside = Aside(partial(self._draw_all, some), LONGEST * _times_usual(self._examples))
                self._asides |= {item.nodeid: aside for item in some}
        elif side_by_side:
            for item in wanted:
                self.of(item)

    def of(self, item: pytest.Item) -> Any:
        """Return the values of a test, as soon as they are drawn; without another process they are drawn here."""
        with self._turn:
            while item.nodeid not in self._drawn:
                if self._next(item) is None:
                    self._drawn[item.nodeid] = self._values(item)
            return self._drawn[item.nodeid]

    def rule(self, name: str, item: pytest.Item) -> Callable[..., Problem | None]:
        """Return a rule for a test that is applied in the process which draws for it, where all it needs is loaded."""

        def judged(*exchanges: Exchange, **arguments: object) -> Problem | None:
            question = Question(name, exchanges, arguments)
            with self._turn:
                found = self._asked(question, item)
            return (found or question.answer()).problem

        judged.__name__ = name
        return judged

    def end(self) -> None:
        """Draw nothing more."""
        for aside in self._asides.values():
            aside.end()

    def _values(self, item: pytest.Item) -> object:
        mark = item.get_closest_marker("drawing")
        assert mark is not None
        return mark.args[0](self.draw(item))

    def _draw_all(self, items: Sequence[pytest.Item]) -> Iterator[Drawn]:
        return (Drawn(item.nodeid, self._values(item)) for item in items)

    def _asked(self, question: Question, item: pytest.Item) -> Judged | None:
        """Return what the other process of a test says, or None where there is none any more."""
        if item.nodeid in self._asides:
            self._asides[item.nodeid].ask(question)
        while (found := self._next(item)) is not None:
            if isinstance(found, Judged):
                return found
        return None

    def _next(self, item: pytest.Item) -> Drawn | Judged | None:
        """Return what comes next from the other process of a test, and keep what was drawn; None where nothing does."""
        found = self._asides[item.nodeid].receive() if item.nodeid in self._asides else None
        if isinstance(found, Drawn):
            self._drawn[found.test] = found.values
        return found


def _times_usual(examples: int) -> int:
    return max(1, math.ceil(examples / DEFAULT_EXAMPLES))


def _processes(examples: int) -> int:
    """Return how many processes draw: one draws the usual number of examples in time, and more take more cores."""
    return min(len(os.sched_getaffinity(0)), _times_usual(examples))


def _dealt(items: Sequence[pytest.Item], processes: int) -> Iterator[Sequence[pytest.Item]]:
    """Deal tests out, those of one file together: what they draw from takes its time to make."""
    files = list(dict.fromkeys(item.path for item in items))
    for first in range(min(processes, len(files))):
        mine = files[first::processes]
        yield [item for item in items if item.path in mine]


@cache
def _drawn_before(_seed: int, _examples: int) -> dict[str, object]:
    """Return what this process has drawn with such a seed: it need not do so again for another run."""
    return {}
