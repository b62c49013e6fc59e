"""Values that the docs allow and no operator sends: stored exactly as they were sent, or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from provider_conformance import judge
from provider_conformance.errors import NotTestableError
from provider_conformance.judge.wording import differing
from provider_conformance.plugin import requirement
from provider_conformance.refusals import accepted, not_survived
from provider_conformance.values import unusual
from provider_conformance.values.plausible import TYPICAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Draw, Expect
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Draft, Held, Providers
    from provider_conformance.refusals import Refusals
    from provider_conformance.values.unusual import Unusual


@requirement("VALUE-1")
def test_what_is_unusual_is_created_exactly_or_refused(
    api: Api, providers: Providers, refusals: Refusals, expect: Expect, draw: Draw, ledger: Ledger
) -> None:
    plain = providers.create()
    spoilt = not_given_back(providers.shown(plain), plain.body, providers, ledger)
    before = refusals.look_around()
    providers.clear()
    sent: list[tuple[Draft, str, Exchange]] = []

    def is_kept(odd: Unusual, *, alone: bool) -> bool:
        draft = providers.draft()
        draft = replace(draft, body={**draft.body, **odd.changes})
        answer = providers.send(draft)
        if answer.refused:
            sent.append((draft, odd.what, answer))
        held = providers.holding(answer)
        shown = api.show(held.id) if held else None
        if alone:
            not_survived(answer, odd.what)
            expect(judge.stored_or_refused, answer, what=odd.what)
        if held is None or shown is None:
            return False
        return kept(answer, shown, held, draft.body, odd.what, spoilt, expect, alone=alone)

    for group in (
        *[(combination,) for combination in unusual.combinations()],
        *unusual.groups(parameters=False),
        *[(drawn,) for drawn in draw(unusual.strategy(), max(5, draw.examples // 6))],
    ):
        together_or_alone(group, is_kept, expect, providers.clear)

    refusals.nothing_was_stored(before, sent)


@requirement("VALUE-1")
def test_what_is_unusual_is_updated_exactly_or_refused(
    api: Api, providers: Providers, expect: Expect, draw: Draw, ledger: Ledger
) -> None:
    held = providers.create()
    bystander = providers.create()
    before_all = providers.shown(bystander)
    providers.update(held, TYPICAL)
    plain = providers.values.update(held.id, held.body)
    spoilt = not_given_back(providers.state(held), plain, providers, ledger)

    def is_kept(odd: Unusual, *, alone: bool) -> bool:
        ours = next((one for one in providers.held if one is not bystander), None) or providers.create()
        before = providers.shown(ours)
        body = {**providers.values.update(ours.id, ours.body), **odd.changes}
        answer = api.served(api.update(body))
        after = api.show(ours.id)
        if after.succeeded and (accepted(answer) or answer.refused):
            ours.shown = after
        else:
            providers.release(ours)
        if alone:
            not_survived(answer, odd.what)
            expect(judge.stored_or_refused, answer, of=ours, what=odd.what)
        if accepted(answer):
            if ledger.violated("UPDATE-2") and judge.unchanged(before, after) is None:
                raise NotTestableError("not even plausible updates change anything (UPDATE-2)")
            return kept(answer, after, ours, body, odd.what, spoilt, expect, alone=alone)
        expect(judge.refused_without_change, before, answer, after, of=ours, what=odd.what)
        return False

    for group in (
        *[(combination,) for combination in unusual.combinations()],
        *unusual.groups(parameters=True),
        *[(drawn,) for drawn in draw(unusual.strategy(), max(5, draw.examples // 2))],
    ):
        together_or_alone(group, is_kept, expect, lambda: None)
    if bystander in providers.held:
        expect(judge.unchanged, before_all, providers.state(bystander), of=held, requirement="UPDATE-3")


class IsKept(Protocol):
    """Sends something unusual and tells whether it is kept exactly; unless it is sent `alone`, nobody is blamed yet."""

    def __call__(self, odd: Unusual, *, alone: bool) -> bool:
        """Send it."""


def together_or_alone(group: Sequence[Unusual], is_kept: IsKept, expect: Expect, and_then: Callable[[], None]) -> None:
    """Send a group of unusual values together, and each alone unless all of them are kept as they were sent."""
    all_kept = False
    if len(group) > 1:
        with expect.each():
            all_kept = is_kept(unusual.joined(group), alone=False)
        and_then()
    for odd in () if all_kept else group:
        with expect.each():
            is_kept(odd, alone=True)
        and_then()


def kept(
    answer: Exchange,
    shown: Exchange,
    held: Held,
    values: Mapping[str, JsonValue],
    what: str,
    spoilt: Sequence[str],
    expect: Expect,
    *,
    alone: bool,
) -> bool:
    """Tell whether show gives what was accepted, and hold the implementation to it where that is due."""
    if alone:
        not_survived(shown, f"a provider with {what}")
    elif judge.kept_exactly(answer, shown, values=values, what=what, spoilt=spoilt) is not None:
        return False
    expect(judge.kept_exactly, answer, shown, of=held, values=dict(values), what=what, spoilt=spoilt)
    return True


def not_given_back(shown: Exchange, values: Mapping[str, JsonValue], providers: Providers, ledger: Ledger) -> list[str]:
    """Name the properties that show does not give back even where they are plausible (CREATE-4, UPDATE-2, SHOW-2)."""
    members = judge.members_of(shown) or {}
    wrong = {name for name, value in values.items() if name not in members or not judge.same(members[name], value)}
    known = {
        name
        for requirement_id in ("CREATE-4", "UPDATE-2")
        for claim in ledger.of(requirement_id).violations
        if claim.problem is not None
        for name in differing(claim.problem)
    }
    return sorted(wrong | known | providers.ill_typed)
