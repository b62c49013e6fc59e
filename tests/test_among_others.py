"""Whatever others have, do and change is never blamed on an implementation; beside each, a violation that is found."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, Run, certify
from provider_conformance.crowd import Crowd
from provider_conformance.exchange import Exchange, Request, Response
from provider_conformance.jsontext import read_json
from provider_conformance.thinning import strangers, thinned
from variants.foreign import foreign_provider
from variants.freedoms import Freedoms, Listed, Order
from variants.service import Service
from variants.stacks.looping import served

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from variants.messages import Answer
    from variants.messages import Request as Received
    from variants.store import Entry

MANY = 30
"""Others on a page of the list of which not all is kept."""


def tried(folder: Path, service: Service, parts: Iterable[str], *options: str) -> Run:
    """Certify a part of a service."""
    return certify(folder, served(service), *(word for part in parts for word in ("--only", part)), *options)


# What they have


@pytest.mark.parametrize(("number", "read"), [("1e999", float("inf")), ("-1e999", float("-inf")), ("5.5", 5.5)])
def test_a_page_of_others_is_kept_as_well_formed_json(number: str, read: float) -> None:
    others = ",".join(f'{{"id":{identity}}}' for identity in range(MANY))
    body = f'{{"limit":{number},"providers":[{others},{{"id":99,"name":"pconf-1-1","note":[{number}]}}]}}'
    page = Exchange(1, None, Request("GET", "/list", ()), Response(200, "OK", (), body.encode()))

    kept = thinned(page, {99}, ()).response

    assert kept is not None
    again = read_json(kept.body)
    assert again.problems == ()
    assert isinstance(again.value, dict)
    assert again.value["limit"] == read
    assert again.value["providers"][-1]["note"] == [read]  # type: ignore[index, call-overload]


@pytest.mark.parametrize(("name", "found"), [("Head office", [5]), ("pconf-1-5", []), (None, [])])
def test_who_bears_an_id_that_the_run_gave_up_is_a_stranger_by_the_name(name: str | None, found: list[int]) -> None:
    item = {"id": 5, "name": name} if name else {"id": 5}
    body = json.dumps({"providers": [item, {"id": 6, "name": "pconf-1-6"}]}).encode()
    page = Exchange(1, None, Request("GET", "/list", ()), Response(200, "OK", (), body))

    assert strangers(page, ours={5, 6}, gone={5}) == found


class HasNoLimit(Service):
    """Says in every list how many providers there may be."""

    def _told(self, *told: Any) -> dict[str, Any]:
        return super()._told(*told) | {"limit": _Endless(0)}


class _Endless(int):
    """A number that JSON can write, and no double can hold."""

    def __repr__(self) -> str:
        return "1" + "0" * 500

    __str__ = __repr__


def test_a_number_beyond_every_double_may_stand_beside_many_others(tmp_path: Path) -> None:
    run = tried(tmp_path, HasNoLimit(Freedoms(foreign=MANY), TOKEN), ["LIST-1", "LIST-3", "CREATE-5", "HTTP-1"])

    assert run.told() == ""
    assert run.ids("pass") >= {"LIST-1", "LIST-3", "CREATE-5", "HTTP-1"}, run.output


class Broken(Service):
    """Lists nothing, no id or another one for every third provider of others."""

    def __init__(self, freedoms: Freedoms, token: str, kind: str) -> None:
        super().__init__(freedoms, token)
        self.kind = kind

    def _listed(self, entry: Entry) -> Any:
        item = super()._listed(entry)
        if not entry.foreign or entry.id % 3:
            return item
        without = {name: value for name, value in item.items() if name != "id"}
        return {"nothing": None, "no id": without, "text": {**without, "id": f"legacy-{entry.id}"}}[self.kind]


@pytest.mark.parametrize("kind", ["nothing", "no id", "text"])
def test_records_of_others_may_be_broken(kind: str, tmp_path: Path) -> None:
    run = tried(tmp_path, Broken(Freedoms(foreign=250), TOKEN, kind), ["LIST-3", "LIST-6", "CREATE-5"])

    assert run.told() == ""
    assert run.ids("pass") >= {"LIST-3", "LIST-6", "CREATE-5"}, run.output


class HasTakenAddresses(Service):
    """Has providers of others with addresses for documentation as their hostnames, which nobody else may have."""

    def __init__(self, freedoms: Freedoms, token: str) -> None:
        super().__init__(freedoms, token)
        addresses = [f"{net}.{last}" for last in range(1, 255, 2) for net in ("192.0.2", "198.51.100", "203.0.113")]
        for entry, address in zip(self.store.entries(), addresses, strict=False):
            entry.content = {**entry.content, "hostname": address}


class RefusesAddresses(Service):
    """Refuses every hostname that is an address."""

    def _provider(self, body: dict[str, Any], *rest: Any) -> dict[str, Any]:
        if str(body.get("hostname"))[:1].isdigit():
            body = {**body, "hostname": 5}
        return super()._provider(body, *rest)


def test_others_may_have_the_addresses_that_a_run_would_take(tmp_path: Path) -> None:
    run = tried(tmp_path, HasTakenAddresses(Freedoms(foreign=250, repeated=409), TOKEN), ["CREATE-1", "UPDATE-1"])

    assert run.told() == ""
    assert run.ids("pass") >= {"CREATE-1", "UPDATE-1"}, run.output


def test_who_refuses_all_addresses_is_found_among_others(tmp_path: Path) -> None:
    run = tried(tmp_path, RefusesAddresses(Freedoms(foreign=3), TOKEN), ["CREATE-1", "UPDATE-1"])

    assert run.ids("fail") == {"CREATE-1", "UPDATE-1"}, run.output


# What they do


class IsProbed(Service):
    """Has somebody who creates a provider and destroys it again, all the time."""

    def __init__(self, freedoms: Freedoms, token: str) -> None:
        super().__init__(freedoms, token)
        self.visits = count(1)
        self.visitor: Entry | None = None

    def answer(self, request: Received) -> Answer:
        with self.store.lock:
            if self.visitor is None and self._random.random() < 0.4:
                theirs = foreign_provider(100_000 + next(self.visits), "Monitor", self._random)
                self.visitor = self.store.add(theirs, foreign=True)
            elif self.visitor is not None:
                self.store.remove(self.visitor)
                self.visitor = None
        return super().answer(request)


@pytest.mark.parametrize("foreign", [0, 3])
def test_others_may_come_and_go_all_the_time(foreign: int, tmp_path: Path) -> None:
    freedoms = Freedoms(first_page=0, foreign=foreign, order=Order.NEWEST)
    run = tried(tmp_path, IsProbed(freedoms, TOKEN), ["list", "CREATE-5", "DESTROY-2", "DESTROY-3", "UPDATE-3"])

    assert run.told() == ""
    assert run.ids("fail") == set(), run.output


class IsThinnedOut(Service):
    """Has operators who destroy most of their trunks while somebody walks the list, and create others afterwards."""

    MANY = 500
    BEFORE_THE_LAST_PAGE = "5"

    def __init__(self, freedoms: Freedoms, token: str, seed: int) -> None:
        super().__init__(freedoms, token, seed)
        self.numbers = count(100_000)
        self.fill_up()

    def theirs(self) -> list[Entry]:
        """Return the trunks of the operators, the oldest first."""
        return [entry for entry in self.store.entries() if entry.foreign]

    def fill_up(self) -> None:
        """Create as many trunks as there were."""
        for _ in range(self.MANY - len(self.theirs())):
            self.store.add(foreign_provider(next(self.numbers), "Trunk", self._random), foreign=True)

    def answer(self, request: Received) -> Answer:
        answer = super().answer(request)
        with self.store.lock:
            if request.parameter("pagination") == self.BEFORE_THE_LAST_PAGE and self._random.random() < 0.6:
                for entry in self.theirs()[:300]:
                    self.store.remove(entry)
            elif request.method == "POST":
                self.fill_up()
        return answer


@pytest.mark.parametrize("seed", [4, 6, 7])
def test_most_of_the_others_may_vanish_while_the_list_is_walked(seed: int, tmp_path: Path) -> None:
    service = IsThinnedOut(Freedoms(), TOKEN, seed)
    run = tried(tmp_path, service, ["AUTH-2", "AUTH-5", "DESTROY-6", "UPDATE-6"])

    assert run.told() == ""
    assert run.ids("fail") == set(), run.output


class CountsOneMore(Service):
    """Counts one provider more than there are."""

    def _told(self, *told: Any) -> dict[str, Any]:
        answer: dict[str, Any] = super()._told(*told)
        return answer | {"count": answer["count"] + 1}


def test_a_wrong_count_is_found_among_others(tmp_path: Path) -> None:
    run = tried(tmp_path, CountsOneMore(Freedoms(foreign=3), TOKEN), ["LIST-6"])

    assert "LIST-6" in run.ids("fail"), run.output


class SortsByStatus(Service):
    """Sorts the list by the status, which changes by itself where others are concerned."""

    def __init__(self, freedoms: Freedoms, token: str) -> None:
        super().__init__(freedoms, token)
        entries = self.store.entries
        # Whoever is online comes first.
        self.store.entries = lambda: sorted(  # type: ignore[method-assign]
            entries(), key=lambda entry: (entry.content.get("status") != "ONLINE", -entry.came)
        )

    def answer(self, request: Received) -> Answer:
        with self.store.lock:
            for _ in range(4):
                entry = self._random.choice([entry for entry in self.store.entries() if entry.foreign])
                entry.content = {**entry.content, "status": self._random.choice(["ONLINE", "OFFLINE"])}
        return super().answer(request)


@pytest.mark.parametrize("listed", [Listed.EVERYTHING, Listed.NAME])
def test_statuses_of_others_may_change_the_order(listed: Listed, tmp_path: Path) -> None:
    run = tried(tmp_path, SortsByStatus(Freedoms(foreign=20, listed=listed), TOKEN), ["list", "CREATE-5"])

    assert run.told() == ""
    assert run.ids("fail") == set(), run.output


class Shuffles(Service):
    """Gives the list in another order with every request."""

    def __init__(self, freedoms: Freedoms, token: str) -> None:
        super().__init__(freedoms, token)
        entries = self.store.entries
        self.store.entries = lambda: self._random.sample(entries(), len(entries()))  # type: ignore[method-assign]


def test_an_order_that_is_never_the_same_is_found_among_others(tmp_path: Path) -> None:
    run = tried(tmp_path, Shuffles(Freedoms(foreign=20), TOKEN), ["LIST-3"])

    assert "LIST-3" in run.ids("fail"), run.output


# How they are told apart

ANNE = {"id": 1, "name": "Anne", "status": "ONLINE"}
BEN = {"id": 2, "name": "Ben", "status": "OFFLINE"}


def crowd(*items: dict[str, Any]) -> Crowd:
    return Crowd(items)


@pytest.mark.parametrize(
    "other",
    [
        crowd(ANNE, BEN),
        crowd(ANNE, {**BEN, "status": "ONLINE"}),
        crowd(ANNE, {"id": 2}),
        crowd({**ANNE, "note": 1}, BEN),
    ],
)
def test_a_crowd_may_be_told_of_otherwise_and_be_the_same(other: Crowd) -> None:
    assert not other.differs_from(crowd(ANNE, BEN))


@pytest.mark.parametrize(
    "other",
    [
        crowd(ANNE),
        crowd(ANNE, BEN, {"name": "Nobody"}),
        crowd(ANNE, {**BEN, "name": "Bea"}),
        crowd({**BEN, "status": "ONLINE"}, ANNE),
        crowd({"id": 2, "name": "Ben"}, ANNE),
        crowd({"id": 2}, {"id": 1}),
    ],
)
def test_a_crowd_that_has_changed_or_may_have_differs(other: Crowd) -> None:
    assert other.differs_from(crowd(ANNE, BEN))


def test_a_crowd_of_which_no_status_is_told_may_have_changed_when_it_stands_otherwise() -> None:
    assert crowd({"id": 2}, {"id": 1}).differs_from(crowd({"id": 1}, {"id": 2}))
    assert not crowd(BEN, {"id": 3}, ANNE).differs_from(crowd(ANNE, BEN, {"id": 3}))


def test_a_crowd_that_only_stands_otherwise_has_not_changed() -> None:
    assert not crowd(BEN, ANNE).differs_from(crowd(ANNE, BEN))
