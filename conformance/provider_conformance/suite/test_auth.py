"""The access token, on every operation."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provider_conformance import judge
from provider_conformance.batches import in_batches
from provider_conformance.call import NO_TOKEN, Call, Write, as_usual, json_body
from provider_conformance.contract import Operation
from provider_conformance.discretion import judge_errors
from provider_conformance.errors import NotTestableError
from provider_conformance.lanes import after, alone, holding
from provider_conformance.plugin import requirement
from provider_conformance.refusals import BATCH, Refusals, accepted, not_survived
from provider_conformance.values import tokens
from provider_conformance.values.plausible import single_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange, Headers
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held


@requirement("AUTH-1")
@alone
@holding(1)
def test_the_valid_token_is_served_on_every_operation(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    created = providers.send(providers.draft())
    expect(judge.token_served, created)
    held = providers.holding(created)
    first = inventory.first_page()
    with expect.each():
        expect(judge.token_served, api.list(first, 10, inventory.default))
    if held is None:
        raise NotTestableError(f"no provider to test with: create is answered with {judge.answer(created)}")
    rest: tuple[Callable[[], Exchange], ...] = (
        lambda: api.show(held.id),
        lambda: providers.update(held, next(single_changes())),
        lambda: providers.destroy(held),
    )
    for send in rest:
        with expect.each():
            expect(judge.token_served, send())


@requirement("AUTH-5")
@alone
@holding(3)
def test_the_header_s_name_may_be_in_any_letter_case(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    held = providers.create()
    first = inventory.first_page()
    page = {"pagination": str(first), "pagesize": "10", **({"sort_by": inventory.default} if inventory.default else {})}

    sent = (
        api.query(Operation.LIST, page),
        api.query(Operation.SHOW, {"id": str(held.id)}),
        api.call(Operation.UPDATE, providers.values.update(held.id, held.body)),
    )
    answers = api.send_all([one for call in sent for one in (call, *map(partial(with_header, call), SPELLINGS))])
    for call, (plain, *special) in zip(sent, in_batches(answers, 1 + len(SPELLINGS)), strict=True):
        for spelling, answer in zip(SPELLINGS, special, strict=True):
            with expect.each():
                # What is refused may be so for another update of the same provider at the same time.
                again = [api.send(with_header(call, spelling)), api.send(call)] if answer.refused else [answer]
                expect(judge.name_spelt_freely, plain, *again, of=held, spelling=spelling)

    for spelling in SPELLINGS:
        with expect.each():
            drafts = [providers.draft() for _ in range(2)]
            providers.need_room(len(drafts))
            providers.announce_all(drafts)
            ways: tuple[Write, Write] = as_usual, partial(with_header, name=spelling)
            calls = [write(api.call(Operation.CREATE, draft.body)) for draft, write in zip(drafts, ways, strict=True)]
            created = providers.adopt_all(drafts, api.send_all(calls))
            for index, (draft, write) in enumerate(zip(drafts, ways, strict=True)):
                if providers.may_be_for_others(created[index]):
                    created[index] = providers.send(draft, written=write)
            expect(judge.name_spelt_freely, *created, spelling=spelling)
            doomed = [one for one in (providers.holding(answer) for answer in created) if one is not None]
            if len(doomed) < len(drafts):
                raise NotTestableError(f"nothing to destroy: create is answered with {judge.answer(created[0])}")
            calls = [api.call(Operation.DESTROY, {"id": one.id}) for one in doomed]
            destroyed = list(api.send_all([calls[0], with_header(calls[1], spelling)]))
            providers.forget_destroyed(doomed, destroyed)
            expect(judge.name_spelt_freely, *destroyed, spelling=spelling)


SPELLINGS = ("ACCESS_TOKEN", "Access_Token")


def with_header(call: Call, name: str) -> Call:
    """Put the token of a call into a header of another name."""
    return replace(call, token_header=name)


@requirement("AUTH-2")
@holding(4)
def test_a_request_without_token_is_refused_on_every_operation(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    intruder = Intruder(api, providers, inventory, expect, blames_failures=True)

    # Alone, on the connection that was served before, and on every operation before a lockout can hide what is left.
    for attempt in (*intruder.attempts, intruder.other_lists):
        attempt([Trial("no token", NO_TOKEN)])

    # What only the machine itself, or whoever was served before, may be trusted for.
    disguised = [
        Trial(what, NO_TOKEN, partial(with_headers, headers))
        for what, headers in (
            ("no token, from 127.0.0.1", LOCAL),
            ("no token, from a private address by other headers", PRIVATE),
            ("no token, from its own pages, in the name of a user", (*_own_pages(api), *USER)),
            ("no token, but another Authorization", OTHERWISE_AUTHORIZED),
            ("no token, with the cookies that it set", _cookies(ledger)),
        )
        if headers
    ]
    for attempt in intruder.attempts:
        attempt(disguised)
    intruder.reads_by_other_paths()

    # What is wrong besides may be looked at before it; that nothing fails is judged of all that is sent (HTTP-2).
    api.send_each(
        [
            replace(call, token=NO_TOKEN)
            for operation in (Operation.CREATE, Operation.UPDATE, Operation.DESTROY)
            for call in (
                api.call(operation, b'{"name":'),
                api.call(operation, b"<a/>", content_type="application/xml"),
                Call(operation.value, "PUT", body=b"", outside=True),
            )
        ]
    )

    intruder.nothing_has_come_of_it()


@requirement("AUTH-3")
@holding(8)
def test_a_token_that_differs_is_refused_on_every_operation(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect
) -> None:
    token = api.target.token
    intruder = Intruder(api, providers, inventory, expect, blames_failures=True)

    for turn, attempt in enumerate(intruder.attempts):
        # Every character counts, on whichever operation: they are dealt out among all five.
        dealt = [tokens.nudged(token, position) for position in range(turn, len(token), len(intruder.attempts))]
        # On one that reads, and on one that changes: a forgotten token is served on most.
        guessed = tokens.guessed(token) if attempt in {intruder.show, intruder.update} else ()
        attempt([Trial(what, wrong) for what, wrong in (*tokens.telling(token), *dealt, *guessed)])
    altered = Trial(*tokens.altered(token, 0))
    intruder.other_lists([altered])
    intruder.among_others(altered)

    intruder.nothing_has_come_of_it()


@requirement("AUTH-5")
@holding(4)
@after("AUTH-2")
def test_the_token_counts_in_its_header_alone(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    if ledger.violated("AUTH-2"):
        raise NotTestableError(
            "requests without a token are not refused (AUTH-2), so that one elsewhere changes nothing"
        )
    token = api.target.token
    wrong = tokens.altered(token, 0)[1]
    intruder = Intruder(api, providers, inventory, expect)

    everywhere = (
        Trial("the token in the query alone", NO_TOKEN, partial(in_query, token)),
        Trial("the token in a cookie alone", NO_TOKEN, partial(in_cookie, token)),
        Trial("the token in the body alone", NO_TOKEN, partial(in_body, token)),
        Trial("a wrong token in the header, the valid one everywhere else", wrong, partial(everywhere_else, token)),
    )
    # Each of these on every other operation only.
    in_turns = (
        (Trial(f"the token in {' and '.join(OTHER_HEADERS)} alone", NO_TOKEN, partial(in_header, token)),),
        (Trial(f"the token in the query as {' and '.join(OTHER_NAMES)}", NO_TOKEN, partial(in_query_as_token, token)),),
    )
    for turn, attempt in enumerate(intruder.attempts):
        attempt([*everywhere, *in_turns[turn % len(in_turns)]])

    intruder.nothing_has_come_of_it()


def in_query(token: str, call: Call) -> Call:
    """Put a token into the query of a call that has none in its header."""
    return replace(call, query=(*call.query, ("access_token", token)))


def in_query_as_token(token: str, call: Call) -> Call:
    """Put a token into the query by other names."""
    return replace(call, query=(*call.query, *[(name, token) for name in OTHER_NAMES]))


def in_header(token: str, call: Call) -> Call:
    """Put a token into headers of other names."""
    return with_headers(tuple((name, token) for name in OTHER_HEADERS), call)


def with_headers(headers: Headers, call: Call) -> Call:
    """Add headers to a call."""
    return replace(call, headers=(*call.headers, *headers))


OTHER_HEADERS = ("X-Access-Token", "X-Auth-Token", "X-Api-Key", "Token", "X-Token", "Auth-Token", "Api-Key")
OTHER_NAMES = ("token", "api_key", "auth_token", "accessToken", "access-token", "apikey", "key", "auth")
COOKIES = ("access_token", "token", "session", "auth_token")
MEMBERS = ("access_token", "token", "accessToken")
"""Headers, and names in a query, a cookie or a body, that other services take a token from."""

LOCAL: Headers = (("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"))
"""What a proxy on the machine itself would say."""

PRIVATE: Headers = (
    ("X-Forwarded-For", "10.0.0.1"),
    *((name, "127.0.0.1") for name in ("X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Originating-IP")),
)
"""What other proxies would say of a neighbour, or of the machine itself."""

USER: Headers = tuple((name, "admin") for name in ("X-Forwarded-User", "X-Remote-User", "X-User-Id"))
"""What a gateway would say of a user that it knows."""

OTHERWISE_AUTHORIZED: Headers = (("Authorization", "Basic cGNvbmY6cGNvbmY="),)
"""Credentials of nobody, so that no account is locked for them."""


def _own_pages(api: Api) -> Headers:
    """Return what a browser says of requests that pages of the target make."""
    parts = urlsplit(api.target.base_url)
    return ("Origin", f"{parts.scheme}://{parts.netloc}"), ("Referer", api.target.base_url)


def _cookies(ledger: Ledger) -> Headers:
    """Return the cookies that answers have set, as the header that sends them back."""
    set_by_answers = {
        value.partition(";")[0].strip()
        for exchange in ledger.exchanges
        if exchange.succeeded and exchange.response is not None
        for value in exchange.response.header_values("set-cookie")
    }
    return (("Cookie", "; ".join(sorted(set_by_answers)[-MOST_COOKIES:])),) if set_by_answers else ()


MOST_COOKIES = 5


def in_cookie(token: str, call: Call) -> Call:
    """Put a token into cookies."""
    return replace(call, headers=(("Cookie", "; ".join(f"{name}={token}" for name in COOKIES)),))


def in_body(token: str, call: Call) -> Call:
    """Put a token into the JSON body, where there is one."""
    if call.body is None:
        return call
    return replace(call, body=json_body({**json.loads(call.body), **dict.fromkeys(MEMBERS, token)}))


def everywhere_else(token: str, call: Call) -> Call:
    """Put a token into the query, cookies and the JSON body, where there is one."""
    return in_body(token, in_cookie(token, in_query(token, call)))


OTHER_PATHS: tuple[Callable[[str], str], ...] = (
    lambda operation: f"{operation}/",
    lambda operation: f"/{operation}",
    str.capitalize,
    lambda operation: f"%{ord(operation[0]):02x}{operation[1:]}",
)
"""Ways to spell the path of an operation that some servers take for the same."""


@dataclass(frozen=True)
class Trial:
    """What is wrong with a request, the token in its header, and what else is done to it."""

    what: str
    token: str
    disguise: Callable[[Call], Call] = lambda call: call


class Intruder:
    """Sends each operation with a token that is not the valid one, and makes sure that nothing comes of it.

    A server that fails has not refused, which it is blamed for where that is asked of it before failures are (HTTP-2).
    """

    def __init__(
        self, api: Api, providers: Providers, inventory: Inventory, expect: Expect, *, blames_failures: bool = False
    ) -> None:
        self._api = api
        self._providers = providers
        self._inventory = inventory
        self._expect = expect
        self._blames_failures = blames_failures
        self._refusals = Refusals(api, providers, inventory, expect)
        self._held, self._before = self._refusals.look_at_one()
        self._first_held = self._held
        self._unseen = 0
        self._first_page = inventory.first_page()
        api.target.traffic.intruded = True
        self._creates: list[tuple[str, str, Exchange]] = []
        self.attempts = (self.create, self.show, self.list, self.update, self.destroy)

    def create(self, trials: Sequence[Trial]) -> None:
        """Try to create; what was made is destroyed, and what was stored all the same is looked for in the end."""
        for some in in_batches(trials, self._providers.room_for):
            drafts = [self._providers.draft() for _ in some]
            self._providers.announce_all(drafts)
            calls = [
                self._api.call(Operation.CREATE, draft.body, token=trial.token)
                for draft, trial in zip(drafts, some, strict=True)
            ]
            answers = self._send(some, calls)
            for draft, answer in zip(drafts, answers, strict=True):
                if accepted(answer):
                    self._providers.adopt(answer, draft)
            self._providers.release_all([held for held in self._providers.held if held is not self._held])
            self._creates += [
                (draft.name, trial.what, answer) for draft, trial, answer in zip(drafts, some, answers, strict=True)
            ]
            self._judge(some, answers)

    def show(self, trials: Sequence[Trial]) -> None:
        """Try to show."""
        held = self._held
        if trials:
            self._api.show(held.id)  # what was answered once may be kept, and given to anybody
        for some in in_batches(trials, BATCH):
            calls = [self._api.query(Operation.SHOW, {"id": str(held.id)}, token=trial.token) for trial in some]
            self._judge(some, self._send(some, calls), held)

    def list(self, trials: Sequence[Trial]) -> None:
        """Try to list."""
        self._lists(trials, (self._first_page, 10, None))

    def other_lists(self, trials: Sequence[Trial]) -> None:
        """Try to list another page than the first, and in the other order."""
        self._lists(trials, (self._first_page + 1, 1, None), (self._first_page, 10, "OPTIONAL"))

    def _lists(self, trials: Sequence[Trial], *pages: tuple[int, int, str | None]) -> None:
        for some in in_batches(trials, BATCH):
            # What was answered once may be kept, and given to anybody.
            self._api.send_each([self._api.page(*page, token=None) for page in pages])
            calls = [self._api.page(*page, token=trial.token) for page in pages for trial in some]
            each = [*some] * len(pages)
            self._judge(each, self._send(each, calls))

    def update(self, trials: Sequence[Trial]) -> None:
        """Try to update a provider of ours."""

        def call(held: Held, token: str) -> Call:
            body = self._providers.values.provider(held.number, next(single_changes()))
            return self._api.call(Operation.UPDATE, self._providers.values.update(held.id, body), token=token)

        self._aim(trials, call)

    def destroy(self, trials: Sequence[Trial]) -> None:
        """Try to destroy a provider of ours."""

        def call(held: Held, token: str) -> Call:
            return self._api.call(Operation.DESTROY, {"id": held.id}, token=token)

        self._aim(trials, call)

    def _aim(self, trials: Sequence[Trial], call: Callable[[Held, str], Call]) -> None:
        """Aim at a provider of ours; look at it from time to time, and at once after one is not refused."""
        for some in in_batches(trials, BATCH):
            held = self._held
            self._providers.shown(held)
            answers = self._send(some, [call(held, trial.token) for trial in some])
            self._judge(some, answers, held)
            self._unseen += len(some)
            if self._unseen >= BATCH or not all(answer.refused for answer in answers):
                with self._expect.each():
                    self._look_at(held)

    def _judge(self, trials: Sequence[Trial], answers: Sequence[Exchange], of: Held | None = None) -> None:
        for answer in answers:
            if answer.response is None:
                self._api.served(answer)  # whoever hangs up on everything by now has locked us out
        # The first that is served says enough: the other operations are to be tried before the test gives up.
        told = list(zip(trials, answers, strict=True))
        with self._expect.each():
            for trial, answer in told:
                if self._blames_failures or judge.survived(answer) is None:
                    self._expect(judge.refused, answer, of=of, what=trial.what)
        with self._expect.each():
            for trial, answer in told if not self._blames_failures else ():
                not_survived(answer, trial.what)

    def _look_at(self, held: Held) -> None:
        """Judge that a provider is as it was, and take another where it is not."""
        self._unseen = 0
        state, shown = self._providers.shown(held), self._api.served(self._api.show(held.id))
        if judge.unchanged(state, shown) is not None:
            if judge.shows_asked(shown, id=held.id) is not None:
                self._providers.forget(held)
            self._api.look_anew()
            self._held = self._providers.create()
        self._expect(judge.unchanged, state, shown, of=held, since="requests with a wrong token or none")

    def _send(self, trials: Sequence[Trial], calls: Sequence[Call]) -> tuple[Exchange, ...]:
        disguised = [trial.disguise(call) for trial, call in zip(trials, calls, strict=True)]
        return tuple(self._api.send_all(disguised))

    def among_others(self, trial: Trial) -> None:
        """Try to list while others are served, whose token must not be taken for this one's."""
        # Those who come first and last are served.
        tokens_sent = (None, trial.token, trial.token, None, trial.token, None)
        calls = [self._api.page(self._first_page, 10, None, token=token) for token in tokens_sent]
        answers = zip(tokens_sent, self._api.send_together(calls), strict=True)
        # Whoever has no room for as many at a time has not served these.
        wrong = [answer for token, answer in answers if token is not None and judge.survived(answer) is None]
        self._judge([trial] * len(wrong), wrong)

    def reads_by_other_paths(self) -> None:
        """Try to show and list by paths that need not be served (HTTP-3): a filter may not know what a router does."""
        held = self._held
        reads = [*self._api.shows([held.id]), self._api.page(self._first_page, 10, None)]
        self._api.send_each(reads)  # what was answered once may be kept, and given to anybody
        calls = [
            replace(read, operation=respelt(read.operation), token=NO_TOKEN, outside=True)
            for respelt in OTHER_PATHS
            for read in reads
        ]
        for answer in self._api.send_all(calls):
            with self._expect.each():
                self._expect(judge.kept_from_strangers, answer, of=held, id=held.id, name=held.name)

    def nothing_has_come_of_it(self) -> None:
        """Make sure that nothing was stored or changed, and send each operation with the valid token."""
        page = (self._first_page, 10, self._inventory.default)
        pages, shows = self._inventory.sure_pages(1), self._api.shows([self._held.id])
        with self._api.ahead([*(shows if self._unseen else ()), *[*pages] * 3, self._api.page(*page), *shows]):
            self._nothing_was_stored()
            self._refusals.still_serves_reads(page, self._held)
        self._refusals.still_serves_changes(self._held)

    def _nothing_was_stored(self) -> None:
        """Look at the list: it gives ours as before, and nobody new with a name that only refused creates carried."""
        with self._expect.each():
            if self._unseen:
                self._look_at(self._held)
        if self._held is self._first_held:
            with self._expect.each():
                self._refusals.list_is_unchanged(self._before, [self._held])
        for identity in self._providers.newcomers(self._before):
            shown = self._api.show(identity)
            for name, what, answer in self._creates:
                with self._expect.each():
                    if judge.not_stored(answer, shown, name=name, what=what) is not None:
                        self._providers.take_over(identity, name)
                    self._expect(judge.not_stored, answer, shown, name=name, what=what)


@requirement("AUTH-4")
@holding(6)
@after("AUTH-2", "AUTH-3")
def test_a_token_of_another_length_is_refused_on_every_operation(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    intruder = Intruder(api, providers, inventory, expect)
    careless = _serving_wrong_tokens(ledger)

    for turn, attempt in enumerate(intruder.attempts):
        with expect.each():
            if attempt.__name__ in careless:
                raise NotTestableError(f"{attempt.__name__} serves wrong tokens of the right length, or none, too")
            # All of the first, which tell most; the others are dealt out.
            made = enumerate(tokens.of_other_length(api.target.token))
            attempt(
                [Trial(*one) for n, one in made if n < TRIED_EVERYWHERE or n % len(intruder.attempts) == turn],
            )

    intruder.nothing_has_come_of_it()


TRIED_EVERYWHERE = 8
"""Tokens of other lengths that are sent to every operation."""


def _serving_wrong_tokens(ledger: Ledger) -> set[str | None]:
    """Return the operations that are known to serve wrong tokens, so that their length has nothing to do with it."""
    wrongly = {
        number
        for name in ("AUTH-2", "AUTH-3")
        for claim in ledger.of(name).violations
        if claim.rule == judge.refused.__name__
        for number in claim.exchanges
    }
    return {exchange.operation for exchange in ledger.exchanges if exchange.number in wrongly and exchange.succeeded}


@requirement("HTTP-6")
@alone
@holding(1)
def test_no_error_of_the_whole_run_discloses_anything(
    api: Api, providers: Providers, ledger: Ledger, expect: Expect
) -> None:
    gone = providers.gone()
    api.target.traffic.intruded = True
    wrong = (NO_TOKEN, tokens.altered(api.target.token, 0)[1])
    shows = [api.query(Operation.SHOW, {"id": str(gone)}, token=token) for token in wrong]
    api.send_each([*shows, *[api.page(1, 1, None, token=token) for token in wrong]])

    judge_errors(ledger, api.target.token, providers, expect)
