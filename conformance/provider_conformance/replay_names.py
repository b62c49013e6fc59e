"""Gives the providers of a replay names of their own, as long as the recorded ones, which another run may bear now."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from provider_conformance.contract import Operation
from provider_conformance.values.plausible import NAME_PREFIX, RUN_OF_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from provider_conformance.record import Record

OWN = frozenset({"name", "authid", "hostname"})
"""Properties, without their underscores, that hold what tells the providers of one run from those of others."""

MOST_TRIES = 1000
"""Nonces that are tried, of which one in ten thousand or so is taken."""

_ADDRESS = re.compile(r"(?<![\w.])(\d+\.\d+\.\d+\.)(\d{1,3})(?![\w.])")
_OCTETS = {1: (1, 9), 2: (10, 99), 3: (100, 254)}
"""The last numbers of addresses by how many digits they have."""

_NONCE = re.compile(rf"{NAME_PREFIX}-([0-9]+)-".encode())


def nonces_of(record: Record) -> frozenset[str]:
    """Return the digits that told the names of a recorded run from those of others."""
    creates = (one.request.body or b"" for one in record.exchanges if one.operation == Operation.CREATE)
    return frozenset(nonce.decode() for body in creates for nonce in _NONCE.findall(body))


@dataclass(frozen=True)
class Renaming:
    """What becomes of names, and of what else tells a run by its nonce: `nonces` has a fresh one for each recorded.

    The same text always becomes the same, of the same length.
    """

    nonces: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """How all names begin that are given."""
        return tuple(f"{NAME_PREFIX}-{nonce}-" for nonce in self.nonces.values())

    def name(self, text: str) -> str:
        """Rename what is named like a provider of the recorded run."""
        return self._named.sub(self._fresh, text) if self.nonces else text

    def word(self, text: str) -> str:
        """Rename whatever bears the digits of a provider of the recorded run."""
        return self._numbered.sub(self._fresh, self.name(text)) if self.nonces else text

    def hostname(self, text: str) -> str:
        """Rename a hostname; one that is an address becomes another of the same network."""
        return _ADDRESS.sub(self._moved, text) if _ADDRESS.search(text) else self.word(text)

    def member(self, name: str, text: str) -> str:
        """Rename what is in the value of a property, whose own name is given without underscores."""
        if name == "hostname":
            return self.hostname(text)
        return self.word(text) if name in OWN else self.name(text)

    @cached_property
    def _named(self) -> re.Pattern[str]:
        return re.compile(rf"(?i:({NAME_PREFIX}-))({'|'.join(self.nonces)})(?!\d)")

    @cached_property
    def _numbered(self) -> re.Pattern[str]:
        return re.compile(rf"()({'|'.join(self.nonces)})(?=\d)")

    def _fresh(self, found: re.Match[str]) -> str:
        return found[1] + self.nonces[found[2]]

    def _moved(self, found: re.Match[str]) -> str:
        low, high = _OCTETS[len(found[2])]
        if not self.nonces or not low <= int(found[2]) <= high:
            return found[0]
        size = high - low + 1
        step = 1 + int(next(iter(self.nonces.values()))) % (size - 1)
        return f"{found[1]}{low + (int(found[2]) - low + step) % size}"


def renamings(recorded: Collection[str], names: Iterable[str]) -> Iterator[Renaming]:
    """Give one renaming after another, each with nonces that no recorded name, no name in use and no other has."""
    used = {*recorded, *(found.group().split("-")[1] for found in map(RUN_OF_NAME.match, names) if found)}
    while True:
        fresh = {nonce: _fresh_nonce(len(nonce), used) for nonce in sorted(recorded)}
        yield Renaming(fresh)


def _fresh_nonce(length: int, used: set[str]) -> str:
    tries = (f"{secrets.randbelow(10**length):0{length}d}" for _ in range(MOST_TRIES))
    nonce = next((one for one in tries if one not in used), "0" * length)
    used.add(nonce)
    return nonce
