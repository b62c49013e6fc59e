"""Generators and frameworks of servers, and a mock server: what the conformance suite says of what they make."""

from __future__ import annotations

import http.client
import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jsonschema_rs

from consumers.results import BrokenError, Consumer, Findings, Known, Workshop
from consumers.workbench import (
    PROGRAMS,
    certify,
    document,
    free_port,
    npm_packages,
    python_environment,
    run,
    served,
)
from provider_conformance.contract import NoSchemaError, Operation, load_contract
from provider_conformance.reference.server import new_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from consumers.workbench import Certification
    from provider_conformance.contract import Contract

FASTAPI_CODE_GENERATOR = "0.8.1"
CONNEXION = "3.3.0"
PRISM = "5.14.2"  # the last that runs on Node.js 18 to 22

METHODS = {
    Operation.CREATE: "POST",
    Operation.SHOW: "GET",
    Operation.LIST: "GET",
    Operation.UPDATE: "POST",
    Operation.DESTROY: "POST",
}

NOT_JSON = "NaN and Infinity, which are no JSON, are numbers to the parser that Python has, which it uses."

LAX_MODELS = (
    Known("CREATE-8", "Its models take text and booleans for integers; it has no option for strict ones."),
    Known("CREATE-10", NOT_JSON),
    Known("SHOW-6", "Pydantic takes underscores between digits."),
    Known("LIST-8", "Pydantic takes underscores between digits."),
    Known("UPDATE-6", "Its models take text and booleans for integers."),
    Known("UPDATE-7", f"{NOT_JSON} Its models take an id in text."),
    Known("DESTROY-4", "Its models take an id in text. This alone keeps such a server from level core."),
    Known("DESTROY-6", NOT_JSON),
)
LAX_PARSING = (
    Known("CREATE-10", NOT_JSON),
    Known("SHOW-6", "Numbers in queries are read with `int`, which takes underscores and the digits of all scripts."),
    Known("LIST-8", "Numbers in queries are read with `int`, which takes underscores and the digits of all scripts."),
    Known("UPDATE-7", NOT_JSON),
    Known("DESTROY-6", NOT_JSON),
    Known(
        "HTTP-2",
        "It answers 500 where parsing fails otherwise than by a syntax error: text that is no UTF-8, and "
        "numbers of thousands of digits.",
    ),
)
NO_MEMORY = "It serves the same example, whichever page was asked for."
LAX_NUMBERS = "Numbers in queries are what JavaScript takes for one: a blank, hexadecimal digits and Infinity, too."
MOCKED = (
    Known("AUTH-3", "It knows no token, only whether there is one."),
    Known("SHOW-6", LAX_NUMBERS),
    Known("LIST-2", NO_MEMORY),
    Known("LIST-7", NO_MEMORY),
    Known("LIST-8", LAX_NUMBERS),
)
FORMATTERS = Known(
    "FutureWarning: The default external formatters",
    "Said of its own call of datamodel-code-generator, whatever the contract; it has no option for formatters.",
)

EMPTY_HANDLER = re.compile(r"^def (\w+)\(((?:[^()]|\([^()]*\))*)\)(.*?)^    pass$", re.MULTILINE | re.DOTALL)


def fastapi_code_generator(workshop: Workshop) -> Findings:
    """Generate an app, fill its empty handlers with calls of a small store, start it, and certify it."""
    folder = workshop.folder
    commands = python_environment(
        folder, f"fastapi-code-generator=={FASTAPI_CODE_GENERATOR}", "fastapi==0.122.0", "uvicorn==0.38.0"
    )
    made = folder / "made"
    printed = run([commands / "fastapi-codegen", "--input", workshop.contract, "--output", made])
    main = made / "main.py"
    filled, handlers = EMPTY_HANDLER.subn(_filled, main.read_text("utf-8"))
    if handlers != len(METHODS):
        raise BrokenError(f"{handlers} handlers were made, not one an operation")
    main.write_text(f"{filled}\n\nimport fastapi_handlers\n", "utf-8")
    command: list[str | Path] = [commands / "python", "-W", "error", PROGRAMS / "serve_fastapi.py"]
    certification = _certified(command, workshop, {"PYTHONPATH": str(folder)}, "")
    return Findings(_told(certification), _warnings_of_fastapi_code_generator(printed), certification.failed)


def connexion(workshop: Workshop) -> Findings:
    """Serve the contract, told in OpenAPI 3.0, with handlers that call a small store, and certify that."""
    folder = workshop.folder
    # The versions of Starlette from 1.0 on warn of the HTTP client that Connexion imports.
    commands = python_environment(folder, f"connexion=={CONNEXION}", "starlette==0.52.1", "uvicorn==0.38.0")
    contract = folder / "contract.json"
    contract.write_text(json.dumps(as_openapi_30(document(workshop.contract))), "utf-8")
    command: list[str | Path] = [commands / "python", PROGRAMS / "serve_connexion.py", contract]
    certification = _certified(command, workshop, {}, "/api/providers")
    return Findings(_told(certification), (), certification.failed)


def prism(workshop: Workshop) -> Findings:
    """Start the mock server, look at every example that it serves, and certify what needs no memory."""
    folder = workshop.folder
    tools = npm_packages(folder, f"@stoplight/prism-cli@{PRISM}")
    port, secret = free_port(), new_token()
    with served([tools / "prism", "mock", "--port", str(port), workshop.contract], port, cwd=folder) as log:
        started = log.read_text("utf-8")
        examples = sum(1 for _ in _valid_examples(port, secret))
        refusals = _refusals(port, secret)
        options = ("--read-only", "--level", "hardened", "--max-time", "120")
        certification = certify(f"http://127.0.0.1:{port}", secret, folder, *options)
    held = ", ".join(certification.passed)
    told = (
        f"serves {examples} examples, all valid, and refuses {refusals} requests; of what needs no memory, {held} hold"
    )
    return Findings(told, _warnings_of_prism(started), certification.failed)


def as_openapi_30(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy in OpenAPI 3.0, for tools that know no other, with the same meaning."""
    copy: dict[str, Any] = deepcopy(dict(contract))
    copy["openapi"] = "3.0.3"
    copy["info"].pop("summary")
    copy["info"]["license"].pop("identifier")
    for schema in _mappings(copy):
        # In a schema only: those of media types and parameters are mappings, and in both versions.
        if isinstance(schema.get("examples"), list):
            schema["example"] = schema.pop("examples")[0]
    return copy


def _mappings(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _mappings(child)


def _filled(handler: re.Match[str]) -> str:
    return f"{handler[0].removesuffix('pass')}return fastapi_handlers.{handler[1]}(**locals())"


def _certified(
    command: Sequence[str | Path], workshop: Workshop, environment: Mapping[str, str], base_path: str
) -> Certification:
    """Start a server on a port, its last argument, and certify it at level strict; what it logs is not judged."""
    port, secret = free_port(), new_token()
    settings = dict(environment) | {"PROVIDER_TOKEN": secret}
    with served([*command, str(port)], port, cwd=workshop.folder, environment=settings):
        base_url = f"http://127.0.0.1:{port}{base_path}"
        return certify(base_url, secret, workshop.folder, "--level", "strict", "--max-time", "300")


def _told(certification: Certification) -> str:
    """Say what came of a certification at level strict."""
    tested = len(certification.passed) + len(certification.failed)
    level = f"level {certification.reached}" if certification.reached else "no level"
    return f"{level} reached; {len(certification.passed)} of {tested} requirements up to strict hold"


def _valid_examples(port: int, secret: str) -> Iterator[str]:
    """Ask for every named example of every operation; raise BrokenError for one that its schema does not allow."""
    contract = load_contract()
    for operation in METHODS:
        for name, query, body in _example_requests(contract, operation):
            headers = {"access_token": secret, "Content-Type": "application/json", "Prefer": f"example={name}"}
            status, answer = _asked(port, operation, query, body, headers)
            if status != 200:
                raise BrokenError(f"{operation} answers {status} for the example {name}: {answer[:200]!r}")
            for complaint in _violations(contract, operation, answer):
                raise BrokenError(f"the answer of {operation} for the example {name} is not valid: {complaint}")
            yield name


def _example_requests(contract: Contract, operation: Operation) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Give the name, the query and the body of every example request of an operation."""
    (described,) = contract.document["paths"][operation.path].values()
    parameters = [contract.resolve(parameter) for parameter in described.get("parameters", ())]
    body = described.get("requestBody", {"content": {"application/json": {}}})["content"]["application/json"]
    for name in (body if "examples" in body else parameters[0])["examples"]:
        query = {parameter["name"]: parameter["examples"][name]["value"] for parameter in parameters}
        yield name, query, contract.resolve(body["examples"][name])["value"] if "examples" in body else None


def _violations(contract: Contract, operation: Operation, answer: bytes) -> Iterator[str]:
    try:
        schema = contract.response_schema(operation)
    except NoSchemaError:
        return
    for error in jsonschema_rs.validator_for(schema).iter_errors(json.loads(answer)):
        yield error.message


def _refusals(port: int, secret: str) -> int:
    """Send every operation without a token, and with nothing else; return how many refusals came, all of them 4xx."""
    for operation in METHODS:
        for headers in ({}, {"access_token": secret, "Content-Type": "application/json"}):
            status, answer = _asked(port, operation, {}, {}, headers)
            if not 400 <= status < 500:
                raise BrokenError(f"{operation} answers {status} to what it must refuse: {answer[:200]!r}")
    return 2 * len(METHODS)


def _asked(
    port: int, operation: Operation, query: Mapping[str, Any], body: object, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """Send one request; return the status and the body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    method = METHODS[operation]
    target = f"{operation.path}?{urlencode(query)}" if query else operation.path
    try:
        connection.request(method, target, json.dumps(body) if method == "POST" else None, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _warnings_of_fastapi_code_generator(printed: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"\w*Warning: .*", printed)))


def _warnings_of_prism(printed: str) -> tuple[str, ...]:
    return tuple(re.findall(r"(?:warning|error) .*", printed))


SERVERS = (
    Consumer(
        name="fastapi-code-generator",
        version=FASTAPI_CODE_GENERATOR,
        makes="a FastAPI server",
        checked="generated, its empty handlers filled, started, certified",
        check=fastapi_code_generator,
        needs=("uv",),
        known_warnings=(FORMATTERS,),
        known_failures=LAX_MODELS,
    ),
    Consumer(
        name="connexion",
        version=CONNEXION,
        makes="a server that validates by the contract",
        checked="started with small handlers and the contract told in OpenAPI 3.0, since it knows no 3.1; certified",
        check=connexion,
        needs=("uv",),
        known_failures=LAX_PARSING,
    ),
    Consumer(
        name="prism",
        version=PRISM,
        makes="a mock server",
        checked="started, every example of every operation asked for, certified with `--read-only`",
        check=prism,
        needs=("npm", "node"),
        known_failures=MOCKED,
    ),
)
