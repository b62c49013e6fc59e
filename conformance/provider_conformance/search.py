"""Sets Hypothesis up so that a certification is repeatable: same seed, same values, on every machine."""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def certification(examples: int, **more: int) -> settings:
    """Return settings for a verdict: no database, no deadline, and no shrinking, which costs thousands of requests."""
    return settings(
        max_examples=examples,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=tuple(HealthCheck),
        print_blob=False,
        **more,  # type: ignore[arg-type]
    )


@cache
def drawn(strategy: SearchStrategy[T], examples: int, seed: int) -> tuple[T, ...]:
    """Return values that Hypothesis draws from a strategy; a process that runs the suite again need not draw again."""
    values: list[T] = []

    @hypothesis.seed(seed)
    @certification(examples)
    @hypothesis.given(strategy)
    def collect(value: T) -> None:
        values.append(value)

    with repeatable():
        collect()
    return tuple(values)


class _Repeatable(contextlib.AbstractContextManager[None]):
    """Keeps Hypothesis from mining constants out of local modules, and from writing into the user's directory.

    It takes whatever is imported from outside site-packages for local, so that a checkout and an installed wheel
    would draw different values for the same seed; there is no setting for it. What is set is set for all threads of a
    process: the first one that needs it sets it, and the last one sets it back.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._users = 0
        self._until_then = contextlib.ExitStack()

    def __enter__(self) -> None:
        with self._turn:
            if not self._users:
                self._set_up()
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._turn:
            self._users -= 1
            if not self._users:
                self._until_then.close()

    def _set_up(self) -> None:
        directory = self._until_then.enter_context(tempfile.TemporaryDirectory())
        mining = providers._get_local_constants  # noqa: SLF001
        self._until_then.callback(setattr, providers, "_get_local_constants", mining)
        providers._get_local_constants = lambda: providers._local_constants  # noqa: SLF001
        set_hypothesis_home_dir(directory)
        self._until_then.callback(set_hypothesis_home_dir, None)
        _write_unicode_table()


_REPEATABLE = _Repeatable()


def repeatable() -> contextlib.AbstractContextManager[None]:
    """Return a block in which Hypothesis does the same wherever it runs."""
    return _REPEATABLE


def _write_unicode_table() -> None:
    """Put Hypothesis's table of what UTF-8 can encode in its place: finding it out anew takes over a second."""
    file = charmap.charmap_file("codec-v2-utf-8")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    all_but_surrogates = [[0, 0xD7FF], [0xE000, sys.maxunicode]]
    with gzip.open(file, "wt", encoding="ascii") as stream:
        json.dump([all_but_surrogates, []], stream)
