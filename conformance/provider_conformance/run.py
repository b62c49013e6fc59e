"""One certification run, from the first look at the target to the report."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import signal
import threading
import time
from dataclasses import fields, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from provider_conformance import __version__
from provider_conformance.about import EMBEDDED
from provider_conformance.concealing import masker_of, record_of, without_parts
from provider_conformance.contract import load_catalogue, load_contract
from provider_conformance.crash import look_into_loss
from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.guard import Guard
from provider_conformance.inventory import bearing
from provider_conformance.journal import HOW_TO_CLEAN_UP, new_journal
from provider_conformance.limits import CLEANING_TIME
from provider_conformance.record import Circumstances
from provider_conformance.session import Session, open_session
from provider_conformance.smoke import Diagnosis, look
from provider_conformance.values.narrowing import Plausible
from provider_conformance.verdict import Cleanup, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from provider_conformance.config import Config
    from provider_conformance.progress import Progress
    from provider_conformance.record import Option, Record

JOURNAL = "journal.jsonl"
UNUSED_PLUGINS = (
    *("terminal", "cacheprovider", "doctest", "junitxml", "pastebin", "faulthandler"),
    *("unraisableexception", "threadexception"),
)
"""Plugins of pytest that have nothing to do for the suite: the last two collect garbage again and again."""

ALLOCATIONS = 50_000
"""Objects, more or less, that come to be between two collections of garbage."""

SHORTEST_CLEANING = 5.0
"""Seconds that cleaning may take though a target that is away was waited for before."""

LONGEST_PAUSE = 1.0
"""Seconds between two tries to reach a target that is away."""


def certify(config: Config, progress: Progress) -> Record:
    """Test one implementation and return the record of it; without a base URL, that is the embedded reference."""
    with contextlib.ExitStack() as stack:
        imported = stack.enter_context(_imported_meanwhile())
        session = stack.enter_context(opened(config, progress))
        stack.enter_context(interruptible(session.guard))
        stack.enter_context(rarely_collected())
        started = datetime.now(UTC)

        def run_tests(session: Session) -> None:
            imported.wait()
            gc.freeze()
            _run_tests(session)

        with cleaned_up_after_a_defect(session):
            diagnosis = examine(session, run_tests)
        return record_of_run(session, diagnosis, conclude(session), started)


@contextlib.contextmanager
def opened(config: Config, progress: Progress) -> Iterator[Session]:
    """Start the embedded reference unless there is a base URL, and keep target and journal open for a run."""
    embedded = config.base_url is None
    with _target(config) as (base_url, token):
        progress.target(base_url, embedded=embedded)
        if embedded and not config.implementation:
            config = replace(config, implementation=EMBEDDED, implementation_version=__version__)
        config.report_dir.mkdir(parents=True, exist_ok=True)
        journal = new_journal(config.report_dir / JOURNAL, progress.note, outlive_power=not embedded)
        guard = Guard(config.max_time)
        session = open_session(replace(config, base_url=base_url, token=token), progress, journal, guard)
        try:
            yield session
        finally:
            session.target.close()
            session.ledger.forget()
            journal.close()


@contextlib.contextmanager
def _target(config: Config) -> Iterator[tuple[str, str]]:
    if config.base_url is not None:
        yield config.base_url, config.token or ""
        return
    from provider_conformance.reference.server import Server  # noqa: PLC0415 - only this way of running needs it

    with Server(token=config.token) as server:
        yield server.base_url, server.token


@contextlib.contextmanager
def _imported_meanwhile() -> Iterator[threading.Event]:
    """Load what tests and reports need while the target starts, or answers from far away; tells when that is done.

    What is missing is told by who needs it.
    """
    done = threading.Event()

    def load() -> None:
        try:
            from provider_conformance.plugin import SUITE_ORDER  # noqa: PLC0415

            suite = [f"suite.{file.removesuffix('.py')}" for file in SUITE_ORDER]
            for name in (*suite, "lifecycle", "search", "outcomes", "reports.github"):
                import_module(f"provider_conformance.{name}")
        except ModuleNotFoundError:
            return
        finally:
            done.set()

    loading = threading.Thread(target=load)
    loading.start()
    try:
        yield done
    finally:
        loading.join()


def examine(session: Session, run_tests: Callable[[Session], None]) -> Diagnosis:
    """Look at the target and run the suite's tests unless there is nothing to test."""
    try:
        with session.ledger.unjudged():
            diagnosis = look(session)
    except (RunEndedError, NotTestableError) as reason:
        diagnosis = Diagnosis(str(reason), fatal=True)
    if diagnosis.text:
        mask = masker_of(session.ledger.exchanges, session.target)
        text = without_parts(mask(diagnosis.text), session.target.token)
        diagnosis = Diagnosis(text, diagnosis.fatal)
        session.progress.diagnosis(diagnosis.text)
    if diagnosis.fatal:
        for requirement in session.requirements:
            session.ledger.of(requirement.id).gaps.append(diagnosis.text)
        return diagnosis
    session.progress.plan(len(session.counting), session.config)
    run_tests(session)
    with contextlib.suppress(RunEndedError, NotTestableError):
        _look_for_undead(session)
    return diagnosis


def _look_for_undead(session: Session) -> None:
    """Look once whether the list still gives anybody whose destroy was accepted: those are held again."""
    providers = session.providers
    listed = set(session.inventory.walk().ids) if providers.past else set()
    for destroyed in [held for held in providers.past if held.id in listed]:
        (shown,) = session.api.show_all([destroyed.id])
        providers.is_undead(destroyed, shown)


def _run_tests(session: Session) -> None:
    """Run the suite under pytest, out of reach of whatever settings and plugins the user's pytest has."""
    import pytest  # noqa: PLC0415 - slow to import

    from provider_conformance.plugin import SuitePlugin  # noqa: PLC0415

    with _own_environment(), as_file(files("provider_conformance") / "suite") as suite:
        arguments = [
            *("-c", str(suite / "pytest.ini"), "--rootdir", str(suite), "--noconftest", "--import-mode=importlib"),
            *("--assert=plain", "--capture=no"),
            *(f"-p no:{name}" for name in UNUSED_PLUGINS),
            str(suite),
        ]
        code = pytest.main(arguments, plugins=[SuitePlugin(session)])
    if code in {pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR}:
        raise RuntimeError(f"pytest ended with {code!r}")


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    kept = {name: os.environ.pop(name, None) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    autoload = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": autoload}.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def interruptible(guard: Guard) -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM end the tests and clean up, and the second one end everything at once."""
    asked = 0

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked += 1
        guard.interrupt()
        if asked > 1:
            os._exit(ExitCode.INCOMPLETE)

    signals = (signal.SIGINT, signal.SIGTERM)
    try:
        before = {number: signal.signal(number, handle) for number in signals}
    except ValueError:  # not in the main thread, which alone may set handlers
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for garbage in cycles rarely: a run keeps what it has exchanged, and looking through that takes its time.

    What was imported until now is not looked through at all.
    """
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS, *usual[1:])
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)


@contextlib.contextmanager
def cleaned_up_after_a_defect(session: Session) -> Iterator[None]:
    """Destroy what the run holds where an error of this tool ends the block; else whoever comes next does so."""
    try:
        yield
    except BaseException:
        if clean(session).left:
            session.progress.note(f"providers are left: {HOW_TO_CLEAN_UP}")
        raise


def conclude(session: Session) -> Cleanup:
    """Find out whether a request has brought the target down, if it is gone, and clean up.

    For a target that stays away, both together wait little longer than either would.
    """
    with cleaned_up_after_a_defect(session):
        waited = look_into_loss(session)
    return clean(session, max(CLEANING_TIME - waited, SHORTEST_CLEANING))


def clean(session: Session, seconds: float = CLEANING_TIME) -> Cleanup:
    """Destroy what the run still holds, also after an interruption, and find out what is left.

    Where the target is away, or has locked the run out, it may come back: that is waited for as long as cleaning may
    take.
    """
    providers, guard = session.providers, session.guard
    guard.clean_up(seconds)
    providers.recall(session.ledger.exchanges)
    if providers.held:
        session.progress.cleaning(len(providers.held))
    searched = strays = False
    fewest = math.inf
    while True:
        session.target.traffic.forgive()
        with contextlib.suppress(Exception, RunEndedError), session.ledger.unjudged():
            providers.clear()
            known = providers.created
            searched = _find_unanswered(session)
            strays = strays or providers.created > known
            _make_sure(session)
            _settle_disputed(session)
        left = tuple(sorted({*providers.ids, *providers.doubted}))
        lost = not searched and providers.lost(session.ledger.exchanges)
        if left and len(left) < fewest and guard.left > LONGEST_PAUSE:
            fewest = len(left)  # a target that destroys some at least may destroy the others, too
            continue
        if not (left or lost) or guard.left < LONGEST_PAUSE or not (reason := _why_to_wait(session)):
            break
        session.progress.note(f"{reason}: waiting up to {guard.left:.0f} s for it to destroy what is left")
        time.sleep(LONGEST_PAUSE)
    _tell_of_what_may_be_left(session, lost=lost, unfound=strays and not searched)
    created = providers.created + len(providers.doubted)
    return Cleanup(created, created - len(left), left)


def _tell_of_what_may_be_left(session: Session, *, lost: bool, unfound: bool) -> None:
    """Tell of providers that may be left without the run knowing their ids."""
    note, astray = session.progress.note, sorted(set(session.providers.astray))
    if lost:
        note(f"creates without an answer may have left providers; once the target is well: {HOW_TO_CLEAN_UP}")
    if unfound:
        note("refused creates have left providers, and more may be left: the list cannot be read whole")
    if astray:
        note(f"creates were accepted that gave no id by which to destroy what they made; look for {', '.join(astray)}")


def _why_to_wait(session: Session) -> str:
    """Tell why what is left could not be destroyed now, if it may be possible later."""
    if session.target.traffic.away:
        return "the target is away"
    with contextlib.suppress(Exception, RunEndedError):
        if session.api.is_locked_out():
            return "the target has locked the run out, since it sent wrong tokens"
    return ""


def _find_unanswered(session: Session) -> bool:
    """Look for providers that creates have made without giving their ids, by what only this run has sent.

    The same may be borne more than once: what a create had stored when it was refused may have been sent again. Tells
    whether the list could be searched as far as need be.
    """
    providers = session.providers
    if providers.unresolved:
        # Of all, since a create that gave an id may have made more than one.
        marks = {mark: name for name, draft in providers.announced.items() for mark in draft.marks.items()}
        walk = session.inventory.inwards(lambda page: bool(bearing(page, marks)))
        found = [one for page in walk.pages for one in bearing(page, marks).items()]
        for identity, name in dict(found).items():
            providers.take_over(identity, name)
        providers.clear()
        if not walk.tells_all:
            return False
    session.journal.end()
    return True


def _make_sure(session: Session) -> None:
    """Where destroy is known not to work, look at every provider of the run again."""
    providers = session.providers
    if session.ledger.violated("DESTROY-1") or session.ledger.violated("DESTROY-2"):
        for held in providers.past:
            if providers.is_back(held):
                providers.held.append(held)
        providers.clear()
        # What was never said to be destroyed is there unless show says otherwise, be it that show has no answer.
        kept = [held for held in providers.held if not providers.is_gone(held.id)]
        providers.held = kept + [held for held in providers.past if providers.is_back(held)]


def _settle_disputed(session: Session) -> None:
    """Look again at ids that create gave and that show gave as somebody else's: what bears a mark of ours is ours."""
    providers = session.providers
    for identity, draft in list(providers.disputed.items()):
        providers.take_over(identity, draft.name)
    providers.clear()


def record_of_run(session: Session, diagnosis: Diagnosis, cleanup: Cleanup, started: datetime) -> Record:
    """Put together what the run has found, without any secret."""
    contract, catalogue, config = load_contract(), load_catalogue(), session.config
    circumstances = Circumstances(
        tool_version=__version__,
        contract_version=contract.version,
        contract_sha256=contract.sha256,
        catalogue_version=catalogue.version,
        catalogue_sha256=catalogue.sha256,
        base_url=session.target.base_url,
        known=config.known,
        implementation=config.implementation,
        implementation_version=config.implementation_version,
        level=config.level,
        seed=config.seed,
        options=_told_options(config),
        selected=tuple(sorted(session.selected)),
        started=started,
        finished=datetime.now(UTC),
        diagnosis=diagnosis.text,
        token_length=len(session.target.token),
        cleanup=cleanup,
    )
    return record_of(session.ledger, session.target, circumstances)


def _told_options(config: Config) -> Mapping[str, Option]:
    """Return the settings as a report tells them: no secret, and of what is plausible only what was narrowed."""
    narrowed = {
        limit.name: getattr(config.plausible, limit.name)
        for limit in fields(Plausible)
        if getattr(config.plausible, limit.name) != limit.default
    }
    return {
        "level": config.level.value,
        "only": config.only,
        "max_time": config.max_time,
        "max_providers": config.max_providers,
        "examples": config.examples,
        "timeout": config.timeout,
        "rate": config.rate,
        "workers": config.workers,
        "read_only": config.read_only,
        "headers": tuple(name for name, _ in config.headers),
        "proxy": config.proxy is not None,
        "plausible": tuple(f"{name} = {json.dumps(value)}" for name, value in narrowed.items()),
    }
