"""A run on somebody's live system: it touches nothing of theirs, writes nothing when told so, and keeps to its pace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import pytest

from command import TOKEN, certify
from provider_conformance.api import may_be_about
from provider_conformance.call import Call
from provider_conformance.config import DEFAULT_SEED
from provider_conformance.contract import Level
from provider_conformance.faults.catalogue import combined
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.reports.console import USUAL_REQUESTS
from provider_conformance.values.plausible import NAME_PREFIX, nonce
from relay import Relay
from test_cleanup import everybody, provider
from variants.freedoms import Freedoms
from variants.service import METHODS, Service
from variants.stacks.looping import served

if TYPE_CHECKING:
    import variants.messages
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters
    from provider_conformance.reference.store import Order

THEIRS = {**provider("Head office"), "in_parameters": [], "out_parameters": []}


class HandsOutTheirs(Reference):
    """Gives the id of somebody else's provider for one create in ten, and stores nothing."""

    def prepare(self) -> None:
        self.theirs = self.store.insert(dict(THEIRS))
        self.creates = 0

    def store_created(self, properties: Properties) -> int:
        self.creates += 1
        return self.theirs if self.creates % 10 == 0 else super().store_created(properties)


def test_somebody_else_s_provider_is_never_touched_though_create_gives_its_id(tmp_path: Path) -> None:
    store = Store()
    with ThreadServer(HandsOutTheirs(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--level", "core")
        (left,) = store.all()
    assert {name: left[name] for name in THEIRS} == THEIRS
    assert "CREATE-3" in run.ids("fail"), run.output


class HasAColleague(Reference):
    """Says 204 where it destroys, and gives the first id that is free again to a colleague; there is nobody else."""

    def prepare(self) -> None:
        self.theirs: int | None = None

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        if removed and self.theirs is None:
            self.theirs = self.store.insert({**THEIRS, "id": provider_id})
        return removed

    def destroy(self, request: Request) -> Answer:
        return replace(super().destroy(request), status=204)


def test_who_is_given_an_id_that_was_the_run_s_is_not_touched(tmp_path: Path) -> None:
    reference = HasAColleague(Store(), TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--only", "DESTROY-1")
        left = [one["id"] for one in reference.store.all()]
    assert run.ids("fail") == {"DESTROY-1"}, run.output
    assert left == [reference.theirs]


@pytest.mark.parametrize(
    ("call", "about"),
    [
        (Call("destroy", "POST", body=b'{"id": 7}'), {7}),
        (Call("destroy", "POST", body=b'{"id": 7, "8": 0}'), {7}),
        (Call("destroy", "POST", body=b'{"id": "7 "}'), {7}),
        (Call("update", "POST", body=b'{"id": [7], "port": 5060}'), {7}),
        (Call("destroy", "POST", body=b"id=7"), {7}),
        (Call("destroy", "GET", query=(("id", "7"),)), {7}),
        (Call("create", "POST", body=b'{"name": "pconf-1-7", "x": 9}'), set()),
    ],
)
def test_a_request_is_about_every_id_in_it_however_it_is_written(call: Call, about: set[int]) -> None:
    assert may_be_about(call) == about


class StoresFirst(Reference):
    """Stores what a create has, as far as it can be, and only then looks whether that is right."""

    def prepare(self) -> None:
        self.stored = 0

    def validate_create(self, content: Any) -> Properties:
        try:
            return super().validate_create(content)
        except RefusedError:
            if isinstance(content, dict) and any(str(value).startswith("pconf-") for value in content.values()):
                fitting = {name: value for name, value in content.items() if type(value) is type(THEIRS.get(name))}
                self.store.insert({**THEIRS, **fitting, "ips": []})
                self.stored += 1
            raise


@pytest.mark.parametrize("others", [3, 700])
def test_what_refused_creates_have_stored_is_destroyed_too(tmp_path: Path, others: int) -> None:
    store = Store()
    for number in range(others):
        store.insert({**THEIRS, "name": f"Office {number}"})
    reference = StoresFirst(store, TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--only", "create")
        left = [one for one in store.all() if not one["name"].startswith("Office")]
    assert run.ids("fail") >= {"CREATE-7", "CREATE-8", "CREATE-9"}, run.output
    assert reference.stored > 100, "more than what a look at the ends finds"
    assert left == []
    assert run.report["cleanup"]["left"] == []


class HasOperators(Reference):
    """Refuses unusual values, as it may, while operators create trunks of which some have the same."""

    def prepare(self) -> None:
        self.theirs: set[int] = set()

    def validate_create(self, content: Any) -> Properties:
        properties = super().validate_create(content)
        taken = {name: properties[name] for name in ("auth_id", "hostname") if "-" not in properties[name]}
        unusual = {name: text for name, text in taken.items() if not any(map(str.isdigit, text))}
        if unusual and len(self.theirs) < 50:
            name = f"Branch {len(self.theirs)}"
            self.theirs.add(self.store.insert({**THEIRS, "name": name, "hostname": f"{name}.example.com", **unusual}))
            raise RefusedError(400, f"{', '.join(unusual)}: not supported")
        return properties


def test_what_operators_create_meanwhile_is_theirs_though_it_has_what_a_refused_create_had(tmp_path: Path) -> None:
    reference = HasOperators(Store(), TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--only", "create", "--only", "VALUE-1", "--only", "HTTP-7")
        left = {one["id"] for one in reference.store.all()}
    assert run.ids("fail") == set(), run.told()
    assert len(reference.theirs) > 10
    assert left == reference.theirs


def test_two_runs_of_the_same_seed_take_names_of_their_own(tmp_path: Path) -> None:
    taken = f"{NAME_PREFIX}-{nonce(DEFAULT_SEED)}"
    store = Store()
    store.insert({**THEIRS, "name": f"{taken}-1"})
    with ThreadServer(Reference(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "SHOW-1")
        assert [one["name"] for one in store.all()] == [f"{taken}-1"]
    assert "names of another run are in use" in run.output
    assert taken not in (tmp_path / "reports" / "journal.jsonl").read_text()


class TakesFewerLater(Reference):
    """Has a licence for as many providers as a run holds, of which others take most after a while."""

    def prepare(self) -> None:
        self.creates = 0

    def store_created(self, properties: Properties) -> int:
        self.creates += 1
        if len(self.store.all()) >= (8 if self.creates < 150 else 3):
            raise RefusedError(409, "no licence for more")
        return super().store_created(properties)


def test_a_system_that_takes_fewer_by_and_by_is_not_blamed(tmp_path: Path) -> None:
    with ThreadServer(TakesFewerLater(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url)
        assert server.reference.store.all() == []
    assert run.told() == ""
    assert run.code in {0, 3}
    reasons = {entry["reason"] for entry in run.report["requirements"] if entry["outcome"] != "pass"}
    assert all("at a time" in reason for reason in reasons), reasons


class SharesItsLicence(Reference):
    """Has a licence for so many providers, of which others who come and go have some, and now and then all others."""

    licence = 12

    def prepare(self) -> None:
        self.creates = 0
        self.others: list[int] = []

    def store_created(self, properties: Properties) -> int:
        self.creates += 1
        # Others come and go between any two creates, and now and then use up what there is.
        while self.others and (self.creates % 5 == 0 or len(self.store.all()) >= self.licence):
            self.store.delete(self.others.pop())
            if self.creates % 7:
                break
        if self.creates % 3 == 0 or self.creates % 16 in {8, 9, 10}:
            taken = len(self.store.all())
            self.others += [
                self.store.insert({**THEIRS, "name": f"Office {self.creates}-{number}"})
                for number in range(min(3, self.licence - taken))
            ]
        if len(self.store.all()) >= self.licence:
            raise RefusedError(403, "no licence for more")
        return super().store_created(properties)


@pytest.mark.parametrize("workers", ["1", "8"])
def test_a_licence_that_others_use_up_now_and_then_is_blamed_on_nobody(workers: str, tmp_path: Path) -> None:
    reference = SharesItsLicence(Store(), TOKEN)
    reference.store.insert({**THEIRS, "name": "Office"})
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--only", "create", "--workers", workers)
        assert [one for one in reference.store.all() if not one["name"].startswith("Office")] == []
    assert run.ids("fail") == set(), run.told()


class HasALicence(Reference):
    """Has a licence for fewer providers than a run would hold, of which others have some, and refuses TCP besides."""

    def store_created(self, properties: Properties) -> int:
        if properties["protocol"] == "TCP" or len(self.store.all()) >= 6:
            raise RefusedError(403, "no")
        return super().store_created(properties)


def test_what_is_refused_for_itself_is_found_where_others_share_a_licence(tmp_path: Path) -> None:
    reference = HasALicence(Store(), TOKEN)
    for number in range(2):
        reference.store.insert({**THEIRS, "name": f"Office {number}"})
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--only", "CREATE-6")
    assert run.ids("fail") == {"CREATE-6"}, run.output
    assert "TCP" in run.told()


class Listening(Reference):
    """Notes what it is asked for."""

    def prepare(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.times: list[float] = []

    def answer(self, request: Request) -> Answer:
        self.asked.append((request.method, request.operation))
        self.times.append(time.monotonic())
        return super().answer(request)


def test_a_run_that_may_only_read_sends_nothing_else(tmp_path: Path) -> None:
    store = Store()
    for name in range(3):
        store.insert({**THEIRS, "name": f"Office {name}"})
    reference = Listening(store, TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--read-only")
        assert len(store.all()) == 3

    assert {method for method, _ in reference.asked} == {"GET"}
    assert run.code == 3
    assert {"LIST-1", "LIST-2", "LIST-5", "LIST-7", "LIST-8", "SHOW-6"} <= run.ids("pass")
    assert run.ids("fail") == set()
    reasons = {entry["id"]: entry["reason"] for entry in run.report["requirements"]}
    assert "--read-only" in reasons["CREATE-1"]
    assert "in part only" in reasons["AUTH-3"]


def test_a_large_system_costs_no_more_and_is_not_written_down(tmp_path: Path) -> None:
    """What lies beyond what can be read in time is not tested, with the reason, and everything else is."""
    store = Store()
    for number in range(MANY):
        store.insert({**THEIRS, "name": f"Office {number}"})
    reference = Listening(store, TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url)
        assert len(store.all()) == MANY

    assert run.ids("pass") >= {"LIST-1", "LIST-3", "LIST-4", "HTTP-7", "CREATE-5", "DESTROY-2"}, run.told()
    reasons = {entry["id"]: entry["reason"] for entry in run.report["requirements"] if entry["outcome"] != "pass"}
    assert reasons == {"LIST-6": "there are so many providers of others that nobody can count them in time"}
    assert len(reference.asked) < 1.25 * USUAL_REQUESTS[Level.HARDENED]
    # The evidence alone has what tells providers of others apart on the pages that were read.
    texts = [file.read_text() for file in (tmp_path / "reports").iterdir() if file.suffix != ".gz"]
    assert not [text for text in (run.output, *texts) if "Office" in text]


MANY = 21_000
"""Providers of others, more than a run reads one after another."""


@pytest.mark.parametrize("workers", ["1", "8"])
@pytest.mark.parametrize("others", [0, 3])
def test_an_order_that_follows_what_was_shown_last_is_found_among_others_too(
    others: int, workers: str, tmp_path: Path
) -> None:
    """What disagrees is looked at again where there are others, and must not have settled by then."""
    store = Store()
    for number in range(others):
        store.insert({**THEIRS, "name": f"Office {number}"})
    with ThreadServer(combined(["list-last-shown-first"])(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "list", "--workers", workers)
    assert "LIST-3" in run.ids("fail"), run.output


def test_a_run_keeps_to_its_pace(tmp_path: Path) -> None:
    reference = Listening(Store(), TOKEN)
    with ThreadServer(reference) as server:
        certify(tmp_path, server.base_url, "--only", "AUTH-1", "--rate", "20")
    gaps = [later - earlier for earlier, later in zip(reference.times, reference.times[20:], strict=False)]
    assert gaps
    assert min(gaps) > 0.9  # twenty requests take a second, but for when they arrive


class FailsOnUnknownIds(Reference):
    """Answers show of an id that names nothing with 500, as nothing at level core forbids."""

    def find(self, provider_id: int) -> Properties | None:
        found = super().find(provider_id)
        if found is None:
            raise ZeroDivisionError
        return found


def test_what_is_told_of_unknown_ids_is_free_at_level_core(tmp_path: Path) -> None:
    with ThreadServer(FailsOnUnknownIds(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--level", "core")
        assert server.reference.store.all() == []
    assert run.code == 0, run.told()


class HasRenamed(Reference):
    """Sorts by name, while somebody renames one provider of others after the other."""

    def prepare(self) -> None:
        self.turn = 0

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        theirs = [one["id"] for one in self.store.all() if not one["name"].startswith("pconf-")]
        self.turn += 1
        name = f"{'aq'[self.turn % 2]} office {self.turn}"  # before ours, or after them
        self.store.replace(theirs[self.turn % len(theirs)], {"name": name})
        return super().page_of(asked)

    def order(self, sort_by: str | None) -> Order:
        return "name"


def test_a_list_whose_order_others_change_is_not_blamed(tmp_path: Path) -> None:
    store = Store()
    for number in range(7):
        store.insert({**THEIRS, "name": f"Office {number}"})
    with ThreadServer(HasRenamed(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "list")
    assert run.ids("fail") == set(), run.told()
    assert "others change the list" in run.output


class Bans(Reference):
    """Closes the connection with the sixth wrong token, and notes that there is to be none any more."""

    def prepare(self) -> None:
        self.refusals = 0

    @property
    def banned(self) -> bool:
        """Whether somebody has had too many wrong tokens."""
        return self.refusals >= 6

    def refuse_access(self) -> NoReturn:
        self.refusals += 1
        raise RefusedError(401, "wrong", *([("Connection", "close")] if self.banned else []))


class Firewall(Relay):
    """Hangs up on whoever is banned."""

    def __init__(self, reference: Bans, base_url: str) -> None:
        super().__init__(base_url, 0.0)
        self.reference = reference

    def verify_request(self, request: object, client_address: object) -> bool:
        """Tell whether a connection is served."""
        return not self.reference.banned


def test_who_hangs_up_after_wrong_tokens_is_not_blamed_and_what_is_left_is_told(tmp_path: Path) -> None:
    reference = Bans(Store(), TOKEN)
    with ThreadServer(reference) as server, Firewall(reference, server.base_url) as firewall:
        threading.Thread(target=firewall.serve_forever, daemon=True).start()
        run = certify(
            tmp_path, firewall.base_url, "--level", "core", "--only", "SHOW-1", "--only", "AUTH-2", "--only", "AUTH-3"
        )
        left = [one["id"] for one in reference.store.all()]
        firewall.shutdown()
    assert run.ids("fail") == set(), run.told()
    assert "we are locked out" in run.output
    assert left
    assert run.report["cleanup"]["left"] == left


class AnyMethod(Service):
    """Serves each operation by whatever method it is asked with, as nothing below level hardened forbids."""

    def _answer(self, request: variants.messages.Request) -> variants.messages.Answer:
        method = METHODS.get(request.path.removeprefix("/"), request.method)
        return super()._answer(replace(request, method=method))


def test_no_more_are_held_than_may_be_though_every_method_creates(tmp_path: Path) -> None:
    service = AnyMethod(Freedoms(), TOKEN)
    run = certify(tmp_path, served(service), "--only", "HTTP-2", "--max-providers", "2")
    assert run.ids("fail") == set(), run.told()
    assert service.store.audit.most_held <= 2
    assert service.left() == []


@pytest.mark.parametrize("operation", ["create", "show", "list", "update", "destroy"])
@pytest.mark.parametrize("others", [0, 1])
def test_a_target_that_comes_back_is_cleaned_up(operation: str, others: int, tmp_path: Path) -> None:
    """Wherever it goes away, among creates of which some are answered and not looked at as well."""
    store = f"sqlite:///{tmp_path / 'providers.db'}"
    with closing(Store(store)) as opened:
        for number in range(others):
            opened.insert({**THEIRS, "name": f"Office {number}"})
    with started("goes_away.py", store, operation) as dying:
        assert dying.stdout is not None
        base_url = dying.stdout.readline().strip()
        with started("-m", "provider_conformance", "run", base_url, "--report-dir", str(tmp_path)) as run:
            dying.wait(60)
            time.sleep(1)
            with ThreadServer(Reference(Store(store), TOKEN), port=urlsplit(base_url).port or 0) as again:
                output, _ = run.communicate(timeout=120)
                assert [one["name"] for one in everybody(again)] == [f"Office {number}" for number in range(others)]
    report = json.loads((tmp_path / "report.json").read_text())
    assert (run.returncode, report["verdict"]) == (3, "incomplete"), output
    assert report["cleanup"]["left"] == []


@pytest.mark.parametrize("operation", ["create", "show"])
def test_a_run_tells_what_it_leaves_on_a_target_that_stays_away(operation: str, tmp_path: Path) -> None:
    """Every id that a create gave, and that creates without an answer may have left more."""
    store = f"sqlite:///{tmp_path / 'providers.db'}"
    with closing(Store(store)) as opened:
        opened.insert(THEIRS)
    with started("goes_away.py", store, operation) as dying:
        assert dying.stdout is not None
        base_url = dying.stdout.readline().strip()
        run = certify(tmp_path, base_url)
    with closing(Store(store)) as opened:
        ours = [one["id"] for one in opened.all() if one["name"] != THEIRS["name"]]
    assert ours
    left = run.report["cleanup"]["left"]
    told_of_more = "creates without an answer may have left providers" in run.output
    assert left == ours or (told_of_more and set(left) < set(ours)), run.output
    assert told_of_more or operation == "show"
    assert run.report["cleanup"]["created"] == run.report["cleanup"]["destroyed"] + len(left)


def started(*arguments: str) -> subprocess.Popen[str]:
    """Start Python with what it has to run, as a user would who stands beside the tests."""
    environment: dict[str, Any] = {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=Path(__file__).parent,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
