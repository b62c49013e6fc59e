"""Lays out the latencies of all operations on one axis, so that nobody has to read them off a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provider_conformance.verdict import OperationStatistics

PERCENTILES = ("p50", "p95", "p99", "max")

LOGARITHMIC_FROM = 10
"""How many times the smallest latency the largest is from which on the small ones would not be told apart."""

FLOOR_MS = 0.01
"""What is quicker is placed here: a logarithm has no place for zero."""

MARGIN = 4.0
"""Percent of the width that stay free on either side, so that no mark is cut."""

TOP, ROW, AXIS = 30, 46, 26
"""Heights in pixels: above the first line, from line to line, and of the axis below."""

MOST_TICKS = 7


@dataclass(frozen=True)
class Mark:
    """One percentile of one operation, and its place from the left in percent."""

    name: str
    milliseconds: float
    x: float


@dataclass(frozen=True)
class Row:
    """The marks of one operation, from left to right, and the height of their line."""

    operation: str
    y: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Tick:
    """A figure on the axis."""

    label: str
    x: float

    @property
    def anchor(self) -> str:
        """The end of the figure that stands at its place: at the edges there is room on one side only."""
        if self.x <= MARGIN:
            return "start"
        return "end" if self.x >= 100 - MARGIN else "middle"


@dataclass(frozen=True)
class Plot:
    """Everything that has a place in the picture."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    logarithmic: bool

    @property
    def base(self) -> int:
        """The height of the axis."""
        return TOP + ROW * len(self.rows) - ROW // 2

    @property
    def height(self) -> int:
        """The height of the picture."""
        return self.base + AXIS


@dataclass(frozen=True)
class Scale:
    """Turns milliseconds into a place on an axis that spans `low` to `high`."""

    low: float
    high: float
    logarithmic: bool

    def place(self, milliseconds: float) -> float:
        """Return the place from the left in percent."""
        value, low, high = milliseconds, self.low, self.high
        if self.logarithmic:
            value, low, high = math.log10(max(value, low)), math.log10(low), math.log10(high)
        return round(MARGIN + (100 - 2 * MARGIN) * (value - low) / (high - low), 3)


def plot(statistics: Iterable[OperationStatistics]) -> Plot | None:
    """Lay out every operation that has figures; None where no operation has any."""
    figures = {entry.operation: _figures(entry.latency_ms) for entry in statistics}
    figures = {operation: found for operation, found in figures.items() if found}
    values = [value for found in figures.values() for value in found.values()]
    if not values:
        return None
    scale, steps = _scale(min(values), max(values))
    rows = tuple(
        Row(operation, TOP + ROW * index, tuple(Mark(name, ms, scale.place(ms)) for name, ms in found.items()))
        for index, (operation, found) in enumerate(figures.items())
    )
    ticks = tuple(Tick(f"{step:,.10g}", scale.place(step)) for step in steps)
    return Plot(rows, ticks, scale.logarithmic)


def _figures(latency_ms: Mapping[str, float]) -> dict[str, float]:
    """Return the percentiles that can be drawn."""
    found = {name: latency_ms[name] for name in PERCENTILES if name in latency_ms}
    return {name: value for name, value in found.items() if math.isfinite(value) and value >= 0}


def _scale(smallest: float, largest: float) -> tuple[Scale, Sequence[float]]:
    """Choose the axis and the figures on it."""
    if largest >= LOGARITHMIC_FROM * max(smallest, FLOOR_MS):
        steps = _around(max(smallest, FLOOR_MS), largest)
        scale = Scale(steps[0], steps[-1], logarithmic=True)
        return scale, steps if len(steps) <= MOST_TICKS else [step for step in steps if _is_power(step)]
    step = _around(FLOOR_MS / 10, max(largest, FLOOR_MS) / (MOST_TICKS - 2))[-1]
    count = math.ceil(max(largest, FLOOR_MS) / step)
    return Scale(0, count * step, logarithmic=False), [index * step for index in range(count + 1)]


def _around(low: float, high: float) -> list[float]:
    """Return the round numbers 1, 2, 5, 10, 20 … from the last one below `low` to the first that reaches `high`."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    rounds = [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 2, 5)]
    first = max(index for index, number in enumerate(rounds) if number <= low)
    last = min(index for index, number in enumerate(rounds) if number >= high)
    return rounds[first : last + 1]


def _is_power(number: float) -> bool:
    return f"{number:e}".startswith("1.0")
