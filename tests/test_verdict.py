"""The verdict, and the exit code that it becomes: what must never be green is not."""

from __future__ import annotations

import itertools

import pytest

from handmade import report, result
from provider_conformance.cli import final_exit_code
from provider_conformance.contract import Level
from provider_conformance.verdict import ExitCode, Outcome, Verdict, decide, exit_code

PASS, FAIL, KNOWN, ERROR, NOT_TESTED = Outcome


@pytest.mark.parametrize(
    ("outcomes", "verdict", "code"),
    [
        ([PASS], Verdict.CONFORMANT, ExitCode.CONFORMANT),
        ([PASS, FAIL], Verdict.NONCONFORMANT, ExitCode.NONCONFORMANT),
        ([PASS, NOT_TESTED], Verdict.INCOMPLETE, ExitCode.INCOMPLETE),
        ([NOT_TESTED], Verdict.INCOMPLETE, ExitCode.INCOMPLETE),
        ([PASS, KNOWN], Verdict.NONCONFORMANT, ExitCode.NONCONFORMANT),
        ([PASS, ERROR], Verdict.INCOMPLETE, ExitCode.DEFECT),
        ([FAIL, NOT_TESTED], Verdict.NONCONFORMANT, ExitCode.NONCONFORMANT),
        ([FAIL, ERROR], Verdict.NONCONFORMANT, ExitCode.NONCONFORMANT),
        ([ERROR, NOT_TESTED], Verdict.INCOMPLETE, ExitCode.DEFECT),
        ([], Verdict.INCOMPLETE, ExitCode.INCOMPLETE),
    ],
)
def test_outcomes_add_up(outcomes: list[Outcome], verdict: Verdict, code: ExitCode) -> None:
    results = [result(outcome, f"CREATE-{n}") for n, outcome in enumerate(outcomes)]
    assert decide(results, Level.CORE) is verdict
    assert exit_code(results, Level.CORE) is code


def test_only_passes_are_green() -> None:
    """Whatever three requirements came to, exit code 0 means that all of them were tested and hold."""
    for outcomes in itertools.product(Outcome, repeat=3):
        results = [result(outcome, f"CREATE-{n}") for n, outcome in enumerate(outcomes)]
        green = exit_code(results, Level.CORE) is ExitCode.CONFORMANT
        assert green == (set(outcomes) == {PASS}), outcomes


def test_the_order_of_results_does_not_matter() -> None:
    for outcomes in itertools.combinations_with_replacement(Outcome, 3):
        codes = {
            exit_code([result(o, f"CREATE-{n}") for n, o in enumerate(order)], Level.CORE)
            for order in itertools.permutations(outcomes)
        }
        assert len(codes) == 1, outcomes


def test_no_results_are_no_success() -> None:
    """A run that matched no test has shown nothing."""
    assert report().exit_code is ExitCode.INCOMPLETE
    assert report().reached_level is None


def test_results_of_other_levels_are_no_success() -> None:
    beyond = result(PASS, "CREATE-7", Level.STRICT)
    assert report(beyond, level=Level.CORE).exit_code is ExitCode.INCOMPLETE


@pytest.mark.parametrize("outcome", [FAIL, NOT_TESTED, KNOWN])
def test_advice_and_higher_levels_do_not_count(outcome: Outcome) -> None:
    results = [result(PASS), result(outcome, "LIST-9", Level.ADVICE), result(outcome, "X-1", Level.STRICT)]
    assert decide(results, Level.CORE) is Verdict.CONFORMANT
    assert exit_code(results, Level.CORE) is ExitCode.CONFORMANT


def test_a_defect_of_ours_is_told_wherever_it_is() -> None:
    assert report(result(PASS), result(ERROR, "LIST-9", Level.ADVICE)).exit_code is ExitCode.DEFECT


def test_levels_are_cumulative() -> None:
    failing_core = [result(FAIL), result(PASS, "CREATE-7", Level.STRICT)]
    assert decide(failing_core, Level.STRICT) is Verdict.NONCONFORMANT
    assert report(failing_core, level=Level.STRICT).reached_level is None


def test_the_level_reached_can_be_below_the_one_asked_for() -> None:
    results = [result(PASS), result(PASS, "S-1", Level.STRICT), result(FAIL, "H-1", Level.HARDENED)]
    made = report(results, level=Level.HARDENED)
    assert made.verdict is Verdict.NONCONFORMANT
    assert made.reached_level is Level.STRICT
    assert report(results, level=Level.CORE).reached_level is Level.CORE


@pytest.mark.parametrize("code", list(ExitCode))
def test_what_nobody_was_told_is_not_green(code: ExitCode) -> None:
    """A report that could not be written is never exit 0, and a proven failure stays one."""
    assert final_exit_code(code, told=True) is code
    expected = ExitCode.NONCONFORMANT if code is ExitCode.NONCONFORMANT else ExitCode.DEFECT
    assert final_exit_code(code, told=False) is expected
