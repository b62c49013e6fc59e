"""What the run creates, on disk before anything else happens, so that it can be cleaned up whatever ends the run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path


class Journal:
    """Appends one JSON object a line; a create's name is on the disk itself before the create is sent.

    The other lines survive a kill of the process at once, and a power cut soon: the name alone finds a provider again.
    Lines have an `event`: `run` (base URL), `create` (name, about to be sent), `created` (name and id) and
    `destroyed` (id).
    """

    def __init__(self, path: Path | None) -> None:
        self._stream: TextIO | None = None
        if path is not None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._stream = os.fdopen(descriptor, "w", encoding="utf-8")

    def run(self, base_url: str) -> None:
        """Note which target the following lines are about."""
        self._write(event="run", base_url=base_url)

    def create(self, name: str) -> None:
        """Note that a create is about to be sent."""
        self._write(event="create", name=name)
        if self._stream is not None:
            os.fsync(self._stream.fileno())

    def created(self, name: str, identity: int) -> None:
        """Note the id that a create returned."""
        self._write(event="created", name=name, id=identity)

    def destroyed(self, identity: int) -> None:
        """Note that a provider of ours is gone."""
        self._write(event="destroyed", id=identity)

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _write(self, **line: str | int) -> None:
        if self._stream is not None:
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()
