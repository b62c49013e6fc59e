"""A server whose filter knows fewer spellings of a path than its router, so that some need no token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from command import TOKEN, certify
from provider_conformance.reference import app
from provider_conformance.reference.server import ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def routed(respelt: Callable[[str], str], *, unguarded: bool) -> Callable[[Reference], Any]:
    """Return what makes an application that serves further spellings of its paths, some without asking for a token."""
    usual = app.application

    def application(reference: Reference) -> Any:
        served = usual(reference)

        async def route(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and (plain := respelt(scope["path"])) != scope["path"]:
                token = (b"access_token", TOKEN.encode())
                headers = [*scope["headers"], token] if unguarded else scope["headers"]
                scope = {**scope, "path": plain, "raw_path": plain.encode(), "headers": headers}
            await served(scope, receive, send)

        return route

    return application


SPELLINGS = {
    "a slash at its end": lambda path: path.rstrip("/"),
    "two slashes": lambda path: path.replace("//", "/"),
    "a capital letter": str.lower,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_who_serves_strangers_by_another_path_is_blamed(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "application", routed(SPELLINGS[spelling], unguarded=True))

    with ThreadServer(Reference(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url, "--only", "AUTH-2")

    assert run.ids("fail") == {"AUTH-2"}, run.output
    assert "without the token gives provider" in run.told()


def test_who_serves_other_paths_with_the_token_alone_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for respelt in SPELLINGS.values():
        monkeypatch.setattr(app, "application", routed(respelt, unguarded=False))

    with ThreadServer(Reference(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url)

    assert run.code == 0, run.output
