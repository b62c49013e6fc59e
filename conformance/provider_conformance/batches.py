"""Splits what is sent into batches."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

AT_ONCE = 4
"""Providers of ours that are updated side by side."""


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Split items into batches of a size, of which the last may be smaller."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
