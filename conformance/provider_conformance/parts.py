"""What a test of the suite is given: the names of its parameters say which of these it wants."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any

from provider_conformance.expectations import Expect
from provider_conformance.refusals import Refusals
from provider_conformance.rules import SECOND_OPINION

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from provider_conformance.api import Api
    from provider_conformance.drawing import Draw, Drawings
    from provider_conformance.inventory import Inventory
    from provider_conformance.judge import Problem
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.session import Session


def requirements_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the requirement ids that a test is marked with."""
    mark = item.get_closest_marker("requirement")
    return tuple(mark.args) if mark else ()


class Parts:
    """The parts of a session that one test gets."""

    def __init__(self, session: Session, item: pytest.Item, drawings: Drawings) -> None:
        self._session = session
        self._item = item
        self._drawings = drawings

    def run(self, test: pytest.Function) -> None:
        """Run the test in this thread, and destroy what it leaves; raises what it raises."""
        wanted = inspect.signature(test.obj).parameters
        try:
            test.obj(**{name: getattr(self, name) for name in wanted})
        finally:
            self.providers.clear()

    @property
    def ledger(self) -> Ledger:
        """The record of the run."""
        return self._session.ledger

    @property
    def api(self) -> Api:
        """The five operations."""
        return self._session.api

    @property
    def inventory(self) -> Inventory:
        """The list, page by page."""
        return self._session.inventory

    @property
    def providers(self) -> Providers:
        """The providers of the run; what a test leaves is destroyed after it."""
        return self._session.providers

    @cached_property
    def expect(self) -> Expect:
        """Holds exchanges to rules for the test's requirement."""
        return Expect(self.ledger, requirements_of(self._item)[0])

    @cached_property
    def refusals(self) -> Refusals:
        """Sends what must be refused, and makes sure that it changes nothing."""
        return Refusals(self.api, self.providers, self.inventory, self.expect)

    @property
    def draw(self) -> Draw:
        """Draws values, the same for the same seed."""
        return self._drawings.draw(self._item)

    @property
    def drawn(self) -> Any:
        """The values that were drawn for the test."""
        return self._drawings.of(self._item)

    @property
    def second_opinion(self) -> Callable[..., Problem | None]:
        """The rule by which Schemathesis judges an answer."""
        return self._drawings.rule(SECOND_OPINION, self._item)
