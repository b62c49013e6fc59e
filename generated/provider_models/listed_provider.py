# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    MISSING,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
)

from .auth_mode import AuthMode
from .protocol import Protocol
from .provider_status import ProviderStatus


class ListedProvider(BaseModel):
    """A provider as list gives it, possibly abbreviated: only the id is required, but what else it bears must be what show gives (D5)."""

    model_config = ConfigDict(
        extra="allow",
        use_attribute_docstrings=True,
    )
    id: Annotated[
        StrictInt,
        Field(examples=[1234], ge=-9223372036854775808, le=9223372036854775807),
    ]
    """The id of a provider, given by the PBX on create and unique (D15)."""
    name: Annotated[StrictStr | MISSING, Field(examples=["Example Telecom"])] = MISSING
    """The name that operators know the provider by."""
    auth_mode: AuthMode | MISSING = MISSING
    protocol: Protocol | MISSING = MISSING
    hostname: Annotated[StrictStr | MISSING, Field(examples=["sip.example.com"])] = (
        MISSING
    )
    """Host name or IP address of the provider's SIP server, also called its registrar."""
    port: Annotated[StrictInt | MISSING, Field(examples=[5060])] = MISSING
    """The port of the provider's SIP server. No range is documented (D13)."""
    outbound_server: Annotated[
        StrictStr | MISSING, Field(examples=["proxy.example.com"])
    ] = MISSING
    """Host name or IP address of the server that outgoing calls are sent to."""
    outbound_server_port: Annotated[StrictInt | MISSING, Field(examples=[5060])] = (
        MISSING
    )
    """The port of the outbound server. No range is documented (D13)."""
    require_register: Annotated[StrictBool | MISSING, Field(examples=[True])] = MISSING
    """Whether the PBX has to register with the provider. Plausibly true exactly with REGISTER_AUTH (D13)."""
    reregister_interval: Annotated[StrictInt | MISSING, Field(examples=[3600])] = (
        MISSING
    )
    """After how many seconds a registration is renewed. No range is documented (D13)."""
    auth_id: Annotated[StrictStr | MISSING, Field(examples=["example-pbx"])] = MISSING
    """The name that the PBX authenticates with, which is the SIP user name."""
    password: Annotated[
        StrictStr | MISSING, Field(examples=["not-a-real-secret"], repr=False)
    ] = MISSING
    """The password that the PBX authenticates with. An answer may bear it, mask it with some string, or leave it out (D10)."""
    ips: Annotated[list[Any] | MISSING, Field(examples=[["192.0.2.10"]])] = MISSING
    """The addresses that the provider's requests come from. Items are not documented (D8); plausibly they are IP addresses as strings, at least one with IP_AUTH (D13)."""
    in_parameters: Annotated[list[Any] | MISSING, Field(examples=[[]])] = MISSING
    """Parameters of incoming calls. Items are not documented (D8)."""
    out_parameters: Annotated[list[Any] | MISSING, Field(examples=[[]])] = MISSING
    """Parameters of outgoing calls. Items are not documented (D8)."""
    provider_in_lan: Annotated[StrictBool | MISSING, Field(examples=[False])] = MISSING
    """Whether the provider is reached inside the local network."""
    single_via_header: Annotated[StrictBool | MISSING, Field(examples=[False])] = (
        MISSING
    )
    """Whether the provider accepts SIP messages with a single Via header only."""
    status: ProviderStatus | MISSING = MISSING
