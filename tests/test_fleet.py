"""A fleet: many systems at once on real workers, some of which die, and one page for all."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import psutil
import pytest

from command import TOKEN
from provider_conformance import __version__
from provider_conformance.cli import main
from provider_conformance.config import UsageError
from provider_conformance.faults.catalogue import combined
from provider_conformance.fleet.conduct import TRIES, Conductor, Notebook, cluster, worst
from provider_conformance.fleet.leaderboard import trend
from provider_conformance.fleet.targets import FleetTarget, read_fleet
from provider_conformance.fleet.task import FleetResult, Job, Killed, Secret, certify_target, locked
from provider_conformance.guard import Guard
from provider_conformance.journal import Journal
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.verdict import Verdict
from test_cleanup import command, everybody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from distributed import Client

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


def start_fleet(folder: Path, *options: str, **more: Any) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "provider_conformance", "fleet", "fleet.toml", "--report-dir", "out", *options]
    search_path = os.pathsep.join(filter(None, sys.path))
    environment = os.environ | {"FLEET_TOKEN": TOKEN, "PYTHONPATH": search_path}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **more}
    return subprocess.Popen(words, cwd=folder, env=environment, text=True, **streams)


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
    """Return the processes that one has started; none if it has ended."""
    try:
        return [child.pid for child in psutil.Process(process).children()]
    except psutil.NoSuchProcess:
        return []


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
    assert page.count(">new</td>") == 2
    assert all(f'href="{name}/report.html"' in page for name in systems)

    code, output = certify_fleet(tmp_path, "--resume")
    assert code == 1
    assert "0 of 2 implementations to certify" in output
    assert (tmp_path / "out" / "leaderboard.html").read_text().count(">as before</td>") == 2


def result(verdict: Verdict, **requirements: str) -> FleetResult:
    told = {name.replace("_", "-"): outcome for name, outcome in requirements.items()}
    return FleetResult("a", "http://a", verdict, 0, requirements=told)


def test_the_trend_names_what_got_worse_and_better() -> None:
    good = result(Verdict.CONFORMANT, SHOW_1="pass", LIST_1="fail")
    bad = result(Verdict.NONCONFORMANT, SHOW_1="fail", LIST_1="pass")
    assert trend(None, good) == "new"
    assert trend(good, good) == "as before"
    assert trend(good, bad) == "worse: SHOW-1; better: LIST-1"


def test_what_was_not_tested_is_neither_worse_nor_better() -> None:
    failing = result(Verdict.NONCONFORMANT, SHOW_1="fail", LIST_1="pass")
    away = result(Verdict.INCOMPLETE, SHOW_1="not_tested", LIST_1="not_tested")
    assert trend(failing, away) == "was nonconformant"
    assert trend(away, failing) == "not tested before: SHOW-1"


def test_a_run_that_did_not_end_by_itself_is_no_success() -> None:
    assert worst([0, -9]) == 4
    assert worst([0, 3, -9, 1]) == 1
    assert worst([0, 0]) == 0


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
            '[defaults]\nsettings = { baseline = "b.toml" }\n[[target]]\nname = "a"\n',
            "[defaults]: a fleet has no baseline",
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


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("settings = { levl = 'core' }", "target a: 'levl' is no option of `run`; did you mean level?"),
        ("settings = { level = 'cor' }", "target a: level: 'cor' is not one of"),
        ("settings = { only = ['CREATE-99'] }", "'CREATE-99' is no requirement"),
        ("settings = { only = 'CREATE-4' }", "target a: only: "),
        ("settings = { header = { Host = 'x' } }", "the suite sends that header itself"),
        ("settings = { cacert = 'none.pem' }", "target a: cacert: "),
        ("settings = { implementation = 2026-01-01 }", "a date or a time"),
        ("settings = { plausible = { ports = 5 } }", "target a: [plausible]"),
        ("settings = { baseline = 'known.toml' }", "target a: a fleet has no baseline"),
        ('token-file = "a\\u0000b"', "target a: token-file is a text"),
        ('token-file = "-"', "cannot read the token file /"),
        ('token-env = "TWO_LINES"', "target a: the token from the variable TWO_LINES holds a control character"),
    ],
)
def test_mistakes_of_a_target_are_told_before_anything_is_done(
    lines: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    monkeypatch.setenv("TWO_LINES", "a\nb")
    defaults = '[defaults]\ntoken-env = "FLEET_TOKEN"\n'
    (tmp_path / "fleet.toml").write_text(f'{defaults}[[target]]\nname = "a"\nbase-url = "http://x"\n{lines}\n')
    with pytest.raises(UsageError) as error:
        read_fleet(tmp_path / "fleet.toml")
    assert told in str(error.value)


@pytest.mark.parametrize("name", ["fleet.json", "FLEET.jsonl", "leaderboard.html"])
def test_no_target_is_called_as_a_file_of_the_fleet(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    with pytest.raises(UsageError, match=f"a target cannot be called {name}"):
        read_fleet(write_fleet(tmp_path, {name: DEAD}))


def test_paths_in_settings_are_meant_from_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    (target,) = read_fleet(write_fleet(tmp_path, {"a": DEAD}, 'settings = { known-failures = "known.toml" }'))
    assert target.settings["known-failures"] == str(tmp_path / "known.toml")


# Who is next


class AtOnce:
    """A future of a cluster that is done as soon as it is asked for."""

    def __init__(self, told: object) -> None:
        self.status, self._told = "finished", told

    def result(self) -> object:
        return self._told

    def add_done_callback(self, call: Callable[[object], None]) -> None:
        call(self)


class Cluster:
    """Stands in for the client of a cluster, and takes note of what is under way whenever something is submitted."""

    status = "running"

    def __init__(self, told: Callable[[Job], object]) -> None:
        self._told = told
        self.conductor: Conductor | None = None
        self.together: list[list[FleetTarget]] = []

    def submit(self, work: object, job: Job, token: Secret, **options: object) -> AtOnce:
        assert self.conductor is not None
        self.together.append([*self.conductor.running, *(one for one in self.targets if one.name == job.name)])
        return AtOnce(self._told(job))

    def lead(self, folder: Path, targets: list[FleetTarget], per_host: int) -> list[FleetResult]:
        self.targets = targets
        self.conductor = Conductor(cast("Client", self), targets, folder, per_host, Guard())
        return list(self.conductor.certify())


def done(job: Job) -> FleetResult:
    return FleetResult(job.name, job.base_url, Verdict.CONFORMANT, 0)


def target(name: str, base_url: str) -> FleetTarget:
    return FleetTarget(name, base_url, TOKEN)


def test_never_two_at_one_system_whatever_its_names(tmp_path: Path) -> None:
    targets = [
        target("a", "http://pbx.example/api"),
        target("b", "http://PBX.example:80/api"),
        target("c", "http://pbx.example/other"),
        target("d", "http://pbx.example./api"),
        target("e", "http://pbx.example/third"),
    ]
    cluster = Cluster(done)
    assert {one.name for one in cluster.lead(tmp_path, targets, per_host=3)} == set("abcde")
    for together in cluster.together:
        assert len({one.system for one in together}) == len(together), together
        assert len(together) <= 3
    assert max(map(len, cluster.together)) == 3
    locks = [cluster.conductor.job_of(one).lock for one in targets if cluster.conductor]
    assert (locks[0] == locks[1] == locks[3], len(set(locks))) == (True, 3)


def test_a_run_that_is_killed_is_done_again_but_not_for_ever(tmp_path: Path) -> None:
    cluster = Cluster(lambda _: Killed("the run was killed by signal 9"))
    (result,) = cluster.lead(tmp_path, [target("a", DEAD)], per_host=1)
    assert len(cluster.together) == TRIES
    assert (result.verdict, result.exit_code, result.reason) == ("incomplete", 3, "the run was killed by signal 9")


def test_two_fleets_on_one_cluster_do_not_take_the_results_of_each_other(tmp_path: Path) -> None:
    keys = []

    class Listening(Cluster):
        def submit(self, work: object, job: Job, token: Secret, **options: object) -> AtOnce:
            keys.append(options["key"])
            return super().submit(work, job, token, **options)

    for _ in range(2):
        Listening(done).lead(tmp_path, [target("a", DEAD)], per_host=1)
    assert len(set(keys)) == 2


# What a worker does


def job(folder: Path, base_url: str, version: str = __version__, **settings: Any) -> Job:
    return Job(version, "a", base_url, str(folder / "a"), str(folder / "lock"), settings)


QUICK: dict[str, Any] = {"level": "core", "only": ["SHOW-4"]}


def test_the_report_of_an_earlier_run_is_not_taken_for_the_outcome(servers: ExitStack, tmp_path: Path) -> None:
    (server, _) = serve(servers, 1)["000-Reference"]
    before = certify_target(job(tmp_path, server.base_url, **QUICK), Secret(TOKEN))
    assert isinstance(before, FleetResult)
    assert before.requirements
    now = certify_target(job(tmp_path, server.base_url, timeout="soon"), Secret(TOKEN))
    assert isinstance(now, FleetResult)
    assert (now.exit_code, now.requirements) == (2, {})
    assert "timeout" in now.reason
    assert not (tmp_path / "a" / "report.html").exists()


def runs_below(process: int) -> list[int]:
    """Return the processes of runs that a process has started."""
    return [
        child.pid
        for child in psutil.Process(process).children()
        if "provider_conformance.fleet.guarded" in child.cmdline()
    ]


def held_by(server: ThreadServer) -> int:
    """Count what a server holds, without a request."""
    return server.reference.store.page(0, 10, "id")[0]


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_killed_run_leaves_is_destroyed_at_once(servers: ExitStack, tmp_path: Path) -> None:
    server = servers.enter_context(ThreadServer(Slow(Store(), TOKEN)))

    def kill() -> None:
        wait_for(lambda: held_by(server))
        os.kill(runs_below(os.getpid())[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    told = certify_target(job(tmp_path, server.base_url, level="core"), Secret(TOKEN))
    killer.join()
    assert told == Killed("the run was killed by signal 9")
    assert held_by(server) == 0


def test_a_run_that_is_told_to_end_twice_at_once_still_cleans_up(servers: ExitStack, tmp_path: Path) -> None:
    """Whoever ends all processes of a service ends its worker, too, which ends the run again."""
    server = servers.enter_context(ThreadServer(Slow(Store(), TOKEN)))
    words = [sys.executable, "-m", "provider_conformance.fleet.guarded", "run", server.base_url, "--level", "core"]
    environment = os.environ | {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdin=subprocess.PIPE) as run:
        wait_for(lambda: held_by(server))
        run.send_signal(signal.SIGTERM)
        time.sleep(0.05)
        assert run.stdin is not None
        run.stdin.close()
        assert run.wait(60) == 3
    assert held_by(server) == 0
    assert (tmp_path / "provider-conformance-report" / "report.json").exists()


def test_a_worker_of_another_version_certifies_nothing(tmp_path: Path) -> None:
    told = certify_target(job(tmp_path, DEAD, version="0.0.0"), Secret(TOKEN))
    assert isinstance(told, FleetResult)
    assert f"has version {__version__}, not 0.0.0" in told.reason


def test_a_token_is_not_sent_to_where_a_system_was_before(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.run("http://127.0.0.1:1/old")
    journal.create("x")
    journal.close()
    (tmp_path / "a").mkdir()
    (tmp_path / "journal.jsonl").rename(tmp_path / "a" / "journal.jsonl")
    told = certify_target(job(tmp_path, DEAD), Secret(TOKEN))
    assert isinstance(told, FleetResult)
    assert "left something at http://127.0.0.1:1/old" in told.reason
    assert told.left == 1


def test_what_nobody_waits_for_any_more_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither while a task waits for the lock, nor once it has it: what is there stays as it is."""
    report = tmp_path / "a" / "report.json"
    report.parent.mkdir()
    report.touch()
    wanted = iter([True, True, False])
    monkeypatch.setattr("provider_conformance.fleet.task._wanted", lambda: next(wanted))

    with locked(tmp_path / "lock"):
        waiting = certify_target(job(tmp_path, DEAD), Secret(TOKEN))
    assert next(wanted, "asked at each look") == "asked at each look"
    assert isinstance(waiting, FleetResult)
    assert (waiting.verdict, waiting.reason) == ("incomplete", "nobody waits for it any more")

    monkeypatch.setattr("provider_conformance.fleet.task._wanted", lambda: False)
    assert certify_target(job(tmp_path, DEAD), Secret(TOKEN)) == waiting
    assert [path.name for path in report.parent.iterdir()] == ["report.json"]

    monkeypatch.setattr("provider_conformance.fleet.task._wanted", lambda: True)
    begun = certify_target(job(tmp_path, DEAD), Secret(TOKEN))
    assert isinstance(begun, FleetResult)
    assert "connection refused" in begun.reason


def test_a_lock_that_can_be_none_is_the_reason_why_a_system_is_not_certified(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    told = certify_target(job(tmp_path, DEAD), Secret(TOKEN))
    assert isinstance(told, FleetResult)
    assert told.reason == f"cannot open the lock {tmp_path / 'lock'}: Is a directory"


def test_what_a_run_prints_is_read_by_nobody_else(tmp_path: Path) -> None:
    output = tmp_path / "a" / "output.txt"
    output.parent.mkdir(mode=0o755)
    for _ in range(2):  # a new file, and one that is there
        certify_target(job(tmp_path, DEAD), Secret(TOKEN))
        assert b"connection refused" in output.read_bytes()
        assert stat.S_IMODE(output.stat().st_mode) == 0o600
        output.chmod(0o644)


def test_a_header_that_may_be_a_secret_is_shown_nowhere(servers: ExitStack, tmp_path: Path) -> None:
    (server, _) = serve(servers, 1)["000-Reference"]
    task = job(tmp_path, server.base_url, **QUICK, header={"Authorization": "Bearer 0123456789"})
    assert "0123456789" not in repr(task)
    certify_target(task, Secret(TOKEN))
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"0123456789" not in path.read_bytes(), path


# The command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_fleet_that_leaves_nothing_and_can_be_resumed(
    number: signal.Signals, servers: ExitStack, tmp_path: Path
) -> None:
    server = servers.enter_context(ThreadServer(Slow(Store(), TOKEN)))
    write_fleet(tmp_path, {"a": server.base_url}, 'settings = { level = "core", only = ["CREATE-1"] }')
    fleet = start_fleet(tmp_path, start_new_session=True)
    wait_for(lambda: held_by(server))
    os.killpg(fleet.pid, number)  # as a terminal does
    output, _ = fleet.communicate(timeout=60)
    assert fleet.returncode == 3, output
    assert held_by(server) == 0
    assert output.splitlines() == [
        "1 of 1 implementations to certify",
        "the run was interrupted: the runs under way destroy what they have created",
        "0 of 1 implementations are certified: --resume goes on",
    ]
    code, output = certify_fleet(tmp_path, "--resume")
    assert (code, "1/1 incomplete" in output) == (3, True), output


def test_only_one_fleet_at_a_time_works_in_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    file = write_fleet(tmp_path, {"a": DEAD})
    with locked(tmp_path / "out" / ".lock"):
        assert main(["fleet", str(file), "--report-dir", str(tmp_path / "out")]) == 2
    assert "another fleet is at work" in capsys.readouterr().err


@pytest.fixture
def done_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The words that resume a fleet, in the folder `out`, which has come to its end."""
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    file, out = write_fleet(tmp_path, {"a": DEAD}), tmp_path / "out"
    out.mkdir()
    Notebook(out / "fleet.jsonl", resume=False).add(FleetResult("a", DEAD, Verdict.CONFORMANT, 0))
    return "fleet", str(file), "--report-dir", str(out), "--resume"


@pytest.mark.parametrize(
    ("name", "told"), [(".lock", "cannot open the lock {}"), ("fleet.jsonl", "cannot keep what comes out in {}")]
)
def test_a_file_that_a_fleet_cannot_write_is_told_in_a_line(
    name: str, told: str, done_fleet: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(done_fleet) == 0
    path = tmp_path / "out" / name
    path.unlink()
    path.mkdir()
    assert main(done_fleet) == 2
    assert capsys.readouterr().err == f"Error: {told.format(path)}: Is a directory\n"


def test_a_file_system_without_locks_is_told_in_a_line(
    done_fleet: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    assert main(done_fleet) == 0
    monkeypatch.setattr("provider_conformance.fleet.task.fcntl.flock", refuse)
    assert main(done_fleet) == 2
    assert capsys.readouterr().err == f"Error: cannot lock {tmp_path / 'out' / '.lock'}: No locks available\n"


def test_a_reader_that_goes_away_is_no_verdict(tmp_path: Path) -> None:
    write_fleet(tmp_path, {"a": DEAD})
    (tmp_path / "out").mkdir()
    notes = Notebook(tmp_path / "out" / "fleet.jsonl", resume=False)
    notes.add(FleetResult("a", DEAD, Verdict.CONFORMANT, 0))
    read, write = os.pipe()
    os.close(read)
    fleet = start_fleet(tmp_path, "--resume", stdout=write)
    os.close(write)
    assert fleet.wait(60) == 4
    assert (tmp_path / "out" / "leaderboard.html").exists()


def test_a_leaderboard_that_cannot_be_written_is_told_and_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLEET_TOKEN", TOKEN)
    file, out = write_fleet(tmp_path, {"a": DEAD}), tmp_path / "out"
    (out / "leaderboard.html").mkdir(parents=True)
    notes = Notebook(out / "fleet.jsonl", resume=False)
    notes.add(FleetResult("a", DEAD, Verdict.CONFORMANT, 0))
    assert main(["fleet", str(file), "--report-dir", str(out), "--resume"]) == 4
    captured = capsys.readouterr()
    assert "could not be written: Is a directory" in captured.out
    assert "defect" not in captured.err


def test_a_system_that_has_moved_is_certified_anew(tmp_path: Path) -> None:
    notes = Notebook(tmp_path / "fleet.jsonl", resume=False)
    notes.add(FleetResult("a", DEAD, Verdict.CONFORMANT, 0))
    assert notes.knows(target("a", DEAD))
    assert not notes.knows(target("a", "http://elsewhere.example/api"))


def test_what_listens_and_is_no_scheduler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provider_conformance.fleet.conduct.CONNECTING", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at {address}"), cluster(address, 1):
            pass


def test_nobody_else_on_this_machine_speaks_to_the_workers_of_a_fleet() -> None:
    with cluster(None, 1) as client:
        address = str(client.scheduler_info()["address"])
        assert address.startswith("tls://")
        with pytest.raises(UsageError), cluster(address, 1):
            pass


@pytest.mark.fleets
def test_a_fleet_that_is_killed_ends_its_runs_on_a_cluster(servers: ExitStack, tmp_path: Path) -> None:
    server = servers.enter_context(ThreadServer(Slow(Store(), TOKEN)))
    write_fleet(tmp_path, {"a": server.base_url})
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    scheduler = ["scheduler", "--host", address, "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)]
    for number, words in enumerate((scheduler, worker)):
        command = [sys.executable, "-m", f"distributed.cli.dask_{words[0]}", *words[1:]]
        log = servers.enter_context((tmp_path / f"{number}.log").open("wb"))
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        servers.callback(process.wait)
        servers.callback(process.terminate)

    fleet = start_fleet(tmp_path, "--scheduler", address)
    wait_for(lambda: held_by(server))
    fleet.kill()
    fleet.communicate()
    wait_for(lambda: held_by(server) == 0)
    code, output = certify_fleet(tmp_path, "--scheduler", address, "--resume")
    assert (code, "1/1 incomplete" in output) == (3, True), output
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fleet(tmp_path, {"a": DEAD})
    code, output = certify_fleet(tmp_path, "--scheduler", "nonsense://127.0.0.1:1")
    assert code == 2
    assert "no Dask scheduler answers at nonsense://127.0.0.1:1" in output
