"""Splits what is sent into batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

AT_ONCE = 4
"""Providers of ours that are updated side by side."""


def in_batches(items: Iterable[T], size: int | Callable[[int], int]) -> Iterator[list[T]]:
    """Split items into batches of a size, of which the last may be smaller.

    A size that is a function is asked before each batch: told how many are left, it says how many are next.
    """
    rest = list(items)
    while rest:
        count = max(1, size if isinstance(size, int) else size(len(rest)))
        yield rest[:count]
        del rest[:count]
