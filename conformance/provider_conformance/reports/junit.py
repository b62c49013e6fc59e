"""Renders a report as junit.xml, for CI servers.

Written with the standard library: the format is four elements, and what libraries for it leave to their
callers (characters that XML forbids, a case that shows the verdict) is what has to be right here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from provider_conformance.reports.blocks import block
from provider_conformance.reports.files import write_private
from provider_conformance.reports.inert import inert, inert_lines
from provider_conformance.verdict import ExitCode, Outcome, counting

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.verdict import Report, RequirementResult

FILE_NAME = "junit.xml"
SUITE = "provider-conformance"
VERDICT_CASE = "verdict"
NO_TIME = "0"
"""How long a requirement took is not known: its requests are shared with others, and sent in between theirs."""


def write(report: Report, directory: Path) -> Path:
    """Write junit.xml into a directory and return its path; raises OSError."""
    path = directory / FILE_NAME
    write_private(path, render(report))
    return path


def render(report: Report) -> bytes:
    """Return junit.xml as bytes: one case a requirement, and one that is green only beside exit code 0.

    CI servers count a skipped case as fine and an empty suite as green. The case `verdict` makes sure that
    nothing but the verdict conformant looks like one.
    """
    suite = ET.Element("testsuite", name=SUITE)
    _properties(suite, report)
    for result in _shown(report):
        _case(suite, result, report)
    _verdict_case(suite, report)
    totals = {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        # A clock that is set back during a run must not give a time that readers refuse.
        "time": f"{max(0.0, (report.finished - report.started).total_seconds()):.3f}",
    }
    skipped = str(len(suite.findall("testcase/skipped")))
    suite.attrib.update(totals, skipped=skipped, timestamp=report.started.isoformat(timespec="seconds"))
    # Jenkins validates, and allows the number of skipped cases in the suite but not here.
    root = ET.Element("testsuites", {"name": SUITE} | totals)
    root.append(suite)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _shown(report: Report) -> list[RequirementResult]:
    """Return what counts at the level, and defects wherever they are; advice is no test case."""
    counted = counting(report.results, report.level)
    return [r for r in report.results if r in counted or r.outcome is Outcome.ERROR]


def _properties(suite: ET.Element, report: Report) -> None:
    properties = ET.SubElement(suite, "properties")
    values = {
        "verdict": report.verdict.value,
        "level": report.level.value,
        "reached_level": report.reached_level.value if report.reached_level else "none",
        "seed": str(report.seed),
        "base_url": report.base_url,
        "tool_version": report.tool_version,
        "contract_version": report.contract_version,
        "catalogue_version": report.catalogue_version,
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=inert(value))


def _case(suite: ET.Element, result: RequirementResult, report: Report) -> None:
    requirement = result.requirement
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{SUITE}.{requirement.level.value}",
        name=inert(f"{requirement.id} {requirement.statement}"),
        time=NO_TIME,
    )
    match result.outcome:
        case Outcome.PASS:
            pass
        case Outcome.FAIL | Outcome.KNOWN:
            first = result.failures[0].summary if result.failures else result.reason or requirement.statement
            kind = "nonconformance" if result.outcome is Outcome.FAIL else "known nonconformance"
            element = ET.SubElement(case, "failure", message=inert(first), type=kind)
            element.text = inert_lines(_evidence(result, report))
        case Outcome.ERROR:
            element = ET.SubElement(case, "error", message=inert(result.reason), type="defect of the suite")
            element.text = inert_lines(result.reason)
        case Outcome.NOT_TESTED:
            reason = inert(f"not tested: {result.reason}")
            # Jenkins shows the attribute, GitLab the text.
            ET.SubElement(case, "skipped", message=reason).text = reason


def _evidence(result: RequirementResult, report: Report) -> str:
    lines = []
    for failure in result.failures:
        lines += [
            failure.summary,
            *(f"{line.label}: {line.text}" for line in block(result, failure, report.readings)),
            "",
        ]
    return "\n".join(lines)


def _verdict_case(suite: ET.Element, report: Report) -> None:
    # Readers take what stands before the last dot for a package, and file a class without one under no name.
    case = ET.SubElement(suite, "testcase", classname=f"{SUITE}.{VERDICT_CASE}", name=VERDICT_CASE, time=NO_TIME)
    text = f"{report.verdict.value} at level {report.level.value}"
    if report.diagnosis:
        text = f"{text}: {report.diagnosis}"
    if report.exit_code is ExitCode.NONCONFORMANT:
        ET.SubElement(case, "failure", message=inert(text), type="nonconformant").text = inert_lines(text)
    elif report.exit_code is not ExitCode.CONFORMANT:
        kind = "defect of the suite" if report.exit_code is ExitCode.DEFECT else "incomplete"
        ET.SubElement(case, "error", message=inert(text), type=kind).text = inert_lines(text)
    if report.advice:  # GitLab reads the output of cases only
        ET.SubElement(case, "system-out").text = inert_lines("\n".join(report.advice))
