"""The client, for code that waits and for code that awaits; all that both know is elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import httpx

from provider_client import calls, paging
from provider_client.endpoint import Endpoint
from provider_client.errors import Refused

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType
    from typing import Self

    from provider_client.calls import Call
    from provider_models import ListedProvider, Provider, ProviderCreate, ProviderList, ProviderUpdate, SortBy

T = TypeVar("T")

TIMEOUT = 10.0


class ProviderClient:
    """Calls the five operations of one server; a context manager, which closes its connections.

    `base_url` is what `/create` and its siblings are appended to. `timeout` bounds, in seconds, each single wait: for
    the connection, for more of the answer. `verify` is an SSLContext for authorities other than the public ones. An
    httpx client of your own, as `http`, brings its own connections, TLS and proxies, and stays open.

    Every call raises ProviderError where it fails. Nothing is repeated, and no redirect is followed.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float | httpx.Timeout = TIMEOUT,
        verify: ssl.SSLContext | bool = True,
        http: httpx.Client | None = None,
    ) -> None:
        self._endpoint = Endpoint(base_url, token, timeout)
        self._lent = http is not None
        self._http = httpx.Client(verify=verify) if http is None else http

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._endpoint})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless the httpx client is yours."""
        if not self._lent:
            self._http.close()

    def create(self, provider: ProviderCreate) -> int:
        """Create a provider; return its id."""
        return self._send(calls.create(provider))

    def show(self, id: int) -> Provider:
        """Return the provider of an id."""
        return self._send(calls.show(id))

    def list(self, pagination: int, pagesize: int, sort_by: SortBy | None = None) -> ProviderList:
        """Return one page of providers; whether the first is page 0 or page 1 is up to the server (D7)."""
        return self._send(calls.list_page(pagination, pagesize, sort_by))

    def update(self, provider: ProviderUpdate) -> None:
        """Replace all settings of a provider."""
        self._send(calls.update(provider))

    def destroy(self, id: int) -> None:
        """Destroy the provider of an id."""
        self._send(calls.destroy(id))

    def providers(self, pagesize: int = 100, sort_by: SortBy | None = None) -> Iterator[ListedProvider]:
        """Give every listed provider as the server does, one page after another; raises if pages are missing."""
        walk = paging.walk(pagesize, sort_by)
        found, call = next(walk)
        while call is not None:
            try:
                answer: paging.Answer = self._send(call)
            except Refused as refused:
                answer = refused
            found, call = walk.send(answer)
            yield from found

    def _send(self, call: Call[T]) -> T:
        with self._endpoint.reaching(call):
            request = self._endpoint.request(self._http, call)
            response = self._http.send(request, follow_redirects=False)
        return self._endpoint.result(call, response)


class AsyncProviderClient:
    """The same as ProviderClient, to be awaited."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float | httpx.Timeout = TIMEOUT,
        verify: ssl.SSLContext | bool = True,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._endpoint = Endpoint(base_url, token, timeout)
        self._lent = http is not None
        self._http = httpx.AsyncClient(verify=verify) if http is None else http

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._endpoint})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless the httpx client is yours."""
        if not self._lent:
            await self._http.aclose()

    async def create(self, provider: ProviderCreate) -> int:
        """Create a provider; return its id."""
        return await self._send(calls.create(provider))

    async def show(self, id: int) -> Provider:
        """Return the provider of an id."""
        return await self._send(calls.show(id))

    async def list(self, pagination: int, pagesize: int, sort_by: SortBy | None = None) -> ProviderList:
        """Return one page of providers; whether the first is page 0 or page 1 is up to the server (D7)."""
        return await self._send(calls.list_page(pagination, pagesize, sort_by))

    async def update(self, provider: ProviderUpdate) -> None:
        """Replace all settings of a provider."""
        await self._send(calls.update(provider))

    async def destroy(self, id: int) -> None:
        """Destroy the provider of an id."""
        await self._send(calls.destroy(id))

    async def providers(self, pagesize: int = 100, sort_by: SortBy | None = None) -> AsyncIterator[ListedProvider]:
        """Give every listed provider as the server does, one page after another; raises if pages are missing."""
        walk = paging.walk(pagesize, sort_by)
        found, call = next(walk)
        while call is not None:
            try:
                answer: paging.Answer = await self._send(call)
            except Refused as refused:
                answer = refused
            found, call = walk.send(answer)
            for provider in found:
                yield provider

    async def _send(self, call: Call[T]) -> T:
        with self._endpoint.reaching(call):
            request = self._endpoint.request(self._http, call)
            response = await self._http.send(request, follow_redirects=False)
        return self._endpoint.result(call, response)
