"""A client of the SIP provider API: `ProviderClient`, its asynchronous twin, and what they raise."""

from __future__ import annotations

from provider_client.errors import Busy, ProviderError, Refused, ServerFailed, UnexpectedAnswer, Unreachable

try:
    from provider_client.client import AsyncProviderClient, ProviderClient
except ModuleNotFoundError as error:
    if error.name != "httpx":
        raise
    advice = "provider_client needs httpx; install it with: pip install 'sip-provider-conformance[client]'"
    raise ModuleNotFoundError(advice, name="httpx") from None

__all__ = [
    "AsyncProviderClient",
    "Busy",
    "ProviderClient",
    "ProviderError",
    "Refused",
    "ServerFailed",
    "UnexpectedAnswer",
    "Unreachable",
]
