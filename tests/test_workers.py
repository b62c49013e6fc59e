"""Requests side by side: as many as --workers says, and with the same outcome."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.server import Server, ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from relay import relayed
from test_cleanup import everybody
from test_variants import assert_not_blamed, assert_well_behaved, serving
from variants.catalogue import find_variant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provider_conformance.reference.messages import Properties
    from relay import Relay

AT_ONCE = 6
"""Requests that the test of concurrent updates overlaps."""

REFUSALS = ("--only", "CREATE-9", "--only", "UPDATE-7", "--only", "SHOW-6")


def assert_nobody_is_blamed(name: str, workers: int, folder: Path) -> None:
    """Certify a conforming variant by so many workers: it is not blamed, and treated as well as by one."""
    variant = find_variant(name)
    with serving(variant) as server:
        run = certify(folder, server.url, "--level", variant.level, "--workers", str(workers), token=server.token)
        audit = server.audit()
    assert_not_blamed(run)
    assert_well_behaved(audit)
    assert bool(audit["left"]) == variant.keeps


@pytest.fixture
def relay() -> Iterator[Relay]:
    """The reference implementation, far away."""
    with relayed(0.02) as relay:
        yield relay


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_so_many_requests_are_under_way_at_a_time(relay: Relay, workers: int, tmp_path: Path) -> None:
    run = certify(tmp_path, relay.base_url, *REFUSALS, "--workers", str(workers))

    assert relay.most == workers
    assert run.ids("pass") == {"CREATE-9", "UPDATE-7", "SHOW-6"}, run.told()
    assert run.report["options"]["workers"] == workers
    assert run.report["cleanup"]["left"] == []


@pytest.mark.parametrize("workers", [1, 3])
def test_requests_that_overlap_on_purpose_are_under_way_besides(relay: Relay, workers: int, tmp_path: Path) -> None:
    words = ("--only", "HTTP-8", "--level", "hardened", "--workers", str(workers))
    run = certify(tmp_path, relay.base_url, *words)

    assert run.ids("pass") == {"HTTP-8"}, run.told()
    assert relay.most == AT_ONCE > workers


def test_a_slow_target_is_told_how_to_be_tested_faster(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    assert "--workers 8" in certify(tmp_path / "one", relay.base_url, "--only", "AUTH-1").output
    many = certify(tmp_path / "many", relay.base_url, "--only", "AUTH-1", "--workers", "4")
    assert "--workers" not in many.output


def test_workers_find_the_same(tmp_path: Path) -> None:
    """A whole certification beside itself, of a server that stores what it refuses."""
    outcomes = []
    for workers in ("1", "8"):
        folder = tmp_path / workers
        folder.mkdir()
        with Server(token=TOKEN, faults=["update-applies-before-it-checks-protocol"]) as server:
            run = certify(folder, server.base_url, "--workers", workers)
            assert everybody(server) == []
        outcomes.append(run.ids("fail"))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]


class NamesTheFirst(Reference):
    """Tells in what it says of a wrong update who its first provider was, which is long gone."""

    def prepare(self) -> None:
        self.ids = itertools.count(4_000_001)
        self.first = ""

    def new_id(self, properties: Properties) -> int:
        self.first = self.first or properties["auth_id"]
        return next(self.ids)

    def validate_update(self, content: Any) -> Properties:
        try:
            return super().validate_update(content)
        except RefusedError as refused:
            raise RefusedError(refused.status, f"{refused.reason}, unlike {self.first}") from None


@pytest.mark.parametrize("workers", ["1", "8"])
def test_what_tells_of_the_provider_of_another_test_is_found(workers: str, tmp_path: Path) -> None:
    only = [word for name in ("CREATE-1", "UPDATE-7", "HTTP-6") for word in ("--only", name)]
    with ThreadServer(NamesTheFirst(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, *only, "--workers", workers)
    assert run.ids("fail") == {"HTTP-6"}, run.told()
    assert run.ids("pass") == {"CREATE-1", "UPDATE-7"}


@pytest.mark.parametrize(
    "name",
    [
        "looping-among-strangers",
        "looping-forbids-everything",
        *(pytest.param(name, marks=pytest.mark.seeds) for name in ("core-null", "flask-first-page-0-nearest")),
        *(pytest.param(name, marks=pytest.mark.seeds) for name in ("handmade-slow", "handmade-hangs-up")),
    ],
)
def test_who_is_asked_much_at_a_time_is_not_blamed(name: str, tmp_path: Path) -> None:
    assert_nobody_is_blamed(name, 6, tmp_path)
