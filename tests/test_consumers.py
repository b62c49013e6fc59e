"""What runs the consumers of the contract: it believes none that fails, that warns or that was not run.

Its consumers are small: the generators themselves take minutes, and are run by `nox -s consumers`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consumers import driver
from consumers.__main__ import CONSUMERS
from consumers.clients import told_by_openapi_python_client
from consumers.results import BrokenError, Consumer, Findings, Known, Outcome, Workshop
from consumers.servers import EMPTY_HANDLER, as_openapi_30
from consumers.workbench import free_port, run, served
from provider_conformance.contract import load_contract

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumers.results import Result

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "openapi" / "openapi.yaml"
PAGE = ROOT / "docs" / "consumers.md"

READS = "import pathlib, sys; print(pathlib.Path(sys.argv[1]).read_text('utf-8').count('operationId: '))"
WARNS = "print('generated'); print('WARNING: ports have no range')"
NO_RANGES = Known("ports have no range", "None is documented.")


def printed_by(program: str, workshop: Workshop) -> str:
    return run([sys.executable, "-c", program, workshop.contract], cwd=workshop.folder)


def reads(workshop: Workshop) -> Findings:
    """Take the contract without a word."""
    (workshop.folder / "made").mkdir()  # fails in a folder that is not new
    return Findings(f"names {printed_by(READS, workshop).strip()} operations")


def warns(workshop: Workshop) -> Findings:
    """Take the contract, but complain of it."""
    lines = printed_by(WARNS, workshop).splitlines()
    return Findings("generated", tuple(line for line in lines if "WARNING" in line))


def fails(workshop: Workshop) -> Findings:
    """Do not take the contract."""
    return Findings(printed_by("import sys; sys.exit('no such version: 3.1.0')", workshop))


def breaks(_workshop: Workshop) -> Findings:
    """Be wrong itself."""
    raise ZeroDivisionError("somewhere")


def consumer(name: str, check: Callable[[Workshop], Findings], **more: tuple[Known, ...] | tuple[str, ...]) -> Consumer:
    return Consumer(name, "1.0", "nothing", "little", check, **more)  # type: ignore[arg-type]


def results(tmp_path: Path, *consumers: Consumer) -> list[Result]:
    return list(driver.run(consumers, CONTRACT, tmp_path))


def test_a_consumer_that_takes_the_contract_passes_again_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        (result,) = results(tmp_path, consumer("reader", reads))
        assert (result.outcome, result.came_out) == (Outcome.PASSED, "names 8 operations")  # five, and three links
        assert driver.exit_code([result]) == 0


def test_a_consumer_that_fails_fails_the_run_and_is_quoted(tmp_path: Path) -> None:
    found = results(tmp_path, consumer("refuser", fails), consumer("reader", reads))
    assert [result.outcome for result in found] == [Outcome.FAILED, Outcome.PASSED]
    assert "exits with 1: no such version: 3.1.0" in found[0].came_out
    assert driver.exit_code(found) == 1


def test_a_check_that_breaks_is_told_and_does_not_keep_others_from_being_run(tmp_path: Path) -> None:
    found = results(tmp_path, consumer("broken", breaks), consumer("reader", reads))
    assert [result.outcome for result in found] == [Outcome.FAILED, Outcome.PASSED]
    assert "the check itself broke" in found[0].came_out
    assert "ZeroDivisionError: somewhere" in found[0].came_out


def test_only_a_warning_with_a_reason_passes(tmp_path: Path) -> None:
    new, known = results(tmp_path, consumer("new", warns), consumer("known", warns, known_warnings=(NO_RANGES,)))
    assert new.outcome is Outcome.FAILED
    assert new.came_out == "generated; new warning: WARNING: ports have no range"
    assert known.outcome is Outcome.PASSED
    assert driver.line(known) == "passed   known 1.0: generated; known warnings: 1"


def test_a_reason_for_a_warning_that_no_longer_comes_fails(tmp_path: Path) -> None:
    (result,) = results(tmp_path, consumer("reader", reads, known_warnings=(NO_RANGES,)))
    assert result.outcome is Outcome.FAILED
    assert result.came_out.endswith("known warning that no longer comes: ports have no range")


@pytest.mark.parametrize(
    ("failures", "complaints"),
    [
        (("CREATE-10",), []),
        (("CREATE-10", "AUTH-1"), ["fails AUTH-1"]),
        ((), ["known to fail, but does not: CREATE-10"]),
        (("CREATE-1",), ["fails CREATE-1", "known to fail, but does not: CREATE-10"]),
    ],
)
def test_a_server_fails_what_it_is_known_to_fail_and_nothing_else(
    tmp_path: Path, failures: tuple[str, ...], complaints: list[str]
) -> None:
    server = consumer(
        "server", lambda _: Findings("started", failures=failures), known_failures=(Known("CREATE-10", "It is lax."),)
    )
    (result,) = results(tmp_path, server)
    assert result.came_out.split("; ") == ["started", *complaints]
    assert result.outcome is (Outcome.FAILED if complaints else Outcome.PASSED)


def test_what_lacks_its_tool_is_skipped_and_never_passed(tmp_path: Path) -> None:
    skipped, run_all_the_same = results(
        tmp_path,
        consumer("skipped", reads, needs=("no-such-tool", Path(sys.executable).name)),
        consumer("reader", reads, needs=(sys.executable,)),
    )
    assert (skipped.outcome, skipped.came_out) == (Outcome.SKIPPED, "not run: no-such-tool not found")
    assert run_all_the_same.outcome is Outcome.PASSED
    assert driver.exit_code([skipped, run_all_the_same]) == 0
    assert driver.exit_code([skipped]) == 1  # nothing was run, so nothing is proved
    assert "| skipped | not run: no-such-tool not found |" in driver.page([skipped])


def test_the_page_has_every_reason(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        consumer("warner", warns, known_warnings=(NO_RANGES,)),
        consumer(
            "server", lambda _: Findings("a | b", (), ("HTTP-2",)), known_failures=(Known("HTTP-2", "So it is."),)
        ),
    )
    page = driver.page(found)
    assert "| warner | 1.0 | nothing | little | passed | generated |" in page
    assert "| warner | `ports have no range` | None is documented. |" in page
    assert r"| server | 1.0 | nothing | little | passed | a \| b |" in page
    assert "| server | `HTTP-2` | So it is. |" in page


def test_the_page_in_the_repository_is_of_these_versions() -> None:
    """What is stale is written anew by `nox -s consumers`."""
    page = PAGE.read_text("utf-8")
    assert page.startswith(driver.HEADING)
    for one in CONSUMERS:
        assert f"| {one.name} | {one.version} | {one.makes} | {one.checked} | passed |" in page
        for known in (*one.known_warnings, *one.known_failures):
            assert f"| {one.name} | `{known.what}` | {known.reason} |" in page


def test_consumers_are_selected_by_name() -> None:
    first, second = consumer("first", reads), consumer("second", reads)
    assert driver.selected((first, second), ()) == (first, second)
    assert driver.selected((first, second), ("second",)) == (second,)
    with pytest.raises(driver.UnknownConsumerError, match="third"):
        driver.selected((first, second), ("second", "third"))


def test_a_name_that_nobody_has_is_bad_usage(tmp_path: Path) -> None:
    paths = [ROOT / "tools", ROOT / "conformance", ROOT / "generated"]
    ended = subprocess.run(
        [sys.executable, "-m", "consumers", "--folder", tmp_path, "nobody"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "no consumer is called nobody" in ended.stderr


def test_a_server_runs_while_it_is_needed(tmp_path: Path) -> None:
    port = free_port()
    with served([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], port, cwd=tmp_path):
        socket.create_connection(("127.0.0.1", port), 5).close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such contract')"]
    with (
        pytest.raises(BrokenError, match="does not listen: no such contract"),
        served(command, free_port(), cwd=tmp_path),
    ):
        pytest.fail("it has not started")


def test_all_that_openapi_python_client_says_is_a_warning_but_for_what_frames_it() -> None:
    quiet = "Generating provider_client\n"
    loud = (
        "Generating provider_client\n"
        "Warning(s) encountered while generating. Client was generated, but some pieces may be missing\n\n"
        "WARNING parsing POST /update within providers.\n\n"
        "Cannot parse response for status code <a.module.Class object at 0x7fb> (Unsupported content_type */*)\n\n"
        '{\n  "description": "The provider was updated."\n}\n\n\n'
        "Skipping Integration\n\nruff is not in PATH\n\n\n"
        "If you believe this was a mistake, please open an issue\n"
    )
    assert told_by_openapi_python_client(quiet) == ()
    assert told_by_openapi_python_client(loud) == (
        "WARNING parsing POST /update within providers. "
        "Cannot parse response for status code (Unsupported content_type */*)",
        "Skipping Integration ruff is not in PATH",
    )


def test_an_empty_handler_of_fastapi_is_found_whatever_its_parameters() -> None:
    handlers = "def one(body: Body) -> None:\n    pass\n\n\ndef two(\n    page: conint(ge=1),\n) -> Page:\n    pass\n"
    assert [found[1] for found in EMPTY_HANDLER.finditer(handlers)] == ["one", "two"]


def test_in_openapi_30_the_contract_means_the_same() -> None:
    contract = load_contract().document
    told = as_openapi_30(contract)
    assert told["openapi"] == "3.0.3"
    assert told["paths"] == contract["paths"]
    for name, schema in contract["components"]["schemas"].items():
        lowered = told["components"]["schemas"][name]
        assert "examples" not in lowered
        for keyword in ("type", "required", "enum", "minimum", "maximum", "items"):
            assert lowered.get(keyword) == schema.get(keyword)
    assert contract["openapi"] == "3.1.0"  # of which there is one copy in the process
