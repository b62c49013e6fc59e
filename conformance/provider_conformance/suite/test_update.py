"""Update provider."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import AT_ONCE, in_batches
from provider_conformance.changes import accept, change, change_all, shows_change
from provider_conformance.contract import Operation
from provider_conformance.drawing import drawing
from provider_conformance.errors import NotTestableError
from provider_conformance.inventory import LARGEST_PAGE
from provider_conformance.lanes import holding
from provider_conformance.plugin import essential, requirement, thorough
from provider_conformance.refusals import MARKS, not_survived
from provider_conformance.values.illegal import (
    bodies_that_are_no_object,
    ill_typed_ids,
    ill_typed_properties,
    misplaced_properties,
    missing_properties,
    values_outside_enums,
)
from provider_conformance.values.plausible import (
    MOST_IPS,
    TYPICAL,
    Traits,
    boundaries,
    changes_of_unlike,
    different_in_all,
    few_combinations,
    near_changes,
    rebased,
    single_changes,
    strategy,
    texts,
)
from provider_conformance.values.unlike import ALL_ON_BY_ADDRESS, OTHERWISE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Draft, Held
    from provider_conformance.refusals import Refusals
    from provider_conformance.values.plausible import Provider


@requirement("UPDATE-1")
@essential
@holding(4)
def test_a_complete_plausible_update_is_answered_with_200(api: Api, providers: Providers, expect: Expect) -> None:
    held = providers.create()
    providers.updated(held, TYPICAL)

    # Names that another has given up, by another name or for ever, are nobody's at present.
    other, doomed = providers.create_some([TYPICAL] * 2)
    names = dict(other.body)
    former = [names] if providers.gives_up_names(other) else []
    providers.release(doomed)
    former += [dict(doomed.body)] if providers.is_gone(doomed.id) else []
    for marks in former:
        with expect.each():
            taken = {**held.body, **{name: marks[name] for name in ("name", "auth_id", "hostname")}}
            answer = providers.change(held, taken)
            expect(judge.accepted, answer, of=held, what="name, auth_id and hostname that another has given up")
    providers.update(held, TYPICAL)
    for traits in (OTHERWISE, ALL_ON_BY_ADDRESS):
        with expect.each():
            before, values = providers.shown(held), held.body
            body = providers.values.provider(held.number, rebased(traits, providers.base))
            answer = providers.change(held, dict(reversed(body.items())))
            expect(judge.accepted, answer, of=held, what="the properties in another order")
            shows_change(held, before, values, providers, expect)
    with expect.each():
        answer = api.served(api.update({"id": held.id, **providers.values.update(held.id, held.body)}))
        expect(judge.accepted, answer, of=held, what="the id before all other properties")

    # What becomes of others is none of its business.
    providers.release(other)
    older, newer = providers.create_some([TYPICAL] * 2)
    for gone in (newer, older):
        providers.release(gone)
        expect(judge.accepted, providers.update(held, TYPICAL), of=held, what="another provider destroyed before it")


@requirement("UPDATE-2", "UPDATE-1", "UPDATE-3")
@essential
@holding(2)
def test_an_update_changes_every_property_of_one_provider_alone(providers: Providers, expect: Expect) -> None:
    held = providers.create()
    # One that is like it in what a careless WHERE goes by.
    others = [providers.twin_of(held) or providers.create()] if providers.most > 1 else []
    before = [providers.shown(other) for other in others]

    for traits in (different_in_all(), Traits(auth_mode="IP_AUTH", ips=1)):
        with expect.each():
            change(held, traits, providers, expect)
        for other, state in zip(others, before, strict=True):
            with expect.each():
                since = f"the update of provider {held.id}"
                expect(judge.unchanged, state, providers.state(other), of=held, requirement="UPDATE-3", since=since)


@requirement("UPDATE-2", "UPDATE-1")
@thorough
@holding(3)
@drawing(lambda draw: draw(strategy(), max(5, draw.examples // 2)))
def test_show_and_list_give_every_value_as_updated(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, drawn: tuple[Traits, ...], ledger: Ledger
) -> None:
    held = providers.create()

    for turn, traits in enumerate((*changes_of_unlike(), *near_changes(), *few_combinations())):
        with expect.each():
            before, values = providers.shown(held), held.body
            if providers.values.provider(held.number, traits) == values:
                continue
            accept(held, traits, providers)
            # Where list contradicts show anyway (LIST-4), what it gives after an update says nothing of updates.
            # Of each property, list is read either after its change or after the change back.
            if turn % 2 != turn // 2 % 2 or ledger.violated("LIST-4"):
                shows_change(held, before, values, providers, expect)
                continue
            # What is kept of one page need not be what is kept of another.
            pagesize = 10 if turn % 2 and not api.others else None
            with api.ahead([*api.shows([held.id]), *inventory.sure_pages(1, pagesize)]):
                shows_change(held, before, values, providers, expect)
                for page in inventory.walk(pagesize, ours=[held.id]).pages:
                    expect(judge.lists_update, page, of=held, id=held.id, held=values, values=held.body)
                    expect(judge.list_agrees, page, providers.shown(held), of=held, id=held.id)

    # No two at a time are of one provider.
    ours = [held, *providers.create_some([TYPICAL] * (min(AT_ONCE, providers.most) - 1))]
    for some in in_batches((*boundaries(), *texts(), *drawn), len(ours)):
        change_all(ours[: len(some)], some, providers, expect)


@requirement("UPDATE-2", "UPDATE-1")
@holding(3)
def test_values_that_are_like_others_are_updated_too(providers: Providers, expect: Expect) -> None:
    held, *others = providers.create_some([TYPICAL, Traits(ips=2)][: providers.most])
    ips = providers.values.provider(held.number, Traits(ips=4))["ips"]
    assert isinstance(ips, list)
    body = held.body
    itself: Provider = {"outbound_server": body["hostname"], "outbound_server_port": body["port"]}
    elsewhere = providers.values.provider(held.number, Traits(host="gateway"))["hostname"]

    # Of the lists, the second is as long as the first, and begins and ends like it.
    alike: tuple[tuple[str, Provider], ...] = (
        ("other addresses", {"ips": ips[:3]}),
        ("another address between the first and the last", {"ips": [*ips[:1], *ips[3:], *ips[2:3]]}),
        ("hostname and port for outbound_server and its port, too", itself),
        ("another hostname than that of its outbound_server", {**itself, "hostname": elsewhere}),
    )
    for what, changes in alike:
        with expect.each():
            before, values = providers.shown(held), held.body
            answer = providers.change(held, {**body, **changes})
            expect(judge.accepted, answer, of=held, requirement="UPDATE-1", what=what)
            shows_change(held, before, values, providers, expect)

    # A word, or what reads like a number, is a text like any other. Somebody may bear it already, as the addresses.
    borne: list[Provider] = [{"auth_id": word} for word in ("true", "1e3", "null")]
    borne += [{"ips": other.body["ips"]} for other in others]
    borne.append({"ips": ips[:2], "outbound_server": ips[0]})
    for changes in borne:
        with expect.each():
            before, values = providers.shown(held), held.body
            if providers.change(held, {**body, **changes}, fair=False).succeeded:
                shows_change(held, before, values, providers, expect)


@requirement("UPDATE-2")
@thorough
@holding(4)
def test_every_page_in_every_order_gives_what_was_updated(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    if ledger.violated("UPDATE-2") or ledger.violated("LIST-4"):
        return
    ours = providers.create_some([TYPICAL] * min(4, providers.most))
    first = inventory.first_page()
    orders = dict.fromkeys((inventory.default, "OPTIONAL", None))
    asked = [(page, size, sort_by) for sort_by in orders for page, size in ((first, LARGEST_PAGE), (first + 1, 2))]

    # What has been asked for before must not be given again, of no property.
    for changes in ((), (different_in_all(), Traits(auth_mode="IP_AUTH", ips=1))):
        for held, traits in zip(ours, changes, strict=False):
            accept(held, traits, providers)
        for page in api.list_each(asked):
            for held in ours:
                with expect.each():
                    expect(judge.list_agrees, page, providers.shown(held), of=held, requirement="LIST-4", id=held.id)


@requirement("UPDATE-3")
@thorough
@holding(3)
def test_no_other_provider_and_no_id_is_changed(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    ours = providers.create_some([Traits(ips=MOST_IPS), TYPICAL])
    bystander = (providers.twin_of(ours[0]) or providers.create()) if providers.most > len(ours) else None
    listed = inventory.judged(ours=providers.ids).ids

    # One takes on what the next change is while the other keeps its own, so that every change is also undone.
    for turn, traits in enumerate((*single_changes(), *[TYPICAL] * len(ours))):
        held = ours[turn % len(ours)]
        others = [other for other in (*ours, *([bystander] if bystander else [])) if other is not held]
        before = [providers.shown(other) for other in others]
        with expect.each():
            _accepted(providers.update(held, traits))
            providers.show_all([*others, held])
            for other, state in zip(others, before, strict=True):
                since = f"the update of provider {held.id}"
                expect(judge.unchanged, state, providers.shown(other), of=held, since=since)

    page = inventory.sure_pages(len(providers.ids))
    with api.ahead([call for show in api.shows([held.id for held in ours]) for call in (show, *page)]):
        for held in ours:
            expect(judge.shows_asked, api.served(api.show(held.id)), of=held, id=held.id)
            listing = inventory.judged(ours=providers.ids)
            if listed.count(held.id) == 1:
                expect(judge.listed_once, *listing.pages, of=held, id=held.id, name=held.name)
            expect(judge.name_listed_once, *listing.pages, of=held, name=held.name)

    # The id in the body counts, whatever else is asked for.
    held, other = ours[:2]
    state, body = providers.state(other), providers.values.provider(held.number, Traits(port=5085))
    api.heard(api.update(providers.values.update(held.id, body), query=(("id", str(other.id)),)))
    since = f"an update of provider {held.id} with its id in the query"
    expect(judge.unchanged, state, api.served(api.show(other.id)), of=held, since=since)

    # Who is behind its host, and differs from it in letter case only, is another.
    if bystander is not None:
        providers.release(bystander)
    with expect.each():
        _accepted(providers.update(other, Traits(name_tail=" alike")))
        cousin = providers.cousin_of(other) if providers.most > len(ours) else None
        if cousin is not None:
            state = providers.shown(cousin)
            # May be refused, since the cousin bears its name in another letter case.
            providers.update(other, Traits(name_tail=" alike", host="gateway", port=5086))
            since = f"the update of provider {other.id}"
            expect(judge.unchanged, state, providers.state(cousin), of=other, since=since)


@requirement("UPDATE-4")
@thorough
@holding(3)
def test_the_same_update_sent_twice_leaves_the_same_state(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    held = providers.create()

    # The list is read between them before anything has been sent twice.
    with expect.each():
        _updated_twice([held], [OTHERWISE], api, providers, expect, inventory)
    # Some alone, so that nothing comes between the two updates.
    for traits in (TYPICAL, *islice(single_changes(), 3)):
        _updated_twice([held], [traits], api, providers, expect)
    ours = [held, *providers.create_some([TYPICAL] * (min(AT_ONCE, providers.most) - 1))]
    for some in in_batches((*islice(single_changes(), 3, None), TYPICAL), len(ours)):
        _updated_twice(ours[: len(some)], some, api, providers, expect)

    listing = inventory.judged(ours=providers.ids)
    for held in ours:
        expect(judge.name_listed_once, *listing.pages, of=held, name=held.name)


def _updated_twice(
    changed: Sequence[Held],
    kinds: Sequence[Traits],
    api: Api,
    providers: Providers,
    expect: Expect,
    inventory: Inventory | None = None,
) -> None:
    """Update one provider of ours each to its traits, side by side, and again; the second time changes nothing.

    With an `inventory`, the list is read as well.
    """
    first = providers.update_all(changed, kinds)
    providers.show_all(changed)
    once = [held.shown for held in changed]
    listed = inventory.judged(ours=providers.ids).pages if inventory else ()
    again = providers.update_all(changed, kinds)
    after = api.show_all([held.id for held in changed])
    listed_again = inventory.judged(ours=providers.ids).pages if inventory else ()
    for held, answer, state, repeated, twice in zip(changed, first, once, again, after, strict=True):
        with expect.each():
            _accepted(answer)
            what = "the same values again"
            expect(judge.accepted, repeated, of=held, requirement="UPDATE-1", what=what)
            before, now = state or providers.state(held), api.served(twice)
            expect(judge.unchanged, before, now, of=held, since=AGAIN)
            pages = (*listed, *listed_again)
            expect(judge.listed_alike, *pages, of=held, first=len(listed), id=held.id, name=held.name, since=AGAIN)


AGAIN = "the same update again"


def _accepted(answer: Exchange) -> None:
    if answer.refused or answer.status is None:
        raise NotTestableError(f"a plausible update is answered with {judge.answer(answer)}")


@requirement("UPDATE-5")
@holding(4)
def test_an_update_of_an_unknown_id_is_refused_and_creates_nothing(
    api: Api, providers: Providers, refusals: Refusals, expect: Expect
) -> None:
    kept = providers.create()
    expect.control(providers.update(kept, OTHERWISE))
    kept = providers.furnished(kept, OTHERWISE)
    state = providers.shown(kept)
    doomed = providers.create_some([TYPICAL] * min(3, max(1, providers.most - 1)))
    before = refusals.look_around()
    # One that was updated in its life, and one that was not.
    providers.update(doomed[0], OTHERWISE)
    _destroy(doomed, providers)
    if providers.is_gone(kept.id):
        raise NotTestableError("destroy takes other providers along (DESTROY-3), so that nothing can be said of others")

    # Last by the names of one that is gone, and by those of one that is not.
    typical = providers.values.provider(kept.number, providers.base)
    updates = [(held, providers.draft().body) for held in (*doomed, doomed[0])]
    updates += [(doomed[-2:][0], doomed[-2:][0].body)]
    updates += [(doomed[-1], {**typical, **{name: kept.body[name] for name in MARKS}})]
    sent: list[tuple[Draft, str, Exchange]] = []
    for held, body in updates:
        draft = replace(providers.draft(), body=body)
        providers.announce(draft)
        with expect.each():
            answer = api.update(providers.values.update(held.id, body))
            sent.append((draft, UNKNOWN_ID, answer))
            shown = api.show(held.id)
            if judge.creates_nobody(answer, shown, id=held.id) is not None:
                providers.returned(held)
                providers.release(held)
                expect(judge.creates_nobody, answer, shown, of=held, id=held.id)
            not_survived(answer, UNKNOWN_ID)
            expect(judge.refused, answer, of=held, what=UNKNOWN_ID)

    refusals.nothing_was_stored(before, sent)
    after = api.served(api.show(kept.id))
    expect(judge.unchanged, state, after, of=kept, since="updates with ids of destroyed providers")
    change(kept, TYPICAL, providers, expect)


@requirement("UPDATE-6")
@thorough
@holding(3)
def test_an_update_that_lacks_a_property_or_has_a_wrong_one_is_refused(refusals: Refusals) -> None:
    refusals.updates(
        [*missing_properties(Operation.UPDATE), *misplaced_properties(Operation.UPDATE)],
        dealt=[*ill_typed_properties(Operation.UPDATE), *values_outside_enums(Operation.UPDATE)],
    )


@requirement("UPDATE-7")
@thorough
@holding(3)
def test_an_update_without_an_object_or_an_int64_id_is_refused(refusals: Refusals) -> None:
    refusals.updates([*bodies_that_are_no_object(), *ill_typed_ids(Operation.UPDATE)])


@requirement("UPDATE-7")
@holding(2)
def test_an_update_with_an_ill_typed_id_of_nobody_is_refused_too(
    api: Api, providers: Providers, expect: Expect
) -> None:
    kept = providers.create()
    expect.control(providers.update(kept, OTHERWISE))
    gone = providers.create()
    _destroy([gone], providers)
    body = providers.values.update(gone.id, gone.body)

    for violation in ill_typed_ids(Operation.UPDATE):
        if violation.guess is None:
            with expect.each():
                answer = api.update(violation.write(body))
                not_survived(answer, violation.what)
                expect(judge.refused, answer, of=gone, what=f"{violation.what} of a destroyed provider")


UNKNOWN_ID = "the id of a destroyed provider"


def _destroy(doomed: Sequence[Held], providers: Providers) -> None:
    """Destroy providers, so that their ids name nothing."""
    for answer in providers.destroy_all(doomed):
        if not answer.succeeded:
            raise NotTestableError(f"no id to test with: destroy is answered with {judge.outcome(answer)}")
    providers.are_gone_for_good(doomed)
