"""Reads the file that lists the systems of a fleet."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provider_conformance import settings
from provider_conformance.config import UsageError
from provider_conformance.contract import Level, load_catalogue
from provider_conformance.options import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS = frozenset({"name", "base-url", "token-env", "token-file", "settings"})
SHARED = frozenset({"token-env", "token-file", "settings"})
"""What can stand under [defaults]."""

RESERVED = frozenset({"base-url", "token", "token-file", "report-dir", "config", "format"})
"""Options of `run` that a fleet gives itself."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
OF_THE_FLEET = re.compile(r"(fleet|leaderboard)\..*", re.IGNORECASE)
"""Names of files that the fleet writes beside the folders, which bear the names of the systems."""

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class FleetTarget:
    """One system: what it is called, where it is, its token, and options of `run` as a configuration file has them."""

    name: str
    base_url: str
    token: str = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        """The host that the requests go to."""
        return (urlsplit(self.base_url).hostname or "").rstrip(".")

    @property
    def system(self) -> str:
        """What is the same for all targets that are one system, however their base URLs are spelt."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{self.host}:{parts.port or PORTS[parts.scheme]}{parts.path}"


def read_fleet(path: Path) -> tuple[FleetTarget, ...]:
    """Read a file of targets, tokens included, which it only refers to; raises UsageError."""
    document = settings.read_toml(path)
    if unknown := document.keys() - {"defaults", "target"}:
        raise UsageError(f"{path} has {min(unknown)!r}; it may have [defaults] and [[target]]")
    defaults, entries = document.get("defaults", {}), document.get("target", [])
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{path} lists no [[target]]")
    _check_keys(defaults, SHARED, f"{path}: [defaults]")
    targets = tuple(_target(entry, defaults, path) for entry in entries)
    times = Counter(target.name.lower() for target in targets)
    if twice := [name for name, count in times.items() if count > 1]:
        raise UsageError(f"{path} names the target {min(twice)} more than once")
    return targets


def _target(entry: Any, defaults: dict[str, Any], path: Path) -> FleetTarget:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UsageError(f"{path}: each [[target]] needs a name of letters, digits and . _ -, 64 at most")
    if OF_THE_FLEET.fullmatch(name):
        raise UsageError(f"{path}: a target cannot be called {name}, as a file of the fleet is")
    where = f"{path}: target {name}"
    _check_keys(entry, KEYS, where)
    if not isinstance(entry.get("base-url"), str):
        raise UsageError(f"{where} needs a base-url")
    own = entry if entry.keys() & {"token-env", "token-file"} else defaults
    options = {**defaults.get("settings", {}), **entry.get("settings", {})}
    try:
        return FleetTarget(
            name,
            settings.base_url(entry["base-url"]),
            _token(own, path.parent),
            _settings(options, path.parent),
        )
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _token(table: dict[str, Any], folder: Path) -> str:
    variable, file = table.get("token-env"), table.get("token-file")
    if (variable is None) == (file is None):
        raise UsageError("it needs either token-env, the name of a variable, or token-file")
    if file is not None:
        # With its folder: a name alone might be the one that stands for standard input.
        return settings.token(None, str(folder.absolute() / file), {}) or ""
    token = os.environ.get(variable or "")
    if not token:
        raise UsageError(f"the environment variable {variable!r} holds no token")
    return settings.checked_token(token, f"the variable {variable}")


def _settings(options: dict[str, Any], folder: Path) -> Mapping[str, Any]:
    """Check options of `run` before anything is done; paths are meant from the folder of the file."""
    from provider_conformance.cli import run_command  # noqa: PLC0415 - that imports the command of fleets

    found = checked(options, run_command, folder)
    settings.selection(found.get("only", ()), load_catalogue(), Level(found.get("level", Level.HARDENED)))
    try:
        json.dumps(found)
    except TypeError as error:  # TOML knows dates
        raise UsageError("settings hold a date or a time, which no option takes; write it as a text") from error
    return found


def _check_keys(table: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(table, dict) or not table.keys() <= known:
        raise UsageError(f"{where} may have {', '.join(sorted(known))}, and nothing else")
    options = table.get("settings", {})
    if isinstance(options, dict) and "baseline" in options:
        raise UsageError(f"{where}: a fleet has no baseline, which one run writes; give known-failures instead")
    if not isinstance(options, dict) or options.keys() & RESERVED:
        raise UsageError(f"{where}: settings are options of `run`, without {', '.join(sorted(RESERVED))}")
    for key in ("token-env", "token-file"):
        if not isinstance(table.get(key, ""), str) or "\0" in table.get(key, ""):
            raise UsageError(f"{where}: {key} is a text")
