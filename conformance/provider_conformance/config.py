"""The settings of a run: one frozen object, put together from flags and environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from provider_conformance.contract import Level

DEFAULT_SEED = 20_260_101
DEFAULT_EXAMPLES = 30
DEFAULT_MAX_PROVIDERS = 8
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Config:
    """Settings of one certification run.

    `base_url` None means the embedded reference implementation; `max_time` and `timeout` are in seconds, the
    first for the whole run, the second for one exchange; `only` names requirement ids, operations or levels.
    """

    base_url: str | None = None
    token: str | None = field(default=None, repr=False)
    level: Level = Level.HARDENED
    seed: int = DEFAULT_SEED
    max_time: float | None = None
    only: tuple[str, ...] = ()
    max_providers: int = DEFAULT_MAX_PROVIDERS
    examples: int = DEFAULT_EXAMPLES
    timeout: float = DEFAULT_TIMEOUT
    report_dir: Path = Path("provider-conformance-report")


class UsageError(Exception):
    """A setting that cannot be used; the message says what to do instead."""
