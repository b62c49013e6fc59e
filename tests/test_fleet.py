"""A fleet: many systems at once on real workers, some of which die, and one page for all."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN
from provider_conformance.faults.catalogue import combined
from provider_conformance.fleet.leaderboard import trend
from provider_conformance.fleet.task import FleetResult, Secret
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.verdict import Verdict
from test_cleanup import command, everybody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provider_conformance.reference.messages import Answer, Request

SOME = 'settings = { level = "core", only = ["CREATE-4", "SHOW-4", "DESTROY-2"] }'
DEAD = "http://127.0.0.1:9/api/providers"


class Slow(Reference):
    """Takes its time for every answer."""

    def answer(self, request: Request) -> Answer:
        time.sleep(0.005)
        return super().answer(request)


KINDS: tuple[tuple[type[Reference], str], ...] = (
    (Reference, "incomplete"),
    (combined(["create-truncates-names"]), "nonconformant"),
    (Slow, "incomplete"),
    (combined(["destroy-refuses-ip-auth"]), "nonconformant"),
    (combined(["show-id-in-32-bits"]), "nonconformant"),
)
"""Systems, and the verdict on each: a part of the requirements never certifies."""


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def write_fleet(folder: Path, targets: dict[str, str], defaults: str = SOME) -> Path:
    """Write a file of targets by name and base URL."""
    file = folder / "fleet.toml"
    lines = [f'[defaults]\ntoken-env = "FLEET_TOKEN"\n{defaults}\n']
    lines += [f'[[target]]\nname = "{name}"\nbase-url = "{url}"\n' for name, url in targets.items()]
    file.write_text("\n".join(lines))
    return file


def start_fleet(folder: Path, *options: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "provider_conformance", "fleet", "fleet.toml", "--report-dir", "out", *options]
    search_path = os.pathsep.join(filter(None, sys.path))
    environment = os.environ | {"FLEET_TOKEN": TOKEN, "PYTHONPATH": search_path}
    return subprocess.Popen(
        words, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def certify_fleet(folder: Path, *options: str) -> tuple[int, str]:
    process = start_fleet(folder, *options)
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def index_of(folder: Path) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in json.loads((folder / "out" / "fleet.json").read_bytes())["targets"]}


def serve(stack: ExitStack, count: int) -> dict[str, tuple[ThreadServer, str]]:
    """Start so many servers of all kinds; return each with the verdict that it deserves."""
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    return {
        f"{number:03d}-{kind.__name__}": (stack.enter_context(ThreadServer(kind(Store(), TOKEN))), verdict)
        for number, (kind, verdict) in enumerate(kinds)
    }


def children_of(process: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in done.stdout.split()]


def worker_processes(process: int) -> list[int]:
    """Return the processes of Dask's workers below a process: those that run something."""
    return [one for one in children_of(process) if children_of(one)]


def kill_a_worker(fleet: subprocess.Popen[str]) -> threading.Thread:
    """Kill a worker without warning once it is in the middle of a run."""

    def kill() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and fleet.poll() is None:
            if busy := worker_processes(fleet.pid):
                time.sleep(1)
                os.kill(busy[0], signal.SIGKILL)
                return
            time.sleep(0.05)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.fleets)])
def test_a_fleet_is_certified_though_a_worker_dies(count: int, servers: ExitStack, tmp_path: Path) -> None:
    systems = serve(servers, count)
    dead = {f"dead-{number}": DEAD for number in range(1 + count // 20)}
    write_fleet(tmp_path, {**{name: server.base_url for name, (server, _) in systems.items()}, **dead})

    fleet = start_fleet(tmp_path, "--workers", "2", "--per-host", "2")
    killer = kill_a_worker(fleet)
    output, _ = fleet.communicate(timeout=60 * count)
    killer.join()

    assert fleet.returncode == 1, output
    found = index_of(tmp_path)
    assert {name: entry["verdict"] for name, entry in found.items()} == {
        **{name: verdict for name, (_, verdict) in systems.items()},
        **dict.fromkeys(dead, "incomplete"),
    }, output
    lines = re.findall(r"^\d+/\d+ \w+ +(\S+)", output, re.MULTILINE)
    assert sorted(lines) == sorted(found), "one line a system"
    assert "connection refused" in found["dead-0"]["reason"]
    for name, (server, verdict) in systems.items():
        # What cannot be destroyed stays, and the report says so.
        assert len(everybody(server)) == found[name]["left"], name
        report = json.loads((tmp_path / "out" / name / "report.json").read_bytes())
        assert report["verdict"] == verdict


def test_the_token_is_in_no_file_and_no_output(servers: ExitStack, tmp_path: Path) -> None:
    ((name, (server, _)),) = serve(servers, 1).items()
    write_fleet(tmp_path, {name: server.base_url})
    code, output = certify_fleet(tmp_path, "--workers", "1")
    assert code == 3, output
    assert TOKEN not in output
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in repr(Secret(TOKEN))


def test_a_fleet_goes_on_where_it_stopped_and_tells_the_trend(servers: ExitStack, tmp_path: Path) -> None:
    systems = serve(servers, 2)
    urls = {name: server.base_url for name, (server, _) in systems.items()}
    write_fleet(tmp_path, urls)
    assert certify_fleet(tmp_path, "--workers", "2", "--per-host", "2")[0] == 1
    page = (tmp_path / "out" / "leaderboard.html").read_text()
    assert page.count("<td>new</td>") == 2
    assert all(f'href="{name}/report.html"' in page for name in systems)

    code, output = certify_fleet(tmp_path, "--resume")
    assert code == 1
    assert "0 of 2 implementations to certify" in output
    assert (tmp_path / "out" / "leaderboard.html").read_text().count("<td>as before</td>") == 2


def result(verdict: Verdict, **requirements: str) -> FleetResult:
    told = {name.replace("_", "-"): outcome for name, outcome in requirements.items()}
    return FleetResult("a", "http://a", verdict, 0, requirements=told)


def test_the_trend_names_what_got_worse_and_better() -> None:
    good = result(Verdict.CONFORMANT, SHOW_1="pass", LIST_1="fail")
    bad = result(Verdict.NONCONFORMANT, SHOW_1="fail", LIST_1="pass")
    assert trend(None, good) == "new"
    assert trend(good, good) == "as before"
    assert trend(good, bad) == "worse: SHOW-1; better: LIST-1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "lists no [[target]]"),
        ("[[target]", "is no TOML"),
        ("target = 5", "lists no [[target]]"),
        ("[[targets]]\n", "it may have [defaults] and [[target]]"),
        ('[[target]]\nname = "../x"\n', "needs a name of letters"),
        ('[[target]]\nname = "a"\ntoken-env = "FLEET_TOKEN"\n', "needs a base-url"),
        ('[[target]]\nname = "a"\nbase-url = "ftp://x"\ntoken-env = "FLEET_TOKEN"\n', "base URL"),
        ('[[target]]\nname = "a"\nbase-url = "http://x"\n', "needs either token-env"),
        ('[[target]]\nname = "a"\nbase-url = "http://x"\ntoken-env = "NO_SUCH"\n', "NO_SUCH"),
        ('[[target]]\nname = "a"\nbase-url = "http://x"\ntoken = "secret"\n', "may have base-url, name"),
        (
            '[defaults]\ntoken-env = "FLEET_TOKEN"\nsettings = { token = "x" }\n[[target]]\nname = "a"\nbase-url = "http://x"\n',
            "settings are options of `run`",
        ),
        (
            '[defaults]\ntoken-env = "FLEET_TOKEN"\n[[target]]\nname = "a"\nbase-url = "http://x"\n'
            '[[target]]\nname = "A"\nbase-url = "http://y"\n',
            "more than once",
        ),
    ],
)
def test_mistakes_in_the_file_are_told_in_one_line(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fleet.toml").write_text(text)
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    done = command("fleet", "fleet.toml", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["fleet.toml"]


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fleet(tmp_path, {"a": DEAD})
    code, output = certify_fleet(tmp_path, "--scheduler", "nonsense://127.0.0.1:1")
    assert code == 2
    assert "no Dask scheduler answers at nonsense://127.0.0.1:1" in output
