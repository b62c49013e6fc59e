"""A first look at the target: tells a wrong address, a refused token and no such API from a faulty one."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.api import Api
from provider_conformance.contract import Operation
from provider_conformance.dialling import UNTRUSTED
from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.exchange import TransportProblem
from provider_conformance.guard import Guard
from provider_conformance.inventory import LARGEST_PAGE
from provider_conformance.ledger import Ledger
from provider_conformance.oracle import MOST_NONCES
from provider_conformance.target import Target
from provider_conformance.values.plausible import TYPICAL, Traits, combinations, nonce, unlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provider_conformance.config import Config
    from provider_conformance.exchange import Exchange
    from provider_conformance.session import Session

NO_SUCH_PLACE = frozenset({404, 405, 410, 501})
SLOW = 0.02
"""Seconds of a usual answer beyond which a run spends its time waiting."""

MOST_COUNTED = 10**9
"""Providers that a list can be believed to have."""

ADVISED_WORKERS = 8
UNDERSCORE_HINT = (
    "is the token right, and does it arrive? Proxies such as nginx drop headers with an underscore in their name, "
    "as access_token has, unless told otherwise (underscores_in_headers on)"
)


@dataclass(frozen=True)
class Diagnosis:
    """What the first look found; a `fatal` one means that there is nothing to test."""

    text: str = ""
    fatal: bool = False


def look(session: Session) -> Diagnosis:
    """List and create once each, and say what is wrong with the target as a whole; nothing is judged by it."""
    listing = session.api.list(1, 1, "DEFAULT")
    if listing.response is None:
        return Diagnosis(_unanswered(session.target.base_url, listing), fatal=True)
    if listing.succeeded:
        session.target.calibrate()
    if not _is_list(listing):
        second = session.api.list(0, 1, "DEFAULT")
        listing = second if _is_list(second) else listing
    if session.config.read_only:
        return Diagnosis() if _is_list(listing) else _unreadable(session.target.base_url, listing)
    _avoid_names_in_use(session, listing)
    creating = _trial(session)
    if judge.given_id(creating) is not None and (creating.status or 500) < 300:
        _find_capacity(session)
        _advise_workers(session)
        return Diagnosis()
    return _diagnosis(session.target.base_url, listing, creating)


def _avoid_names_in_use(session: Session, listing: Exchange) -> None:
    """Take names that nobody bears: another run of the same seed may be going on, or one was killed and left its own.

    Where there is anybody, the first and the last page are looked at, where such providers are.
    """
    names = names_at_the_ends(session.api, listing)
    if not names:
        return
    for attempt in range(MOST_NONCES):
        values = replace(session.providers.values, nonce=nonce(session.config.seed, attempt))
        if not any(name.startswith(values.prefix) for name in names):
            break
        session.progress.note("names of another run are in use, now or since it was killed: this run takes others")
    session.providers.values = values


def names_at_the_ends(api: Api, listing: Exchange) -> list[str]:
    """Return the names on the first and the last pages of the list, where those of other runs are."""
    size = (judge.members_of(listing) or {}).get("count")
    if not isinstance(size, int) or not 1 <= size <= MOST_COUNTED:
        return []
    last = -(-size // LARGEST_PAGE)
    pages = api.list_each((number, LARGEST_PAGE, "DEFAULT") for number in sorted({0, 1, last - 1, last}))
    names = (item.get("name") for page in pages if page.succeeded for item in judge.listed(page))
    return [name for name in names if isinstance(name, str)]


def _advise_workers(session: Session) -> None:
    """Say that the latency of a slow target can be hidden."""
    usual = statistics.median(exchange.elapsed for exchange in session.ledger.exchanges)
    if usual > SLOW and session.config.workers == 1:
        session.progress.note(
            f"an answer takes {usual * 1000:.0f} ms: --workers {ADVISED_WORKERS} makes the run faster, "
            "if the target bears as many requests at a time"
        )


def _trial(session: Session) -> Exchange:
    """Create one provider, by other names or of another kind where the typical one is refused.

    Names may still be in use after an earlier run of the same seed; and an implementation that refuses one documented
    value must not thereby escape all other tests.
    """
    providers = session.providers
    first = answer = _tried(session)
    if not answer.refused or answer.status in judge.TURNED_AWAY | NO_SUCH_PLACE:
        return answer
    usual = providers.values
    providers.values = replace(usual, nonce=nonce(session.config.seed, MOST_NONCES))
    if not (answer := _tried(session)).refused:
        session.progress.note("names of an earlier run are still in use: this run takes others")
        return answer
    providers.values = usual
    for providers.base in combinations():
        if (answer := _tried(session)).succeeded:
            return answer
    providers.base = TYPICAL
    return first


def _find_capacity(session: Session) -> None:
    """Find out whether the target takes as many providers at a time as the run may hold.

    A licence may limit trunks, those of others included. It does, if a create is refused that is accepted again once
    one of ours is gone; the run then makes do with fewer.
    """
    providers = session.providers
    # No two share a value that they need not share: only their number can be why one is refused.
    kinds = map(unlike, count())
    refusal, held = None, -1
    # A create that is accepted and makes nobody that is known would go on for ever.
    while refusal is None and held < len(providers.held) < providers.most:
        held = len(providers.held)
        some = islice(kinds, min(session.config.workers, providers.most - held))
        refusal = next((answer for answer in _all_sent(session, list(some)) if not answer.succeeded), None)
    if refusal is not None and refusal.refused and providers.held:
        most = len(providers.held)
        providers.release(providers.held[0])
        if _sent(session, next(kinds)).succeeded:
            session.progress.note(f"the target takes no more than {most} providers of ours at a time")
            providers.share.most = most
    if session.api.others:
        # What is refused while there are fewer is not refused for a licence that others might have used up.
        session.api.size()
    if session.config.workers > 1 and len(providers.held) > 1:
        # How pages are counted shows while there are several: tests that run side by side change them all the time.
        session.inventory.first_page()
    providers.clear()


def _tried(session: Session) -> Exchange:
    answer = _sent(session)
    session.providers.clear()
    return answer


def _sent(session: Session, traits: Traits = TYPICAL) -> Exchange:
    (answer,) = _all_sent(session, [traits])
    return answer


def _all_sent(session: Session, kinds: Sequence[Traits]) -> list[Exchange]:
    """Create providers, as many as are accepted of those that were wanted, without judging the answers."""
    providers = session.providers
    drafts = [providers.draft(traits) for traits in kinds]
    providers.announce_all(drafts)
    calls = [session.api.call(Operation.CREATE, draft.body) for draft in drafts]
    return providers.adopt_all(drafts, session.api.send_all(calls))


def _diagnosis(where: str, listing: Exchange, creating: Exchange | None) -> Diagnosis:  # noqa: PLR0911 - a list of them
    """Say what is wrong, from a list and a create, or a list alone."""
    statuses = f"list is answered with {judge.outcome(listing)}"
    if creating is not None:
        statuses += f", create with {judge.outcome(creating)}"
    both = {listing.status, (creating or listing).status}
    if both <= judge.TURNED_AWAY:
        return Diagnosis(f"the token is refused ({statuses}): {UNDERSCORE_HINT}", fatal=True)
    if any(status is not None and 300 <= status < 400 for status in both):
        location = next(iter(listing.response.header_values("location")), "") if listing.response else ""
        hint = f" to {judge.quoted(location)}" if location else ""
        return Diagnosis(f"{where} redirects{hint} ({statuses}): give the URL that serves the API itself", fatal=True)
    if both <= NO_SUCH_PLACE:
        return Diagnosis(
            f"no such API at {where} ({statuses}): the base URL is the one under which /create and /list live",
            fatal=True,
        )
    if not _speaks_json(listing) and not _speaks_json(creating or listing):
        told = f"{where} does not speak JSON ({statuses}, {_media_type(listing)}): a login page, or another service?"
        # Any 4xx refuses, with any body or none (D11): a token among other things.
        if all(status is not None and 400 <= status < 500 for status in both):
            told += f" Or the token is refused: {UNDERSCORE_HINT}"
        return Diagnosis(told, fatal=not any(status is None or status >= 500 for status in both))
    if creating is None:
        return Diagnosis()
    if creating.succeeded:
        return Diagnosis(
            f"create is answered with {judge.answer(creating)}, without the id of a new provider: "
            "this does not look like the provider API, or create is broken"
        )
    return Diagnosis(f"a plain create does not work: {judge.answer(creating)}; what needs a provider cannot be tested")


def _unanswered(where: str, exchange: Exchange) -> str:
    match exchange.problem:
        case TransportProblem.UNREACHABLE:
            return f"cannot reach {where}: {exchange.detail}; {_reach_hint(exchange.detail)}"
        case TransportProblem.TIMED_OUT:
            return f"{where} does not answer: {exchange.detail} (--timeout)"
        case TransportProblem.MALFORMED:
            return f"{where} does not answer in HTTP: {exchange.detail}; is it https?"
        case TransportProblem.TOO_LARGE:
            return f"{where} gives no usable answer: {judge.outcome(exchange)}; this is no such API"
        case _:
            return f"{where} gives no usable answer: {judge.outcome(exchange)}; is it https?"


def _reach_hint(detail: str) -> str:
    """Say what to do about a target that no connection can be made to."""
    if detail.startswith(UNTRUSTED):
        return _trust_hint(detail)
    if detail.startswith("TLS"):
        return "is it http rather than https, or does it ask for a client certificate (--cert)?"
    if detail.startswith("the proxy"):
        return "is --proxy, or are HTTP_PROXY, HTTPS_PROXY and NO_PROXY, right?"
    return "is the server running, and is this its address?"


def _trust_hint(detail: str) -> str:
    """Say what to do about a certificate that is not trusted."""
    if "expired" in detail or "not yet valid" in detail:
        return "is the clock of this machine right, and has the certificate been renewed?"
    if "match" in detail or "mismatch" in detail:
        return "the certificate is for another name: is this the right one for it?"
    return "name the certificate of its authority with --cacert"


def glance(config: Config) -> Diagnosis:
    """List once, to see whether the target can be reached and used; nothing is created."""
    ledger = Ledger()
    target = Target(config, Guard(), ledger.record, lambda _: None)
    try:
        api = Api(target, ledger)
        listing = api.list(1, 1, "DEFAULT")
        if not _is_list(listing) and listing.response is not None:
            listing = api.list(0, 1, "DEFAULT")
    except (RunEndedError, NotTestableError) as reason:
        return Diagnosis(str(reason), fatal=True)
    finally:
        target.close()
    where = target.base_url
    if listing.response is None:
        return Diagnosis(_unanswered(where, listing), fatal=True)
    return Diagnosis() if _is_list(listing) else _unreadable(where, listing)


def _unreadable(where: str, listing: Exchange) -> Diagnosis:
    found = _diagnosis(where, listing, None)
    return found if found.fatal else Diagnosis(f"the list cannot be read: {judge.answer(listing)}", fatal=True)


def _is_list(exchange: Exchange) -> bool:
    return exchange.succeeded and judge.members_of(exchange) is not None


def _speaks_json(exchange: Exchange) -> bool:
    return exchange.json.readable


def _media_type(exchange: Exchange) -> str:
    values = exchange.response.header_values("content-type") if exchange.response else ()
    return judge.quoted(values[0]) if values else "no Content-Type"
