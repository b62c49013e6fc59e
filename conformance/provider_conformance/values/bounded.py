"""The contract seen through the plausible class: the same document with the bounds that D13 gives to what is sent."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from provider_conformance.contract import Level, load_contract
from provider_conformance.values.plausible import DOMAINS, LONGEST_TEXT, MOST_IPS, NETWORKS, Provider, Traits

if TYPE_CHECKING:
    from provider_conformance.jsontext import JsonValue

TEXT = {"minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"^[A-Za-z0-9._@+-]+( [A-Za-z0-9._@+-]+)*$"}
HOST = {"enum": [f"{label}.{domain}" for label in ("sip", "a1", "Trunk-9", "x.y") for domain in DOMAINS]}
PORT = {"minimum": 1, "maximum": 65535}
BOUNDS: dict[str, dict[str, Any]] = {
    "name": TEXT,
    "auth_id": TEXT,
    "password": TEXT,
    "hostname": HOST,
    "outbound_server": HOST,
    "port": PORT,
    "outbound_server_port": PORT,
    "reregister_interval": {"minimum": 30, "maximum": 86400},
    "ips": {
        "maxItems": MOST_IPS,
        "uniqueItems": True,
        "items": {"enum": [f"{network}.{last}" for network in NETWORKS for last in (1, 77, 128, 254)]},
    },
    "in_parameters": {"maxItems": 0},
    "out_parameters": {"maxItems": 0},
}


def bounded_contract(level: Level) -> dict[str, Any]:
    """Return the OpenAPI document with the bounds of plausible values on the properties of requests.

    What only a higher level than `level` requires of answers is not required.
    """
    document: dict[str, Any] = copy.deepcopy(dict(load_contract().document))
    schemas = document["components"]["schemas"]
    for name in ("ProviderCreate", "ProviderUpdate"):
        schema = schemas[name]
        for bounded, bounds in BOUNDS.items():
            if bounded in schema["properties"]:
                schema["properties"][bounded] = {"allOf": [schema["properties"][bounded]], **bounds}
        schema["additionalProperties"] = False
    for schema in schemas.values():
        if not level.includes(Level(schema.get("x-required-level", Level.CORE))):
            schema.pop("required", None)
    return document


def as_traits(body: Provider) -> Traits:
    """Read a generated body as traits, so that its name, auth_id, hostname and combination become plausible (D13).

    The generator takes 5060.0 for an integer, as JSON Schema does; how a number is spelt is free, so that a server
    may refuse that (D17).
    """
    addresses = body["ips"]
    assert isinstance(addresses, list)
    return Traits(
        name_tail=f" {body['name']}",
        auth_tail=str(body["auth_id"]),
        password=str(body["password"]),
        host=str(body["hostname"]).partition(".")[0],
        outbound_host=str(body["outbound_server"]).partition(".")[0],
        auth_mode=str(body["auth_mode"]),
        protocol=str(body["protocol"]),
        status=str(body["status"]),
        provider_in_lan=body["provider_in_lan"] is True,
        single_via_header=body["single_via_header"] is True,
        port=_integer(body["port"]),
        outbound_server_port=_integer(body["outbound_server_port"]),
        reregister_interval=_integer(body["reregister_interval"]),
        ips=len(addresses),
    )


def _integer(value: JsonValue) -> int:
    assert isinstance(value, int | float)
    return int(value)
