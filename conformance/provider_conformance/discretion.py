"""Looks through every error of a run for what it discloses (HTTP-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider_conformance import judge

if TYPE_CHECKING:
    from provider_conformance.expectations import Expect
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held

DISCRETION = "HTTP-6"


def judge_errors(ledger: Ledger, token: str, providers: Providers, expect: Expect) -> None:
    """Judge every error of the run that was not judged yet; most name none of our providers, which saves a search."""
    judged = ledger.judged(DISCRETION)
    nonce = providers.values.nonce
    others: dict[str, JsonValue] = {str(held.id): telling(held, nonce) for held in providers.everyone}
    for exchange in ledger.exchanges:
        response = exchange.response
        if response is not None and response.status >= 400 and exchange.number not in judged:
            named = nonce.encode() in response.body or any(nonce in value for _, value in response.headers)
            with expect.each():
                expect(judge.discloses_nothing, exchange, token=token, others=others if named else {})


def telling(held: Held, nonce: str) -> list[JsonValue]:
    """Return the values of a provider that no other has."""
    values = [held.body[name] for name in ("name", "auth_id", "hostname", "password")]
    return [value for value in values if isinstance(value, str) and nonce in value]
