"""Narrows the plausible values to what one vendor's system takes: hosts that it can resolve, ports that it allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Interval, Le, Predicate

SPECIAL = " .-_@+"
SHORTEST_LIMIT = 24
"""Characters that names need at least, to tell whose they are."""


def _in_order(bounds: tuple[int, int]) -> bool:
    return bounds[0] <= bounds[1]


def _has_hyphen(characters: str) -> bool:
    return "-" in characters and set(characters) <= set(SPECIAL)


def _is_network(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){2}", text) is not None


Network = Annotated[str, Predicate(_is_network)]
Port = Annotated[int, Ge(1), Le(65535)]
Seconds = Annotated[int, Ge(1), Le(2**31 - 1)]


@dataclass(frozen=True)
class Plausible:
    """What an operator of the system under test may send; the defaults narrow nothing.

    `domains` take the place of the example domains; `networks`, as the first three numbers of addresses, that of the
    documentation networks; `ports` and `intervals` (seconds) are the lowest and the highest; `characters` are those of
    `. - _ @ +` and the blank that text may have; `longest_text` counts characters, `most_ips` addresses;
    `in_parameters` and `out_parameters` are what an item of each may be (D8).
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    domains: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: Annotated[tuple[Port, Port], Predicate(_in_order)] = (1, 65535)
    intervals: Annotated[tuple[Seconds, Seconds], Predicate(_in_order)] = (30, 86400)
    characters: Annotated[str, Predicate(_has_hyphen)] = SPECIAL
    longest_text: Annotated[int, Interval(ge=SHORTEST_LIMIT, le=64)] = 64
    most_ips: Annotated[int, Interval(ge=1, le=8)] = 8
    in_parameters: tuple[Any, ...] = ()
    out_parameters: tuple[Any, ...] = ()

    def port(self, port: int) -> int:
        """Return a port within bounds, the same where it is."""
        return _within(port, self.ports)

    def interval(self, seconds: int) -> int:
        """Return an interval within bounds, the same where it is."""
        return _within(seconds, self.intervals)

    def text(self, text: str, used: int = 0) -> str:
        """Return text of the characters that are taken, cut where it and `used` characters more would be too long."""
        taken = "".join(letter for letter in text if letter.isalnum() or letter in self.characters)
        return re.sub(" +", " ", taken)[: self.longest_text - used].rstrip()

    def host(self, host: str) -> str:
        """Return a host below a domain, or an address of a network, that is taken."""
        if host.replace(".", "").isdigit():
            return self.address(host)
        if not self.domains:
            return host
        label = host.partition(".")[0]
        return f"{label}.{self.domains[sum(host.encode()) % len(self.domains)]}"

    def address(self, address: str) -> str:
        """Return an address of a network that is taken."""
        if not self.networks:
            return address
        network, _, last = address.rpartition(".")
        return f"{self.networks[sum(network.encode()) % len(self.networks)]}.{last}"


def _within(value: int, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return value if low <= value <= high else low + value % (high - low + 1)
