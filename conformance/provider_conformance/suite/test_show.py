"""Retrieve provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.lanes import holding
from provider_conformance.plugin import essential, requirement
from provider_conformance.refusals import not_survived
from provider_conformance.values.illegal import unfair_ids
from provider_conformance.values.plausible import TYPICAL, Traits, varied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.refusals import Refusals
    from provider_conformance.values.plausible import Provider


@requirement("SHOW-1")
@essential
@holding(4)
def test_an_existing_provider_is_shown_under_its_id(api: Api, providers: Providers, expect: Expect) -> None:
    first, second, third = providers.create_all(varied()[:3])

    def look_at(*ours: Held) -> None:
        for held, shown in zip(ours, api.show_all([held.id for held in ours]), strict=True):
            expect(judge.shows_asked, api.served(shown), of=held, id=held.id)

    look_at(second, first, third, first, second)

    providers.release(second)
    look_at(third, first)

    # Nobody remembers that there was none: where ids are counted, the next one is asked for before it is given.
    # As many of them as other tests may take meanwhile, and one more.
    latest, further = max(tuple(api.ours)), 1 + api.target.traffic.workers
    api.show_all([latest + near for near in range(1, 1 + further)])
    look_at(*providers.create_some([TYPICAL] * min(2, providers.most - len(providers.held))))


@requirement("SHOW-2")
def test_documented_properties_have_their_documented_types(providers: Providers, expect: Expect) -> None:
    for answer in providers.tried_by_batches(varied()):
        with expect.each():
            held = providers.held_by(answer)
            expect(judge.documented_types, providers.shown(held), of=held, operation="show")


@requirement("SHOW-3")
@holding(4)
def test_show_and_list_change_nothing(api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
    gone = providers.gone()
    # With letters in both cases, which reading may fold.
    ours = providers.create_all([OTHER_CASE, *varied()[1 : min(4, max(3, providers.most))]])
    first = inventory.first_page()

    reads: tuple[Callable[[], tuple[Exchange, ...]], ...] = (
        lambda: api.show_all([held.id for held in ours]),
        lambda: api.list_each([(first, 100, None)]),
        lambda: api.list_each((page, 1, "DEFAULT") for page in (first, first + 1)),
        lambda: api.list_each((page, 2, "OPTIONAL") for page in (first, first + 1)),
        lambda: api.show_all([ours[0].id] * 5),
        # What cannot be read changes nothing either.
        lambda: (api.show(gone), api.list(first, "x"), api.show("x")),
    )
    for read in reads:
        before = [providers.shown(held) for held in ours]
        read()
        for held, state, after in zip(ours, before, api.show_all([held.id for held in ours]), strict=True):
            expect(judge.unchanged, state, api.served(after), of=held, since="reading it and others")


OTHER_CASE = Traits(name_tail=" Renamed", auth_tail="Other", host="Gateway", outbound_host="Border", ips=3)

BOUNDS = (2**63 - 1, -(2**63))
"""The largest and the smallest id that there may be."""


@requirement("SHOW-4")
@holding(5)
def test_an_unknown_id_never_shows_some_other_provider(api: Api, providers: Providers, expect: Expect) -> None:
    unlike = varied()[2:0:-1]
    *doomed, one, other = providers.create_some([*[TYPICAL] * min(3, max(1, providers.most - 2)), *unlike])
    kept = [one, other]

    for held in (*doomed[1::-1], *doomed[2:]):
        providers.destroy(held)
        others = {str(other.id): other.body for other in providers.held}
        expect(judge.gives_nobody, api.show(held.id), of=held, asked=held.id, others=others)

    # Ids that a careless comparison takes for one of ours. Should one of them be somebody's, show gives that very
    # provider, and nothing is wrong.
    others = {str(other.id): other.body for other in kept}
    for held, ends in zip(kept, (BOUNDS, ()), strict=True):
        alike = (*mistakable(held.id, [past.id for past in providers.past]), -1, 0, *ends)
        ids = [asked for asked in alike if asked not in {other.id for other in kept}]
        for asked, shown in zip(ids, api.show_all(ids), strict=True):
            with expect.each():
                expect(judge.gives_nobody, shown, of=held, asked=asked, others=others)


def mistakable(identity: int, past: Sequence[int]) -> list[int]:
    """Return ids that differ from one of ours and yet may be taken for it, by truncation, sign or as text."""
    digits = str(identity)
    alike = [other for other in past if digits.startswith(str(other)) or digits.endswith(str(other))]
    derived = (identity + 2**32, identity - 2**32, identity + 2**16, -identity)
    return [other for other in (*alike[-3:], *derived) if other != identity and other in judge.INT64]


@requirement("SHOW-5")
@holding(4)
def test_an_unknown_id_is_refused(api: Api, providers: Providers, expect: Expect) -> None:
    kept = providers.create()
    expect.control(api.show(kept.id))
    doomed = providers.create_some([TYPICAL] * min(3, max(1, providers.most - 1)))
    others = {str(kept.id): kept.body}

    providers.destroy_all(doomed)
    former = (*doomed[1::-1], *doomed[2:], doomed[-1])
    for held, answer in zip(former, api.show_all([held.id for held in former]), strict=True):
        with expect.each():
            not_survived(answer, "a destroyed id")
            if providers.is_undead(held, answer):
                raise NotTestableError("no id to test with: a destroyed provider is still shown (DESTROY-2)")
            if judge.gives_nobody(answer, asked=held.id, others=others) is not None:
                raise NotTestableError("an unknown id shows some other provider (SHOW-4)")
            expect(judge.unknown_refused, answer, of=held, asked=held.id, what="the id of a destroyed provider")

    # Should one of these be somebody's, show gives that very provider, and nothing is wrong.
    nobody_s = (doomed[0].id + 2**40, doomed[0].id + 1000, -doomed[0].id, -1, 0, 2**63 - 1, -(2**63))
    for asked, answer in zip(nobody_s, api.show_all(nobody_s), strict=True):
        with expect.each():
            not_survived(answer, "an id that nobody may bear")
            if (
                asked != kept.id
                and judge.shows_asked(answer, id=asked) is not None
                and not _is_somebody(answer, others, asked)
            ):
                expect(judge.unknown_refused, answer, asked=asked, what="an id that no create gave")


def _is_somebody(answer: Exchange, others: Mapping[str, Provider], asked: int) -> bool:
    """Tell whether show gives a provider of ours under another id, which is another requirement (SHOW-4)."""
    return judge.gives_nobody(answer, asked=asked, others=others) is not None


@requirement("SHOW-6")
@holding(1)
def test_no_id_and_one_that_is_no_int64_integer_are_refused(
    api: Api, providers: Providers, refusals: Refusals, expect: Expect
) -> None:
    held = providers.create()
    before = providers.shown(held)

    refusals.query(Operation.SHOW, {"id": str(held.id)}, unfair_ids(held.id), of=held)

    after = api.served(api.show(held.id))
    expect(judge.unchanged, before, after, of=held, since="reading with invalid ids")
