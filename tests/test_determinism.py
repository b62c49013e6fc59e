"""The same seed sends the same requests in the same order, wherever it is run; another seed sends others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from command import TOKEN, certify
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def requests_of_a_run(folder: Path, *options: str) -> str:
    """Certify a fresh server and return the hash of all that was sent."""
    folder.mkdir()
    with Server(token=TOKEN) as server:
        run = certify(folder, server.base_url, "--level", "core", "--seed", "7", *options)
    assert run.report["verdict"] == ("incomplete" if "--only" in options else "conformant"), run.output
    return str(run.report["statistics"]["requests_sha256"])


def test_two_runs_with_the_same_seed_send_the_same_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = requests_of_a_run(tmp_path / "one")

    # What a user's pytest, Hypothesis and Schemathesis would take up from their surroundings must change nothing.
    project = tmp_path / "two"
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no_such_plugin --no-such-option")
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "schemathesis.toml").write_text("[[operations]]\ninclude-path = '/create'\nenabled = false\n")
    assert requests_of_a_run(project) == plain

    assert not (project / ".hypothesis").exists()
    assert not (project / ".pytest_cache").exists()


def test_another_seed_sends_other_requests(tmp_path: Path) -> None:
    part = ("--only", "CREATE-4")
    assert requests_of_a_run(tmp_path / "one", *part) != requests_of_a_run(tmp_path / "two", *part, "--seed", "8")
