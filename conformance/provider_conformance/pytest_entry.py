"""Runs the suite the pytest way: `pytest --pyargs provider_conformance.suite --target URL --token-env NAME`.

pytest loads this in every project of an environment that has the package, so that it costs nothing and takes no option
name from anybody unless the suite is asked for.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from provider_conformance.config import Config
    from provider_conformance.verdict import Report

SUITE = "provider_conformance.suite"
ENTERED = pytest.StashKey[ExitStack]()
REPORT: pytest.StashKey[Report] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run, if the suite is run."""
    if not any(SUITE in argument for argument in sys.argv):
        return
    group = parser.getgroup("provider-conformance")
    group.addoption("--target", metavar="URL", help="base URL to certify; default: the embedded reference")
    group.addoption("--token-env", metavar="NAME", default="PROVIDER_TOKEN", help="variable that holds the token")
    group.addoption("--level", choices=("core", "strict", "hardened"), default="hardened", help="the level to certify")
    group.addoption("--seed", type=int, help="everything random derives from it")


def pytest_configure(config: pytest.Config) -> None:
    """Look at the target before any test is collected."""
    if not any(SUITE in argument for argument in config.invocation_params.args):
        return
    from provider_conformance.config import UsageError  # noqa: PLC0415
    from provider_conformance.outcomes import report_of  # noqa: PLC0415
    from provider_conformance.plugin import SuitePlugin  # noqa: PLC0415 - slow, and only for the suite
    from provider_conformance.progress import Silence  # noqa: PLC0415
    from provider_conformance.run import (  # noqa: PLC0415
        cleaned_up_after_a_defect,
        conclude,
        examine,
        interruptible,
        opened,
        record_of_run,
    )

    stack = config.stash[ENTERED] = ExitStack()
    try:
        session = stack.enter_context(opened(_settings(config), Silence()))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    stack.enter_context(interruptible(session.guard))
    started = datetime.now(UTC)
    with cleaned_up_after_a_defect(session):
        diagnosis = examine(session, lambda _: None)

    def finish() -> None:
        config.stash[REPORT] = report_of(record_of_run(session, diagnosis, conclude(session), started))

    stack.callback(finish)
    if diagnosis.fatal:
        stack.close()
        pytest.exit(diagnosis.text, returncode=int(config.stash[REPORT].exit_code))
    config.pluginmanager.register(SuitePlugin(session))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Destroy what is left, and let the verdict decide the exit code: pytest takes what was not tested for passed."""
    if ENTERED in session.config.stash:
        session.config.stash[ENTERED].close()
        session.exitstatus = int(session.config.stash[REPORT].exit_code)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell the verdict last."""
    report = config.stash.get(REPORT, None)
    if report is not None:
        terminalreporter.write_line(f"verdict: {report.verdict} (level {report.level}), {report.exchanges} exchanges")


def _settings(config: pytest.Config) -> Config:
    from provider_conformance.config import DEFAULT_SEED, Config, UsageError  # noqa: PLC0415 - only for the suite
    from provider_conformance.contract import Level  # noqa: PLC0415
    from provider_conformance.settings import base_url  # noqa: PLC0415

    url, variable = config.getoption("--target"), config.getoption("--token-env")
    token = os.environ.get(variable)
    if url and not token:
        raise pytest.UsageError(f"no token: put it into the variable {variable}, or name another with --token-env")
    seed = config.getoption("--seed")
    try:
        return Config(
            base_url(url) if url else None,
            token if url else None,
            Level(config.getoption("--level")),
            DEFAULT_SEED if seed is None else seed,
            report_dir=Path("provider-conformance-report"),
        )
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
