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
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PLACE = re.compile(r"(?<=<!-- benchmarks -->\n\n).*?(?=\n\n<!-- end of benchmarks -->)", re.DOTALL)


@dataclass(frozen=True)
class Benchmark:
    """A comparison: `about` says what is measured; `packages` are those whose versions matter.

    Rows stand beside the first `by` the time that they take, or by the rate of their exchanges.
    """

    title: str
    about: str
    packages: tuple[str, ...] = ()
    by: Literal["time", "rate"] = "time"


@dataclass(frozen=True)
class Row:
    """One way of doing it, and how long it took each time; the first row of a benchmark is what others stand beside.

    `seconds` are those of the processor wherever that does all the work, so that other processes on the machine count
    as little as possible, and by the clock where somebody waits. `exchanges` are how many there were each time, if any.
    """

    benchmark: Benchmark
    subject: str
    seconds: tuple[float, ...]
    exchanges: tuple[int, ...] = ()

    @property
    def typical(self) -> float:
        """The median, in seconds: the best of times may be one that the garbage collector was not called in."""
        return median(self.seconds)

    @property
    def rate(self) -> float:
        """The median of the exchanges a second."""
        return median(count / seconds for count, seconds in zip(self.exchanges, self.seconds, strict=True))

    @property
    def compared(self) -> float:
        """What is compared with the first row."""
        return self.rate if self.benchmark.by == "rate" else self.typical


def machine() -> str:
    """Describe where this runs: processor, cores, system and Python."""
    names = re.findall(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    processor = names[0] if names else platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores; {platform.system()}; {python}"


def table(rows: Sequence[Row]) -> str:
    """Give the rows of one benchmark as a Markdown table, with ratios to the first."""
    first = rows[0]
    compared = "exchanges a second, beside" if first.benchmark.by == "rate" else "beside"
    heads = ["median", "best", "worst", "times"]
    if first.exchanges:
        heads += ["exchanges", "a second"]
    lines = [_line(["", *heads, f"{compared} {first.subject}"]), "|---|" + "--:|" * (len(heads) + 1)]
    for row in rows:
        times = [*map(_shown, (row.typical, min(row.seconds), max(row.seconds))), str(len(row.seconds))]
        counts = [f"{median(row.exchanges):,.0f}", f"{row.rate:,.0f}"] if row.exchanges else []
        lines.append(_line([row.subject, *times, *counts, f"{row.compared / first.compared:.2f}"]))
    return "\n".join(lines)


def report(rows: Sequence[Row]) -> str:
    """Give all rows as Markdown: the machine, then a section for each benchmark, in the order of the rows."""
    sections = [f"Measured on: {machine()}."]
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        versions = ", ".join(f"{package} {metadata.version(package)}" for package in benchmark.packages)
        about = f"{benchmark.about} With {versions}." if versions else benchmark.about
        sections += [f"## {benchmark.title}", _paragraph(about)]
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


def _line(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
