# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt


class ProviderCreated(BaseModel):
    """Names the provider that was created. The id is required, since nothing else names it (D5)."""

    model_config = ConfigDict(
        extra="allow",
        use_attribute_docstrings=True,
    )
    id: Annotated[
        StrictInt,
        Field(examples=[1234], ge=-9223372036854775808, le=9223372036854775807),
    ]
    """The id of a provider, given by the PBX on create and unique (D15)."""
