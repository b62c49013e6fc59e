"""`provider-conformance models`: typed models in somebody else's project, the same bytes everywhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from provider_conformance.contract import load_contract
from provider_conformance.models import MARK, recipes, targets
from test_cleanup import command

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
TARGETS = targets()
CREATED: dict[str, Any] = load_contract().document["components"]["examples"]["CreatePeeringTrunk"]["value"]

READ = {
    "pydantic": "models.ProviderCreate.model_validate_json(text).port",
    "dataclass": "models.ProviderCreate(**json.loads(text)).port",
    "typeddict": "cast(models.ProviderCreate, json.loads(text))['port']",
    "msgspec": "msgspec.json.decode(text, type=models.ProviderCreate).port",
}
"""How a project reads a create from JSON, by kind of model."""


OPINIONS = """
[tool.datamodel-codegen]
field-constraints = false
snake-case-field = true
builtin-format-line-length = 60
[tool.ruff]
line-length = 120
[tool.black]
line-length = 140
skip-string-normalization = true
[tool.isort]
line_length = 100
known_first_party = ["pydantic", "msgspec", "typing"]
"""


def models(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return command("models", *options, cwd=folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done: Sequence[str] = [sys.executable, *words]
    return subprocess.run(done, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("target", TARGETS)
def test_models_of_every_kind_are_written_read_and_typed(target: str, tmp_path: Path) -> None:
    assert models(tmp_path, "--output", "models", "--target", target).returncode == 0
    program = tmp_path / "program.py"
    imports = "import msgspec\n" if target == "msgspec" else ""
    cast = "from typing import cast\n" if target == "typeddict" else ""
    head = f"import json\n{imports}{cast}import models\ntext = {json.dumps(CREATED)!r}\n"
    program.write_text(f"{head}port: int = {READ[target]}\nprint(json.dumps(port))\n")

    done = python(tmp_path, str(program))
    assert done.stdout.strip() == str(CREATED["port"]), done.stderr

    typed = python(
        tmp_path, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", "cache", "program.py", "models"
    )
    assert typed.returncode == 0, typed.stdout
    program.write_text(program.read_text().replace("port: int", "port: bytes"))
    assert python(tmp_path, "-m", "mypy", "--strict", "--cache-dir", "cache", "program.py").returncode == 1


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_version_writes_the_same_bytes_everywhere(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "bare", tmp_path / "opinionated"
    (second / "tmp").mkdir(parents=True)
    first.mkdir()
    # Options of another user of the same generator are none of this one's, nor is any formatter's, even where the
    # directory for temporary files lies in such a project.
    (second / "pyproject.toml").write_text(OPINIONS)
    assert models(first, "--output", "models", "--target", target).returncode == 0
    monkeypatch.setenv("TMPDIR", str(second / "tmp"))
    assert models(second, "--output", "models", "--target", target).returncode == 0
    assert contents(first / "models") == contents(second / "models")
    assert all(content.startswith(MARK.encode()) for content in contents(first / "models").values())


def test_the_models_of_this_project_are_those_of_the_default_target(tmp_path: Path) -> None:
    assert models(tmp_path, "--output", "models").returncode == 0
    own = contents(ROOT / "generated" / "provider_models")
    for name, content in contents(tmp_path / "models").items():
        assert without_header(content) == without_header(own[name])


def without_header(content: bytes) -> bytes:
    return re.sub(rb"\A(#.*\n)+", b"", content)


def test_a_project_says_once_what_it_wants(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.provider-conformance.models]\noutput = "src/acme/trunks"\ntarget = "typeddict"\npython = "3.12"\n'
    )
    written = models(tmp_path)
    assert written.returncode == 0, written.stderr
    assert "TypedDict" in (tmp_path / "src" / "acme" / "trunks" / "provider_create.py").read_text()
    assert models(tmp_path, "--check").returncode == 0
    assert models(tmp_path, "--check", "--target", "dataclass").returncode == 1


def test_stale_models_are_told_by_a_diff(tmp_path: Path) -> None:
    models(tmp_path, "--output", "models")
    file = tmp_path / "models" / "sort_by.py"
    file.write_text(file.read_text().replace("DEFAULT", "NORMAL"))
    (tmp_path / "models" / "left.py").write_text(f"{MARK} of an older version.\n")
    (tmp_path / "models" / "provider.py").unlink()

    stale = models(tmp_path, "--output", "models", "--check")
    assert stale.returncode == 1
    assert '-    NORMAL = "NORMAL"\n+    DEFAULT = "DEFAULT"\n' in stale.stdout
    assert "+++ left.py (not generated)" in stale.stdout
    assert "--- provider.py (missing)" in stale.stdout
    assert "models is stale: run `provider-conformance models` without --check" in stale.stderr

    assert models(tmp_path, "--output", "models").returncode == 0
    assert not (tmp_path / "models" / "left.py").exists()
    assert models(tmp_path, "--output", "models", "--check").stdout == ""


def test_what_others_wrote_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    models(tmp_path, "--output", "models")
    (folder / "py.typed").touch()
    (folder / "mine.py").write_text("answer = 42\n")
    before = contents(folder)

    refused = models(tmp_path, "--output", "models", "--target", "msgspec")
    assert refused.returncode == 2
    assert "mine.py was not generated by this: name another folder with --output" in refused.stderr
    assert contents(folder) == before

    (folder / "mine.py").unlink()
    assert models(tmp_path, "--output", "models", "--target", "msgspec").returncode == 0
    assert (folder / "py.typed").exists()


@pytest.mark.parametrize(
    ("project", "options", "told"),
    [
        ("", (), "name a folder with --output"),
        ("", ("--output", "models", "--target", "protobuf"), "'protobuf' is no target: there are pydantic"),
        (
            '[tool.provider-conformance.models]\noutput = "m"\npython = "2.7"\n',
            (),
            "'2.7' is no python: there are 3.11",
        ),
        ('[tool.provider-conformance.models]\noutptu = "m"\n', (), "may have output, target, python"),
        ("[tool.provider-conformance]\nmodels = 5\n", (), "may have output, target, python"),
        ("[tool", (), "pyproject.toml is no TOML"),
        ("", ("--output", "pyproject.toml"), "pyproject.toml is no folder"),
    ],
)
def test_mistakes_are_told_in_one_line(project: str, options: tuple[str, ...], told: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(project)
    done = models(tmp_path, *options)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_the_generator_is_pinned_everywhere_alike() -> None:
    wanted = f"datamodel-code-generator=={recipes()['generator']}"
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["models"]
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert wanted in extra
    assert hook["additional_dependencies"] == extra
    assert hook["entry"] == "provider-conformance models --check"
