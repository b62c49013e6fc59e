# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from enum import StrEnum


class ProviderStatus(StrEnum):
    """
    Whether the provider is registered. It must be sent, but the PBX observes it: the status that is shown may differ from the one sent, and change by itself (D9).
    """

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
