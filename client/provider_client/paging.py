"""Goes through the pages of the list, whether a server counts them from 0 or from 1 (D7).

What a server gives before its first page and past its last is free (D16), so that neither tells anything. Pages are
therefore asked for only where they exist, as far as that can be known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pydantic import MISSING

from provider_client.calls import Call, list_page
from provider_client.errors import Refused, UnexpectedAnswer
from provider_models import ProviderList, SortBy

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from provider_models import ListedProvider

Step: TypeAlias = "tuple[Sequence[ListedProvider], Call[ProviderList] | None]"
"""Providers to hand out, and the next call; None ends the walk."""

Answer: TypeAlias = ProviderList | Refused


def walk(pagesize: int, sort_by: SortBy | None) -> Generator[Step, Answer]:
    """Give every listed provider, page by page; whoever drives this sends the calls, and their answers back.

    The list ends where `count` is reached, or where a page gives nobody new. If fewer have come than are counted by
    then, raises UnexpectedAnswer, except under OPTIONAL, which need not give all of them (D14, D16).
    """
    if pagesize < 1:
        raise ValueError("pagesize must be at least 1")
    partial = sort_by is SortBy.OPTIONAL
    number, page = yield from _first_page(pagesize, None if partial else sort_by)
    if partial:
        page = None  # it was read in the other order
    met: set[int] = set()
    found: Sequence[ListedProvider] = ()
    while True:
        answer = (yield found, list_page(number, pagesize, sort_by)) if page is None else page
        page = None
        if isinstance(answer, Refused):
            if not partial:
                raise answer
            found = ()
            break
        found = _listed(answer)
        before = len(met)
        met.update(provider.id for provider in found)
        if len(met) >= answer.count:
            break
        if len(met) == before:
            if not partial:
                raise UnexpectedAnswer("list", f"its pages give {before} of the {answer.count} providers it counts")
            found = ()
            break
        number += 1
    yield found, None


def _first_page(pagesize: int, sort_by: SortBy | None) -> Generator[Step, Answer, tuple[int, ProviderList | None]]:
    """Return the number of the first page, and that page itself if it was read on the way."""
    one = yield (), list_page(1, pagesize, sort_by)
    if isinstance(one, Refused) or not _listed(one):
        # Counted from 1, there is nobody; counted from 0, there is one page at most.
        zero = yield (), list_page(0, pagesize, sort_by)
        if not isinstance(zero, Refused) and (_listed(zero) or isinstance(one, Refused)):
            return 0, zero
        if isinstance(one, Refused):
            raise one
        return 1, one
    if len(_listed(one)) >= one.count:
        return 1, one
    # There are several pages, so that page 1 exists either way. Counted from 1, it begins with the first provider,
    # whatever its size; counted from 0, with the one that as many as a page holds come before.
    other = yield (), list_page(1, 2 if pagesize == 1 else 1, sort_by)
    same = not isinstance(other, Refused) and [p.id for p in _listed(other)[:1]] == [_listed(one)[0].id]
    return (1, one) if same else (0, None)


def _listed(page: ProviderList) -> Sequence[ListedProvider]:
    return () if page.providers is MISSING else page.providers
