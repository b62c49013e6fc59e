"""Bodies beyond all bounds: whatever becomes of them, the next request is served as usual."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError, TargetLostError
from provider_conformance.lanes import alone, holding
from provider_conformance.plugin import requirement
from provider_conformance.values.excess import excesses
from provider_conformance.values.plausible import TYPICAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.api import Api
    from provider_conformance.call import Call
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.values.plausible import Provider

MOST_RETRIES = 20
"""How often a server that suffers is asked again, so that what follows is not blamed for it."""


@requirement("HTTP-5")
@alone
@holding(2)
def test_the_request_after_an_excessive_body_is_served_as_usual(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    for name in ("SHOW-1", "SHOW-3"):
        if ledger.violated(name):
            raise NotTestableError(f"show does not always give a provider ({name}), so that it cannot tell of harm")
    gone = providers.gone()
    held = providers.create()
    first = inventory.first_page()
    usual = max(shown_anew(api, held).elapsed for _ in range(5))
    listing = api.page(first, 10, inventory.default)
    lists = [listing] if api.served(api.send(listing)).succeeded else []
    draft = providers.draft()

    def another() -> Provider:
        # What is not documented may be stored and shown (D19), of any size: only this one must be seen with it.
        scrap = providers.create_one_unseen(TYPICAL)
        return providers.values.update(scrap.id, scrap.body)

    for excess in excesses(draft.body, another, gone):
        with expect.each():
            api.target.close()
            if excess.operation is Operation.CREATE:
                providers.need_room()
                providers.announce(draft)
            answer = api.send(replace(api.call(excess.operation, excess.body), headers=excess.headers))
            # What is accepted may make the list as long, until it is destroyed.
            at_once = lists if answer.refused else []
            try:
                shown, pages = shown_until_served(api, held, at_once)
                expect(judge.served_as_usual, answer, *shown, *pages, of=held, usual=usual, what=excess.what)
            finally:
                if excess.operation is Operation.CREATE:
                    providers.adopt(answer, draft)
                providers.release_all([one for one in providers.held if one is not held])
            for page in [*pages, *map(api.send, lists if not at_once else ())]:
                expect(judge.served_as_usual, answer, api.served(page), of=held, usual=usual, what=excess.what)

    expect.control(providers.update(held, providers.base))


def shown_anew(api: Api, held: Held) -> Exchange:
    """Show a provider over a new connection."""
    api.target.close()
    return api.served(api.show(held.id))


def shown_until_served(api: Api, held: Held, beside: Sequence[Call]) -> tuple[list[Exchange], list[Exchange]]:
    """Show a provider, and if that is not served, again and again, so that what follows is not blamed for it.

    Returns what came of that, and of what was sent side by side with the first.
    """
    answers: list[Exchange] = []
    shown: list[Exchange] = []
    api.target.close()
    # A target that is gone ends the run with the request after the first one is judged.
    with contextlib.suppress(TargetLostError):
        for answer in api.send_all([*api.shows([held.id]), *beside]):
            answers.append(answer)  # noqa: PERF402 - the first is kept where the second ends the run
        shown = [api.served(answers[0])]
        while len(shown) < MOST_RETRIES and not shown[-1].succeeded:
            shown.append(shown_anew(api, held))
    return shown or answers[:1], answers[1:]
