"""Renderings of a report: complete, readable by machines, harmless to look at."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import stat
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from rich.console import Console

from handmade import FAILURE, STARTED, report, result
from provider_conformance.config import Config, UsageError
from provider_conformance.contract import Level, Operation, Reading
from provider_conformance.reports import html_report, json_report, junit
from provider_conformance.reports.console import ConsoleProgress, show_report, verdict_line
from provider_conformance.reports.files import prepare, write_private
from provider_conformance.reports.inert import inert, inert_lines
from provider_conformance.reports.stream import TolerantStream
from provider_conformance.verdict import Cleanup, ExitCode, Outcome, Report

READERS = xmlschema.XMLSchema(str(Path(__file__).parent / "data" / "junit.xsd"))
HOSTILE = "\x1b[2J\x07\u202e\u2066]]>&<b a='\"'>\x00\ufffe\ud800\r\nverdict: conformant [bold]x[/] \U0001f600é\x9b"
MANY = [
    report(result()),
    report(),
    report(result(Outcome.FAIL)),
    report(result(Outcome.KNOWN)),
    report(result(Outcome.ERROR), level=Level.STRICT),
    report(result(), result(Outcome.NOT_TESTED, "UPDATE-1"), level=Level.HARDENED),
    report(result(Outcome.NOT_TESTED), diagnosis=HOSTILE, advice=(HOSTILE,)),
    report(result(Outcome.FAIL, failures=(dataclasses.replace(FAILURE, summary=HOSTILE, actual=HOSTILE),))),
    report(result(Outcome.ERROR, reason=HOSTILE), cleanup=Cleanup(3, 1, (2**63 - 1, -(2**63)))),
]


def reread(made: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_report.render(made).decode("utf-8"))
    return document


def cases(made: Report) -> dict[str, ET.Element]:
    """Read junit.xml as a CI server does."""
    root = ET.fromstring(junit.render(made))
    return {case.attrib["name"].split()[0]: case for case in root.iter("testcase")}


def shown(made: Report) -> str:
    text = io.StringIO()
    console = Console(file=text, width=100, markup=False, highlight=False, emoji=False, soft_wrap=True)
    show_report(console, made)
    console.print(verdict_line(made))
    return text.getvalue()


# report.json


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_report.schema())


@pytest.mark.parametrize("made", MANY)
def test_reports_follow_their_schema(made: Report) -> None:
    jsonschema.Draft202012Validator(json_report.schema()).validate(reread(made))


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "green"},
        {"reached_level": "advice"},
        {"unknown": 1},
        {"requirements": []},
        {"requirements": [{"id": "CREATE-1", "outcome": "pass"}]},
        {"contract": {"version": "1", "sha256": "?"}},
    ],
)
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    document = reread(report(result())) | change
    assert not jsonschema.Draft202012Validator(json_report.schema()).is_valid(document)


def test_a_pass_without_evidence_is_no_report() -> None:
    document = reread(report(result(exchanges=0)))
    assert not jsonschema.Draft202012Validator(json_report.schema()).is_valid(document)


def test_report_json_says_everything() -> None:
    made = report(
        result(Outcome.FAIL, controls=2),
        advice=("no-store is missing",),
        diagnosis="the target is slow",
        cleanup=Cleanup(created=4, destroyed=3, left=(9_007_199_254_740_993,)),
    )
    document = reread(made)
    assert document["duration_s"] == 2.1
    assert document["started"] == "2026-01-01T12:00:00+00:00"
    assert document["tool"] == {"name": "sip-provider-conformance", "version": "0.1.0"}
    assert document["target"] == {"base_url": made.base_url, "implementation": "", "version": ""}
    assert document["evidence"] is None
    assert document["options"]["only"] == []
    assert (document["verdict"], document["reached_level"]) == ("nonconformant", None)
    assert document["advice"] == ["no-store is missing"]
    assert document["diagnosis"] == "the target is slow"
    assert document["cleanup"] == {"created": 4, "destroyed": 3, "left": [9_007_199_254_740_993]}
    assert document["statistics"]["exchanges"] == 812
    assert document["statistics"]["operations"]["create"]["statuses"] == {"200": 12}
    (entry,) = document["requirements"]
    assert {key: entry[key] for key in ("id", "level", "operation", "outcome", "exchanges", "controls")} == {
        "id": "CREATE-1",
        "level": "core",
        "operation": "create",
        "outcome": "fail",
        "exchanges": 5,
        "controls": 2,
    }
    (failure,) = entry["failures"]
    assert failure == {
        "summary": FAILURE.summary,
        "expected": FAILURE.expected,
        "actual": FAILURE.actual,
        "exchanges": [7, 8],
        "curl": "\n".join(FAILURE.curl),
        "steps": [{"exchange": step.exchange, "sent": step.sent, "came": step.came} for step in FAILURE.steps],
        "differences": [{"property": "hostname", "expected": '"b.example.net"', "actual": '"a.example.net"'}],
        "alike": 3,
        "hint": "a cache",
        "rule": "shows_update",
    }


def test_secrets_by_name_are_masked_in_options() -> None:
    text = json_report.render(report(result(), options={"token": "s3cret", "token-file": "s3cret", "seed": 1}))
    assert b"s3cret" not in text
    assert json.loads(text)["options"] == {"token": "[masked]", "token-file": "[masked]", "seed": 1}


def test_report_json_is_strict_json() -> None:
    """Neither lone surrogates nor NaN, on which strict readers choke."""
    made = report(result(Outcome.ERROR, reason="\ud800"), options={"x": float("nan"), "y": float("inf")})
    document = reread(made)
    assert document["options"] == {"x": None, "y": None}
    assert document["requirements"][0]["reason"] == "\\ud800"


def test_files_are_private_and_replaced_as_a_whole(tmp_path: Path) -> None:
    for form in (json_report, junit, html_report):
        path = tmp_path / form.FILE_NAME
        path.write_text("old")
        path.chmod(0o644)
        assert form.write(report(result()), tmp_path) == path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_bytes() == form.render(report(result()))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["junit.xml", "report.html", "report.json"]


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    (tmp_path / "report.json").symlink_to(elsewhere)
    json_report.write(report(result()), tmp_path)
    assert elsewhere.read_text() == "untouched"
    assert not (tmp_path / "report.json").is_symlink()


def test_a_write_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "report.json", b"{}")
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_reports_of_an_earlier_run_are_gone_before_the_next(tmp_path: Path) -> None:
    """A run that is killed must not leave its predecessor's verdict as its own; other files stay."""
    for name in ("report.json", "junit.xml", "report.html", "journal.jsonl"):
        (tmp_path / name).write_text("old")
    prepare(tmp_path, ("report.json", "junit.xml", "report.html"))
    assert [p.name for p in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_directory_that_cannot_be_written_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="--report-dir"):
            prepare(place, ())


# junit.xml


@pytest.mark.parametrize("made", MANY)
def test_junit_is_well_formed_and_counts_right(made: Report) -> None:
    root = ET.fromstring(junit.render(made))
    assert root.tag == "testsuites"
    for counted in (root, *root.iter("testsuite")):
        found = [*counted.iter("testcase")]
        assert int(counted.attrib["tests"]) == len(found)
        for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            if counted is not root or kind != "skipped":  # which Jenkins does not allow there
                assert int(counted.attrib[attribute]) == sum(case.find(kind) is not None for case in found)


@pytest.mark.parametrize("made", MANY)
def test_junit_is_what_its_readers_take(made: Report) -> None:
    """GitHub, GitLab and Jenkins; the schema says what each of them asks for."""
    faults = [str(fault) for fault in READERS.iter_errors(io.BytesIO(junit.render(made)))]
    assert faults == []


def test_the_schema_of_junit_notices_what_a_reader_would_not_take() -> None:
    text = junit.render(report(result(), result(Outcome.FAIL, "CREATE-2"))).decode()
    for right, wrong in (
        ('skipped="0"', ""),
        ("CREATE-2 ", "CREATE-1 "),  # two cases of one name, of which readers take the first
        ('time="0"', 'time="-1"'),
        ("provider-conformance.core", "core"),
        ('tests="3"', 'tests="0"'),
        ("<failure ", "<blame "),
    ):
        assert right in text
        spoilt = text.replace(right, wrong).replace("</failure>", "</blame>" if "<blame" in wrong else "</failure>")
        assert not READERS.is_valid(io.BytesIO(spoilt.encode())), wrong


def test_a_clock_that_is_set_back_does_not_spoil_junit() -> None:
    made = report(result(), finished=STARTED - timedelta(hours=1))
    assert READERS.is_valid(io.BytesIO(junit.render(made)))


def test_gitlab_finds_reasons_in_the_text_and_advice_in_a_case() -> None:
    made = cases(report(result(Outcome.NOT_TESTED), advice=("page_count is off",)))
    assert made["CREATE-1"].findtext("skipped") == "not tested: create is refused, so there is nothing to update"
    assert made["verdict"].findtext("error") == "incomplete at level core"
    assert made["verdict"].findtext("system-out") == "page_count is off"


@pytest.mark.parametrize("made", MANY)
def test_junit_is_green_exactly_beside_exit_code_0(made: Report) -> None:
    """Readers look at failure and error elements, and count skipped cases as fine."""
    root = ET.fromstring(junit.render(made))
    red = [*root.iter("failure"), *root.iter("error")]
    assert (not red) == (made.exit_code is ExitCode.CONFORMANT)
    assert len(list(root.iter("testcase"))) >= 1


def test_a_failure_is_a_failure_element_with_its_evidence() -> None:
    case = cases(report(result(Outcome.FAIL)))["CREATE-1"]
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == FAILURE.summary
    for part in (FAILURE.expected, FAILURE.actual, FAILURE.curl[0], "3 other inputs failed alike"):
        assert part in (failure.text or "")


def test_a_failure_without_details_is_a_failure_element_all_the_same() -> None:
    assert cases(report(result(Outcome.FAIL, failures=())))["CREATE-1"].find("failure") is not None


def test_a_known_failure_is_not_green() -> None:
    failure = cases(report(result(Outcome.KNOWN)))["CREATE-1"].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "known nonconformance"


def test_a_skipped_mandatory_case_stands_beside_a_red_verdict() -> None:
    made = cases(report(result(), result(Outcome.NOT_TESTED, "UPDATE-1")))
    skipped = made["UPDATE-1"].find("skipped")
    assert skipped is not None
    assert "nothing to update" in skipped.attrib["message"]
    error = made["verdict"].find("error")
    assert error is not None
    assert error.attrib["type"] == "incomplete"


def test_the_verdict_case_fails_on_nonconformant_and_errs_on_a_defect() -> None:
    assert cases(report(result()))["verdict"].find("*") is None
    assert cases(report(result(Outcome.FAIL)))["verdict"].find("failure") is not None
    error = cases(report(result(Outcome.ERROR)))["verdict"].find("error")
    assert error is not None
    assert error.attrib["type"] == "defect of the suite"


def test_advice_and_higher_levels_are_no_cases() -> None:
    made = report(result(), result(Outcome.FAIL, "LIST-9", Level.ADVICE), advice=("page_count is off",))
    assert set(cases(made)) == {"CREATE-1", "verdict"}
    assert ET.fromstring(junit.render(made)).findtext(".//system-out") == "page_count is off"


def test_junit_names_the_run() -> None:
    root = ET.fromstring(junit.render(report(result(), seed=42)))
    properties = {p.attrib["name"]: p.attrib["value"] for p in root.iter("property")}
    assert (properties["level"], properties["seed"], properties["verdict"]) == ("core", "42", "conformant")


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x85, 0x2028, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x1FFFE])
def test_junit_takes_any_character(code: int) -> None:
    text = f"a{chr(code)}b"
    made = report(result(Outcome.FAIL, failures=(dataclasses.replace(FAILURE, summary=text, actual=text),)))
    failure = cases(made)["CREATE-1"].find("failure")
    assert failure is not None
    assert re.fullmatch(r"a(\\\w+)b", failure.attrib["message"])


# inert text


def test_inert_text_neither_acts_nor_hides() -> None:
    text = inert(HOSTILE)
    assert text.isprintable()
    assert "\\x1b[2J" in text
    assert "\\u202e" in text
    assert "\U0001f600é" in text


def test_every_character_becomes_inert() -> None:
    for code in range(0x110000):
        shown_as = inert(chr(code))
        assert shown_as.isprintable(), hex(code)
        assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown_as)


def test_inert_text_can_be_cut() -> None:
    assert inert("abcdef", 3) == "abc… (3 more characters)"
    assert inert("abc", 3) == "abc"


def test_inert_lines_keep_their_breaks() -> None:
    assert inert_lines("a\r\nb\x1b\nc\rd") == "a\nb\\x1b\nc\\rd"


# the console


@pytest.mark.parametrize("made", MANY)
def test_the_console_shows_hostile_text_as_text(made: Report) -> None:
    text = shown(made)
    assert all(c.isprintable() or c == "\n" for c in text)
    assert not [line for line in text.splitlines()[:-1] if line.startswith("verdict:")]


def test_the_verdict_is_the_last_line() -> None:
    assert shown(report(result())).splitlines()[-1] == ("verdict: conformant (level core), 812 exchanges in 2.1 s")
    higher = report(result(), result(Outcome.FAIL, "S-1", Level.STRICT), level=Level.STRICT)
    assert shown(higher).splitlines()[-1].startswith("verdict: nonconformant (level strict; level core holds)")


def test_a_failure_is_told_in_full() -> None:
    first_step, second_step = FAILURE.steps
    long = dataclasses.replace(first_step, curl="curl " + "x" * 300)
    told = dataclasses.replace(FAILURE, steps=(long, dataclasses.replace(second_step, curl="curl again")))
    readings = (Reading("D12", "no status of success is named", "success is exactly 200"),)
    lines = shown(report(result(Outcome.FAIL, failures=(told,)), readings=readings)).splitlines()
    (first,) = (n for n, line in enumerate(lines) if line.startswith("FAILED"))
    assert lines[first : first + 13] == [
        "FAILED CREATE-1 (core) show gives the hostname of before the update",
        "  required      an implementation answers a complete, plausible create with 200",
        "  sent          GET /api/providers/show?id=7",
        "  expected      hostname 'b.example.net'",
        "  actual        hostname 'a.example.net'",
        '  came          200 OK {"hostname": "a.example.net"}',
        '  differs       hostname: expected "b.example.net", got "a.example.net"',
        "  usual cause   a cache",
        "  alike         3 other inputs failed alike",
        "  source        Create provider, Responses",
        "  read as D12   success is exactly 200 (documented: no status of success is named)",
        "  repeat        curl " + "x" * 300,
        "                curl again",
    ]


def test_what_is_said_of_a_requirement_is_said_with_its_first_failure_alone() -> None:
    other = dataclasses.replace(FAILURE, summary="show gives another port")
    lines = shown(report(result(Outcome.FAIL, failures=(FAILURE, other)))).splitlines()
    labels = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert labels.count("required") == labels.count("source") == 1
    assert labels.count("expected") == labels.count("repeat") == 2


def test_a_failure_without_details_is_told_all_the_same() -> None:
    assert "FAILED CREATE-1 (core) answers a complete" in shown(report(result(Outcome.FAIL, failures=())))


def test_the_reason_why_a_failure_is_known_is_told() -> None:
    text = shown(report(result(Outcome.KNOWN, reason="the next release brings it")))
    assert "KNOWN TO FAIL CREATE-1 (core) show gives" in text
    assert "  known: the next release brings it" in text


def test_the_summary_counts_by_operation() -> None:
    made = report(
        result(),
        result(Outcome.FAIL, "CREATE-2"),
        result(Outcome.NOT_TESTED, "AUTH-1", operation=Operation.ALL),
    )
    lines = [line.split() for line in shown(made).splitlines()]
    assert ["operation", "passed", "failed", "not", "tested", "exchanges", "p95", "ms"] in lines
    assert ["create", "1", "1", "0", "12", "2.5"] in lines
    assert ["all", "0", "0", "1"] in lines
    assert ["total", "1", "1", "1", "812"] in lines


def test_gaps_are_grouped_by_reason() -> None:
    gaps = [result(Outcome.NOT_TESTED, f"UPDATE-{n}", reason="create fails") for n in range(3)]
    text = shown(report(result(Outcome.FAIL), gaps))
    assert text.count("create fails") == 1
    assert "3: UPDATE-0, UPDATE-1, UPDATE-2" in text


def test_what_was_left_behind_is_named() -> None:
    text = shown(report(result(), cleanup=Cleanup(created=3, destroyed=1, left=(2**63 - 1, 5))))
    assert f"LEFT BEHIND 2 providers that could not be destroyed (created 3, destroyed 1); ids: {2**63 - 1}, 5" in text


def test_a_defect_of_ours_is_not_blamed_on_the_target() -> None:
    text = shown(report(result(Outcome.ERROR, reason="KeyError: 'x'")))
    assert "DEFECT of this suite in what tests CREATE-1: KeyError: 'x'" in text
    assert "says nothing about the target" in text


class Clock:
    """A time that moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def listener() -> tuple[io.StringIO, Clock, ConsoleProgress]:
    text, clock = io.StringIO(), Clock()
    return text, clock, ConsoleProgress(TolerantStream(text), clock)


def test_the_first_line_is_the_diagnosis() -> None:
    text, _, progress = listener()
    with progress:
        progress.target("http://127.0.0.1:1", embedded=False)
        progress.note("a remark")
        progress.diagnosis("nothing listens at 127.0.0.1:1")
        progress.requirement_finished(result(Outcome.NOT_TESTED))
        progress.diagnosis("nothing listens at 127.0.0.1:1")  # once more, from the report
    assert text.getvalue().splitlines() == [
        "nothing listens at 127.0.0.1:1",
        "certifying http://127.0.0.1:1",
        "note: a remark",
    ]


def test_without_a_diagnosis_the_first_line_is_the_target() -> None:
    text, clock, progress = listener()
    with progress:
        progress.target("http://127.0.0.1:1", embedded=True)
        progress.plan(2, Config(level=Level.CORE))
        progress.requirement_started("CREATE-1")
        progress.requirement_finished(result())
        progress.exchanged(10)
        clock.now = 20.0
        progress.exchanged(40)
        progress.exchanged(41)
        progress.requirement_finished(result(Outcome.FAIL, "CREATE-2"))
        progress.cleaning(1)
    assert text.getvalue().splitlines() == [
        "certifying the embedded reference implementation at http://127.0.0.1:1",
        "2 requirements up to level core",
        "creates, changes and destroys providers of its own, 8 at a time; some 2,200 requests, 40,000 at most; "
        "7,230 s at most",
        "… 1 of 2 requirements, 40 exchanges (2/s), 20.0 s",
        "fail CREATE-2 show gives the hostname of before the update",
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"only": ("SHOW-1",)}, "creates, changes and destroys providers of its own, 8 at a time; requests: "),
        ({"read_only": True}, "creates nothing; requests: "),
    ],
)
def test_how_many_requests_a_part_of_a_run_sends_is_not_guessed(settings: dict[str, Any], told: str) -> None:
    text, _, progress = listener()
    with progress:
        progress.plan(1, Config(**settings))
    assert text.getvalue().splitlines() == [
        "1 requirement up to level hardened",
        f"{told}40,000 at most; 7,230 s at most",
    ]


class Terminal(io.StringIO):
    """A text stream that a person watches."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_live_line_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("TTY_INTERACTIVE", raising=False)
    text = Terminal()
    with ConsoleProgress(TolerantStream(text)) as progress:
        progress.target("http://127.0.0.1:1", embedded=False)
        progress.plan(2, Config(level=Level.CORE))
        progress.requirement_started("CREATE-1")
        progress.requirement_finished(result())
    assert "1 of 2 requirements" in text.getvalue()
    assert text.getvalue().endswith("\x1b[2K")  # the line is erased


class Broken(io.StringIO):
    """A text stream whose reader has gone."""

    def write(self, text: str, /) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_broken_output_does_not_interrupt_a_run() -> None:
    stream = TolerantStream(Broken())
    with ConsoleProgress(stream) as progress:
        progress.diagnosis("x")
        show_report(progress.console, MANY[2])
    assert isinstance(stream.broken, BrokenPipeError)
