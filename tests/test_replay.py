"""A replay repeats failures, on providers of its own alone, and leaves nothing behind, whatever ends it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN
from greedy import FIRST_ID, Greedy
from provider_conformance import evidence
from provider_conformance.contract import Level
from provider_conformance.exchange import Exchange, Request, Response
from provider_conformance.judge import Problem
from provider_conformance.record import Circumstances, Claim, Record
from provider_conformance.values.strange import as_form, as_multipart, as_xml
from test_cleanup import command, environment, provider

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OLD = 22
"""The id of the provider in the recorded run: somebody else's where it is replayed."""

OTHERS = {number: provider(f"Office {number}") for number in range(1, 51)}
NAME = "pconf-3054-15"
BODY = provider(NAME) | {"auth_id": "user305415", "hostname": "sip-305415.example.com"}
USUAL = (("Host", "127.0.0.1"), ("User-Agent", "x"), ("Accept", "application/json"), ("access_token", "masked-token-0"))


def sent(
    operation: str | None,
    body: bytes | dict[str, Any] | None = None,
    *,
    target: str = "",
    method: str = "POST",
    gives: object = None,
    headers: Sequence[tuple[str, str]] = (),
) -> tuple[Any, ...]:
    """Say what the recorded run has sent, and what it was given with 200."""
    payload = json.dumps(body).encode() if isinstance(body, dict) else body
    declared = () if payload is None else (("Content-Type", "application/json"),)
    request = Request(method, target or f"/api/providers/{operation}", (*USUAL, *declared, *headers), payload)
    return operation, request, Response(200, "OK", (), json.dumps(gives).encode())


CREATE = sent("create", BODY, gives={"id": OLD})


REQUIREMENTS = ("CREATE-7", "CREATE-8", "DESTROY-4", "DESTROY-5", "UPDATE-6")
"""Of each, a report tells five failures at most."""


def recorded(folder: Path, *stories: Sequence[tuple[Any, ...]], **options: Any) -> Path:
    """Write the evidence of a run in which the last request of each story was to be refused, and was not."""
    exchanges: list[Exchange] = []
    claims = []
    for index, story in enumerate(stories):
        numbers = range(len(exchanges) + 1, len(exchanges) + len(story) + 1)
        exchanges += [Exchange(number, *one) for number, one in zip(numbers, story, strict=True)]
        what = "x" * (index + 1)
        told = Problem(f"it is not refused {what}", "", "")
        claims.append(
            Claim(REQUIREMENTS[index // 5], "refused", (numbers[-1],), {"what": what}, told, story=tuple(numbers[:-1]))
        )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    circumstances = Circumstances(
        *("0.1.0", "1.0.0", "a" * 64, "1.0.0", "b" * 64, "http://127.0.0.1:1/api/providers"),
        level=Level.HARDENED,
        seed=1,
        options=options,
        selected=REQUIREMENTS,
        started=now,
        finished=now,
        diagnosis="",
        token_length=len(TOKEN),
    )
    reports = folder / "reports"
    reports.mkdir()
    evidence.write(Record(circumstances, tuple(exchanges), tuple(claims), {}), reports)
    return reports


def replayed(folder: Path, server: Greedy, *options: str) -> subprocess.CompletedProcess[str]:
    return command("replay", str(folder), server.base_url, *options, cwd=folder)


WRITTEN: dict[str, bytes] = {
    "as documented": b'{"id":22}',
    "as a form": as_form({"id": OLD}),
    "as XML": as_xml({"id": OLD}),
    "as a form in parts": as_multipart({"id": OLD}),
    "under a name in capitals": b'{"ID":22}',
    "under another name": b'{"provider_id":22}',
    "under no name": b'{"":22}',
    "one level deeper": b'{"provider":{"id":22}}',
    "in an array under another name": b'{"ids":[22]}',
    "bare": b"22",
    "bare in an array": b"[22]",
    "twice in an array": b'{"id":[22,22]}',
    "in a string of JSON": json.dumps('{"id":22}').encode(),
    "as text": b'{"id":"22 "}',
    "as a fraction": b'{"id":22.25}',
    "negated": b'{"id":-22}',
    "beyond int64": b'{"id":%d}' % (OLD + 2**64),
    "far beyond int64": b'{"id":%d}' % (OLD + 2**128),
    "in UTF-16": json.dumps({"id": OLD}).encode("utf-16"),
}


def test_ids_are_renewed_however_they_are_written(tmp_path: Path) -> None:
    reports = recorded(tmp_path, *[[CREATE, sent("destroy", body)] for body in WRITTEN.values()])
    with Greedy(OTHERS) as server:
        done = replayed(reports, server)
        assert server.theirs == OTHERS
        assert server.ours == {}
    assert done.returncode == 1, done.stdout
    assert done.stdout.count(" still fails: ") == len(WRITTEN), done.stdout


STRANGE = {
    "another name": b'{"ids":[31]}',
    "a form": b"id=31",
    "no name": b"31",
    "text with escapes": b'{"id":"\\u0033\\u0031"}',
    "what is 31 in 64 bits": b'{"id":%d}' % (31 + 2**64),
}


def test_what_may_be_about_somebody_else_is_not_sent(tmp_path: Path) -> None:
    reports = recorded(tmp_path, *[[CREATE, sent("destroy", body)] for body in STRANGE.values()])
    nobody_31 = {5: OTHERS[5]}

    with Greedy(OTHERS) as server:
        done = replayed(reports, server)
        assert (done.returncode, server.theirs) == (3, OTHERS), done.stdout
        assert done.stdout.count("it may touch somebody else's provider") == len(STRANGE), done.stdout
    with Greedy(nobody_31) as server:
        done = replayed(reports, server)
        assert (done.returncode, server.theirs) == (1, nobody_31), done.stdout
        assert done.stdout.count(" still fails: ") == len(STRANGE), done.stdout


def test_an_id_of_the_recorded_run_that_cannot_be_renewed_is_not_sent(tmp_path: Path) -> None:
    reports = recorded(tmp_path, [sent("destroy", {"id": OLD})])
    with Greedy() as server:
        done = replayed(reports, server)
        assert done.returncode == 3
        assert "it bears an id of the recorded run" in done.stdout
        assert server.sent_to("destroy") == []


def test_of_get_only_show_and_list_are_sent_whoever_they_are_about(tmp_path: Path) -> None:
    destroy = sent(None, target="/api/providers/destroy?id=31", method="GET")
    show = sent("show", target="/api/providers/show?id=31", method="GET")
    own = sent(None, target=f"/api/providers/destroy?id={OLD}", method="GET")
    reports = recorded(tmp_path, [CREATE, destroy], [CREATE, show], [CREATE, own])

    with Greedy(OTHERS) as server:
        done = replayed(reports, server)
        assert server.theirs == OTHERS
        assert [one.target.partition("?")[2] for one in server.sent_to("destroy") if one.method == "GET"] == ["id=900"]
    answers = [" ".join(line.split()[2:4]) for line in done.stdout.splitlines()]
    assert answers == ["cannot tell:", "still fails:", "still fails:"], done.stdout


def test_a_number_that_is_no_id_stays_what_it_is(tmp_path: Path) -> None:
    # A port, and an array of anything, may hold the id of somebody, and the one that is to be renewed.
    body = {**BODY, "id": OLD, "port": OLD, "ips": [[31], {"id": OLD}], "in_parameters": [OLD]}
    reports = recorded(tmp_path, [CREATE, sent("update", body)])
    with Greedy(OTHERS) as server:
        done = replayed(reports, server)
        (update,) = server.sent_to("update")
    assert done.returncode == 1, done.stdout
    members = json.loads(update.body)
    assert members["id"] == FIRST_ID
    assert {name: members[name] for name in ("port", "ips", "in_parameters")} == {
        name: body[name] for name in ("port", "ips", "in_parameters")
    }


def test_a_number_beside_the_id_needs_no_more_than_a_provider(tmp_path: Path) -> None:
    first = sent("create", BODY | {"name": "pconf-3054-1"}, gives={"id": 1})
    too_long = sent("update", {**BODY, "id": 1, "padding": "x" * 20_000})
    odd = sent("update", {**BODY, "id": OLD, "": 1})
    reports = recorded(tmp_path, [first, too_long, CREATE, odd])
    content = (reports / evidence.FILE_NAME).read_bytes()
    record = evidence.read(content)
    (claim,) = record.claims
    evidence.write(replace(record, claims=(replace(claim, story=(3,)),)), reports)

    with Greedy() as server:
        done = replayed(reports, server)
        (update,) = server.sent_to("update")
    assert done.returncode == 1, done.stdout
    assert {json.loads(update.body)[name] for name in ("id", "")} == {FIRST_ID, FIRST_ID + 1}


def without(name: str) -> tuple[Any, ...]:
    return sent("create", {key: value for key, value in BODY.items() if key != name}, gives={"id": OLD})


def test_what_one_failure_has_created_is_gone_before_the_next(tmp_path: Path) -> None:
    reports = recorded(tmp_path, *[[CREATE, without("port")]] * 5)
    with Greedy(OTHERS) as server:
        done = replayed(reports, server)
        assert done.stdout.count("still fails") == 5, done.stdout
        assert server.most == 2
        assert (server.theirs, server.ours) == (OTHERS, {})


def test_what_was_created_without_a_name_is_destroyed_as_well(tmp_path: Path) -> None:
    reports = recorded(tmp_path, [without("name")], [sent("create", {}, gives={"id": OLD})])
    with Greedy(OTHERS) as server:
        done = replayed(reports, server)
        assert (done.returncode, server.most) == (1, 1), done.stdout
        assert (server.theirs, server.ours) == (OTHERS, {})


def test_a_create_that_is_refused_now_no_longer_fails(tmp_path: Path) -> None:
    reports = recorded(tmp_path, [without("name")])
    with Greedy() as server:
        server.strict = True
        mended = replayed(reports, server)
        server.strict = False
        still = replayed(reports, server)
    assert (mended.returncode, still.returncode) == (0, 1), mended.stdout + still.stdout


class GivesOthers(Greedy):
    """Stores nothing, and gives each create the id of somebody else."""

    def create(self, _seen: object) -> tuple[int, Any]:
        return 200, {"id": 31}


def test_an_id_that_create_gives_and_that_is_somebody_else_s_is_not_used(tmp_path: Path) -> None:
    reports = recorded(tmp_path, [CREATE, sent("destroy", {"id": OLD})])
    with GivesOthers(OTHERS) as server:
        done = replayed(reports, server)
        assert server.sent_to("create")
        assert server.theirs == OTHERS
    assert done.returncode == 3
    assert "create gives the id 31, which is somebody else's" in done.stdout


def test_what_is_left_is_told_with_what_destroys_it(tmp_path: Path) -> None:
    reports = recorded(tmp_path, [CREATE])
    journal = reports / "replay.jsonl"
    with Greedy(OTHERS, keeps=True) as server:
        done = replayed(reports, server)
        assert done.returncode == 1, "a failure that still fails wins over everything else"
        assert f"LEFT: provider {FIRST_ID}: destroy is answered with 500" in done.stdout
        assert f"provider-conformance cleanup {journal}" in done.stderr
        assert list(server.ours) == [FIRST_ID]

        server.keeps = False
        assert command("cleanup", str(journal), cwd=tmp_path).returncode == 0
        assert (server.theirs, server.ours) == (OTHERS, {})


def test_a_server_that_destroys_nobody_is_given_no_more_than_eight(tmp_path: Path) -> None:
    reports = recorded(tmp_path, *[[CREATE, CREATE, CREATE]] * 5)
    with Greedy(keeps=True) as server:
        done = replayed(reports, server)
        assert server.most <= 8 + 2
    assert "so that no more may be created" in done.stdout


def ended_by(number: signal.Signals, reports: Path, server: Greedy) -> int:
    """Start a replay, end it once its journal knows that something of it lives, and return its exit code."""
    journal = reports / "replay.jsonl"
    arguments = ["replay", str(reports), server.base_url]
    with subprocess.Popen(
        [sys.executable, "-m", "provider_conformance", *arguments],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not (journal.exists() and '"created"' in journal.read_text()):
            time.sleep(0.01)
        process.send_signal(number)
        return process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_ends_a_replay_has_it_clean_up(number: signal.Signals, tmp_path: Path) -> None:
    show = sent("show", target=f"/api/providers/show?id={OLD}", method="GET")
    reports = recorded(tmp_path, [CREATE, *[show] * 20])
    with Greedy(OTHERS, slow=0.1) as server:
        assert ended_by(number, reports, server) == 3
        assert server.most == 1
        assert (server.theirs, server.ours) == (OTHERS, {})
        assert len(server.sent_to("show")) < 15


def test_what_a_killed_replay_has_left_outlives_the_next_one(tmp_path: Path) -> None:
    show = sent("show", target=f"/api/providers/show?id={OLD}", method="GET")
    reports = recorded(tmp_path, [without("name"), *[show] * 5])
    kept = reports / "replay-1.jsonl"
    with Greedy(OTHERS, slow=0.05) as server:
        ended_by(signal.SIGKILL, reports, server)
        assert list(server.ours) == [FIRST_ID]

        second = replayed(reports, server)
        assert f"`provider-conformance cleanup {kept}` destroys what it left" in second.stdout
        assert list(server.ours) == [FIRST_ID]

        assert command("cleanup", str(kept), cwd=tmp_path).returncode == 0
        assert (server.theirs, server.ours) == (OTHERS, {})


def test_names_are_fresh_and_as_long_as_before(tmp_path: Path) -> None:
    # The run that is under way on the same system bears the names of the recorded one, with the same seed.
    update = {**BODY, "id": OLD, "name": f"{NAME} renamed", "hostname": "198.51.100.34"}
    reports = recorded(tmp_path, [CREATE, sent("update", update)])
    underway = {7: BODY}
    with Greedy(underway) as server:
        done = replayed(reports, server)
        (create,), (changed,) = server.sent_to("create"), server.sent_to("update")
        assert server.theirs == underway
    assert done.returncode == 1, done.stdout

    created, updated = json.loads(create.body), json.loads(changed.body)
    nonce = created["name"].split("-")[1]
    assert nonce != "3054"
    assert {name: created[name] for name in ("name", "auth_id", "hostname")} == {
        "name": f"pconf-{nonce}-15",
        "auth_id": f"user{nonce}15",
        "hostname": f"sip-{nonce}15.example.com",
    }
    assert updated["name"] == f"pconf-{nonce}-15 renamed"
    assert updated["hostname"] != update["hostname"]
    assert len(updated["hostname"]) == len(update["hostname"])
    rest = BODY.keys() - {"name", "auth_id", "hostname", "password"}
    assert {name: created[name] for name in rest} == {name: BODY[name] for name in rest}


def test_headers_go_out_once_as_they_were_written(tmp_path: Path) -> None:
    gateway = ("X-Gateway-Key", "masked-header-1")
    small = tuple((name.lower(), value) for name, value in (*USUAL, ("Content-Length", "400"), ("X-Own", "1"), gateway))
    operation, request, response = CREATE
    lower = operation, Request(request.method, request.target, small, request.body), response
    reports = recorded(
        tmp_path, [sent("create", BODY, gives={"id": OLD}, headers=[gateway]), lower], headers=[gateway[0]]
    )
    with Greedy() as server:
        done = replayed(reports, server, "--header", "X-Gateway-Key: open sesame")
        first, second = server.sent_to("create")
    assert done.returncode == 1, done.stdout

    for one, names in ((first, "Host User-Agent Content-Length X-Gateway-Key"), (second, "host content-length x-own")):
        found = [name for name, _ in one.headers]
        assert all(found.count(name) == 1 for name in names.split()), found
        assert len({name.lower() for name in found}) == len(found)
        assert ("x-gateway-key", "open sesame") in [(name.lower(), value) for name, value in one.headers]
    assert all(name == name.lower() for name, _ in second.headers)
