# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from enum import StrEnum


class SortBy(StrEnum):
    """
    The order of a list. What OPTIONAL sorts by is left open (D14).
    """

    DEFAULT = "DEFAULT"
    OPTIONAL = "OPTIONAL"
