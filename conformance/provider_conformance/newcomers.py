"""Looks for what creates have stored that had to be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Draft, Providers


class Newcomers:
    """Remembers creates that had to be refused, and finds out in the end whether one of them has stored anything."""

    def __init__(self, api: Api, providers: Providers, inventory: Inventory) -> None:
        self._api = api
        self._providers = providers
        self._before = inventory.walk(ours=providers.ids)
        self._tried: list[tuple[Draft, str, Exchange]] = []

    def tried(self, draft: Draft, what: str, answer: Exchange) -> None:
        """Take note of a create; what it made, if it was accepted, is ours to destroy."""
        self._tried.append((draft, what, answer))
        self._providers.adopt(answer, draft)

    def judge(self, expect: Expect) -> None:
        """Look at every provider that has appeared since: none may bear a name that only refused creates carried."""
        refused = [tried for tried in self._tried if tried[2].refused]
        for identity in self._providers.newcomers(self._before) if refused else ():
            shown = self._api.show(identity)
            for draft, what, answer in refused:
                with expect.each():
                    if judge.not_stored(answer, shown, name=draft.name, what=what) is not None:
                        self._providers.take_over(identity, draft.name)
                    expect(judge.not_stored, answer, shown, name=draft.name, what=what)
