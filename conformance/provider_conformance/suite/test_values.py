"""Values that the docs allow and no operator sends: stored exactly as they were sent, or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.batches import AT_ONCE, in_batches
from provider_conformance.contract import Operation
from provider_conformance.drawing import drawing
from provider_conformance.errors import NotTestableError
from provider_conformance.judge.wording import differing
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough
from provider_conformance.refusals import accepted, not_survived
from provider_conformance.values import unusual
from provider_conformance.values.plausible import TYPICAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.jsontext import JsonValue
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Draft, Held
    from provider_conformance.refusals import Refusals
    from provider_conformance.values.unusual import Unusual


@requirement("VALUE-1")
@thorough
@drawing(lambda draw: draw(unusual.strategy(), max(5, draw.examples // 6)))
def test_what_is_unusual_is_created_exactly_or_refused(
    api: Api,
    providers: Providers,
    inventory: Inventory,
    refusals: Refusals,
    expect: Expect,
    drawn: tuple[Unusual, ...],
    ledger: Ledger,
) -> None:
    plain = providers.create()
    keeper = Keeper(expect, ledger, not_given_back(providers.shown(plain), plain.body, providers, ledger))
    before = refusals.look_around()
    providers.clear()
    sent: list[tuple[Draft, str, Exchange]] = []

    def are_kept(trials: Sequence[Trial]) -> list[bool]:
        drafts = [providers.draft() for _ in trials]
        drafts = [
            replace(draft, body={**draft.body, **trial.odd.changes})
            for draft, trial in zip(drafts, trials, strict=True)
        ]
        answers = providers.send_all(drafts, fair=False)
        sent.extend(
            (draft, trial.odd.what, answer)
            for draft, trial, answer in zip(drafts, trials, answers, strict=True)
            if answer.refused
        )
        made = [held.id for answer in answers if (held := providers.holding(answer))]
        shown, pages = look_at(made, api, inventory, ledger)
        results = []
        for draft, trial, answer in zip(drafts, trials, answers, strict=True):
            results.append(False)
            held = providers.holding(answer)
            with expect.each():
                if trial.alone:
                    not_survived(answer, trial.odd.what)
                    expect(judge.stored_or_refused, answer, what=trial.odd.what)
                if held is not None:
                    results[-1] = keeper.kept(answer, shown[held.id], held, draft.body, trial)
        list_agrees(pages, providers.held, shown, expect)
        providers.clear()
        return results

    groups = [*single(unusual.combinations()), *unusual.groups(parameters=False), *single(drawn)]
    together_or_alone(groups, are_kept, providers.room_for)
    keeper.blames_what_changed_together()

    refusals.nothing_was_stored(before, sent)


@requirement("VALUE-1")
@thorough
@holding(5)
@drawing(lambda draw: draw(unusual.strategy(), max(5, draw.examples // 2)))
def test_what_is_unusual_is_updated_exactly_or_refused(
    api: Api,
    providers: Providers,
    inventory: Inventory,
    expect: Expect,
    drawn: tuple[Unusual, ...],
    ledger: Ledger,
) -> None:
    bystander = providers.create()
    before_all = providers.shown(bystander)
    held = providers.create()
    providers.update(held, TYPICAL)
    plain = providers.values.update(held.id, held.body)
    keeper = Keeper(expect, ledger, not_given_back(providers.state(held), plain, providers, ledger))
    most = min(AT_ONCE, providers.most - 1)

    def are_kept(trials: Sequence[Trial]) -> list[bool]:
        ours = [one for one in providers.held if one is not bystander][: len(trials)]
        ours += providers.create_some([TYPICAL] * (len(trials) - len(ours)))
        providers.show_all([one for one in ours if one.shown is None])
        before = [providers.shown(one) for one in ours]
        bodies = [
            {**providers.values.update(one.id, one.body), **trial.odd.changes}
            for one, trial in zip(ours, trials, strict=True)
        ]
        answers = list(api.send_all([api.call(Operation.UPDATE, body) for body in bodies]))
        after, pages = look_at([one.id for one in ours], api, inventory, ledger)
        results = []
        for one, trial, state, body, answer in zip(ours, trials, before, bodies, answers, strict=True):
            results.append(False)
            shown = after[one.id]
            if shown.succeeded and (accepted(answer) or answer.refused):
                one.shown = shown
            else:
                providers.release(one)
            with expect.each():
                api.heard(answer)
                if trial.alone:
                    not_survived(answer, trial.odd.what)
                    expect(judge.stored_or_refused, answer, of=one, what=trial.odd.what)
                if accepted(answer):
                    if ledger.violated("UPDATE-2") and judge.unchanged(state, shown) is None:
                        raise NotTestableError("not even plausible updates change anything (UPDATE-2)")
                    results[-1] = keeper.kept(answer, shown, one, body, trial)
                else:
                    expect(judge.refused_without_change, state, answer, shown, of=one, what=trial.odd.what)
        list_agrees(pages, ours, after, expect)
        return results

    groups = [*single(unusual.combinations()), *unusual.groups(parameters=True), *single(drawn)]
    together_or_alone(groups, are_kept, most)
    keeper.blames_what_changed_together()
    if bystander in providers.held:
        after_all, since = providers.state(bystander), "updates of others with unusual values"
        expect(judge.unchanged, before_all, after_all, of=held, requirement="UPDATE-3", since=since)


@dataclass(frozen=True)
class Trial:
    """Something unusual that is sent; unless it is sent `alone`, nobody is blamed for it yet."""

    odd: Unusual
    alone: bool


def single(odds: Iterable[Unusual]) -> Iterator[tuple[Unusual]]:
    """Make each of several unusual values a group of its own."""
    return ((odd,) for odd in odds)


def together_or_alone(
    groups: Sequence[Sequence[Unusual]],
    are_kept: Callable[[Sequence[Trial]], list[bool]],
    most: int | Callable[[int], int],
) -> None:
    """Send groups of unusual values together, and each value alone unless all of its group are kept as they were sent.

    `are_kept` sends some side by side, as many at `most` as `in_batches` puts into one, and tells of each whether it is
    kept exactly.
    """
    apart: list[Trial] = []
    for some in in_batches(groups, most):
        trials = [Trial(unusual.joined(group) if len(group) > 1 else group[0], len(group) == 1) for group in some]
        for group, trial, all_kept in zip(some, trials, are_kept(trials), strict=True):
            if not all_kept and not trial.alone:
                apart += [Trial(odd, alone=True) for odd in group]
    for some_apart in in_batches(apart, most):
        are_kept(some_apart)


def look_at(
    ids: Sequence[int], api: Api, inventory: Inventory, ledger: Ledger
) -> tuple[Mapping[int, Exchange], Sequence[Exchange]]:
    """Show providers of ours and read the list as far as it gives them, side by side; return both, the first by id.

    A list that is not right for plausible values either is not read.
    """
    is_right = not any(map(ledger.violated, ("LIST-4", "UPDATE-2")))
    reads_list = bool(ids) and is_right
    with api.ahead([*api.shows(ids), *(inventory.sure_pages(len(ids)) if reads_list else ())]):
        shown = dict(zip(ids, api.show_all(ids), strict=True))
        return shown, inventory.walk(ours=ids).pages if reads_list else ()


def list_agrees(pages: Sequence[Exchange], ours: Sequence[Held], shown: Mapping[int, Exchange], expect: Expect) -> None:
    """Hold list to what show gives of unusual values (LIST-4)."""
    for page in pages:
        for held in ours:
            if held.id in shown:
                with expect.each():
                    expect(judge.list_agrees, page, shown[held.id], of=held, requirement="LIST-4", id=held.id)


class Keeper:
    """Holds an implementation to the unusual values that it accepted.

    Properties in `spoilt` are not given back rightly even where they are plausible.
    """

    def __init__(self, expect: Expect, ledger: Ledger, spoilt: Sequence[str]) -> None:
        self._expect = expect
        self._ledger = ledger
        self._spoilt = spoilt
        self._known = len(ledger.of("VALUE-1").violations)
        self._altered: list[tuple[Exchange, Exchange, Held, dict[str, JsonValue], str]] = []

    def kept(
        self, answer: Exchange, shown: Exchange, held: Held, values: Mapping[str, JsonValue], trial: Trial
    ) -> bool:
        """Tell whether show gives what was accepted, and hold the implementation to it where that is due."""
        what = trial.odd.what
        if trial.alone:
            not_survived(shown, f"a provider with {what}")
        elif judge.kept_exactly(answer, shown, values=values, what=what, spoilt=self._spoilt) is not None:
            self._altered.append((answer, shown, replace(held, story=list(held.story)), dict(values), what))
            return False
        self._judge(answer, shown, held, dict(values), what)
        return True

    def blames_what_changed_together(self) -> None:
        """Judge what was altered among several values, where no value that was sent alone was."""
        if len(self._ledger.of("VALUE-1").violations) > self._known:
            return
        for answer, shown, held, values, what in self._altered:
            with self._expect.each():
                not_survived(shown, f"a provider with {what}")
                self._judge(answer, shown, held, values, what)

    def _judge(self, answer: Exchange, shown: Exchange, held: Held, values: dict[str, JsonValue], what: str) -> None:
        self._expect(judge.kept_exactly, answer, shown, of=held, values=values, what=what, spoilt=self._spoilt)


def not_given_back(shown: Exchange, values: Mapping[str, JsonValue], providers: Providers, ledger: Ledger) -> list[str]:
    """Name the properties that show does not give back even where they are plausible (CREATE-4, UPDATE-2, SHOW-2)."""
    members = judge.members_of(shown) or {}
    wrong = {name for name, value in values.items() if name not in members or not judge.same(members[name], value)}
    known = {
        name
        for requirement_id in ("CREATE-4", "UPDATE-2")
        for claim in ledger.of(requirement_id).violations
        if claim.problem is not None
        for name in differing(claim.problem)
    }
    return sorted(wrong | known | providers.ill_typed)
