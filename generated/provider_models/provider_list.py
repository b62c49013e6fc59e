# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from typing import Annotated

from pydantic import MISSING, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from .listed_provider import ListedProvider


class ProviderList(BaseModel):
    """One page of providers, and where in the whole it stands. The five paging fields are required, `providers` is not: the documented sample has the former and lacks the latter (D5)."""

    model_config = ConfigDict(
        extra="allow",
        use_attribute_docstrings=True,
    )
    providers: list[ListedProvider] | MISSING = MISSING
    """The providers on this page, at most `pagesize` of them."""
    count: Annotated[StrictInt, Field(examples=[2])]
    """The number of providers in all, not on this page (D6)."""
    page_count: Annotated[StrictInt, Field(examples=[1])]
    """The number of pages. The documented sample defies arithmetic, so the value is only advised on (D6)."""
    pagination: Annotated[StrictInt, Field(examples=[1])]
    """The number of this page, as it was asked for. Pages count from 0 or from 1 (D7)."""
    pagesize: Annotated[StrictInt, Field(examples=[10])]
    """How many providers a page holds at most, as it was asked for or as it was capped (D16)."""
    sort_by: Annotated[StrictStr, Field(examples=["DEFAULT"])]
    """The order of this list, as it was asked for; DEFAULT if nothing was (D14). Documented as a plain string."""
