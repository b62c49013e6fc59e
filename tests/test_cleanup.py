"""Whatever ends a run, nothing of ours is left afterwards, and nothing of others is changed.

`pytest -m kills` kills a hundred runs at random moments, as `nox -s kills` does; a plain run kills a few.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance.guard import Guard
from provider_conformance.reference.server import Server, ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provider_conformance.reference.messages import Properties

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
FOREIGN = 25


def environment() -> dict[str, str]:
    return os.environ | {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "provider_conformance", *arguments],
        env=environment(),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ask(server: Server | ThreadServer, operation: str, body: dict[str, Any] | None = None, query: str = "") -> Any:
    """Ask a server as some other client does."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"access_token": TOKEN, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.base_url}/{operation}{query}", data, headers)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def provider(name: str) -> dict[str, Any]:
    """Return what somebody creates."""
    return {
        "name": name,
        "auth_mode": "REGISTER_AUTH",
        "protocol": "UDP",
        "require_register": True,
        "password": "theirs",
        "reregister_interval": 600,
        "port": 5060,
        "ips": [],
        "auth_id": f"auth {name}",
        "outbound_server": "proxy.example.com",
        "status": "ONLINE",
        "hostname": f"{name.replace(' ', '-')}.example.com",
        "outbound_server_port": 5070,
        "provider_in_lan": False,
        "single_via_header": False,
    }


def everybody(server: Server | ThreadServer) -> list[dict[str, Any]]:
    """Return all that there is, as show gives it."""
    listed = ask(server, "list", query="?pagination=1&pagesize=1000")["providers"]
    return [ask(server, "show", query=f"?id={item['id']}") for item in listed]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(token=TOKEN) as running:
        yield running


def kill_a_run(
    server: Server, folder: Path, number: signal.Signals, lines: int, *, alive: int = 0, workers: int = 1
) -> Path:
    """Start a run, end it once its journal has so many lines and so many providers live, and return the journal."""
    folder.mkdir()
    journal = folder / "journal.jsonl"
    arguments = ["run", server.base_url, "--report-dir", str(folder), "--workers", str(workers)]
    with subprocess.Popen(
        [sys.executable, "-m", "provider_conformance", *arguments],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            text = journal.read_bytes() if journal.exists() else b""
            if text.count(b"\n") >= lines and text.count(b'"created"') - text.count(b'"destroyed"') >= alive:
                break
            time.sleep(0.002)
        process.send_signal(number)
    return journal


def killed_and_cleaned(server: Server, folder: Path, turns: range) -> None:
    """Kill runs at random moments, clean up after each, and look at everything there is."""
    for name in range(FOREIGN):
        ask(server, "create", provider(f"Office {name}"))
    before = everybody(server)

    for turn in turns:
        moment = random.Random(turn)
        lines = moment.randint(1, 1200)
        journal = kill_a_run(server, folder / str(turn), SIGNALS[turn % len(SIGNALS)], lines, workers=1 + turn % 2 * 7)

        first = command("cleanup", str(journal), cwd=folder)
        again = command("cleanup", str(journal), cwd=folder)

        assert (first.returncode, again.returncode) == (0, 0), (turn, first.stdout + first.stderr)
        assert again.stdout.splitlines() == ["nothing is left of that run"]
        assert everybody(server) == before, turn


def test_nothing_is_left_of_killed_runs(server: Server, tmp_path: Path) -> None:
    killed_and_cleaned(server, tmp_path, range(6))


@pytest.mark.kills
def test_nothing_is_left_of_a_hundred_killed_runs(server: Server, tmp_path: Path) -> None:
    killed_and_cleaned(server, tmp_path, range(100))


def journal_of(server: Server, folder: Path, *lines: dict[str, Any], cut: str = "") -> Path:
    """Write a journal by hand."""
    journal = folder / "journal.jsonl"
    texts = [json.dumps(line) for line in ({"event": "run", "base_url": server.base_url}, *lines)]
    journal.write_text("\n".join([*texts, cut]))
    return journal


def test_a_create_whose_answer_was_lost_is_found_by_its_name(server: Server, tmp_path: Path) -> None:
    ask(server, "create", provider("pconf-1234-77"))
    kept = ask(server, "create", provider("pconf-1234-770"))["id"]
    journal = journal_of(server, tmp_path, {"event": "create", "name": "pconf-1234-77"}, cut='{"event": "crea')

    done = command("cleanup", str(journal), cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["id"] for one in everybody(server)] == [kept]


def test_a_create_of_a_name_that_was_answered_before_is_found_too(server: Server, tmp_path: Path) -> None:
    ask(server, "create", provider("pconf-1234-77"))
    create = {"event": "create", "name": "pconf-1234-77"}
    answered = [{"event": "created", "name": "pconf-1234-77", "id": 99}] * 2  # as noted before and after a doubt
    journal = journal_of(server, tmp_path, create, *answered, {"event": "destroyed", "id": 99}, create)

    done = command("cleanup", str(journal), cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert everybody(server) == []


def test_an_id_that_has_become_somebody_s_is_left_alone(server: Server, tmp_path: Path) -> None:
    theirs = ask(server, "create", provider("Head office"))["id"]
    lines = [{"event": "create", "name": "pconf-1234-1"}, {"event": "created", "name": "pconf-1234-1", "id": theirs}]

    done = command("cleanup", str(journal_of(server, tmp_path, *lines)), cwd=tmp_path)

    assert done.returncode == 0
    assert [one["name"] for one in everybody(server)] == ["Head office"]


def test_a_provider_that_bears_no_name_is_known_by_its_marks(server: Server, tmp_path: Path) -> None:
    ours = ask(server, "create", provider(""))["id"]
    theirs = ask(server, "create", provider("") | {"auth_id": "somebody"})["id"]
    created = {"event": "created", "name": "", "marks": {"auth_id": "auth ", "hostname": "elsewhere.example.com"}}
    journal = journal_of(server, tmp_path, *({**created, "id": identity} for identity in (ours, theirs)))

    done = command("cleanup", str(journal), cwd=tmp_path)

    assert (done.returncode, done.stdout.count("destroyed provider")) == (0, 1), done.stdout
    assert [one["id"] for one in everybody(server)] == [theirs]


def test_a_create_after_a_search_for_those_before_is_looked_for_again(server: Server, tmp_path: Path) -> None:
    kept = ask(server, "create", provider("pconf-1234-77"))["id"]
    ours = ask(server, "create", provider("pconf-1234-78"))["id"]
    sent = [{"event": "create", "name": f"pconf-1234-{number}"} for number in (77, 78)]
    journal = journal_of(server, tmp_path, sent[0], {"event": "end"}, sent[1])

    done = command("cleanup", str(journal), cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"destroyed provider {ours}" in done.stdout
    assert [one["id"] for one in everybody(server)] == [kept]


def test_a_target_that_is_away_leaves_the_journal_as_it_is(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server:
        ours = ask(server, "create", provider("pconf-1234-1"))["id"]
        lines = [{"event": "create", "name": "pconf-1234-1"}, {"event": "created", "name": "pconf-1234-1", "id": ours}]
        journal = journal_of(server, tmp_path, *lines)
    done = command("cleanup", str(journal), cwd=tmp_path)
    assert done.returncode == 3
    assert "LEFT" in done.stdout
    assert "run the same again" in done.stderr


@pytest.mark.parametrize("text", ["", "no journal", '{"event": "run"}', '{"a": 1}\n{"b": 2}', "\x00\xff"])
def test_what_is_no_journal_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(text.encode("latin-1"))
    for path in (file, tmp_path / "none"):
        done = command("cleanup", str(path), cwd=tmp_path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert "Error: " in done.stderr


def test_who_interrupts_while_a_run_cleans_up_does_not_keep_it_from_that() -> None:
    guard = Guard()
    guard.clean_up(60)
    guard.interrupt()
    guard.check()


def test_a_run_keeps_the_journal_of_one_that_was_killed(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    journal = kill_a_run(server, folder, signal.SIGKILL, 200, alive=3)
    left = len(everybody(server))
    assert left

    done = command("run", server.base_url, "--only", "AUTH-1", "--report-dir", str(folder), cwd=tmp_path)
    kept = journal.with_stem("journal-1")
    assert f"provider-conformance cleanup {kept}" in done.stdout
    assert len(everybody(server)) == left

    assert command("cleanup", str(kept), cwd=tmp_path).returncode == 0
    assert everybody(server) == []


class StoresTwice(Reference):
    """Stores what is created twice, and gives the id of one."""

    def store_created(self, properties: Properties) -> int:
        super().store_created(properties)
        return super().store_created(properties)


class LosesEveryTenthDestroy(Reference):
    """Says of every tenth destroy that it was done, and keeps the provider."""

    def prepare(self) -> None:
        self.removals = 0

    def remove(self, provider_id: int) -> bool:
        self.removals += 1
        return self.store.get(provider_id) is not None if self.removals % 10 == 0 else super().remove(provider_id)


@pytest.mark.parametrize("kind", [StoresTwice, LosesEveryTenthDestroy])
def test_what_a_server_keeps_in_secret_is_destroyed_as_well(kind: type[Reference], tmp_path: Path) -> None:
    store = Store()
    store.insert({**provider("Head office"), "in_parameters": [], "out_parameters": []})
    with ThreadServer(kind(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--level", "core")
        kept = [one["name"] for one in store.all()]

    assert run.report["verdict"] == "nonconformant"
    assert kept == ["Head office"]
    assert run.report["cleanup"]["left"] == []
