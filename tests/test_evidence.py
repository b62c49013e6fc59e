"""What a run keeps judges it again: every report of the suite is verified, and none that was tampered with."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance import evidence
from provider_conformance.reference.server import Server, ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.verify import verify
from test_cleanup import command, everybody

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from command import Run
    from provider_conformance.reference.messages import Properties

FAULT = "create-truncates-names"
Lines = list[dict[str, Any]]
Report = dict[str, Any]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of a conformant run and of one with a fault, each with its evidence; the servers are gone by now."""
    folders = {}
    for name, faults, *part in (
        ("conformant", ()),
        ("nonconformant", (FAULT,), "--only", "CREATE-4", "--only", "LIST-1"),
    ):
        folder = tmp_path_factory.mktemp(name)
        with Server(token=TOKEN, faults=faults) as server:
            run = certify(folder, server.base_url, "--level", "core", "--implementation", "PBX", "--har", *part)
        assert run.report["verdict"] == name, run.output
        folders[name] = folder / "reports"
    return folders


@pytest.fixture
def copy(reports: dict[str, Path], tmp_path: Path) -> Path:
    """A report with a failure, to be tampered with."""
    return shutil.copytree(reports["nonconformant"], tmp_path / "copy")


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    return command("verify", str(folder), cwd=folder)


def report_in(folder: Path) -> Report:
    document: Report = json.loads((folder / "report.json").read_bytes())
    return document


def lines_in(folder: Path) -> Lines:
    return [json.loads(line) for line in gzip.decompress((folder / evidence.FILE_NAME).read_bytes()).splitlines()]


def put(folder: Path, *, report: Report | None = None, lines: Lines | None = None, named: bool = False) -> None:
    """Write a report and evidence back; `named` evidence is the one that the report names."""
    document = report_in(folder) if report is None else report
    if lines is not None:
        content = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
        (folder / evidence.FILE_NAME).write_bytes(content)
        if named:
            document["evidence"]["sha256"] = evidence.sha256(content)
    (folder / "report.json").write_text(json.dumps(document))


@pytest.mark.parametrize("name", ["conformant", "nonconformant"])
def test_reports_of_the_suite_are_verified_without_any_server(reports: dict[str, Path], name: str) -> None:
    done = verified(reports[name])
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"verified: {name} at level core follows from ")
    assert command("verify", str(reports[name] / "report.json"), cwd=reports[name]).returncode == 0


def test_evidence_that_was_only_packed_anew_is_still_the_same(copy: Path) -> None:
    put(copy, lines=lines_in(copy), named=True)
    assert verify(copy).discrepancies == ()


def test_each_discrepancy_is_a_line_and_the_exit_code_tells(copy: Path) -> None:
    report = report_in(copy)
    hide(report)
    put(copy, report=report)
    done = verified(copy)
    assert (done.returncode, done.stderr) == (1, "")
    assert all(line.startswith("DISCREPANCY ") for line in done.stdout.splitlines())
    assert 'DISCREPANCY /verdict is "conformant" in the report, where the evidence gives' in done.stdout


def failing(report: Report) -> dict[str, Any]:
    entry: dict[str, Any] = next(entry for entry in report["requirements"] if entry["outcome"] == "fail")
    return entry


def passing(report: Report) -> dict[str, Any]:
    entry: dict[str, Any] = next(entry for entry in report["requirements"] if entry["outcome"] == "pass")
    return entry


def hide(report: Report) -> None:
    for entry in report["requirements"]:
        if entry["outcome"] == "fail":
            entry.update(outcome="pass", failures=[], reason="")
    report.update(verdict="conformant", reached_level="core", readings={})


EDITED_REPORTS: dict[str, Callable[[Report], object]] = {
    "another verdict": lambda report: report.update(verdict="conformant"),
    "another level": lambda report: report.update(level="hardened"),
    "another reached level": lambda report: report.update(reached_level="core"),
    "failures hidden throughout": hide,
    "a failure removed": lambda report: failing(report).update(failures=[]),
    "a failure called known": lambda report: failing(report).update(outcome="known"),
    "a failure called not tested": lambda report: failing(report).update(outcome="not_tested"),
    "another summary": lambda report: failing(report)["failures"][0].update(summary="nothing of note"),
    "another expectation": lambda report: failing(report)["failures"][0].update(expected="anything"),
    "another actual value": lambda report: failing(report)["failures"][0].update(actual="as expected"),
    "another reproduction": lambda report: failing(report)["failures"][0].update(curl="curl http://elsewhere"),
    "fewer that failed alike": lambda report: failing(report)["failures"][0].update(alike=0),
    "another step": lambda report: failing(report)["failures"][0]["steps"][0].update(came="200 OK"),
    "another difference": lambda report: failing(report)["failures"][0]["differences"].clear(),
    "another hint": lambda report: failing(report)["failures"][0].update(hint="the suite is wrong"),
    "a requirement removed": lambda report: report["requirements"].remove(failing(report)),
    "a requirement added": lambda report: report["requirements"].append({**passing(report), "id": "CREATE-99"}),
    "another statement": lambda report: passing(report).update(statement="is nice"),
    "more evidence than there is": lambda report: passing(report).update(exchanges=10_000),
    "more controls than there were": lambda report: failing(report).update(controls=99),
    "another target": lambda report: report["target"].update(base_url="https://pbx.example/api/providers"),
    "another implementation": lambda report: report["target"].update(implementation="Another PBX"),
    "another version": lambda report: report["target"].update(version="2.0"),
    "another seed": lambda report: report.update(seed=1),
    "another option": lambda report: report["options"].update(max_providers=1),
    "another date": lambda report: report.update(finished="2031-01-01T00:00:00+00:00"),
    "another contract": lambda report: report["contract"].update(sha256="0" * 64),
    "another catalogue": lambda report: report["catalogue"].update(sha256="0" * 64),
    "another tool": lambda report: report["tool"].update(version="9.9.9"),
    "another fingerprint": lambda report: report["statistics"].update(requests_sha256="0" * 64),
    "faster answers": lambda report: report["statistics"]["operations"]["create"]["latency_ms"].update(p95=0.1),
    "other statuses": lambda report: report["statistics"]["operations"]["create"]["statuses"].update({"500": 1}),
    "nothing left behind": lambda report: report["cleanup"].update(created=0),
    "advice removed or added": lambda report: report["advice"].append("all is well"),
    "another diagnosis": lambda report: report.update(diagnosis="the proxy did it"),
    "the evidence of another run": lambda report: report["evidence"].update(sha256="0" * 64),
    "no evidence named": lambda report: report.update(evidence=None),
    "a member that there is not": lambda report: report.update(certified_by="us"),
    "a member removed": lambda report: report.pop("cleanup"),
}


@pytest.mark.parametrize("edited", EDITED_REPORTS)
def test_an_edited_report_is_refused(edited: str, copy: Path) -> None:
    report = report_in(copy)
    EDITED_REPORTS[edited](report)
    assert report != report_in(copy)
    put(copy, report=report)

    assert verify(copy).discrepancies


def answers(lines: Lines, operation: str) -> Lines:
    exchanges = [line["exchange"] for line in lines if "exchange" in line]
    return [one["response"] for one in exchanges if one["operation"] == operation and one.get("response")]


def violations(lines: Lines) -> Lines:
    return [line["claim"] for line in lines if "claim" in line and line["claim"]["problem"] is not None]


def forget(lines: Lines, kind: str, number: int = 1) -> None:
    """Remove some lines of a kind, and let the last line count what is left."""
    for line in [line for line in lines if kind in line][:number]:
        lines.remove(line)
    lines[-1]["end"][f"{kind}s"] -= number


def blank(lines: Lines) -> None:
    for claim in violations(lines):
        claim["problem"] = None


EDITED_EVIDENCE: dict[str, Callable[[Lines], object]] = {
    "violations called none": blank,
    "violations excused": lambda lines: [claim.update(excused=True) for claim in violations(lines)],
    "violations of another requirement": lambda lines: violations(lines)[0].update(requirement="LIST-9"),
    "a violation told otherwise": lambda lines: violations(lines)[0]["problem"].update(summary="nothing of note"),
    "another rule": lambda lines: violations(lines)[0].update(rule="accepted"),
    "a rule that there is not": lambda lines: violations(lines)[0].update(rule="system"),
    "other data for a rule": lambda lines: violations(lines)[0].update(arguments={"values": {}}),
    "data that no rule takes": lambda lines: violations(lines)[0].update(arguments={"x": 1}),
    "other exchanges for a claim": lambda lines: violations(lines)[0].update(exchanges=[1]),
    "exchanges that there are not": lambda lines: violations(lines)[0].update(exchanges=[10**6]),
    "statuses of answers": lambda lines: [one.update(status=500) for one in answers(lines, "show")[:40]],
    "bodies of answers": lambda lines: [one.update(body="{}") for one in answers(lines, "show")[:40]],
    "headers of answers": lambda lines: [one.update(headers=[]) for one in answers(lines, "list")[:40]],
    "a request": lambda lines: lines[5]["exchange"]["request"].update(target="/elsewhere"),
    "times": lambda lines: [line["exchange"].update(elapsed=0.001) for line in lines if "exchange" in line],
    "an exchange removed": lambda lines: forget(lines, "exchange"),
    "claims removed": lambda lines: forget(lines, "claim", 200),
    "an exchange twice": lambda lines: lines.insert(5, lines[5]),
    "the last line": lambda lines: lines.pop(),
    "the first line": lambda lines: lines.pop(0),
    "another run": lambda lines: lines[0]["run"].update(base_url="https://pbx.example/api/providers"),
    "another level": lambda lines: lines[0]["run"].update(level="strict"),
    "a level that there is not": lambda lines: lines[0]["run"].update(level="gold"),
    "fewer requirements selected": lambda lines: lines[0]["run"].update(selected=["CREATE-1"]),
    "a failure known": lambda lines: lines[0]["run"].update(known={"CREATE-4": "never mind"}),
    "another catalogue": lambda lines: lines[0]["run"].update(catalogue_sha256="0" * 64),
    "another contract": lambda lines: lines[0]["run"].update(contract_sha256="0" * 64),
    "another version of the file": lambda lines: lines[0].update(evidence_version="0.9"),
}


@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])
@pytest.mark.parametrize("edited", EDITED_EVIDENCE)
def test_edited_evidence_is_refused_also_where_the_report_names_it(edited: str, named: bool, copy: Path) -> None:
    lines = lines_in(copy)
    EDITED_EVIDENCE[edited](lines)
    assert lines != lines_in(copy)
    put(copy, lines=lines, named=named)

    assert verify(copy).discrepancies


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b""), gzip.compress(b"[]\n1\n"), gzip.compress(b"{}\n{}\n"), b"\x1f\x8b\x08"],
    ids=["nothing", "no gzip", "no lines", "no objects", "empty objects", "cut"],
)
def test_what_is_no_evidence_is_refused(content: bytes, copy: Path) -> None:
    (copy / evidence.FILE_NAME).write_bytes(content)
    assert len(verify(copy).discrepancies) == 2


def test_evidence_of_another_run_is_refused(reports: dict[str, Path], copy: Path) -> None:
    shutil.copy(reports["conformant"] / evidence.FILE_NAME, copy)
    assert verified(copy).returncode == 1
    (copy / evidence.FILE_NAME).unlink()
    assert "no evidence.jsonl.gz" in verified(copy).stdout


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "\x00"])
def test_what_is_no_report_is_bad_usage(text: str, copy: Path) -> None:
    (copy / "report.json").write_text(text)
    done = verified(copy)
    assert done.returncode == 2
    assert "is no report" in done.stderr


def replayed(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return command("replay", str(folder), url, *options, cwd=folder)


def test_a_failure_is_replayed_on_the_system_that_has_it_and_on_one_that_has_not(copy: Path) -> None:
    with Server(token=TOKEN, faults=[FAULT]) as server:
        still = replayed(copy, server.base_url)
        assert everybody(server) == []
    with Server(token=TOKEN) as server:
        mended = replayed(copy, server.base_url, "--failure", "1")
        assert everybody(server) == []
        none = replayed(copy, server.base_url, "--failure", "99")

    assert (still.returncode, mended.returncode, none.returncode) == (1, 0, 2), still.stdout + mended.stdout
    assert re.match(r"1\. CREATE-4 still fails: .*name", still.stdout)
    assert re.match(r"1\. CREATE-4 no longer fails: .*name", mended.stdout)


def test_a_replay_touches_nothing_of_others(copy: Path) -> None:
    from test_cleanup import ask, provider  # noqa: PLC0415 - only here

    with Server(token=TOKEN, faults=[FAULT]) as server:
        # Their ids are those that the recorded run had.
        for number in range(120):
            ask(server, "create", provider(f"Office {number}"))
        before = everybody(server)
        assert replayed(copy, server.base_url).returncode == 1
        assert everybody(server) == before


def test_a_target_that_is_away_tells_nothing(copy: Path) -> None:
    done = replayed(copy, "http://127.0.0.1:1/api/providers")
    assert done.returncode == 3
    assert "cannot tell" in done.stdout


def test_two_reports_are_compared(reports: dict[str, Path], tmp_path: Path) -> None:
    good, bad = (str(reports[name]) for name in ("conformant", "nonconformant"))
    worse, better, same = (command("compare", *pair, cwd=tmp_path) for pair in ((good, bad), (bad, good), (bad, bad)))
    assert (worse.returncode, better.returncode, same.returncode) == (1, 0, 0)
    assert "worse  CREATE-4   pass -> fail: show gives back" in worse.stdout
    assert "better CREATE-4   fail -> pass" in better.stdout
    assert worse.stdout.splitlines()[-1].startswith("level reached: core -> none; ")
    assert same.stdout.splitlines()[-1].endswith("0 requirements differ")


def test_the_archive_is_one_that_others_read(reports: dict[str, Path]) -> None:
    """HAR 1.2: every member that the format demands, and an entry an exchange."""
    archive = json.loads((reports["nonconformant"] / "exchanges.har").read_text())["log"]
    assert archive["version"] == "1.2"
    assert len(archive["entries"]) == report_in(reports["nonconformant"])["statistics"]["exchanges"]
    for entry in archive["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()
        assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= set(
            entry["request"]
        )
        assert {"status", "statusText", "content", "redirectURL", "headers", "cookies"} <= entry["response"].keys()
        assert entry["request"]["url"].startswith("http://127.0.0.1")
    assert TOKEN not in json.dumps(archive)


def known(folder: Path, text: str, *options: str, faults: tuple[str, ...] = (FAULT,)) -> Run:
    """Certify CREATE-4 with a file of known failures."""
    file = folder / "known.toml"
    file.write_text(text)
    with Server(token=TOKEN, faults=faults) as server:
        return certify(folder, server.base_url, "--only", "CREATE-4", "--known-failures", str(file), *options)


def test_a_known_failure_is_shown_as_one_and_stays_a_failure(tmp_path: Path) -> None:
    run = known(tmp_path, '[CREATE-4]\nreason = "the column is widened in 2.1"\nexpires = 2099-01-31\n')
    assert run.code == 1
    assert run.ids("known") == {"CREATE-4"}
    assert run.report["verdict"] == "nonconformant"
    assert "KNOWN TO FAIL CREATE-4" in run.output
    assert "the column is widened in 2.1 (until 2099-01-31)" in run.output
    assert verified(tmp_path / "reports").returncode == 0


def test_a_known_failure_that_holds_is_an_error(tmp_path: Path) -> None:
    run = known(tmp_path, '[CREATE-4]\nreason = "soon"\n', faults=())
    assert "STALE CREATE-4 is listed as known to fail, and holds now" in run.output
    assert run.report["verdict"] != "conformant"
    assert run.code in {2, 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[CREATE-77]\nreason = "x"', "no such requirement"),
        ("[CREATE-4]", "needs a reason"),
        ('[CREATE-4]\nreason = " "', "needs a reason"),
        ('[CREATE-4]\nreason = "x"\nexpires = 2020-01-01', "has expired on 2020-01-01"),
        ('[CREATE-4]\nreason = "x"\nexpires = "soon"', "expires on a date"),
        ('[CREATE-4]\nreason = "x"\nuntil = 2099-01-01', "nothing else"),
        ('CREATE-4 = "x"', "nothing else"),
        ("[", "is no TOML"),
    ],
)
def test_a_file_of_known_failures_that_is_wrong_is_bad_usage(text: str, said: str, tmp_path: Path) -> None:
    run = known(tmp_path, text)
    assert run.code == 2
    assert said in run.output
    assert run.report == {}


def test_a_baseline_is_written_once_and_then_kept_to(tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.toml"
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    options = ("--only", "CREATE-4", "--only", "CREATE-1", "--baseline", str(baseline))
    with Server(token=TOKEN, faults=[FAULT]) as server:
        first = certify(folders[0], server.base_url, *options)
        assert baseline.read_text().count("[CREATE-4]") == 1
        second = certify(folders[1], server.base_url, *options)
    with Server(token=TOKEN) as server:
        third = certify(folders[2], server.base_url, *options)
    assert (first.code, second.code) == (1, 1)
    assert (first.ids("fail"), second.ids("known")) == ({"CREATE-4"}, {"CREATE-4"})
    assert "STALE CREATE-4" in third.output
    assert third.code != 0


class LongWinded(Reference):
    """Answers at such length that no answer is kept whole."""

    def rendered_provider(self, provider: Properties) -> Any:
        return {**provider, "history": "x" * 300_000}


def test_what_rests_on_answers_that_were_not_kept_is_not_called_verified(tmp_path: Path) -> None:
    with ThreadServer(LongWinded(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "CREATE-4", "--level", "core")
    assert run.ids("pass") == {"CREATE-4"}, run.told()
    done = verified(tmp_path / "reports")
    assert done.returncode == 3, done.stdout
    assert re.match(r"NOT VERIFIED: \d+ judgements rest on answers that were too long to be kept", done.stdout)
