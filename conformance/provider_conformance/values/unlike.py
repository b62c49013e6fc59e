"""Traits of providers that are as unlike the typical one, and each other, as plausible providers can be."""

from __future__ import annotations

from dataclasses import replace

from provider_conformance.values.plausible import TYPICAL, Traits

OTHERWISE = Traits(
    name_tail=" other",
    auth_tail="other",
    password="Other-Secret-2",
    host="gateway",
    outbound_host="border",
    protocol="TCP",
    status="ONLINE",
    provider_in_lan=True,
    single_via_header=True,
    port=5080,
    outbound_server_port=5090,
    reregister_interval=1800,
    ips=2,
)
"""Traits that differ from the typical ones, and from what a server may fall back to, wherever a change can show."""

PLAIN_BY_ADDRESS = Traits(auth_mode="IP_AUTH", ips=1)
ALL_ON = Traits(
    protocol="TCP",
    status="ONLINE",
    provider_in_lan=True,
    single_via_header=True,
    port=5082,
    reregister_interval=900,
    ips=3,
)
ALL_ON_BY_ADDRESS = replace(ALL_ON, auth_mode="IP_AUTH")

CREATED_FROM = (PLAIN_BY_ADDRESS, TYPICAL, ALL_ON_BY_ADDRESS)
UPDATED_FROM = (ALL_ON_BY_ADDRESS, ALL_ON, PLAIN_BY_ADDRESS)
"""Traits of bodies that something is wrong with, beside the usual ones; the first have the opposite of these."""
