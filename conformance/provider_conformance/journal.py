"""What the run creates, on disk before anything else happens, so that it can be cleaned up whatever ends the run."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, TextIO

from provider_conformance.config import UsageError
from provider_conformance.values.plausible import RUN_OF_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

HOW_TO_CLEAN_UP = "provider-conformance cleanup JOURNAL (journal.jsonl beside the reports)"

LARGEST_JOURNAL = 64 * 1024 * 1024
"""Bytes; a run writes some 300 KiB."""


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell of a journal that cannot be written in a block: raises UsageError in place of OSError."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write the journal {path}: {error.strerror or error}") from error


class Journal:
    """Appends one JSON object a line; a create's name is on the disk itself before the create is sent.

    The other lines survive a kill of the process at once, and a power cut soon: the name alone finds a provider again.
    Lines have an `event`: `run` (base URL), `create` (name, about to be sent), `created` (name and id, and `marks`,
    other values that nobody else has), `destroyed` (id), and `end`, where no create before it is without an answer any
    more. Where the target itself is gone after a power cut, the journal need not `outlive_power`.
    """

    def __init__(self, path: Path, *, resume: bool = False, outlive_power: bool = True) -> None:
        mode = os.O_APPEND if resume else os.O_TRUNC
        with writing(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
        self._stream: TextIO | None = os.fdopen(descriptor, "w", encoding="utf-8")
        self._turn = threading.Lock()
        self._outlive_power = outlive_power
        if resume:  # the last line may have been cut off
            self._stream.write("\n")

    def run(self, base_url: str) -> None:
        """Note which target the following lines are about."""
        self._write(event="run", base_url=base_url)

    def create(self, *names: str) -> None:
        """Note that creates are about to be sent."""
        for name in names:
            self._write(event="create", name=name)
        if self._stream is not None and self._outlive_power:
            os.fsync(self._stream.fileno())

    def created(self, name: str, identity: int, marks: Mapping[str, str] | None = None) -> None:
        """Note the id that a create returned, and by what its provider is known besides its name, or without any."""
        self._write(event="created", name=name, id=identity, **({"marks": dict(marks)} if marks else {}))

    def destroyed(self, identity: int) -> None:
        """Note that a provider of ours is gone."""
        self._write(event="destroyed", id=identity)

    def end(self) -> None:
        """Note that the list was searched for every create that had no answer."""
        self._write(event="end")

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _write(self, **line: str | int | dict[str, str]) -> None:
        with self._turn:
            if self._stream is not None:
                self._stream.write(json.dumps(line) + "\n")
                self._stream.flush()


def new_journal(path: Path, note: Callable[[str], None], *, outlive_power: bool = True) -> Journal:
    """Open a new journal; one that was left behind, with something to clean up, is kept under another name."""
    with writing(path), contextlib.suppress(UsageError):
        if path.exists() and not read_leftovers(path).nothing:
            kept = next(name for number in count(1) if not (name := path.with_stem(f"{path.stem}-{number}")).exists())
            path.rename(kept)
            note(f"an earlier run was killed: `provider-conformance cleanup {kept}` destroys what it left")
    return Journal(path, outlive_power=outlive_power)


@dataclass(frozen=True)
class Leftovers:
    """What a journal says may still be there: names by id, names that had no answer, and how all of them begin.

    `marks` are further values, by id, of which each tells that the provider is still the one that was created.
    """

    base_url: str
    created: dict[int, str]
    unanswered: frozenset[str]
    prefixes: frozenset[str]
    marks: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether the run left nothing to look for."""
        return not self.created and not self.unanswered


def read_leftovers(path: Path) -> Leftovers:
    """Read a journal; a last line that was cut off is left out. Raises UsageError when it is none."""
    base_url = ""
    created: dict[int, str] = {}
    marks: dict[int, dict[str, str]] = {}
    ids: dict[str, set[int]] = {}
    sent: Counter[str] = Counter()
    prefixes: set[str] = set()
    for line in _lines(path):
        match line:
            case {"event": "run", "base_url": str(url)}:
                base_url = url
            case {"event": "create", "name": str(name)}:
                sent[name] += 1
                prefixes.update(found.group() for found in [RUN_OF_NAME.match(name)] if found)
            case {"event": "created", "name": str(name), "id": int(identity)}:
                created[identity] = name
                marks[identity] = {key: mark for key, mark in line.get("marks", {}).items() if isinstance(mark, str)}
                ids.setdefault(name, set()).add(identity)
            case {"event": "destroyed", "id": int(identity)}:
                created.pop(identity, None)
            case {"event": "end"}:
                sent.clear()
                ids.clear()
            case _:
                raise UsageError(f"{path} is no journal of a run: it has the line {json.dumps(line)[:80]}")
    if not base_url:
        raise UsageError(f"{path} is no journal of a run: it does not say which target it is about")
    # The same name may be sent again, once another has given it up.
    unanswered = frozenset(name for name, times in sent.items() if len(ids.get(name, ())) < times)
    return Leftovers(base_url, created, unanswered, frozenset(prefixes), marks)


def _lines(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > LARGEST_JOURNAL:
            raise UsageError(f"{path} is no journal of a run: it is too large")
        lines = [line for line in path.read_text("utf-8").split("\n") if line.strip()]
    except OSError as error:
        raise UsageError(f"cannot read the journal {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no journal of a run: it is no text") from error
    read = []
    for number, line in enumerate(lines, 1):
        try:
            read.append(json.loads(line))
        except ValueError as error:
            # What a kill cut off, be it before a cleanup went on in the same file.
            if number == 1:
                raise UsageError(f"{path} is no journal of a run: line 1 is no JSON") from error
    return read
