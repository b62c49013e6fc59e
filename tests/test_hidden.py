"""Servers that hide what creates have made: a run makes few, touches nothing of others, and tells what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from test_cleanup import provider

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.reference.messages import Properties

THEIRS = {**provider("Head office"), "in_parameters": [], "out_parameters": []}
SMALL = 8_000
"""Exchanges that a run may take: one on a conforming server takes some 5,000."""


class Counting(Reference):
    """Counts how many providers it has at a time, besides those of others."""

    def prepare(self) -> None:
        self.others = len(self.store.all())
        self.most = 0

    def store_created(self, properties: Properties) -> int:
        identity = super().store_created(properties)
        self.most = max(self.most, len(self.store.all()) - self.others)
        return identity


class GivesOneId(Counting):
    """Gives the same id for all that is created."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": 424242}


class GivesTheirs(Counting):
    """Gives the id of somebody else's provider for all that is created."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": 1}


class GivesUnsigned(Counting):
    """Gives ids beyond int64, everywhere, and knows its providers by nothing else."""

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": provider_id + 2**63}

    def rendered_provider(self, provider: Properties) -> Any:
        return super().rendered_provider(provider) | {"id": provider["id"] + 2**63}

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider(provider) | {"id": provider["id"] + 2**63}

    def destroyed_id(self, content: Any) -> int:
        super().destroyed_id(content)
        raise RefusedError(400, "no provider of this id")


class MakesNothing(Counting):
    """Makes nothing, and gives an id that cannot be one."""

    def store_created(self, properties: Properties) -> int:
        return 0

    def rendered_created(self, provider_id: int) -> Any:
        return {"id": 10**40}


@pytest.mark.parametrize("kind", [GivesOneId, GivesTheirs, MakesNothing])
@pytest.mark.parametrize("name", ["Head office", "pconf-1", "PCONF-2 of another run"])
def test_nothing_of_others_is_touched_and_nothing_is_left(kind: type[Counting], name: str, tmp_path: Path) -> None:
    store = Store()
    store.insert({**THEIRS, "name": name})
    reference = kind(store, TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url, "--only", "create", "--only", "destroy")
        left = store.all()

    assert [{key: one[key] for key in THEIRS} for one in left] == [{**THEIRS, "name": name}]
    assert reference.most <= 8
    assert run.code == 1, run.output
    assert run.report["statistics"]["exchanges"] < SMALL


def test_no_more_are_made_that_cannot_be_destroyed_than_may_be_held(tmp_path: Path) -> None:
    reference = GivesUnsigned(Store(), TOKEN)
    with ThreadServer(reference) as server:
        run = certify(tmp_path, server.base_url)
        left = [one["name"] for one in reference.store.all()]

    assert 0 < reference.most <= 8
    assert "CREATE-2" in run.ids("fail"), run.output
    note = next(line for line in run.output.splitlines() if "no id by which to destroy" in line)
    assert all(name in note for name in left)


class Poisoned(Reference):
    """Stores what it refuses, and then fails wherever it has to give back one of these that has no port."""

    def validate_create(self, content: Any) -> Properties:
        try:
            return super().validate_create(content)
        except RefusedError:
            if isinstance(content, dict) and str(content.get("name")).startswith("pconf-"):
                fitting = {key: value for key, value in content.items() if type(value) is type(THEIRS.get(key))}
                self.store.insert({**THEIRS, **fitting, "port": 5060 if "port" in content else 0})
            raise

    def listed_provider(self, provider: Properties) -> Any:
        if provider["port"] == 0:
            raise ZeroDivisionError
        return super().listed_provider(provider)


def test_what_refused_creates_left_is_found_beside_what_keeps_a_page_from_being_read(tmp_path: Path) -> None:
    store = Store()
    store.insert(dict(THEIRS))
    with ThreadServer(Poisoned(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "CREATE-7", "--only", "CREATE-9")
        left = [one for one in store.all() if one["name"] != "Head office"]

    assert {one["port"] for one in left} == {0}
    assert left, "one that no list can give"
    assert "the list cannot be read whole" in run.output


class HasALicence(Reference):
    """Refuses creates as soon as others have used up a licence, to which they need not keep themselves."""

    def prepare(self) -> None:
        self.created = 0

    def store_created(self, properties: Properties) -> int:
        if len(self.store.all()) >= 20:
            raise RefusedError(403, "licence")
        self.created += 1
        if self.created == 60:
            for number in range(22):
                self.store.insert({**THEIRS, "name": f"Office {number}"})
        return super().store_created(properties)


def test_a_licence_that_others_exceed_is_blamed_on_nobody(tmp_path: Path) -> None:
    store = Store()
    store.insert(dict(THEIRS))
    with ThreadServer(HasALicence(store, TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "create")
        left = len(store.all())

    assert run.ids("fail") == set(), run.told()
    assert run.code == 3
    assert left == 23
