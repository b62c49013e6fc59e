"""All five operations in any order, with several providers alive: a model says what show and list must give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough

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
    # Slow to import, for which tests before this one need not wait.
    from provider_conformance.lifecycle import MOST_ALIVE, Parts, run_through  # noqa: PLC0415

    parts = Parts(api, providers, inventory, expect, ledger, alive=min(MOST_ALIVE, providers.most))
    run_through(parts, max(3, draw.examples // 5), draw.seed)
