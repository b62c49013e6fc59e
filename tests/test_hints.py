"""The usual causes of failures: guessed from what was sent and what came, and told where there is one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from provider_conformance import judge
from provider_conformance.causes import CAUSES
from provider_conformance.exchange import Request
from provider_conformance.hints import hint
from provider_conformance.judge.wording import Problem, difference
from provider_conformance.oddities import oddity
from provider_conformance.reduction import told

if TYPE_CHECKING:
    from provider_conformance.jsontext import JsonValue

JUDGE = {name: member for name in judge.__all__ if inspect.isfunction(member := getattr(judge, name))}
RULES = {name for name, member in JUDGE.items() if member.__annotations__.get("return") == "Problem | None"} - {
    "difference"
}


def cause(sent: JsonValue, came: JsonValue, rule: str = "shows_values", summary: str = "show differs") -> str:
    problem = difference({"x": came}, {"x": sent}, summary)
    assert problem is not None
    return hint(rule, problem, ())


@pytest.mark.parametrize(
    ("sent", "came", "told_of"),
    [
        (2**31, -(2**31), "32 bits"),
        (2**32 + 5, 5, "32 bits"),
        (40_000, 40_000 - 2**16, "16 bits"),
        (2**53 + 1, 2**53, "double"),
        (5060, "5060", "as text"),
        (0, 30, "no value"),
        ("", "x", "no value"),
        ([], ["192.0.2.1"], "no value"),
        (False, True, "no value"),
        (True, 1, "without a boolean type"),
        (True, "true", "without a boolean type"),
        (True, False, "always the same boolean"),
        (" a ", "a", "blanks"),
        ("Main", "main", "letter case"),
        ("a" * 64, "a" * 32, "too short"),
        ("user@host", "user", "parsed"),
        ("0123", "123", "as a number"),
        ("a+b", "a b", "form"),
        ("2001:db8::1", "2001:0db8:0000:0000:0000:0000:0000:0001", "written anew"),
        (["2001:db8::1"], ["2001:db8:0:0:0:0:0:1"], "written anew"),
        ("<b>", "&lt;b&gt;", "HTML"),
        ("é", "e\u0301", "normalised"),
        ("é", "Ã©", "Latin-1"),
        ("a\U0001f4deb", "a?b", "character set"),
        ("O'Neil", "O''Neil", "doubled"),
        ("a\u0000b", "ab", "removed"),
        (-1, 1, "sign"),
        (70_000, 65_535, "limited"),
        ([1, "a"], ["1", "a"], "become text"),
        (["a", "b", "a"], ["a", "b"], "kept once"),
        (["b", "a"], ["a", "b"], "another order"),
        (["a", "b", "c"], ["a"], "first 1 of 3"),
        (["a"], None, "null"),
        (["a"], '["a"]', "text"),
        ("a", None, "null instead"),
    ],
)
def test_the_cause_is_guessed_from_the_values(sent: JsonValue, came: JsonValue, told_of: str) -> None:
    assert told_of in cause(sent, came)
    assert cause(sent, came) != cause(5060, 5061), "the cause of any change"


def test_what_has_changed_between_two_answers_says_nothing_of_how_it_is_stored() -> None:
    assert "boolean" not in cause(False, True, "unchanged", "after the same update again, provider 5 has changed")
    assert "adds to" in cause(False, True, "unchanged", "after the same update again, provider 5 has changed")
    assert "too short" not in cause("ab", "a", "shows_update", "after the update, show still gives the old value")


@pytest.mark.parametrize(
    ("rule", "summary", "told_of"),
    [
        ("accepted", "create is answered with 201 Created", "201"),
        ("accepted", "create is answered with 409 Conflict", "unique"),
        ("refused", "show with the token in a cookie alone is not refused but answered with 200 OK", "elsewhere"),
        ("refused", "show with the token in the query alone is not refused but answered with 200 OK", "elsewhere"),
        ("refused", "create with no token is not refused but answered with 200 OK", "not checked on this operation"),
        ("refused", "create with no port is not refused but answered with 200 OK", "has a default"),
        ("refused", "update with no port is not refused but answered with 200 OK", "PATCH"),
        ("refused", "create with port as its digits in a string is not refused but answered with 200 OK", "text into"),
        ("refused", "create with the last brace missing is not refused but answered with 200 OK", "lenient parser"),
        ("refused", "create with status as its value in lower case is not refused but answered with 200 OK", "case"),
        ("documented_types", "show answers with a value of the wrong type: ips is null, null, not array", "relation"),
        ("refused_as_invalid_id", "destroy with the id as text is answered with 422 X", "framework"),
    ],
)
def test_the_cause_is_guessed_from_the_summary(rule: str, summary: str, told_of: str) -> None:
    assert told_of in hint(rule, Problem(summary, "", ""), ())


@pytest.mark.parametrize(
    ("target", "body", "told_of"),
    [
        ("/show?id=5", None, ""),
        ("/show?id=0", None, "id is 0"),
        ("/show?id=9223372036854775808", None, "beyond int64"),
        ("/list?pagination=1&pagesize=2147483649", None, "pagesize is a number beyond int32"),
        ("/show?id=%00", None, "NUL"),
        ("/list?sort_by=DEFAULT&sort_by=DEFAULT", None, "sort_by is there 2 times"),
        ("/show?id=%ff", None, "no UTF-8"),
        ("/create", b'{"name": "a"}', ""),
        ("/create", b'{"name": ', "no JSON"),
        ("/create", b"[1]", "no object"),
        ("/create", b'{"name": "\\ud83d"}', "name holds half a surrogate pair"),
        ("/create", b'{"name": "\\u0000"}', "name holds NUL"),
        ("/create", '{"name": "\U0001f4de"}'.encode(), "beyond the basic plane"),
        ("/create", b'{"port": 9223372036854775808}', "port holds a number beyond int64"),
        ("/create", b'{"ips": ' + b"[" * 60 + b"]" * 60 + b"}", "ips is nested deeply"),
        ("/create", b'{"ips": ' + b"[" * 7000 + b"]" * 7000 + b"}", "nested deeply"),
        ("/create", b" " * 20_000, "KiB"),
    ],
)
def test_what_is_special_about_a_request_is_told(target: str, body: bytes | None, told_of: str) -> None:
    found = oddity(Request("GET" if body is None else "POST", target, (), body))
    assert told_of in found
    assert bool(told_of) == bool(found)


def test_that_a_post_has_no_body_is_told() -> None:
    assert oddity(Request("POST", "/create", (), None)) == "there is no body, not even an empty one"


def test_causes_are_told_of_rules_that_there_are() -> None:
    assert CAUSES.keys() <= RULES


def test_rules_without_a_cause_are_those_about_values_and_broken_servers() -> None:
    about_broken_servers = {"survived", "stays_reachable", "stored_or_refused"}
    assert RULES - CAUSES.keys() == {"kept_exactly"} | about_broken_servers


def test_what_is_to_blame_is_told_by_its_property_and_what_was_sent() -> None:
    body: dict[str, JsonValue] = {"name": "a b", "hostname": "192.0.2.1", "ips": ["a", "b"], "password": "secret"}
    assert told(body, ("name_tail",)) == 'name = "a b"'
    assert told(body, ("host", "domain")) == 'hostname = "192.0.2.1"'
    assert told(body, ("ips", "rotation")) == "2 ips"
    assert told(body, ("password",)) == "this password"


def test_what_is_wholly_as_before_is_not_put_down_to_one_value() -> None:
    sent: dict[str, JsonValue] = {"flag": False, "ips": [], "port": 5080}
    as_before: dict[str, JsonValue] = {"flag": True, "ips": ["192.0.2.1"], "port": 5060}
    lost = difference(as_before, sent, "show still gives the old value of flag, ips, port")
    apart = difference({**sent, "ips": ["192.0.2.1"]}, sent, "show still gives the old value of ips")
    assert lost is not None
    assert apart is not None

    assert "no value" not in hint("shows_update", lost, ())
    assert "no value" in hint("shows_update", apart, ())
