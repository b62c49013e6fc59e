"""Everything that is checked or built here, one session each: `nox -l` lists them, `nox -s NAME` runs one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")

OPENAPI = ROOT / "openapi" / "openapi.yaml"
CLIENT = ROOT / "client"
CONFORMANCE = ROOT / "conformance"
GENERATED = ROOT / "generated"
TESTS = ROOT / "tests"
EVERYTHING = "client,fleet,models"
"""The extras that the tests need, and who checks their types."""

TOOLS = ROOT / "tools"
NPM = TOOLS / "npm"

SIDE_BY_SIDE = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal")
"""Tests wait for servers and clocks: one more at a time than there are cores leaves none idle."""

nox.options.default_venv_backend = "uv|virtualenv"
# All but what writes (the tests tell whether what `generate` writes is stale) and what takes long.
nox.options.sessions = ["lint", "typing", "spec", "tests", "conformance", "package"]


def install_groups(session: nox.Session, *groups: str) -> None:
    """Install dependency groups of pyproject.toml, and nothing of this project itself."""
    session.install(*nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def spec(session: nox.Session) -> None:
    """Validate the contract: as OpenAPI, for what such a validator lets pass, and against the last released one."""
    install_groups(session, "spec")
    session.run("openapi-spec-validator", OPENAPI)
    session.run("python", TOOLS / "check_contract.py", env={"PYTHONPATH": str(CONFORMANCE)})
    session.run("python", TOOLS / "check_compatibility.py")
    if shutil.which("npm") is None:
        session.warn("npm is absent: Spectral and Redocly CLI do not judge the contract")
        return
    commands = npm_tools(session)
    rules = ("--ruleset", NPM / "spectral.yaml", "--fail-severity", "hint")
    session.run(commands / "spectral", "lint", *rules, OPENAPI, external=True)
    # Redocly CLI asks for no newer version of itself; that it reports no usage is said in its configuration.
    quiet = {"REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    session.run(commands / "redocly", "lint", "--config", NPM / "redocly.yaml", OPENAPI, external=True, env=quiet)


@nox.session
def apidocs(session: nox.Session) -> None:
    """Write openapi.json and an API reference into build/, or the folder after `--`, and open that in Chromium."""
    if shutil.which("npm") is None:
        session.error("npm is needed: it brings what makes the API reference")
    session.install("-e", f"{ROOT}[suite]")
    install_groups(session, "tests")
    ensure_browser(session)
    folder = Path(session.posargs[0] if session.posargs else ROOT / "build").resolve()
    redocly = npm_tools(session) / "redocly"
    session.run("python", TOOLS / "render_reference.py", folder, "--redocly", redocly)
    wanted = {"API_REFERENCE": str(folder), "REQUIRE_BROWSER": "1"}
    session.run("pytest", "-q", TESTS / "test_spec_quality.py", "-k", "TestTheReference", env=wanted)


@nox.session
def generate(session: nox.Session) -> None:
    """Write the models and the page of readings; with `-- --check`, fail with a diff if they are stale."""
    session.install("-e", f"{ROOT}[models]")
    session.run("python", TOOLS / "generate_models.py", *session.posargs)
    session.run("python", TOOLS / "write_readings.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format; with `-- --fix`, correct them instead."""
    install_groups(session, "lint")
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ROOT)
    session.run("ruff", "format", *([] if fix else ["--check"]), ROOT)


@nox.session
def typing(session: nox.Session) -> None:
    """Check every type, strictly: package, models, tools, tests and this file."""
    session.install("-e", f"{ROOT}[{EVERYTHING}]")
    install_groups(session, "typing")
    session.run("mypy", CLIENT, CONFORMANCE, GENERATED, TOOLS, TESTS, Path(__file__), *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of this project; what follows `--` goes to pytest."""
    session.install("-e", f"{ROOT}[{EVERYTHING}]")
    install_groups(session, "tests")
    ensure_browser(session)
    # The tests start many processes: what each imports is compiled once, and not into the checkout.
    compiled = {
        "PYTHONDONTWRITEBYTECODE": None,
        "PYTHONPYCACHEPREFIX": str(Path(session.create_tmp()).resolve() / "pyc"),
    }
    session.run("pytest", *SIDE_BY_SIDE, *session.posargs, env={"REQUIRE_BROWSER": "1", **compiled})


@nox.session
def seeds(session: nox.Session) -> None:
    """Certify every conforming variant with twenty seeds: about an hour on two cores."""
    session.install("-e", f"{ROOT}[{EVERYTHING}]")
    install_groups(session, "tests")
    session.run("pytest", *SIDE_BY_SIDE, "-m", "seeds", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, about twenty minutes, and write docs/performance.md; given arguments, only run them."""
    session.install("-e", f"{ROOT}[{EVERYTHING}]")
    install_groups(session, "bench")
    collect = ("-o", "python_files=bench_*.py", TESTS / "benchmarks")
    session.run("pytest", *collect, *(session.posargs or ["--write-performance"]))


@nox.session
def kills(session: nox.Session) -> None:
    """Kill a hundred runs at random moments, clean up after each, and look what is left."""
    session.install("-e", f"{ROOT}[{EVERYTHING}]")
    install_groups(session, "tests")
    session.run("pytest", "-m", "kills", *session.posargs)


@nox.session
def fleets(session: nox.Session) -> None:
    """Certify a fleet of two hundred servers on two workers, of which one is killed in the middle."""
    session.install("-e", f"{ROOT}[{EVERYTHING}]")
    install_groups(session, "tests")
    session.run("pytest", "-m", "fleets", *session.posargs)


@nox.session
def conformance(session: nox.Session) -> None:
    """Certify the embedded reference at all levels, or what follows `--`: a URL, and options of `run`."""
    install_groups(session, "package")
    wheel = build(session, "--wheel")
    session.install(f"{wheel}[suite]")
    session.run("provider-conformance", "run", *session.posargs)


@nox.session
def prove(session: nox.Session) -> None:
    """Certify every single fault, an hour on two slow cores, and put the table into README.md; `--` passes options."""
    session.install(f"{ROOT}[suite]")
    folder = Path(session.create_tmp()).resolve() / "proof"
    session.run("provider-conformance", "prove", "--report-dir", folder, *session.posargs)
    if not session.posargs:
        session.run("python", TOOLS / "paste_proof.py", folder / "prove.md")


@nox.session
def examples(session: nox.Session) -> None:
    """Write the example reports in docs/examples: of a server with ten faults, and of one that conforms."""
    session.install(f"{ROOT}[suite]")
    session.run("python", TOOLS / "make_examples.py")


@nox.session
def consumers(session: nox.Session) -> None:
    """Feed the contract to generators of clients and servers and see what they make work; `--` names some of them."""
    session.install("-e", f"{ROOT}[suite]")
    install_groups(session, "consumers")
    folder = Path(session.create_tmp()).resolve() / "consumers"
    options = ("--folder", folder, "--page", ROOT / "docs" / "consumers.md")
    session.run("python", "-m", "consumers", *options, *session.posargs, env={"PYTHONPATH": str(TOOLS)})


@nox.session
def package(session: nox.Session) -> None:
    """Build wheel and sdist, open both, and use the wheel elsewhere: with the suite, and without."""
    install_groups(session, "package")
    wheel = build(session)
    session.run("python", TOOLS / "check_package.py", "archives", wheel.parent)

    scripts = environment(session, "suite", f"{wheel}[suite]")
    elsewhere = empty_folder(session, "elsewhere")
    with session.chdir(elsewhere):
        session.run(scripts / "provider-conformance", "run", external=True)
        session.run(scripts / "provider-conformance", "spec", "--path", external=True)
    if left := {path.name for path in elsewhere.iterdir()} - {"provider-conformance-report"}:
        session.error(f"a run leaves more than its reports: {', '.join(sorted(left))}")

    scripts = environment(session, "plain", str(wheel))
    with session.chdir(empty_folder(session, "elsewhere")):
        session.run(scripts / "python", TOOLS / "check_package.py", "plain", external=True)
        # Without the suite there is no command to run, only the advice how to get it.
        session.run(scripts / "provider-conformance", "run", external=True, success_codes=[2])


def build(session: nox.Session, *options: str) -> Path:
    """Build this project into an empty folder, by default the wheel from the sdist; return the wheel."""
    folder = empty_folder(session, "dist")
    session.run("python", "-m", "build", "--outdir", folder, *options, ROOT, silent=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def npm_tools(session: nox.Session) -> Path:
    """Install what tools/npm/ locks into the session's temporary folder; return the folder of its commands."""
    folder = Path(session.create_tmp()).resolve() / "npm"
    folder.mkdir(exist_ok=True)
    for name in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(NPM / name, folder)
    # Like what pip installs, it is installed again unless nox is told to leave things as they are.
    install = session.run_install if (folder / "node_modules").exists() else session.run
    install("npm", "ci", "--prefix", folder, external=True, silent=True)
    return folder / "node_modules" / ".bin"


def ensure_browser(session: nox.Session) -> None:
    """Install Chromium if it is absent and this may; without it, the tests of report.html fail."""
    may = os.name != "nt" and os.geteuid() == 0 and shutil.which("apt-get") is not None
    if may and shutil.which("chromium") is None:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        session.run("apt-get", "update", external=True, silent=True)
        install = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")
        session.run(*install, external=True, silent=True, env=quiet)


def environment(session: nox.Session, name: str, *requirements: str) -> Path:
    """Make a virtual environment of its own with some requirements; return the folder of its commands."""
    folder = empty_folder(session, name)
    session.run("python", "-m", "venv", folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    options = ("--quiet", "--disable-pip-version-check")
    session.run(scripts / "python", "-m", "pip", "install", *options, *requirements, external=True)
    return scripts


def empty_folder(session: nox.Session, name: str) -> Path:
    """Return a folder of that name below the session's temporary one, with nothing in it."""
    folder = Path(session.create_tmp()).resolve() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
