"""Providers of others, as an old system holds them: some ordinary, some that no client of the docs could have sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from variants.checks import DEFAULTS

if TYPE_CHECKING:
    from random import Random

ODD: list[dict[str, Any]] = [
    dict.fromkeys(DEFAULTS),
    {"name": 4711, "hostname": 10, "port": "5060", "ips": "10.0.0.1"},
    {},
    {"name": ""},
    {"name": {"de": "Büro", "en": "office"}, "status": "UNREGISTERED", "auth_mode": "NONE", "protocol": "tls"},
    {"port": -1, "outbound_server_port": 2**80, "reregister_interval": 0.5, "require_register": "yes"},
    {"ips": [None, 1, {"ip": None}], "in_parameters": {"a": []}, "out_parameters": None, "password": None},
    {"name": "x" * 20_000, "auth_id": "\u202e\x00\x7f'; DROP TABLE providers; --", "password": ["a", "b"]},
    {"name": "\U0001f4de e\u0301\ud83d", "hostname": "\ufeff", "status": None},
    {"name": True, "provider_in_lan": 1, "single_via_header": 0, "protocol": ["UDP", "TCP"]},
]


def foreign_provider(number: int, prefix: str, random: Random) -> dict[str, Any]:
    """Return the content of the n-th provider of others; every fourth is odd, some share a name."""
    ordinary = DEFAULTS | {
        "name": f"{prefix} {number // 2}",
        "hostname": f"pbx{number}.example.org",
        "auth_id": str(1000 + number),
        "password": f"foreign-{random.getrandbits(32):x}",
        "outbound_server": "192.0.2.77",
        "ips": ["198.51.100.1"],
    }
    if number % 4 == 1:
        return (ordinary if number % 8 == 1 else {}) | ODD[number // 4 % len(ODD)]
    return ordinary
