"""Writes report files so that no reader ever sees half of one, and nobody but their owner reads them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from provider_conformance.config import UsageError

if TYPE_CHECKING:
    from provider_conformance.verdict import Report


class ReportForm(Protocol):
    """What writes one form of a report into a directory, as a module does."""

    FILE_NAME: str

    def write(self, report: Report, directory: Path, /) -> Path:
        """Write the report and return where; raises OSError."""


def write_private(path: Path, content: bytes) -> None:
    """Write a file in one step, readable by its owner only; raises OSError.

    mkstemp opens with permissions 0600 and refuses to follow a link that somebody laid in the way; the rename
    then replaces an older report, or a link of that name, as a whole.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def prepare(directory: Path, stale: tuple[str, ...]) -> None:
    """Make sure that reports can be written to a directory, before a run rather than after it.

    Reports of an earlier run are removed: if this run is killed, nobody must take its predecessor's verdict
    for its own.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".writable."):
            pass
        for name in stale:
            (directory / name).unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"cannot write reports to {directory}: {reason}; name another directory with --report-dir"
        raise UsageError(message) from error
