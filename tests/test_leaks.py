"""No secret is written down: not the token, not a password, however a server repeats them."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from command import TOKEN, certify, text_of
from provider_conformance.masking import MASK, disguises, masked_by
from provider_conformance.reference import jsonbody
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from provider_conformance.reference.messages import Answer, Properties, RefusedError, Request

SECRETS = (TOKEN, "Secret-1", "Other-Secret-2", "theirs, not ours")
HOSTILE = "\x1b[2J\x07\u202e]]>&<script>alert(1)</script>=1+1"


def forms(secret: str) -> list[str]:
    """Return a secret in the ways in which it is repeated."""
    encoded = base64.b64encode(secret.encode()).decode()
    return [secret, quote(secret, safe=""), encoded, secret.encode().hex()]


def test_what_is_no_json_is_none_without_its_password() -> None:
    masked = masked_by("Secret-1").members('{"password": "Hidden\\@word"}')
    assert "Hidden" not in masked
    with pytest.raises(json.JSONDecodeError):
        json.loads(masked)
    assert json.loads(masked_by("Secret-1").members('{"password": "Hidden@word"}')) == {"password": MASK}


@pytest.mark.parametrize("end", range(len('{"password": "'), len('{"password": "Hidden\\@word"')))
def test_what_was_cut_off_within_a_password_has_no_part_of_it(end: int) -> None:
    cut = '{"password": "Hidden\\@word", "port": 5060}'[:end]

    masked = masked_by("Secret-1").members(cut)

    assert masked == f'{{"password": "\\{MASK}"'
    assert (
        masked_by("Secret-1").members('{"password": "Hidden@word", "port": 50') == f'{{"password": "{MASK}", "port": 50'
    )


@pytest.mark.parametrize("secret", ["p4sswd", "4 long one: " + "long " * 20, 'one with a " in it', "ünï-códe"])
def test_a_secret_is_found_wherever_it_stands_in_a_long_text(secret: str) -> None:
    masker = masked_by(secret)

    for place in range(200):
        before, after = "x" * place, "y" * 300
        said = before + (json.dumps(secret)[1:-1] if '"' in secret else secret) + after
        assert masker.narrowed(["something else", said])(said) == before + MASK + after, place
    assert masker.narrowed(["xy" * 300])("xy" * 300) == "xy" * 300


class Parrot(Reference):
    """Repeats token and passwords in all that it answers, wrongly enough to be quoted."""

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        told = " ".join(form for secret in SECRETS for form in forms(secret))
        return replace(answer, headers=(*answer.headers, ("X-Echo", told)))

    def refusal(self, refused: RefusedError) -> Answer:
        everything = [{"password": SECRETS[-1], "note": [form for secret in SECRETS[:3] for form in forms(secret)]}]
        return replace(super().refusal(refused), body=jsonbody.encode({"error": HOSTILE, "seen": everything}))

    def rendered_provider(self, provider: Properties) -> Any:
        spoilt = " ".join(form for secret in SECRETS[:3] for form in forms(secret))
        return {**provider, "hostname": f"{HOSTILE} {spoilt}", "outbound_server": provider["password"]}


class Hinting(Reference):
    """Tells in its refusals the beginning of the token that was sent, and of the one that it wants if `generous`."""

    generous = False

    def answer(self, request: Request) -> Answer:
        self.sent = dict(request.headers).get(b"access_token", b"").decode("latin-1")
        return super().answer(request)

    def refusal(self, refused: RefusedError) -> Answer:
        if refused.status != 401:
            return super().refusal(refused)
        wanted = TOKEN[:24] if self.generous else "another"
        return replace(super().refusal(refused), body=jsonbody.encode({"error": f"{self.sent[:40]} is not {wanted}"}))


class Generous(Hinting):
    generous = True


class Disguising(Reference):
    """Fails in many a show, and tells the token then, cut off or disguised."""

    def prepare(self) -> None:
        self.shows = 0

    def show(self, request: Request) -> Answer:
        self.shows += 1
        if self.shows % 3:
            return super().show(request)
        told = "x" * (self.shows * 7 % 160) + " ".join((TOKEN, *sorted(disguises(TOKEN))))
        return replace(super().show(request), status=500, body=told.encode())


def test_a_token_is_concealed_that_was_cut_off_or_disguised(tmp_path: Path) -> None:
    with ThreadServer(Disguising(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--level", "strict")

    assert "show does not give our provider" in run.output
    spelt = (TOKEN, TOKEN.upper())
    parts = {*disguises(TOKEN), *(form[start : start + 24] for form in spelt for start in range(len(form) - 24))}
    files = [(path.name, text_of(path)) for path in (tmp_path / "reports").iterdir()]
    for name, text in [("the terminal", run.output), *files]:
        assert [part for part in parts if part in text] == [], name


@pytest.mark.parametrize(("kind", "failing"), [(Hinting, set()), (Generous, {"HTTP-6"})])
def test_a_part_of_the_token_is_concealed_and_judged_again(
    kind: type[Reference], failing: set[str], tmp_path: Path
) -> None:
    with ThreadServer(kind(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "AUTH-3", "--only", "AUTH-4", "--only", "HTTP-6")

    assert run.ids("fail") == failing
    assert verify(tmp_path / "reports").discrepancies == ()
    for path in (tmp_path / "reports").rglob("*"):
        assert TOKEN[:16] not in text_of(path), path.name
        assert TOKEN[8:24] not in text_of(path), path.name


@pytest.mark.parametrize("level", ["core", "hardened"])
def test_neither_token_nor_password_is_found_in_what_a_run_leaves(level: str, tmp_path: Path) -> None:
    with ThreadServer(Parrot(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--level", level, "--har")

    assert run.code == 1
    assert "CREATE-4" in run.ids("fail")
    files = [path for path in (tmp_path / "reports").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {
        "report.json",
        "junit.xml",
        "report.html",
        "journal.jsonl",
        "evidence.jsonl.gz",
        "exchanges.har",
    }
    for name, text in [("the terminal", run.output), *[(path.name, text_of(path)) for path in files]]:
        for secret in SECRETS[:3]:
            for form in forms(secret):
                assert form not in text, f"{name} has {secret} as {form}"
        assert "\x1b" not in text
        assert "\u202e" not in text
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "reports").stat().st_mode) == 0o700
    assert json.loads((tmp_path / "reports" / "report.json").read_text())["verdict"] == "nonconformant"


def test_what_was_no_utf_8_is_none_without_its_password() -> None:
    body = b'{"password": "caf\xe9 secret", "port": 5060}'.decode("utf-8", "surrogateescape")
    masked = masked_by("another").members(body)
    assert "caf" not in masked
    assert "secret" not in masked
    with pytest.raises(UnicodeDecodeError):
        masked.encode("utf-8", "surrogateescape").decode()
