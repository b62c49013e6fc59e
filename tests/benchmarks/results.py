"""What benchmarks find, and the page docs/performance.md that shows it.

A benchmark is a file `bench_*.py` in this folder. Its tests measure something, and hand a `Row` each to the fixture
`contribute`; `nox -s bench` writes all rows into the page.
"""

from __future__ import annotations

import os
import platform
import re
import textwrap
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PLACE = re.compile(r"(?<=<!-- benchmarks -->\n\n).*?(?=\n\n<!-- end of benchmarks -->)", re.DOTALL)


@dataclass(frozen=True)
class Benchmark:
    """A comparison: `about` says in a sentence what is measured; `packages` are those whose versions matter."""

    title: str
    about: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One way of doing it, and how long it took each time; the first row of a benchmark is what others stand beside.

    `seconds` are those of the processor, so that other processes on the machine count as little as possible.
    """

    benchmark: Benchmark
    subject: str
    seconds: tuple[float, ...]

    @property
    def typical(self) -> float:
        """The median, in seconds: the best of times may be one that the garbage collector was not called in."""
        return median(self.seconds)


def machine() -> str:
    """Describe where this runs: processor, cores, system and Python."""
    names = re.findall(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    processor = names[0] if names else platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores; {platform.system()}; {python}"


def table(rows: Sequence[Row]) -> str:
    """Give the rows of one benchmark as a Markdown table, with ratios to the first."""
    first = rows[0]
    lines = [f"| | median | best | times | beside {first.subject} |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {row.subject} | {_shown(row.typical)} | {_shown(min(row.seconds))} | {len(row.seconds)} "
        f"| {row.typical / first.typical:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def report(rows: Sequence[Row]) -> str:
    """Give all rows as Markdown: the machine, then a section for each benchmark, in the order of the rows."""
    sections = [f"Measured on: {machine()}."]
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        versions = ", ".join(f"{package} {metadata.version(package)}" for package in benchmark.packages)
        sections += [f"## {benchmark.title}", _paragraph(f"{benchmark.about} With {versions}.")]
        sections.append(table([row for row in rows if row.benchmark == benchmark]))
    return "\n\n".join(sections)


def pasted(page: str, content: str) -> str:
    """Return the text of the page with other results; raises ValueError when it has no place for them."""
    text, places = PLACE.subn(lambda _: content, page)
    if places != 1:
        raise ValueError("the page has no lines <!-- benchmarks --> and <!-- end of benchmarks --> to write between")
    return text


def write(rows: Sequence[Row]) -> None:
    """Put all rows into docs/performance.md, in place of what was there."""
    PAGE.write_text(pasted(PAGE.read_text("utf-8"), report(rows)), "utf-8")


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
