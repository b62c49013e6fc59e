"""The guide under docs/: its links lead somewhere, its commands exist, and its examples are what they claim to be."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

import make_examples
import write_readings
from provider_conformance.cli import COMMAND, group
from provider_conformance.contract import Level, load_catalogue, load_contract
from provider_conformance.faults.catalogue import find_fault
from provider_conformance.judge.wording import Difference
from provider_conformance.options import PLAUSIBLE, plausible
from provider_conformance.reports.blocks import block
from provider_conformance.verdict import Failure, Outcome, RequirementResult, Step
from provider_conformance.verify import read_report, verify

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = tuple(sorted(DOCS.glob("*.md")))

COMING_COMMANDS: frozenset[str] = frozenset()
COMING_OPTIONS: dict[str, int] = {}
"""Options of `run`, with how many values each takes."""

COMING_FILES: frozenset[str] = frozenset()
"""What the guide describes and a later change brings. What is there is checked, whether it is named here or not."""

REQUIREMENT = re.compile(r"\b(?:AUTH|CREATE|SHOW|LIST|UPDATE|DESTROY|VALUE|HTTP)-\d+\b")
READING = re.compile(r"\bD\d+\b")
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
PATH = re.compile(r"`((?:openapi|generated|conformance|tests|tools|docs)/[\w./-]*)`")
CALL = re.compile(rf"(?:^(?:- )?(?:\w+: )?|[;|&] |/)({COMMAND} [a-z])")
"""A call of the command: first in its line, in an item of YAML or under a key, after another command, or by path."""

OUTPUT = "text"
"""The language that marks what a program prints."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    content: str


def blocks() -> Iterator[Block]:
    for page in PAGES:
        for found in FENCE.finditer(page.read_text("utf-8")):
            indent = len(found[1])
            content = "".join(line[indent:] for line in found[3].splitlines(keepends=True))
            yield Block(page.name, found[2], content)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def command_lines() -> Iterator[tuple[str, str]]:
    """Give each line that calls the command, in a block of any language but output, or between backticks."""
    for found in blocks():
        if found.language != OUTPUT:
            joined = re.sub(r"\\\n\s*", " ", found.content)
            yield from ((found.page, line) for line in map(str.strip, joined.splitlines()) if CALL.search(line))
    for page in PAGES:
        yield from ((page.name, line) for line in re.findall(rf"`({COMMAND} [^`]+)`", prose(page)))


def words_of(line: str) -> list[str]:
    """Return what a shell would hand to the command, without the command's own name."""
    call = CALL.search(line)
    assert call
    lexer = shlex.shlex(line[call.start(1) :], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(takewhile(lambda word: not set(word) <= set("();<>|&"), lexer))[1:]


def problem_of(words: list[str]) -> str:
    """Say what is wrong with the words after the command, or nothing; a subcommand alone is a mention."""
    command: click.Command = group
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    if command is group:
        return "" if words[0] in COMING_COMMANDS else f"there is no {words[0]}"
    return _problem_of_options(command, _without_what_is_coming(command, rest)) if rest else ""


def _without_what_is_coming(command: click.Command, words: list[str]) -> list[str]:
    known = {option for parameter in command.params for option in parameter.opts}
    kept = list(words)
    for option, values in COMING_OPTIONS.items():
        while option in kept and option not in known:
            at = kept.index(option)
            del kept[at : at + 1 + values]
    return kept


def _problem_of_options(command: click.Command, words: list[str]) -> str:
    context = click.Context(command)
    try:
        given, rest, _ = command.make_parser(context).parse_args(words)
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and isinstance(value := given.get(parameter.name or ""), str):
                parameter.type.convert(value, parameter, context)
    except click.UsageError as error:
        return error.format_message()
    arguments = [one for one in command.params if isinstance(one, click.Argument) and one.required]
    if missing := [one.name for one in arguments if not isinstance(given.get(one.name or ""), str)]:
        return f"missing: {missing}"
    return f"too many words: {rest}" if rest else ""


def heading_anchors(page: Path) -> set[str]:
    """Return what the headings of a page are linked to by."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        coming = target.is_relative_to(ROOT) and target.relative_to(ROOT).as_posix() in COMING_FILES
        if not (target.exists() or coming) or (
            anchor and target.suffix == ".md" and anchor not in heading_anchors(target)
        ):
            broken.append(link)
    assert not broken


def test_files_that_the_guide_names_exist() -> None:
    named = {path for page in PAGES for path in PATH.findall(page.read_text("utf-8"))} - COMING_FILES
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_index_knows_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)(?:#[\w-]+)?\)", (DOCS / "README.md").read_text("utf-8")))
    assert linked == {page.name for page in PAGES} - {"README.md"}


def test_the_readme_leads_to_what_is_told_about_false_accusations() -> None:
    assert "](docs/false-accusations.md)" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize(("page", "line"), sorted(set(command_lines())))
def test_commands_and_their_options_exist(page: str, line: str) -> None:
    assert problem_of(words_of(line)) == ""


def test_every_page_of_instructions_is_looked_at() -> None:
    pages = [page for page, _ in set(command_lines())]
    assert all(pages.count(name) >= 4 for name in ("vendors.md", "labs.md", "ci.md")), pages


@pytest.mark.parametrize(
    "line",
    [
        f"{COMMAND} certify URL",
        f"{COMMAND} run URL --nothing",
        f"{COMMAND} run URL --seed",
        f"{COMMAND} run URL --level gold",
        f"{COMMAND} run URL other",
        f"{COMMAND} cleanup --rate 5",
        f"export X=1; .venv/bin/{COMMAND} spec --pathh > file",
        f'- {COMMAND} run "$URL" --nothing',
        f"test -e x || {COMMAND} run --nothing",
    ],
)
def test_a_command_that_would_fail_is_noticed(line: str) -> None:
    assert problem_of(words_of(line))


def test_faults_that_are_served_exist() -> None:
    served = {fault for found in blocks() for fault in re.findall(r"--fault ([\w-]+)", found.content)}
    assert served
    for fault in served:
        find_fault(fault)


def test_requirements_and_readings_exist() -> None:
    requirements = {requirement.id for requirement in load_catalogue()}
    readings = {reading.id for reading in load_contract().readings}
    for page in PAGES:
        text = page.read_text("utf-8")
        assert set(REQUIREMENT.findall(text)) <= requirements, page.name
        assert set(READING.findall(text)) <= readings, page.name


PARSERS: dict[str, Any] = {
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
    "json": json.loads,
    "python": ast.parse,
}


@pytest.mark.parametrize("language", PARSERS)
def test_snippets_parse(language: str) -> None:
    for found in blocks():
        if found.language == language:
            assert PARSERS[language](found.content), found


def test_blocks_say_what_they_are() -> None:
    assert {found.language for found in blocks()} <= {"console", OUTPUT, "groovy", *PARSERS}


def test_settings_exist_and_known_failures_have_reasons() -> None:
    options = {
        (opts[0].removeprefix("--") if (opts := [o for o in p.opts if o.startswith("--")]) else (p.name or ""))
        for command in group.commands.values()
        for p in command.params
    }
    settings = {name.replace("_", "-") for name in options} | {name[2:] for name in COMING_OPTIONS}
    for found in blocks():
        if found.language != "toml":
            continue
        content = tomllib.loads(found.content)
        if content.keys() & {"project", "target"}:  # of a downstream project, or of a fleet
            continue
        if all(map(REQUIREMENT.fullmatch, content)):
            assert all(entry["reason"] and entry.keys() <= {"reason", "expires"} for entry in content.values())
        else:
            assert content.keys() - {PLAUSIBLE} <= settings
            plausible(content.get(PLAUSIBLE))


def test_the_readings_are_those_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert write_readings.main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_page_of_readings_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(write_readings, "PAGE", tmp_path / "readings.md")
    assert write_readings.main(["--check"]) == 1
    assert "+## D1\n" in capsys.readouterr().out
    assert write_readings.main([]) == 0
    assert write_readings.main(["--check"]) == 0


def test_the_readings_name_every_reading_and_requirement() -> None:
    text = write_readings.page(load_contract(), load_catalogue())
    assert [reading.id for reading in load_contract().readings] == re.findall(r"^## (D\d+)$", text, re.MULTILINE)
    for requirement in load_catalogue():
        assert f"| {requirement.id} | {requirement.level.value} |" in text


def test_the_vendors_guide_explains_every_line_of_a_failure() -> None:
    requirement = next(one for one in load_catalogue() if one.level is Level.CORE and one.reading)
    step = Step(1, "GET /show", "200 OK", "curl …")
    failure = Failure("summary", "this", "that", (step,), (Difference("name", "1", "2"),), 1, "a cause", "a_rule")
    told = block(RequirementResult(requirement, Outcome.FAIL, failures=(failure,)), failure, load_contract().readings)
    section = (DOCS / "vendors.md").read_text("utf-8").partition("## Read a failure")[2].partition("\n## ")[0]
    explained = {label.strip() for label in re.findall(r"^\| `([a-z ]+)", section, re.MULTILINE)}
    assert {" ".join(line.label.split()[:2]) for line in told} <= explained


@pytest.mark.parametrize("name", ["ten-faults", "conformant"])
def test_the_example_reports_are_verified(name: str) -> None:
    """What is stale is written anew by `nox -s examples`."""
    found = verify(DOCS / "examples" / name)
    assert found.discrepancies == ()
    assert found.unjudged == 0


def test_the_example_with_faults_blames_what_each_breaks() -> None:
    report = read_report(DOCS / "examples" / "ten-faults")
    failed = {one["id"] for one in report["requirements"] if one["outcome"] == "fail"}
    assert len(make_examples.FAULTS) == 10
    for fault in make_examples.FAULTS:
        assert failed & set(find_fault(fault).requirements), fault


def test_the_example_that_conforms_does() -> None:
    report = read_report(DOCS / "examples" / "conformant")
    assert (report["verdict"], report["reached_level"]) == ("conformant", "hardened")
