"""The files around the packages: what they promise about each other holds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import check_package
from provider_conformance.__main__ import SUITE_MODULES
from provider_conformance.cli import run_command
from provider_conformance.verdict import ExitCode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MODULE_NAMES = {"pyyaml": "yaml"}
"""Modules whose name is not that of their distribution."""


def test_the_pipeline_runs_what_the_readme_promises() -> None:
    script = ROOT / ".ci" / "run"
    command = next(line for line in script.read_text("utf-8").splitlines() if "nox" in line)
    assert f"```console\n{command}\n```" in README
    assert os.access(script, os.X_OK)


def test_the_readme_knows_every_option_of_run() -> None:
    section = README.partition("### Options of `run`")[2].partition("###")[0]
    documented = set(re.findall(r"--[a-z][a-z-]*", section))
    assert documented == {option for parameter in run_command.params for option in parameter.opts if "-" in option}


def test_the_readme_knows_every_exit_code() -> None:
    section = README.partition("### Exit codes")[2].partition("###")[0]
    assert [int(code) for code in re.findall(r"^\| (\d) ", section, re.MULTILINE)] == [int(c) for c in ExitCode]


def names_of_tests(hash_seed: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_tests_are_named_alike_whenever_they_are_collected() -> None:
    # pytest-xdist runs nothing where two workers collect other names: those that hold a time, or follow a set's order.
    names = names_of_tests(hash_seed=1)
    assert len(names) > 1000
    assert names_of_tests(hash_seed=2) == names


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_paths_that_documents_name_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    links = set(re.findall(r"\]\((?!https?:)([^)]+)\)", text))
    paths = set(re.findall(r"`((?:openapi|generated|conformance|tests|tools)/[\w./-]*)`", text))
    assert links | paths
    assert [path for path in sorted(links | paths) if not (ROOT / path).exists()] == []


def test_a_plain_install_recognises_everything_that_the_extra_brings() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    needs = (*extras["suite"], *extras["fleet"], *extras["search"])
    extra = [need for need in needs if not need.startswith("sip-provider-conformance")]
    names = {re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in extra}
    assert {MODULE_NAMES.get(name, name.replace("-", "_")) for name in names} == SUITE_MODULES - {"dask"}


def test_the_models_need_nothing_but_pydantic() -> None:
    assert [shlex.split(need)[0].partition(">")[0] for need in PYPROJECT["project"]["dependencies"]] == ["pydantic"]


def test_a_package_that_is_not_as_it_should_be_is_noticed() -> None:
    expected = check_package.expected_in_wheel()
    licence = "x.dist-info/licenses/LICENSE"
    assert expected >= check_package.INDISPENSABLE
    assert check_package.problems_of_wheel(expected | {licence}) == []
    for lacking in check_package.INDISPENSABLE:
        assert check_package.problems_of_wheel(expected - {lacking} | {licence}) == [f"the wheel lacks {lacking}"]
    assert check_package.problems_of_wheel(expected | {licence, "tests/test_x.py"}) == [
        "the wheel has the stray file tests/test_x.py"
    ]
    assert check_package.problems_of_wheel(expected) == ["the wheel lacks its licence"]

    sdist = set(check_package.SDIST_FILES) | {f"{folder}/x" for folder in check_package.SDIST_FOLDERS}
    assert check_package.problems_of_sdist(sdist) == []
    for stray in (".venv/x", "conformance/__pycache__/x.pyc", "provider-conformance-report/report.json", "notes.txt"):
        assert check_package.problems_of_sdist(sdist | {stray}) == [f"the sdist has the stray file {stray}"]
    assert check_package.problems_of_sdist(sdist - {"LICENSE"}) == ["the sdist lacks LICENSE"]
