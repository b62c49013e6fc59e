"""The database of examples that searches on several machines share: a directory, or a Redis server.

An example is a sequence of Hypothesis's choices: whatever somebody may write into the database, a search draws values
of its own strategies from it and sends nothing else.
"""

from __future__ import annotations

import contextlib
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from provider_conformance.config import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SCHEMES = ("redis", "rediss", "unix")
PREFIX = b"sip-provider-conformance:"
PATIENCE = 5.0
"""Seconds that the Redis server may take to answer."""

KEPT = timedelta(days=90)
"""How long examples are kept on a Redis server after the last search."""


class Examples(ExampleDatabase):
    """Keeps examples in a database, and does without it once that fails: a search is worth more than what it stores.

    While the last example is `undecided`, none is deleted: that it did not fail may be because it was not tested.
    """

    def __init__(
        self, kept: ExampleDatabase, name: str, errors: tuple[type[Exception], ...], note: Callable[[str], None]
    ) -> None:
        super().__init__()
        self.name = name
        self.undecided = False
        self._kept = kept
        self._errors = errors
        self._note = note
        self._failed = False

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of a property."""
        found: list[bytes] = []
        self._unless_failed(lambda: found.extend(self._kept.fetch(key)))
        return found

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example of a property."""
        self._unless_failed(lambda: self._kept.save(key, value))

    def delete(self, key: bytes, value: bytes) -> None:
        """Let go of an example of a property."""
        if not self.undecided:
            self._unless_failed(lambda: self._kept.delete(key, value))

    def move(self, src: bytes, dest: bytes, value: bytes) -> None:
        """Keep an example for something else."""
        self._unless_failed(lambda: self._kept.move(src, dest, value))

    def _unless_failed(self, work: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            work()
        except self._errors as error:
            self._failed = True
            self._note(f"the example database is lost ({type(error).__name__}): the search goes on without it")


def opened_database(place: str, note: Callable[[str], None]) -> Examples:
    """Open the database at a directory or at a Redis URL; `note` hears if it fails later.

    Raises UsageError where there is none to be had, and ModuleNotFoundError where the package redis is absent.
    """
    if "://" not in place:
        return _of_directory(Path(place), note)
    scheme = place.partition("://")[0]
    if scheme not in SCHEMES:
        raise UsageError(f"--database is a directory or a URL that starts with {'://, '.join(SCHEMES)}://")
    return _of_redis(place, note)


def _of_directory(path: Path, note: Callable[[str], None]) -> Examples:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path, prefix=".writable."):
            pass
    except OSError as error:
        raise UsageError(f"cannot keep examples in {path}: {error.strerror or error}") from error
    return Examples(DirectoryBasedExampleDatabase(path), "directory", (OSError,), note)


def _of_redis(url: str, note: Callable[[str], None]) -> Examples:
    from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415 - few have the package redis
    from redis import Redis, RedisError  # noqa: PLC0415

    where = f"{urlsplit(url).scheme}://{_host(url)}"  # a URL may bear a password
    try:
        client = Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        client.ping()
    except (RedisError, OSError) as error:
        raise UsageError(f"cannot reach the Redis server at {where}: {type(error).__name__}") from error
    except Exception as error:  # whatever comes of a query that the package hands on unseen
        raise UsageError(f"--database {where} is no URL of a Redis server: {type(error).__name__}") from error
    kept = RedisExampleDatabase(client, expire_after=KEPT, key_prefix=PREFIX)
    return Examples(kept, "redis", (RedisError, OSError), note)


def _host(url: str) -> str:
    """Return host and port of a URL, or as much of them as it has."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    return ""
