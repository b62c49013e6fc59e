"""Faults of list."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters


# LIST-1: 200 and an object of the documented types


@fault("list-answers-206", "LIST-1", kind="conditional")
class Answers206(Reference):
    """Answers a list that does not give everything with 206."""

    def list_providers(self, request: Request) -> Answer:
        answer = super().list_providers(request)
        asked = self.list_parameters(request)
        count, providers = self.page_of(asked)
        return replace(answer, status=206) if len(providers) < count else answer


class _RendersList(Reference):
    """Gives some members of list's answer otherwise."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        content = super().rendered_list(asked, count, providers)
        return content | self.altered(content, asked)

    def altered(self, content: Any, asked: ListParameters) -> Properties:
        """Return the members that are given otherwise."""
        raise NotImplementedError


@fault("list-count-as-text", "LIST-1", kind="always")
class CountAsText(_RendersList):
    """Gives count as a string."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"count": str(content["count"])}


@fault("list-paging-echoed-as-text", "LIST-1", kind="always")
class PagingEchoedAsText(_RendersList):
    """Gives pagination and pagesize back as strings."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"pagination": str(asked.pagination), "pagesize": str(asked.pagesize)}


@fault("list-page-count-unrounded", "LIST-1", kind="conditional")
class PageCountUnrounded(_RendersList):
    """Gives page_count as the plain quotient, fraction and all."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:
        return {"page_count": content["count"] / asked.pagesize}


@fault("list-page-count-null-for-one", "LIST-1", kind="conditional")
class PageCountNullForOne(_RendersList):
    """Gives null for page_count where one page holds everything."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"page_count": None if content["page_count"] <= 1 else content["page_count"]}


@fault("list-providers-by-id", "LIST-1", kind="always")
class ProvidersById(_RendersList):
    """Gives providers as an object with the ids for names."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"providers": {str(provider["id"]): provider for provider in content["providers"]}}


@fault("list-single-provider-bare", "LIST-1", kind="conditional")
class SingleProviderBare(_RendersList):
    """Gives a page of one provider as that provider instead of an array."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        providers = content["providers"]
        return {"providers": providers[0] if len(providers) == 1 else providers}


@fault("list-port-as-text", "LIST-1", kind="always")
class PortAsText(Reference):
    """Gives the port of listed providers as a string."""

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider(provider) | {"port": str(provider["port"])}


@fault("list-ips-joined", "LIST-1", kind="always")
class IpsJoined(Reference):
    """Gives the ips of listed providers as one string."""

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider(provider) | {"ips": ", ".join(map(str, provider["ips"]))}


@fault("list-flags-as-numbers", "LIST-1", kind="stateful")
class FlagsAsNumbers(Reference):
    """Gives the booleans of listed providers as numbers once the provider has been updated."""

    def prepare(self) -> None:
        self.updated: set[int] = set()

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.updated.add(provider_id)
        return super().apply_update(provider_id, properties)

    def listed_provider(self, provider: Properties) -> Any:
        listed = super().listed_provider(provider)
        if provider["id"] not in self.updated:
            return listed
        return {name: int(value) if isinstance(value, bool) else value for name, value in listed.items()}


# LIST-2: at most pagesize providers


class _Pages(Reference):
    """Cuts pages otherwise, out of everything in the order that was asked for."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        count, _ = super().page_of(asked)
        _, everything = self.store.page(0, count, self.order(asked.sort_by))
        return count, self.cut(everything, asked)

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        """Return the page."""
        raise NotImplementedError


class _SizesPages(_Pages):
    """Cuts pages of another size than was asked for, of which each follows the one before without a gap."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        size = self.size(asked)
        return everything[(asked.pagination - 1) * size : asked.pagination * size]

    def size(self, asked: ListParameters) -> int:
        """Return the size of pages."""
        raise NotImplementedError


@fault("list-one-too-many", "LIST-2", kind="always")
class OneTooMany(_SizesPages):
    """Gives one provider more than pagesize on every page."""

    def size(self, asked: ListParameters) -> int:
        return asked.pagesize + 1


@fault("list-at-least-three", "LIST-2", kind="conditional")
class AtLeastThree(_SizesPages):
    """Gives pages of three providers where fewer are asked for."""

    def size(self, asked: ListParameters) -> int:
        return max(asked.pagesize, 3)


@fault("list-even-sizes", "LIST-2", kind="conditional")
class EvenSizes(_SizesPages):
    """Rounds odd page sizes up."""

    def size(self, asked: ListParameters) -> int:
        return asked.pagesize + asked.pagesize % 2


@fault("list-optional-ignores-pagesize", "LIST-2", kind="conditional")
class OptionalIgnoresPagesize(_SizesPages):
    """Ignores pagesize under sort_by OPTIONAL."""

    def size(self, asked: ListParameters) -> int:
        return 1000 if asked.sort_by == "OPTIONAL" else asked.pagesize


@fault("list-default-ignores-pagesize", "LIST-2", kind="always")
class DefaultIgnoresPagesize(_SizesPages):
    """Gives 100 providers a page, whatever is asked for."""

    def size(self, asked: ListParameters) -> int:  # noqa: ARG002
        return 100


@fault("list-keeps-largest-pagesize", "LIST-2", kind="stateful")
class KeepsLargestPagesize(_SizesPages):
    """Gives pages of the size that the list before asked for, if that was larger."""

    def prepare(self) -> None:
        self.previous = 0

    def size(self, asked: ListParameters) -> int:
        previous, self.previous = self.previous, asked.pagesize
        return max(previous, asked.pagesize)


@fault("list-last-page-takes-rest", "LIST-2", kind="conditional")
class LastPageTakesRest(_Pages):
    """Gives a rest of one provider on the page before it rather than on a page of its own."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        start, end = (asked.pagination - 1) * asked.pagesize, asked.pagination * asked.pagesize
        if len(everything) == end + 1:
            return everything[start:]
        return [] if len(everything) == start + 1 and start else everything[start:end]


# LIST-3: page by page, every provider exactly once, in the same order


@fault("list-loses-partial-page", "LIST-3", kind="conditional")
class LosesPartialPage(_Pages):
    """Loses the last page if it is not full, unless it is the only one."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        page = everything[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]
        return page if asked.pagination == 1 or len(page) == asked.pagesize else []


@fault("list-loses-full-last-page", "LIST-3", kind="conditional")
class LosesFullLastPage(_Pages):
    """Loses the last page if it is full and not the only one."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        end = asked.pagination * asked.pagesize
        lost = asked.pagination > 1 and end == len(everything)
        return [] if lost else everything[end - asked.pagesize : end]


@fault("list-pages-overlap", "LIST-3", kind="always")
class PagesOverlap(_Pages):
    """Begins each page with the last provider of the page before."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        start = max((asked.pagination - 1) * asked.pagesize - 1, 0)
        return everything[start : start + asked.pagesize]


@fault("list-boundary-twice", "LIST-3", kind="conditional")
class BoundaryTwice(_Pages):
    """Gives the last provider of page 1 again in place of the first of page 2."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        start = (asked.pagination - 1) * asked.pagesize
        page = everything[start : start + asked.pagesize]
        return [everything[start - 1], *page[1:]] if asked.pagination == 2 and page else page


@fault("list-boundary-lost", "LIST-3", kind="always")
class BoundaryLost(_Pages):
    """Leaves a provider out between one page and the next."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        start = (asked.pagination - 1) * (asked.pagesize + 1)
        return everything[start : start + asked.pagesize]


@fault("list-single-pages-lose-last", "LIST-3", kind="conditional")
class SinglePagesLoseLast(_Pages):
    """Loses the last provider when pages hold one."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        listed = everything[:-1] if asked.pagesize == 1 else everything
        return listed[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]


@fault("list-third-page-repeats-second", "LIST-3", kind="conditional")
class ThirdPageRepeatsSecond(_Pages):
    """Gives page 2 again for every later page."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        if (asked.pagination - 1) * asked.pagesize >= len(everything):
            return []
        end = min(asked.pagination, 2) * asked.pagesize
        return everything[end - asked.pagesize : end]


@fault("list-random-order", "LIST-3", kind="always")
class RandomOrder(_Pages):
    """Orders the providers anew at random for every request."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        if asked.sort_by != "OPTIONAL":
            random.shuffle(everything)
        return everything[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]


@fault("list-order-turns", "LIST-3", kind="stateful")
class OrderTurns(_Pages):
    """Turns the order round with every request."""

    def prepare(self) -> None:
        self.turned = False

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        if asked.sort_by != "OPTIONAL":
            self.turned = not self.turned
            everything = everything[::-1] if self.turned else everything
        return everything[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]


@fault("list-last-shown-first", "LIST-3", kind="stateful")
class LastShownFirst(_Pages):
    """Lists the provider that was shown last first."""

    def prepare(self) -> None:
        self.shown = 0

    def find(self, provider_id: int) -> Properties | None:
        self.shown = provider_id
        return super().find(provider_id)

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        if asked.sort_by != "OPTIONAL":
            everything = sorted(everything, key=lambda provider: bool(provider["id"] != self.shown))
        return everything[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]


@fault("list-first-page-by-name", "LIST-3", kind="conditional")
class OrdersFirstPageByName(_Pages):
    """Orders by name on page 1 and by id on the others."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        if asked.pagination == 1 and asked.sort_by != "OPTIONAL":
            everything = sorted(everything, key=lambda provider: str(provider["name"]))
        return everything[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]


@fault("list-same-outbound-server-once", "LIST-3", kind="conditional")
class SameOutboundServerOnce(_Pages):
    """Lists only the first of several providers with the same outbound server and port."""

    def cut(self, everything: list[Properties], asked: ListParameters) -> list[Properties]:
        firsts: dict[tuple[str, int], Properties] = {}
        for provider in everything:
            firsts.setdefault((provider["outbound_server"], provider["outbound_server_port"]), provider)
        listed = list(firsts.values())
        return listed[(asked.pagination - 1) * asked.pagesize :][: asked.pagesize]


# LIST-4: the id, and no value that show contradicts


class _ListsOtherwise(Reference):
    """Gives some properties of listed providers otherwise than show does."""

    def listed_provider(self, provider: Properties) -> Any:
        return super().listed_provider(provider) | self.altered(provider)

    def altered(self, provider: Properties) -> Properties:
        """Return the properties that are listed otherwise."""
        raise NotImplementedError


@fault("list-without-id", "LIST-4", kind="always")
class WithoutId(Reference):
    """Leaves the ids of listed providers out."""

    def listed_provider(self, provider: Properties) -> Any:
        return {name: value for name, value in super().listed_provider(provider).items() if name != "id"}


@fault("list-numbers-items", "LIST-4", kind="conditional")
class NumbersItems(Reference):
    """Gives the place on the page instead of the id."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        content = super().rendered_list(asked, count, providers)
        numbered = [item | {"id": place} for place, item in enumerate(content["providers"], 1)]
        return content | {"providers": numbered}


@fault("list-abbreviates-names", "LIST-4", kind="conditional")
class AbbreviatesNames(_ListsOtherwise):
    """Abbreviates names of more than 20 characters."""

    def altered(self, provider: Properties) -> Properties:
        name = provider["name"]
        return {"name": name if len(name) <= 20 else name[:17] + "..."}


@fault("list-masks-auth-id", "LIST-4", kind="always")
class MasksAuthId(_ListsOtherwise):
    """Gives asterisks for auth_id."""

    def altered(self, provider: Properties) -> Properties:  # noqa: ARG002
        return {"auth_id": "***"}


@fault("list-first-ip-only", "LIST-4", kind="conditional")
class FirstIpOnly(_ListsOtherwise):
    """Gives the first of several ips only."""

    def altered(self, provider: Properties) -> Properties:
        return {"ips": provider["ips"][:1]}


@fault("list-flags-false", "LIST-4", kind="conditional")
class FlagsFalse(_ListsOtherwise):
    """Gives provider_in_lan and single_via_header as false."""

    def altered(self, provider: Properties) -> Properties:  # noqa: ARG002
        return {"provider_in_lan": False, "single_via_header": False}


@fault("list-swaps-ports", "LIST-4", kind="conditional")
class SwapsPorts(_ListsOtherwise):
    """Swaps port and outbound_server_port."""

    def altered(self, provider: Properties) -> Properties:
        return {"port": provider["outbound_server_port"], "outbound_server_port": provider["port"]}


@fault("list-hostname-of-previous", "LIST-4", kind="conditional")
class HostnameOfPrevious(Reference):
    """Gives every item but the first the hostname of the item before it."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        content = super().rendered_list(asked, count, providers)
        items = content["providers"]
        shifted = [items[0]["hostname"], *(item["hostname"] for item in items)] if items else []
        moved = [item | {"hostname": hostname} for item, hostname in zip(items, shifted, strict=False)]
        return content | {"providers": moved}


@fault("list-port-of-last-shown", "LIST-4", kind="stateful")
class PortOfLastShown(_ListsOtherwise):
    """Gives every listed provider the port of the one that was shown last."""

    def prepare(self) -> None:
        self.port: int | None = None

    def rendered_provider(self, provider: Properties) -> Any:
        self.port = provider["port"]
        return super().rendered_provider(provider)

    def altered(self, provider: Properties) -> Properties:
        return {"port": provider["port"] if self.port is None else self.port}


# LIST-5: both values of sort_by, and DEFAULT without one


@fault("list-refuses-optional", "LIST-5", kind="conditional")
class RefusesOptional(Reference):
    """Refuses sort_by OPTIONAL."""

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        if parameters.get("sort_by") == ["OPTIONAL"]:
            raise RefusedError(400, "sort_by: not supported")
        return super().sort_parameter(parameters)


@fault("list-refuses-default", "LIST-5", kind="conditional")
class RefusesDefault(Reference):
    """Refuses sort_by DEFAULT where it is spelt out."""

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        if parameters.get("sort_by") == ["DEFAULT"]:
            raise RefusedError(400, "sort_by: not supported")
        return super().sort_parameter(parameters)


@fault("list-requires-sort-by", "LIST-5", kind="conditional")
class RequiresSortBy(Reference):
    """Refuses list without sort_by."""

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        if "sort_by" not in parameters:
            raise RefusedError(400, "sort_by: missing")
        return super().sort_parameter(parameters)


@fault("list-reports-optional", "LIST-5", kind="conditional")
class ReportsOptional(Reference):
    """Reports OPTIONAL where the request is silent."""

    def reported_sort(self, asked: ListParameters) -> Any:
        return asked.sort_by or "OPTIONAL"


@fault("list-reports-empty", "LIST-5", kind="conditional")
class ReportsEmpty(Reference):
    """Reports an empty sort_by where the request is silent."""

    def reported_sort(self, asked: ListParameters) -> Any:
        return asked.sort_by or ""


@fault("list-reports-capitalised", "LIST-5", kind="conditional")
class ReportsCapitalised(Reference):
    """Reports Default where the request is silent."""

    def reported_sort(self, asked: ListParameters) -> Any:
        return asked.sort_by or "Default"


@fault("list-remembers-sort-by", "LIST-5", kind="stateful")
class RemembersSortBy(Reference):
    """Reports the sort_by of the request before where this one is silent."""

    def prepare(self) -> None:
        self.previous = "DEFAULT"

    def reported_sort(self, asked: ListParameters) -> Any:
        self.previous = asked.sort_by or self.previous
        return self.previous


@fault("list-counts-page", "LIST-6", kind="conditional")
class CountsPage(_RendersList):
    """Gives the number of providers on the page as count."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"count": len(content["providers"])}


@fault("list-counts-partial-later-page", "LIST-6", kind="conditional")
class CountsPartialLaterPage(_RendersList):
    """Gives the number of providers on the page as count where it is neither the first page nor full."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:
        length = len(content["providers"])
        partial = asked.pagination > 1 and 0 < length < asked.pagesize
        return {"count": length if partial else content["count"]}


@fault("list-counts-page-under-optional", "LIST-6", kind="conditional")
class CountsPageUnderOptional(_RendersList):
    """Gives the number of providers on the page as count under OPTIONAL."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:
        return {"count": len(content["providers"]) if asked.sort_by == "OPTIONAL" else content["count"]}


@fault("list-counts-one-more-under-optional", "LIST-6", kind="conditional")
class CountsOneMoreUnderOptional(_RendersList):
    """Counts one provider more than there are under OPTIONAL."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:
        return {"count": content["count"] + (asked.sort_by == "OPTIONAL")}


@fault("list-counts-one-less", "LIST-6", kind="always")
class CountsOneLess(_RendersList):
    """Gives the place of the last provider, from 0, as count."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"count": content["count"] - 1}


@fault("list-counts-a-million", "LIST-6", kind="always")
class CountsAMillion(_RendersList):
    """Gives a million as count, whatever there is."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"count": 1_000_000}


@fault("list-counts-pages", "LIST-6", kind="conditional")
class CountsPages(_RendersList):
    """Gives the number of pages as count."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"count": content["page_count"]}


@fault("list-counts-destroyed", "LIST-6", kind="stateful")
class CountsDestroyed(_RendersList):
    """Counts destroyed providers, too."""

    def prepare(self) -> None:
        self.destroyed = 0

    def remove(self, provider_id: int) -> bool:
        removed = super().remove(provider_id)
        self.destroyed += removed
        return removed

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"count": content["count"] + self.destroyed}


@fault("list-counts-as-the-list-before", "LIST-6", kind="stateful")
class CountsAsTheListBefore(_RendersList):
    """Gives the count that was right for the list before, and counts anew for the next one."""

    def prepare(self) -> None:
        self.counted: int | None = None

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        before, self.counted = self.counted, content["count"]
        return {"count": content["count"] if before is None else before}


# LIST-7: pagination, pagesize and sort_by are reported back


@fault("list-reports-next-page", "LIST-7", kind="always")
class ReportsNextPage(_RendersList):
    """Reports the page after the one that was asked for."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"pagination": asked.pagination + 1}


@fault("list-reports-first-page", "LIST-7", kind="conditional")
class ReportsFirstPage(_RendersList):
    """Reports page 1, whatever was asked for."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"pagination": 1}


@fault("list-reports-length-as-pagesize", "LIST-7", kind="conditional")
class ReportsLengthAsPagesize(_RendersList):
    """Reports the number of providers on the page as pagesize."""

    def altered(self, content: Any, asked: ListParameters) -> Properties:  # noqa: ARG002
        return {"pagesize": len(content["providers"])}


@fault("list-reports-default-always", "LIST-7", kind="conditional")
class ReportsDefaultAlways(Reference):
    """Reports DEFAULT where OPTIONAL was asked for."""

    def reported_sort(self, asked: ListParameters) -> Any:  # noqa: ARG002
        return "DEFAULT"


# LIST-8: missing, ill-typed and unknown parameters are refused


class _ReadsParameters(Reference):
    """Takes something for a parameter of list that is none."""

    def parameters(self, request: Request) -> dict[str, list[str]]:
        parameters = super().parameters(request)
        return parameters | self.altered(parameters) if request.operation == "list" else parameters

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the parameters that are read otherwise."""
        raise NotImplementedError


@fault("list-pagination-optional", "LIST-8", kind="conditional")
class PaginationOptional(_ReadsParameters):
    """Gives the first page where pagination is missing."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        return {"pagination": parameters.get("pagination", ["1"])}


@fault("list-pagesize-optional", "LIST-8", kind="conditional")
class PagesizeOptional(_ReadsParameters):
    """Gives ten providers where pagesize is missing."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        return {"pagesize": parameters.get("pagesize", ["10"])}


@fault("list-ignores-ill-typed", "LIST-8", kind="conditional")
class IgnoresIllTyped(_ReadsParameters):
    """Takes 1 for a pagination that is no number."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        values = parameters.get("pagination", [])
        is_word = len(values) == 1 and not any(character.isdigit() for character in values[0])
        return {"pagination": ["1"]} if is_word else {}


@fault("list-cuts-fractions", "LIST-8", kind="conditional")
class CutsFractions(_ReadsParameters):
    """Cuts the fraction off pagesize."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        return {
            name: [value.partition(".")[0] for value in parameters[name]] for name in parameters if name == "pagesize"
        }


@fault("list-pagesize-with-blanks", "LIST-8", kind="conditional")
class PagesizeWithBlanks(_ReadsParameters):
    """Ignores blanks after a pagesize."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        return {name: [value.rstrip(" ") for value in parameters[name]] for name in parameters if name == "pagesize"}


@fault("list-pagination-with-line-feed", "LIST-8", kind="conditional")
class PaginationWithLineFeed(_ReadsParameters):
    """Ignores a line feed after a pagination, as the dollar sign of many regular expressions does."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        pages = parameters.get("pagination", [])
        return {"pagination": [value.removesuffix("\n") for value in pages]} if pages else {}


@fault("list-wraps-pagination", "LIST-8", kind="conditional")
class WrapsPagination(_ReadsParameters):
    """Takes a pagination beyond int32 for the last page there could be."""

    def altered(self, parameters: dict[str, list[str]]) -> dict[str, list[str]]:
        largest = 2**31 - 1
        return {
            name: [str(min(int(value), largest)) if value.isascii() and value.isdigit() else value for value in values]
            for name, values in parameters.items()
            if name == "pagination"
        }


@fault("list-ignores-unknown-sort-by", "LIST-8", kind="conditional")
class IgnoresUnknownSortBy(Reference):
    """Takes DEFAULT for a sort_by that it does not know."""

    def sort_parameter(self, parameters: dict[str, list[str]]) -> str | None:
        known = parameters.get("sort_by") in (None, ["OPTIONAL"])
        return super().sort_parameter(parameters) if known else "DEFAULT"


# LIST-9: page_count is what count and pagesize make


class _CountsPages(Reference):
    """Reports another number of pages."""

    def rendered_list(self, asked: ListParameters, count: int, providers: list[Properties]) -> Any:
        return {**super().rendered_list(asked, count, providers), "page_count": self.pages(count, asked.pagesize)}

    def pages(self, count: int, pagesize: int) -> int:
        """Return the page_count to report."""
        raise NotImplementedError


@fault("list-pages-rounded-down", "LIST-9", kind="conditional")
class PagesRoundedDown(_CountsPages):
    """Forgets the last page in page_count where it is not full."""

    def pages(self, count: int, pagesize: int) -> int:
        return count // pagesize


@fault("list-pages-one-too-many", "LIST-9", kind="conditional")
class PagesOneTooMany(_CountsPages):
    """Reports a page too many in page_count where the last one is full."""

    def pages(self, count: int, pagesize: int) -> int:
        return count // pagesize + 1


@fault("list-pages-of-ten", "LIST-9", kind="conditional")
class PagesOfTen(_CountsPages):
    """Reports in page_count how many pages of ten there are, whatever the page size."""

    def pages(self, count: int, pagesize: int) -> int:  # noqa: ARG002
        return -(-count // 10)


@fault("list-pages-always-one", "LIST-9", kind="always")
class PagesAlwaysOne(_CountsPages):
    """Always reports a page_count of 1."""

    def pages(self, count: int, pagesize: int) -> int:  # noqa: ARG002
        return 1
