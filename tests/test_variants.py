"""Whoever conforms is never blamed: the command against implementations that use every freedom of the contract.

`pytest -m seeds` runs all of it with twenty seeds; a plain run takes one, and of some variants a part.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from command import Run, certify
from variants.catalogue import VARIANTS, Variant, find_variant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEVELS = ("core", "strict", "hardened")
TESTED = "hardened"
"""The highest level that the suite tests."""

SEEDS = range(1, 21)
EXIT_CODES = {"conformant": 0, "nonconformant": 1, "incomplete": 3}


@dataclass(frozen=True)
class Trial:
    """A variant, and how the command is run against it."""

    variant: Variant
    seed: int | None = None

    @property
    def name(self) -> str:
        return self.variant.name if self.seed is None else f"{self.variant.name}-{self.seed}"

    @property
    def part(self) -> tuple[str, ...]:
        """What of the suite is run: some variants show all that they have to show in a part."""
        return self.variant.part if self.seed is None or self.variant.keeps else ()

    @property
    def options(self) -> list[str]:
        level = LEVELS[min(LEVELS.index(self.variant.level), LEVELS.index(TESTED))]
        seed = [] if self.seed is None else ["--seed", str(self.seed)]
        return ["--level", level, *seed, *(word for only in self.part for word in ("--only", only))]


@dataclass
class Server:
    """A variant that runs in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    token: str

    def audit(self) -> dict[str, Any]:
        """Stop it, and return what was done to it."""
        answer, _ = self.process.communicate()
        audit: dict[str, Any] = json.loads(answer)
        return audit


@contextmanager
def serving(variant: Variant) -> Iterator[Server]:
    """Serve a variant for the length of a block."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "variants", variant.name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(process, **json.loads(process.stdout.readline()))
        finally:
            process.kill()


def tried(trial: Trial, folder: Path) -> tuple[Run, dict[str, Any]]:
    """Run the command against a variant; return what it left in its folder and on the server."""
    with serving(trial.variant) as server:
        return certify(folder, server.url, *trial.options, token=server.token), server.audit()


def assert_not_blamed(run: Run) -> None:
    """No requirement is held to be violated, and the command itself works."""
    assert run.report, run.output
    assert run.told() == ""
    assert run.ids("fail") | run.ids("known") | run.ids("error") == set()
    assert "Traceback" not in run.output
    assert run.code == EXIT_CODES[run.report["verdict"]]


def assert_well_behaved(audit: dict[str, Any]) -> None:
    """Nobody else's provider was touched, and none could have been."""
    assert audit["touched"] == []
    assert audit["guessed"] == []
    assert audit["most_held"] <= 8


TRIALS = [
    *(Trial(variant) for variant in VARIANTS),
    *(pytest.param(Trial(variant, seed), marks=pytest.mark.seeds) for variant in VARIANTS for seed in SEEDS),
]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_a_conforming_implementation_is_never_blamed(trial: Trial, tmp_path: Path) -> None:
    variant = trial.variant
    run, audit = tried(trial, tmp_path)

    assert_not_blamed(run)
    reasons = {entry["id"]: entry["reason"] for entry in run.report["requirements"] if entry["outcome"] == "not_tested"}
    allowed = "|".join(filter(None, [variant.untested, "not selected by --only" if trial.part else ""])) or "(?!)"
    assert {name: reason for name, reason in reasons.items() if not re.search(allowed, reason)} == {}
    assert run.report["verdict"] in (("incomplete",) if trial.part else variant.verdicts)

    assert_well_behaved(audit)
    assert audit["created"] > 0
    assert sorted(audit["left"]) == sorted(run.report["cleanup"]["left"])
    assert bool(audit["left"]) == variant.keeps


def test_variants_are_named_once_and_differ() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    assert len({variant.freedoms for variant in VARIANTS}) == len(VARIANTS)
    assert {variant.level for variant in VARIANTS} == set(LEVELS)


@pytest.mark.seeds
@pytest.mark.parametrize("name", ["flask-first-page-0-nearest", "core-null", "closing-wraps-pages-around"])
@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_who_grants_few_providers_is_not_blamed(name: str, most: int, tmp_path: Path) -> None:
    variant = find_variant(name)
    with serving(variant) as server:
        run = certify(tmp_path, server.url, "--level", variant.level, "--max-providers", str(most), token=server.token)
        audit = server.audit()
    assert_not_blamed(run)
    assert_well_behaved(audit)
    assert audit["left"] == []
    assert audit["most_held"] <= most


@pytest.mark.parametrize("name", ["closing-with-room-for-two", "core-terse", "looping-among-strangers"])
def test_who_is_only_read_from_is_not_blamed(name: str, tmp_path: Path) -> None:
    """Where there are no providers, nobody knows whether pages are counted from 0 or from 1."""
    variant = find_variant(name)
    with serving(variant) as server:
        run = certify(tmp_path, server.url, "--level", variant.level, "--read-only", token=server.token)
        audit = server.audit()
    assert_not_blamed(run)
    assert audit["created"] == 0


@pytest.mark.seeds
@pytest.mark.parametrize("name", ["core-null", "looping-among-strangers", "flask-first-page-0-nearest"])
def test_what_killed_runs_left_behind_is_not_held_against_anybody(name: str, tmp_path: Path) -> None:
    """Two runs are killed, each as soon as it has created many providers; the third has the same seed."""
    variant = find_variant(name)
    with serving(variant) as server:
        for killed in range(2):
            kill_a_run(server, tmp_path / f"killed-{killed}", variant.level)
        finished = tmp_path / "finished"
        finished.mkdir()
        run = certify(finished, server.url, "--level", variant.level, token=server.token)
        audit = server.audit()
    assert_not_blamed(run)
    assert audit["touched"] == []
    assert run.report["cleanup"]["left"] == []


def kill_a_run(server: Server, folder: Path, level: str) -> None:
    """Start a run, and end it by SIGKILL once its journal shows a hundred providers and more than one of them alive."""
    folder.mkdir()
    command = [sys.executable, "-m", "provider_conformance", "run", server.url, "--level", level]
    with subprocess.Popen(
        [*command, "--report-dir", str(folder)],
        env=os.environ | {"PROVIDER_TOKEN": server.token, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        journal = folder / "journal.jsonl"
        while process.poll() is None:
            text = journal.read_text() if journal.exists() else ""
            created, destroyed = text.count('"created"'), text.count('"destroyed"')
            if created >= 100 and created - destroyed > 1:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)


@pytest.mark.seeds
@pytest.mark.parametrize("name", ["core-null", "looping-among-strangers"])
def test_runs_at_the_same_time_do_not_blame_anybody_for_each_other(name: str, tmp_path: Path) -> None:
    variant = find_variant(name)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with serving(variant) as server, ThreadPoolExecutor(2) as pool:
        runs = list(
            pool.map(lambda folder: certify(folder, server.url, "--level", variant.level, token=server.token), folders)
        )
        audit = server.audit()
    for run in runs:
        assert_not_blamed(run)
    assert audit["left"] == []
    assert audit["touched"] == []
