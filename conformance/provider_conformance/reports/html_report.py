"""Renders a report as report.html: one page with everything in it, which fetches nothing and runs nothing of others.

What a server said is hostile until proven otherwise. Every text that the template prints is made inert and escaped, by
the environment and not by the template, so that no place of it can be forgotten; a policy in the page's head forbids
whatever is not the style and the script of this package.
"""

from __future__ import annotations

import base64
import hashlib
import math
import shlex
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined

from provider_conformance.about import EMBEDDED, tracker
from provider_conformance.contract import Level, Operation
from provider_conformance.reports.blocks import block
from provider_conformance.reports.figures import by_reason
from provider_conformance.reports.files import write_private
from provider_conformance.reports.inert import inert
from provider_conformance.reports.json_report import EVIDENCE, SECRET_OPTIONS
from provider_conformance.reports.latency_plot import PERCENTILES, plot
from provider_conformance.verdict import Outcome, counting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from provider_conformance.reports.blocks import Line
    from provider_conformance.verdict import Failure, Report, RequirementResult

FILE_NAME = "report.html"
TEMPLATE, STYLE, SCRIPT = "report.html.jinja", "report.css", "report.js"

OUTCOMES = {
    Outcome.PASS: ("✓", "passed"),
    Outcome.FAIL: ("✗", "failed"),
    Outcome.KNOWN: ("⊗", "known to fail"),
    Outcome.ERROR: ("!", "defect of the suite"),
    Outcome.NOT_TESTED: ("○", "not tested"),
}
"""The sign and the words of an outcome: its colour alone says nothing to many."""

EXACT = frozenset({"sent", "expected", "actual", "came", "differs"})
"""Lines of a failure that quote what was on the wire, where each character counts."""

WITHHELD = {"headers": "header", "proxy": "proxy"}
"""Options of which a report knows only that they were given, and their names on the command line."""

VALUE_WITHHELD = "…"
NARROWED = "plausible"
"""The setting that is a table of the configuration file, and no option."""


def write(report: Report, directory: Path) -> Path:
    """Write report.html into a directory and return its path; raises OSError."""
    path = directory / FILE_NAME
    write_private(path, render(report))
    return path


def render(report: Report) -> bytes:
    """Return report.html as bytes."""
    environment = Environment(
        autoescape=True,
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    counted = counting(report.results, report.level)
    style, script = _resource(STYLE), _resource(SCRIPT)
    page = environment.from_string(_resource(TEMPLATE)).render(
        report=report,
        style=style,
        script=script,
        policy=_policy(style, script),
        outcomes=OUTCOMES,
        exact=EXACT,
        totals=Counter(result.outcome for result in counted),
        occurring=Counter(result.outcome for result in report.results),
        failed=[result for result in counted if result.outcome in {Outcome.FAIL, Outcome.KNOWN}],
        duration=_duration((report.finished - report.started).total_seconds()),
        levels=[level for level in Level if any(r.requirement.level is level for r in report.results)],
        operations=[one for one in Operation if any(r.requirement.operation is one for r in report.results)],
        matrix=_matrix(report.results),
        plot=plot(report.statistics),
        percentiles=PERCENTILES,
        gaps=by_reason(result for result in counted if result.outcome is Outcome.NOT_TESTED),
        defects=by_reason(result for result in report.results if result.outcome is Outcome.ERROR),
        tracker=tracker(),
        evidence=EVIDENCE,
        command=command(report),
        narrowed=report.options.get(NARROWED) or (),
        told=lambda result, failure: _told(result, failure, report),
        milliseconds=_milliseconds,
    )
    return page.encode("utf-8")


def command(report: Report) -> str:
    """Return the command line of the run; the token is in no report, and is taken from the environment."""
    words = ["provider-conformance", "run"]
    if report.implementation != EMBEDDED:
        words.append(report.base_url)
    for name, value in {**report.options, "seed": report.seed}.items():
        if name in WITHHELD:
            words += _withheld(f"--{WITHHELD[name]}", value)
        elif name != NARROWED and name.replace("-", "_") not in SECRET_OPTIONS:
            words += _option(f"--{name.replace('_', '-')}", value)
    return shlex.join(words)


def _withheld(option: str, value: object) -> list[str]:
    """Return an option without its value, which may be a secret: a header keeps its name."""
    if isinstance(value, tuple):
        return [word for name in value for word in (option, f"{name}: {VALUE_WITHHELD}")]
    return [option, VALUE_WITHHELD] if value else []


def _option(option: str, value: object) -> list[str]:
    match value:
        case None | False:
            return []
        case True:
            return [option]
        case tuple():
            return [word for one in value for word in (option, str(one))]
        case float():
            return [option, str(int(value)) if value.is_integer() else str(value)]
        case _:
            return [option, str(value)]


def _printed(value: object) -> object:
    """Make every text inert that the template prints, but for what it declares to be markup."""
    return inert(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _policy(style: str, script: str) -> str:
    """Return a policy that lets nothing be loaded or run but this style and this script."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _resource(name: str) -> str:
    return files("provider_conformance.reports").joinpath(name).read_text("utf-8")


def _matrix(results: Iterable[RequirementResult]) -> Mapping[tuple[Operation, Level], list[RequirementResult]]:
    """Sort results into cells."""
    cells: dict[tuple[Operation, Level], list[RequirementResult]] = {}
    for result in results:
        cells.setdefault((result.requirement.operation, result.requirement.level), []).append(result)
    return cells


def _told(result: RequirementResult, failure: Failure, report: Report) -> tuple[Line, ...]:
    return block(result, failure, report.readings)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{seconds:.1f} s" if seconds < 60 else f"{minutes:,} min {rest} s"


def _milliseconds(value: float | None) -> str:
    return "—" if value is None or not math.isfinite(value) else f"{value:,.1f}"
