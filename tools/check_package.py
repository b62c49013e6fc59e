"""Opens what was built and installed, and compares it with what should be there; run by `nox -s package`.

`check_package.py archives FOLDER` looks into the wheel and the sdist of a folder; `check_package.py plain`, run by
the Python of an environment, looks at what an install without extras brought along.
"""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DISTRIBUTION = "sip-provider-conformance"
PARTS = {
    "provider_client": ROOT / "client" / "provider_client",
    "provider_conformance": ROOT / "conformance" / "provider_conformance",
    "provider_conformance/openapi": ROOT / "openapi",
    "provider_models": ROOT / "generated" / "provider_models",
}
"""Folders of the wheel, and where they come from."""

INDISPENSABLE = frozenset(
    {
        "provider_client/__init__.py",
        "provider_client/py.typed",
        "provider_conformance/__main__.py",
        "provider_conformance/openapi/models.toml",
        "provider_conformance/openapi/openapi.yaml",
        "provider_conformance/openapi/requirements.yaml",
        "provider_conformance/py.typed",
        "provider_conformance/reports/report.css",
        "provider_conformance/reports/report.html.jinja",
        "provider_conformance/reports/report.js",
        "provider_conformance/reports/report.schema.json",
        "provider_models/__init__.py",
        "provider_models/py.typed",
    }
)
SDIST_FOLDERS = frozenset({".ci", "client", "conformance", "docs", "generated", "openapi", "tests", "tools"})
SDIST_FILES = frozenset(
    {
        ".gitignore",
        ".pre-commit-config.yaml",
        ".pre-commit-hooks.yaml",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "action.yml",
        "noxfile.py",
        "pyproject.toml",
    }
)
STRAY = re.compile(r"__pycache__|\.pyc$|\.venv|\.nox|_cache|\.hypothesis|\.sqlite|report/|~$")
INSTALLERS = frozenset({"pip", "setuptools", "wheel", "uv"})


def expected_in_wheel() -> set[str]:
    """Return the files that the checkout has for the wheel."""
    return {
        f"{folder}/{path.relative_to(source).as_posix()}"
        for folder, source in PARTS.items()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def problems_of_wheel(names: set[str]) -> list[str]:
    """Compare the files of a wheel, its metadata aside, with those of the checkout."""
    content = {name for name in names if ".dist-info/" not in name}
    problems = [f"the wheel lacks {name}" for name in sorted((expected_in_wheel() | INDISPENSABLE) - content)]
    problems += [f"the wheel has the stray file {name}" for name in sorted(content - expected_in_wheel())]
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        problems.append("the wheel lacks its licence")
    return problems


def problems_of_sdist(names: set[str]) -> list[str]:
    """Look for what a source distribution must and must not have; names are relative to its only folder."""
    known = {name for name in names if name in SDIST_FILES or name.partition("/")[0] in SDIST_FOLDERS}
    problems = [f"the sdist has the stray file {name}" for name in sorted(names - known)]
    problems += [f"the sdist has the stray file {name}" for name in sorted(known) if STRAY.search(name)]
    problems += [f"the sdist lacks {name}" for name in sorted(SDIST_FILES - names)]
    folders = {name.partition("/")[0] for name in names}
    return problems + [f"the sdist lacks {folder}/" for folder in sorted(SDIST_FOLDERS - folders)]


def check_archives(folder: Path) -> list[str]:
    """Open the only wheel and the only sdist of a folder."""
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        problems = problems_of_wheel({name for name in archive.namelist() if not name.endswith("/")})
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    return problems + problems_of_sdist(names)


def closure(distribution: str) -> set[str]:
    """Return the normalised names of a distribution and of everything installed that it depends on."""
    found: set[str] = set()
    to_do = [distribution]
    while to_do:
        name = re.sub(r"[-_.]+", "-", to_do.pop()).lower()
        if name not in found:
            found.add(name)
            needs = [need for need in metadata.requires(name) or [] if "extra ==" not in need]
            to_do += [match[0] for need in needs if (match := re.match(r"[\w.-]+", need)) and _installed(match[0])]
    return found


def check_plain() -> list[str]:
    """Make sure that this environment has the models, pydantic with what that needs, and nothing else.

    The client is there, too, but without its extra all it can do is to name that.
    """
    import provider_models  # noqa: PLC0415 - only installed where this is asked for

    present = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower() for d in metadata.distributions()}
    more = present - closure("pydantic") - INSTALLERS - {DISTRIBUTION}
    problems = [f"a plain install brings {name} along" for name in sorted(more)]
    if PARTS["provider_models"] in Path(str(provider_models.__file__)).parents:
        problems.append("the models were imported from the checkout")
    return problems + problems_of_bare_client()


def problems_of_bare_client() -> list[str]:
    """Import the client where httpx is absent, and look whether one line tells how to get it."""
    try:
        import provider_client  # noqa: F401, PLC0415 - fails where it should
    except ModuleNotFoundError as error:
        told = str(error)
        helpful = f"pip install '{DISTRIBUTION}[client]'" in told and len(told.splitlines()) == 1
        return [] if helpful else [f"without its extra, the client says: {told}"]
    return ["the client was imported without its extra"]


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:  # needed on other platforms or versions of Python only
        return False
    return True


def main(arguments: list[str]) -> int:
    """Check what the arguments name; print the problems, return 1 if there are any."""
    match arguments:
        case ["archives", folder]:
            problems = check_archives(Path(folder))
        case ["plain"]:
            problems = check_plain()
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    sys.stdout.write("".join(f"{problem}\n" for problem in problems) or "as it should be\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
