"""What conforms and was once taken for a violation; beside each, a violation that is still found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.exchange import Exchange, Response
from provider_conformance.exchange import Request as Sent
from provider_conformance.jsontext import DEEPEST, read_json
from variants.freedoms import Beyond, Freedoms, Optional, Unfound
from variants.messages import Answer
from variants.service import RefusalError, Service, nested
from variants.stacks.looping import served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from variants.messages import Request
    from variants.store import Entry

BASE = "/api/providers"


def answered(body: bytes, status: int = 200, media_type: str = "application/json", target: str = BASE) -> Exchange:
    """Return an exchange with an answer made by hand."""
    headers = (("Content-Type", media_type),)
    return Exchange(1, Operation.SHOW, Sent("GET", f"{target}/show?id=1", ()), Response(status, "X", headers, body))


# What others have stored


class TheirsAreDeep(Service):
    """Has a provider of others that is nested more deeply than is read."""

    def __init__(self, freedoms: Freedoms, token: str) -> None:
        super().__init__(freedoms, token)
        spoil(self, DEEPEST + 100)


class TheirsAreDeeper(Service):
    """Has a provider of others that is nested more deeply than many a parser goes."""

    def __init__(self, freedoms: Freedoms, token: str) -> None:
        super().__init__(freedoms, token)
        for entry in self.store.entries():
            entry.content = {**entry.content, "note": "deep"}

    def _json(self, value: dict[str, Any]) -> Answer:
        answer = super()._json(value)
        return replace(answer, body=answer.body.replace(b'"deep"', b"[" * 5000 + b'"]["' + b"]" * 5000))


def spoil(service: Service, levels: int) -> None:
    """Nest what a provider of others bears."""
    for entry in service.store.entries():
        entry.content = {**entry.content, "in_parameters": nested(levels)}


@pytest.mark.parametrize("kind", [TheirsAreDeep, TheirsAreDeeper])
def test_providers_of_others_may_be_nested_as_deeply_as_they_like(kind: type[Service], tmp_path: Path) -> None:
    parts = ("--only", "LIST-3", "--only", "CREATE-5", "--only", "HTTP-1")
    run = certify(tmp_path, served(kind(Freedoms(foreign=1), TOKEN)), *parts)

    assert run.told() == ""
    assert run.ids("pass") >= {"LIST-3", "CREATE-5", "HTTP-1"}, run.output


@pytest.mark.parametrize("levels", [DEEPEST, DEEPEST + 1, 900, 100_000])
def test_json_of_any_depth_is_well_formed(levels: int) -> None:
    deep = b"[" * levels + b'{"a": "]}\\""}, 5' + b"]" * levels
    exchange = answered(b'{"id": 1, "deep": [' + deep + b"," + deep + b'], "name": "[{"}')

    assert judge.json_well_formed(exchange) is None
    assert {**(judge.members_of(exchange) or {}), "deep": 0} == {"id": 1, "deep": 0, "name": "[{"}


@pytest.mark.parametrize("end", [b"", b"]", b"]" * 100_001 + b",}"])
def test_deep_json_that_does_not_end_as_it_must_is_not_well_formed(end: bytes) -> None:
    exchange = answered(b'{"deep": ' + b"[" * 100_000 + end)

    assert judge.json_well_formed(exchange) is not None


def test_duplicate_names_beside_what_is_deep_are_told_once() -> None:
    text = read_json(b'{"a": 1, "a": %b%b}' % (b"[" * 400, b"]" * 400))

    assert text.readable
    assert text.problems == ("duplicate names in one object: 'a'",)


@pytest.mark.parametrize("levels", [400, 2000])
def test_a_provider_of_ours_that_comes_back_deep_is_not_as_it_was_sent(levels: int) -> None:
    shown = answered(b'{"in_parameters": %b%b}' % (b"[" * levels, b"]" * levels))

    assert judge.shows_values(shown, values={"in_parameters": []}) is not None
    assert judge.shows_values(answered(b'{"in_parameters": []}'), values={"in_parameters": []}) is None


def test_a_text_that_is_hard_to_read_is_read_in_bounded_time() -> None:
    for body in (b"[" * 400 + b'"' + b'\\"' * 700_000, b"[" * 1_400_000, b'["",' * 300_000):
        assert not read_json(body).readable


def huge(service: Service) -> Service:
    """Make a page of the list larger than is read."""
    for entry in service.store.entries():
        entry.content = {**entry.content, "in_parameters": ["y" * 300_000]}
    return service


def test_a_list_of_huge_providers_of_others_is_no_harm_that_an_excessive_body_did(tmp_path: Path) -> None:
    run = certify(
        tmp_path, served(huge(Service(Freedoms(foreign=6), TOKEN))), "--level", "hardened", "--only", "HTTP-5"
    )

    assert run.told() == ""
    (reason,) = (entry["reason"] for entry in run.report["requirements"] if entry["id"] == "HTTP-5")
    assert "answer too large" in reason


# What refuses


class TellsInASentence(Service):
    """Answers a request for what there is not with 200 and a sentence."""

    def _refusal(self, refusal: RefusalError) -> Answer:
        if refusal.status != 404:
            return super()._refusal(refusal)
        return Answer(200, (("Content-Type", "text/plain"),), b"there is no such provider")


class ShowsInASentence(Service):
    """Sends what show gives as text."""

    def _show(self, request: Request) -> Answer:
        return replace(super()._show(request), headers=(("Content-Type", "text/plain"),))


def test_core_leaves_open_what_show_of_nobody_is_answered_with(tmp_path: Path) -> None:
    freedoms = Freedoms(missing=Unfound.IGNORED, unfound=404)
    run = certify(tmp_path, served(TellsInASentence(freedoms, TOKEN)), "--level", "core")

    assert run.told() == ""
    assert run.ids("fail") == set(), run.output


def test_a_provider_that_is_sent_as_text_is_found(tmp_path: Path) -> None:
    run = certify(tmp_path, served(ShowsInASentence(Freedoms(), TOKEN)), "--only", "HTTP-1")

    assert "HTTP-1" in run.ids("fail"), run.output


ABOUT = {"1": ["Grand Hotel"], "2": ["Blue Office"]}


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize(
    ("token", "told", "found"),
    [(TOKEN, "Grand Hotel", False), (TOKEN, "Blue Office", True), ("", "Grand Hotel", True)],
)
def test_an_error_may_tell_of_whom_it_is_about_to_who_has_the_token(
    status: int, token: str, told: str, *, found: bool
) -> None:
    exchange = answered(f'{{"error": "{told} is no good"}}'.encode(), status)
    asked = replace(exchange, request=Sent("GET", f"{BASE}/show?id=1", (("access_token", token),)))

    assert (judge.discloses_nothing(asked, token=TOKEN, others=ABOUT) is not None) == found


# What a list of nobody is answered with


class RefusesEmptyList(Service):
    """Refuses the first page where nobody is on it, as one past the last."""

    def _items(self, entries: list[Entry], index: int, size: int) -> list[dict[str, Any]]:
        if not entries:
            raise RefusalError(404, "there is no such page")
        return super()._items(entries, index, size)


class WritesEmptyListByHand(Service):
    """Writes a comma after every provider but the last, and so one where there is none."""

    def _list(self, request: Request) -> Answer:
        answer = super()._list(request)
        return replace(answer, body=answer.body.replace(b'"providers":[]', b'"providers":[,]'))


class AnswersEmptyListWithText(Service):
    """Answers a request for the first page with a sentence where nobody is on it."""

    def _list(self, request: Request) -> Answer:
        answer = super()._list(request)
        if self.store.entries():
            return answer
        return replace(answer, headers=(("Content-Type", "text/plain"),), body=b"there are no providers")


@pytest.mark.parametrize(
    ("kind", "freedoms", "wrong"),
    [
        (RefusesEmptyList, Freedoms(), False),
        (RefusesEmptyList, Freedoms(first_page=0, past=Beyond.NEAREST), False),
        (Service, Freedoms(past=Beyond.BARE), False),
        (Service, Freedoms(past=Beyond.TEXT), False),
        (WritesEmptyListByHand, Freedoms(first_page=0, past=Beyond.REFUSED), True),
        (AnswersEmptyListWithText, Freedoms(past=Beyond.REFUSED), True),
    ],
)
def test_a_list_of_nobody_may_be_refused_and_else_is_a_list(
    kind: type[Service], freedoms: Freedoms, tmp_path: Path, *, wrong: bool
) -> None:
    run = certify(tmp_path, served(kind(freedoms, TOKEN)), "--only", "LIST-1", "--only", "HTTP-1")

    assert run.ids("fail") == ({"HTTP-1"} if wrong else set()), run.output
    assert run.ids("pass") >= {"LIST-1"}, run.output


# What is counted


class CountsChosen(Service):
    """Counts under OPTIONAL the providers that it gives there, and not those that it leaves out."""

    chosen = 0

    def _by_option(self, entries: list[Entry]) -> list[Entry]:
        chosen = super()._by_option(entries)
        self.chosen = len(chosen)
        return chosen

    def _told(self, page: int, size: int, count: int, sort_by: str) -> dict[str, Any]:
        return super()._told(page, size, count if sort_by == "DEFAULT" else self.chosen, sort_by)


class ChoosesByStatus(CountsChosen):
    """Gives under OPTIONAL those that are reached at the moment."""

    def _by_option(self, entries: list[Entry]) -> list[Entry]:
        reached = [entry for entry in entries if self._random.random() < 0.5]
        self.chosen = len(reached)
        return reached


class CountsPageUnderOptional(CountsChosen):
    """Counts under OPTIONAL the providers of the page."""

    def _told(self, page: int, size: int, count: int, sort_by: str) -> dict[str, Any]:
        told = super()._told(page, size, count, sort_by)
        return told if sort_by == "DEFAULT" else told | {"count": max(0, min(size, self.chosen - (page - 1) * size))}


@pytest.mark.parametrize("foreign", [0, 7])
@pytest.mark.parametrize(
    ("kind", "freedoms", "wrong"),
    [
        (CountsChosen, Freedoms(optional=Optional.PARTIAL), False),
        (CountsChosen, Freedoms(optional=Optional.EMPTY), False),
        (ChoosesByStatus, Freedoms(own_status=True), False),
        (CountsPageUnderOptional, Freedoms(optional=Optional.REVERSED), True),
    ],
)
def test_optional_may_count_those_that_it_gives(
    kind: type[Service], freedoms: Freedoms, foreign: int, tmp_path: Path, *, wrong: bool
) -> None:
    service = kind(replace(freedoms, foreign=foreign), TOKEN)
    run = certify(tmp_path, served(service), *("--only", "LIST-5", "--only", "LIST-6", "--only", "LIST-7"))

    assert run.ids("fail") == ({"LIST-6"} if wrong else set()), run.output
    assert run.ids("pass") >= {"LIST-5", "LIST-7"}, run.output


# How answers are sent


class BearsManyFields(Service):
    """Answers with links to the pages of the list, each in a field of its own."""

    def _json(self, value: dict[str, Any]) -> Answer:
        answer = super()._json(value)
        links = tuple(("Link", f"</p?{number}>; rel=item") for number in range(110))
        return replace(answer, headers=(*answer.headers, *links))


def test_an_answer_may_have_many_fields(tmp_path: Path) -> None:
    run = certify(tmp_path, served(BearsManyFields(Freedoms(), TOKEN)), "--only", "SHOW-1", "--only", "LIST-1")

    assert run.told() == ""
    assert run.ids("pass") >= {"SHOW-1", "LIST-1"}, run.output


@pytest.mark.parametrize(
    "media_type",
    [
        'application/json; profile="a;charset=iso-8859-1"',
        'application/json; profile="\\";charset=latin-1"; charset="utf\\-8"',
        'application/json;q="";Charset = UTF-8',
        'application/json; profile="a, b" ;',
        "application/json;;charset=utf-8;",
        "application/json",
    ],
)
def test_a_quoted_parameter_may_have_anything_in_it(media_type: str) -> None:
    assert judge.json_well_formed(answered(b"{}", media_type=media_type)) is None


@pytest.mark.parametrize(
    "media_type",
    [
        'application/json; profile="a;b"; charset=iso-8859-1',
        'application/json; profile="a;charset=utf-8"; charset="utf-16"',
        "application/json;charset=latin-1",
        "application/json ; x ; Charset = latin-1",
        'text/json; profile="application/json"',
    ],
)
def test_another_charset_or_type_is_found_beside_a_quoted_parameter(media_type: str) -> None:
    assert judge.json_well_formed(answered(b"{}", media_type=media_type)) is not None


# What errors bear

Error = tuple[str, bytes]

LINKS: list[Error] = [
    (BASE, b'{"error": "no", "help":"/admin/help.php"}'),
    (BASE, b'{"help": ["\\/admin\\/help.php", "/static/js/app.js"]}'),
    (BASE, b'{"self": "/Users/42"}'),
    (BASE, b"<title>Error</title><script src=/static/js/app.js defer></script><p>Not found"),
    (BASE, b"<a HREF=/var/log/help.html>help</a>"),
    (BASE, b'<script src="/static/js/app.js"></script>'),
    (BASE, b'{"error": "see /api/providers/help/errors.php"}'),
    (BASE, b"see /docs/samples/client.swift"),
    (BASE, b'{"schema": "/app/config/providers.json"}'),
    (BASE, b"could not open /api/providers/help.json"),
    (BASE, b"permission denied, see '/help', or in a browser, open '/login'"),
    (BASE, b"you may not open /admin: permission denied"),
    ("/opt/pbx/api", b'{"type":"/opt/pbx/api/problems/invalid","title":"no"}'),
    ("/opt/pbx/api", b'{"type":"/opt/pbx/problems/invalid","title":"no"}'),
    ("/home/pbx/api", b"see /home/pbx/api/problems/invalid"),
]


@pytest.mark.parametrize("error", LINKS)
def test_an_error_may_have_links(error: Error) -> None:
    assert disclosed(*error) is None


FILES: list[Error] = [
    (BASE, b'{"file":"/srv/app/app.py"}'),
    (BASE, b'{"path": "\\/var\\/lib\\/x.db"}'),
    (BASE, b'{"path": "/home/pbx/app/x.db"}'),
    (BASE, b'{"path": "/Users/pbx/app"}'),
    (BASE, b'{"error": "cannot read \\"/app/src/x.js\\" again"}'),
    (BASE, b'{"error": "/app/src/x.js:10"}'),
    (BASE, b"Cannot find module '/app/src/x.js'"),
    (BASE, b"cannot open file=/srv/app/app.py"),
    (BASE, b"database_url=/var/lib/pbx.db"),
    (BASE, b"<p>/srv/app/app.py</p>"),
    (BASE, b"/build/pbx/src/provider_api.cpp:212: parse failed"),
    (BASE, b'{"error": "Fatal error: /app/Sources/Api/ProviderController.swift:41"}'),
    (BASE, b"ENOENT: no such file or directory, open '/app/config/providers.json'"),
    (BASE, b'{"error": "[Errno 2] No such file or directory: \'/data/pbx/providers.xml\'"}'),
    (BASE, b"open /data/pbx/providers.xml: no such file or directory"),
    (BASE, b'{"type":"/opt/pbx/api/problems"}'),
    ("/opt/pbx/api", b'{"file":"/srv/app/app.py"}'),
    ("/opt/pbx/api", b'{"file":"file:///opt/pbx/api/app.py"}'),
    ("", b'{"file":"/opt/pbx/api/app.py"}'),
]


TRACES: list[bytes] = [
    b'{"detail": "Stack trace:\\n#0 [internal function]: ProviderController->show()\\n#1 {main}"}',
    b'[{provider_handler,show,2,[{file,"src/provider_handler.erl"},{line,88}]}]',
    b'{"detail": "[{cowboy_handler,execute,2,[{file,\\"src/cowboy_handler.erl\\"},{line,37}]}]"}',
]


QUERIES: list[bytes] = [
    b"select id, name from providers limit ?",
    b"select p.* from providers p order by p.id limit $1",
    b"could not execute query: from Provider p where p.id = :id and p.deleted = false",
    b'{"error": "db.providers.findOne({\\"_id\\": 17})"}',
]


@pytest.mark.parametrize(
    ("error", "what"),
    [
        *((error, "a file path") for error in FILES),
        *(((BASE, error), "a stack trace") for error in TRACES),
        *(((BASE, error), "a query") for error in QUERIES),
    ],
)
def test_an_error_with_something_of_the_inside_discloses_it(error: Error, what: str) -> None:
    problem = disclosed(*error)

    assert problem is not None
    assert what in problem.summary


ADVICE: list[bytes] = [
    b"select a protocol from UDP, TCP",
    b"select one of those from list, where the limit 10 applies",
    b"select at most 8 addresses from ips: limit exceeded",
    b"see #1 in the list, {file} and {main}",
    b"the value is taken from another place where it is unique",
    b"send it from the form you show where you = an operator",
    b"show() found no provider; update(id) needs one",
]


@pytest.mark.parametrize("error", ADVICE)
def test_an_error_may_tell_what_to_do_in_words(error: bytes) -> None:
    assert disclosed(BASE, error) is None


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (("Location", "/auth/login.php"), False),
        (("Refresh", "0; url=/auth/login.php"), False),
        (("X-Error", "in /auth/login.php"), True),
    ],
)
def test_a_field_may_be_a_link(field: tuple[str, str], *, found: bool) -> None:
    exchange = answered(b"", 400)
    assert exchange.response is not None
    headers = (*exchange.response.headers, field)
    problem = judge.discloses_nothing(
        replace(exchange, response=replace(exchange.response, headers=headers)), token=TOKEN, others={}
    )
    assert (problem is not None) == found


def disclosed(base: str, body: bytes) -> judge.Problem | None:
    """Judge an error of an API that lives at a path."""
    rule: Callable[..., judge.Problem | None] = judge.discloses_nothing
    return rule(answered(body, 400, target=base), token=TOKEN, others={})
