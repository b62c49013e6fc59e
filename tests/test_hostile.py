"""Servers that answer with what no client should get: one clear outcome, in bounded time and memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN
from hostile import CASES

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 2.0
SLACK = 1.5
"""Seconds that an exchange may take beyond its timeout, on a machine that has other things to do."""
MOST_MEMORY = 300 * 1024  # KiB

SAID = {
    "silence": "does not answer: no complete answer within 2 s",
    "a byte a second": "does not answer: no complete answer within 2 s",
    "headers without end": "answer too large: more than 1000 header fields",
    "one header without end": "answer too large: more than 262144 bytes of header fields",
    "interim answers without end": "does not answer: no complete answer within 2 s",
    "chunks without end": "answer too large",
    "trailers without end": "does not answer: no complete answer within 2 s",
    "a body without end": "answer too large",
    "2 GiB": "answer too large",
    "a compressed gibibyte": "answer too large: more than .* once unpacked",
    "100,000 levels": "without the id of a new provider",
    "500 levels": "without the id of a new provider",
    "a number of a million digits": "without the id of a new provider",
    "half a million empty arrays": "without the id of a new provider",
    "a quarter million objects": "without the id of a new provider",
    "a quarter million equal names": "without the id of a new provider",
    "what is no UTF-8": "a plain create does not work|without the id of a new provider",
    "a body cut short": "connection dropped",
    "chunks cut short": "connection dropped",
    "a cut zip": "does not answer in HTTP: .* said to be gzip, and cannot be unpacked: Compressed file ended",
    "no zip at all": "does not answer in HTTP: .* said to be gzip, and cannot be unpacked: Not a gzipped file",
    "no HTTP": "does not answer in HTTP",
    "a status of four digits": "does not answer in HTTP",
    "control sequences": r"does not speak JSON .*\\x1b]0;title\\x07",
    "a redirect to itself": 'redirects to "/api/providers/list"',
    "a redirect elsewhere": 'redirects to "http://elsewhere.example/login"',
    "a login page": "does not speak JSON .*a login page, or another service",
    "a wait for ever": "answers list with 429|answers with 429|asks to wait",
    "a wait of no number": "429",
    "an error like a query without end": "answer too large|answers of more than|does not speak JSON",
}
"""What the first line says of a target that is so from the first request on."""

LATER = (
    "a byte a second",
    "a compressed gibibyte",
    "a quarter million objects",
    "half a million empty arrays",
    "no HTTP",
    "a body cut short",
    "a wait for ever",
    "a login page",
)
"""What a target turns into in the middle of a run."""


@dataclass(frozen=True)
class Ending:
    """How a run against a hostile server ended."""

    code: int
    output: str
    memory: int
    report: dict[str, Any]


MEASURED = """
import pathlib, resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
"""Runs a command, and writes down the most memory that it had: a child of this process, which is large by itself, would
have had as much as this from the moment of its birth."""


def ended(case: str, after: int, folder: Path) -> Ending:
    """Run the command against a server that answers so after some requests."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PROVIDER_TOKEN": TOKEN}
    server_command = [sys.executable, "-m", "hostile", case, str(after), TOKEN]
    command = [sys.executable, "-m", "provider_conformance", "run"]
    options = ["--timeout", str(TIMEOUT), "--report-dir", str(folder / "reports")]
    output, memory = folder / "output", folder / "memory"
    with subprocess.Popen(server_command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        try:
            with output.open("w") as stream:
                run = subprocess.run(
                    [sys.executable, "-c", MEASURED, str(memory), *command, url, *options],
                    env=environment,
                    cwd=folder,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
        finally:
            server.kill()
    report = folder / "reports" / "report.json"
    found = json.loads(report.read_bytes()) if report.exists() else {}
    return Ending(run.returncode, output.read_text(), int(memory.read_text()), found)


Trial = tuple[str, int]


def assert_bounded(ending: Ending) -> None:
    """No defect of ours, no exchange beyond its time, no memory beyond its bound."""
    assert "Traceback" not in ending.output
    assert ending.code in {1, 3}, ending.output
    assert ending.memory < MOST_MEMORY
    operations = ending.report["statistics"]["operations"].values()
    assert max(operation["latency_ms"]["max"] for operation in operations) < (TIMEOUT + SLACK) * 1000
    assert "\x1b" not in ending.output
    assert TOKEN not in ending.output


def assert_left_is_told(ending: Ending) -> None:
    """What is left is told, and nothing else is told to be."""
    assert bool(ending.report["cleanup"]["left"]) == ("LEFT BEHIND" in ending.output), ending.output


@pytest.mark.parametrize("trial", [(case, 0) for case in CASES], ids=lambda trial: trial[0])
def test_whoever_is_hostile_from_the_beginning_is_named_at_once(trial: Trial, tmp_path: Path) -> None:
    ending = ended(*trial, tmp_path)
    assert_bounded(ending)
    assert re.search(SAID[trial[0]], ending.output.splitlines()[0]), ending.output


@pytest.mark.parametrize("trial", [(case, 300) for case in LATER], ids=lambda trial: trial[0])
def test_whoever_turns_hostile_ends_the_run(trial: Trial, tmp_path: Path) -> None:
    ending = ended(*trial, tmp_path)
    assert_bounded(ending)
    assert ending.report["verdict"] != "conformant"
    assert_left_is_told(ending)


def test_a_target_that_falls_silent_is_blamed_for_nothing(tmp_path: Path) -> None:
    ending = ended("silence", 300, tmp_path)
    assert_bounded(ending)
    assert (ending.code, ending.report["verdict"]) == (3, "incomplete"), ending.output
    assert_left_is_told(ending)
