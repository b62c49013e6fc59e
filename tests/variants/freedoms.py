"""Everything that the contract leaves to an implementation, as knobs; what they default to conforms at every level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

JSON = "application/json"


class Beyond(Enum):
    """What a page outside the list gives (D16)."""

    REFUSED = auto()
    EMPTY = auto()
    BARE = auto()
    """An object without `providers`."""
    NEAREST = auto()
    AROUND = auto()
    """As if the last page were followed by the first."""
    CORRECTED = auto()
    """The nearest, which is reported instead of the one that was asked for."""
    UNCOUNTED = auto()
    """No providers, and none counted."""
    WHOLE = auto()
    """All providers, whatever the page size."""
    TEXT = auto()
    """A sentence."""


class Unknown(Enum):
    """What becomes of undocumented properties in a request (D19)."""

    IGNORED = auto()
    REFUSED = auto()
    STORED = auto()


class Password(Enum):
    """How show and list give a password (D10)."""

    SHOWN = auto()
    STARS = auto()
    EMPTY = auto()
    RANDOM = auto()
    """Another mask every time."""
    ABSENT = auto()


class Listed(Enum):
    """What a listed provider bears (D5)."""

    EVERYTHING = auto()
    ID = auto()
    NAME = auto()
    """Id and name."""
    CHANGING = auto()
    """The id and a few other properties, seldom the same ones."""


class Order(Enum):
    """What the list is sorted by without being told."""

    OLDEST = auto()
    NEWEST = auto()
    NAME = auto()
    SCATTERED = auto()
    """By a hash of the id, as tables without an index come."""
    CHANGED = auto()
    """The one that was changed last comes first."""
    HASHED = auto()
    """By a table that grows and shrinks with what is in it."""


class Optional(Enum):
    """What sort_by=OPTIONAL gives (D14)."""

    REVERSED = auto()
    SHUFFLED = auto()
    """Another order with every request."""
    PARTIAL = auto()
    """Some are left out."""
    EMPTY = auto()


class Large(Enum):
    """What becomes of a page size that is larger than the largest (D16)."""

    SERVED = auto()
    REFUSED = auto()
    CAPPED = auto()


class Layout(Enum):
    """How JSON is written."""

    COMPACT = auto()
    INDENTED = auto()
    ESCAPED = auto()
    """Every character of every string as an escape, the names of properties included."""


class Paging(Enum):
    """What list says about its pages; anything but RIGHT is for level core only."""

    RIGHT = auto()
    WRONG = auto()
    ABSENT = auto()


class Malformed(Enum):
    """What a request gets that violates the docs; anything but REFUSED is for level core only."""

    REFUSED = auto()
    MADE_UP_FOR = auto()
    """What is missing or wrong becomes a default, or stays as it is."""
    SERVER_ERROR = auto()


class Unfound(Enum):
    """What update and destroy do about an id that names nothing; anything but REFUSED is for level core only."""

    REFUSED = auto()
    IGNORED = auto()
    CREATED = auto()
    """Update creates what it does not find."""


def ascending(start: int) -> Callable[[Random], Iterator[int]]:
    """Count ids up."""

    def ids(_: Random) -> Iterator[int]:
        number = start
        while True:
            yield number
            number += 1

    return ids


def descending(start: int) -> Callable[[Random], Iterator[int]]:
    """Count ids down."""

    def ids(_: Random) -> Iterator[int]:
        number = start
        while True:
            yield number
            number -= 1

    return ids


ids_from_one = ascending(1)


def drawn(smallest: int, largest: int) -> Callable[[Random], Iterator[int]]:
    """Draw ids at random, none twice."""

    def ids(random: Random) -> Iterator[int]:
        given: set[int] = set()
        while True:
            number = random.randint(smallest, largest)
            if number not in given:
                given.add(number)
                yield number

    return ids


@dataclass(frozen=True)
class Busy:
    """Every so many requests, one is answered with 429 or 503 instead (D18).

    `retry_after` is None, a number of seconds, or "date" for the time one second from now.
    """

    every: int
    status: int = 429
    retry_after: str | None = "1"


@dataclass(frozen=True)
class Lockout:
    """So many wrong tokens, and every request is answered like this for so many seconds from then on (D18)."""

    after: int
    status: int
    retry_after: str | None = None
    seconds: float = math.inf


@dataclass(frozen=True)
class Freedoms:
    """One way to make use of what the contract leaves free."""

    # Refusals (D11). Destroy's 400 is not free.
    refused: int = 400
    denied: int = 401
    unfound: int = 404
    error_type: str | None = JSON
    tells_names: bool = False
    """An update that is refused is told what the provider is called that it is about."""
    largest_body: int = 1_000_000

    # Freedoms in what is taken: D13, D17 and D19
    repeated: int | None = None
    """The status for a name, auth_id or hostname that another provider has."""
    cap: int | None = None
    """Most providers at a time, those of others not counted; one more is refused with 409."""
    choosy: bool = False
    """Values that are not plausible are refused."""
    unknown: Unknown = Unknown.IGNORED
    fractions_taken: bool = False
    """5.0 passes for an integer, 007 and %2B5 for a number in a query."""

    # Freedoms in what is given: D5, D9, D10, D12, D17 and D19
    ids: Callable[[Random], Iterator[int]] = ids_from_one
    created_whole: bool = False
    """Create answers with the whole provider instead of its id alone."""
    password: Password = Password.SHOWN
    own_status: bool = False
    """The status is what a registrar says, and changes all the time."""
    listed: Listed = Listed.EVERYTHING
    extras: bool = False
    """Answers bear undocumented properties of every kind."""
    unfriendly_extras: bool = False
    """Those of kinds, too, that are JSON, but more than many a parser takes."""
    fractions_given: bool = False
    """Integers are written as 5060.0."""
    json_type: str = JSON
    layout: Layout = Layout.COMPACT
    done: tuple[str | None, bytes] = (None, b"")
    """Content type and body of update's and destroy's 200."""

    # Freedoms of lists: D7, D14 and D16
    first_page: int = 1
    before: Beyond = Beyond.REFUSED
    past: Beyond = Beyond.EMPTY
    order: Order = Order.OLDEST
    optional: Optional = Optional.REVERSED
    optional_spelt: bool = False
    """sort_by=Optional is taken."""
    largest_page: int = 1000
    large: Large = Large.SERVED

    # Freedoms of time and patience: D18
    pauses: tuple[float, float] = (0.0, 0.0)
    """The shortest and the longest time that an answer takes."""
    pause_every: int = 1
    busy: tuple[Busy, ...] = ()
    at_once: int | None = None
    """More requests than that at the same time are answered with 429."""
    lockout: Lockout | None = None

    # Others
    foreign: int = 0
    """How many providers of others there are."""
    foreign_prefix: str = "Office"
    """What most of their names start with."""
    restless: bool = False
    """They come and go."""

    # What only core allows
    paging: Paging = Paging.RIGHT
    malformed: Malformed = Malformed.REFUSED
    missing: Unfound = Unfound.REFUSED
    unfound_body: bytes | None = None
    """What show gives with 200 for an id that names nothing, instead of refusing."""
    any_number: bool = False
    """Whatever Python takes for an integer is one in a query."""
