"""The command that searches: it finds what a certification misses, tells other machines, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis.database import InMemoryExampleDatabase

from command import TOKEN, certify
from provider_conformance.example_database import Examples
from provider_conformance.faults.catalogue import find_fault
from provider_conformance.journal import read_leftovers
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from test_ci_formats import actionlint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider_conformance.reference.messages import Properties, Request

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / "docs" / "examples" / "nightly-workflow.yml"
MOST_NIGHTS = 20
PLAUSIBLE = ("--level", "core")
"""Leaves out what is about unusual values and text."""

SIXTY, ONE = ("--examples", "60", "--repeat", "1"), ("--examples", "1", "--repeat", "2")
"""Efforts with a seed each: what is found then is no matter of luck."""


class Unlucky(Reference):
    """Stores something else for one in two hundred ports and intervals.

    Its ids are none of these numbers, which a replay would take for them.
    """

    numbers = frozenset({"port", "outbound_server_port", "reregister_interval"})

    def prepare(self) -> None:
        self.next_id = 7_000_000

    def new_id(self, properties: Properties) -> int | None:
        self.next_id += 1
        return self.next_id

    def insert(self, properties: Properties) -> int:
        return super().insert(self.spoilt(properties))

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        return super().apply_update(provider_id, self.spoilt(properties))

    def spoilt(self, properties: Properties) -> Properties:
        return {
            name: 5060 if name in self.numbers and value % 200 == 177 else value for name, value in properties.items()
        }


class Forgetful(Reference):
    """Loses one update in thirty, whatever is in it."""

    def prepare(self) -> None:
        self.dice = random.Random(3)

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        lost = {"port": 1} if self.dice.random() < 1 / 30 else {}
        return super().apply_update(provider_id, {**properties, **lost})


class Spoiling(Reference):
    """Stores another port than is created."""

    def insert(self, properties: Properties) -> int:
        return super().insert({**properties, "port": 1})


class Overloaded(Reference):
    """Has no time to update anything."""

    def answer(self, request: Request) -> Any:
        answer = super().answer(request)
        if request.operation != "update":
            return answer
        return type(answer)(503, b"{}", "application/json", (("Retry-After", "3600"),))


@contextmanager
def serving(implementation: type[Reference]) -> Iterator[ThreadServer]:
    with ThreadServer(implementation(Store("sqlite://"), TOKEN)) as server:
        yield server
        assert server.reference.store.page(0, 10, "id")[0] == 0, "something is left"


@dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    output: str
    report: dict[str, Any]

    @property
    def exchanges(self) -> int:
        return int(self.report["statistics"]["exchanges"])

    @property
    def failed(self) -> set[str]:
        return {one["id"] for one in self.report["requirements"] if one["outcome"] == "fail"}


def environment(**more: str) -> dict[str, str]:
    search_path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    return os.environ | {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": search_path} | more


def call(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "provider_conformance", *map(str, arguments)]
    return subprocess.run(command, env=environment(), cwd=cwd, capture_output=True, text=True, timeout=240, check=False)


def search(folder: Path, server: ThreadServer, *options: str | Path) -> Done:
    """Search as one machine does: a process and a folder of its own."""
    folder.mkdir(exist_ok=True)
    done = call("search", server.base_url, "--report-dir", "found", *options, cwd=folder)
    report = folder / "found" / "report.json"
    return Done(done.returncode, done.stdout + done.stderr, json.loads(report.read_bytes()) if report.exists() else {})


def found_some_night(folder: Path, server: ThreadServer, database: str | Path) -> Done:
    """Search on one machine night after night, until something is found."""
    nights = [Done(3, "", {})]
    while nights[-1].code == 3 and len(nights) <= MOST_NIGHTS:
        night = ("--examples", "200", "--database", database, "--repeat", str(len(nights)))
        nights.append(search(folder, server, *PLAUSIBLE, *night))
    return nights[-1]


def test_what_a_certification_misses_is_found_and_known_to_other_machines(tmp_path: Path) -> None:
    database = tmp_path / "database"
    with serving(Unlucky) as server:
        assert certify(tmp_path, server.base_url, "--only", "CREATE-4", "--only", "UPDATE-2").ids("fail") == set()

        first = found_some_night(tmp_path / "a", server, database)
        assert (first.code, first.failed <= {"CREATE-4", "UPDATE-2"}) == (1, True), first.output
        assert first.report["verdict"] == "nonconformant"

        # Another one, which would not find it by itself.
        second = search(tmp_path / "b", server, *PLAUSIBLE, *ONE, "--database", database)
        assert second.code == 1, second.output
        assert second.failed & first.failed
        assert second.exchanges < min(300, first.exchanges / 2)

        for machine in ("a", "b"):
            verified = call("verify", "found", cwd=tmp_path / machine)
            assert verified.returncode == 0, verified.stdout
            replayed = call("replay", "found", server.base_url, cwd=tmp_path / machine)
            assert replayed.returncode == 1, replayed.stdout
            assert "still fails" in replayed.stdout
            assert "no longer fails" not in replayed.stdout


def test_the_smallest_values_are_told_and_what_is_mended_leaves_the_database(tmp_path: Path) -> None:
    fault, database = find_fault("create-wraps-high-ports"), tmp_path / "database"
    options = (*PLAUSIBLE, *SIXTY, "--database", database)
    with serving(fault.implementation) as server:
        found = search(tmp_path / "a", server, *options)
    (failed,) = [one for one in found.report["requirements"] if one["id"] == fault.requirements[0]]
    assert found.code == 1, found.output
    assert failed["failures"][0]["differences"][0]["expected"] == "32768"

    # A fixed number of the values on the way to the smallest is tried each night.
    kept = [files_in(database)]
    while kept[-1] > 1 and len(kept) < MOST_NIGHTS:
        with serving(Reference) as server:
            mended = search(tmp_path / "b", server, *PLAUSIBLE, *ONE, "--database", database)
        assert mended.code == 3, mended.output
        kept.append(files_in(database))
    assert kept[-1] <= 1, kept


def files_in(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_orders_of_operations_are_found_within_bounds(tmp_path: Path) -> None:
    fault = find_fault("create-keeps-ips-of-previous")
    with serving(fault.implementation) as server:
        found = search(tmp_path, server, *PLAUSIBLE, "--examples", "100", "--repeat", "1")
    assert found.code == 1, found.output
    assert found.failed & set(fault.requirements)
    assert found.exchanges < 6_000


def test_a_failure_that_does_not_repeat_is_one_and_is_told_so(tmp_path: Path) -> None:
    with serving(Forgetful) as server:
        found = search(tmp_path, server, *PLAUSIBLE, "--examples", "100", "--repeat", "1")
    assert found.code == 1, found.output
    assert found.failed == {"UPDATE-2"}
    assert found.report["options"]["unrepeated"] == ["UPDATE-2"]
    assert found.report["options"]["untried"] == []
    assert "UPDATE-2 was broken once, and not when the same values were sent again" in found.output


BOUNDED = """
from provider_conformance import deep
from provider_conformance.__main__ import main

def all_within(hunt, usual=deep.Hunt.all):
    deep.MOST_REQUESTS = hunt._sent + NUMBER
    usual(hunt)

deep.Hunt.all = all_within
main()
"""


def search_within(requests: int, folder: Path, server: ThreadServer) -> Done:
    """Search with so many requests for all properties, the two that there are at level core."""
    words = ["search", server.base_url, *PLAUSIBLE, *ONE, "--report-dir", "found"]
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED.replace("NUMBER", str(requests)), *words],
        env=environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, json.loads((folder / "found" / "report.json").read_bytes()))


def test_of_what_was_not_sent_again_nobody_says_that_it_did_not_repeat(tmp_path: Path) -> None:
    with serving(Spoiling) as server:
        ended, whole = (search_within(requests, tmp_path, server) for requests in (2, 400))

    assert (ended.code, whole.code) == (1, 1), ended.output + whole.output
    assert ended.failed == {"CREATE-4"}
    assert "CREATE-4" in whole.failed
    options = [[done.report["options"][name] for name in ("unrepeated", "untried")] for done in (ended, whole)]
    assert options == [[[], ["CREATE-4"]], [[], []]]
    assert "was broken once, and not when" not in ended.output
    told = "CREATE-4 was broken once, and the search ended before the same values were sent again"
    assert (told in ended.output, told in whole.output) == (True, False)


def test_nobody_is_blamed_who_conforms_and_nothing_of_others_is_touched(tmp_path: Path) -> None:
    with serving(Reference) as server:
        theirs = {**BODY, "in_parameters": [], "out_parameters": []}
        identity = server.reference.store.insert(theirs)
        before = server.reference.store.get(identity)
        done = search(tmp_path, server, "--examples", "40")
        assert server.reference.store.get(identity) == before
        server.reference.store.delete(identity)
    assert done.code == 3, done.output
    assert done.report["verdict"] == "incomplete"
    assert {one["outcome"] for one in done.report["requirements"]} == {"not_tested"}
    assert f"nothing found in {done.exchanges} exchanges" in done.output.splitlines()[-1]
    cleanup = done.report["cleanup"]
    assert cleanup["created"] == cleanup["destroyed"] > 100
    assert read_leftovers(tmp_path / "found" / "journal.jsonl").nothing
    verified = call("verify", "found", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout


BODY: dict[str, Any] = {
    "name": "Office",
    "auth_mode": "REGISTER_AUTH",
    "protocol": "UDP",
    "require_register": True,
    "password": "theirs",
    "reregister_interval": 600,
    "port": 5060,
    "ips": [],
    "auth_id": "office",
    "outbound_server": "proxy.example.com",
    "status": "ONLINE",
    "hostname": "office.example.com",
    "outbound_server_port": 5070,
    "provider_in_lan": False,
    "single_via_header": False,
}


def test_values_differ_each_time_unless_a_seed_is_repeated(tmp_path: Path) -> None:
    def sent(*options: str) -> tuple[int, str]:
        with serving(Reference) as server:
            report = search(tmp_path, server, "--examples", "10", *options).report
        return report["seed"], report["statistics"]["requests_sha256"]

    first, second = sent(), sent()
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert sent("--repeat", str(first[0])) == first


def test_what_could_not_be_tested_stays_in_the_database(tmp_path: Path) -> None:
    fault, database = find_fault("update-truncates-names"), tmp_path / "database"
    options = (*PLAUSIBLE, *SIXTY, "--database", database)
    with serving(fault.implementation) as server:
        assert search(tmp_path / "a", server, *options).code == 1
    kept = sorted(database.rglob("*"))
    with serving(Overloaded) as server:
        assert search(tmp_path / "b", server, *PLAUSIBLE, *ONE, "--database", database).code == 3
    assert sorted(database.rglob("*")) == kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_search_and_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "provider_conformance", "search"]
    journal = tmp_path / "found" / "journal.jsonl"
    with serving(Reference) as server:
        process = subprocess.Popen(
            [*command, server.base_url, "--examples", "100000", "--report-dir", "found"],
            env=environment(),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 200):
            time.sleep(0.01)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 3, output
    report = json.loads((tmp_path / "found" / "report.json").read_bytes())
    assert report["cleanup"]["left"] == []
    assert "the run was interrupted" in json.dumps(report["requirements"])


def test_a_system_that_is_away_is_not_taken_for_one_without_failures(tmp_path: Path) -> None:
    done = call("search", "http://127.0.0.1:1/api", "--report-dir", "found", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1].startswith("nothing found, for the system cannot be searched: cannot reach")


def test_the_time_ends_a_search(tmp_path: Path) -> None:
    with serving(Reference) as server:
        started = time.monotonic()
        done = search(tmp_path, server, "--examples", "100000", "--max-time", "4")
    assert done.code == 3, done.output
    assert time.monotonic() - started < 20
    # Each property had its share.
    assert {"CREATE-4", "UPDATE-3", "VALUE-1", "HTTP-7"} <= {
        one["id"] for one in done.report["requirements"] if one["exchanges"]
    }


# Redis


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("redis", reason="the package redis is absent: it comes with the extra `search`")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is absent")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(500):
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.01)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def test_machines_tell_each_other_by_redis(redis_url: str, tmp_path: Path) -> None:
    with serving(Unlucky) as server:
        first = found_some_night(tmp_path / "a", server, redis_url)
        alone = search(tmp_path / "b", server, *PLAUSIBLE, *ONE)
        second = search(tmp_path / "c", server, *PLAUSIBLE, *ONE, "--database", redis_url)
    assert (first.code, alone.code, second.code) == (1, 3, 1), first.output + alone.output + second.output
    assert second.exchanges < first.exchanges / 2


def test_a_redis_server_that_is_away_is_told_in_a_line_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the package redis is absent: it comes with the extra `search`")
    with serving(Reference) as server:
        done = search(tmp_path, server, "--database", "redis://:secret-1234@127.0.0.1:1/0")
    assert done.code == 2
    assert done.output.splitlines() == ["Error: cannot reach the Redis server at redis://127.0.0.1:1: ConnectionError"]


@pytest.mark.parametrize("query", ["foo=bar", "db=x", "retry=x"])
def test_a_query_that_means_nothing_to_redis_is_told_in_a_line(redis_url: str, query: str, tmp_path: Path) -> None:
    with serving(Reference) as server:
        assert search(tmp_path, server, *ONE, "--database", f"{redis_url}?socket_keepalive=1").code == 3
        done = search(tmp_path, server, *ONE, "--database", f"{redis_url}?{query}&password=secret-1234")
    assert done.code == 2
    (line,) = done.output.splitlines()
    assert line.startswith(f"Error: --database {redis_url.removesuffix('/0')} is no URL of a Redis server: ")


def test_a_database_that_is_lost_on_the_way_is_told_once_and_done_without() -> None:
    class Lost(InMemoryExampleDatabase):
        def save(self, key: bytes, value: bytes) -> None:
            raise TimeoutError

    notes: list[str] = []
    examples = Examples(Lost(), "redis", (OSError,), notes.append)
    for _ in range(2):
        examples.save(b"key", b"value")
    assert list(examples.fetch(b"key")) == []
    assert notes == ["the example database is lost (TimeoutError): the search goes on without it"]


def test_an_absent_package_is_told_in_a_line(tmp_path: Path) -> None:
    absent = "import sys\nsys.modules['redis'] = None\nfrom provider_conformance.__main__ import main\nmain()"
    arguments = ["search", "http://127.0.0.1:1/api", "--database", "redis://127.0.0.1/0"]
    done = subprocess.run(
        [sys.executable, "-c", absent, *arguments],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("install it with: pip install 'sip-provider-conformance[search]'")


@pytest.mark.parametrize(
    ("database", "complaint"),
    [("/proc/none", "cannot keep examples in /proc/none"), ("http://x/", "--database is a directory or a URL")],
)
def test_a_database_that_cannot_be_is_refused(database: str, complaint: str, tmp_path: Path) -> None:
    with serving(Reference) as server:
        done = search(tmp_path, server, "--database", database)
    assert done.code == 2
    assert complaint in done.output


# the workflow


def test_the_workflow_passes_actionlint(tmp_path: Path) -> None:
    done = actionlint(WORKFLOW.read_text("utf-8"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_github_takes_the_workflow() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_keeps_the_database_whatever_is_found() -> None:
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["search"]["steps"]
    saves = [step for step in steps if step.get("uses", "").startswith("actions/cache/save@")]
    assert [step["if"] for step in saves] == ["always()"]
