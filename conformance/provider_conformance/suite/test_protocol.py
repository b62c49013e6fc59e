"""What is expected of any HTTP service: methods, paths, media types, discreet errors, no passwords in caches."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.call import Call, json_body
from provider_conformance.contract import Operation
from provider_conformance.discretion import judge_errors
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough
from provider_conformance.refusals import BATCH, Refusals, not_survived, readable
from provider_conformance.values.plausible import TYPICAL, single_changes
from provider_conformance.values.strange import (
    MEDIA_TYPES,
    as_form,
    as_multipart,
    as_xml,
    odd_bodies,
    odd_ids,
    odd_lists,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Draft, Held
    from provider_conformance.values.plausible import Provider

    Writer = Callable[[Provider], bytes]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALLOWED = {
    Operation.CREATE: "POST",
    Operation.SHOW: "GET",
    Operation.LIST: "GET",
    Operation.UPDATE: "POST",
    Operation.DESTROY: "POST",
}
RENAMED = next(single_changes())

LONG_TARGET = 100
"""Characters beyond which a target may be too long: nothing documented is sent in one that is longer."""


@requirement("HTTP-3")
@holding(4)
def test_methods_that_an_operation_does_not_have_are_answered_with_405(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    stray = Stray(api, providers, inventory, expect)

    for operation, allowed in ALLOWED.items():
        others = [method for method in METHODS if method != allowed]
        calls = [StrayCall(Call(operation.value, method, outside=True), "another method") for method in others]
        for _, answer in stray.sends(operation, calls):
            with expect.each():
                expect(judge.method_refused, answer, allowed=allowed)

    stray.nothing_has_come_of_it()


@requirement("HTTP-3")
@holding(4)
def test_unknown_paths_are_answered_with_404(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    stray = Stray(api, providers, inventory, expect)
    # An implementation may well have more than is documented, but hardly under names that the run makes up.
    unknown = f"pconf-{providers.values.nonce}"
    word = unknown.replace("-", "")

    for operation, method in ALLOWED.items():
        name = operation.value
        beside = (
            f"{name}-{unknown}",
            f"{unknown}/{name}",
            f"{name}/{unknown}",
            f"{name}.{word}",
            f"{name}{word}",
        )
        calls = [(path, method) for path in beside]
        calls += [(unknown, other) for other in METHODS if operation is Operation.CREATE]
        strays = [StrayCall(Call(path, method, outside=True), "an unknown path") for path, method in calls]
        for _, answer in stray.sends(operation, strays):
            with expect.each():
                expect(judge.path_not_found, answer)

    stray.nothing_has_come_of_it()


@requirement("HTTP-4")
@thorough
@holding(4)
def test_a_body_of_another_media_type_is_refused(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    stray = Stray(api, providers, inventory, expect)

    for operation in (Operation.CREATE, Operation.UPDATE, Operation.DESTROY):
        bodies: list[tuple[str, str, Writer]] = [
            *[(f"JSON sent as {media_type}", media_type, json_body) for media_type in MEDIA_TYPES],
            ("a form", "application/x-www-form-urlencoded", as_form),
            ("XML", "application/xml", as_xml),
            ("a form in parts", "multipart/form-data; boundary=pconf", as_multipart),
        ]
        strays = [
            StrayCall(Call(operation.value, "POST", content_type=media_type), what, write)
            for what, media_type, write in bodies
        ]
        for what, answer in stray.sends(operation, strays):
            with expect.each():
                expect(judge.media_type_refused, answer, what=what)

    stray.nothing_has_come_of_it()


@requirement("HTTP-6")
@thorough
@holding(4)
def test_errors_disclose_nothing(api: Api, providers: Providers, ledger: Ledger, expect: Expect) -> None:
    gone = providers.gone()
    # Others whose data an error might give away, each with a password that is found nowhere else.
    nonce = providers.values.nonce
    for number in range(max(1, min(3, providers.most - 1))):
        providers.create(replace(TYPICAL, password=f"Sesame-{nonce}-open-{number}", auth_tail=f"other{number}"))
    held = providers.held[0]
    calls = [Call(f"pconf-{nonce}", "GET", outside=True), Call("create", "DELETE", outside=True)]
    calls += [Call(f"pconf-{nonce}", "GET", accept="text/html", outside=True)]
    calls += [Call("show", "GET", query=f"id={gone}x", accept="text/html,application/xhtml+xml")]
    calls += [Call("show", "GET", query=query) for query in odd_ids(gone)]
    calls += [Call("list", "GET", query=query) for query in odd_lists()]
    for operation in ("create", "update", "destroy"):
        calls += [Call(operation, "POST", body=body) for body in odd_bodies(gone)]
        calls.append(Call(operation, "POST", body=b"<a/>", content_type="application/xml"))
    calls.append(api.call(Operation.UPDATE, providers.values.update(gone, held.body)))
    calls.append(api.call(Operation.UPDATE, {"id": held.id, "name": held.name}))
    calls.append(api.call(Operation.UPDATE, {**providers.values.update(held.id, held.body), "port": "high"}))
    if len(providers.held) > 1:
        # The last: where it is accepted, the other's name is that of the provider which an error is about.
        other = providers.held[1].name
        calls.append(api.call(Operation.UPDATE, {**providers.values.update(held.id, held.body), "name": other}))

    api.send_each(calls)

    judge_errors(ledger, api.target.token, providers, expect)


@requirement("HTTP-9")
@holding(3)
def test_answers_that_bear_a_password_may_not_be_stored(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    held = providers.create(replace(TYPICAL, password=f"Sesame-{providers.values.nonce}-close"))
    password = str(held.body["password"])

    pages = inventory.walk(ours=[held.id]).pages
    for answer in (held.story[0], api.show(held.id), *pages):
        with expect.each():
            expect(judge.forbids_storing, answer, password=password)


@dataclass(frozen=True)
class StrayCall:
    """A call that must be refused, without what an operation needs, and how that is written into its body."""

    call: Call
    what: str
    write: Writer = json_body


class Stray:
    """Sends requests that must be refused, aimed at a provider of ours, and makes sure that nothing comes of them."""

    def __init__(self, api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
        self._api = api
        self._providers = providers
        self._inventory = inventory
        self._expect = expect
        self._refusals = Refusals(api, providers, inventory, expect)
        self._held, before = self._refusals.look_at_one()
        self._before = readable(before)
        self._first_page = inventory.first_page()
        self._creates: list[tuple[Draft, str, Exchange]] = []

    def sends(self, operation: Operation, strays: Iterable[StrayCall]) -> Iterator[tuple[str, Exchange]]:
        """Send calls with all that an operation needs; give what each was and its answer, where the server survived it.

        That our provider is as it was unless they act is judged here. It is looked at once for a batch of them; only
        when it has changed, each is sent again alone.
        """
        room = max(1, self._providers.most - len(self._providers.held))
        for batch in in_batches(strays, room if operation is Operation.CREATE else BATCH):
            held, state = self._held, self._providers.shown(self._held)
            answers = self._answers(operation, batch, held)
            after = self._api.served(self._api.show(held.id))
            changed = judge.unchanged(state, after) is not None
            if changed:
                self._renew()
            for stray, answer in zip(batch, answers, strict=True):
                told = None
                with self._expect.each():
                    not_survived(answer, stray.what)
                    if not stray.call.outside:
                        self._api.heard(answer)
                    told = self._briefly(stray, answer)
                    if answer.refused and changed:
                        self._sends_alone(operation, stray)
                    elif answer.refused:
                        self._expect(judge.refused_without_change, state, answer, after, of=held, what=stray.what)
                if told is not None:
                    yield stray.what, told

    def _briefly(self, stray: StrayCall, answer: Exchange) -> Exchange:
        """Send a call again without its query where that was too long for the server: how long it may be is free."""
        if answer.status != HTTPStatus.REQUEST_URI_TOO_LONG or len(answer.request.target) <= LONG_TARGET:
            return answer
        brief = self._api.send(stray.call)
        not_survived(brief, stray.what)
        return brief

    def _answers(self, operation: Operation, batch: Sequence[StrayCall], held: Held) -> list[Exchange]:
        """Send calls, and destroy again what they have created."""
        drafts = [self._providers.draft() for _ in batch]
        if operation is Operation.CREATE:
            self._providers.announce_all(drafts)
        calls = [self._complete(operation, stray, held, draft) for stray, draft in zip(batch, drafts, strict=True)]
        answers, made = [], []
        for stray, draft, answer in zip(batch, drafts, self._api.send_all(calls), strict=True):
            answers.append(answer)
            if operation is Operation.CREATE:
                created = self._providers.adopt(answer, draft)
                if created is None:
                    self._creates.append((draft, stray.what, answer))
                else:
                    made.append(created)
        self._providers.release_all(made)
        return answers

    def _sends_alone(self, operation: Operation, stray: StrayCall) -> None:
        """Send one call again, to see whether it is the one that changes our provider."""
        held, state = self._held, self._providers.shown(self._held)
        (answer,) = self._answers(operation, [stray], held)
        after = self._api.served(self._api.show(held.id))
        if judge.unchanged(state, after) is not None:
            self._renew()
        self._expect(judge.refused_without_change, state, answer, after, of=held, what=stray.what)

    def _renew(self) -> None:
        """Give up a provider that is no longer as it was for a new one."""
        self._providers.release(self._held)
        self._held = self._providers.create()

    def _complete(self, operation: Operation, stray: StrayCall, held: Held, draft: Draft) -> Call:
        """Return a call with all that an operation needs, in its query or its body."""
        wanted = self._wanted(operation, held, draft)
        if stray.call.method in {"GET", "DELETE"}:
            scalars = {name: value for name, value in wanted.items() if not isinstance(value, list)}
            texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in scalars.items()}
            return replace(stray.call, query=tuple(texts.items()))
        return replace(stray.call, body=stray.write(wanted))

    def nothing_has_come_of_it(self) -> None:
        """Make sure that no refused create has stored anything, and send each operation as it is documented."""
        page, shows = (self._first_page, 10, self._inventory.default), self._api.shows([self._held.id])
        with self._api.ahead([*self._inventory.sure_pages(1), self._api.page(*page), *shows]):
            self._refusals.nothing_was_stored(self._before, self._creates)
            self._refusals.still_serves_reads(page, self._held)
        self._refusals.still_serves_changes(self._held)

    def _wanted(self, operation: Operation, held: Held, draft: Draft) -> Provider:
        """Return what a server that acts on any request would find what it needs in; never an id that is not ours."""
        match operation:
            case Operation.CREATE:
                return draft.body
            case Operation.LIST:
                return {"id": held.id, "pagination": self._first_page, "pagesize": 1}
            case Operation.UPDATE:
                renamed = self._providers.values.provider(held.number, RENAMED)
                return self._providers.values.update(held.id, renamed)
            case _:
                return {"id": held.id}
