"""What conforms and was once taken for a violation; beside each, a violation that is still found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from command import TOKEN, certify
from provider_conformance import judge
from provider_conformance.contract import Operation
from provider_conformance.contract_fuzz import second_opinion
from provider_conformance.exchange import Exchange, Response
from provider_conformance.exchange import Request as Sent
from provider_conformance.jsontext import DEEPEST, read_json
from provider_conformance.values.illegal import Violation, ill_typed_ids, unfair_ids
from variants import checks
from variants.freedoms import Beyond, Freedoms, Optional, Unfound, ascending
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


class TakesShortTargets(Service):
    """Answers a request with a long target with 414, whatever else may be wrong with it."""

    wrong = 414

    def answer(self, request: Request) -> Answer:
        if len(urlencode(request.query)) > 200:
            return Answer(414)
        is_read = request.path == "/create" and request.method == "GET"
        return Answer(404) if self.wrong == 404 and is_read else super().answer(request)


class FindsNothingByGet(TakesShortTargets):
    """Answers a create by GET with 404, unless its target is too long."""

    wrong = 404


@pytest.mark.parametrize(("kind", "failed"), [(TakesShortTargets, set()), (FindsNothingByGet, {"HTTP-3"})])
def test_a_target_may_be_too_long_for_a_method_that_there_is_not(
    kind: type[Service], failed: set[str], tmp_path: Path
) -> None:
    run = certify(tmp_path, served(kind(Freedoms(), TOKEN)), "--only", "HTTP-3")

    assert run.ids("fail") == failed, run.output
    assert run.ids("pass") == {"HTTP-3"} - failed, run.output


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


class TakesFirstPageForOnePastTheLast(Service):
    """Answers a request for the first page with an empty array where nobody is on it."""

    def _list(self, request: Request) -> Answer:
        answer = super()._list(request)
        return answer if self.store.entries() else replace(answer, body=b"[]")


@pytest.mark.parametrize(
    ("kind", "freedoms", "wrong"),
    [
        (RefusesEmptyList, Freedoms(), False),
        (RefusesEmptyList, Freedoms(first_page=0, past=Beyond.NEAREST), False),
        (Service, Freedoms(past=Beyond.BARE), False),
        (Service, Freedoms(past=Beyond.TEXT), False),
        (WritesEmptyListByHand, Freedoms(first_page=0, past=Beyond.REFUSED), True),
        (AnswersEmptyListWithText, Freedoms(past=Beyond.TEXT), False),
        (TakesFirstPageForOnePastTheLast, Freedoms(past=Beyond.BARE), False),
    ],
)
def test_a_list_of_nobody_may_be_answered_as_a_page_past_the_last(
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


# How numbers are spelt


def opinions(number: str) -> list[judge.Problem | None]:
    """Return what all rules about the type of an id say of one in an answer."""
    created = replace(answered(b'{"id": %b}' % number.encode()), operation=Operation.CREATE)
    shown = answered(b'{"id": %b, "port": 5060.0}' % number.encode())
    listed = replace(answered(b'{"providers": [{"id": %b}]}' % number.encode()), operation=Operation.LIST)
    ours = [found for found in [judge.given_id(created)] if found is not None]
    return [
        judge.gives_id(created),
        judge.documented_types(shown, operation="show"),
        judge.documented_types(listed, operation="list", ours=ours),
        second_opinion(created, operation="create", level="core"),
        second_opinion(shown, operation="show", level="core"),
        second_opinion(listed, operation="list", level="core"),
    ]


@pytest.mark.parametrize(
    "number",
    [
        *("-9223372036854775808", "-9223372036854775808.0", "-9223372036854775807.0", "-9223372036854775386.0"),
        *("9223372036854775807", "9223372036854775807.0", "9223372036854775807e0", "92233720368547758.07E+2"),
        *("-9.223372036854775808e18", "1e3", "5.0", "50e-1", "-0.0", "9007199254740993.000"),
    ],
)
def test_an_id_may_be_spelt_with_a_point_and_an_exponent_up_to_both_ends(number: str) -> None:
    assert opinions(number) == [None] * 6
    assert judge.given_id(answered(b'{"id": %b}' % number.encode())) == int(Decimal(number))


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "9223372036854775808.0", "-9223372036854775809.0", "1e19", "5.5", "50e-2"]
)
def test_an_id_beyond_either_end_and_a_fraction_are_found(number: str) -> None:
    created, shown, _, *second = opinions(number)

    assert created is not None
    assert shown is not None
    assert None not in second


def test_who_reads_numbers_as_doubles_may_take_for_an_id_what_is_one_as_a_double(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_exact", float)
    freedoms = Freedoms(fractions_taken=True, ids=ascending(2**53 - 2**12))
    parts = ("--only", "DESTROY-4", "--only", "UPDATE-7", "--only", "SHOW-6")
    run = certify(tmp_path, served(Service(freedoms, TOKEN)), *parts)

    assert run.told() == ""
    assert run.ids("pass") >= {"DESTROY-4", "UPDATE-7", "SHOW-6"}, run.output


BITS = [*range(0, 24, 4), *range(24, 63)]
NEAR = [sign * (2**bits + step) for bits in BITS for step in (-3, -1, 0, 1, 2) for sign in (1, -1)]


def test_fractions_are_only_sent_for_ids_where_doubles_have_them() -> None:
    for identity in NEAR:
        is_told(identity)


def is_told(identity: int) -> None:
    """Make sure that every fraction made of an id is one as a double, too, and that there is one where it can be."""
    queries = [query["id"] for _, query in unfair_ids(identity)]
    ids = [
        json.loads(violation.write({"id": identity}) or b"", parse_float=Decimal)["id"]
        for violation in bodies(identity)
    ]
    fractions = [*map(Decimal, filter(IS_FRACTION.fullmatch, filter(None, queries))), *filter(is_fraction, ids)]

    assert (len(fractions) == 4) == (abs(identity) < 2**51)
    assert (len(fractions) > 0) == (abs(identity) <= 2**52)
    for number in fractions:
        assert not float(number).is_integer()
        assert abs(number - identity) < 1


IS_FRACTION = re.compile(r"-?\d+\.\d+")


def is_fraction(value: object) -> bool:
    """Tell whether a number in a body has a fraction."""
    return isinstance(value, Decimal) and IS_FRACTION.fullmatch(f"{value:f}") is not None


def bodies(identity: int) -> list[Violation]:
    """Return the bodies with an id that is none, as far as they can be made of an id."""
    return [violation for violation in ill_typed_ids(Operation.DESTROY) if violation.suits(identity)]


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (("GET",), False),
        (("GET, HEAD, OPTIONS",), False),
        (("HEAD", "GET ,OPTIONS"), False),
        (("GET, TRACE, DELETE",), False),
        (("GET, POST",), True),
        (("GET", "POST"), True),
        (("HEAD",), True),
        ((), True),
    ],
)
def test_methods_that_are_allowed_may_be_more_than_documented_but_not_the_refused(
    listed: tuple[str, ...], *, found: bool
) -> None:
    exchange = replace(answered(b"", 405), request=Sent("POST", f"{BASE}/show", ()))
    assert exchange.response is not None
    response = replace(exchange.response, headers=tuple(("Allow", methods) for methods in listed))

    problem = judge.method_refused(replace(exchange, response=response), allowed="GET")
    assert (problem is not None) == found


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
    (BASE, b"<script type=module>import '/assets/i.js'; navigator.serviceWorker.register(\"/static/sw.js\")</script>"),
    (BASE, b"<SCRIPT>if (1 < 2) load(`/src/main.ts`)</SCRIPT><p>no"),
    (BASE, b"<a onclick=\"window.open('/manual/errors.php')\">help</a>"),
    (BASE, b"See our manual: /manual/errors.php"),
    (BASE, b"Mehr dazu: /handbuch/fehler.php, /handbuch/suche.pl"),
    (BASE, b"the codes are told in /errors/codes.php."),
    (BASE, b"compare it with /docs/samples/client.py, or take /static/setup.exe"),
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
    (BASE, b"<script>const file = '/srv/app/app.js'</script>"),
    (BASE, b"<script>const no = 1</script><p>in /app/src/show.ts"),
    (BASE, b"Failed opening required '/app/show.php'"),
    (BASE, b"include(/app/show.php): failed to open stream"),
    (BASE, b"Uncaught Error in /app/show.php"),
    (BASE, b"Warning: /app/show.php(41) divides by zero"),
    (BASE, b"/app/src/show.js, line 41"),
    (BASE, b"no such provider (/app/src/show.rb)\n"),
    (BASE, b"what(): bad value (../src/provider_api.cpp:212)"),
    (BASE, b'{"error": "unexpected token (src/json/parser.c:211)"}'),
    (BASE, b"internal/api/providers.go:120: no"),
    (BASE, b"assertion failed, src/api/show.rs:41"),
    (BASE, b"./lib/api/show.py:41 failed"),
    (BASE, b"dist/show.js:41 failed"),
    ("/opt/pbx/api", b'{"file":"/srv/app/app.py"}'),
    ("/opt/pbx/api", b'{"file":"file:///opt/pbx/api/app.py"}'),
    ("", b'{"file":"/opt/pbx/api/app.py"}'),
]


TRACES: list[bytes] = [
    b"Error: no\n    at Object.show [as handle] (/app/server.js:10:5)",
    b"Error: no\n    at async file:///app/server.mjs:10:5",
    b"Error: no\n    at Module._compile (node:internal/modules/cjs/loader:1105:14)",
    b"Error: no\n    at #show (C:\\app\\server.ts:10:5)",
    b"   4: api::show\n             at ./src/main.rs:10:5",
    b'{"detail": "Stack trace:\\n#0 [internal function]: ProviderController->show()\\n#1 {main}"}',
    b"what(): at ProviderApi::update(Request const&) ../src/provider_api.cpp:212",
    b"at pbx::api::show(int64_t)",
    b"2026/11/30 09:41:02 providers.go:120: json: cannot unmarshal string into Go struct field",
    b"ProviderController.java:12",
    b'{"trace":[{"file":"ProviderController.php","line":12,"function":"update"}]}',
    b'{"error": {"type": "ValueError", "lineno": 41, "filename": "views.py"}}',
    b'[{provider_handler,show,2,[{file,"src/provider_handler.erl"},{line,88}]}]',
    b'{"detail": "[{cowboy_handler,execute,2,[{file,\\"src/cowboy_handler.erl\\"},{line,37}]}]"}',
]


QUERIES: list[bytes] = [
    b"SELECT id, name FROM providers",
    b"SELECT ID FROM PROVIDERS",
    b"SELECT DISTINCT p.id AS a, COUNT(*) FROM providers p",
    b"select one of those: SELECT a FROM `providers`",
    b"SELECT one of the values, or else: SELECT TOP 1 id FROM providers",
    b'UPDATE "providers" SET "name" = $1',
    b"INSERT INTO providers (id, name)",
    b"DELETE FROM providers",
    b"select id, name from providers limit ?",
    b"select p.* from providers p order by p.id limit $1",
    b"could not execute query: from Provider p where p.id = :id and p.deleted = false",
    b'{"find":"providers","filter":{"_id":{"$eq":5}}}',
    b'{"error": "command failed: {\\"aggregate\\": \\"providers\\", \\"pipeline\\": [{\\"$match\\": {}}]}"}',
    b'{"update":"providers","updates":[{"q":{"_id":5}}]}',
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
    b"Please SELECT one of the documented values FROM the list",
    b"SELECT ONE OF THE DOCUMENTED VALUES FROM THE LIST",
    b"SELECT UDP, TCP or BOTH FROM those",
    b"SELECT a protocol FROM UDP and TCP",
    b"SELECT protocols FROM documented values",
    b"select a protocol from the list where it is null",
    b"UPDATE the SET of addresses, or DELETE FROM the list",
    b"first UPDATE and SET the port, then INSERT INTO your list",
    b"cannot reach sip.example.pl:5060 or example.rs:5061, gw.example.cc:80, example.py:5060 and example.sh:22",
    b"udp/sip.example.pl:5060, tcp/example.rs:5060 and tls/example.cc:5061 are taken",
    b"http://localhost:8990/src/client.js:12 and https://example.com/src/client.c:12",
    b"see example.com/src/client.go:12, or docs/samples/client.go:120: there it is shown",
    b"refused at 09:41:02, by version 1.2.3:4, as application/json:1 or a/b:1",
    b"taken at api::v1 (see RFC 9110:5.5), or at pbx::show",
    b"powered by Node.js:18, built from images/node.js:18; see errors.php:12",
    b'{"file":"request.json","line":1,"column":17}',
    b'{"line":1,"file":"providers.csv"}',
    b'{"find":"providers","filter":{"name":"a"}}',
    b'{"update":"failed","query":{"_id":5}}',
    b"Request refused at 29/Nov/2026:22:53:29 +0000 by the gateway",
    b"refused at [29/Nov/2026:22:53:29 +0000] (/show:1:1)",
    b"Invalid value at /ips/0:1:17",
    b"Invalid values:\n    at /ips/0:1:17\n    at ips (/ips/1:1:29)",
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
