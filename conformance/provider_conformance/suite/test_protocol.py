"""What is expected of any HTTP service: methods, paths, media types, discreet errors, no passwords in caches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.discretion import judge_errors
from provider_conformance.plugin import requirement
from provider_conformance.refusals import Refusals, not_survived
from provider_conformance.target import Call, json_body
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
    from collections.abc import Callable

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Draft, Held, Providers
    from provider_conformance.values.plausible import Provider

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALLOWED = {
    Operation.CREATE: "POST",
    Operation.SHOW: "GET",
    Operation.LIST: "GET",
    Operation.UPDATE: "POST",
    Operation.DESTROY: "POST",
}
RENAMED = next(single_changes())


@requirement("HTTP-3")
def test_methods_that_an_operation_does_not_have_are_answered_with_405(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    stray = Stray(api, providers, inventory, expect)

    for operation, allowed in ALLOWED.items():
        for method in METHODS:
            if method != allowed:
                with expect.each():
                    answer = stray.sends(operation, Call(operation.value, method, outside=True), "another method")
                    expect(judge.method_refused, answer, allowed=allowed)

    stray.nothing_was_stored()
    stray.controls()


@requirement("HTTP-3")
def test_unknown_paths_are_answered_with_404(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    stray = Stray(api, providers, inventory, expect)
    # An implementation may well have more than is documented, but hardly under names that the run makes up.
    unknown = f"pconf-{providers.values.nonce}"

    calls = [(Operation.CREATE, Call(unknown, method, outside=True)) for method in METHODS]
    for operation, method in ALLOWED.items():
        calls.append((operation, Call(f"{operation.value}-{unknown}", method, outside=True)))
        calls.append((operation, Call(f"{unknown}/{operation.value}", method, outside=True)))
        calls.append((operation, Call(f"{operation.value}/{unknown}", method, outside=True)))
    for operation, call in calls:
        with expect.each():
            expect(judge.path_not_found, stray.sends(operation, call, "an unknown path"))

    stray.nothing_was_stored()
    stray.controls()


@requirement("HTTP-4")
def test_a_body_of_another_media_type_is_refused(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    stray = Stray(api, providers, inventory, expect)

    for operation in (Operation.CREATE, Operation.UPDATE, Operation.DESTROY):
        for media_type in MEDIA_TYPES:
            what = f"JSON sent as {media_type}"
            with expect.each():
                call = Call(operation.value, "POST", content_type=media_type)
                expect(judge.media_type_refused, stray.sends(operation, call, what), what=what)
        for what, media_type, write in (
            ("a form", "application/x-www-form-urlencoded", as_form),
            ("XML", "application/xml", as_xml),
            ("a form in parts", "multipart/form-data; boundary=pconf", as_multipart),
        ):
            with expect.each():
                call = Call(operation.value, "POST", content_type=media_type)
                expect(judge.media_type_refused, stray.sends(operation, call, what, write), what=what)

    stray.nothing_was_stored()
    stray.controls()


@requirement("HTTP-6")
def test_errors_disclose_nothing(api: Api, providers: Providers, ledger: Ledger, expect: Expect) -> None:
    gone = providers.gone()
    # Others whose data an error might give away, each with a password that is found nowhere else.
    nonce = providers.values.nonce
    for number in range(min(3, providers.most - 1)):
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
    if len(providers.held) > 1:
        other = providers.held[1].name
        calls.append(api.call(Operation.UPDATE, {**providers.values.update(held.id, held.body), "name": other}))
    calls.append(api.call(Operation.UPDATE, {**providers.values.update(held.id, held.body), "port": "high"}))

    for call in calls:
        api.send(call)

    judge_errors(ledger, api.target.token, providers, expect)


@requirement("HTTP-9")
def test_answers_that_bear_a_password_may_not_be_stored(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    held = providers.create(replace(TYPICAL, password=f"Sesame-{providers.values.nonce}-close"))
    password = str(held.body["password"])

    pages = inventory.walk(ours=[held.id]).pages
    for answer in (held.story[0], api.show(held.id), *pages):
        with expect.each():
            expect(judge.forbids_storing, answer, password=password)


class Stray:
    """Sends requests that must be refused, aimed at a provider of ours, and makes sure that nothing comes of them."""

    def __init__(self, api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
        self._api = api
        self._providers = providers
        self._inventory = inventory
        self._expect = expect
        self._held = providers.create()
        self._first_page = inventory.first_page()
        self._refusals = Refusals(api, providers, inventory, expect)
        self._before = self._refusals.look_around()
        self._creates: list[tuple[Draft, str, Exchange]] = []

    def sends(
        self, operation: Operation, call: Call, what: str, write: Callable[[Provider], bytes] = json_body
    ) -> Exchange:
        """Send a call with all that an operation needs, and judge that our provider is as it was unless it acts."""
        held, state = self._held, self._providers.shown(self._held)
        draft = self._providers.draft()
        wanted = self._wanted(operation, held, draft)
        if call.method in {"GET", "DELETE"}:
            scalars = {name: value for name, value in wanted.items() if not isinstance(value, list)}
            texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in scalars.items()}
            call = replace(call, query=tuple(texts.items()))
        else:
            call = replace(call, body=write(wanted))
        if operation is Operation.CREATE:
            self._providers.announce(draft)
        answer = self._api.send(call)
        if operation is Operation.CREATE and self._providers.adopt(answer, draft) is None:
            self._creates.append((draft, what, answer))
        after = self._api.served(self._api.show(held.id))
        if judge.unchanged(state, after) is not None:
            self._providers.release(held)
            self._held = self._providers.create()
        not_survived(answer, what)
        if not call.outside:
            self._api.served(answer)
        if answer.refused:
            self._expect(judge.refused_without_change, state, answer, after, of=held, what=what)
        return answer

    def nothing_was_stored(self) -> None:
        """Make sure that no refused create has stored anything."""
        self._refusals.nothing_was_stored(self._before, self._creates)

    def controls(self) -> None:
        """Send each operation as it is documented."""
        listing = self._api.served(self._api.list(self._first_page, 10, self._inventory.default))
        self._expect.control(listing)
        self._expect.control(self._api.show(self._held.id))
        self._expect.control(self._providers.update(self._held, TYPICAL))
        self._expect.control(self._providers.send(self._providers.draft()))
        self._expect.control(self._providers.destroy(self._held))

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
