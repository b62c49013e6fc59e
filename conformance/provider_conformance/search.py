"""Sets Hypothesis up so that a certification is repeatable: same seed, same values, on every machine."""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal import charmap
from hypothesis.internal.conjecture import providers

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextlib.contextmanager
def repeatable() -> Iterator[None]:
    """Keep Hypothesis from mining constants out of local modules, and from writing into the user's directory.

    It takes whatever is imported from outside site-packages for local, so that a checkout and an installed wheel
    would draw different values for the same seed; there is no setting for it.
    """
    mining = providers._get_local_constants  # noqa: SLF001
    providers._get_local_constants = lambda: providers._local_constants  # noqa: SLF001
    with tempfile.TemporaryDirectory() as directory:
        set_hypothesis_home_dir(directory)
        _write_unicode_table()
        try:
            yield
        finally:
            providers._get_local_constants = mining  # noqa: SLF001
            set_hypothesis_home_dir(None)


def _write_unicode_table() -> None:
    """Put Hypothesis's table of what UTF-8 can encode in its place: finding it out anew takes over a second."""
    file = charmap.charmap_file("codec-v2-utf-8")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    all_but_surrogates = [[0, 0xD7FF], [0xE000, sys.maxunicode]]
    with gzip.open(file, "wt", encoding="ascii") as stream:
        json.dump([all_but_surrogates, []], stream)
