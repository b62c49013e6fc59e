"""Create provider."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.contract import Operation
from provider_conformance.drawing import drawing
from provider_conformance.errors import NotTestableError
from provider_conformance.inventory import found_by_name
from provider_conformance.lanes import holding
from provider_conformance.plugin import essential, requirement, thorough
from provider_conformance.values.illegal import (
    bodies_that_are_no_object,
    ill_typed_properties,
    misplaced_properties,
    missing_properties,
    values_outside_enums,
)
from provider_conformance.values.plausible import (
    DOMAINS,
    TYPICAL,
    Traits,
    boundaries,
    combinations,
    few_combinations,
    mixed,
    strategy,
    texts,
)
from provider_conformance.values.unlike import ALL_ON_BY_ADDRESS, OTHERWISE

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Draft, Held
    from provider_conformance.refusals import Refusals


@requirement("CREATE-1")
@essential
@holding(1)
def test_a_complete_plausible_create_is_answered_with_200(
    providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    if not providers.tried(TYPICAL).succeeded:
        raise NotTestableError("not even a typical create is accepted")
    providers.clear()

    # What a destroyed provider bore, nobody bears at present.
    draft = providers.draft()
    for _ in range(2):
        answer = providers.send(draft)
        if answer.refused and found_by_name(inventory.walk().pages, draft.name) is not None:
            raise NotTestableError(f"somebody else has made a provider named {draft.name}: a run with the same seed?")
        expect(judge.accepted, answer, what="name, auth_id and hostname of a destroyed provider")
        providers.clear()


@requirement("CREATE-1", "CREATE-4")
@essential
@holding(2)
def test_a_create_may_have_what_another_provider_has_given_up(api: Api, providers: Providers, expect: Expect) -> None:
    # Whether addresses are accepted at all is judged by itself.
    filled = Traits(auth_mode="IP_AUTH", ips=2)
    draft = providers.draft(filled if providers.tried(filled).succeeded else TYPICAL)
    providers.clear()

    renamed = providers.create()
    former = {name: renamed.body[name] for name in ("name", "auth_id", "hostname")}
    given_up = {**draft.body, **former} if providers.gives_up_names(renamed) else draft.body
    what = "name, auth_id and hostname that another has given up"
    _created_so(replace(draft, body=given_up), what, api, providers, expect)


@requirement("CREATE-1", "CREATE-4")
@essential
@holding(1)
def test_what_must_not_be_another_s_may_be_one_s_own_twice(api: Api, providers: Providers, expect: Expect) -> None:
    draft = providers.draft()
    itself = {"outbound_server": draft.body["hostname"], "outbound_server_port": draft.body["port"]}
    plausible = providers.values.plausible
    host = plausible.host(f"{draft.name}.{DOMAINS[0]}")
    named = plausible.text(host) == host
    # No value is one that may stand for another property's absence.
    for traits in (OTHERWISE, ALL_ON_BY_ADDRESS):
        with expect.each():
            unlike = providers.draft(traits)
            body = dict(reversed(unlike.body.items()))
            _created_so(replace(unlike, body=body), "the properties in another order", api, providers, expect)
    for what, body in (
        ("hostname and port for outbound_server and its port, too", {**draft.body, **itself}),
        ("the name for auth_id, too", {**draft.body, "auth_id": draft.body["name"]}),
        *([("the name for hostname, too", {**draft.body, "name": host, "hostname": host})] if named else []),
    ):
        with expect.each():
            _created_so(replace(draft, body=body), what, api, providers, expect)


@requirement("CREATE-1", "CREATE-4")
@essential
@holding(2)
def test_names_of_others_may_be_much_alike(api: Api, providers: Providers, expect: Expect) -> None:
    # Others may have the same addresses, and names that begin alike, or differ in a blank alone.
    first = providers.draft(Traits(ips=2, name_tail="." + "long" * 15, auth_tail="user.x"))
    second = providers.draft(Traits(ips=2))
    near = providers.values.provider(
        first.number, replace(first.traits, name_tail=" " + "long" * 15, auth_tail="user x")
    )
    alike = [
        ("ips", first.body["ips"]),
        ("name", f"{first.name[:-1]}X"),
        ("outbound_server", first.body["hostname"]),
        *((name, near[name]) for name in ("name", "auth_id") if near[name] != first.body[name]),
    ]
    older = providers.holding(providers.send(first))
    for name, value in alike if older is not None and providers.most > 1 else ():
        with expect.each():
            what = f"{name} almost or wholly as another's"
            _created_so(replace(second, body={**second.body, name: value}), what, api, providers, expect, beside=older)

    # Nor are two texts one that some languages take for the same number.
    providers.clear()
    numeric = providers.draft(Traits(auth_tail="0"))
    same = providers.values.provider(numeric.number, Traits(auth_tail="00"))["auth_id"]
    older = providers.holding(providers.send(numeric)) if providers.most > 1 else None
    if older is not None and same != older.body["auth_id"]:
        what = "an auth_id that is the same number as another's"
        _created_so(replace(second, body={**second.body, "auth_id": same}), what, api, providers, expect, beside=older)


@requirement("CREATE-1")
@essential
@holding(1)
def test_text_may_be_as_short_as_one_character(providers: Providers, expect: Expect) -> None:
    # Somebody else may bear one of them, but hardly all.
    shortest = None
    for letter in "qZ7_xK":
        shortest = providers.send(providers.draft(replace(TYPICAL, auth_tail=letter, auth_alone=True)))
        providers.clear()
        if shortest.succeeded:
            break
    assert shortest is not None
    expect(judge.accepted, shortest, what="an auth_id of one character")


def _created_so(
    draft: Draft, what: str, api: Api, providers: Providers, expect: Expect, *, beside: Held | None = None
) -> None:
    """Create a provider of whose values `what` tells what is special, look at what show gives, and destroy it.

    One `beside` it must stay as it is.
    """
    before = api.show(beside.id) if beside else None
    answer = providers.send(draft)
    expect(judge.accepted, answer, what=what)
    if (held := providers.holding(answer)) is not None:
        shown = providers.state(held)
        after = api.show(beside.id) if beside else None
        providers.release(held)
        expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)
        if before is not None and before.succeeded and after is not None:
            expect(judge.unchanged, before, after, of=held, requirement="CREATE-4", since=f"a create with {what}")


@requirement("CREATE-2")
@essential
def test_the_new_provider_s_id_is_given(providers: Providers, expect: Expect) -> None:
    for some in in_batches((TYPICAL, *few_combinations()), providers.room_for):
        for answer in providers.try_all(some):
            with expect.each():
                if not answer.succeeded:
                    raise NotTestableError(f"create is answered with {judge.outcome(answer)}")
                expect(judge.gives_id, answer)
        providers.clear()


@requirement("CREATE-3")
@holding(5)
def test_no_id_is_given_twice(providers: Providers, expect: Expect) -> None:
    given: list[int] = []

    for keep in (1, 0, 2, 1, 0):
        count = min(3, max(1, providers.most - len(providers.held)))
        for answer in providers.send_all([providers.draft() for _ in range(count)]):
            identity = judge.given_id(answer)
            if identity is None:
                raise NotTestableError(f"create gives no id: {judge.answer(answer)}")
            expect(judge.id_is_new, answer, seen=list(given))
            given.append(identity)
        providers.release_all(providers.held[keep:])


@requirement("CREATE-3", "CREATE-4")
@holding(3)
def test_a_name_that_another_bears_makes_no_one_of_the_two(providers: Providers, expect: Expect) -> None:
    if providers.most < len(("older", "newer", "the one that takes the name")):
        return
    older, newer = providers.create(), providers.create(Traits(port=5081))
    before = providers.shown(older)
    if judge.unchanged(before, providers.state(older)) is not None:
        raise NotTestableError("show changes what it shows (SHOW-3), so that nothing can be said of others")

    # Whether that is taken is free; if it is, there are two providers afterwards, each as it was sent.
    draft = providers.draft(Traits(port=5082))
    answer = providers.send(replace(draft, body={**draft.body, "name": older.name}), fair=False)
    if answer.succeeded and judge.given_id(answer) in {older.id, newer.id}:
        expect(judge.id_is_new, answer, seen=providers.ids)
    if (held := providers.holding(answer)) is not None:
        shown = providers.state(held)
        expect(judge.shows_values, shown, of=held, requirement="HTTP-7", values={"name": older.name})
    since = "a create with the same name"
    expect(judge.unchanged, before, providers.state(older), of=held or older, requirement="CREATE-4", since=since)
    answer = providers.change(newer, {**newer.body, "name": older.name}, fair=False)
    if answer.succeeded:
        shown = providers.state(newer)
        expect(judge.shows_values, shown, of=newer, requirement="HTTP-7", values={"name": older.name})
    since = f"an update of provider {newer.id} to the same name"
    expect(judge.unchanged, before, providers.state(older), of=newer, requirement="UPDATE-3", since=since)


@requirement("CREATE-3")
@holding(6)
def test_creates_that_arrive_at_the_same_time_get_ids_of_their_own(
    api: Api, providers: Providers, expect: Expect
) -> None:
    for _ in range(2):
        providers.need_room()
        drafts = [providers.draft() for _ in range(providers.most)]
        providers.announce_all(drafts)
        calls = [api.call(Operation.CREATE, draft.body) for draft in drafts]

        answers = api.send_together(calls)

        # By id, since which of them comes first is chance, and the same seed must send the same requests.
        by_id = sorted(zip(answers, drafts, strict=True), key=lambda pair: judge.given_id(pair[0]) or 0)
        providers.adopt_all([draft for _, draft in by_id], [answer for answer, _ in by_id])
        if sum(judge.given_id(answer) is not None for answer in answers) < min(2, len(answers)):
            raise NotTestableError(f"of creates sent at the same time, none is accepted: {judge.answer(answers[0])}")
        expect(judge.ids_differ, *answers)
        providers.show_all(providers.held)
        for held in providers.held:
            shown = providers.shown(held)
            expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)
        providers.clear()


@requirement("CREATE-3", "CREATE-4")
@holding(2)
def test_an_id_in_the_body_takes_nobody_s_place(api: Api, providers: Providers, expect: Expect) -> None:
    held = providers.create()
    before, draft = providers.shown(held), providers.draft()

    # It is not documented there, and may be refused, ignored or stored (D19).
    providers.send(replace(draft, body={"id": held.id, **draft.body}), fair=False)

    after, since = api.served(api.show(held.id)), "a create with its id in the body"
    expect(judge.unchanged, before, after, of=held, requirement="CREATE-4", since=since)


@requirement("CREATE-4", "CREATE-1", "SHOW-2")
@drawing(lambda draw: draw(strategy(), max(5, draw.examples // 2)))
def test_show_gives_back_what_was_created(providers: Providers, expect: Expect, drawn: tuple[Traits, ...]) -> None:
    for answer in providers.tried_by_batches((TYPICAL, *boundaries(), *texts(), *drawn)):
        with expect.each():
            held = providers.held_by(answer)
            expect(judge.shows_values, providers.shown(held), of=held, values=held.body)
    providers.clear()

    # A word, or what reads like a number, is a text like any other. Somebody may bear it already.
    for words in in_batches(WORDS, providers.room_for):
        drafts = [providers.draft() for _ in words]
        worded = [
            replace(draft, body={**draft.body, "auth_id": word}) for draft, word in zip(drafts, words, strict=True)
        ]
        created = [one for answer in providers.send_all(worded, fair=False) if (one := providers.holding(answer))]
        providers.show_all(created)
        for one in created:
            with expect.each():
                expect(judge.shows_values, providers.shown(one), of=one, values=one.body)
        providers.clear()

    # An address may be that of the host or the outbound server as well, unless all addresses must be different.
    for name in ("hostname", "outbound_server"):
        draft = providers.draft(Traits(host="", outbound_host="", ips=1, auth_mode="IP_AUTH"))
        answer = providers.send(replace(draft, body={**draft.body, "ips": [draft.body[name]]}), fair=False)
        if (at_home := providers.holding(answer)) is not None:
            with expect.each():
                expect(judge.shows_values, providers.state(at_home), of=at_home, values=at_home.body)
            providers.release(at_home)


WORDS = ("null", "true", "no", "1e3")
"""Texts that mean something to programs which guess at types."""


@requirement("CREATE-5")
def test_the_new_provider_is_listed_once(providers: Providers, inventory: Inventory, expect: Expect) -> None:
    for some in in_batches((TYPICAL, *few_combinations(), *mixed()), providers.room_for):
        for answer in providers.try_all(some):
            with expect.each():
                providers.held_by(answer)

        listing = inventory.judged(ours=providers.ids)

        for held in providers.held:
            with expect.each():
                expect(judge.listed_once, *listing.pages, of=held, id=held.id, name=held.name)
                expect(judge.name_listed_once, *listing.pages, of=held, name=held.name)
        providers.clear()


@requirement("CREATE-6", "SHOW-2")
def test_every_documented_value_is_accepted(providers: Providers, expect: Expect) -> None:
    for answer in providers.tried_by_batches(combinations(), exactly=True):
        with expect.each():
            if answer.succeeded:
                expect(judge.accepted, answer)
            held = providers.holding(answer)
            if held is not None:
                shown = providers.shown(held)
                expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)


@requirement("CREATE-7")
def test_a_create_without_a_required_property_is_refused(refusals: Refusals) -> None:
    refusals.creates([*missing_properties(Operation.CREATE), *misplaced_properties(Operation.CREATE)])


@requirement("CREATE-8")
@thorough
def test_a_create_with_a_property_of_another_type_is_refused(refusals: Refusals) -> None:
    refusals.creates(dealt=list(ill_typed_properties(Operation.CREATE)))


@requirement("CREATE-9")
def test_a_create_with_a_value_outside_an_enum_is_refused(refusals: Refusals) -> None:
    refusals.creates(dealt=list(values_outside_enums(Operation.CREATE)))


@requirement("CREATE-10")
def test_a_create_whose_body_is_no_json_object_is_refused(refusals: Refusals) -> None:
    refusals.creates(bodies_that_are_no_object())
