"""Runs consumers one after the other, and tells what came of them."""

from __future__ import annotations

import shutil
import traceback
from typing import TYPE_CHECKING

from consumers.results import BrokenError, Outcome, Result, Workshop, judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from consumers.results import Consumer, Known

HEADING = """\
# Consumers of the contract

What people build on the [contract](../openapi/openapi.yaml) with tools of others. `nox -s consumers` runs all of them,
`nox -s consumers -- NAME` some, and a run of all writes this page. It fails if one of them gives a warning that is not
listed here, or makes something that does not do what is said here. What a machine lacks the tools for is skipped.
"""


class UnknownConsumerError(LookupError):
    """There is no consumer of that name."""


def selected(consumers: Sequence[Consumer], names: Sequence[str]) -> tuple[Consumer, ...]:
    """Return the consumers of these names, in their own order, or all; raises UnknownConsumerError."""
    if unknown := set(names) - {consumer.name for consumer in consumers}:
        raise UnknownConsumerError(f"no consumer is called {', '.join(sorted(unknown))}")
    return tuple(consumer for consumer in consumers if not names or consumer.name in names)


def run(consumers: Iterable[Consumer], contract: Path, folder: Path) -> Iterator[Result]:
    """Give the result of each consumer as soon as it is there; each works in a new folder below `folder`."""
    for consumer in consumers:
        if absent := [tool for tool in consumer.needs if shutil.which(tool) is None]:
            yield Result(consumer, Outcome.SKIPPED, f"not run: {', '.join(absent)} not found")
            continue
        own = folder / consumer.name
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        yield _result(consumer, Workshop(contract, own))


def exit_code(results: Iterable[Result]) -> int:
    """Return 1 if a consumer failed, or if none was run at all; otherwise 0."""
    outcomes = {result.outcome for result in results}
    return 1 if Outcome.FAILED in outcomes or Outcome.PASSED not in outcomes else 0


def line(result: Result) -> str:
    """Say in one line what came of a consumer."""
    consumer = result.consumer
    warnings = f"known warnings: {len(result.warnings)}" if result.outcome is Outcome.PASSED and result.warnings else ""
    told = "; ".join(filter(None, (result.came_out, warnings)))
    return f"{result.outcome:8} {consumer.name} {consumer.version}: {told}"


def page(results: Sequence[Result]) -> str:
    """Return docs/consumers.md: what came of each consumer, and the reason for all that is not as one would wish."""
    table = _table(
        ("consumer", "version", "makes", "checked", "outcome", "what came out"),
        (
            (
                result.consumer.name,
                result.consumer.version,
                result.consumer.makes,
                result.consumer.checked,
                result.outcome.value,
                result.came_out,
            )
            for result in results
        ),
    )
    warnings = _reasons("warning", ((result.consumer, result.consumer.known_warnings) for result in results))
    failures = _reasons("requirement", ((result.consumer, result.consumer.known_failures) for result in results))
    return "\n".join(
        (
            HEADING,
            *table,
            "",
            "## Warnings that cannot be avoided",
            "",
            *warnings,
            "",
            "## What a server of these still fails",
            "",
            *failures,
            "",
        )
    )


def _result(consumer: Consumer, workshop: Workshop) -> Result:
    try:
        return judged(consumer, consumer.check(workshop))
    except BrokenError as error:
        return Result(consumer, Outcome.FAILED, str(error))
    except Exception:
        return Result(consumer, Outcome.FAILED, f"the check itself broke: {traceback.format_exc()}")


def _reasons(what: str, known: Iterable[tuple[Consumer, tuple[Known, ...]]]) -> Iterator[str]:
    rows = [(consumer.name, f"`{one.what}`", one.reason) for consumer, all_known in known for one in all_known]
    return _table(("consumer", what, "reason"), rows) if rows else iter(("None.",))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(text) for text in row)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
