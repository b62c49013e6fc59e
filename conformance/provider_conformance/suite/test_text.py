"""Unusual text: given back exactly as it was sent, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance import judge
from provider_conformance.attribution import blamed
from provider_conformance.batches import AT_ONCE, in_batches
from provider_conformance.contract import Operation
from provider_conformance.drawing import drawing
from provider_conformance.errors import NotTestableError
from provider_conformance.lanes import holding
from provider_conformance.plugin import requirement, thorough
from provider_conformance.refusals import Refusals, accepted, not_survived
from provider_conformance.values.text import PROPERTIES, Text, dealt, mixtures, strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider_conformance.api import Api
    from provider_conformance.exchange import Exchange
    from provider_conformance.expectations import Expect
    from provider_conformance.inventory import Inventory
    from provider_conformance.ledger import Ledger
    from provider_conformance.oracle import Providers
    from provider_conformance.ownership import Draft, Held
    from provider_conformance.values.plausible import Provider

Texts = tuple[Text, ...]
GENERATED = "generated text"
TURNS_OF_CREATE, TURNS_OF_UPDATE = (0, 2, 4), (1, 3)
"""Which text is in which property, where several are sent together."""


@requirement("HTTP-7")
@thorough
@holding(4)
def test_text_is_given_back_exactly_or_refused(
    api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger
) -> None:
    writer = Writer(api, providers, inventory, expect, ledger)

    # Several texts at once, each in a property of its own, for as long as all are kept.
    apart = writer.creates_together([(some, turn) for some in mixtures() for turn in TURNS_OF_CREATE])
    whole = [some for some in mixtures() if some not in apart]
    apart += writer.updates_together([(some, turn) for some in whole for turn in TURNS_OF_UPDATE])
    providers.clear()

    known = len(ledger.of("HTTP-7").violations)
    texts = [text for some in dict.fromkeys(apart) for text in some]
    kept = _created_apart(texts, writer, providers, expect)
    _updated_apart(texts, kept, writer, expect)
    if len(ledger.of("HTTP-7").violations) == known:
        writer.blames_what_changed_together()

    writer.nothing_was_stored()


def _created_apart(
    texts: Sequence[Text], writer: Writer, providers: Providers, expect: Expect
) -> dict[str, tuple[str, ...]]:
    """Create each text in all properties at once; where that is refused, in one after the other, since one refuses all.

    Returns the properties that take each text.
    """
    kept: dict[str, tuple[str, ...]] = {}
    for some in in_batches(texts, providers.most):
        refused = []
        for text in some:
            kept[text.what] = PROPERTIES
            with expect.each():
                if not writer.creates(text, dict.fromkeys(PROPERTIES, text.text)):
                    refused.append(text)
        writer.looks_at_list()
        providers.clear()
        for text in refused:
            kept[text.what] = tuple(name for name in PROPERTIES if writer.creates_alone(text, name))
    return kept


def _updated_apart(texts: Sequence[Text], kept: Mapping[str, tuple[str, ...]], writer: Writer, expect: Expect) -> None:
    """Update to each text in all properties that take it, and in one after the other where that is refused."""
    (held,) = writer.updates_plainly()
    for text in texts:
        taken = kept[text.what]
        for names in (taken, tuple(name for name in PROPERTIES if name not in taken)):
            with expect.each():
                if names and not writer.updates(held, text, dict.fromkeys(names, text.text)) and names is taken:
                    for name in names:
                        with expect.each():
                            writer.updates(held, text, {name: text.text})


@requirement("HTTP-7")
@thorough
@holding(2)
@drawing(lambda draw: draw(strategy(), max(6, draw.examples // 2)))
def test_generated_text_is_given_back_exactly_or_refused(
    api: Api,
    providers: Providers,
    inventory: Inventory,
    expect: Expect,
    ledger: Ledger,
    drawn: tuple[dict[str, str], ...],
) -> None:
    writer = Writer(api, providers, inventory, expect, ledger)
    half = len(drawn) // 2

    (held,) = writer.updates_plainly()
    for texts in drawn[:half]:
        with expect.each():
            if not writer.updates(held, Text(GENERATED, ""), texts):
                for name in PROPERTIES:
                    with expect.each():
                        writer.updates(held, Text(GENERATED, ""), {name: texts[name]})

    providers.clear()
    for texts in drawn[half:]:
        with expect.each():
            if not writer.creates(Text(GENERATED, ""), texts):
                for name in PROPERTIES:
                    writer.creates_alone(Text(GENERATED, texts[name]), name)
        providers.clear()

    writer.nothing_was_stored()


class Writer:
    """Puts unusual text into providers of ours and looks at what becomes of it."""

    def __init__(self, api: Api, providers: Providers, inventory: Inventory, expect: Expect, ledger: Ledger) -> None:
        self._api = api
        self._providers = providers
        self._inventory = inventory
        self._expect = expect
        elsewhere = blamed(ledger, "CREATE-4", "UPDATE-2")
        self._compared = [name for name in PROPERTIES if name not in judge.NEVER_COMPARED | elsewhere]
        # Where list contradicts show anyway, or ids are given twice, what it gives says nothing of text.
        self._lists_rightly = not any(map(ledger.violated, ("LIST-1", "LIST-4", "CREATE-3")))
        self._written: dict[int, tuple[Text, dict[str, str]]] = {}
        self._changed: list[tuple[Exchange, Held, dict[str, str], str]] = []
        self._refusals = Refusals(api, providers, inventory, expect)
        self._before = self._refusals.look_around()
        self._refused: list[tuple[Draft, str, Exchange]] = []

    def creates(self, text: Text, texts: Mapping[str, str]) -> bool:
        """Create a provider with texts; tell whether it was accepted."""
        (answer,) = self._create_all([(text, texts)])
        held = self._providers.holding(answer)
        not_survived(answer, text.what)
        if held is None and not answer.refused:
            raise NotTestableError(f"create is neither refused nor gives an id: {judge.answer(answer)}")
        if held is not None:
            _, compared = self._written[held.id]
            self._expect(judge.text_kept, self._providers.state(held), of=held, texts=compared, what=text.what)
        return held is not None

    def creates_together(self, trials: Sequence[tuple[Texts, int]]) -> list[Texts]:
        """Create providers with several texts each; return those texts of which not all were kept."""
        apart: list[Texts] = []
        for some in in_batches(trials, self._providers.room_for):
            dealt_out = [_together(texts, turn) for texts, turn in some]
            created = [self._providers.holding(answer) for answer in self._create_all(dealt_out)]
            ours = [held for held in created if held]
            page = self._inventory.sure_pages(len(ours)) if ours and self._lists_rightly else ()
            with self._api.ahead([*self._api.shows([held.id for held in ours]), *page]):
                self._providers.show_all(ours)
                pages = self._pages()
            for (texts, _), (what, _), held in zip(some, dealt_out, created, strict=True):
                if held is None or not self._kept_together(held, what, self._written[held.id][1], pages):
                    apart.append(texts)
            self._providers.clear()
        return apart

    def updates_together(self, trials: Sequence[tuple[Texts, int]]) -> list[Texts]:
        """Update providers to several texts each; return those texts of which not all were kept."""
        apart: list[Texts] = []
        ours = self.updates_plainly(min(AT_ONCE, self._providers.most)) if trials else []
        for some in in_batches(trials, len(ours)):
            held, dealt_out = ours[: len(some)], [_together(texts, turn) for texts, turn in some]
            answers = self._update_all(held, dealt_out)
            self._providers.show_all(held)
            for (texts, _), (what, values), one, answer in zip(some, dealt_out, held, answers, strict=True):
                compared = {name: str(one.body[name]) for name in values if name in self._compared}
                if not accepted(answer) or not self._kept_together(one, what, compared):
                    apart.append(texts)
        return apart

    def blames_what_changed_together(self) -> None:
        """Judge what was altered among several texts and was not when each was sent apart."""
        for answer, held, compared, what in self._changed:
            with self._expect.each():
                if answer.operation == Operation.LIST:
                    self._expect(judge.text_listed, answer, of=held, id=held.id, texts=compared, what=what)
                else:
                    self._expect(judge.text_kept, answer, of=held, texts=compared, what=what)

    def _kept_together(self, held: Held, text: Text, compared: dict[str, str], pages: Sequence[Exchange] = ()) -> bool:
        """Tell whether show, and list where it was read, give all that a provider was sent."""
        try:
            shown = self._providers.shown(held)
        except NotTestableError:
            return False
        altered = [shown] if judge.text_kept(shown, texts=compared, what=text.what) is not None else []
        altered += [
            page for page in pages if judge.text_listed(page, id=held.id, texts=compared, what=text.what) is not None
        ]
        self._changed += [(one, replace(held, story=list(held.story)), compared, text.what) for one in altered[:1]]
        return not altered

    def _create_all(self, trials: Sequence[tuple[Text, Mapping[str, str]]]) -> list[Exchange]:
        """Send creates side by side, and remember what each must have stored, or must not have."""
        self._providers.need_room(len(trials))
        plain = [self._providers.draft() for _ in trials]
        drafts = [
            replace(draft, body=self._with(draft.body, draft.number, texts))
            for draft, (_, texts) in zip(plain, trials, strict=True)
        ]
        self._providers.announce_all(drafts)
        calls = [
            self._api.call(Operation.CREATE, written(draft.body, text))
            for draft, (text, _) in zip(drafts, trials, strict=True)
        ]
        answers = self._providers.adopt_all(drafts, self._api.send_all(calls))
        for before, draft, (text, texts), answer in zip(plain, drafts, trials, answers, strict=True):
            held = self._providers.holding(answer)
            if held is None and answer.refused:
                # Known by its name alone: an auth_id such as "" may be that of anybody who comes meanwhile.
                known = replace(before, body={**before.body, "name": draft.name})
                self._refused.append((known, text.what, answer))
            if held is not None:
                self._written[held.id] = text, {name: str(draft.body[name]) for name in texts if name in self._compared}
        return [self._api.heard(answer) for answer in answers]

    def creates_alone(self, text: Text, name: str) -> bool:
        """Create a provider with a text in one property while no other of ours has any; tell as `creates` does."""
        accepted = False
        with self._expect.each():
            accepted = self.creates(text, {name: text.text})
        for held in self._providers.held:
            if held.id in self._written:
                self._providers.release(held)
        return accepted

    def updates_plainly(self, count: int = 1) -> list[Held]:
        """Create providers and update them with plausible text: what is not kept even then is not compared either."""
        ours = self._providers.create_some([self._providers.base] * count)
        plain = replace(self._providers.base, name_tail=" b", auth_tail="b", host="b", outbound_host="b")
        self._providers.update_all(ours, [plain] * count)
        self._providers.show_all(ours)
        for held in ours:
            members = judge.members_of(self._providers.shown(held)) or {}
            self._compared = [name for name in self._compared if members.get(name) == held.body[name]]
        return ours

    def updates(self, held: Held, text: Text, texts: Mapping[str, str]) -> bool:
        """Update a provider with texts; tell whether it was accepted."""
        before = self._providers.shown(held)
        (answer,) = self._update_all([held], [(text, texts)])
        after = self._providers.state(held)
        not_survived(answer, text.what)
        if answer.refused:
            self._expect(judge.refused_without_change, before, answer, after, of=held, what=text.what)
        else:
            compared = {name: str(held.body[name]) for name in texts if name in self._compared}
            self._expect(judge.text_kept, after, of=held, texts=compared, what=text.what)
        return not answer.refused

    def _update_all(self, held: Sequence[Held], trials: Sequence[tuple[Text, Mapping[str, str]]]) -> list[Exchange]:
        """Send updates of one provider each side by side."""
        values = self._providers.values
        bodies = [
            self._with(values.provider(one.number, self._providers.base), one.number, texts)
            for one, (_, texts) in zip(held, trials, strict=True)
        ]
        calls = [
            # The id first, so that what is kept of a long body tells whom an error is about.
            self._api.call(Operation.UPDATE, written({"id": one.id, **values.update(one.id, body)}, text))
            for one, body, (text, _) in zip(held, bodies, trials, strict=True)
        ]
        answers = []
        for one, body, answer in zip(held, bodies, self._api.send_all(calls), strict=True):
            answers.append(answer)
            one.shown = None
            if not answer.refused:
                one.body = body
                one.story = [one.story[0], answer]
        return [self._api.heard(answer) for answer in answers]

    def nothing_was_stored(self) -> None:
        """Make sure that no refused create has stored anything."""
        self._refusals.nothing_was_stored(self._before, self._refused)

    def looks_at_list(self) -> None:
        """Compare what list gives of the providers created."""
        for page in self._pages():
            for one in self._providers.held:
                if one.id in self._written:
                    text, texts = self._written[one.id]
                    with self._expect.each():
                        self._expect(judge.text_listed, page, of=one, id=one.id, texts=texts, what=text.what)

    def _pages(self) -> Sequence[Exchange]:
        """Read the list as far as it gives the providers created, where there are any and it can be trusted."""
        ids = [one.id for one in self._providers.held if one.id in self._written]
        return self._inventory.walk(ours=ids).pages if ids and self._lists_rightly else ()

    def _with(self, body: Provider, number: int, texts: Mapping[str, str]) -> Provider:
        """Put texts into a body; a name still begins with what tells that it is ours."""
        own = self._providers.values.name(number)
        return {**body, **{name: own + text if name == "name" else text for name, text in texts.items()}}


def _together(texts: Texts, turn: int) -> tuple[Text, dict[str, str]]:
    """Describe texts that are sent together, and deal them out."""
    what = f"unusual text: {'; '.join(text.what for text in texts)}"
    escaped = any(text.escaped for text in texts)
    return Text(what, "", escaped), {name: text.text for name, text in dealt(texts, turn).items()}


def written(body: Provider, text: Text) -> bytes:
    """Write a body as JSON; where that is asked for with escapes, as Python, Go and PHP do without being told."""
    plain = json.dumps(body, ensure_ascii=text.escaped, separators=(",", ":"))
    return (plain.translate(ESCAPES) if text.escaped else plain).encode()


ESCAPES = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "/": "\\/"})
"""How the signs are escaped that some writers of JSON keep out of HTML."""
