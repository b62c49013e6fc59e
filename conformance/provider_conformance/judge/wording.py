"""Puts exchanges, values and problems into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provider_conformance.judge.reading import listed
from provider_conformance.judge.values import MISSING, NEVER_COMPARED, same, shown, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provider_conformance.exchange import Exchange


@dataclass(frozen=True)
class Difference:
    """One property that is not as it must be; both values are JSON texts, or the word missing."""

    name: str
    expected: str
    actual: str


@dataclass(frozen=True)
class Problem:
    """What a rule found wrong: one line that names it, what the contract expects, and what came.

    `differences` are the properties that differ, where that is what is wrong.
    """

    summary: str
    expected: str
    actual: str
    differences: tuple[Difference, ...] = ()


def difference(actual: Mapping[str, object], expected: Mapping[str, object], summary: str) -> Problem | None:
    """Compare property by property and tell only what differs."""
    names = [
        name for name in expected if name not in NEVER_COMPARED and not same(actual.get(name, MISSING), expected[name])
    ]
    if not names:
        return None
    differences = tuple(Difference(name, shown(expected[name]), shown(actual.get(name, MISSING))) for name in names)
    return Problem(
        f"{summary}: {', '.join(names)}",
        "; ".join(f"{one.name} = {one.expected}" for one in differences),
        "; ".join(f"{one.name} = {one.actual}" for one in differences),
        differences,
    )


def differing(problem: Problem) -> set[str]:
    """Name the properties that a problem of `difference` is about."""
    return set(problem.summary.rpartition(": ")[2].split(", "))


def name_of(exchange: Exchange) -> str:
    """Name a request by its operation, or by method and path where it is outside the contract."""
    return exchange.operation or f"{exchange.request.method} {exchange.request.target.partition('?')[0]}"


def outcome(exchange: Exchange) -> str:
    """Put the outcome of an exchange into a few words."""
    if exchange.response is None:
        return (
            f"no answer ({exchange.problem}: {exchange.detail})"
            if exchange.detail
            else f"no answer ({exchange.problem})"
        )
    return f"{exchange.response.status} {exchange.response.reason}".strip()


def kind_of_body(exchange: Exchange) -> str:
    """Say what kind of body came instead of a JSON object."""
    text = exchange.json
    if text.empty:
        return "an empty body"
    return f"a JSON {type_of(text.value)}" if text.readable else "something that is no JSON"


def answer(exchange: Exchange) -> str:
    """Put an answer into one line: status and the beginning of the body, passwords left out."""
    response = exchange.response
    if response is None:
        return outcome(exchange)
    if response.json.empty:
        return f"{outcome(exchange)} with an empty body"
    value = response.json.value
    if isinstance(value, dict):
        told = {
            name: f"<{len(member)} providers>" if name == "providers" and isinstance(member, list) else member
            for name, member in value.items()
            if name != "password"
        }
        return f"{outcome(exchange)} {shown(told)}"
    return f"{outcome(exchange)} {shown(response.body[:120].decode('utf-8', 'replace'))}"


def paging_of(pages: Iterable[Exchange]) -> str:
    """Say which page size a walk used."""
    sizes = {
        part
        for page in pages
        for part in page.request.target.partition("?")[2].split("&")
        if part.startswith("pagesize")
    }
    return ", ".join(sorted(sizes)) or "no pagesize"


def ids_by_page(pages: Sequence[Exchange]) -> list[str]:
    """List the ids page by page in brackets, shortened: a large inventory is not printed whole."""
    ids = ["[" + " ".join(shown(item.get("id")) for item in listed(page)[:20]) + "]" for page in pages[:20]]
    return ids + ["…"] * (len(pages) > 20) or ["of nobody"]


def with_what(what: str) -> str:
    """Say what a request is sent with, if there is anything to say."""
    return f" with {what}" if what else ""
