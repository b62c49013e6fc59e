"""What a run leaves for judgement: every exchange and every claim, with no secret in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provider_conformance.verdict import Cleanup

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from provider_conformance.contract import Level
    from provider_conformance.exchange import Exchange
    from provider_conformance.judge import Problem

TOKEN = "masked-token-0"  # noqa: S105 - what stands for it
"""What stands for the valid token: with a digit, as tokens have it, so that it can be judged like one."""

OTHER_TOKEN = "masked-token-{number}-of-{length}"  # noqa: S105 - what stands for it
"""What stands for other tokens, which differ from the valid one: the first one has the number 1."""

Option = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True)
class Claim:
    """A judgement that was made: which rule, on which exchanges, with which data, for which requirement.

    With the exchanges at hand, `rule` judges the same again. `story` are the numbers of further exchanges that somebody
    who repeats the failure has to send first; an `excused` problem is nobody's: the target was gone by then.
    """

    requirement: str
    rule: str
    exchanges: tuple[int, ...]
    arguments: Mapping[str, object]
    problem: Problem | None
    story: tuple[int, ...] = ()
    excused: bool = False


@dataclass(frozen=True)
class Notes:
    """What else there is about one requirement: why it was not tested, defects of the suite, and accepted controls.

    `controls` are the numbers of their exchanges, one for each time that one counted.
    """

    gaps: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    controls: tuple[int, ...] = ()


@dataclass(frozen=True)
class Circumstances:
    """How the run was made, and how it ended; times in UTC, `token_length` in characters.

    `known` are requirements that were known to fail, with the reasons.
    """

    tool_version: str
    contract_version: str
    contract_sha256: str
    catalogue_version: str
    catalogue_sha256: str
    base_url: str
    level: Level
    seed: int
    options: Mapping[str, Option]
    selected: tuple[str, ...]
    started: datetime
    finished: datetime
    diagnosis: str
    token_length: int
    cleanup: Cleanup = field(default_factory=Cleanup)
    known: Mapping[str, str] = field(default_factory=dict)
    implementation: str = ""
    implementation_version: str = ""


@dataclass(frozen=True)
class Record:
    """Everything that a report is made from; secrets are replaced by placeholders, the same one for the same secret."""

    circumstances: Circumstances
    exchanges: tuple[Exchange, ...]
    claims: tuple[Claim, ...]
    notes: Mapping[str, Notes]
