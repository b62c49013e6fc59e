"""Destroy provider."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.lanes import holding
from provider_conformance.plugin import essential, requirement, thorough
from provider_conformance.refusals import not_survived
from provider_conformance.values.illegal import Violation, bodies_that_are_no_object, ill_typed_ids
from provider_conformance.values.plausible import TYPICAL, Traits, few_combinations, single_changes

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.refusals import Refusals


SMALL = 50
"""Providers in a list that is also read in several pages."""


@requirement("DESTROY-1")
@essential
@holding(1)
def test_an_existing_provider_is_destroyed_with_200(providers: Providers, expect: Expect) -> None:
    for traits in (TYPICAL, *few_combinations()):
        with expect.each():
            held = providers.create(traits)
            expect(judge.accepted, providers.destroy(held), of=held)


@requirement("DESTROY-2")
@essential
@holding(5)
def test_a_destroyed_provider_is_in_neither_show_nor_list(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    # Two that stay, so that there is more than one page.
    kept, *beside = providers.create_some([TYPICAL] * max(1, min(2, providers.most - 1)))
    ids = [kept.id, *(held.id for held in beside)]
    destroyed: list[Held] = []

    for kinds in in_batches((TYPICAL, *few_combinations()), providers.room_for):
        doomed: list[Held] = []
        for created in providers.try_all(kinds):
            with expect.each():
                doomed.append(providers.held_by(created))
        providers.show_all(doomed)
        answers = providers.destroy_all(doomed)
        with api.ahead([*api.shows([held.id for held in doomed]), *inventory.sure_pages(1)]):
            gone = api.show_all([held.id for held in doomed])
            listing = inventory.judged(ours=ids)
        for held, answer, after in zip(doomed, answers, gone, strict=True):
            with expect.each():
                if not answer.succeeded:
                    raise NotTestableError(f"destroy is answered with {judge.answer(answer)}")
                destroyed.append(held)
                expect(judge.no_longer_shown, after, of=held, id=held.id, name=held.name)
                expect(judge.not_listed, *listing.pages, of=held, id=held.id, name=held.name)

    # Nor is any of them there again once others have been created, by its name, changed and destroyed.
    other = _named_like(destroyed[0], providers) if destroyed else providers.create()
    providers.update(kept, next(single_changes()))
    providers.release(other)
    destroyed.append(other)
    listing = inventory.judged(ours=ids)
    others = [inventory.walk(ours=ids, sort_by=None)]
    others += [inventory.walk(ours=ids, pagesize=max(1, listing.size // 2))] if listing.size <= SMALL else []
    optional = api.list(inventory.first_page(), 100, "OPTIONAL")
    for held, shown in zip(destroyed, api.show_all([held.id for held in destroyed]), strict=True):
        with expect.each():
            expect(judge.no_longer_shown, shown, of=held, id=held.id, name=held.name)
            for pages in (listing.pages, *[walk.pages for walk in others], [optional]):
                expect(judge.not_listed, *pages, of=held, id=held.id, name=held.name)


def _named_like(gone: Held, providers: Providers) -> Held:
    """Create a provider with name, auth_id and hostname of one that was destroyed, or else any."""
    draft = providers.draft()
    marks = {name: gone.body[name] for name in ("name", "auth_id", "hostname")}
    return providers.holding(providers.send(replace(draft, body={**draft.body, **marks}))) or providers.create()


@requirement("DESTROY-3")
@holding(6)
def test_every_other_provider_is_kept(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    # Names that begin with another's, the same values but for what must be its own: what a careless WHERE mixes up.
    # One that is alike must be there still when another is destroyed.
    few = providers.most <= len(("first", "namesake", "unlike them"))
    for some in ((0,), (1, 2)) if few else ((0, 1), (2, 3, -1)):
        ours = providers.create_alike()
        with api.ahead([*api.shows([held.id for held in ours]), *inventory.sure_pages(len(ours))]):
            before = {held.number: providers.shown(held) for held in ours}
            listed = inventory.judged(ours=providers.ids).ids
        # Nor may those that were created later have changed the first: of all, these are plausible.
        for held in ours[:3]:
            with expect.each():
                if not ledger.violated("CREATE-4"):
                    state = before[held.number]
                    expect(judge.shows_values, state, of=held, requirement="CREATE-4", values=held.body)

        first, *_ = doomed_ones = [ours[index] for index in dict.fromkeys(index % len(ours) for index in some)]
        if not ledger.violated("UPDATE-3"):
            # A change of another that was just made must outlast the first destroy.
            changed = next(held for held in reversed(ours) if held is not first)
            port = providers.values.provider(changed.number, Traits(port=5083))["port"]
            providers.change(changed, {**changed.body, "port": port}, fair=False)
            providers.show_all([held for held in ours if held is not first])
            before |= {held.number: providers.shown(held) for held in ours}
        for doomed in doomed_ones:
            answer = providers.destroy(doomed)

            if not answer.succeeded:
                raise NotTestableError(f"destroy is answered with {judge.answer(answer)}")
            # Whatever it is answered with, the same once more finds nothing to destroy.
            api.destroy(doomed.id)
            kept = [held for held in ours if held in providers.held]
            ids = [held.id for held in kept]
            with api.ahead([*inventory.sure_pages(len(ids)), *api.shows(ids)]):
                listing, shown = inventory.judged(ours=ids), api.show_all(ids)
            for held, after in zip(kept, shown, strict=True):
                since = f"the destroy of provider {doomed.id}"
                expect(judge.unchanged, before[held.number], api.served(after), of=held, since=since)
                if listed.count(held.id) == 1:
                    expect(judge.listed_once, *listing.pages, of=held, id=held.id, name=held.name)
        providers.clear()


@requirement("DESTROY-3")
@holding(2)
def test_a_provider_whose_id_is_in_the_query_is_kept(api: Api, providers: Providers, expect: Expect) -> None:
    kept, doomed = providers.create_some([TYPICAL] * 2)
    before = providers.shown(kept)

    answer = api.heard(api.destroy(doomed.id, query=(("id", str(kept.id)),)))

    if answer.succeeded and not providers.exists(doomed.id):
        providers.forget(doomed)
    since = f"a destroy of provider {doomed.id} with its id in the query"
    expect(judge.unchanged, before, api.served(api.show(kept.id)), of=kept, requirement="DESTROY-3", since=since)


@requirement("DESTROY-4")
@holding(3)
def test_an_id_that_is_no_int64_integer_is_answered_with_exactly_400(
    api: Api, providers: Providers, refusals: Refusals, expect: Expect
) -> None:
    # Made of an id of our own that lives: only that tells a server that refuses from one that coerces in vain.
    refusals.invalid_ids(ill_typed_ids(Operation.DESTROY))

    # A charset is no reason to read an id otherwise.
    victim = providers.create()
    state = providers.shown(victim)
    answer = api.served(api.destroy({"id": str(victim.id)}, content_type="application/json; charset=utf-8"))
    if not providers.exists(victim.id):
        providers.forget(victim)
    expect(judge.refused_as_invalid_id, answer, of=victim, what="the id as text, with a charset")
    after = api.served(api.show(victim.id))
    expect(judge.unchanged, state, after, of=victim, since="a destroy with the invalid id as text")


@requirement("DESTROY-5")
@holding(4)
def test_an_id_that_names_no_provider_is_answered_with_exactly_400(
    api: Api, providers: Providers, expect: Expect, ledger: Ledger
) -> None:
    kept = providers.create()
    before = providers.shown(kept)
    gone = providers.create_some([TYPICAL] * min(3, max(1, providers.most - 1)))
    providers.update(gone[0], next(single_changes()))
    for answer in providers.destroy_all(gone):
        expect.control(answer)
    providers.are_gone_for_good(gone)

    # The one that the run destroyed first is long gone.
    oldest = [held for held in providers.past[:1] if providers.is_gone(held.id)]
    for held in (gone[-1], gone[-1], *gone[:2], gone[0], gone[0], *oldest):
        with expect.each():
            answer = api.destroy(held.id)
            not_survived(answer, "the id of a destroyed provider")
            expect(judge.refused_as_invalid_id, answer, of=held, what="the id of a destroyed provider")

    doomed = providers.create()
    with expect.each():
        expect.control(providers.destroy(doomed))
        expect(judge.refused_as_invalid_id, api.destroy(doomed.id), of=doomed, what="the same id at once again")
    if ledger.violated("DESTROY-3"):
        raise NotTestableError("destroy takes other providers along (DESTROY-3), so that nothing can be said of others")
    after = api.served(api.show(kept.id))
    expect(judge.unchanged, before, after, of=kept, since="destroys with ids of destroyed providers")


@requirement("DESTROY-6")
@thorough
@holding(3)
def test_a_destroy_without_an_id_or_an_object_is_refused(refusals: Refusals) -> None:
    refusals.destroys([*OBJECTS_WITHOUT_ID, *bodies_that_are_no_object()])


OBJECTS_WITHOUT_ID = (
    Violation("an empty object", lambda _: b"{}", 0),
    Violation("an empty object, and the id in the query", lambda _: b"{}", 0, in_query="id"),
    Violation("an empty body, and the id in the query", lambda _: b"", 0, in_query="id"),
    Violation("an object without id", lambda _: b'{"name":"pconf"}', 0),
    Violation("provider_id for id", lambda body: b'{"provider_id":%d}' % int(str(body["id"])), 0),
    Violation("ids for id", lambda body: b'{"ids":[%d]}' % int(str(body["id"])), 0),
    Violation("the id one level deeper", lambda body: b'{"provider":{"id":%d}}' % int(str(body["id"])), 0),
    Violation("ID for id", lambda body: b'{"ID":%d}' % int(str(body["id"])), 0),
    Violation("an empty name for id", lambda body: b'{"":%d}' % int(str(body["id"])), 0),
)
"""Bodies that lack the id, or have it elsewhere."""
