"""Shows a fleet side by side: a page that needs nothing else, and an index for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from provider_conformance import __version__
from provider_conformance.config import UsageError
from provider_conformance.contract import Level, load_catalogue, load_contract
from provider_conformance.fleet.conduct import outcome_of
from provider_conformance.reports.files import write_private
from provider_conformance.reports.inert import inert
from provider_conformance.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from provider_conformance.fleet.task import FleetResult

INDEX, PAGE = "fleet.json", "leaderboard.html"
ORDER = (Verdict.CONFORMANT, Verdict.INCOMPLETE, Verdict.NONCONFORMANT)
FAILED = frozenset({"fail", "known"})
SIGNS = {"pass": "✓", "fail": "✗", "known": "✗", "not_tested": "·", "error": "!"}


def read_index(folder: Path) -> Mapping[str, FleetResult]:
    """Return the outcomes of the last fleet in a folder by name, none where there was none; raises UsageError."""
    try:
        document = json.loads((folder / INDEX).read_bytes())
        entries = [{key: value for key, value in entry.items() if key != "report"} for entry in document["targets"]]
        return {entry["name"]: outcome_of(entry) for entry in entries}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder / INDEX} is no index of a fleet; move it away, or name another directory") from error


def write_index(outcomes: Sequence[FleetResult], folder: Path) -> None:
    """Write what came out as JSON; raises OSError."""
    contract, catalogue = load_contract(), load_catalogue()
    document = {
        "tool": {"version": __version__},
        "contract": {"version": contract.version, "sha256": contract.sha256},
        "catalogue": {"version": catalogue.version, "sha256": catalogue.sha256},
        "targets": [
            {**asdict(outcome), "report": f"{outcome.name}/report.json" if outcome.requirements else None}
            for outcome in ranked(outcomes)
        ],
    }
    write_private(folder / INDEX, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


def write_page(outcomes: Sequence[FleetResult], before: Mapping[str, FleetResult], folder: Path) -> None:
    """Write the leaderboard; raises OSError."""
    environment = Environment(
        autoescape=True, finalize=_printed, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = files("provider_conformance.fleet").joinpath("leaderboard.html.jinja").read_text("utf-8")
    page = environment.from_string(template).render(
        outcomes=ranked(outcomes),
        requirements=[one for one in load_catalogue() if one.level is not Level.ADVICE],
        signs=SIGNS,
        counts={verdict: sum(one.verdict is verdict for one in outcomes) for verdict in ORDER},
        trend=lambda outcome: trend(before.get(outcome.name), outcome),
        failed=lambda outcome: len(failing(outcome)),
    )
    write_private(folder / PAGE, page.encode())


def _printed(value: object) -> object:
    return inert(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def ranked(outcomes: Sequence[FleetResult]) -> list[FleetResult]:
    """Return the best first: by verdict, by how many requirements fail, by name."""
    return sorted(outcomes, key=lambda one: (ORDER.index(one.verdict), len(failing(one)), one.name))


def failing(outcome: FleetResult) -> set[str]:
    """Return the requirements that fail."""
    return {name for name, result in outcome.requirements.items() if result in FAILED}


def trend(before: FleetResult | None, now: FleetResult) -> str:
    """Tell in a few words how an implementation has changed since the last fleet.

    What was not tested, be it that nobody answered, is neither worse nor better than anything.
    """
    if before is None:
        return "new"
    worse = {one for one in failing(now) - failing(before) if before.requirements.get(one) == "pass"}
    untold = failing(now) - failing(before) - worse
    better = {one for one in failing(before) if now.requirements.get(one) == "pass"}
    told = [
        f"{what}: {', '.join(sorted(which))}"
        for what, which in (("worse", worse), ("not tested before", untold), ("better", better))
        if which
    ]
    if not told and before.verdict is not now.verdict:
        return f"was {before.verdict}"
    return "; ".join(told) or "as before"
