"""Whatever ends a run, nothing of ours is left afterwards, and nothing of others is changed.

`pytest -m kills` kills a hundred runs at random moments, as `nox -s kills` does; a plain run kills a few.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance.cli import main
from provider_conformance.config import Config, UsageError
from provider_conformance.guard import Guard
from provider_conformance.progress import Silence
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.server import Server, ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.run import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider_conformance.reference.messages import Answer, Properties, Request

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
FOREIGN = 25
NOBODY = "http://127.0.0.1:1/api/providers"


def environment() -> dict[str, str]:
    return os.environ | {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return python("-m", "provider_conformance", *arguments, cwd=cwd)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python to its end, where all that is tested is found."""
    return subprocess.run(
        [sys.executable, *arguments],
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
        has_begun(process, journal, lines=lines, alive=alive)
        process.send_signal(number)
    return journal


def has_begun(process: subprocess.Popen[Any], journal: Path, *, lines: int = 0, alive: int = 0) -> None:
    """Wait until the journal of a run has so many lines and so many providers live, or the run has ended."""
    while process.poll() is None:
        text = journal.read_bytes() if journal.exists() else b""
        if text.count(b"\n") >= lines and text.count(b'"created"') - text.count(b'"destroyed"') >= alive:
            return
        time.sleep(0.002)


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


@pytest.mark.parametrize("known", [True, False], ids=["by its id", "by its name"])
def test_a_name_that_came_back_in_capitals_is_the_run_s(server: Server, known: bool, tmp_path: Path) -> None:
    ours = ask(server, "create", provider("PCONF-1234-1"))["id"]
    theirs = ask(server, "create", provider("PCONF 1234-1"))["id"]
    create = {"event": "create", "name": "pconf-1234-1"}
    created = {"event": "created", "name": "pconf-1234-1", "id": ours}

    done = command("cleanup", str(journal_of(server, tmp_path, create, *([created] if known else []))), cwd=tmp_path)

    assert done.returncode == 0, done.stdout
    assert [one["id"] for one in everybody(server)] == [theirs]


@pytest.mark.parametrize("name", ["", "pconf-12"])
def test_a_provider_whose_name_was_lost_or_cut_off_is_told(server: Server, name: str, tmp_path: Path) -> None:
    ours = ask(server, "create", provider(name))["id"]
    lines = [{"event": "create", "name": "pconf-1234-1"}, {"event": "created", "name": "pconf-1234-1", "id": ours}]

    done = command("cleanup", str(journal_of(server, tmp_path, *lines)), cwd=tmp_path)

    assert done.returncode == 3
    assert f"LEFT: provider {ours}: show gives it the name {json.dumps(name)}" in done.stdout
    assert [one["id"] for one in everybody(server)] == [ours]


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


@pytest.fixture
def others_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal with something to clean up that this user can read, and nothing more."""
    journal, open_file = tmp_path / "journal.jsonl", os.open
    lines = ({"event": "run", "base_url": NOBODY}, {"event": "create", "name": "pconf-1234-1"})
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def refuse(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if path == journal and flags & os.O_WRONLY:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_file(path, flags, *more, **options)

    def stay(path: Path, name: Path) -> Path:
        raise PermissionError(errno.EPERM, "Operation not permitted", str(path))

    monkeypatch.setenv("PROVIDER_TOKEN", TOKEN)
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "rename", stay)
    return journal


def test_a_cleanup_that_cannot_go_on_in_the_journal_says_so(
    others_journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = others_journal.with_name("own.jsonl")
    own.write_bytes(others_journal.read_bytes())
    assert main(["cleanup", str(own)]) == 3
    capsys.readouterr()

    assert main(["cleanup", str(others_journal)]) == 2
    assert capsys.readouterr().err == f"Error: cannot write the journal {others_journal}: Permission denied\n"


def test_a_run_that_cannot_put_the_journal_aside_says_so_and_leaves_it(others_journal: Path) -> None:
    before = others_journal.read_bytes()
    config = Config(NOBODY, TOKEN, report_dir=others_journal.parent)
    with opened(replace(config, report_dir=others_journal.parent / "own"), Silence()) as session:
        assert session.config.report_dir.exists()

    complaint = f"cannot write the journal {others_journal}: Operation not permitted"
    with pytest.raises(UsageError, match=complaint), opened(config, Silence()):
        pass
    assert others_journal.read_bytes() == before


def test_a_folder_in_the_place_of_the_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "provider-conformance-report" / "journal.jsonl").mkdir(parents=True)
    done = command("run", NOBODY, "--only", "AUTH-1", cwd=tmp_path)
    assert done.returncode == 2
    path = "provider-conformance-report/journal.jsonl"
    assert done.stderr == f"Error: cannot write the journal {path}: Is a directory\n"


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


class HangsInACreate(Reference):
    """Stores what is created, but does not say so of the twentieth, nor gives any list from then on."""

    def prepare(self) -> None:
        self.hangs, self.over = threading.Event(), threading.Event()

    def create(self, request: Request) -> Answer:
        answer = super().create(request)
        if self.store.get(20) is not None and not self.hangs.is_set():
            self.hangs.set()
            self.over.wait(60)
        return answer

    def list_providers(self, request: Request) -> Answer:
        if self.hangs.is_set():
            raise RefusedError(400, "no list")
        return super().list_providers(request)


def test_a_create_that_was_given_up_is_told_where_no_list_can_tell_of_it(tmp_path: Path) -> None:
    reference = HangsInACreate(Store(), TOKEN)
    with ThreadServer(reference) as server:
        with subprocess.Popen(
            [sys.executable, "-m", "provider_conformance", "run", server.base_url, "--report-dir", str(tmp_path)],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert reference.hangs.wait(60)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=120)
        reference.over.set()
        assert [one["id"] for one in reference.store.all()] == [20]

    assert process.returncode == 3
    assert "creates without an answer may have left providers" in output


WITH_A_DEFECT = """
import sys
from pathlib import Path
from provider_conformance.config import Config
from provider_conformance.progress import Silence
from provider_conformance.run import certify

class Broken(Silence):
    def exchanged(self, exchanges):
        if exchanges == 8:
            raise RuntimeError("a defect")

certify(Config(sys.argv[1], sys.argv[2], report_dir=Path("reports")), Broken())
"""


def test_a_defect_of_the_tool_leaves_nothing(server: Server, tmp_path: Path) -> None:
    done = python("-c", WITH_A_DEFECT, server.base_url, TOKEN, cwd=tmp_path)

    assert "RuntimeError: a defect" in done.stderr
    assert '"created"' in (tmp_path / "reports" / "journal.jsonl").read_text()
    assert everybody(server) == []


@pytest.mark.parametrize("number", SIGNALS[1:])
def test_the_suite_run_by_pytest_leaves_nothing_when_it_is_ended(
    server: Server, number: signal.Signals, tmp_path: Path
) -> None:
    journal = tmp_path / "provider-conformance-report" / "journal.jsonl"
    arguments = ["-m", "pytest", "--pyargs", "provider_conformance.suite", "--target", server.base_url, "-q"]
    with subprocess.Popen(
        [sys.executable, *arguments], env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        has_begun(process, journal, lines=200, alive=3)
        process.send_signal(number)
        output, _ = process.communicate(timeout=120)

    assert everybody(server) == []
    assert "verdict: incomplete" in output
    assert process.returncode == 3


def test_the_suite_run_by_pytest_tells_of_a_journal_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "provider-conformance-report" / "journal.jsonl").mkdir(parents=True)
    arguments = ["-m", "pytest", "--pyargs", "provider_conformance.suite", "--target", server.base_url]

    done = subprocess.run(
        [sys.executable, *arguments], env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "cannot write the journal" in done.stderr
    assert "Traceback" not in done.stderr


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
