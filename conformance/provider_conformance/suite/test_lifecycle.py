"""All five operations in any order, with several providers alive: a model says what show and list must give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from provider_conformance.errors import NotTestableError, ViolationError
from provider_conformance.lanes import holding
from provider_conformance.lifecycle import MOST_ALIVE, STEPS, Lifecycle, Parts
from provider_conformance.plugin import requirement, thorough
from provider_conformance.search import certification, repeatable

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.drawing import Draw
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers


@requirement("UPDATE-3", "DESTROY-3", "SHOW-3", "CREATE-4", "UPDATE-2", "DESTROY-2", "LIST-3", "LIST-6")
@thorough
@holding(4)
def test_any_order_of_operations_leaves_what_the_model_says(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, draw: Draw, ledger: Ledger
) -> None:
    class OfThisRun(Lifecycle):
        parts = Parts(api, providers, inventory, expect, ledger, min(MOST_ALIVE, providers.most))

    settings = certification(max(3, draw.examples // 5), stateful_step_count=STEPS)
    known = len(ledger.claims)
    try:
        with repeatable():
            run_state_machine_as_test(hypothesis.seed(draw.seed)(OfThisRun), settings=settings)
    except Flaky as flaky:
        # Hypothesis repeats what failed, and a target that has changed meanwhile does not fail again.
        found = next((claim.problem for claim in ledger.claims[known:] if claim.problem), None)
        if found is None:
            raise NotTestableError("the same requests are answered in different ways") from flaky
        raise ViolationError(found.summary) from flaky
