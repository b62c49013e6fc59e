"""What every operation owes to HTTP and JSON."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.call import BASE, Call, declared_as, json_body
from provider_conformance.changes import shows_change
from provider_conformance.connection import CHUNKED
from provider_conformance.contract import Operation
from provider_conformance.exchange import JSON_TYPE
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough
from provider_conformance.refusals import accepted, readable
from provider_conformance.survival import METHODS, judge_survival
from provider_conformance.values.odd import ODD_BODIES, free_spellings, odd_bodies, odd_body, odd_pages, odd_queries
from provider_conformance.values.plausible import TYPICAL, Traits, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange, Headers
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held
    from provider_conformance.refusals import Refusals
    from provider_conformance.values.plausible import Provider

QUERIED = frozenset({Operation.SHOW, Operation.LIST})
MEDIA_TYPES = (JSON_TYPE, f"{JSON_TYPE}; charset=utf-8")
WITH_CHARSET = "Content-Type application/json; charset=utf-8"


@requirement("HTTP-1")
@holding(3)
def test_json_answers_are_well_formed_and_say_so(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    held = providers.create()
    first = inventory.first_page()
    for pagesize in (1, 100):
        answer = api.list(first, pagesize)
        expect(judge.json_well_formed, answer, of=held)

    # Beyond ASCII the encoding shows. Nobody has to accept such text, and whoever does must send it in UTF-8.
    draft = providers.draft()
    draft = replace(draft, body={**draft.body, "auth_id": f"Zoë {draft.number}"})
    unusual = providers.holding(providers.send(draft, fair=False))
    if unusual is not None:
        expect(judge.json_well_formed, api.show(unusual.id), of=unusual)
        expect(judge.json_well_formed, api.list(first, 100, inventory.default), of=unusual)

    providers.clear()
    for created in providers.tried_by_batches((TYPICAL, *islice(texts(), 6))):
        with expect.each():
            held = providers.held_by(created)
            expect(judge.json_well_formed, created)
            expect(judge.json_well_formed, providers.shown(held), of=held)


@requirement("HTTP-10")
@holding(4)
def test_json_bodies_are_accepted_with_and_without_charset(api: Api, providers: Providers, expect: Expect) -> None:
    with expect.each():
        created = []
        for media_type in MEDIA_TYPES:
            created.append(providers.send(providers.draft(Traits(ips=2)), written=declared_as(media_type)))
            providers.clear()
        expect(judge.served_alike, *created, what=WITH_CHARSET)

    held = providers.create()
    with expect.each():
        updated = []
        for media_type, traits in zip(MEDIA_TYPES, (Traits(port=5081, ips=2), Traits(port=5082)), strict=True):
            before, values = providers.shown(held), held.body
            updated.append(providers.update(held, traits, content_type=media_type))
            if updated[-1].succeeded:
                shows_change(held, before, values, providers, expect)
        expect(judge.served_alike, *updated, of=held, what=WITH_CHARSET)

    with expect.each():
        doomed = providers.create_some([TYPICAL] * len(MEDIA_TYPES))
        destroyed = [
            api.served(api.destroy(one.id, content_type=media_type))
            for one, media_type in zip(doomed, MEDIA_TYPES, strict=True)
        ]
        providers.forget_destroyed(doomed, destroyed)
        expect(judge.served_alike, *destroyed, what=WITH_CHARSET)


@requirement("HTTP-2")
@thorough
def test_odd_bodies_of_creates_are_survived(
    api: Api, providers: Providers, inventory: Inventory, refusals: Refusals, ledger: Ledger
) -> None:
    _, before = refusals.look_at_one()
    readable(before)
    drafts = []
    providers.clear()
    for kinds in in_batches(ODD_BODIES, providers.room_for):
        some = [providers.draft() for _ in kinds]
        drafts += some
        providers.announce_all(some)
        bodies = [odd_body(what, draft.body) for what, draft in zip(kinds, some, strict=True)]
        calls = [api.call(Operation.CREATE, body) for body in bodies]
        for draft, answer in zip(some, api.send_all(calls), strict=True):
            if accepted(answer):
                providers.adopt(answer, draft)
        # What was taken must be given, too.
        if ids := providers.ids:
            with api.ahead([*api.shows(ids), *inventory.sure_pages(len(ids))]):
                api.send_each(api.shows(ids))
                inventory.walk(ours=ids)
        providers.clear()
    refusals.take_over(before, drafts)

    judge_survival(ledger, api.target.own)


@requirement("HTTP-2")
@thorough
@holding(1)
def test_odd_bodies_of_updates_and_destroys_are_survived(api: Api, providers: Providers, ledger: Ledger) -> None:
    held = providers.create()
    update = {"id": held.id, **providers.values.update(held.id, held.body)}
    api.send_each([api.call(Operation.UPDATE, body) for body in odd_bodies(update)])
    providers.clear()

    gone = providers.gone()
    # What is odd about numbers and arrays that a destroy does not have is the same body every time.
    bodies = dict.fromkeys(odd_bodies({"id": gone}))
    api.send_each([api.call(Operation.DESTROY, body) for body in bodies])

    judge_survival(ledger, api.target.own)


@requirement("HTTP-2")
@thorough
@holding(2)
def test_odd_queries_are_survived(api: Api, providers: Providers, inventory: Inventory, ledger: Ledger) -> None:
    gone = providers.gone()
    held = providers.create()
    first = inventory.first_page()

    page = f"pagination={first}&pagesize=10&sort_by=DEFAULT"
    for operation, fair in ((Operation.SHOW, f"id={held.id}"), (Operation.LIST, page)):
        api.send_each([Call(operation.value, "GET", query=query) for _, query in odd_queries(fair)])
    api.list_each((str(pagination), str(pagesize), None) for _, pagination, pagesize in odd_pages(first))
    # Another order may go another way.
    api.list_each((pagination, pagesize, "OPTIONAL") for pagination, pagesize in ODD_PAGES_OF_OPTIONAL)
    freely = [api.page(text, 10, None) for text in free_spellings(first)]
    freely += [api.page(first, text, None) for text in free_spellings(10)]
    api.send_each([*freely, *[api.query(Operation.SHOW, {"id": text}) for text in free_spellings(gone)]])
    api.send_each([Call(path, "GET", outside=True) for path in ODD_PATHS])

    judge_survival(ledger, api.target.own)


@requirement("HTTP-2")
@thorough
@holding(2)
def test_odd_headers_are_survived(api: Api, providers: Providers, inventory: Inventory, ledger: Ledger) -> None:
    held = providers.create()
    first = inventory.first_page()
    calls = (
        api.query(Operation.SHOW, {"id": str(held.id)}),
        api.query(Operation.LIST, {"pagination": str(first), "pagesize": "10"}),
        api.call(Operation.UPDATE, providers.values.update(held.id, held.body)),
        api.call(Operation.DESTROY, {"id": providers.gone()}),
    )

    for call in calls:
        odd = [replace(call, headers=headers) for headers in ODD_HEADERS]
        odd += [replace(call, accept=accept) for accept in ODD_ACCEPTS]
        if call.body is not None:
            odd += [replace(call, content_type=content_type) for content_type in ODD_MEDIA_TYPES]
        api.send_each(odd)
        framed = [replace(call, headers=(CHUNKED,)), replace(call, headers=(("Expect", "100-continue"),))]
        for one in framed if call.body is not None else [replace(call, body=b"{}")]:
            api.send(one)
            # A server that does not read such a body may take it for the next request.
            api.target.close()

    judge_survival(ledger, api.target.own)


ODD_PAGES_OF_OPTIONAL = ((10**6, 10), (2**31 - 1, 100), (1, 0), (1, -1), (1, 2**31 - 1), (1, 2**63 - 1))
ODD_PATHS = ("%ff%fe", "x" * 300, "show;pconf=1", "show%00", "100%25", "pconf/../show")

ODD_HEADERS: tuple[Headers, ...] = (
    (("Cookie", "abc; =; a=b=c; \xff"),),
    (("Accept-Language", "*;q=x, en-\xe9"), ("Accept-Charset", "utf-99")),
    (("Range", "bytes=9-1"), ("If-None-Match", "*"), ("If-Modified-Since", "yesterday")),
    (("Authorization", "Basic !"), ("X-HTTP-Method-Override", "PATCHY")),
    (("Origin", "null"), ("Referer", "//"), ("Forwarded", "for=_x;=;"), ("Authorization", "Basic")),
    (("Content-Encoding", "none-such"), ("Content-Language", "\xe9"), ("X-Empty", ""), ("X-Long", "x" * 4096)),
)
ODD_ACCEPTS = ("image/png;q=0.1", "json, text/html;q=high")
ODD_MEDIA_TYPES = (
    *(None, "", "application/json; charset=none-such", "application/json; charset=utf-16"),
    *("application/json;;=", "json", "*/*"),
)


@requirement("HTTP-2")
@thorough
@holding(3)
def test_every_method_on_every_operation_is_survived(
    api: Api, providers: Providers, inventory: Inventory, ledger: Ledger
) -> None:
    gone = providers.gone()
    ours = providers.create()
    first = inventory.first_page()

    # Whatever a server makes of a method that these docs do not have, it makes it of a provider of ours.
    if providers.most == 1:
        providers.clear()
    writes: list[Callable[[Provider], Call]] = [
        partial(in_all_it_needs, Operation.CREATE, method, {"id": ours.id}) for method in sorted(METHODS - {"POST"})
    ]
    writes.append(lambda body: with_slash(api.call(Operation.CREATE, body)))
    for some in in_batches(writes, providers.room_for):
        drafts = [providers.draft() for _ in some]
        providers.announce_all(drafts)
        calls = [write(draft.body) for write, draft in zip(some, drafts, strict=True)]
        for draft, answer in zip(drafts, api.send_all(calls), strict=True):
            if accepted(answer):
                providers.adopt(answer, draft)
        providers.release_all([held for held in providers.held if held is not ours])

    def stray(operation: Operation, method: str, held: Held) -> Call:
        bodies: dict[Operation, dict[str, JsonValue]] = {
            Operation.UPDATE: providers.values.update(held.id, held.body),
            Operation.DESTROY: {"id": held.id},
        }
        page: dict[str, JsonValue] = {"pagination": first, "pagesize": 1}
        query = page if operation is Operation.LIST else {"id": held.id}
        return in_all_it_needs(operation, method, query, bodies.get(operation, {}))

    def forget_if_gone(held: Held, answers: Sequence[Exchange]) -> None:
        if any(map(accepted, answers)) and providers.is_gone(held.id):
            providers.forget(held)

    held = providers.held[0] if providers.held else providers.create()
    api.send_each(
        [
            *[
                Call(operation.value, "PUT", body=b"", outside=True)
                for operation in Operation
                if operation not in QUERIED
            ],
            *[Call(path, "GET", outside=True) for path in (BASE, "")],
            with_slash(api.query(Operation.SHOW, {"id": str(held.id)})),
            with_slash(api.page(first, 1, None)),
            with_slash(api.call(Operation.UPDATE, providers.values.update(held.id, held.body))),
            with_slash(api.call(Operation.DESTROY, {"id": gone})),
        ]
    )

    for operation in (Operation.SHOW, Operation.LIST, Operation.UPDATE):
        held = providers.held[0] if providers.held else providers.create()
        others = sorted(METHODS - {"GET" if operation in QUERIED else "POST"})
        forget_if_gone(held, list(api.send_all([stray(operation, method, held) for method in others])))
    for method in sorted(METHODS - {"POST"}):
        held = providers.held[0] if providers.held else providers.create()
        forget_if_gone(held, [api.send(stray(Operation.DESTROY, method, held))])

    judge_survival(ledger, api.target.own)


def with_slash(call: Call) -> Call:
    """Put a slash after the path of a call."""
    return replace(call, operation=f"{call.operation}/", outside=True)


def in_all_it_needs(
    operation: Operation, method: str, query: Mapping[str, JsonValue], body: Mapping[str, JsonValue]
) -> Call:
    """Make a call by a method of all that an operation needs, both in its query and in a body; GET has none."""
    parameters = tuple((name, str(value)) for name, value in query.items())
    payload = None if method == "GET" else json_body(body)
    return Call(operation.value, method, query=parameters, body=payload, outside=True)
