"""report.html, in a real browser: everybody can read it, it fetches nothing, and nothing of a server acts in it."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from handmade import FAILURE, report, result
from provider_conformance.about import EMBEDDED
from provider_conformance.contract import Level, Reading, load_catalogue, load_contract
from provider_conformance.judge.wording import Difference
from provider_conformance.reports import html_report
from provider_conformance.reports.blocks import block
from provider_conformance.reports.inert import inert
from provider_conformance.reports.latency_plot import plot
from provider_conformance.verdict import Cleanup, OperationStatistics, Outcome, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provider_conformance.verdict import Report

    Visit = Callable[..., Page]

BROWSER = "chromium"
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESKTOP = 320, 1280
PATIENCE = 10_000
"""Milliseconds that the page may take to show something."""

INEXACT = 2**53 + 1
"""The smallest natural number that a floating-point number cannot hold."""

ATTACK = (
    "</script><script>window.hacked = 1</script></style></title><img src=x onerror=alert(1)>"
    "\"'><svg onload=alert(1)><a href='javascript:alert(1)'>{{ 7 * 7 }}{% raw %}&lt;b&gt;"
    "\x1b[2J\x00\x07\u202e\u2066\u200b\ud800\ufffe\r\n-->]]>`<iframe srcdoc=x>"
)
VOID = frozenset({"meta", "input", "link", "br", "img", "hr"})


def complete() -> Report:
    """Make a report of every requirement of the catalogue, with something of everything."""
    outcomes = {"CREATE-4": Outcome.FAIL, "UPDATE-2": Outcome.FAIL, "LIST-6": Outcome.KNOWN}
    outcomes |= {"SHOW-6": Outcome.NOT_TESTED, "HTTP-6": Outcome.ERROR}
    results = [
        replace(result(outcomes.get(wanted.id, Outcome.PASS), controls=2), requirement=wanted)
        for wanted in load_catalogue()
        if wanted.level is not Level.ADVICE
    ]
    statistics = (
        OperationStatistics("create", 918, {"200": 900, "400": 18}, {"p50": 1, "p95": 1.6, "p99": 4, "max": 40}),
        OperationStatistics("show", 700, {"200": 700}, {"p50": 0.5, "p95": 0.9, "p99": 2, "max": 9}),
    )
    return report(
        results,
        level=Level.HARDENED,
        statistics=statistics,
        readings=load_contract().readings,
        requests_sha256="c" * 64,
        evidence_sha256="d" * 64,
        implementation="Example PBX",
        implementation_version="2.1",
        stale=("LIST-7 is known to fail, and holds",),
        diagnosis="the target is slow",
        advice=("page_count is off",),
        cleanup=Cleanup(4, 3, (7,)),
    )


def hostile() -> Report:
    """Make a report in which everything that is text attacks whoever reads it."""
    failure = replace(
        FAILURE,
        summary=ATTACK,
        expected=ATTACK,
        actual=ATTACK,
        steps=(Step(1, ATTACK, ATTACK, ATTACK),),
        differences=(Difference(ATTACK, ATTACK, ATTACK),),
        hint=ATTACK,
    )
    failed = result(Outcome.FAIL, failures=(failure,))
    return report(
        replace(failed, requirement=replace(failed.requirement, statement=ATTACK, source=ATTACK)),
        result(Outcome.NOT_TESTED, "CREATE-2", reason=ATTACK),
        result(Outcome.ERROR, "CREATE-3", reason=ATTACK),
        base_url=ATTACK,
        diagnosis=ATTACK,
        advice=(ATTACK,),
        stale=(ATTACK,),
        implementation=ATTACK,
        implementation_version=ATTACK,
        evidence_sha256=ATTACK,
        statistics=(OperationStatistics(ATTACK, 1, {ATTACK: 1}, {"p50": 1.0}),),
        readings=(Reading("D12", ATTACK, ATTACK),),
        options={"only": (ATTACK,), "headers": (ATTACK,), "plausible": (ATTACK,)},
        contract_version=ATTACK,
        contract_sha256=ATTACK,
        requests_sha256=ATTACK,
        tool_version=ATTACK,
    )


def enormous() -> Report:
    """Make a report with words that fit into no line."""
    word = "x" * 5000
    return report(
        result(
            Outcome.FAIL,
            failures=(
                replace(
                    FAILURE,
                    summary=word,
                    steps=(Step(1, word, word, word),),
                    differences=(Difference(word, word, word),),
                ),
            ),
        ),
        result(Outcome.NOT_TESTED, "CREATE-2", reason=word),
        base_url=word,
        diagnosis=word,
        advice=(word,),
        statistics=(OperationStatistics("create", 1, {word: 1}, {"p50": 1e9, "p95": 1e12}),),
    )


KINDS = {
    "conformant": report(result()),
    "empty": report(statistics=()),
    "failed": report(result(Outcome.FAIL)),
    "bare failure": report(result(Outcome.FAIL, failures=())),
    "known": report(result(Outcome.KNOWN, reason="mended in 2.0")),
    "defect": report(result(Outcome.ERROR), level=Level.STRICT),
    "gaps": report(result(), result(Outcome.NOT_TESTED, "UPDATE-1"), diagnosis="the token\nis refused"),
    "left": report(result(), cleanup=Cleanup(3, 1, (INEXACT, -(2**63)))),
    "complete": complete(),
    "hostile": hostile(),
    "enormous": enormous(),
}


# without a browser


@dataclass
class Element:
    """An element of the page, with all text that is in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Document(HTMLParser):
    """Reads a page and insists on every element being closed where it should be."""

    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def of(self, tag: str, css_class: str = "") -> list[Element]:
        """Return the elements of a name, and of a class if one is given."""
        named = [element for element in self.elements if element.tag == tag]
        return [one for one in named if not css_class or css_class in one.attributes.get("class", "").split()]


def read(made: Report) -> Document:
    """Read a page to its end."""
    document = Document()
    document.feed(html_report.render(made).decode("utf-8"))
    document.close()
    assert document.open == []
    return document


def words(element: Element) -> str:
    return " ".join(element.text.split())


@pytest.mark.parametrize("made", KINDS.values(), ids=KINDS)
def test_the_page_is_well_formed_and_leads_nowhere_else(made: Report) -> None:
    elements = read(made).elements
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in elements:
        assert not {"src", "srcset", "style", "action", "data", "poster"} & set(element.attributes)
        assert not [name for name in element.attributes if name.startswith("on")]
        if "href" in element.attributes:
            assert element.attributes["href"].removeprefix("#") in ids
            assert element.attributes["href"].startswith("#")
        for name in ("aria-labelledby", "for"):
            assert set(element.attributes.get(name, "").split()) <= set(ids)


@pytest.mark.parametrize("made", KINDS.values(), ids=KINDS)
def test_the_verdict_is_a_word(made: Report) -> None:
    (headline,) = read(made).of("h1")
    assert words(headline) == f"{made.verdict.value} at level {made.level.value}"


def test_a_lower_level_that_holds_is_told() -> None:
    lower = read(report(result(), result(Outcome.FAIL, "CREATE-7", Level.STRICT), level=Level.STRICT))
    assert [words(one) for one in lower.of("p", "reached")] == ["Level core holds."]
    assert [words(one) for one in read(report(result(Outcome.FAIL))).of("p", "reached")] == ["No level was reached."]
    assert read(report(result())).of("p", "reached") == []


def test_the_head_of_the_page_names_the_run() -> None:
    (facts, *_) = read(complete()).of("dl", "facts")
    for fact in (
        "Example PBX 2.1",
        "http://127.0.0.1:8990/api/providers",
        "2026-01-01 12:00:00 UTC",
        "2.1 s",
        "812 exchanges",
    ):
        assert fact in facts.text


def test_a_failure_has_the_very_lines_of_the_other_reports() -> None:
    made = complete()
    failed = [one for one in made.results if one.failures]
    shown = read(made).of("dl", "block")
    told = [block(one, failure, made.readings) for one in failed for failure in one.failures]
    assert [words(one) for one in shown] == [
        " ".join(" ".join((line.label, *inert(line.text).split())) for line in lines) for lines in told
    ]


def test_differences_are_a_table() -> None:
    (table,) = read(report(result(Outcome.FAIL))).of("table", "differences")
    assert words(table) == 'Properties that differ property expected actual hostname "b.example.net" "a.example.net"'


def test_the_matrix_has_every_requirement_with_its_outcome() -> None:
    made = complete()
    (matrix,) = read(made).of("table", "matrix")
    for one in made.results:
        assert f"{one.requirement.id} {html_report.OUTCOMES[one.outcome][1]}" in " ".join(matrix.text.split())


def test_known_failures_that_are_stale_are_told() -> None:
    (page,) = read(complete()).of("main")
    assert "LIST-7 is known to fail, and holds" in page.text


def test_every_requirement_is_told() -> None:
    made = complete()
    articles = {one.attributes["id"]: words(one) for one in read(made).of("article")}
    assert list(articles) == [one.requirement.id for one in made.results]
    for one in made.results:
        text = articles[one.requirement.id]
        assert " ".join(one.requirement.statement.replace("`", "").split()) in text
        assert html_report.OUTCOMES[one.outcome][1] in text
        assert f"{one.exchanges} exchanges" in text or one.exchanges == 0
        assert f"{one.controls} controls" in text


def test_gaps_go_by_their_reason() -> None:
    gaps = [
        result(Outcome.NOT_TESTED, name, reason=reason) for name, reason in (("A-1", "x"), ("B-1", "y"), ("A-2", "x"))
    ]
    told = [words(one) for one in read(report(gaps)).of("div", "gap")]
    assert told == ["x (2 requirements) A-1 A-2", "y (1 requirement) B-1"]


def test_the_command_repeats_the_run_and_holds_no_secret() -> None:
    options: dict[str, Any] = {
        "level": "strict",
        "only": ("UPDATE-2", "list"),
        "max_time": 7200.0,
        "timeout": 0.5,
        "rate": None,
        "read_only": True,
        "headers": ("X-Key",),
        "proxy": True,
        "token": "s3cret",
        "plausible": ("ports = [5060, 5099]",),
    }
    made = report(result(), options=options, seed=2**64 - 1)
    assert html_report.command(made) == (
        "provider-conformance run http://127.0.0.1:8990/api/providers --level strict --only UPDATE-2 --only list "
        "--max-time 7200 --timeout 0.5 --read-only --header 'X-Key: …' --proxy '…' --seed 18446744073709551615"
    )
    page = html_report.render(made)
    assert b"s3cret" not in page
    assert b"[plausible]\nports = [5060, 5099]\n" in page


def test_the_command_names_no_address_of_a_server_that_was_started_for_the_run() -> None:
    made = report(result(), implementation=EMBEDDED, options={"level": "core"})
    assert html_report.command(made).startswith("provider-conformance run --level core")


def test_the_run_can_be_identified() -> None:
    made = complete()
    (*_, identity) = read(made).of("dl", "facts")
    for text in (str(made.seed), "0.1.0", "1.0.0", made.contract_sha256, made.catalogue_sha256, "c" * 64, "d" * 64):
        assert text in identity.text


def test_the_page_is_private(tmp_path: Path) -> None:
    path = html_report.write(report(result()), tmp_path)
    assert path == tmp_path / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_latencies_of_different_magnitude_are_drawn_on_a_logarithmic_scale() -> None:
    drawn = plot(complete().statistics)
    assert drawn is not None
    assert drawn.logarithmic
    assert [tick.label for tick in drawn.ticks] == ["0.5", "1", "2", "5", "10", "20", "50"]
    places = [mark.x for mark in drawn.rows[0].marks]
    assert places == sorted(places)


def test_latencies_alike_are_drawn_from_zero() -> None:
    drawn = plot([OperationStatistics("list", 3, {}, {"p50": 20.0, "max": 60.0})])
    assert drawn is not None
    assert not drawn.logarithmic
    assert [tick.label for tick in drawn.ticks] == ["0", "20", "40", "60"]


@pytest.mark.parametrize("odd", [0.0, 1e-9, 1e12, float("inf"), float("nan")])
def test_odd_latencies_are_drawn_within_the_picture_or_not_at_all(odd: float) -> None:
    drawn = plot([OperationStatistics("list", 3, {}, {"p50": odd, "max": odd}), OperationStatistics("show", 0, {}, {})])
    marks = [mark.x for row in drawn.rows for mark in row.marks] if drawn else []
    ticks = [tick.x for tick in drawn.ticks] if drawn else []
    assert all(0 <= place <= 100 for place in (*marks, *ticks))


# in a browser


@cache
def axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser once; it is closed before other tests want an event loop of their own."""
    path = shutil.which(BROWSER)
    if path is None:
        missing = f"{BROWSER} is not on PATH"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*OPTIONS])
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """Open a report as a user does, and insist on a page that complains of nothing and asks for nothing."""
    heard: list[str] = []
    contexts = []

    def open_page(made: Report, fragment: str = "", width: int = DESKTOP, **more: Any) -> Page:
        address = html_report.write(made, tmp_path).as_uri()
        context = browser.new_context(viewport={"width": width, "height": 800}, **more)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: None if request.url.startswith(address) else heard.append(request.url))
        page.goto(f"{address}{fragment}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def shown(page: Page) -> list[str]:
    """Return the ids of the requirements that can be seen."""
    ids: list[str] = page.locator("article:visible").evaluate_all("(all) => all.map((one) => one.id)")
    return ids


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("kind", ["complete", "conformant", "hostile"])
def test_axe_finds_nothing(kind: str, width: int, scheme: str, visit: Visit) -> None:
    page = visit(KINDS[kind], width=width, color_scheme=scheme)
    unfold(page)
    page.evaluate(axe())
    violations = page.evaluate("axe.run().then((results) => results.violations)")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []


@pytest.mark.parametrize("made", KINDS.values(), ids=KINDS)
def test_a_phone_need_not_scroll_sideways(made: Report, visit: Visit) -> None:
    page = visit(made, width=PHONE)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_hostile_text_is_text(visit: Visit) -> None:
    page = visit(KINDS["hostile"])
    unfold(page)
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, b, [onerror], [onload], [srcdoc], [src], a:not([href^='#'])").count() == 0
    text = page.locator("main").inner_text()
    assert "<script>window.hacked = 1</script>" in text
    assert "\\x1b[2J\\x00\\x07\\u202e\\u2066\\u200b\\ud800\\ufffe" in text
    assert "{{ 7 * 7 }}" in text
    assert "&lt;b&gt;" in text


def test_what_got_into_the_page_even_so_could_not_act(browser: Browser, tmp_path: Path) -> None:
    """The policy is the second line of defence; it is tried where it complains, unlike everywhere else."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(html_report.write(report(result()), tmp_path).as_uri())
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"x.png\" onerror=\"window.hacked = 1\">')")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.hacked = 2'}))")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in complaint for complaint in complaints)
    context.close()


def test_large_ids_stay_exact(visit: Visit) -> None:
    failure = replace(FAILURE, differences=(Difference("id", str(INEXACT), str(2**63 - 1)),))
    page = visit(report(result(Outcome.FAIL, failures=(failure,)), cleanup=Cleanup(2, 0, (INEXACT, -(2**63)))))
    unfold(page)
    text = page.locator("main").inner_text()
    for number in (INEXACT, 2**63 - 1, -(2**63)):
        assert str(number) in text
    assert str(float(INEXACT))[:16] not in text.replace(str(INEXACT), "")


def test_requirements_are_filtered_by_keyboard(visit: Visit) -> None:
    made = complete()
    page = visit(made)
    status = page.get_by_role("status").first
    expect(status).to_have_text(f"{len(made.results)} of {len(made.results)} requirements shown")
    assert len(shown(page)) == len(made.results)

    press(page, "Tab", "Enter", "Tab")  # past the overview, into the search
    page.keyboard.type("hostname of BEFORE")
    expect(status).to_have_text(f"3 of {len(made.results)} requirements shown")
    assert shown(page) == ["CREATE-4", "LIST-6", "UPDATE-2"]

    press(page, "Tab")
    page.keyboard.type("failed")
    assert shown(page) == ["CREATE-4", "UPDATE-2"]
    press(page, "Tab")
    page.keyboard.type("update")
    assert shown(page) == ["UPDATE-2"]
    press(page, "Tab")
    page.keyboard.type("hardened")
    assert shown(page) == []
    expect(status).to_have_text(f"0 of {len(made.results)} requirements shown")
    expect(page.get_by_text("No requirement is like that.")).to_be_visible()

    press(page, "Tab", "Enter")
    assert len(shown(page)) == len(made.results)
    assert page.get_by_label("Search").input_value() == ""


def test_failures_are_unfolded_by_keyboard(visit: Visit) -> None:
    page = visit(KINDS["failed"])
    expect(page.get_by_text("3 other inputs failed alike")).to_be_hidden()
    page.locator("summary").focus()
    press(page, "Enter")
    expect(page.get_by_text("3 other inputs failed alike")).to_be_visible()


def test_all_failures_are_unfolded_and_folded_at_once(visit: Visit) -> None:
    page = visit(complete())
    page.get_by_role("button", name="Unfold failures").click()
    assert page.locator("details[open]").count() == 3
    page.get_by_role("button", name="Fold failures", exact=True).click()
    assert page.locator("details[open]").count() == 0


def test_a_link_leads_to_its_requirement_even_if_the_filter_hides_it(visit: Visit) -> None:
    page = visit(complete())
    page.get_by_label("Search").fill("hostname of before")
    page.get_by_role("table").get_by_role("link", name="AUTH-1 passed").click()
    expect(page.locator("#AUTH-1")).to_be_in_viewport()


def test_an_address_with_a_requirement_shows_what_failed_there(visit: Visit) -> None:
    page = visit(complete(), "#UPDATE-2")
    expect(page.locator("#UPDATE-2 dl.block")).to_be_visible()
    assert page.locator("details[open]").count() == 1


def test_a_command_is_copied(visit: Visit) -> None:
    made = KINDS["failed"]
    page = visit(made, permissions=["clipboard-read", "clipboard-write"])
    unfold(page)
    page.locator("dl.block").get_by_role("button", name="Copy").first.click()
    expect(page.locator("dl.block").get_by_role("status").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == FAILURE.curl[0]
    assert shlex.split(copied)[0] == "curl"


def test_a_printed_page_shows_every_failure_and_no_controls(visit: Visit) -> None:
    page = visit(complete())
    page.emulate_media(media="print")
    for folded in page.locator("dl.block").all():
        assert folded.evaluate("(one) => one.checkVisibility({contentVisibilityAuto: true})")
        assert folded.evaluate("(one) => one.getBoundingClientRect().height") > 100
    expect(page.get_by_label("Search")).to_be_hidden()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_without_javascript_everything_is_there(visit: Visit) -> None:
    made = complete()
    page = visit(made, java_script_enabled=False)
    assert shown(page) == [one.requirement.id for one in made.results]
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.locator("summary").first.click()
    expect(page.locator("dl.block").first).to_be_visible()
