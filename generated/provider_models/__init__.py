# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from .auth_mode import AuthMode
from .listed_provider import ListedProvider
from .protocol import Protocol
from .provider import Provider
from .provider_create import ProviderCreate
from .provider_created import ProviderCreated
from .provider_destroy import ProviderDestroy
from .provider_list import ProviderList
from .provider_status import ProviderStatus
from .provider_update import ProviderUpdate
from .sort_by import SortBy

__all__ = [
    "AuthMode",
    "ListedProvider",
    "Protocol",
    "Provider",
    "ProviderCreate",
    "ProviderCreated",
    "ProviderDestroy",
    "ProviderList",
    "ProviderStatus",
    "ProviderUpdate",
    "SortBy",
]
