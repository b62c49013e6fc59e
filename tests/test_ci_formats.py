"""What CI servers show of a run: GitHub's summary and annotations, the badge, and the action that brings them there."""

from __future__ import annotations

import dataclasses
import gzip
import html
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from markdown_it import MarkdownIt

from handmade import FAILURE, report, result
from provider_conformance.contract import Level, Operation
from provider_conformance.faults.catalogue import load_faults
from provider_conformance.reference.server import Server
from provider_conformance.reports import badge, github
from provider_conformance.verdict import Outcome, Report, Step, Verdict
from test_cli import CONFORMANT, NONCONFORMANT, run

if TYPE_CHECKING:
    from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
ACTION_FILE = ROOT / "action.yml"
EXAMPLE = ROOT / "docs" / "examples" / "github-workflow.yml"
ACTION: dict[str, Any] = yaml.safe_load(ACTION_FILE.read_text("utf-8"))
INPUTS: dict[str, dict[str, Any]] = ACTION["inputs"]
STEPS: dict[str, dict[str, Any]] = {step.get("id", step["name"]): step for step in ACTION["runs"]["steps"]}
TOKEN = "4dfcf1d4c30b4d798ece3ae43769f008" * 2
COMMANDS = frozenset({"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "set-output", "add-path"})

SMUGGLED = (
    "smuggled\n::error title=smuggled::x\r\n  ::add-mask::smuggled\n##[error]smuggled\n::stop-commands::x\n"
    "```\n````\n`</code></summary></details></pre><script>smuggled()</script>\n\n# smuggled\n"
    "[smuggled](https://smuggled.example) ![](https://smuggled.example) https://smuggled.example @smuggled #1 |a|b|\n"
    "100%0A::error::smuggled, a=b: %25 $`smuggled`$ \u202e\x1b[2J\ud800"
)
HOSTILE_FAILURE = dataclasses.replace(
    FAILURE,
    summary=SMUGGLED,
    expected=SMUGGLED,
    actual=SMUGGLED,
    steps=(Step(1, SMUGGLED, SMUGGLED, f"curl {SMUGGLED}"),),
    hint=SMUGGLED,
)
HOSTILE = report(
    result(Outcome.FAIL, failures=(HOSTILE_FAILURE,)),
    result(Outcome.FAIL, "CREATE-2", failures=(), reason=SMUGGLED),
    result(Outcome.KNOWN, "CREATE-3", reason=SMUGGLED, failures=(HOSTILE_FAILURE,)),
    result(Outcome.NOT_TESTED, "UPDATE-1", operation=Operation.UPDATE, reason=SMUGGLED),
    result(Outcome.ERROR, "UPDATE-2", operation=Operation.UPDATE, reason=SMUGGLED),
    diagnosis=SMUGGLED,
    advice=(SMUGGLED,),
)


@dataclass
class Runner:
    """GitHub's runner as far as it looks for commands in the output of a step."""

    obeyed: list[tuple[str, str, str]] = field(default_factory=list)
    _resume: str = ""

    def read(self, output: str) -> Runner:
        for line in re.split("\r\n|\r|\n", output):
            self._read_line(line)
        return self

    def _read_line(self, line: str) -> None:
        known = COMMANDS | {"stop-commands"} | ({self._resume} if self._resume else set())
        new = re.match(r"\s*::([^ :]+)(?: (.*?))?::(.*)$", line)
        old = re.search(r"##\[([^ \]]+)(?: ([^\]]*))?\](.*)$", line)
        found = next((match for match in (new, old) if match and match[1] in known), None)
        if found is None:
            return
        name, title, message = found[1], found[2] or "", found[3]
        if self._resume:
            self._resume = "" if name == self._resume else self._resume
        elif name == "stop-commands":
            self._resume = message
        else:
            self.obeyed.append((name, _unescaped(title.removeprefix("title=")), _unescaped(message)))


def _unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def summary(made: Report, limit: int = github.LARGEST_SUMMARY) -> str:
    return github.summary(made, limit).decode("utf-8")


def markdown(text: str) -> list[Token]:
    """Read Markdown as GitHub does; bare addresses, which it would link, are text to this parser."""
    return MarkdownIt("gfm-like", {"linkify": False}).parse(text)


# the summary


def test_the_summary_starts_with_the_verdict_and_shows_what_the_terminal_shows() -> None:
    made = report(
        result(),
        result(Outcome.FAIL, "CREATE-2"),
        result(Outcome.NOT_TESTED, "UPDATE-1", operation=Operation.UPDATE),
        advice=("page_count is off",),
    )
    text = summary(made)
    assert text.startswith("## Conformance: nonconformant at level core\n")
    assert "| create | 1 | 1 | 0 | 12 | 2.5 |\n| update | 0 | 0 | 1 |  |  |\n| total | 1 | 1 | 1 | 812 |  |\n" in text
    assert f"<summary><code>FAILED CREATE-2 (core) {FAILURE.summary}</code></summary>" in text
    for part in ("expected      hostname &#x27;b.example.net&#x27;", *FAILURE.curl, "3 other inputs failed alike"):
        assert html.unescape(part) in text
    assert "create is refused, so there is nothing to update\n  1: UPDATE-1\n" in text
    assert "page_count is off" in text


def test_nothing_that_a_server_says_acts_in_the_summary() -> None:
    """Outside of fenced code and of escaped text in blocks of HTML that are ours, nothing of it is there at all."""
    for token in markdown(summary(HOSTILE)):
        if token.type == "fence":
            assert token.info in {"text", "sh"}
        elif token.type == "html_block":
            fold = r"<details><summary><code>[^<>\n]*</code></summary>|</details>"
            assert re.fullmatch(fold, token.content.strip())
        else:
            assert "smuggled" not in token.content
            assert {child.type for child in token.children or ()} <= {"text"}


def test_every_fold_of_a_summary_is_closed_wherever_it_is_cut() -> None:
    whole = len(github.summary(HOSTILE))
    for limit in range(0, whole + 50, 37):
        text = github.summary(HOSTILE, limit)
        assert len(text) <= limit
        folds = [token.content for token in markdown(text.decode()) if token.type == "html_block"]
        assert len([fold for fold in folds if fold.startswith("<details>")]) * 2 == len(folds)
        assert (b"do not fit" in text) == (0 < len(text) < whole)


def test_a_summary_is_never_longer_than_github_takes(tmp_path: Path) -> None:
    long = dataclasses.replace(FAILURE, steps=(Step(1, "x", "y", "curl " + "z" * 7_000),))
    made = report(result(Outcome.FAIL, f"CREATE-{number}", failures=(long,)) for number in range(300))
    path = tmp_path / "summary"
    path.write_bytes(b"# of an earlier command\n")
    github.append_summary(made, path)
    text = path.read_text("utf-8")
    assert 900_000 < path.stat().st_size <= 1024 * 1024
    assert text.startswith("# of an earlier command\n## Conformance: nonconformant")
    left_out = re.search(r"(\d+) more parts do not fit here; `report.json` has everything.\n\n$", text)
    assert left_out
    assert text.count("<details>") + int(left_out[1]) == 300


def test_a_summary_that_is_full_already_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"x" * github.LARGEST_SUMMARY)
    github.append_summary(report(result()), path)
    assert path.stat().st_size == github.LARGEST_SUMMARY


def test_the_command_appends_the_summary_where_github_asks_for_one(tmp_path: Path) -> None:
    assert run(CONFORMANT, cwd=tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary")).returncode == 0
    assert run(NONCONFORMANT, cwd=tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary")).returncode == 1
    headings = re.findall("^## .*", (tmp_path / "summary").read_text("utf-8"), re.MULTILINE)
    assert headings == ["## Conformance: conformant at level core", "## Conformance: nonconformant at level core"]


@pytest.mark.parametrize(("scenario", "code"), [(CONFORMANT, 4), (NONCONFORMANT, 1)])
def test_a_summary_that_could_not_be_written_is_not_green(scenario: str, code: int, tmp_path: Path) -> None:
    done = run(scenario, cwd=tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path))
    assert done.returncode == code
    assert f"{tmp_path} could not be written: Is a directory" in done.stderr


# annotations


def test_failures_are_errors_and_gaps_are_warnings() -> None:
    made = report(
        result(),
        result(Outcome.FAIL, "CREATE-2"),
        result(Outcome.NOT_TESTED, "UPDATE-1"),
        result(Outcome.NOT_TESTED, "UPDATE-2"),
        result(Outcome.FAIL, "LIST-9", Level.ADVICE),
    )
    error, warning = Runner().read("\n".join(github.annotate(made))).obeyed
    assert error[:2] == ("error", f"FAILED CREATE-2 (core) {FAILURE.summary}")
    assert f"expected: {FAILURE.expected}\nactual: {FAILURE.actual}\n" in error[2]
    assert warning == (
        "warning",
        "2 not tested",
        "create is refused, so there is nothing to update\nUPDATE-1, UPDATE-2",
    )


def test_values_are_escaped_as_github_says() -> None:
    line = github.command("error", "a: b, 100%", "c: d, 50%\r\ne")
    assert line == "::error title=a%3A b%2C 100%25::c: d, 50%25%0D%0Ae"


def test_a_server_cannot_give_commands_in_an_annotation() -> None:
    lines = github.annotate(HOSTILE)
    assert not any(re.search(r"[\r\n]", line) for line in lines)
    assert [name for name, _, _ in Runner().read("\n".join(lines)).obeyed] == ["error"] * 4 + ["warning"]


def test_what_github_would_not_show_is_said_to_be_there() -> None:
    made = report(result(Outcome.FAIL, f"CREATE-{number}") for number in range(1, 13))
    obeyed = Runner().read("\n".join(github.annotate(made))).obeyed
    assert len(obeyed) == 10
    assert obeyed[-1][1] == "3 more"


def test_a_long_failure_is_cut_to_what_github_takes() -> None:
    made = report(result(Outcome.FAIL, failures=(FAILURE,) * 20))
    (annotation,) = Runner().read("\n".join(github.annotate(made))).obeyed
    assert len(annotation[2]) <= 4_096


HOSTILE_RUN = """
sys.path.insert(0, TESTS)
from test_ci_formats import HOSTILE, SMUGGLED
def scenario(config, progress):
    progress.diagnosis(SMUGGLED)
    progress.note(SMUGGLED)
    ENDING
""".replace("TESTS", repr(str(Path(__file__).parent)))


def test_ordinary_output_gives_no_commands_and_the_verdict_stays_last(tmp_path: Path) -> None:
    done = run(HOSTILE_RUN.replace("ENDING", "return HOSTILE"), "--format", "github", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert Runner().read(done.stdout).obeyed == Runner().read("\n".join(github.annotate(HOSTILE))).obeyed
    assert done.stdout.splitlines()[-1].startswith("verdict: nonconformant")


def test_a_defect_gives_no_commands_either(tmp_path: Path) -> None:
    done = run(HOSTILE_RUN.replace("ENDING", "raise RuntimeError(SMUGGLED)"), "--format", "github", cwd=tmp_path)
    assert done.returncode == 4
    assert "smuggled" in done.stderr
    assert Runner().read(done.stdout + done.stderr).obeyed == []


def test_nobody_can_guess_what_ends_the_silence(tmp_path: Path) -> None:
    first, second = (run(CONFORMANT, "--format", "github", cwd=tmp_path).stdout.splitlines() for _ in range(2))
    assert re.fullmatch("::stop-commands::[0-9a-f]{32}", first[0])
    assert first[0] != second[0]


def test_without_the_format_the_output_is_for_people(tmp_path: Path) -> None:
    assert "::" not in run(NONCONFORMANT, cwd=tmp_path, GITHUB_ACTIONS="true").stdout


# the badge

PASSED = result()
FAILED = result(Outcome.FAIL, "HTTP-1", Level.HARDENED)
MISSED = result(Outcome.NOT_TESTED, "HTTP-1", Level.HARDENED)
STRICT = result(name="CREATE-7", level=Level.STRICT)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (report(PASSED, STRICT, level=Level.HARDENED), "hardened"),
        (report(PASSED), "core"),
        (report(result(Outcome.FAIL), level=Level.HARDENED), "nonconformant"),
        (report(PASSED, STRICT, FAILED, level=Level.HARDENED), "nonconformant, reached strict (asked: hardened)"),
        (report(result(Outcome.NOT_TESTED)), "incomplete"),
        (report(PASSED, MISSED, level=Level.HARDENED), "incomplete, reached strict (asked: hardened)"),
        (report(), "incomplete"),
    ],
)
def test_the_badge_says_the_verdict_in_words_and_in_a_colour_of_its_own(made: Report, text: str) -> None:
    svg = ET.fromstring(badge.render(made))
    assert [element.text for element in svg.findall("{*}text")] == ["conformance", text]
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-label"] == svg.findtext("{*}title") == f"conformance: {text}"
    _, right = svg.findall("{*}rect")
    assert right.attrib["fill"] == badge.COLOURS[made.verdict]


def test_each_verdict_has_a_colour() -> None:
    assert set(badge.COLOURS) == set(Verdict)
    assert len(set(badge.COLOURS.values())) == len(Verdict)


def luminance(colour: str) -> float:
    shares = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [badge.LABEL_COLOUR, *badge.COLOURS.values()])
def test_a_badge_can_be_read(colour: str) -> None:
    contrast = (luminance(badge.TEXT_COLOUR) + 0.05) / (luminance(colour) + 0.05)
    assert contrast >= 4.5


def test_a_badge_fetches_nothing_and_runs_nothing() -> None:
    for made in (HOSTILE, report(PASSED)):
        text = badge.render(made).decode()
        assert {element.tag.partition("}")[2] for element in ET.fromstring(text).iter()} == {
            "svg",
            "title",
            "rect",
            "text",
        }
        assert re.findall(r"\w+://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
        assert "href" not in text
        assert "url(" not in text


# the action


def expanded(text: str, values: dict[str, str]) -> str:
    """Fill in expressions as GitHub does."""
    return re.sub(r"\$\{\{ *(\S+) *\}\}", lambda match: values[match[1]], text)


@dataclass(frozen=True)
class Executed:
    """What a step left behind."""

    code: int
    output: str
    outputs: dict[str, str]
    summary: str


def execute(folder: Path, **inputs: str) -> Executed:
    """Execute the step that certifies, as a runner does, with the Python of these tests."""
    (folder / "work").mkdir()
    step = STEPS["run"]
    values = {f"inputs.{name}": str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
    values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    values |= {"steps.install.outputs.folder": str(folder), "steps.install.outputs.python": sys.executable}
    script = folder / "script.sh"
    script.write_text(step["run"])
    files = {name: str(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for name in files.values():
        Path(name).touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder / "work",
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)}
        | {"RUNNER_TEMP": str(folder), "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_ACTIONS": "true"}
        | {name: expanded(text, values) for name, text in step["env"].items()}
        | files,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    lines = (folder / "GITHUB_OUTPUT").read_text("utf-8").splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    return Executed(done.returncode, done.stdout, outputs, (folder / "GITHUB_STEP_SUMMARY").read_text("utf-8"))


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_the_action_certifies_and_tells_nobody_the_token(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server:
        done = execute(tmp_path, base_url=server.base_url, token=TOKEN, level="core")
    assert done.code == 0, done.output
    reports = tmp_path / "reports"
    assert done.outputs == {"verdict": "conformant", "level": "core", "report-dir": str(reports)}
    assert done.summary.startswith("## Conformance: conformant at level core\n")
    assert {path.name for path in reports.iterdir()} >= {"badge.svg", "junit.xml", "report.json"}
    assert TOKEN not in done.output
    assert [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in content(path)] == []


def test_the_action_keeps_the_exit_code_and_annotates(tmp_path: Path) -> None:
    fault = next(fault for fault in load_faults() if "SHOW-1" in fault.requirements)
    with Server(token=TOKEN, faults=[fault.id]) as server:
        done = execute(tmp_path, base_url=server.base_url, token=TOKEN, level="core", args="--only SHOW-1")
    assert done.code == 1, done.output
    assert (done.outputs["verdict"], done.outputs["level"]) == ("nonconformant", "none")
    kinds = {(name, title.split()[1]) for name, title, _ in Runner().read(done.output).obeyed if name == "error"}
    assert kinds == {("error", "SHOW-1")}


def test_more_options_are_quoted_as_in_a_shell_and_read_by_none(tmp_path: Path) -> None:
    spied = tmp_path / "spied"
    words = ["--header", "X-Note: two words", "--only", "LIST", f"$(touch {spied})"]
    done = execute(tmp_path, base_url="http://127.0.0.1:1/api", token=TOKEN, args=shlex.join(words))
    assert done.code == 2
    assert "unexpected extra argument" in done.output
    assert not spied.exists()
    assert set(done.outputs) == {"report-dir"}


def test_options_that_are_none_stop_the_action(tmp_path: Path) -> None:
    done = execute(tmp_path, base_url="http://127.0.0.1:1/api", token=TOKEN, args="--header 'X: y")
    assert done.code == 2
    assert "No closing quotation" in done.output


def test_a_target_that_is_away_is_incomplete(tmp_path: Path) -> None:
    done = execute(tmp_path, base_url="http://127.0.0.1:1/api", token=TOKEN)
    assert done.code == 3
    assert (done.outputs["verdict"], done.outputs["level"]) == ("incomplete", "none")


def test_an_empty_url_does_not_certify_the_reference(tmp_path: Path) -> None:
    """An unset variable reaches an input as nothing at all."""
    done = execute(tmp_path, base_url="", token=TOKEN)
    assert (done.code, done.outputs) == (2, {})


def test_no_input_is_a_part_of_a_script() -> None:
    scripts = [step["run"] for step in STEPS.values() if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if "${{" in script]
    assert "TOKEN" not in "".join(scripts)


def test_reports_are_uploaded_whatever_the_verdict() -> None:
    upload = STEPS["Upload the reports"]
    assert upload["if"].startswith("always() ")
    assert upload["with"]["path"] == "${{ steps.run.outputs.report-dir }}"
    assert set(ACTION["outputs"]) == {"verdict", "level", "report-dir"}


@pytest.mark.parametrize(("schema", "file"), [("github-actions", ACTION_FILE), ("github-workflows", EXAMPLE)])
def test_github_takes_the_files(schema: str, file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_gives_the_action_what_it_takes() -> None:
    workflow = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    used = {step.get("id"): step for step in workflow["jobs"]["certify"]["steps"]}["conformance"]
    required = {name for name, given in ACTION["inputs"].items() if given.get("required")}
    assert required <= set(used["with"]) <= set(ACTION["inputs"])
    named = set(re.findall(r"steps\.conformance\.outputs\.([\w-]+)", EXAMPLE.read_text("utf-8")))
    assert named <= set(ACTION["outputs"])
    assert workflow["permissions"] == {"contents": "read"}


def actionlint(workflow: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Look at a workflow in a repository that holds the action itself; the scripts go to shellcheck."""
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "conformance.yml").write_text(workflow, "utf-8")
    (folder / ".git").mkdir()
    (folder / "action.yml").write_bytes(ACTION_FILE.read_bytes())
    scripts = Path(sys.executable).parent
    command = [str(scripts / "actionlint"), "-no-color", "-shellcheck", str(scripts / "shellcheck")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=folder)


def as_workflow(steps: list[dict[str, Any]]) -> str:
    """Return the steps of the action as those of a workflow: actionlint reads workflows alone."""
    inputs = {name: {"type": "string", "required": given.get("required", False)} for name, given in INPUTS.items()}
    job = {"runs-on": "ubuntu-latest", "steps": steps}
    return yaml.safe_dump({"on": {"workflow_call": {"inputs": inputs}}, "jobs": {"certify": job}}, sort_keys=False)


def test_the_example_passes_actionlint(tmp_path: Path) -> None:
    example = EXAMPLE.read_text("utf-8").replace("OWNER/REPOSITORY@VERSION", "./")
    done = actionlint(example, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_steps_of_the_action_pass_actionlint(tmp_path: Path) -> None:
    done = actionlint(as_workflow(ACTION["runs"]["steps"]), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ({"run": "echo ${{ inputs.base_url }}", "shell": "bash"}, 'property "base_url" is not defined'),
        ({"run": "[ -e $HOME ] && cd $HOME", "shell": "bash"}, "shellcheck reported issue"),
        ({"uses": "./", "with": {"base-url": "x"}}, 'missing input "token"'),
    ],
)
def test_actionlint_reads_expressions_scripts_and_the_action(
    broken: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    done = actionlint(as_workflow([broken]), tmp_path)
    assert done.returncode == 1
    assert complaint in done.stdout
