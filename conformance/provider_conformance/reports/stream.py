"""A standard output that never interrupts a run."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable


class TolerantStream(io.TextIOBase):
    """Writes to another stream for as long as that takes it, and remembers when it no longer did.

    A reader that goes away (`| head`), a full disk and a character that the terminal's encoding lacks must
    not raise in the middle of a run that has providers to destroy. `broken` then says why nobody saw the
    output.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.broken: OSError | None = None
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream that is written to."""
        return self._stream.encoding or "utf-8"

    def write(self, text: str, /) -> int:
        """Write a text, or drop it when the stream is broken."""
        if self.broken is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._give_up(error)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        """Write texts, or drop them when the stream is broken."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand on what was written."""
        if self.broken is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._give_up(error)

    def isatty(self) -> bool:
        """Return whether a person may be watching."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor of the stream that is written to."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def _give_up(self, error: OSError) -> None:
        """Let what is still buffered go nowhere: an interpreter that cannot flush it exits with 120."""
        self.broken = error
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, self._stream.fileno())
            os.close(sink)
