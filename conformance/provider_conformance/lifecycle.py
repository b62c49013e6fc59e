"""All five operations in any order, with several providers alive: a model says what show and list must give.

The suite runs this machine with the same values every time, a search with new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import hypothesis
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from provider_conformance import judge
from provider_conformance.changes import accept, shows_change
from provider_conformance.errors import NotTestableError, ViolationError
from provider_conformance.search import certification, repeatable
from provider_conformance.values.plausible import Traits, strategy

if TYPE_CHECKING:
    from provider_conformance.api import Api
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory, Walk
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Held

STEPS = 12
MOST_ALIVE = 4

KEEPS = {"create": "CREATE-4", "update": "UPDATE-3", "destroy": "DESTROY-3", "read": "SHOW-3"}
"""The requirement that an operation breaks when it changes some other provider."""

SINCE = {operation: f"{operation} of another provider" for operation in KEEPS} | {"read": "reading it and others"}
"""What came before a look at a provider."""


@dataclass(frozen=True)
class Parts:
    """What the machine works with: the parts of one run, and what holds them to rules.

    `alive` is how many providers it has at a time at most, the same from its first step to its last.
    """

    api: Api
    providers: Providers
    inventory: Inventory
    expect: Expect
    ledger: Ledger
    alive: int = MOST_ALIVE


class Lifecycle(RuleBasedStateMachine):
    """Providers of ours and what has been done to them; after every step all of them are compared.

    A subclass names the parts that it works with: Hypothesis makes machines without arguments.
    """

    parts: ClassVar[Parts]

    def __init__(self) -> None:
        super().__init__()
        self.last = "read"
        self.touched: Held | None = None

    @property
    def held(self) -> list[Held]:
        """The providers that are alive."""
        return self.parts.providers.held

    @precondition(lambda self: len(self.held) < self.parts.alive)
    @rule(traits=strategy())
    def create(self, traits: Traits) -> None:
        """Create a provider, and look at what show gives of it."""
        parts = self.parts
        held = parts.providers.create_one_unseen(traits)
        self._did("create", held)
        self._look_at_all()
        shown = parts.providers.state(held)
        parts.expect(judge.shows_values, shown, of=held, requirement="CREATE-4", values=held.body)

    @precondition(lambda self: bool(self.held))
    @rule(index=st.integers(0, MOST_ALIVE - 1), traits=strategy())
    def update(self, index: int, traits: Traits) -> None:
        """Update one of them, and look at what show gives of it."""
        parts, held = self.parts, self._pick(index)
        self._did("update", held)
        before, values = parts.providers.shown(held), held.body
        accept(held, traits, parts.providers)
        self._look_at_all()
        shows_change(held, before, values, parts.providers, parts.expect)

    @precondition(lambda self: bool(self.held))
    @rule(index=st.integers(0, MOST_ALIVE - 1))
    def destroy(self, index: int) -> None:
        """Destroy one of them; show must not give it any more."""
        parts, held = self.parts, self._pick(index)
        if not parts.providers.destroy(held).succeeded:
            raise NotTestableError("destroy is not accepted")
        self._did("destroy", held)
        self._look_at_all()
        shown = parts.api.show(held.id)
        parts.expect(judge.no_longer_shown, shown, of=held, requirement="DESTROY-2", id=held.id, name=held.name)

    @precondition(lambda self: bool(self.held))
    @rule(pagesize=st.sampled_from((1, 2, 3, 100)))
    def walk(self, pagesize: int) -> None:
        """Walk the list, which must give each of them once."""
        self._did("read", None)
        parts, ours = self.parts, self.parts.providers.ids
        try:
            # With others about, the list may be too long for small pages.
            few = parts.api.alive <= MOST_ALIVE * 2 and not parts.api.others
            small = parts.inventory.sure_pages(parts.api.alive, pagesize) if few else []
            with parts.api.ahead([*parts.inventory.sure_pages(len(ours)), *small]):
                whole = parts.inventory.judged(ours=ours)
                walk = parts.inventory.judged(pagesize, ours=ours) if whole.size <= MOST_ALIVE * 2 else whole
        except NotTestableError as reason:
            parts.ledger.of("LIST-3").gaps.append(str(reason))
            return
        parts.expect(judge.every_one_once, *walk.pages, requirement="LIST-3", names=parts.providers.names)
        self._count(whole)

    @invariant()
    def the_others_are_as_they_were(self) -> None:
        """Look at those that the last step was not about."""
        parts = self.parts
        others = [held for held in self.held if held is not self.touched and held.shown is not None]
        for held, after in zip(others, parts.api.show_all([held.id for held in others]), strict=True):
            assert held.shown is not None
            parts.expect(
                judge.unchanged,
                held.shown,
                parts.api.served(after),
                of=self.touched or held,
                requirement=KEEPS[self.last],
                since=SINCE[self.last],
            )

    def teardown(self) -> None:
        """Destroy what is left."""
        self.parts.providers.clear()

    def _count(self, walk: Walk) -> None:
        """Hold the count to a list of one page, where nobody else can change the number between two looks at it."""
        parts = self.parts
        if len(walk.pages) != 1 or walk.size >= walk.pagesize:
            return
        if judge.counts_all(walk.pages[0], size=walk.size) is not None:
            walk = parts.inventory.judged(ours=parts.providers.ids)
        if not parts.api.others and parts.api.target.traffic.workers == 1 and len(walk.pages) == 1:
            parts.expect(judge.counts_all, walk.pages[0], requirement="LIST-6", size=walk.size)

    def _pick(self, index: int) -> Held:
        return self.held[index % len(self.held)]

    def _look_at_all(self) -> None:
        """Show whom the last step was about and all others side by side, for those who judge them next."""
        touched = [self.touched.id] if self.touched is not None else []
        self.parts.api.look(list(dict.fromkeys([*touched, *self.parts.providers.ids])))

    def _did(self, what: str, held: Held | None) -> None:
        self.last, self.touched = what, held


def run_through(parts: Parts, examples: int, seed: int) -> None:
    """Take so many ways through the machine, the same for the same seed.

    Raises ViolationError, and NotTestableError where a target does not answer the same again.
    """

    class OfThisRun(Lifecycle):
        """The machine over the parts of this run."""

    OfThisRun.parts = parts
    known = len(parts.ledger.claims)
    settings = certification(examples, stateful_step_count=STEPS)
    try:
        with repeatable():
            run_state_machine_as_test(hypothesis.seed(seed)(OfThisRun), settings=settings)
    except Flaky as flaky:
        # Hypothesis repeats what failed, and a target that has changed meanwhile does not fail again.
        found = next((claim.problem for claim in parts.ledger.claims[known:] if claim.problem), None)
        if found is None:
            raise NotTestableError("the same requests are answered in different ways") from flaky
        raise ViolationError(found.summary) from flaky
