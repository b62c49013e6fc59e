"""The command as a shell sees it: what it accepts, what it says, and above all its exit codes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provider_conformance.config import UsageError
from provider_conformance.contract import Level, load_catalogue, load_contract
from provider_conformance.explain import explanation, find_tests
from provider_conformance.settings import base_url, selection, token

URL = "http://127.0.0.1:1/api/providers"
SECRET = "0123456789abcdef" * 4
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
CONFORMING, TEN_FAULTS = str(EXAMPLES / "conformant"), str(EXAMPLES / "ten-faults")

RUN_WITH_A_HANDMADE_REPORT = """
import os, sys, types
from handmade import report, result
from provider_conformance.config import UsageError
from provider_conformance.verdict import Outcome

def certify(config, progress):
    progress.target(config.base_url or "http://127.0.0.1:2", embedded=config.base_url is None)
    return scenario(config, progress)

SCENARIO

module = types.ModuleType("provider_conformance.run")
module.certify = certify
sys.modules["provider_conformance.run"] = module
from provider_conformance import evidence, outcomes
outcomes.report_of = lambda record: record
evidence.render = lambda record: b"what the record holds"
sys.argv[0] = "provider-conformance"
from provider_conformance.__main__ import main
main()
"""

CONFORMANT = "def scenario(config, progress): return report(result())"
NONCONFORMANT = "def scenario(config, progress): return report(result(), result(Outcome.FAIL, 'CREATE-2'))"
INCOMPLETE = "def scenario(config, progress): return report(result(), result(Outcome.NOT_TESTED, 'CREATE-2'))"
DEFECT = "def scenario(config, progress): return report(result(), result(Outcome.ERROR, 'CREATE-2'))"
NOTHING_MATCHED = "def scenario(config, progress): return report()"


def execute(
    *command: str, cwd: Path, environment: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run Python on something, where it finds the packages that this process does."""
    search_path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    inherited = {k: v for k, v in os.environ.items() if k not in {"PROVIDER_TOKEN", "FORCE_COLOR"}}
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=inherited | {"PYTHONPATH": search_path, "PYTHONIOENCODING": "utf-8"} | (environment or {}),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def command(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return execute("-m", "provider_conformance", *arguments, cwd=cwd, environment=more)


def run(scenario: str, *arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `provider-conformance run` where what certifies is a function of the test's own."""
    program = RUN_WITH_A_HANDMADE_REPORT.replace("SCENARIO", scenario)
    return execute("-c", program, "run", "--level", "core", *arguments, cwd=cwd, environment=more)


# exit codes


@pytest.mark.parametrize(
    ("scenario", "code", "verdict"),
    [
        (CONFORMANT, 0, "conformant"),
        (NONCONFORMANT, 1, "nonconformant"),
        (INCOMPLETE, 3, "incomplete"),
        (DEFECT, 4, "incomplete"),
        (NOTHING_MATCHED, 3, "incomplete"),
    ],
)
def test_the_verdict_is_the_exit_code(scenario: str, code: int, verdict: str, tmp_path: Path) -> None:
    done = run(scenario, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.splitlines()[-1] == f"verdict: {verdict} (level core), 812 exchanges in 2.1 s"
    names = sorted(path.name for path in (tmp_path / "provider-conformance-report").iterdir())
    assert names == ["badge.svg", "evidence.jsonl.gz", "junit.xml", "report.html", "report.json"]


@pytest.mark.parametrize(
    ("statement", "code", "said"),
    [
        ("raise RuntimeError('boom')", 4, "RuntimeError: boom"),
        ("raise SystemExit(0)", 4, "SystemExit"),
        ("sys.exit(1)", 4, "SystemExit"),
        ("raise BaseExceptionGroup('several', [SystemExit(0)])", 4, "BaseExceptionGroup"),
        ("raise BrokenPipeError(32, 'Broken pipe')", 4, "BrokenPipeError"),
        ("raise EOFError", 4, "EOFError"),
        ("import no_such_module", 4, "no_such_module"),
        ("return None", 4, "AttributeError"),
        ("raise KeyboardInterrupt", 3, "interrupted"),
        ("raise UsageError('two providers are needed')", 2, "Error: two providers are needed"),
    ],
)
def test_no_way_out_looks_like_a_verdict(statement: str, code: int, said: str, tmp_path: Path) -> None:
    """An early return on a wrong configuration, a defect of ours, an interrupt: never 0, and never 1."""
    done = run(f"def scenario(config, progress): {statement}", cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert "verdict: conformant" not in done.stdout
    assert ("issue tracker" in done.stderr or "http" in done.stderr) == (code == 4)


def test_a_defect_is_told_without_the_token(tmp_path: Path) -> None:
    done = run(
        "def scenario(config, progress): raise RuntimeError(f'\\x1b[2J {config.token}')",
        URL,
        cwd=tmp_path,
        PROVIDER_TOKEN=SECRET,
    )
    assert done.returncode == 4
    assert SECRET not in done.stderr
    assert "\\x1b[2J [masked]" in done.stderr


@pytest.mark.parametrize("name", ["report.json", "report.html"])
@pytest.mark.parametrize(("scenario", "code"), [(CONFORMANT, 4), (NONCONFORMANT, 1), (INCOMPLETE, 4)])
def test_a_report_that_could_not_be_written_is_not_green(scenario: str, code: int, name: str, tmp_path: Path) -> None:
    spoilt = f"{scenario.replace('scenario(', 'inner(')}\ndef scenario(config, progress):\n"
    spoilt += f"    (config.report_dir / {name!r}).mkdir()\n    return inner(config, progress)"
    done = run(spoilt, cwd=tmp_path)
    assert done.returncode == code
    assert f"{name} could not be written: Is a directory" in done.stderr
    assert (tmp_path / "provider-conformance-report" / "junit.xml").exists()  # what can be written is


def test_a_directory_that_cannot_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("def scenario(config, progress): raise RuntimeError", "--report-dir", "file/x", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot write reports to file/x" in done.stderr


def test_an_old_report_does_not_survive_a_run_that_dies(tmp_path: Path) -> None:
    assert run(CONFORMANT, cwd=tmp_path).returncode == 0
    assert run("def scenario(config, progress): os._exit(9)", cwd=tmp_path).returncode == 9
    assert list((tmp_path / "provider-conformance-report").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk to write to")
@pytest.mark.parametrize(("scenario", "code"), [(CONFORMANT, 4), (NONCONFORMANT, 1)])
def test_output_that_nobody_can_read_is_not_green(scenario: str, code: int, tmp_path: Path) -> None:
    program = f"sys.stdout = open('/dev/full', 'w')\n{scenario}"
    done = run(program, cwd=tmp_path)
    assert done.returncode == code
    assert "output could not be written: No space left on device" in done.stderr
    assert (tmp_path / "provider-conformance-report" / "report.json").exists()


def test_a_reader_that_goes_away_does_not_interrupt_the_run(tmp_path: Path) -> None:
    closing = "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)"
    notes = "def scenario(config, progress):\n    for n in range(9): progress.note('x' * 9999)\n"
    notes += "    progress.diagnosis('y' * 99999)\n    open('reached', 'w').close()\n    return report(result())"
    done = run(f"{closing}\n{notes}", cwd=tmp_path)
    assert done.returncode == 4
    assert (tmp_path / "reached").exists()


def told_to(output: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command where both its output and its complaints go to a place that takes nothing."""
    program = f"import os, sys\n{output}\nfrom provider_conformance.__main__ import main\nmain()"
    return execute("-c", program, *arguments, cwd=cwd)


GONE = "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)"
FULL = "os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
CLOSED = "os.close(1); sys.stdout = None"
SAME, BETTER, WORSE = (CONFORMING, CONFORMING), (TEN_FAULTS, CONFORMING), (CONFORMING, TEN_FAULTS)


@pytest.mark.parametrize("reports", [SAME, BETTER])
@pytest.mark.parametrize(
    ("output", "code"), [("", 0), (GONE, 0), (FULL, 2), (CLOSED, 2)], ids=["", "gone", "full", "closed"]
)
def test_a_comparison_that_nobody_can_read_is_no_regression(
    output: str, code: int, reports: tuple[str, str], tmp_path: Path
) -> None:
    done = told_to(output, "compare", *reports, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "defect" not in done.stderr
    assert len(done.stderr.splitlines()) == (code == 2)


@pytest.mark.parametrize("output", ["", GONE, FULL, CLOSED], ids=["", "gone", "full", "closed"])
def test_a_regression_is_one_whether_or_not_anybody_reads_of_it(output: str, tmp_path: Path) -> None:
    done = told_to(output, "compare", *WORSE, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert ("output could not be written: No space" in done.stderr) == (output == FULL)


@pytest.mark.parametrize(("output", "code"), [(GONE, 0), (FULL, 2), (CLOSED, 2)], ids=["gone", "full", "closed"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", CONFORMING],
        ["replay", "copy", URL, "--token", SECRET],
        ["requirements"],
        ["spec"],
        ["--help"],
        ["run", "--help"],
        ["--version"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_no_command_turns_lost_output_into_a_verdict(
    arguments: list[str], output: str, code: int, tmp_path: Path
) -> None:
    shutil.copytree(CONFORMING, tmp_path / "copy")
    assert command(*arguments, cwd=tmp_path).returncode == 0
    done = told_to(output, *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("complaints", [output.replace(", 1)", ", 2)") for output in (GONE, FULL)])
def test_complaints_that_nobody_can_read_do_not_change_the_exit_code(complaints: str, tmp_path: Path) -> None:
    assert told_to("", "run", "--level", "none", cwd=tmp_path).returncode == 2
    assert told_to(complaints, "run", "--level", "none", cwd=tmp_path).returncode == 2
    assert told_to(complaints, "compare", *SAME, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("BrokenPipeError(32, 'Broken pipe')", "SystemExit"),  # which click makes of it
        ("SystemExit(1)", "SystemExit"),
        ("errors.RunEndedError('too early')", "too early"),
        ("BaseExceptionGroup('several', [SystemExit(1)])", "BaseExceptionGroup"),
    ],
)
def test_whatever_ends_another_command_is_no_verdict_either(raised: str, said: str, tmp_path: Path) -> None:
    spoilt = "from provider_conformance import compare, errors\ndef spoilt(*_): raise RAISED\ncompare.compare = spoilt"
    done = told_to(spoilt.replace("RAISED", raised), "compare", *SAME, cwd=tmp_path)
    assert done.returncode == 4
    assert said in done.stderr
    assert "This is a defect" in done.stderr


def test_output_survives_a_poor_encoding(tmp_path: Path) -> None:
    scenario = "def scenario(config, progress): return report(result(), diagnosis='caf\\u00e9 \\u2026')"
    done = run(scenario, cwd=tmp_path, PYTHONIOENCODING="ascii", NO_COLOR="1")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "caf\\xe9 \\u2026"


def test_the_first_line_tells_what_is_wrong_with_the_target(tmp_path: Path) -> None:
    gap = "result(Outcome.NOT_TESTED, reason='no answer')"
    scenario = f"def scenario(config, progress): return report({gap}, diagnosis='nothing listens there')"
    done = run(scenario, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout.splitlines()[0] == "nothing listens there"


# what the run is given


def test_options_reach_the_run(tmp_path: Path) -> None:
    scenario = "def scenario(config, progress): print(config, config.token); return report(result())"
    (tmp_path / "token").write_text(f"{SECRET}\r\n")
    arguments = ["--token-file", "token", "--seed", "7", "--max-time", "1.5", "--only", "create-1"]
    arguments += ["--only", "LIST", "--max-providers", "3", "--examples", "9", "--timeout", "2"]
    done = run(scenario, f"{URL}/", *arguments, cwd=tmp_path)
    assert done.returncode == 0
    for part in (
        f"base_url='{URL}'",
        "level=<Level.CORE: 'core'>",
        "seed=7",
        "max_time=1.5",
        "only=('CREATE-1', 'list')",
        "max_providers=3",
        "examples=9",
        "timeout=2.0",
        SECRET,
    ):
        assert part in done.stdout


def test_the_variable_is_not_for_the_embedded_reference(tmp_path: Path) -> None:
    scenario = "def scenario(config, progress): print(config.base_url, config.token); return report(result())"
    assert "None None" in run(scenario, cwd=tmp_path, PROVIDER_TOKEN=SECRET).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-time", "nan"], "no number of seconds"),
        (["--max-time", "inf"], "no number of seconds"),
        (["--max-time", "0"], "not in the range"),
        (["--timeout", "-1"], "not in the range"),
        (["--level", "advice"], "advice"),
        (["--seed", "x"], "not a valid integer"),
        (["--max-providers", "0"], "not in the range"),
        (["--examples", "0"], "not in the range"),
        (["--only", "CREATE-99"], "did you mean"),
        (["--only", "CREATE-7"], "add --level strict"),
        (["--token-file", "absent"], "cannot read the token file absent: No such file"),
        (["--no-such-option"], "No such option"),
        (["http://a", "http://b"], "unexpected extra argument"),
        ([URL], "PROVIDER_TOKEN"),
        (["ftp://host/api"], "must start with http:// or https://"),
    ],
)
def test_bad_usage_is_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = run("def scenario(config, progress): raise RuntimeError", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "provider-conformance-report").exists()


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["requirements", "explain"]])
def test_no_command_is_bad_usage(arguments: list[str], tmp_path: Path) -> None:
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Usage:" in done.stderr + done.stdout


# settings


@pytest.mark.parametrize(
    ("flag", "in_file", "variable", "expected"),
    [
        ("flag", "file\n", "variable", "flag"),
        (None, "file\n", "variable", "file"),
        (None, None, "variable", "variable"),
        (None, None, None, None),
        (None, None, "", None),
        (None, "file", None, "file"),
        (None, "file\r\n", None, "file"),
        ("two words", None, None, "two words"),
    ],
)
def test_a_flag_wins_over_a_file_and_a_file_over_the_environment(
    flag: str | None, in_file: str | None, variable: str | None, expected: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    if in_file is not None:
        path.write_bytes(in_file.encode())
    environment = {} if variable is None else {"PROVIDER_TOKEN": variable}
    assert token(flag, None if in_file is None else str(path), environment) == expected


@pytest.mark.parametrize(
    "text", ["", " a1b2c3", "a1b2c3 ", "a1b2\nc3", "a1b2\tc3", "a1b2c3\x7f", "a1b2é", "\ufeffa1b2"]
)
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(text: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(text.encode())
    for flag, file in ((text, None), (None, str(path))):
        with pytest.raises(UsageError) as refusal:
            token(flag, file, {})
        assert "a1b2" not in str(refusal.value)


def test_a_token_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "large", tmp_path / "binary"):
        with pytest.raises(UsageError):
            token(None, str(path), {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:8990/api/providers", "http://127.0.0.1:8990/api/providers"),
        ("https://pbx.example/api/", "https://pbx.example/api"),
        ("HTTP://[::1]:80", "HTTP://[::1]:80"),
    ],
)
def test_a_base_url_is_taken(text: str, expected: str) -> None:
    assert base_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:8990/api",
        "localhost:8990/api",
        "/api/providers",
        "ftp://host/api",
        "http://",
        "http:///api",
        "http://host:port/api",
        "http://host:0/api",
        "http://host:65536/api",
        "http://[::1/api",
        "http://user:hunter2@host/api",
        "http://:hunter2@host/api",
        "http://host/api?x=1",
        "http://host/api?",
        "http://host/api#",
        "http://host/a b",
        "http://host/api\n",
        "http://höst/api",
        "http://host/\x1b[2J",
    ],
)
def test_a_base_url_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="base URL") as refusal:
        base_url(text)
    assert "hunter2" not in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_only_takes_ids_operations_and_levels_once_and_in_any_letter_case() -> None:
    names = ["create-1", "Core", "LIST", "CREATE-1"]
    assert selection(names, load_catalogue(), Level.CORE) == ("CREATE-1", "core", "list")
    assert selection([], load_catalogue(), Level.CORE) == ()


def test_an_unknown_selection_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as refusal:
        selection(["craete"], load_catalogue(), Level.CORE)
    for part in ("did you mean create", "destroy", "hardened", "AUTH-1", "HTTP-10"):
        assert part in str(refusal.value)


def test_a_selection_beyond_the_level_is_no_success() -> None:
    """Otherwise a run that tests nothing would be asked for."""
    with pytest.raises(UsageError, match="--level strict"):
        selection(["CREATE-7"], load_catalogue(), Level.CORE)
    assert selection(["CREATE-7"], load_catalogue(), Level.STRICT) == ("CREATE-7",)


# the other commands


def test_help_is_quick_and_recommends_the_safer_ways_to_give_a_token(tmp_path: Path) -> None:
    program = (
        "import sys; from provider_conformance.cli import main; code = main(['run', '--help'])\n"
        "print([m for m in ('rich', 'hypothesis', 'schemathesis', 'pytest', 'sqlalchemy', 'uvicorn', "
        "'starlette', 'jsonschema_rs', 'pydantic', 'jinja2') if m in sys.modules], code)"
    )
    done = execute("-c", program, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[] 0"
    text = " ".join(done.stdout.split())
    assert "better use --token-file, or the environment variable PROVIDER_TOKEN" in text
    assert "Exit codes:" in text


def test_a_plain_install_says_what_to_install(tmp_path: Path) -> None:
    for absent in ("click", "rich"):  # nothing of the extra, and a part of it
        program = f"import sys; sys.modules[{absent!r}] = None\n"
        program += f"{RUN_WITH_A_HANDMADE_REPORT.replace('SCENARIO', CONFORMANT)}"
        done = execute("-c", program, "run", cwd=tmp_path)
        assert done.returncode == 2
        expected = f"provider-conformance: this needs {absent}; install it with: "
        assert done.stderr == f"{expected}pip install 'sip-provider-conformance[suite]'\n"


def test_requirements_are_listed_and_filtered(tmp_path: Path) -> None:
    everything = command("requirements", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in everything] == [r.id for r in load_catalogue()]
    some = command("requirements", "--level", "core", "--operation", "list", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[:3] for line in some] == [[f"LIST-{n}", "core", "list"] for n in range(1, 6)]


def test_every_requirement_can_be_explained(tmp_path: Path) -> None:
    readings = {reading.id: reading for reading in load_contract().readings}
    for requirement in load_catalogue():
        text = explanation(requirement, readings.values())
        flat = " ".join(text.split())
        assert " ".join(requirement.statement.split()) in flat
        for name in requirement.reading:
            assert " ".join(readings[name].reading.split()) in flat
        assert all(len(line) <= 160 for line in text.splitlines())
    done = command("requirements", "explain", "create-7", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("CREATE-7 (strict)\n")


def test_an_unknown_requirement_is_bad_usage(tmp_path: Path) -> None:
    done = command("requirements", "explain", "CRATE-7", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean CREATE-7" in done.stderr


def test_the_contract_is_printed_and_located(tmp_path: Path) -> None:
    text = command("spec", cwd=tmp_path).stdout
    path = Path(command("spec", "--path", cwd=tmp_path).stdout.rstrip("\n"))
    assert path.read_text("utf-8") == text
    assert re.search(r"^openapi: 3\.1", text, re.MULTILINE)


def test_serve_refuses_what_it_cannot_serve(tmp_path: Path) -> None:
    for arguments, said in (
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1 port 8990"),
        (["--token", " x"], "blank"),
        (["--port", "99999"], "not in the range"),
        (["--port", "0", "--database", "nonsense"], "cannot use the database"),
        (["--port", "0", "--database", "mysql://host/x"], "the database needs the Python package MySQLdb"),
    ):
        done = command("serve", *arguments, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_an_explanation_names_the_tests() -> None:
    for requirement in load_catalogue().up_to(Level.CORE):
        tests = list(find_tests(requirement.id))
        assert tests, requirement.id
        assert all(re.fullmatch(r"test_\w+\.py:\d+ test_\w+", test) for test in tests)
        assert tests[0] in explanation(requirement, load_contract().readings)
