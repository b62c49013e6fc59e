"""Keeps the list as it is while it is read page by page: tests that run side by side change it all the time."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Calm:
    """Lets many requests that change something be under way, or one reader of many pages, but never both."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._changing = 0
        self._reader: int | None = None

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Wait until nobody reads, and let nobody begin to while the block lasts."""
        with self._turn:
            self._turn.wait_for(lambda: self._reader is None)
            self._changing += 1
        try:
            yield
        finally:
            with self._turn:
                self._changing -= 1
                self._turn.notify_all()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Wait until no change is under way, and let none begin while the block lasts, in which nothing is changed.

        Whoever reads already may read on in a block inside.
        """
        me = threading.get_ident()
        if self._reader == me:
            yield
            return
        with self._turn:
            self._turn.wait_for(lambda: self._reader is None)
            self._reader = me
            self._turn.wait_for(lambda: not self._changing)
        try:
            yield
        finally:
            with self._turn:
                self._reader = None
                self._turn.notify_all()
