"""Plausible updates of our providers, held to what show must give after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.errors import NotTestableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.values.plausible import Provider, Traits


def change(held: Held, traits: Traits, providers: Providers, expect: Expect) -> None:
    """Update a provider of ours and hold show to every value as updated; NotTestableError tells of a refusal."""
    before, values = providers.shown(held), held.body
    accept(held, traits, providers)
    shows_change(held, before, values, providers, expect)


def accept(held: Held, traits: Traits, providers: Providers) -> None:
    """Update a provider of ours; NotTestableError tells of a refusal."""
    answer = providers.updated(held, traits)
    if answer.refused or answer.status is None:
        raise NotTestableError(f"a plausible update is answered with {judge.answer(answer)}")


def change_all(held: Sequence[Held], kinds: Sequence[Traits], providers: Providers, expect: Expect) -> None:
    """Update one provider of ours each to its traits, side by side, and hold show to it as `change` does."""
    providers.show_all([one for one in held if one.shown is None])
    before, values = [providers.shown(one) for one in held], [one.body for one in held]
    answers = providers.update_all(held, kinds)
    providers.show_all(held)
    for one, traits, answer, state, was in zip(held, kinds, answers, before, values, strict=True):
        with expect.each():
            judged = providers.judged_update(one, traits, answer)
            if judged.refused or judged.status is None:
                raise NotTestableError(f"a plausible update is answered with {judge.answer(judged)}")
            shows_change(one, state, was, providers, expect)


def shows_change(held: Held, before: Exchange, values: Provider, providers: Providers, expect: Expect) -> None:
    """Hold show to every value as updated (UPDATE-2); `before` and `values` are of before the update.

    Parameters that are plausible are the same in all updates, and stay once they are there.
    """
    kept = {name: items for name, items in providers.values.parameters.items() if items}
    expect(
        judge.shows_update,
        before,
        providers.shown(held),
        of=held,
        requirement="UPDATE-2",
        held={**values, **kept},
        values={**held.body, **kept},
        ill_typed=sorted(providers.ill_typed),
    )
