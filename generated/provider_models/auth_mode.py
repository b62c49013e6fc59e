# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from enum import StrEnum


class AuthMode(StrEnum):
    """
    How the provider and the PBX trust each other: by the address that requests come from (IP_AUTH) or by registering with a name and a password (REGISTER_AUTH).
    """

    IP_AUTH = "IP_AUTH"
    REGISTER_AUTH = "REGISTER_AUTH"
