"""The settings of a run: one frozen object, put together from flags and environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from provider_conformance.contract import Level
from provider_conformance.values.narrowing import Plausible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider_conformance.exchange import Headers

DEFAULT_SEED = 20_260_101
DEFAULT_EXAMPLES = 24
DEFAULT_MAX_PROVIDERS = 8
DEFAULT_TIMEOUT = 10.0
DEFAULT_WORKERS = 1
MOST_WORKERS = 64
DEFAULT_MAX_TIME = 7200.0


@dataclass(frozen=True)
class Config:
    """Settings of one certification run.

    `base_url` None means the embedded reference implementation; `max_time` and `timeout` are in seconds, the
    first for the whole run, the second for one exchange; `rate` is requests a second, None for no limit; `workers` is
    how many requests are under way at a time, but for those that overlap on purpose; `only` names requirement ids,
    operations or levels; `headers` go with every request; `proxy` is a URL, "" for none, and None
    for what the environment says; `cacert`, `cert` and `key` are files in PEM.
    """

    base_url: str | None = None
    token: str | None = field(default=None, repr=False)
    level: Level = Level.HARDENED
    seed: int = DEFAULT_SEED
    max_time: float | None = DEFAULT_MAX_TIME
    only: tuple[str, ...] = ()
    max_providers: int = DEFAULT_MAX_PROVIDERS
    examples: int = DEFAULT_EXAMPLES
    timeout: float = DEFAULT_TIMEOUT
    rate: float | None = None
    workers: int = DEFAULT_WORKERS
    headers: Headers = ()
    proxy: str | None = field(default=None, repr=False)
    cacert: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    read_only: bool = False
    known: Mapping[str, str] = field(default_factory=dict)
    baseline: Path | None = None
    har: bool = False
    implementation: str = ""
    implementation_version: str = ""
    plausible: Plausible = field(default_factory=Plausible)
    report_dir: Path = Path("provider-conformance-report")


class UsageError(Exception):
    """A setting that cannot be used; the message says what to do instead."""
