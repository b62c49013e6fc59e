"""The parts of one run, put together: target, ledger, providers, and what is to be tested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from provider_conformance.api import Api
from provider_conformance.contract import told_at
from provider_conformance.inventory import Inventory
from provider_conformance.ledger import Ledger
from provider_conformance.oracle import Providers
from provider_conformance.target import Target

if TYPE_CHECKING:
    from provider_conformance.config import Config
    from provider_conformance.contract import Requirement
    from provider_conformance.exchange import Exchange
    from provider_conformance.guard import Guard
    from provider_conformance.journal import Journal
    from provider_conformance.progress import Progress
    from provider_conformance.room import Share


@dataclass(frozen=True)
class Session:
    """One run against one target."""

    config: Config
    requirements: tuple[Requirement, ...]
    progress: Progress
    guard: Guard
    journal: Journal
    ledger: Ledger
    target: Target
    api: Api
    inventory: Inventory
    providers: Providers

    def beside(self) -> Session:
        """Return a session of the same run with connections of its own, for `holding` to use in another thread."""
        target = self.target.beside()
        api = self.api.beside(target)
        return replace(self, target=target, api=api, inventory=self.inventory.beside(api))

    def holding(self, share: Share) -> Session:
        """Return a session over the same connections that holds other providers, for which it has a share of room."""
        return replace(self, providers=self.providers.beside(self.api, self.inventory, share))

    @cached_property
    def selected(self) -> frozenset[str]:
        """The ids of the requirements that the run tests."""
        only = set(self.config.only)
        return frozenset(
            requirement.id
            for requirement in self.requirements
            if not only or only & {requirement.id, requirement.operation.value, requirement.level.value}
        )

    @cached_property
    def counting(self) -> frozenset[str]:
        """The ids of those of them that count in the verdict, which advice never does."""
        levels = {requirement.id: requirement.level for requirement in self.requirements}
        return frozenset(name for name in self.selected if self.config.level.includes(levels[name]))


def open_session(config: Config, progress: Progress, journal: Journal, guard: Guard) -> Session:
    """Put the parts of a run together; `config` has the base URL and token of the target. Nothing is sent yet."""
    assert config.base_url is not None
    ledger = Ledger(config.workers)

    def record(exchange: Exchange) -> None:
        ledger.record(exchange)
        progress.exchanged(len(ledger.exchanges))

    target = Target(config, guard, record, progress.note)
    api = Api(target, ledger)
    inventory = Inventory(api, ledger)
    providers = Providers(api, ledger, inventory, journal, config)
    journal.run(config.base_url)
    requirements = told_at(config.level)
    return Session(config, requirements, progress, guard, journal, ledger, target, api, inventory, providers)
