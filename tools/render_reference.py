"""Write the contract as JSON, and as an API reference: one HTML page that needs nothing else, not even a network.

    python tools/render_reference.py FOLDER              # openapi.json
    python tools/render_reference.py FOLDER --redocly X  # and index.html, made by that Redocly CLI

Redocly CLI makes the page because it judges the contract anyway, and brings Redoc along.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi" / "openapi.yaml"
CONFIGURATION = ROOT / "tools" / "npm" / "redocly.yaml"
JSON_NAME = "openapi.json"
PAGE_NAME = "index.html"

# It asks for no newer version of itself; that it reports no usage is said in its configuration.
SILENT = {"REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "worker-src blob:; base-uri 'none'; form-action 'none'"
)
"""What a browser lets the page load: nothing but what it holds. Its search runs in workers that it makes itself."""

LARGEST_EXACT = 2**53 - 1
"""The largest integer that a number of JavaScript surely is."""

# Redoc names its makers by a picture from the web, the only thing that it loads. Their name does as well.
LOGO = re.compile(r"https://cdn\.redoc\.ly/redoc/logo-mini(?:-full)?\.svg")
NAME = (
    "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%2244%22 height=%2214%22%3E"
    "%3Ctext y=%2211%22 font-size=%2211%22 font-family=%22sans-serif%22%3ERedocly%3C/text%3E%3C/svg%3E"
)


class RenderError(Exception):
    """The page could not be made."""


def as_json(document: Mapping[str, Any]) -> str:
    """Return the document as JSON: two spaces an indent, everything in the order of the document, no aliases.

    The same document gives the same text. Raises TypeError or ValueError for what JSON cannot say.
    """
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def with_readings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with its `x-readings`, which no page shows by itself, as a section after the operations."""
    readings = [
        f"**{name}** *documented:* {_escaped(reading['documented'])}\n\n*Read as:* {_escaped(reading['reading'])}"
        for name, reading in document["x-readings"].items()
    ]
    # A tag that marks no operation is a page of prose.
    section = {"name": "How the documentation is read", "x-traitTag": True, "description": "\n\n".join(readings)}
    return {**document, "tags": [*document["tags"], section]}


def without_rounded_bounds(node: Any) -> Any:
    """Return the document without bounds that JavaScript would show rounded; there, int64 is all that they mean."""
    if isinstance(node, list):
        return [without_rounded_bounds(item) for item in node]
    if isinstance(node, dict):
        return {
            key: without_rounded_bounds(value)
            for key, value in node.items()
            if not (key in {"minimum", "maximum"} and isinstance(value, int) and abs(value) > LARGEST_EXACT)
        }
    return node


def self_contained(page: str) -> str:
    """Return a page of Redoc that loads nothing, and that no browser lets load anything; raises RenderError."""
    head = re.search(r"<head>", page)
    if head is None:
        raise RenderError("the page has no head")
    policy = f'\n  <meta http-equiv="Content-Security-Policy" content="{POLICY}" />'
    return LOGO.sub(NAME, page[: head.end()] + policy + page[head.end() :])


def render(document: Mapping[str, Any], redocly: Path) -> str:
    """Return the API reference of the document as a self-contained page; raises RenderError."""
    with tempfile.TemporaryDirectory() as folder:
        source, page = Path(folder) / JSON_NAME, Path(folder) / PAGE_NAME
        source.write_text(as_json(without_rounded_bounds(with_readings(document))), encoding="utf-8")
        command: list[str | Path] = [redocly, "build-docs", source, "--output", page, "--inlineBundle"]
        command += ["--config", CONFIGURATION]
        run = subprocess.run(  # noqa: S603 - the tool that our lock file names
            command, env=os.environ | SILENT, capture_output=True, text=True, encoding="utf-8", check=False
        )
        if run.returncode != 0 or not page.exists():
            raise RenderError(f"Redocly CLI failed:\n{run.stderr.strip()}")
        return self_contained(page.read_text(encoding="utf-8"))


def _escaped(text: str) -> str:
    """Keep Markdown from taking what is quoted for markup."""
    return re.sub(r"([\\`*_<\[|])", r"\\\1", text)


def write(folder: Path, redocly: Path | None = None) -> list[Path]:
    """Write openapi.json, and with Redocly CLI index.html, into a folder; return what was written.

    Makes the folder if it is missing. Raises RenderError, and OSError.
    """
    document = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    texts = {JSON_NAME: as_json(document)}
    if redocly is not None:
        texts[PAGE_NAME] = render(document, redocly)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return [folder / name for name in texts]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit with 1 if the page could not be made."""
    parser = argparse.ArgumentParser(description="Write the contract as JSON and as an API reference.")
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--redocly", type=Path, help="the Redocly CLI that makes the page; without it, there is none")
    options = parser.parse_args(arguments)
    try:
        written = write(options.folder, options.redocly)
    except RenderError as error:
        print(error, file=sys.stderr)
        return 1
    for file in written:
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
