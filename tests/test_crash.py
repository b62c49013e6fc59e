"""A server that goes down over a request: it is blamed where it does so again, and else nobody is."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from command import certify
from provider_conformance.reference.store import Store
from test_guest import THEIRS, started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RESTARTED_AFTER = 0.7
"""Seconds until a process that has died is started again."""

NUL, LARGE = "update with NUL", "over a megabyte"
TEXTS = ("--only", "HTTP-2", "--only", "HTTP-7")
EXCESS = ("--only", "HTTP-5")


class Supervised:
    """A server's process, which is started again on the same port whenever it has died, if anybody cares."""

    def __init__(self, *arguments: str, restarts: bool) -> None:
        self._arguments = arguments
        self._over = threading.Event()
        self._process, self.base_url = self._start("0")
        self._port = str(urlsplit(self.base_url).port)
        self._thread = threading.Thread(target=self._watch if restarts else self._over.wait)
        self._thread.start()
        self.deaths = 0

    def stop(self) -> None:
        """End it for good."""
        self._over.set()
        self._thread.join()
        self._process.kill()
        self._process.communicate()

    def _start(self, port: str) -> tuple[subprocess.Popen[str], str]:
        process = started("crashes.py", port, *self._arguments)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            if self._process.poll() is not None:
                self._process.communicate()
                self.deaths += 1
                self._over.wait(RESTARTED_AFTER)
                self._process, _ = self._start(self._port)


@contextmanager
def supervised(folder: Path, deadly: str, *, once: bool = False, restarts: bool = True) -> Iterator[Supervised]:
    """Keep a server with a database up, with somebody else's provider in it; it is still there at the end."""
    database = f"sqlite:///{folder / 'providers.db'}"
    with closing(Store(database)) as store:
        theirs = store.insert(THEIRS)
    server = Supervised(database, deadly, *([str(folder / "crashed")] if once else []), restarts=restarts)
    try:
        yield server
    finally:
        server.stop()
    if restarts:
        with closing(Store(database)) as store:
            assert [one["id"] for one in store.all()] == [theirs]


def verified(folder: Path) -> bool:
    """Tell whether a report can be judged again from its evidence."""
    command = [sys.executable, "-m", "provider_conformance", "verify", str(folder / "reports")]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("workers", ["1", "8"])
@pytest.mark.parametrize(
    ("deadly", "selected", "special"),
    [
        (NUL, TEXTS, "holds NUL"),
        ("create with NUL", TEXTS, "holds NUL"),
        (LARGE, EXCESS, "a body of 8 MiB"),
        ("100,000 levels", EXCESS, "100,000 arrays in each other"),
    ],
)
def test_a_server_that_crashes_each_time_is_blamed(
    deadly: str, selected: tuple[str, ...], special: str, workers: str, tmp_path: Path
) -> None:
    with supervised(tmp_path, deadly) as server:
        run = certify(tmp_path, server.base_url, *selected, "--workers", workers)
        assert server.deaths == 2
    assert run.ids("fail") == {selected[1]}, run.output
    assert run.code == 1
    assert special in run.told()
    assert "gets no answer, and the target is unreachable after it, twice" in run.told()
    assert run.report["cleanup"]["left"] == []
    assert verified(tmp_path), run.output


@pytest.mark.parametrize("workers", ["1", "8"])
@pytest.mark.parametrize(("deadly", "selected"), [(NUL, TEXTS), (LARGE, EXCESS)])
def test_a_server_that_goes_away_once_is_not_blamed(
    deadly: str, selected: tuple[str, ...], workers: str, tmp_path: Path
) -> None:
    with supervised(tmp_path, deadly, once=True) as server:
        run = certify(tmp_path, server.base_url, *selected, "--workers", workers)
        assert server.deaths == 1
    assert run.ids("fail") == set(), run.told()
    assert (run.code, run.report["verdict"]) == (3, "incomplete")
    assert "since no answer came" not in run.output
    assert run.report["cleanup"]["left"] == []
    assert verified(tmp_path), run.output


@pytest.mark.parametrize(
    ("deadly", "selected", "special", "workers"),
    [(NUL, TEXTS, "name holds NUL", "8"), (LARGE, EXCESS, "a body of 8 MiB", "1")],
)
def test_the_last_request_is_told_of_a_server_that_stays_away(
    deadly: str, selected: tuple[str, ...], special: str, workers: str, tmp_path: Path
) -> None:
    with supervised(tmp_path, deadly, restarts=False) as server:
        run = certify(tmp_path, server.base_url, *selected, "--workers", workers)
    assert run.ids("fail") == set(), run.told()
    assert (run.code, run.report["verdict"]) == (3, "incomplete")
    reasons = {entry["reason"] for entry in run.report["requirements"] if entry["id"] in selected}
    assert any(", since no answer came to " in reason for reason in reasons), reasons
    # Of those that were under way at the same time, some are named.
    assert workers != "1" or any(special in reason for reason in reasons), reasons
    assert verified(tmp_path), run.output


def test_a_crash_over_what_is_not_to_be_tested_is_blamed_on_nobody(tmp_path: Path) -> None:
    with supervised(tmp_path, NUL) as server:
        run = certify(tmp_path, server.base_url, "--only", "HTTP-7")
        assert server.deaths == 1
    assert (run.code, run.ids("fail")) == (3, set()), run.told()
    # The request may be the last but one of the run, whose test gives up before the target counts as gone.
    assert "holds NUL" in run.output
