"""Write docs/readings.md, how the documentation is read, from the contract and the catalogue.

With `--check` it writes nothing, and exits with 1 and a diff if the page is stale. `nox -s generate` calls it.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from provider_conformance.contract import Contract, Level, load_catalogue, load_contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provider_conformance.contract import Catalogue, Reading, Requirement

PAGE = Path(__file__).resolve().parent.parent / "docs" / "readings.md"
WIDTH = 120

HEAD = """\
# How the documentation is read

<!-- Generated from openapi/openapi.yaml and openapi/requirements.yaml by tools/write_readings.py. Do not edit. -->

The documentation of the API contradicts itself in places and is silent in others. This page holds every decision that
was taken there, and the requirements that rest on it: whoever disputes a verdict looks here first. If a reading is
wrong, [say so](false-accusations.md).

What the documentation states in words goes before its schema lists, these before its samples, and samples before what
can only be inferred."""


def page(contract: Contract, catalogue: Catalogue) -> str:
    """Return the page: each reading with what rests on it, then each requirement with what it rests on."""
    origin = f"Contract {contract.version}, catalogue {catalogue.version}."
    sections = [HEAD, origin]
    for reading in contract.readings:
        sections += _section(reading, catalogue)
    sections += ["## By requirement", "\n".join(_table(catalogue))]
    return "\n\n".join(sections) + "\n"


def _section(reading: Reading, catalogue: Catalogue) -> Iterator[str]:
    resting = [requirement for requirement in catalogue if reading.id in requirement.reading]
    yield f"## {reading.id}"
    yield _paragraph(f"*Documented:* {_escaped(reading.documented)}")
    yield _paragraph(f"*Read as:* {_escaped(reading.reading)}")
    yield _paragraph(f"*Rests on it:* {'; '.join(_by_level(resting)) or 'no requirement'}.")


def _by_level(requirements: Iterable[Requirement]) -> Iterator[str]:
    """Name requirements after their levels, those of most consequence first."""
    chosen = list(requirements)
    for level in Level:
        if ids := [requirement.id for requirement in chosen if requirement.level is level]:
            yield f"{level.value} {', '.join(ids)}"


def _table(catalogue: Catalogue) -> Iterator[str]:
    yield "| requirement | level | an implementation … | rests on |"
    yield "|---|---|---|---|"
    for requirement in catalogue:
        readings = ", ".join(f"[{name}](#{name.lower()})" for name in requirement.reading)
        yield f"| {requirement.id} | {requirement.level.value} | {requirement.statement} | {readings or 'no reading'} |"


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _escaped(text: str) -> str:
    """Keep Markdown from taking what is quoted for markup."""
    return re.sub(r"([\\`*<\[|])", r"\\\1", text)


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or compare it; return the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/readings.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 with a diff if the page is stale")
    wanted = page(load_contract(), load_catalogue())
    if not parser.parse_args(arguments).check:
        PAGE.write_text(wanted, "utf-8")
        return 0
    found = PAGE.read_text("utf-8") if PAGE.exists() else ""
    name = f"docs/{PAGE.name}"
    diff = difflib.unified_diff(found.splitlines(keepends=True), wanted.splitlines(keepends=True), name, f"{name}, new")
    sys.stdout.writelines(diff)
    return int(found != wanted)


if __name__ == "__main__":
    sys.exit(main())
