"""Tests of the suite side by side: as many as the providers allow, in stages, and none in another's way."""

from __future__ import annotations

import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from command import TOKEN, certify
from provider_conformance import evidence
from provider_conformance.calm import Calm
from provider_conformance.contract import Operation
from provider_conformance.guard import Guard
from provider_conformance.judge import given_id
from provider_conformance.reference.messages import Answer, RefusedError, Request
from provider_conformance.reference.server import Server, ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.traffic import Traffic
from test_cleanup import command, everybody, provider, python
from test_workers import assert_nobody_is_blamed
from variants.catalogue import VARIANTS

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.record import Record

AT_ONCE = 5
USUAL = ("flask-choosy-with-cap", "flask-hoards-what-it-does-not-know", "handmade-restless-crowd", "core-terse")
OTHERS = [pytest.param(variant.name, marks=pytest.mark.seeds) for variant in VARIANTS if variant.name not in USUAL]


def record(folder: Path) -> Record:
    return evidence.read((folder / "reports" / evidence.FILE_NAME).read_bytes())


def most_alive(run: Record) -> int:
    """Return how many providers the run may have held at a time, by its own record."""
    alive: set[int] = set()
    most = 0
    for exchange in run.exchanges:
        if exchange.operation == Operation.CREATE and exchange.succeeded and (identity := given_id(exchange)):
            alive.add(identity)
        elif exchange.operation == Operation.DESTROY and exchange.succeeded:
            alive.discard(json.loads(exchange.request.body or b"{}").get("id"))
        most = max(most, len(alive))
    return most


@pytest.mark.parametrize(("workers", "providers"), [(8, 8), (16, 24), pytest.param(3, 5, marks=pytest.mark.seeds)])
def test_a_certification_side_by_side_is_one(workers: int, providers: int, tmp_path: Path) -> None:
    with Server(token=TOKEN) as server:
        options = ("--workers", str(workers), "--max-providers", str(providers))
        run = certify(tmp_path, server.base_url, *options)
        assert everybody(server) == []

    assert run.report["verdict"] == "conformant", run.told()
    assert run.report["cleanup"]["left"] == []
    numbers = [exchange.number for exchange in record(tmp_path).exchanges]
    assert numbers == sorted(set(numbers))
    # Overlapping creates may be answered before a destroy that was sent first is.
    assert most_alive(record(tmp_path)) <= providers
    verified = command("verify", "reports/report.json", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr


KEEPING_TO_WHAT_WAS_SAID = """
import sys
from pathlib import Path
from provider_conformance.config import Config
from provider_conformance.progress import Silence
from provider_conformance.room import Room
from provider_conformance.run import certify

take = Room.take

def watched(room, share, least, most):
    if share.by_batches and share.taken and least > share.batch and not room.has_only(share):
        print(f"{sys._getframe(4).f_code.co_name} holds {share.taken} of {share.batch}, and asks for {least}")
    take(room, share, least, most)

Room.take = watched
certify(Config(sys.argv[1], sys.argv[2], workers=8, report_dir=Path("reports")), Silence())
"""


def test_no_test_wants_more_beside_what_it_holds_than_it_has_said(tmp_path: Path) -> None:
    # Two that hold one each, and want all, wait for each other: seldom, which is why it is not left to chance here.
    with Server(token=TOKEN) as server:
        done = python("-c", KEEPING_TO_WHAT_WAS_SAID, server.base_url, TOKEN, cwd=tmp_path)

    assert (tmp_path / "reports" / "journal.jsonl").exists(), done.stderr
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.parametrize("name", [*USUAL, *OTHERS])
def test_what_runs_side_by_side_blames_nobody(name: str, tmp_path: Path) -> None:
    assert_nobody_is_blamed(name, 8, tmp_path)


def test_a_target_that_dies_ends_all_tests_at_once(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server, ThreadPoolExecutor(1) as pool:
        certified = pool.submit(certify, tmp_path, server.base_url, "--workers", "8", "--timeout", "2")
        journal = tmp_path / "reports" / "journal.jsonl"
        while not journal.exists() or journal.read_bytes().count(b"\n") < 200:
            time.sleep(0.01)
        server.stop()
        run = certified.result()
    assert run.code == 3
    assert run.report["verdict"] == "incomplete"
    assert run.ids("fail") == set()
    assert "Traceback" not in run.output


class Worn(Reference):
    """Refuses what is wrong once, and takes it when it comes again."""

    def prepare(self) -> None:
        self.refused: set[bytes] = set()

    def create(self, request: Request) -> Answer:
        if request.body in self.refused:
            return self.succeed({"id": self.store.insert(provider(f"pconf-worn-{len(self.store.all())}"))})
        try:
            return super().create(request)
        except RefusedError:
            self.refused.add(request.body)
            raise


@pytest.mark.parametrize("providers", [1, 3])
def test_no_more_is_stored_than_may_be_where_a_refusal_does_not_last(providers: int, tmp_path: Path) -> None:
    with ThreadServer(Worn(Store(), TOKEN)) as server:
        options = ("--only", "CREATE-8", "--max-providers", str(providers))
        certify(tmp_path, server.base_url, *options)
        assert everybody(server) == []
    assert most_alive(record(tmp_path)) <= providers


class Patient(Reference):
    """Asks for more patience than anybody has, once many have been destroyed."""

    def prepare(self) -> None:
        self.destroyed = itertools.count()

    def destroy(self, request: Request) -> Answer:
        if next(self.destroyed) > 12:
            raise RefusedError(429, "later", ("Retry-After", "86400"))
        return super().destroy(request)


@pytest.mark.parametrize("workers", ["1", "8"])
def test_an_answer_that_asks_for_patience_is_not_judged(workers: str, tmp_path: Path) -> None:
    with ThreadServer(Patient(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--workers", workers, "--only", "CREATE-8", "--only", "UPDATE-6")
    assert run.told() == ""
    assert run.code == 3
    assert "asks to wait for 86400 s" in run.output


class TurnsAway(Reference):
    """Refuses the valid token for one create in five, and knows how many providers there were at a time."""

    def prepare(self) -> None:
        self.created = itertools.count(1)
        self.most = 0

    def create(self, request: Request) -> Answer:
        if next(self.created) % 5 == 0:
            self.refuse_access()
        answer = super().create(request)
        self.most = max(self.most, len(self.store.all()))
        return answer


def test_what_was_made_beside_a_create_that_was_turned_away_takes_room_too(tmp_path: Path) -> None:
    reference = TurnsAway(Store(), TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--workers", "8")
        assert reference.store.all() == []
    assert "AUTH-1" in run.ids("fail")
    assert reference.most <= 8


class LocksOut(Reference):
    """Answers everybody with 403 after a few wrong tokens, and one operation without any."""

    carelessly = "destroy"
    after = 5

    def prepare(self) -> None:
        self.wrong = 0

    def answer(self, request: Request) -> Answer:
        if self.wrong >= self.after:
            return Answer(403, b"{}", "application/json", ())
        return super().answer(request)

    def authenticate(self, request: Request) -> None:
        if request.operation == self.carelessly and not request.header(b"access_token"):
            return
        try:
            super().authenticate(request)
        except RefusedError:
            self.wrong += 1
            raise


@pytest.mark.parametrize("workers", ["1", "4"])
def test_what_serves_without_a_token_is_found_before_a_lockout(workers: str, tmp_path: Path) -> None:
    with ThreadServer(LocksOut(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--workers", workers, "--only", "AUTH-2")
    assert run.ids("fail") == {"AUTH-2"}, run.output


class TestTraffic:
    """As many requests are under way as there are workers, and fewer where the target asks for patience."""

    def test_half_as_many_each_time_down_to_one(self) -> None:
        traffic = Traffic(Guard(), workers=8, rate=None)
        assert [traffic.make_do_with_fewer() for _ in range(4)] == [4, 2, 1, None]

        traffic.begin()
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(traffic.begin)
            time.sleep(0.05)
            assert not second.done()
            traffic.end()
            second.result(10)

    def test_numbers_are_given_once(self) -> None:
        traffic = Traffic(Guard(), workers=AT_ONCE, rate=None)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            given = [number for numbers in pool.map(traffic.numbers, [1, 2, 3] * 100) for number in numbers]
        assert sorted(given) == list(range(1, 601))


class TestCalm:
    """The list stays as it is while it is read."""

    def test_a_reader_waits_for_changes_under_way_and_keeps_others_off(self) -> None:
        calm, seen = Calm(), list[str]()
        begun = threading.Event()

        def change() -> None:
            begun.set()
            with calm.changing():
                seen.append("changed")

        with ThreadPoolExecutor(1) as pool:
            with calm.reading():
                changed = pool.submit(change)
                begun.wait()
                time.sleep(0.05)
                seen.append("read")
            changed.result()
        assert seen == ["read", "changed"]

    def test_changes_go_on_together(self) -> None:
        calm, together = Calm(), threading.Barrier(AT_ONCE)

        def change() -> None:
            with calm.changing():
                together.wait(10)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for changed in [pool.submit(change) for _ in range(AT_ONCE)]:
                changed.result()

    def test_whoever_reads_may_read_on_inside(self) -> None:
        calm = Calm()
        with calm.reading(), calm.reading():
            pass
        with calm.changing():
            pass
