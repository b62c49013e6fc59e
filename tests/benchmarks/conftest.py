"""Collects what the benchmarks measure, prints it, and with --write-performance puts it into docs/performance.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.results import Row, report, write
from benchmarks.running import INCOMPLETE, Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.capture import CaptureManager


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-performance", action="store_true", help="put the results into docs/performance.md")


@pytest.fixture(scope="session")
def contribute(request: pytest.FixtureRequest) -> Iterator[Callable[[Row], None]]:
    """Takes the rows, one call each; at the end of a session without failures, shows them and perhaps writes them."""
    rows: list[Row] = []
    yield rows.append
    if request.session.testsfailed or not rows:
        return
    capture: CaptureManager = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{report(rows)}")
    if request.config.getoption("--write-performance"):
        write(rows)


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs programs; everything that the command imports is compiled already."""
    runner = Runner(tmp_path_factory)
    runner.certify("--only", "AUTH-1", codes=[INCOMPLETE])
    return runner
