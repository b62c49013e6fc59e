"""What is expected of any HTTP service: methods, paths, media types, silent errors, no copies of passwords in caches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.newcomers import Newcomers
from provider_conformance.plugin import requirement
from provider_conformance.target import Call, json_body
from provider_conformance.values.plausible import TYPICAL, single_changes
from provider_conformance.values.strange import MEDIA_TYPES, as_form, as_xml, odd_bodies, odd_ids, odd_lists

if TYPE_CHECKING:
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

    stray.newcomers.judge(expect)
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
    for operation, call in calls:
        with expect.each():
            expect(judge.path_not_found, stray.sends(operation, call, "an unknown path"))

    stray.newcomers.judge(expect)
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
        ):
            with expect.each():
                call = Call(operation.value, "POST", content_type=media_type)
                expect(judge.media_type_refused, stray.sends(operation, call, what, write), what=what)

    stray.newcomers.judge(expect)
    stray.controls()


@requirement("HTTP-6")
def test_errors_disclose_nothing(
    api: Api, providers: Providers, ledger: Ledger, expect: Expect
) -> None:
    gone = providers.gone()
    # Others whose data an error might give away, each with a password that is found nowhere else.
    nonce = providers.values.nonce
    for number in range(min(3, providers.most - 1)):
        providers.create(replace(TYPICAL, password=f"Sesame-{nonce}-open-{number}", auth_tail=f"other{number}"))
    held = providers.held[0]
    calls = [Call(f"pconf-{nonce}", "GET", outside=True), Call("create", "DELETE", outside=True)]
    calls += [Call("show", "GET", query=query) for query in odd_ids(gone)]
    calls += [Call("list", "GET", query=query) for query in odd_lists()]
    for operation in ("create", "update", "destroy"):
        calls += [Call(operation, "POST", body=body) for body in odd_bodies(gone)]
        calls.append(Call(operation, "POST", body=b"<a/>", content_type="application/xml"))
    calls.append(api.call(Operation.UPDATE, providers.values.update(gone, held.body)))
    calls.append(api.call(Operation.UPDATE, {"id": held.id, "name": held.name}))
    calls.append(api.call(Operation.UPDATE, {**providers.values.update(held.id, held.body), "port": "high"}))

    for call in calls:
        api.send(call)

    judge_errors(ledger, api, providers, expect)


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


def judge_errors(ledger: Ledger, api: Api, providers: Providers, expect: Expect) -> None:
    """Judge every error of the run so far; most name none of our providers, which saves looking for each."""
    nonce = providers.values.nonce
    others = {str(held.id): telling(held, nonce) for held in (*providers.held, *providers.past)}
    for exchange in ledger.exchanges:
        response = exchange.response
        if response is not None and response.status >= 400:
            named = nonce.encode() in response.body or any(nonce in value for _, value in response.headers)
            with expect.each():
                expect(judge.discloses_nothing, exchange, token=api.target.token, others=others if named else {})


def telling(held: Held, nonce: str) -> list[str]:
    """Return the values of a provider that no other has."""
    values = [held.body[name] for name in ("name", "auth_id", "hostname", "password")]
    return [value for value in values if isinstance(value, str) and nonce in value]


class Stray:
    """Sends requests that ought to be refused, aimed at a provider of ours, and makes sure that nothing comes of them."""

    def __init__(self, api: Api, providers: Providers, inventory: Inventory, expect: Expect) -> None:
        self._api = api
        self._providers = providers
        self._inventory = inventory
        self._expect = expect
        self._held = providers.create()
        self.newcomers = Newcomers(api, providers, inventory)

    def sends(self, operation: Operation, call: Call, what: str, write: Callable[[Provider], bytes] = json_body) -> Exchange:
        """Send a call with what the operation would need; judge that it survives and that our provider is as before."""
        held, state = self._held, self._providers.shown(self._held)
        draft = self._providers.draft()
        wanted = self._wanted(operation, held, draft)
        if call.method in {"GET", "DELETE"}:
            scalars = {name: str(value) for name, value in wanted.items() if not isinstance(value, list)}
            call = replace(call, query=tuple(scalars.items()))
        else:
            call = replace(call, body=write(wanted))
        if operation is Operation.CREATE:
            self._providers.announce(draft)
        answer = self._api.send(call)
        if operation is Operation.CREATE:
            self.newcomers.tried(draft, what, answer)
        after = self._api.show(held.id)
        if judge.shows_asked(after, id=held.id) is not None:
            self._providers.forget(held)
            self._held = self._providers.create()
        self._expect(judge.survived, answer, requirement="HTTP-2")
        if answer.refused:
            self._expect(judge.refused_without_change, state, answer, after, of=held, what=what)
        return answer

    def controls(self) -> None:
        """Send each operation as it is documented."""
        first = self._inventory.first_page()
        self._expect.control(self._api.served(self._api.list(first, 10, self._inventory.default)))
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
                return {"id": held.id, "pagination": self._inventory.first_page(), "pagesize": 1}
            case Operation.UPDATE:
                renamed = self._providers.values.provider(held.number, RENAMED)
                return self._providers.values.update(held.id, renamed)
            case _:
                return {"id": held.id}
