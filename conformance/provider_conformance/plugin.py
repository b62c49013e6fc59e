"""The pytest plugin: marks tests with requirements, gives them their fixtures, and turns endings into evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from provider_conformance.concealing import masker_of, without_parts
from provider_conformance.drawing import Drawings
from provider_conformance.errors import NotTestableError, RunEndedError, TargetLostError, ViolationError
from provider_conformance.lanes import Lanes, staged
from provider_conformance.outcomes import outcome_of
from provider_conformance.parts import Parts, requirements_of
from provider_conformance.survival import SURVIVAL, judge_survival
from provider_conformance.verdict import Outcome, RequirementResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provider_conformance.api import Api
    from provider_conformance.contract import Requirement
    from provider_conformance.drawing import Draw
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.judge import Problem
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.refusals import Refusals
    from provider_conformance.session import Session

SUITE_ORDER = (
    "test_create.py",
    "test_show.py",
    "test_list.py",
    "test_update.py",
    "test_destroy.py",
    "test_samples.py",
    "test_clients.py",
    "test_http.py",
    "test_values.py",
    "test_protocol.py",
    "test_text.py",
    "test_concurrency.py",
    "test_lifecycle.py",
    "test_fuzz.py",
    "test_excess.py",
    "test_auth.py",
    "test_reading.py",
)
"""The files of the suite, in the order in which they run."""

AT_THE_END = frozenset({"test_excess.py", "test_auth.py"})
"""What may bring an implementation down, and wrong tokens, after which one that locks out cannot be tested (D18)."""

READING = "test_reading.py"
"""The tests that create nothing, which take the place of all others in a run that may not."""

requirement = pytest.mark.requirement
"""Marks a test with the ids of the requirements that it tests; the first is the one it speaks for."""

essential = pytest.mark.essential
"""Marks a test that finds with few requests what is wrong with every answer of an operation: these come first."""

thorough = pytest.mark.thorough
"""Marks a test of many requests: these come last."""


def _place(item: pytest.Item) -> tuple[bool, bool, bool, int]:
    """Return what tests are sorted by: what is always wrong is to be found with the first requests."""
    file = item.path.name
    marks = {mark.name for mark in item.iter_markers()}
    return file in AT_THE_END, thorough.name in marks, essential.name not in marks, SUITE_ORDER.index(file)


def glimpse(wanted: Requirement, session: Session) -> RequirementResult:
    """Return the outcome of a requirement for those who watch; what led there is told at the end."""
    evidence = session.ledger.of(wanted.id)
    judged = session.ledger.judged(wanted.id)
    found, reason = outcome_of(evidence.notes, violated=bool(evidence.violations), judged=bool(judged))
    if found not in {Outcome.FAIL, Outcome.ERROR}:  # only of these more than the outcome is shown
        return RequirementResult(wanted, found, exchanges=len(judged))
    first = next((claim.problem for claim in evidence.violations), None)
    text = first.summary if first else reason
    mask = masker_of(session.ledger.exchanges, session.target).narrowed([text])
    told = without_parts(mask(text), session.target.token)
    return RequirementResult(wanted, found, told, exchanges=len(judged))


class SuitePlugin:
    """Runs the suite's tests in one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drawings = Drawings(session.config.seed, session.config.examples)
        self._lanes: Lanes | None = None
        self._to_come: list[pytest.Item] = []
        self._told: set[str] = set()
        self._ended = ""
        self._gone_since: int | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the marks known."""
        config.addinivalue_line("markers", "requirement(*ids): the requirements that a test tests")
        config.addinivalue_line("markers", "essential: finds with few requests what is always wrong, before others")
        config.addinivalue_line("markers", "thorough: sends many requests, after other tests")
        config.addinivalue_line("markers", "drawing(what): draws the values of a test ahead of it")
        config.addinivalue_line("markers", "holding(most): the most providers that a test holds at a time")
        config.addinivalue_line("markers", "alone: nothing may run beside a test")
        config.addinivalue_line("markers", "after(*ids): the requirements whose tests must have ended before")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests of selected requirements, in the order of the suite."""
        reading = self._session.config.read_only
        items[:] = [item for item in items if (item.path.name == READING) is reading]
        items[:] = [item for item in items if set(requirements_of(item)) & self._session.selected]
        items.sort(key=_place)
        side_by_side = self._session.config.workers > 1 and not reading
        if side_by_side:
            items[:] = staged(items)
        self._to_come = list(items)
        self._drawings.begin(items, side_by_side=side_by_side)
        if side_by_side:
            self._lanes = Lanes(self._session, self._drawings, items)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell which requirement is tested now."""
        item = next((item for item in self._to_come if item.nodeid == nodeid), None)
        if item is not None:
            self._session.progress.requirement_started(requirements_of(item)[0])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """Turn the way in which a test ended into evidence."""
        report = yield
        if call.excinfo is not None:
            self._note_ending(item, call.excinfo.value)
        return report

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Tell the outcome of requirements that have no further tests, and at once that one is known to fail."""
        self._to_come.remove(item)
        waiting = {name for other in self._to_come for name in requirements_of(other)}
        done = set(requirements_of(item)) - waiting
        untold = [one for one in self._session.requirements if one.id in self._session.counting - self._told]
        for wanted in untold:
            if wanted.id in done or self._session.ledger.violated(wanted.id):
                self._told.add(wanted.id)
                self._session.progress.requirement_finished(glimpse(wanted, self._session))

    def pytest_sessionfinish(self) -> None:
        """Judge what only the whole run tells, and say of tests that no longer ran that they did not."""
        if self._lanes is not None:
            self._lanes.end()
            self._session.ledger.put_in_order()
            if self._gone_since is not None:  # what the other lanes have found out meanwhile
                self._excuse(self._gone_since)
        self._drawings.end()
        if SURVIVAL in self._session.selected:
            judge_survival(self._session.ledger)
        reason = f"the run ended before its test: {self._ended}" if self._ended else "its test did not run"
        for item in self._to_come:
            for name in requirements_of(item):
                self._session.ledger.of(name).gaps.append(reason)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Let a test that has run in a lane end as it did there."""
        if self._lanes is None:
            return None
        self._lanes.result(pyfuncitem)
        return True

    @pytest.fixture
    def _parts(self, request: pytest.FixtureRequest) -> Parts:
        return Parts(self._session, request.node, self._drawings)

    @pytest.fixture
    def ledger(self, _parts: Parts) -> Ledger:
        """The record of the run."""
        return _parts.ledger

    @pytest.fixture
    def api(self, _parts: Parts) -> Api:
        """The five operations."""
        return _parts.api

    @pytest.fixture
    def inventory(self, _parts: Parts) -> Inventory:
        """The list, page by page."""
        return _parts.inventory

    @pytest.fixture
    def providers(self, _parts: Parts) -> Iterator[Providers]:
        """The providers of the run; what a test leaves is destroyed after it."""
        yield _parts.providers
        if self._lanes is None:
            _parts.providers.clear()

    @pytest.fixture
    def expect(self, _parts: Parts) -> Expect:
        """Holds exchanges to rules for the test's requirement."""
        return _parts.expect

    @pytest.fixture
    def refusals(self, _parts: Parts, providers: Providers) -> Refusals:  # noqa: ARG002 - are destroyed after it
        """Sends what must be refused, and makes sure that it changes nothing."""
        return _parts.refusals

    @pytest.fixture
    def draw(self, _parts: Parts) -> Draw:
        """Draws values, the same for the same seed."""
        return _parts.draw

    @pytest.fixture
    def drawn(self, _parts: Parts) -> Any:
        """The values that were drawn for the test."""
        return _parts.drawn

    @pytest.fixture
    def second_opinion(self, _parts: Parts) -> Callable[..., Problem | None]:
        """The rule by which Schemathesis judges an answer."""
        return _parts.second_opinion

    def _excuse(self, since: int) -> None:
        self._session.ledger.excuse(since, (one.exchange.number for one in self._session.target.traffic.dropped))

    def _note_ending(self, item: pytest.Item, ending: BaseException) -> None:
        names = requirements_of(item)
        match ending:
            case ViolationError():
                return
            case NotTestableError():
                for name in names:
                    self._session.ledger.of(name).gaps.append(str(ending))
            case RunEndedError():
                # Before what may have come of it: a test that missed an answer may have given up of its own accord.
                for name in names:
                    self._session.ledger.of(name).gaps.insert(0, str(ending))
                item.session.shouldstop = self._ended = str(ending)
                if isinstance(ending, TargetLostError) and ending.since is not None:
                    self._gone_since = ending.since
                    self._excuse(ending.since)
            case _:
                what = f"{item.name}: {type(ending).__name__}: {ending}"
                for name in names:
                    self._session.ledger.of(name).defects.append(what)
