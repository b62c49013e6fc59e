"""A downstream project, built from nothing as docs/downstream.md shows it, in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import TOKEN
from provider_conformance import __version__
from provider_conformance.contract import load_contract
from provider_conformance.reference.server import Server
from test_cleanup import everybody

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "downstream.md").read_text("utf-8")
FILES: Mapping[str, str] = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TRUNK = load_contract().document["components"]["examples"]["CreatePeeringTrunk"]["value"]


def uv(*words: str | Path, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--out-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def environment(folder: Path, *requirements: str) -> Path:
    """Make an empty environment with these requirements, and return the folder of its commands."""
    uv("venv", "--python", sys.executable, folder / "venv", cwd=folder)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    uv("pip", "install", "--python", scripts / "python", *requirements, cwd=folder)
    return scripts


def run(
    *command: str | Path, cwd: Path, stdin: str = "", variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PROVIDER"))}
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean | dict(variables or {}),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_project_of_twenty_lines_is_built_checked_and_run(wheel: Path, tmp_path: Path) -> None:
    assert set(FILES) == {"pyproject.toml", "acme_trunks/__init__.py"}
    assert f"=={__version__}" in FILES["pyproject.toml"]
    project = tmp_path / "acme"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)

    tools = environment(project, f"{wheel}[models,client]", "msgspec", "hatchling")
    command = tools / "provider-conformance"
    stale = run(command, "models", "--check", cwd=project)
    assert stale.returncode == 1
    written = run(command, "models", cwd=project)
    assert written.returncode == 0, written.stderr
    assert run(command, "models", "--check", cwd=project).returncode == 0

    uv("pip", "install", "--python", tools / "python", "--no-build-isolation", "--no-deps", project, cwd=project)
    with Server(token=TOKEN) as server:
        variables = {"PROVIDER_URL": server.base_url, "PROVIDER_TOKEN": TOKEN}
        done = run(tools / "acme-trunks", cwd=tmp_path, stdin=json.dumps(TRUNK), variables=variables)
        assert done.stdout == f"{TRUNK['name']} is provider 1\n", done.stderr
        assert everybody(server) == []
        wrong = json.dumps({**TRUNK, "port": "5060"})
        refused = run(tools / "acme-trunks", cwd=tmp_path, stdin=wrong, variables=variables)
        assert "Expected `int`, got `str`" in refused.stderr


def test_a_plain_install_brings_pydantic_alone_and_says_what_is_missing(wheel: Path, tmp_path: Path) -> None:
    scripts = environment(tmp_path, str(wheel))
    assert run(scripts / "python", "-c", "import provider_models", cwd=tmp_path).returncode == 0
    for words, extra in ((("run",), "suite"), (("models",), "models"), (("fleet", "x"), "fleet")):
        done = run(scripts / "provider-conformance", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert f"pip install 'sip-provider-conformance[{extra}]'" in done.stderr
    client = run(scripts / "python", "-c", "import provider_client", cwd=tmp_path)
    assert "pip install 'sip-provider-conformance[client]'" in client.stderr
    present = run(scripts / "python", "-c", PRESENT, cwd=tmp_path).stdout.split()
    assert set(present) <= {
        "annotated-types",
        "pydantic",
        "pydantic-core",
        "sip-provider-conformance",
        "typing-extensions",
        "typing-inspection",
    }


PRESENT = (
    "from importlib.metadata import distributions as d; print(*{one.name.lower().replace('_', '-') for one in d()})"
)


def test_the_lines_of_the_readme_for_uvx_work(wheel: Path, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (line,) = re.findall(r"^uvx (.*)$", readme, re.MULTILINE)
    words = [word.strip("'").replace(f"dist/{wheel.name}", str(wheel)) for word in line.split()]
    assert str(wheel) in words[1]
    done = run(sys.executable, "-m", "uv", "tool", "run", *words, "--only", "SHOW-1", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "verdict: incomplete" in done.stdout
