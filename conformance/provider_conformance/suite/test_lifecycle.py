"""All five operations in any order, with several providers alive: a model says what show and list must give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from provider_conformance import judge
from provider_conformance.changes import change
from provider_conformance.errors import NotTestableError, ViolationError
from provider_conformance.plugin import requirement
from provider_conformance.search import certification, repeatable
from provider_conformance.values.plausible import Traits, strategy

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Draw, Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Held, Providers

STEPS = 12
MOST_ALIVE = 4

KEEPS = {"create": "CREATE-4", "update": "UPDATE-3", "destroy": "DESTROY-3", "read": "SHOW-3"}
"""The requirement that an operation breaks when it changes some other provider."""

SINCE = {operation: f"{operation} of another provider" for operation in KEEPS} | {"read": "reading it and others"}
"""What came before a look at a provider."""


@requirement("UPDATE-3", "DESTROY-3", "SHOW-3", "CREATE-4", "UPDATE-2", "DESTROY-2", "LIST-3")
def test_any_order_of_operations_leaves_what_the_model_says(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, draw: Draw, ledger: Ledger
) -> None:
    alive = min(MOST_ALIVE, providers.most)

    class Lifecycle(RuleBasedStateMachine):
        """Providers of ours and what has been done to them; after every step all of them are compared."""

        def __init__(self) -> None:
            super().__init__()
            self.last = "read"
            self.touched: Held | None = None

        @precondition(lambda self: len(providers.held) < alive)
        @rule(traits=strategy())
        def create(self, traits: Traits) -> None:
            self._did("create", providers.create(traits))
            assert self.touched is not None
            shown = providers.shown(self.touched)
            expect(judge.shows_values, shown, of=self.touched, requirement="CREATE-4", values=self.touched.body)

        @precondition(lambda self: bool(providers.held))
        @rule(index=st.integers(0, MOST_ALIVE - 1), traits=strategy())
        def update(self, index: int, traits: Traits) -> None:
            held = self._pick(index)
            self._did("update", held)
            change(held, traits, providers, expect)

        @precondition(lambda self: bool(providers.held))
        @rule(index=st.integers(0, MOST_ALIVE - 1))
        def destroy(self, index: int) -> None:
            held = self._pick(index)
            if not providers.destroy(held).succeeded:
                raise NotTestableError("destroy is not accepted")
            self._did("destroy", held)
            shown = api.show(held.id)
            expect(judge.no_longer_shown, shown, of=held, requirement="DESTROY-2", id=held.id, name=held.name)

        @precondition(lambda self: bool(providers.held))
        @rule(pagesize=st.sampled_from((1, 2, 3, 100)))
        def walk(self, pagesize: int) -> None:
            self._did("read", None)
            try:
                whole = inventory.judged(ours=providers.ids)
                walk = inventory.judged(pagesize, ours=providers.ids) if whole.size <= MOST_ALIVE * 2 else whole
            except NotTestableError as reason:
                ledger.of("LIST-3").gaps.append(str(reason))
                return
            expect(judge.every_one_once, *walk.pages, requirement="LIST-3", names=providers.names)

        @invariant()
        def the_others_are_as_they_were(self) -> None:
            others = [held for held in providers.held if held is not self.touched and held.shown is not None]
            for held, after in zip(others, api.show_all([held.id for held in others]), strict=True):
                assert held.shown is not None
                story = self.touched or held
                expect(
                    judge.unchanged,
                    held.shown,
                    api.served(after),
                    of=story,
                    requirement=KEEPS[self.last],
                    since=SINCE[self.last],
                )

        def teardown(self) -> None:
            providers.clear()

        def _pick(self, index: int) -> Held:
            return providers.held[index % len(providers.held)]

        def _did(self, what: str, held: Held | None) -> None:
            self.last, self.touched = what, held

    settings = certification(max(3, draw.examples // 5), stateful_step_count=STEPS)
    known = len(ledger.claims)
    try:
        with repeatable():
            run_state_machine_as_test(hypothesis.seed(draw.seed)(Lifecycle), settings=settings)
    except Flaky as flaky:
        # Hypothesis repeats what failed, and a target that has changed meanwhile does not fail again.
        found = next((claim.problem for claim in ledger.claims[known:] if claim.problem), None)
        if found is None:
            raise NotTestableError("the same requests are answered in different ways") from flaky
        raise ViolationError(found.summary) from flaky
