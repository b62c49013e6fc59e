"""Tells one failure in full: the same lines in the terminal, in HTML, in JUnit and on GitHub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider_conformance.contract import Reading
    from provider_conformance.verdict import Failure, RequirementResult


@dataclass(frozen=True)
class Line:
    """One thing that there is to say about a failure: what it is, and the text.

    A command is to be copied whole; what is `shared` is said of the requirement, the same for each of its failures.
    """

    label: str
    text: str
    command: bool = False
    shared: bool = False


def block(result: RequirementResult, failure: Failure, readings: Iterable[Reading]) -> tuple[Line, ...]:
    """Return all there is to say about a failure but its summary, in the order in which an engineer asks for it."""
    requirement = result.requirement
    lines = [Line("required", f"an implementation {requirement.statement}", shared=True)]
    if failure.steps:
        lines.append(Line("sent", failure.steps[-1].sent))
    lines += [Line("expected", failure.expected), Line("actual", failure.actual)]
    if failure.steps:
        lines.append(Line("came", failure.steps[-1].came))
    lines += [Line("differs", f"{one.name}: expected {one.expected}, got {one.actual}") for one in failure.differences]
    if failure.hint:
        lines.append(Line("usual cause", failure.hint))
    if failure.alike:
        lines.append(Line("alike", f"{failure.alike} other {'input' if failure.alike == 1 else 'inputs'} failed alike"))
    lines.append(Line("source", requirement.source, shared=True))
    lines += [
        Line(f"read as {reading.id}", f"{reading.reading} (documented: {reading.documented})", shared=True)
        for reading in readings
        if reading.id in requirement.reading
    ]
    return (*lines, *(Line("repeat", command, command=True) for command in failure.curl))
