"""Reads the file that lists the systems of a fleet."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provider_conformance import settings
from provider_conformance.config import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS = frozenset({"name", "base-url", "token-env", "token-file", "settings"})
SHARED = frozenset({"token-env", "token-file", "settings"})
"""What can stand under [defaults]."""

RESERVED = frozenset({"base-url", "token", "token-file", "report-dir", "config", "format"})
"""Options of `run` that a fleet gives itself."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class FleetTarget:
    """One system: what it is called, where it is, its token, and options of `run` as a configuration file has them."""

    name: str
    base_url: str
    token: str = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host that the requests go to."""
        return urlsplit(self.base_url).hostname or ""


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
    names = [target.name.lower() for target in targets]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"{path} names the target {min(twice)} more than once")
    return targets


def _target(entry: Any, defaults: dict[str, Any], path: Path) -> FleetTarget:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise UsageError(f"{path}: each [[target]] needs a name of letters, digits and . _ -, 64 at most")
    where = f"{path}: target {name}"
    _check_keys(entry, KEYS, where)
    if not isinstance(entry.get("base-url"), str):
        raise UsageError(f"{where} needs a base-url")
    own = entry if entry.keys() & {"token-env", "token-file"} else defaults
    return FleetTarget(
        name,
        settings.base_url(entry["base-url"]),
        _token(own, where, path.parent),
        {**defaults.get("settings", {}), **entry.get("settings", {})},
    )


def _token(table: dict[str, Any], where: str, folder: Path) -> str:
    variable, file = table.get("token-env"), table.get("token-file")
    if (variable is None) == (file is None):
        raise UsageError(f"{where} needs either token-env, the name of a variable, or token-file")
    token = settings.token(
        None, str(folder / file) if file else None, {settings.TOKEN_VARIABLE: os.environ.get(variable or "", "")}
    )
    if not token:
        raise UsageError(f"{where}: the environment variable {variable} holds no token")
    return token


def _check_keys(table: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(table, dict) or not table.keys() <= known:
        raise UsageError(f"{where} may have {', '.join(sorted(known))}, and nothing else")
    options = table.get("settings", {})
    if not isinstance(options, dict) or options.keys() & RESERVED:
        raise UsageError(f"{where}: settings are options of `run`, without {', '.join(sorted(RESERVED))}")
    for key in ("token-env", "token-file"):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{where}: {key} is a text")
