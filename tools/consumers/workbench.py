"""What checks of consumers have in common: environments, commands, servers, and the certification of a server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from consumers.results import BrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAMS = Path(__file__).parent / "programs"
"""What is compiled or run together with what consumers make, in their environments and not in this one."""

PATIENCE = 600.0
"""Seconds that one command may take: compiling Go for the first time takes a minute on two idle cores."""

STARTING = 60.0
"""Seconds that a server may take to listen."""


@dataclass(frozen=True, slots=True)
class Certification:
    """What the conformance suite says of a server: ids of requirements, and the level reached, or None."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    reached: str | None


def python_environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment with nothing but these requirements; return the folder of its commands."""
    environment = folder / "environment"
    run(["uv", "venv", "--quiet", "--python", sys.executable, environment])
    commands = environment / ("Scripts" if os.name == "nt" else "bin")
    run(["uv", "pip", "install", "--quiet", "--python", commands / "python", *requirements])
    return commands


def npm_packages(folder: Path, *packages: str) -> Path:
    """Install these packages of npm, without running scripts of theirs; return the folder of their commands."""
    (folder / "package.json").write_text('{"private": true}\n', "utf-8")
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run(["npm", "install", "--save-exact", *quiet, *packages], cwd=folder)
    return folder / "node_modules" / ".bin"


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    accepted: frozenset[int] = frozenset({0}),
) -> str:
    """Run a command to its end; return all that it printed. Raises BrokenError for other exit codes than accepted."""
    try:
        completed = subprocess.run(  # noqa: S603 - commands of our own
            command,
            cwd=cwd,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BrokenError(f"{_named(command)} did not end within {PATIENCE:.0f} s") from None
    if completed.returncode not in accepted:
        raise BrokenError(f"{_named(command)} exits with {completed.returncode}: {completed.stdout[-2000:].strip()}")
    return completed.stdout


@contextmanager
def served(
    command: Sequence[str | Path], port: int, *, cwd: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Run a server while a `with` block lasts, from when it listens on a port; give the file of what it prints.

    Raises BrokenError if it ends or does not listen in time.
    """
    log = cwd / "server.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603 - commands of our own
            command,
            cwd=cwd,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Of its own group, since some start further processes that have to end with them.
            start_new_session=True,
        )
        try:
            _await_listening(process, port, command, log)
            yield log
        finally:
            _end(process)


def free_port() -> int:
    """Return a port of this machine that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def document(contract: Path) -> dict[str, Any]:
    """Return the contract, parsed; whoever gets it may change it."""
    parsed: dict[str, Any] = yaml.safe_load(contract.read_text("utf-8"))
    return parsed


def write_requests(contract: Path, folder: Path) -> Path:
    """Write the requests that clients send, which are examples of the contract, into `requests.json`; return it."""
    examples = document(contract)["components"]["examples"]
    requests = {
        "create": examples["CreateRegisteringTrunk"]["value"],
        "update": examples["UpdateRegisteringTrunk"]["value"],
    }
    file = folder / "requests.json"
    file.write_text(json.dumps(requests), "utf-8")
    return file


def certify(base_url: str, token: str, folder: Path, *options: str) -> Certification:
    """Run the conformance suite against a server; return what its report says."""
    report = folder / "report"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "provider_conformance",
        "run",
        base_url,
        "--report-dir",
        report,
        *options,
    ]
    # Whatever the verdict, the report says more; only bad usage and a defect leave none.
    run(command, cwd=folder, environment={"PROVIDER_TOKEN": token}, accepted=frozenset({0, 1, 3}))
    written = json.loads((report / "report.json").read_text("utf-8"))
    outcomes = {requirement["id"]: requirement["outcome"] for requirement in written["requirements"]}
    return Certification(
        passed=tuple(requirement for requirement, outcome in outcomes.items() if outcome == "pass"),
        failed=tuple(requirement for requirement, outcome in outcomes.items() if outcome == "fail"),
        reached=written["reached_level"],
    )


def _named(command: Sequence[str | Path]) -> str:
    return " ".join(Path(part).name for part in command[:3])


def _await_listening(process: subprocess.Popen[bytes], port: int, command: Sequence[str | Path], log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise BrokenError(f"{_named(command)} does not listen: {log.read_text('utf-8', 'replace')[-2000:].strip()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, signal_number)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                continue
