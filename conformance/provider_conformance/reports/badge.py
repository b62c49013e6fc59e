"""Renders a report as badge.svg, to be shown beside the name of a system.

Written with the standard library: of the libraries for it one sets white on a green too light to read and says nothing
to screen readers, and the others bring Jinja2, requests or Pillow along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from provider_conformance.reports.files import write_private
from provider_conformance.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.verdict import Report

FILE_NAME = "badge.svg"
LABEL = "conformance"
TEXT_COLOUR = "#ffffff"
LABEL_COLOUR = "#3b3f45"
COLOURS = {
    Verdict.CONFORMANT: "#1a7f37",
    Verdict.NONCONFORMANT: "#b3261e",
    Verdict.INCOMPLETE: "#656d76",
}
"""Backgrounds on which white text has a contrast of 4.5 and more."""

HEIGHT = 20
BASELINE = 14
MARGIN = 6
CHARACTER = 6.6
"""Width of a character at 11 px, about; every text is stretched or squeezed to it, whatever the font."""


@dataclass(frozen=True)
class Field:
    """One half of the badge: what it says, and on which colour."""

    text: str
    colour: str

    @property
    def text_width(self) -> int:
        """The width of the text alone."""
        return round(len(self.text) * CHARACTER)

    @property
    def width(self) -> int:
        """The width with the margins."""
        return self.text_width + 2 * MARGIN


def write(report: Report, directory: Path) -> Path:
    """Write badge.svg into a directory and return its path; raises OSError."""
    path = directory / FILE_NAME
    write_private(path, render(report))
    return path


def render(report: Report) -> bytes:
    """Return badge.svg as bytes: the level in green if it holds, else the verdict, and the level that was reached."""
    fields = (Field(LABEL, LABEL_COLOUR), Field(message(report), COLOURS[report.verdict]))
    width = sum(field.width for field in fields)
    name = f"{LABEL}: {fields[1].text}"
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": str(width),
            "height": str(HEIGHT),
            "viewBox": f"0 0 {width} {HEIGHT}",
            "role": "img",
            "aria-label": name,
        },
    )
    ET.SubElement(svg, "title").text = name
    left = 0
    for field in fields:
        _draw(svg, field, left)
        left += field.width
    document: bytes = ET.tostring(svg, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def message(report: Report) -> str:
    """Return what the badge says of a report."""
    if report.verdict is Verdict.CONFORMANT:
        return report.level.value
    reached = report.reached_level
    also = f", reached {reached.value} (asked: {report.level.value})" if reached else ""
    return f"{report.verdict.value}{also}"


def _draw(svg: ET.Element, field: Field, left: int) -> None:
    box = {"x": str(left), "width": str(field.width), "height": str(HEIGHT), "fill": field.colour}
    ET.SubElement(svg, "rect", box)
    place = {"x": str(left + MARGIN), "y": str(BASELINE), "textLength": str(field.text_width), "fill": TEXT_COLOUR}
    font = {"font-family": "Verdana, DejaVu Sans, sans-serif", "font-size": "11"}
    ET.SubElement(svg, "text", place | font).text = field.text
