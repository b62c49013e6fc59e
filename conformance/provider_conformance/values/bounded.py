"""The contract seen through the plausible class: the same document with the bounds that D13 gives to what is sent."""

from __future__ import annotations

import copy
from typing import Any

from provider_conformance.contract import load_contract
from provider_conformance.values.plausible import LONGEST_TEXT, MOST_IPS

TEXT = {"minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"^[A-Za-z0-9._@+-]+( [A-Za-z0-9._@+-]+)*$"}
PORT = {"minimum": 1, "maximum": 65535}
BOUNDS: dict[str, dict[str, Any]] = {
    "name": TEXT,
    "auth_id": TEXT,
    "password": TEXT,
    "port": PORT,
    "outbound_server_port": PORT,
    "reregister_interval": {"minimum": 30, "maximum": 86400},
    "ips": {"maxItems": MOST_IPS},
    "in_parameters": {"maxItems": 0},
    "out_parameters": {"maxItems": 0},
}


def bounded_contract() -> dict[str, Any]:
    """Return the OpenAPI document with the bounds of plausible values on the properties of requests."""
    document: dict[str, Any] = copy.deepcopy(dict(load_contract().document))
    schemas = document["components"]["schemas"]
    for name in ("ProviderCreate", "ProviderUpdate"):
        properties = schemas[name]["properties"]
        for property_name, bounds in BOUNDS.items():
            if property_name in properties:
                properties[property_name] = {**properties[property_name], **bounds}
        schemas[name]["additionalProperties"] = False
    return document
