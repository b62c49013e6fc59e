"""Standard output and standard error that never interrupt what writes to them."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def tolerated() -> Iterator[TolerantStream]:
    """Let standard output and standard error take everything in a block, whoever writes it; gives the former."""
    output: Any = tolerant(sys.stdout)  # one in all but name, for lack of a buffer below it
    complaints: Any = tolerant(sys.stderr)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(complaints):
        try:
            yield output
        finally:
            output.flush()
            complaints.flush()


def tolerant(stream: TextIO | TolerantStream | None) -> TolerantStream:
    """Return what writes to a stream and never raises: the stream itself if it is like that."""
    return stream if isinstance(stream, TolerantStream) else TolerantStream(stream)


class TolerantStream(io.TextIOBase):
    """Writes to another stream for as long as that takes it, and remembers when it no longer did.

    A reader that goes away (`| head`), a full disk and a character that the terminal's encoding lacks must
    not raise in the middle of a run that has providers to destroy. `broken` then says why nobody saw the
    output. None is a stream that was closed before this process began.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or io.StringIO()
        self.broken = None if stream else OSError(errno.EBADF, os.strerror(errno.EBADF))
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream that is written to."""
        return self._stream.encoding or "utf-8"

    def write(self, text: str, /) -> int:
        """Write a text, or drop it when the stream is broken."""
        if not isinstance(text, str):  # by this click tells streams of text from others
            raise TypeError(f"a text is needed, not {type(text).__name__}")
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
