# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from enum import StrEnum


class Protocol(StrEnum):
    """
    The transport protocol that SIP messages travel over.
    """

    UDP = "UDP"
    TCP = "TCP"
