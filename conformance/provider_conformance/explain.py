"""Puts the catalogue of requirements into words for people at a terminal."""

from __future__ import annotations

import ast
import difflib
import textwrap
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from provider_conformance.config import UsageError
from provider_conformance.contract import CONTRACT_FILE, ContractNotFoundError
from provider_conformance.reports.inert import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provider_conformance.contract import Catalogue, Reading, Requirement

WIDTH = 100
LABEL_WIDTH = 11
MARKER = "requirement"


def listing(requirements: Iterable[Requirement]) -> str:
    """Return one line a requirement: id, level, operation, statement."""
    return "".join(f"{r.id:<11}{r.level.value:<10}{r.operation.value:<9}{r.statement}\n" for r in requirements)


def find(name: str, catalogue: Catalogue) -> Requirement:
    """Return the requirement of that id, in any letter case."""
    if name.upper() in catalogue:
        return catalogue[name.upper()]
    ids = [requirement.id for requirement in catalogue]
    close = difflib.get_close_matches(name.upper(), ids, n=5)
    hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(ids)}"
    raise UsageError(f"there is no requirement {inert(name, 80)!r}; {hint}")


def explanation(requirement: Requirement, readings: Iterable[Reading]) -> str:
    """Return everything that is known about a requirement."""
    by_id = {reading.id: reading for reading in readings}
    lines = [f"{requirement.id} ({requirement.level.value})", ""]
    lines += [*_wrapped(f"An implementation {requirement.statement}."), ""]
    lines += _entry("operation", requirement.operation.value)
    lines += _entry("source", requirement.source)
    lines += _entry("since", f"catalogue {requirement.since}")
    lines += _entry("covers", ", ".join(requirement.covers) or "no single part of the contract")
    tests = list(find_tests(requirement.id))
    lines.append(f"{'tests':{LABEL_WIDTH}}{f'in {suite_folder()}' if tests else 'none yet'}")
    lines += [f"{'':{LABEL_WIDTH}}{test}" for test in tests]
    for reading_id in requirement.reading:
        reading = by_id[reading_id]
        lines += ["", f"{reading.id} documented"]
        lines += [*_wrapped(reading.documented, "    "), f"{' ' * len(reading.id)} read as"]
        lines += _wrapped(reading.reading, "    ")
    return "\n".join(lines) + "\n"


def find_tests(requirement_id: str) -> Iterator[str]:
    """Find the tests marked with a requirement, by reading the suite rather than by importing it."""
    for path in sorted(suite_folder().glob("test_*.py")):
        module = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and requirement_id in _marks(node):
                yield f"{path.name}:{node.lineno} {node.name}"


def suite_folder() -> Path:
    """Return where the tests of the requirements are."""
    return Path(str(resources.files("provider_conformance") / "suite"))


def contract_path() -> Path:
    """Return where the contract is: in the installed package, or in the checkout around it."""
    package = Path(str(resources.files("provider_conformance")))
    candidates = (package / "openapi" / CONTRACT_FILE, package.parents[1] / "openapi" / CONTRACT_FILE)
    for path in candidates:
        if path.is_file():
            return path
    raise ContractNotFoundError(f"{CONTRACT_FILE} is neither in the package nor in a checkout around it")


def _marks(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """Return the ids that the decorators `requirement(…)` of a test name."""
    marks: set[str] = set()
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == MARKER:
            strings = (n.value for n in ast.walk(decorator) if isinstance(n, ast.Constant))
            marks.update(value for value in strings if isinstance(value, str))
    return marks


def _entry(label: str, text: str) -> list[str]:
    wrapped = _wrapped(text, " " * LABEL_WIDTH)
    return [f"{label:<{LABEL_WIDTH}}{wrapped[0].strip()}", *wrapped[1:]]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
