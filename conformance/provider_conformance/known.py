"""Known failures: requirements that a vendor knows not to hold yet, each with a reason and perhaps an end."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provider_conformance.config import UsageError
from provider_conformance.contract import load_catalogue
from provider_conformance.settings import read_toml
from provider_conformance.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from provider_conformance.verdict import RequirementResult

KEYS = frozenset({"reason", "expires"})


def read(path: Path, today: datetime.date) -> dict[str, str]:
    """Read a file of known failures: a table a requirement, with `reason` and perhaps `expires`; return the reasons.

    Raises UsageError for what is no such file, for an id that there is not, and for an entry that has expired.
    """
    document = read_toml(path)
    catalogue = load_catalogue()
    unknown = [name for name in document if name not in catalogue]
    if unknown:
        raise UsageError(f"{path} lists {', '.join(unknown)}, and there is no such requirement; remove the entry")
    return {name: _reason(name, entry, path, today) for name, entry in document.items()}


def _reason(name: str, entry: Any, path: Path, today: datetime.date) -> str:
    if not isinstance(entry, dict) or not set(entry) <= KEYS:
        raise UsageError(f"{path}: [{name}] may have reason and expires, and nothing else")
    reason, expires = entry.get("reason"), entry.get("expires")
    if not isinstance(reason, str) or not reason.strip():
        raise UsageError(f'{path}: [{name}] needs a reason = "…"')
    if expires is None:
        return reason
    if not isinstance(expires, datetime.date) or isinstance(expires, datetime.datetime):
        raise UsageError(f"{path}: [{name}] expires on a date, such as 2027-01-31")
    if expires < today:
        raise UsageError(f"{path}: [{name}] has expired on {expires}: mend it, or give it another date")
    return f"{reason} (until {expires})"


def applied(
    results: Iterable[RequirementResult], known: Mapping[str, str]
) -> tuple[tuple[RequirementResult, ...], tuple[str, ...]]:
    """Mark failures that are known, and tell of entries that are stale: what they list holds now."""
    marked, stale = [], []
    for result in results:
        name = result.requirement.id
        if name in known and result.outcome is Outcome.FAIL:
            marked.append(replace(result, outcome=Outcome.KNOWN, reason=known[name]))
            continue
        if name in known and result.outcome is Outcome.PASS:
            stale.append(f"{name} is listed as known to fail, and holds now: remove the entry [{name}]")
        marked.append(result)
    return tuple(marked), tuple(stale)


def written(results: Iterable[RequirementResult], today: datetime.date) -> str:
    """Return a file of known failures that lists all that fail now, for a vendor to fix one after another."""
    entries = [
        f"[{result.requirement.id}]\nreason = {_text(f'in the baseline of {today}: {result.failures[0].summary}')}\n"
        for result in results
        if result.outcome in {Outcome.FAIL, Outcome.KNOWN} and result.failures
    ]
    head = (
        "# Requirements that are known not to hold yet. An entry that holds, or whose date has passed, is an error.\n"
    )
    return "\n".join([head, *entries])


def _text(text: str) -> str:
    """Write text as a basic string of TOML, which is one of JSON in ASCII but for what stands for half a character."""
    return json.dumps(text.encode("utf-8", "backslashreplace").decode("utf-8"), ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )
