"""Walks the list page by page, without trusting what it does not have to trust."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.errors import NotTestableError
from provider_conformance.judge import listed, loose_id

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.ledger import Ledger

DEFAULT = "DEFAULT"

LARGEST_PAGE = 100
"""The largest page size that every implementation serves (D16)."""

MOST_PAGES = 200
"""Pages after which a walk gives up."""


@dataclass(frozen=True)
class Walk:
    """The pages of the list that bear providers, in order; pages before the first and past the last are free (D16)."""

    pages: tuple[Exchange, ...]
    pagesize: int
    first: Exchange
    whole: bool

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids that the pages give, in order, as often as they give them."""
        found = (loose_id(item.get("id")) for page in self.pages for item in listed(page))
        return tuple(identity for identity in found if identity is not None)

    @property
    def size(self) -> int:
        """How many providers the pages give, those without an id included."""
        return sum(len(listed(page)) for page in self.pages)


class Inventory:
    """Knows how the implementation counts its pages, and walks them."""

    def __init__(self, api: Api, ledger: Ledger) -> None:
        self._api = api
        self._ledger = ledger
        self._first_page: int | None = None
        self.default: str | None = "DEFAULT"

    def first_page(self) -> int:
        """Find out, once, whether pages are counted from 0 or from 1 (D7); needs a provider of ours to exist.

        Page 0 of a list that counts from 1 is free: it may be refused, empty or another page again.
        """
        if self._first_page is None:
            zero, one = self._api.list(0, 1, self.default), self._api.list(1, 1, self.default)
            if not zero.succeeded and not one.succeeded and self.default is not None:
                # Whether DEFAULT is accepted is a requirement of its own (LIST-5); the walk does without it then.
                self.default = None
                return self.first_page()
            self._first_page = 0 if listed(zero) and _ids(zero) != _ids(one) else 1
        return self._first_page

    def count_from(self, page: int) -> None:
        """Take another page for the first, where what the walk finds shows that it is."""
        self._first_page = page

    def walk(
        self, pagesize: int = LARGEST_PAGE, ours: Collection[int] = (), sort_by: str | None = DEFAULT
    ) -> Walk:
        """Go through the pages until the list ends.

        The end is where a page is refused or empty, or where a page is short or the reported count is reached and
        all of `ours` were met. The count is not trusted alone (LIST-6 is a requirement of its own), and pages
        beyond it are only looked at while some of ours are missing.
        """
        base = self.first_page()
        if sort_by == DEFAULT:
            sort_by = self.default
        pages: list[Exchange] = []
        missing = set(ours)
        first: Exchange | None = None
        while len(pages) < MOST_PAGES:
            page = self._api.list(base + len(pages), pagesize, sort_by)
            first = first or page
            items = listed(page)
            last = _last_page(page, pagesize)
            beyond = last is not None and len(pages) >= last
            again = bool(pages) and beyond and _ids(page) == _ids(pages[-1])
            if missing:
                self._api.served(page)
            if not items or again:
                return Walk(tuple(pages), pagesize, first, whole=True)
            pages.append(page)
            missing -= set(_ids(page))
            short = len(items) < pagesize
            counted = last is not None and len(pages) >= last
            if (not missing and (short or counted)) or (short and (last is None or counted)):
                return Walk(tuple(pages), pagesize, first, whole=True)
        assert first is not None
        return Walk(tuple(pages), pagesize, first, whole=False)

    def judged(
        self, pagesize: int = LARGEST_PAGE, ours: Collection[int] = (), sort_by: str | None = DEFAULT
    ) -> Walk:
        """Walk and judge what holds for any list (LIST-1); raises NotTestableError when nothing can be read from it."""
        walk = self.walk(pagesize, ours, sort_by)
        if sort_by == DEFAULT:
            for page in walk.pages or (walk.first,):
                self._ledger.claim("LIST-1", judge.answers_object, page)
                self._ledger.claim("LIST-1", judge.documented_types, page, operation="list", ours=sorted(ours))
        if not walk.first.succeeded or judge.members_of(walk.first) is None:
            raise NotTestableError(f"the list cannot be read: {judge.answer(walk.first)}")
        if not walk.whole:
            raise NotTestableError(f"the list has more than {MOST_PAGES} pages of {pagesize}")
        return walk


def found_by_name(pages: Sequence[Exchange], name: str) -> int | None:
    """Return the id under which pages list a name, or None."""
    for page in pages:
        for item in listed(page):
            if item.get("name") == name and (identity := loose_id(item.get("id"))) is not None:
                return identity
    return None


def _ids(page: Exchange) -> list[int | None]:
    return [loose_id(item.get("id")) for item in listed(page)]


def _last_page(page: Exchange, pagesize: int) -> int | None:
    """Return how many pages the reported count makes, or None when nothing usable is reported."""
    count = (judge.members_of(page) or {}).get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        return None
    return -(-count // pagesize)
