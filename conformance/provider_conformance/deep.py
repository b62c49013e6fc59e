"""Searches for violations with all that Hypothesis has: new values each time, a shared database of examples, shrinking.

A certification draws the same values for the same seed, so that it can be repeated; a search draws others every time,
so that many of them look at far more. What a search finds is a failure like any other, in a report like any other.
What it does not find proves nothing: no requirement passes by it.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from unittest import SkipTest

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.control import current_build_context
from hypothesis.errors import Flaky, HypothesisException, Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test

from provider_conformance import judge
from provider_conformance.changes import change
from provider_conformance.drawing import Draw
from provider_conformance.errors import NotTestableError, RunEndedError, TargetLostError, ViolationError
from provider_conformance.expectations import Expect
from provider_conformance.ledger import lost
from provider_conformance.lifecycle import MOST_ALIVE, STEPS, Lifecycle, Parts
from provider_conformance.limits import MOST_REQUESTS
from provider_conformance.refusals import not_survived
from provider_conformance.run import (
    cleaned_up_after_a_defect,
    conclude,
    examine,
    interruptible,
    opened,
    rarely_collected,
    record_of_run,
)
from provider_conformance.search import repeatable
from provider_conformance.suite.test_text import GENERATED, Writer
from provider_conformance.suite.test_values import not_given_back
from provider_conformance.survival import SURVIVAL, answerable
from provider_conformance.values import plausible, text, unusual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provider_conformance.config import Config
    from provider_conformance.example_database import Examples
    from provider_conformance.ownership import Held
    from provider_conformance.progress import Progress
    from provider_conformance.record import Record
    from provider_conformance.session import Session
    from provider_conformance.values.plausible import Traits
    from provider_conformance.values.unusual import Unusual

MOST_SHRINKING = 500
"""Exchanges that making one failure small may take: without a bound, one of a state machine took over ten thousand."""

MOST_KINDS = 5
"""Kinds of failures after which a property is left: a server that fails in more ways needs no search."""

MOST_REPLAYED = 20
"""Examples of one property from the database that are tried, where none of the smallest fails any more."""

REST = "the search found nothing against it, which proves nothing: only `run` certifies"
UNTOUCHED = "not searched: only `run` certifies"
UNREPEATABLE = "the same requests are answered in different ways"

Kind = tuple[str, ...]
"""What failures have in common that are taken for one: requirement, rule, and the properties that differ."""


class FoundError(Exception):
    """Drawn values break a requirement; each kind has a class of its own, by which Hypothesis tells them apart."""


class EnoughError(KeyboardInterrupt):
    """Ends Hypothesis's work on a property: but for this one, it takes every exception for a failure and keeps it."""


@dataclass(frozen=True)
class Found:
    """A kind of failure: the place of its smallest claim in the ledger, and how often it was seen.

    `values` are the choices of Hypothesis by which it was seen first, and `sent_again` tells whether what they stand
    for was sent a second time, to the end.
    """

    kind: Kind
    claim: int
    times: int
    values: tuple[object, ...]
    sent_again: bool = False


@dataclass(frozen=True)
class Searched:
    """What a search leaves: its record, and the requirements of failures that were seen once.

    `unrepeated` are those that were not seen when the same values were sent again, `untried` those of which the search
    did not come to that.
    """

    record: Record
    unrepeated: tuple[str, ...]
    untried: tuple[str, ...]


def search(config: Config, examples: Examples | None, progress: Progress) -> Searched:
    """Search one implementation for violations, clean up, and return the record; the seed is the configuration's."""
    with opened(config, progress) as session, interruptible(session.guard), rarely_collected():
        started = datetime.now(UTC)
        hunt = Hunt(session, examples)
        with cleaned_up_after_a_defect(session):
            diagnosis = examine(session, lambda _: hunt.all())
        record = record_of_run(session, diagnosis, conclude(session), started)
        once = [found for found in hunt.found if found.times == 1]
        unrepeated = tuple(sorted({found.kind[0] for found in once if found.sent_again}))
        untried = tuple(sorted({found.kind[0] for found in once if not found.sent_again}))
        options = {
            **record.circumstances.options,
            "searched": tuple(one.name for one in hunt.properties),
            "database": examples.name if examples else None,
            "unrepeated": unrepeated,
            "untried": untried,
        }
        record = replace(record, circumstances=replace(record.circumstances, options=options))
        return Searched(_smallest_first(record, hunt.found), unrepeated, untried)


def _smallest_first(record: Record, found: Sequence[Found]) -> Record:
    """Put the claims on the smallest values first: of failures that are alike, a report tells the first."""
    smallest = [one.claim for one in found]
    others = [place for place in range(len(record.claims)) if place not in set(smallest)]
    return replace(record, claims=tuple(record.claims[place] for place in (*smallest, *others)))


class Property(Protocol):
    """What holds for all values that are drawn, as far as the search goes."""

    name: str
    requirement: str
    """The one that it speaks for: where that does not count, neither does the property."""
    cost: int
    """How many times as many exchanges one example takes as one of a plausible provider, about."""

    def run(self, hunt: Hunt, settings: settings, seed: int) -> None:
        """Let Hypothesis look for values that break it."""


class Plausible:
    """Plausible providers are created, shown, listed, updated and shown again, each with every value that was sent."""

    name = "plausible providers"
    requirement = "CREATE-4"
    cost = 1

    def run(self, hunt: Hunt, settings: settings, seed: int) -> None:
        """Create, show, list, update and show one provider for every example."""

        @settings
        @hypothesis.seed(seed)
        @hypothesis.given(plausible.strategy(), plausible.strategy())
        def plausible_providers_come_back(created: Traits, changed: Traits) -> None:
            with hunt.trial():
                providers, expect = hunt.session.providers, hunt.expect(self.requirement)
                held = providers.create_one_unseen(created)
                expect(judge.shows_values, providers.shown(held), of=held, values=held.body)
                hunt.looks_at_list(held)
                change(held, changed, providers, expect)

        plausible_providers_come_back()


class AnyOrder:
    """All five operations in any order leave what the model of the suite says."""

    name = "any order of operations"
    requirement = "UPDATE-3"
    cost = 10

    def run(self, hunt: Hunt, settings: settings, seed: int) -> None:
        """Let the state machine take some steps for every example."""
        session = hunt.session
        alive = min(MOST_ALIVE, session.providers.most)
        expect = hunt.expect(self.requirement)

        class OfThisSearch(Lifecycle):
            """The machine of the suite, each of whose lives is a trial."""

            parts = Parts(session.api, session.providers, session.inventory, expect, session.ledger, alive)

            def __init__(self) -> None:
                super().__init__()
                self._trial = hunt.trial()
                self._trial.__enter__()

            def teardown(self) -> None:
                # Called on every way out; what is on its way out then is what the trial has to look at.
                self._trial.__exit__(*sys.exc_info())

        steps = hypothesis.settings(settings, stateful_step_count=STEPS)
        run_state_machine_as_test(hypothesis.seed(seed)(OfThisSearch), settings=steps)


class UnusualValues:
    """What the docs allow and no operator sends is stored exactly or refused."""

    name = "unusual values"
    requirement = "VALUE-1"
    cost = 1

    def run(self, hunt: Hunt, settings: settings, seed: int) -> None:
        """Create a provider with an unusual value for every example."""

        @settings
        @hypothesis.seed(seed)
        @hypothesis.given(unusual.strategy())
        def unusual_values_are_kept_or_refused(odd: Unusual) -> None:
            with hunt.trial():
                providers, expect, spoilt = hunt.session.providers, hunt.expect(self.requirement), hunt.spoilt
                plain = providers.draft()
                draft = replace(plain, body={**plain.body, **odd.changes})
                answer = providers.send(draft)
                not_survived(answer, odd.what)
                expect(judge.stored_or_refused, answer, what=odd.what)
                if (held := providers.holding(answer)) is not None:
                    shown, values = hunt.session.api.show(held.id), dict(draft.body)
                    not_survived(shown, f"a provider with {odd.what}")
                    expect(judge.kept_exactly, answer, shown, of=held, values=values, what=odd.what, spoilt=spoilt)

        unusual_values_are_kept_or_refused()


class AnyText:
    """Text of any characters is given back exactly or refused."""

    name = "any text"
    requirement = "HTTP-7"
    cost = 1

    def run(self, hunt: Hunt, settings: settings, seed: int) -> None:
        """Create a provider with texts in all properties for every example, or in each alone where that is refused."""

        @settings
        @hypothesis.seed(seed)
        @hypothesis.given(text.strategy())
        def text_is_kept_or_refused(texts: dict[str, str]) -> None:
            with hunt.trial():
                if not hunt.writer.creates(text.Text(GENERATED, ""), texts):
                    for name in text.PROPERTIES:
                        hunt.writer.creates_alone(text.Text(GENERATED, texts[name]), name)

        text_is_kept_or_refused()


PROPERTIES: tuple[Property, ...] = (Plausible(), AnyOrder(), UnusualValues(), AnyText())


class Hunt:
    """One search on one target: what it has found, and how much more it may send."""

    def __init__(self, session: Session, examples: Examples | None) -> None:
        self.session = session
        self.properties = [one for one in PROPERTIES if one.requirement in session.counting]
        self._examples = examples
        self._found: dict[Kind, Found] = {}
        self._classes: dict[Kind, type[FoundError]] = {}
        self._ended: RunEndedError | None = None
        self._last_exchange = self._last_moment = math.inf
        self._begin(frozenset(), one_kind=False)

    def _begin(self, passed_over: frozenset[Kind], *, one_kind: bool) -> None:
        """Begin a pass over examples of a property, in which failures of some kinds are nothing new.

        Where it is to end with `one_kind`, that may take so many exchanges more to be made small.
        """
        self._passed_over, self._one_kind = passed_over, one_kind
        self._shrinking: Kind | None = None
        self._tried = self._tried_before = 0
        self._untested: list[str] = []

    @property
    def found(self) -> tuple[Found, ...]:
        """Every kind of failure, in the order in which they were found."""
        return tuple(self._found.values())

    @cached_property
    def spoilt(self) -> list[str]:
        """The properties that show does not give back even where they are plausible."""
        providers = self.session.providers
        held = providers.create()
        spoilt = not_given_back(providers.shown(held), held.body, providers, self.session.ledger)
        providers.release(held)
        return spoilt

    @cached_property
    def writer(self) -> Writer:
        """What puts text into providers of ours."""
        session = self.session
        return Writer(session.api, session.providers, session.inventory, self.expect("HTTP-7"), session.ledger)

    def expect(self, requirement: str) -> Expect:
        """Return what holds exchanges to rules for a requirement."""
        return Expect(self.session.ledger, requirement)

    def looks_at_list(self, held: Held) -> None:
        """Hold list to giving a provider once, and with no value that show contradicts."""
        expect, providers = self.expect("CREATE-5"), self.session.providers
        pages = self.session.inventory.judged(ours=providers.ids).pages
        expect(judge.listed_once, *pages, of=held, id=held.id, name=held.name)
        for page in pages:
            expect(judge.list_agrees, page, providers.shown(held), of=held, requirement="LIST-4", id=held.id)

    def all(self) -> None:
        """Replay the examples of the database, and then draw new values for each property.

        Each property has its share of the time and of the requests that are left: none takes all.
        """
        turns: list[tuple[Property, Callable[[Property], None]]] = []
        if self._examples is not None:
            turns += [(one, self._replay) for one in self.properties]
        turns += [(one, self._generate) for one in self.properties]
        with repeatable():
            for turn, (one, look) in enumerate(turns):
                if self._ended is not None:
                    break
                self.session.progress.requirement_started(one.name)
                left = len(turns) - turn
                self._last_moment = time.monotonic() + self.session.guard.left / left
                self._last_exchange = self._sent + (MOST_REQUESTS - self._sent) / left
                try:
                    look(one)
                except Exception as error:  # a defect of ours, told like one of the suite's tests
                    what = f"{one.name}: {type(error).__name__}: {error}"
                    self.session.ledger.of(one.requirement).defects.append(what)
        self._conclude()

    def _replay(self, one: Property) -> None:
        """Try what was found before, here or elsewhere; what no longer fails leaves the database."""
        self._begin(frozenset(), one_kind=False)
        self._pass(one, "again", MOST_REPLAYED, Phase.reuse)

    def _generate(self, one: Property) -> None:
        """Draw new values until all examples are tried; each kind of failure is made small, and then passed over."""
        left = max(1, self.session.config.examples // one.cost)
        for turn in range(MOST_KINDS):
            self._begin(frozenset(self._found), one_kind=True)
            self._pass(one, str(turn), left, Phase.generate, Phase.shrink)
            left -= self._tried_before
            if not self._tried_before or self._ended is not None or left <= 0:
                return

    def _pass(self, one: Property, turn: str, examples: int, *phases: Phase) -> None:
        """Let Hypothesis look for values that break a property; what it finds is noted by the trials themselves."""
        share = self._last_exchange
        chosen = settings(
            max_examples=examples,
            phases=phases,
            database=self._examples,
            deadline=None,
            report_multiple_bugs=Phase.reuse in phases,
            suppress_health_check=tuple(HealthCheck),
            print_blob=False,
            verbosity=Verbosity.quiet,
        )
        flaky = False
        try:
            one.run(self, chosen, Draw(self.session.config.seed, f"{one.name} {turn}", examples).seed)
        except SkipTest:  # the database has no example
            pass
        except (FoundError, EnoughError, Flaky, Unsatisfiable, BaseExceptionGroup) as ending:
            # What does not repeat arrives in a group with what it was at first; whatever else is in one is a defect.
            flaky = isinstance(ending, Flaky)
            for leaf in _leaves(ending):
                if not isinstance(leaf, FoundError | EnoughError) and not _is_of_hypothesis(leaf):
                    raise leaf from None
        self._last_exchange = share
        if flaky and not self._tried_before:
            self._untested.append(UNREPEATABLE)
        if len(self._untested) >= max(1, self._tried):
            self.session.ledger.of(one.requirement).gaps.append(self._untested[0])

    @contextlib.contextmanager
    def trial(self) -> Iterator[None]:
        """Try drawn values in a block, destroy what it created, and tell Hypothesis what came of it.

        Raises FoundError where the block breaks a requirement in a way that is looked for, EnoughError where nothing
        more may be sent, and rejects the values where nothing can be told by them.
        """
        if self._sent >= self._last_exchange or time.monotonic() >= self._last_moment:
            raise EnoughError
        ledger, first, untested = self.session.ledger, self._sent, ""
        claims = len(ledger.claims)
        self._tried += 1
        again = self._seen_with(_values_asked_for())
        try:
            try:
                yield
            except ViolationError:  # the ledger has it
                pass
            except NotTestableError as reason:
                untested = str(reason)
            finally:
                self.session.providers.clear()
        except NotTestableError as reason:
            untested = untested or str(reason)
        except RunEndedError as ending:
            self._ended = ending
            again = []
            raise EnoughError from ending
        finally:  # also where Hypothesis ends a trial that has gone on for longer than the one that failed
            if not untested:
                self._found |= {one.kind: replace(one, sent_again=True) for one in again}
        self._tell(claims, first, untested)

    def _tell(self, claims: int, first: int, untested: str) -> None:
        """Tell Hypothesis what came of a trial, by the claims and exchanges from some on: raises as `trial` does."""
        ledger = self.session.ledger
        self._claim_survival(claims, first)
        broken = [(kind, place) for place in range(claims, len(ledger.claims)) if (kind := self._kind(place))]
        found = next(((kind, place) for kind, place in broken if self._is_looked_for(kind)), None)
        if found is not None:
            raise self._noted(*found)
        if self._examples is not None:
            self._examples.undecided = bool(untested or broken)
        if untested:
            self._untested.append(untested)
        if untested or broken:
            hypothesis.reject()

    def _seen_with(self, values: tuple[object, ...]) -> list[Found]:
        """Return the kinds of failures that were seen first with some values."""
        return [found for found in self._found.values() if found.values == values]

    @property
    def _sent(self) -> int:
        return len(self.session.ledger.exchanges)

    def _claim_survival(self, claims: int, first: int) -> None:
        """Judge what a trial has sent for errors of the server's own, unless they fail another requirement already."""
        ledger = self.session.ledger
        blamed = {number for claim in ledger.claims[claims:] if claim.problem for number in claim.exchanges}
        exchanges = ledger.exchanges[first:]
        for exchange in answerable(exchanges, lost(exchanges)):
            if exchange.number not in blamed and judge.survived(exchange) is not None:
                ledger.claim(SURVIVAL, judge.survived, exchange)

    def _kind(self, place: int) -> Kind | None:
        """Return of which kind a failed claim is, or None where it is none that counts."""
        claim = self.session.ledger.claims[place]
        if claim.problem is None or claim.requirement not in self.session.counting:
            return None
        return (claim.requirement, claim.rule, *sorted(one.name for one in claim.problem.differences))

    def _is_looked_for(self, kind: Kind) -> bool:
        """Tell whether a kind of failure is news; while one is made small, it must not turn into another."""
        return kind not in self._passed_over and self._shrinking in {None, kind}

    def _noted(self, kind: Kind, place: int) -> FoundError:
        """Take note of a failure, and return what tells Hypothesis of it."""
        before = self._found.get(kind)
        if before is None:
            self.session.progress.note(f"found: {kind[0]} does not hold, by the rule {kind[1]}")
        if before is None:
            self._found[kind] = Found(kind, place, 1, current_build_context().data.choices)
        else:
            self._found[kind] = replace(before, claim=place, times=before.times + 1)
        if self._shrinking is None:
            self._tried_before = self._tried
        if not self._tried_before:
            self._tried_before = self._tried
            if self._one_kind:
                self._shrinking = kind
                self._last_exchange = min(self._last_exchange, self._sent + MOST_SHRINKING)
        if kind not in self._classes:
            self._classes[kind] = type("FoundError", (FoundError,), {})
        return self._classes[kind](" ".join(kind))

    def _conclude(self) -> None:
        """Say of every requirement that nothing was found against that this is all that can be said of it."""
        ledger = self.session.ledger
        if isinstance(self._ended, TargetLostError) and self._ended.since is not None:
            ledger.excuse(self._ended.since)
        touched = {claim.requirement for claim in ledger.claims}
        for requirement in self.session.requirements:
            reason = REST if requirement.id in touched else UNTOUCHED
            ledger.of(requirement.id).gaps.append(f"{reason}; {self._ended}" if self._ended else reason)


def _values_asked_for() -> tuple[object, ...]:
    """Return the choices that Hypothesis makes in the example that begins: those of one that it repeats, if it does."""
    return tuple(current_build_context().data.prefix or ())


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Give the exceptions in a group of them, or the one that is none."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _is_of_hypothesis(error: BaseException) -> bool:
    return type(error).__module__ == HypothesisException.__module__
