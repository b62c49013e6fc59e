"""What it costs that there are providers of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import create_engine, insert

from benchmarks.results import Benchmark, Row
from benchmarks.running import CONFORMANT, INCOMPLETE
from command import TOKEN
from provider_conformance.contract import load_contract
from provider_conformance.inventory import LARGEST_PAGE, MOST_PAGES
from provider_conformance.reference.server import Server
from provider_conformance.reference.store import METADATA, PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.running import Run, Runner

SIZES = (0, 1, 1_000, 100_000)
TURNS = 3
INVENTORY = Benchmark(
    title="A system with providers of others",
    about="By the clock, from the start of the process to its end: a full certification of the reference implementation"
    " in a process of its own, with an SQLite file that already has so many providers. As soon as there is one, each"
    " new id is looked at before it is taken for the run's own, and of a long list both ends are read."
    f" Where there are more than {LARGEST_PAGE * MOST_PAGES:,}, one requirement (LIST-6) is not tested, since nobody"
    " can count them in time.",
    packages=("sqlalchemy",),
)


def fill(database: str, size: int) -> None:
    """Put providers of others into a database that the reference will open."""
    shown = load_contract().document["components"]["examples"]["ShownRegisteringTrunk"]["value"]
    known = {name: value for name, value in shown.items() if name in PROVIDERS.c and name != "id"}
    engine = create_engine(database)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        if size:
            connection.execute(insert(PROVIDERS), [known | {"name": f"Office {number}"} for number in range(size)])
    engine.dispose()


def certify_among(size: int, runner: Runner, database: str) -> Run:
    """Certify a system with so many providers of others."""
    fill(database, size)
    with Server(token=TOKEN, database=database) as server:
        countable = size <= LARGEST_PAGE * MOST_PAGES
        return runner.certify(server.base_url, codes=[CONFORMANT if countable else INCOMPLETE])


def test_inventory(runner: Runner, contribute: Callable[[Row], None], tmp_path: Path) -> None:
    runs: dict[int, list[Run]] = {size: [] for size in SIZES}
    for turn in range(TURNS):
        for size, some in runs.items():
            some.append(certify_among(size, runner, f"sqlite:///{tmp_path / f'{size}-{turn}.db'}"))
    for size, some in runs.items():
        walls, exchanges = tuple(run.wall for run in some), tuple(run.exchanges for run in some)
        contribute(Row(INVENTORY, f"{size:,} provider{'s'[: size != 1]}", walls, exchanges))
