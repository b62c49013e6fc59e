# Generated from openapi/openapi.yaml by datamodel-code-generator. Do not edit: change the contract, or the options in
# openapi/models.toml, and run `nox -s generate`.

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from .auth_mode import AuthMode
from .protocol import Protocol
from .provider_status import ProviderStatus


class ProviderCreate(BaseModel):
    """The complete settings of a new provider. Every property is required (D4); others are allowed (D19)."""

    model_config = ConfigDict(
        extra="allow",
        use_attribute_docstrings=True,
    )
    name: Annotated[StrictStr, Field(examples=["Example Telecom"])]
    """The name that operators know the provider by."""
    auth_mode: AuthMode
    protocol: Protocol
    hostname: Annotated[StrictStr, Field(examples=["sip.example.com"])]
    """Host name or IP address of the provider's SIP server, also called its registrar."""
    port: Annotated[StrictInt, Field(examples=[5060])]
    """The port of the provider's SIP server. No range is documented (D13)."""
    outbound_server: Annotated[StrictStr, Field(examples=["proxy.example.com"])]
    """Host name or IP address of the server that outgoing calls are sent to."""
    outbound_server_port: Annotated[StrictInt, Field(examples=[5060])]
    """The port of the outbound server. No range is documented (D13)."""
    require_register: Annotated[StrictBool, Field(examples=[True])]
    """Whether the PBX has to register with the provider. Plausibly true exactly with REGISTER_AUTH (D13)."""
    reregister_interval: Annotated[StrictInt, Field(examples=[3600])]
    """After how many seconds a registration is renewed. No range is documented (D13)."""
    auth_id: Annotated[StrictStr, Field(examples=["example-pbx"])]
    """The name that the PBX authenticates with, which is the SIP user name."""
    password: Annotated[StrictStr, Field(examples=["not-a-real-secret"], repr=False)]
    """The password that the PBX authenticates with. An answer may bear it, mask it with some string, or leave it out (D10)."""
    ips: Annotated[list[Any], Field(examples=[["192.0.2.10"]])]
    """The addresses that the provider's requests come from. Items are not documented (D8); plausibly they are IP addresses as strings, at least one with IP_AUTH (D13)."""
    provider_in_lan: Annotated[StrictBool, Field(examples=[False])]
    """Whether the provider is reached inside the local network."""
    single_via_header: Annotated[StrictBool, Field(examples=[False])]
    """Whether the provider accepts SIP messages with a single Via header only."""
    status: ProviderStatus
