"""The five operations as calls on the implementation under test; every JSON answer is judged as it arrives."""

from __future__ import annotations

import re
from collections import deque
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from provider_conformance import judge
from provider_conformance.call import Call, json_body, query_of
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError, TargetLostError
from provider_conformance.exchange import JSON_TYPE, TransportProblem
from provider_conformance.inventory import LARGEST_PAGE
from provider_conformance.mentioned import mentioned_ids
from provider_conformance.thinning import strangers, thinned
from provider_conformance.values.plausible import is_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from provider_conformance.exchange import Exchange
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.ownership import Held
    from provider_conformance.target import Target

Query = tuple[tuple[str, str], ...]
NAMED_ID = re.compile(rb'"id"\s*:\s*(-?[0-9]{1,19})(?![0-9.eE])')
"""An id in a body, however broken the rest of it is."""

PLAIN_NUMBER = re.compile(r"[0-9]{1,9}")
PLAIN_ID = re.compile(r"-?[0-9]{1,19}")

READS = frozenset({Operation.SHOW, Operation.LIST})
"""Operations that change nothing."""

JUDGED_AS_JSON = frozenset({Operation.CREATE, Operation.SHOW, Operation.LIST})
"""Operations whose 200 answer has documented JSON; update's and destroy's is free (D12)."""


class Api:
    """Sends single operations; what is unusual about a request is said by keyword.

    `ours` are the ids that creates of the run have returned, `gone` those of them that are destroyed, and `others`
    those that the list has given besides: `elders` before the run's first create. `first_page` is the number of the
    list's first page, as soon as it is known.
    """

    def __init__(self, target: Target, ledger: Ledger) -> None:
        self.target = target
        self.ours: set[int] = set()
        self.gone: dict[int, Held] = {}
        self.others: set[int] = set()
        self.elders: set[int] = set()
        self.first_page: int | None = None
        self._doomed: set[int] = set()
        self._ledger = ledger
        self._ahead: dict[Call, deque[Exchange]] = {}
        self._seen: dict[Call, Exchange] = {}
        self._is_beside = False

    def beside(self, target: Target) -> Api:
        """Return another over other connections, which knows the same ids."""
        other = Api(target, self._ledger)
        other.ours, other.gone, other.others = self.ours, self.gone, self.others
        other.elders, other.first_page, other._doomed = self.elders, self.first_page, self._doomed
        other._is_beside = True
        return other

    def create(
        self,
        body: Mapping[str, JsonValue] | bytes,
        *,
        content_type: str = JSON_TYPE,
        query: Query = (),
    ) -> Exchange:
        """Send a create."""
        return self.send(self.call(Operation.CREATE, body, content_type=content_type, query=query))

    def show(self, identity: int | str, *, token: str | None = None) -> Exchange:
        """Send a show."""
        return self.send(self.query(Operation.SHOW, {"id": str(identity)}, token=token))

    def show_all(self, identities: Sequence[int]) -> tuple[Exchange, ...]:
        """Send shows side by side."""
        return tuple(self.send_all(self.shows(identities)))

    def look(self, identities: Sequence[int]) -> tuple[Exchange, ...]:
        """Send shows side by side whose answers whoever shows the same next is given, unless anything is sent between.

        So what the run makes sure of for its own sake costs no request where a test looks at the same anyway.
        """
        calls = self.shows(identities)
        if not all(call in self._seen for call in calls):
            self._seen = dict(zip(calls, self.send_all(calls), strict=True))
        return tuple(self._seen[call] for call in calls)

    def shows(self, identities: Iterable[int]) -> Sequence[Call]:
        """Make the calls of shows, without sending them."""
        return [self.query(Operation.SHOW, {"id": str(identity)}) for identity in identities]

    def list(
        self,
        pagination: int | str,
        pagesize: int | str,
        sort_by: str | None = None,
        *,
        token: str | None = None,
    ) -> Exchange:
        """Send a list; without `sort_by` the parameter is left out."""
        exchange = self.send(self.page(pagination, pagesize, sort_by, token=token))
        return self._page(exchange)

    def list_each(self, pages: Iterable[tuple[int | str, int | str, str | None]]) -> tuple[Exchange, ...]:
        """Send lists side by side, each of a page, a page size and an order."""
        answers = self.send_all([self.page(*one) for one in pages])
        return tuple(map(self._page, answers))

    def page(
        self, pagination: int | str, pagesize: int | str, sort_by: str | None, *, token: str | None = None
    ) -> Call:
        """Make the call of a list, without sending it."""
        parameters = {"pagination": str(pagination), "pagesize": str(pagesize)}
        if sort_by is not None:
            parameters["sort_by"] = sort_by
        return self.query(Operation.LIST, parameters, token=token)

    def size(self) -> int | None:
        """Ask the list how many providers there are, or return None when it does not say so."""
        pages = (1, 0) if self.first_page is None else (self.first_page,)
        counts = (judge.counted(self.send(self.page(page, 1, None))) for page in pages)
        return next((count for count in counts if count is not None), None)

    @property
    def alive(self) -> int:
        """How many providers the run has by now, those of tests that run beside this one among them."""
        return len(self.ours - self.gone.keys())

    def _page(self, exchange: Exchange) -> Exchange:
        if exchange.succeeded and (pagesize := self._pagesize(exchange)) is not None:
            self._ledger.claim("LIST-2", judge.at_most_pagesize, exchange, pagesize=pagesize)
        return self._thinned(exchange)

    def _pagesize(self, exchange: Exchange) -> int | None:
        """Return the page size of a page that exists for sure, since ours reach as far; any other is free (D16).

        Which providers OPTIONAL gives is free as well (D14), but for the first page. So is what is there by now, where
        tests run side by side: it may have been created after the answer, or others destroyed before it.
        """
        query = dict(parse_qsl(exchange.request.target.partition("?")[2]))
        page, size = query.get("pagination", ""), query.get("pagesize", "")
        if self.first_page is None or not PLAIN_NUMBER.fullmatch(page) or not PLAIN_NUMBER.fullmatch(size):
            return None
        pagesize = int(size)
        ours = 1 if self._is_beside or query.get("sort_by") == "OPTIONAL" else self.alive
        exists = 0 <= (int(page) - self.first_page) * pagesize < ours
        return pagesize if exists and 1 <= pagesize <= LARGEST_PAGE else None

    def update(
        self,
        body: Mapping[str, JsonValue] | bytes | None,
        *,
        content_type: str = JSON_TYPE,
        query: Query = (),
    ) -> Exchange:
        """Send an update."""
        return self.send(self.call(Operation.UPDATE, body, content_type=content_type, query=query))

    def destroy(
        self,
        identity: int | Mapping[str, JsonValue] | bytes,
        *,
        content_type: str = JSON_TYPE,
        query: Query = (),
    ) -> Exchange:
        """Send a destroy of an id, or with a body of another kind."""
        body = {"id": identity} if isinstance(identity, int) else identity
        return self.send(self.call(Operation.DESTROY, body, content_type=content_type, query=query))

    def call(
        self,
        operation: Operation,
        body: Mapping[str, JsonValue] | bytes | None,
        *,
        token: str | None = None,
        content_type: str = JSON_TYPE,
        query: Query = (),
    ) -> Call:
        """Make the call of an operation that has a body, without sending it; None is none, not even an empty one."""
        payload = body if body is None or isinstance(body, bytes) else json_body(body)
        return Call(operation.value, "POST", query=query, body=payload, content_type=content_type, token=token)

    def query(self, operation: Operation, parameters: Mapping[str, str], *, token: str | None = None) -> Call:
        """Make the call of an operation that has a query, without sending it."""
        return Call(operation.value, "GET", query=tuple(parameters.items()), token=token)

    @contextmanager
    def ahead(self, calls: Sequence[Call]) -> Iterator[None]:
        """Send reads side by side; the block, which changes nothing, gets an answer when it sends the same call.

        Each answer is given once: who looks again really does. A block inside of another is given what was sent ahead
        of that.
        """
        is_inside = bool(self._ahead)
        try:
            for call, answer in zip(calls, self.send_all(calls), strict=True):
                self._ahead.setdefault(call, deque()).append(answer)
            yield
        finally:
            if not is_inside:
                self.look_anew()

    def look_anew(self) -> None:
        """Give nobody any more what was sent ahead: what has come of it may be of before what must be seen now."""
        for call, answers in self._ahead.items():
            for answer in answers if call.operation == Operation.LIST else ():
                self._thinned(answer)
        self._ahead.clear()

    def send(self, call: Call) -> Exchange:
        """Send a call and judge what can be judged of any answer."""
        if answers := self._ahead.get(call):
            return answers.popleft()
        if (seen := self._seen.pop(call, None)) is not None:
            return seen
        self._seen.clear()
        self._spare_others(call)
        with self._calm([call]):
            exchange = self.target.send(call)
        self._judge(exchange)
        return exchange

    def send_all(self, calls: Sequence[Call]) -> Iterator[Exchange]:
        """Send calls whose order does not matter, some at a time, and judge what can be judged of any answer."""
        if any(self._ahead.get(call) or call in self._seen for call in calls):
            yield from map(self.send, calls)
            return
        self._seen.clear()
        for call in calls:
            self._spare_others(call)
        exchanges = self.target.send_all(calls)
        while True:
            with self._calm(calls):
                exchange = next(exchanges, None)
            if exchange is None:
                return
            self._judge(exchange)
            yield exchange

    def send_each(self, calls: Sequence[Call]) -> None:
        """Send calls whose order does not matter and whose answers are judged elsewhere, as all that are recorded."""
        for _ in self.send_all(calls):
            pass

    def send_together(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """Send calls at the same time and judge what can be judged of any answer."""
        return self._at_once(calls, self.target.send_together)

    def send_slowly(self, calls: Sequence[Call]) -> tuple[Exchange, ...]:
        """Send calls whose bodies come late and in pieces, side by side, and judge what can be judged of any answer."""
        return self._at_once(calls, self.target.send_slowly)

    def _at_once(
        self, calls: Sequence[Call], sent: Callable[[Sequence[Call]], tuple[Exchange, ...]]
    ) -> tuple[Exchange, ...]:
        self._seen.clear()
        with self._calm(calls):
            exchanges = sent(calls)
        for exchange in exchanges:
            self._judge(exchange)
        return exchanges

    def _calm(self, calls: Sequence[Call]) -> AbstractContextManager[None]:
        """Keep calls that may change something out of the way of other tests that read the list page by page."""
        changing = any(call.method != "GET" for call in calls)
        return self.target.traffic.calm.changing() if changing else nullcontext()

    def served(self, exchange: Exchange) -> Exchange:
        """Give back the exchange of a fair request with the valid token, unless it was turned away for the token.

        That is judged here, once, instead of in all the tests that it stops; NotTestableError stops them.
        """
        if exchange.problem is TransportProblem.TOO_LARGE:
            # Others may have providers of any size, and so many bytes are not read.
            raise NotTestableError(f"{exchange.operation} cannot be read: {judge.outcome(exchange)}")
        turned_away = judge.turned_away(exchange)
        if (turned_away and self.target.traffic.intruded) or self.locked_out(exchange):
            told = f"after wrong tokens the valid one is answered with {judge.outcome(exchange)}: we are locked out"
            raise TargetLostError(told)
        if turned_away:
            self._ledger.claim("AUTH-1", judge.token_served, exchange)
            raise NotTestableError(f"{exchange.operation} turns the valid token away with {exchange.status} (AUTH-1)")
        return exchange

    def heard(self, exchange: Exchange) -> Exchange:
        """Give back the exchange of a request that may be refused, unless the valid token was turned away.

        Any 4xx refuses (D11), so that 401 and 403 may be about what was asked for: they are, where a plain list is
        served.
        """
        if judge.turned_away(exchange) and all(map(judge.turned_away, self._plain_lists())):
            return self.served(exchange)
        return exchange

    def locked_out(self, refusal: Exchange) -> bool:
        """Tell whether, since wrong tokens were sent, all is refused, be it by any 4xx or by hanging up (D18)."""
        return _turns_down(refusal) and self.is_locked_out()

    def is_locked_out(self) -> bool:
        """Tell whether, since wrong tokens were sent, not even a plain list is served."""
        return self.target.traffic.intruded and all(map(_turns_down, self._plain_lists()))

    def _plain_lists(self) -> Iterator[Exchange]:
        """List one provider; which of the pages does not exist may be refused anyway (D16)."""
        for page in (1, 0):
            yield self.target.send(self.page(page, 1, None))

    def _thinned(self, page: Exchange) -> Exchange:
        """Forget what a page of the list tells of others, but not that there are some."""
        self.others.update(strangers(page, self.ours, self.gone))
        thin = thinned(page, self.ours, self.gone)
        if thin is not page:
            self._ledger.amend(thin)
        return thin

    def _spare_others(self, call: Call) -> None:
        """Where others are about, make sure that an id which the run has destroyed has not become theirs meanwhile."""
        if not self.others or (call.method == "GET" and call.operation in READS):
            return
        for identity in may_be_about(call) & self.gone.keys():
            members = judge.members_of(self.target.send(self.query(Operation.SHOW, {"id": str(identity)}))) or {}
            name = members.get("name")
            if judge.loose_id(members.get("id")) == identity and isinstance(name, str) and not is_ours(name):
                raise NotTestableError(f"the id {identity}, which the run destroyed, has become somebody else's")

    def _judge(self, exchange: Exchange) -> None:
        if exchange.operation == Operation.DESTROY and not exchange.refused:
            self._doomed.update(map(int, NAMED_ID.findall(exchange.request.body or b"")))
        if not exchange.succeeded or exchange.operation not in JUDGED_AS_JSON:
            return
        traffic = self.target.traffic
        if exchange.operation == Operation.LIST:
            traffic.counted = judge.counted(exchange) or traffic.counted
        elif exchange.operation == Operation.CREATE:
            traffic.most_counted = max(traffic.most_counted, traffic.counted)
        # A page that may not exist may be answered with anything (D16), and so may a show of nobody where that need not
        # be refused: text among it, which is no JSON.
        # The first page may be one past the last where nobody is on it; what is said to be JSON must be some even so.
        if (
            self._exists(exchange)
            or judge.members_of(exchange) is not None
            or (self._is_first_page(exchange) and judge.says_json(exchange))
        ):
            self._ledger.claim("HTTP-1", judge.json_well_formed, exchange)

    def _is_first_page(self, exchange: Exchange) -> bool:
        if exchange.operation != Operation.LIST:
            return False
        query = dict(parse_qsl(exchange.request.target.partition("?")[2]))
        return query.get("pagination") == str(self.first_page)

    def _exists(self, exchange: Exchange) -> bool:
        """Tell whether there is for sure what was asked for."""
        match exchange.operation:
            case Operation.LIST:
                return self._pagesize(exchange) is not None
            case Operation.SHOW:
                asked = dict(parse_qsl(exchange.request.target.partition("?")[2])).get("id", "")
                known = int(asked) if PLAIN_ID.fullmatch(asked) else None
                return known in self.ours and known not in self._doomed
            case _:
                return True


def may_be_about(call: Call) -> set[int]:
    """Return the ids that a call is about as the docs say, or, of one that says none so, all that it may be about."""
    named = set(map(int, NAMED_ID.findall(call.body or b"")))
    return named if named or call.operation == Operation.CREATE else mentioned_ids(query_of(call), call.body)


def _turns_down(exchange: Exchange) -> bool:
    return exchange.refused or exchange.problem is TransportProblem.DROPPED
