"""What downstream projects build on: examples that work, versions that tell what breaks, and a page to read."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from playwright.sync_api import expect, sync_playwright

import check_compatibility
import render_reference
from check_compatibility import Impact, changes, version_problem
from provider_conformance.contract import Operation, load_contract
from provider_conformance.reference.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
NPM = ROOT / "tools" / "npm"
CONTRACT = load_contract()
EXAMPLES = {name: one["value"] for name, one in CONTRACT.document["components"]["examples"].items()}
SETTINGS = ["RegisteringTrunk", "PeeringTrunk"]

BREAKING, ADDITION = Impact.BREAKING, Impact.ADDITION
Document = dict[str, Any]


class Client:
    """A client that sends the examples of the contract, and holds every answer against it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def send(self, operation: Operation, *, body: Any = None, query: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Send one request; return the status and, if the contract says what a 200 bears, the answer's JSON."""
        request = urllib.request.Request(
            f"{self.server.base_url}{operation.path}?{urllib.parse.urlencode(query or {})}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"access_token": self.server.token, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                status, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None
        if operation in {Operation.UPDATE, Operation.DESTROY}:
            return status, None
        answer = json.loads(content)
        Draft202012Validator(CONTRACT.response_schema(operation)).validate(answer)
        return status, answer


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Server() as server:
        yield Client(server)


def parameter_examples(operation: Operation) -> dict[str, dict[str, Any]]:
    """Give the queries that the examples of an operation's parameters make, by the key that they share."""
    (described,) = CONTRACT.document["paths"][operation.path].values()
    queries: dict[str, dict[str, Any]] = {}
    for parameter in map(CONTRACT.resolve, described["parameters"]):
        for key, one in parameter["examples"].items():
            queries.setdefault(key, {})[parameter["name"]] = one["value"]
    return queries


class TestTheExamples:
    @pytest.mark.parametrize("trunk", SETTINGS)
    def test_a_trunk_lives_through_all_operations(self, client: Client, trunk: str) -> None:
        status, created = client.send(Operation.CREATE, body=EXAMPLES[f"Create{trunk}"])
        assert status == 200
        assert created.keys() == EXAMPLES[f"Created{trunk}"].keys()
        given_id = {"id": created["id"]}

        status, shown = client.send(Operation.SHOW, query=given_id)
        assert status == 200
        told = EXAMPLES[f"Shown{trunk}"] | given_id
        # What is shown of the password and the status is the server's to choose (D9, D10).
        free = {"password", "status"}
        assert {k: v for k, v in shown.items() if k not in free} == {k: v for k, v in told.items() if k not in free}

        update = EXAMPLES[f"Update{trunk}"] | given_id
        assert client.send(Operation.UPDATE, body=update)[0] == 200
        _, shown = client.send(Operation.SHOW, query=given_id)
        assert {k: v for k, v in shown.items() if k not in free} == {k: v for k, v in update.items() if k not in free}

        destroy = EXAMPLES[f"Destroy{trunk}"] | given_id
        assert client.send(Operation.DESTROY, body=destroy)[0] == 200
        assert client.send(Operation.SHOW, query=given_id)[0] >= 400

    def test_the_updates_say_what_they_change(self) -> None:
        """The summaries of the examples name one change each, and it is the only one."""
        changed = {}
        for trunk in SETTINGS:
            before, after = EXAMPLES[f"Create{trunk}"], EXAMPLES[f"Update{trunk}"]
            changed[trunk] = {name for name in before if before[name] != after[name]}
        assert changed == {"RegisteringTrunk": {"protocol"}, "PeeringTrunk": {"ips"}}

    @pytest.mark.parametrize(("key", "query"), parameter_examples(Operation.LIST).items())
    def test_lists_are_given(self, client: Client, key: str, query: dict[str, Any]) -> None:
        created = [client.send(Operation.CREATE, body=EXAMPLES[f"Create{trunk}"])[1]["id"] for trunk in SETTINGS]
        status, listed = client.send(Operation.LIST, query=query)
        for provider in created:
            client.send(Operation.DESTROY, body={"id": provider})
        assert status == 200
        told = EXAMPLES["ListedInDefaultOrder" if key == "default_order" else "ListedInOptionalOrder"]
        for name in ("count", "pagesize", "pagination", "sort_by"):
            assert listed[name] == told[name]

    def test_the_query_of_show_is_taken(self, client: Client) -> None:
        """It names a provider that this server does not have: not found, where the id of another one is."""
        queries = parameter_examples(Operation.SHOW)
        assert {query["id"] for query in queries.values()} == {EXAMPLES[f"Created{trunk}"]["id"] for trunk in SETTINGS}
        _, created = client.send(Operation.CREATE, body=EXAMPLES["CreatePeeringTrunk"])
        for query in queries.values():
            assert client.send(Operation.SHOW, query=query)[0] == 404
            assert client.send(Operation.SHOW, query=query | {"id": created["id"]})[0] == 200
        client.send(Operation.DESTROY, body=created)

    def test_a_body_that_is_no_example_is_refused(self, client: Client) -> None:
        broken = EXAMPLES["CreateRegisteringTrunk"] | {"port": "5060"}
        assert client.send(Operation.CREATE, body=broken)[0] >= 400


# Changes of the contract. Each is one thing that is done to a copy of it.


def operation(document: Document, path: str) -> Document:
    (found,) = document["paths"][path].values()
    described: Document = found
    return described


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def property_of(document: Document, name: str, prop: str) -> Document:
    """Give a property that is written out, in place of the shared one that it refers to."""
    holder = schema(document, name)
    reference = holder["properties"][prop].get("$ref", "").rpartition("/")[2]
    written = copy.deepcopy(schema(document, reference)) if reference else holder["properties"][prop]
    holder["properties"] = holder["properties"] | {prop: written}
    found: Document = holder["properties"][prop]
    return found


def without(mapping: Document, key: str) -> Document:
    return {name: value for name, value in mapping.items() if name != key}


def remove_a_path(d: Document) -> None:
    del d["paths"]["/destroy"]


def remove_an_operation(d: Document) -> None:
    d["paths"]["/show"] = {"head": d["paths"]["/show"]["get"]}


def rename_an_operation(d: Document) -> None:
    operation(d, "/show")["operationId"] = "readProvider"


def remove_a_parameter(d: Document) -> None:
    operation(d, "/list")["parameters"].pop()


def require_a_parameter(d: Document) -> None:
    d["components"]["parameters"]["SortBy"]["required"] = True


def add_a_required_parameter(d: Document) -> None:
    extra = {"name": "tenant", "in": "query", "required": True, "schema": {"type": "string"}}
    operation(d, "/show")["parameters"].append(extra)


def move_a_parameter(d: Document) -> None:
    d["components"]["parameters"]["Id"]["in"] = "header"


def serialise_otherwise(d: Document) -> None:
    d["components"]["parameters"]["Id"]["style"] = "pipeDelimited"


def narrow_the_bounds_of_a_parameter(d: Document) -> None:
    d["components"]["parameters"]["Pagination"]["schema"]["minimum"] = 0


def bound_a_page_size(d: Document) -> None:
    d["components"]["parameters"]["PageSize"]["schema"]["maximum"] = 100


def require_a_new_property(d: Document) -> None:
    holder = schema(d, "ProviderCreate")
    holder["properties"] = holder["properties"] | {"tenant": {"type": "string"}}
    holder["required"].append("tenant")


def remove_a_property_of_a_request(d: Document) -> None:
    holder = schema(d, "ProviderUpdate")
    holder["properties"] = without(holder["properties"], "single_via_header")
    holder["required"].remove("single_via_header")


def remove_a_property_of_an_answer(d: Document) -> None:
    holder = schema(d, "Provider")
    holder["properties"] = without(holder["properties"], "hostname")


def let_an_answer_lack_a_property(d: Document) -> None:
    schema(d, "ProviderCreated")["required"] = []


def remove_a_value_from_a_request(d: Document) -> None:
    property_of(d, "ProviderCreate", "protocol")["enum"] = ["UDP"]


def add_a_value_to_an_answer(d: Document) -> None:
    property_of(d, "Provider", "protocol")["enum"] = ["UDP", "TCP", "TLS"]


def add_a_value_to_a_shared_schema(d: Document) -> None:
    schema(d, "Protocol")["enum"] = ["UDP", "TCP", "TLS"]


def free_a_value_of_an_answer(d: Document) -> None:
    del property_of(d, "Provider", "status")["enum"]


def change_a_type(d: Document) -> None:
    property_of(d, "ProviderCreate", "port")["type"] = "string"


def widen_a_type_of_an_answer(d: Document) -> None:
    property_of(d, "Provider", "port")["type"] = ["integer", "null"]


def narrow_the_format_of_a_request(d: Document) -> None:
    property_of(d, "ProviderDestroy", "id")["format"] = "int32"


def ask_for_a_format(d: Document) -> None:
    property_of(d, "ProviderCreate", "hostname")["format"] = "hostname"


def ask_for_a_pattern(d: Document) -> None:
    property_of(d, "ProviderCreate", "name")["pattern"] = "^[a-z]+$"


def ask_for_items(d: Document) -> None:
    property_of(d, "ProviderCreate", "ips")["items"] = {"type": "string"}


def forbid_other_properties(d: Document) -> None:
    schema(d, "ProviderCreate")["additionalProperties"] = False


def loosen_the_bounds_of_an_answer(d: Document) -> None:
    del property_of(d, "ProviderCreated", "id")["maximum"]


def add_what_is_not_understood(d: Document) -> None:
    schema(d, "ProviderCreate")["anyOf"] = [{"required": ["ips"]}]


def relax_for_a_level(d: Document) -> None:
    schema(d, "Provider")["x-required-level"] = "strict"


def remove_a_status(d: Document) -> None:
    del operation(d, "/destroy")["responses"]["400"]


def add_another_success(d: Document) -> None:
    operation(d, "/create")["responses"]["202"] = {"description": "Later."}


def answer_in_another_media_type(d: Document) -> None:
    operation(d, "/show")["responses"]["200"]["content"]["application/xml"] = {}


def take_another_media_type_only(d: Document) -> None:
    content = operation(d, "/create")["requestBody"]["content"]
    content["application/x-www-form-urlencoded"] = content.pop("application/json")


def ask_for_another_token(d: Document) -> None:
    d["components"]["securitySchemes"]["accessToken"]["name"] = "authorization"


def ask_for_a_second_token(d: Document) -> None:
    d["components"]["securitySchemes"]["tenant"] = {"type": "apiKey", "in": "header", "name": "tenant"}
    d["security"] = [{"accessToken": [], "tenant": []}]


def shorten_the_token(d: Document) -> None:
    d["components"]["securitySchemes"]["accessToken"]["x-token-schema"]["maxLength"] = 32


def rename_a_schema(d: Document) -> None:
    text = json.dumps(d).replace('schemas/ProviderStatus"', 'schemas/State"')
    d |= json.loads(text)
    d["components"]["schemas"]["State"] = d["components"]["schemas"].pop("ProviderStatus")


def remove_a_link(d: Document) -> None:
    del operation(d, "/create")["responses"]["200"]["links"]["show"]


def serve_elsewhere(d: Document) -> None:
    d["servers"][0]["url"] = "http://127.0.0.1:8990/api/v2/providers"


def speak_another_dialect(d: Document) -> None:
    d["openapi"] = "3.2.0"


def add_an_operation(d: Document) -> None:
    d["paths"]["/count"] = {"get": operation(d, "/list") | {"operationId": "countProviders"}}


def add_an_optional_parameter(d: Document) -> None:
    operation(d, "/show")["parameters"].append({"name": "verbose", "in": "query", "schema": {"type": "boolean"}})


def add_an_optional_property_to_a_request(d: Document) -> None:
    holder = schema(d, "ProviderCreate")
    holder["properties"] = holder["properties"] | {"comment": {"type": "string"}}


def add_a_property_to_an_answer(d: Document) -> None:
    holder = schema(d, "Provider")
    holder["properties"] = holder["properties"] | {"registered_at": {"type": "string"}}


def require_more_of_an_answer(d: Document) -> None:
    schema(d, "Provider")["required"].append("name")


def require_less_of_a_request(d: Document) -> None:
    schema(d, "ProviderCreate")["required"].remove("password")


def no_longer_require_a_parameter(d: Document) -> None:
    d["components"]["parameters"]["PageSize"]["required"] = False


def loosen_the_bounds_of_a_request(d: Document) -> None:
    del property_of(d, "ProviderDestroy", "id")["minimum"]


def narrow_the_bounds_of_an_answer(d: Document) -> None:
    property_of(d, "ProviderCreated", "id")["minimum"] = 1


def take_another_value(d: Document) -> None:
    property_of(d, "ProviderCreate", "protocol")["enum"] = ["UDP", "TCP", "TLS"]


def give_one_value_less(d: Document) -> None:
    property_of(d, "Provider", "protocol")["enum"] = ["UDP"]


def widen_a_type_of_a_request(d: Document) -> None:
    property_of(d, "ProviderCreate", "port")["type"] = ["integer", "null"]


def widen_the_format_of_a_request(d: Document) -> None:
    d["components"]["parameters"]["Pagination"]["schema"]["format"] = "int64"


def name_a_known_refusal(d: Document) -> None:
    operation(d, "/show")["responses"]["404"] = {"$ref": "#/components/responses/Refused"}


def take_either_token(d: Document) -> None:
    d["components"]["securitySchemes"]["basic"] = {"type": "http", "scheme": "basic"}
    d["security"] = [{"accessToken": []}, {"basic": []}]


def read_otherwise(d: Document) -> None:
    d["x-readings"]["D7"]["reading"] = "Pages are counted from 1."


def deprecate(d: Document) -> None:
    operation(d, "/list")["deprecated"] = True


def describe_otherwise(d: Document) -> None:
    schema(d, "Protocol")["description"] = "How messages travel."
    operation(d, "/show")["summary"] = "Show it"
    d["info"]["description"] = "All about trunks."


def give_other_examples(d: Document) -> None:
    d["components"]["examples"]["CreatePeeringTrunk"]["value"]["port"] = 5090
    schema(d, "SipPort")["examples"] = [5061]


def write_in_another_order(d: Document) -> None:
    d["paths"] = dict(reversed(d["paths"].items()))
    schema(d, "ProviderCreate")["required"].reverse()
    schema(d, "Protocol")["enum"].reverse()


def share_by_a_new_response(d: Document) -> None:
    d["components"]["responses"]["Gone"] = operation(d, "/update")["responses"]["200"]
    operation(d, "/update")["responses"]["200"] = {"$ref": "#/components/responses/Gone"}


BREAKS: list[tuple[Callable[[Document], None], str]] = [
    (remove_a_path, "path /destroy is gone"),
    (remove_an_operation, "/show: operation GET is gone"),
    (rename_an_operation, "/show GET: operationId differs"),
    (remove_a_parameter, "/list GET: parameter sort_by in query is gone"),
    (require_a_parameter, "/list GET sort_by in query: it is required"),
    (add_a_required_parameter, "/show GET: parameter tenant in query is new"),
    (move_a_parameter, "/show GET: parameter id in query is gone"),
    (serialise_otherwise, "/show GET id in query: style differs"),
    (narrow_the_bounds_of_a_parameter, "/list GET pagination in query: minimum is 0, was -2147483648"),
    (bound_a_page_size, "/list GET pagesize in query: maximum is 100, was none"),
    (require_a_new_property, "/create POST request application/json: property tenant is required"),
    (remove_a_property_of_a_request, "/update POST request application/json: property single_via_header is gone"),
    (remove_a_property_of_an_answer, "/show GET 200 application/json: property hostname is gone"),
    (let_an_answer_lack_a_property, "/create POST 200 application/json: property id is optional"),
    (remove_a_value_from_a_request, '/create POST request application/json.protocol: value "TCP" is gone'),
    (add_a_value_to_an_answer, '/show GET 200 application/json.protocol: value "TLS" is new'),
    (add_a_value_to_a_shared_schema, '/list GET 200 application/json.providers[].protocol: value "TLS" is new'),
    (free_a_value_of_an_answer, "/show GET 200 application/json.status: any value is meant"),
    (change_a_type, "/create POST request application/json.port: it is string, was integer"),
    (widen_a_type_of_an_answer, "/show GET 200 application/json.port: it is integer or null, was integer"),
    (narrow_the_format_of_a_request, "/destroy POST request application/json.id: format is int32, was int64"),
    (ask_for_a_format, "/create POST request application/json.hostname: format is hostname, was none"),
    (ask_for_a_pattern, "/create POST request application/json.name: pattern is ^[a-z]+$, was none"),
    (ask_for_items, "/create POST request application/json.ips[]: it is string, was anything"),
    (forbid_other_properties, "/create POST request application/json.*: it is not allowed"),
    (loosen_the_bounds_of_an_answer, "/create POST 200 application/json.id: maximum is gone, was 9223372036854775807"),
    (add_what_is_not_understood, "/create POST request application/json: anyOf differs"),
    (relax_for_a_level, "/show GET 200 application/json: x-required-level differs"),
    (remove_a_status, "/destroy POST: status 400 is gone"),
    (add_another_success, "/create POST: status 202 is new, and no client expects it"),
    (answer_in_another_media_type, "/show GET 200: media type application/xml is new"),
    (take_another_media_type_only, "/create POST request: media type application/json is gone"),
    (ask_for_another_token, "accessToken: name differs"),
    (ask_for_a_second_token, "/create POST: accessToken does not suffice"),
    (shorten_the_token, "accessToken: maxLength is 32, was 64"),
    (rename_a_schema, "schema ProviderStatus is gone"),
    (remove_a_link, "/create POST 200: link show is gone"),
    (serve_elsewhere, "server http://127.0.0.1:8990/api/providers is gone"),
    (speak_another_dialect, "it is OpenAPI 3.2.0"),
]
ADDS: list[tuple[Callable[[Document], None], str]] = [
    (add_an_operation, "path /count is new"),
    (add_an_optional_parameter, "/show GET: parameter verbose in query is new"),
    (add_an_optional_property_to_a_request, "/create POST request application/json: property comment is new"),
    (add_a_property_to_an_answer, "/show GET 200 application/json: property registered_at is new"),
    (require_more_of_an_answer, "/show GET 200 application/json: property name is required"),
    (require_less_of_a_request, "/create POST request application/json: property password is optional"),
    (no_longer_require_a_parameter, "/list GET pagesize in query: it is no longer required"),
    (loosen_the_bounds_of_a_request, "/destroy POST request application/json.id: minimum is gone"),
    (narrow_the_bounds_of_an_answer, "/create POST 200 application/json.id: minimum is 1"),
    (take_another_value, '/create POST request application/json.protocol: value "TLS" is new'),
    (give_one_value_less, '/show GET 200 application/json.protocol: value "TCP" is gone'),
    (widen_a_type_of_a_request, "/create POST request application/json.port: it is integer or null"),
    (widen_the_format_of_a_request, "/list GET pagination in query: format is int64, was int32"),
    (name_a_known_refusal, "/show GET: status 404 is new"),
    (take_either_token, "/list GET: basic suffices"),
    (read_otherwise, "reading D7: it reads otherwise"),
    (deprecate, "/list GET: it is deprecated"),
]
WORDS: list[Callable[[Document], None]] = [
    describe_otherwise,
    give_other_examples,
    write_in_another_order,
    share_by_a_new_response,
]


def changed(change: Callable[[Document], None]) -> Document:
    document: Document = json.loads(json.dumps(CONTRACT.document))  # without aliases: one place changes at a time
    change(document)
    return document


class TestCompatibility:
    def test_the_contract_keeps_what_was_released(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert check_compatibility.main([]) == 0, capsys.readouterr().out

    def test_every_released_contract_is_what_its_name_says(self) -> None:
        files = sorted(check_compatibility.RELEASED.iterdir())
        assert files
        for file in files:
            assert file.name == f"{yaml.safe_load(file.read_text('utf-8'))['info']['version']}.yaml"

    def test_a_contract_is_compatible_with_itself(self) -> None:
        assert changes(CONTRACT.document, changed(lambda _: None)) == []

    @pytest.mark.parametrize(("change", "told"), BREAKS, ids=lambda one: getattr(one, "__name__", ""))
    def test_what_breaks_a_client_is_breaking(self, change: Callable[[Document], None], told: str) -> None:
        found = changes(CONTRACT.document, changed(change))
        assert any(one.impact is BREAKING and told in f"{one.where}: {one.what}" for one in found), found
        assert (
            version_problem(found, "1.4.2", "1.5.0") == "a breaking change since 1.4.2 needs version 2.0.0, not 1.5.0"
        )
        assert version_problem(found, "1.4.2", "2.0.0") is None

    @pytest.mark.parametrize(("change", "told"), ADDS, ids=lambda one: getattr(one, "__name__", ""))
    def test_what_adds_breaks_nobody(self, change: Callable[[Document], None], told: str) -> None:
        found = changes(CONTRACT.document, changed(change))
        assert {one.impact for one in found} == {ADDITION}, found
        assert any(told in f"{one.where}: {one.what}" for one in found), found
        assert version_problem(found, "1.4.2", "1.4.3") == "an addition since 1.4.2 needs version 1.5.0, not 1.4.3"
        assert version_problem(found, "1.4.2", "1.5.0") is None

    @pytest.mark.parametrize("change", WORDS)
    def test_words_and_order_are_free(self, change: Callable[[Document], None]) -> None:
        assert changes(CONTRACT.document, changed(change)) == []
        assert version_problem([], "1.4.2", "1.4.2") is None

    def test_a_version_never_goes_back(self) -> None:
        assert version_problem([], "1.10.0", "1.9.0") == "version 1.9.0 is older than 1.10.0"
        with pytest.raises(ValueError, match=r"1\.0 is no version"):
            version_problem([], "1.0.0", "1.0")

    def test_a_loop_of_references_ends(self) -> None:
        def nest(d: Document) -> None:
            listed = schema(d, "ListedProvider")
            listed["properties"] = listed["properties"] | {"twin": {"$ref": "#/components/schemas/ListedProvider"}}

        nested = changed(nest)
        assert changes(nested, nested) == []
        assert {one.impact for one in changes(CONTRACT.document, nested)} == {ADDITION}
        assert {one.impact for one in changes(nested, CONTRACT.document)} == {BREAKING}

    def test_the_newest_release_is_the_one_of_the_highest_version(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="no released contract"):
            check_compatibility.newest(tmp_path)
        for name in ("1.9.0.yaml", "1.10.0.yaml", "1.2.0.yaml"):
            (tmp_path / name).touch()
        assert check_compatibility.newest(tmp_path).name == "1.10.0.yaml"

    def test_a_version_without_a_word_in_the_changelog_is_noticed(self) -> None:
        told = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2027-01-01\n\n## [1.0.0]\n"
        assert check_compatibility.changelog_problems(told, ["1.0.0", "1.1.0"]) == []
        (problem,) = check_compatibility.changelog_problems(told, ["1.0.0", "1.2.0"])
        assert problem == "the changelog has no section on version 1.2.0"

    def test_the_command_names_what_breaks_and_fails(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        files = {"old": changed(lambda _: None), "new": changed(remove_a_path), "later": changed(remove_a_path)}
        files["later"]["info"]["version"] = "2.0.0"
        for name, document in files.items():
            (tmp_path / name).write_text(yaml.safe_dump(document), encoding="utf-8")
        assert check_compatibility.main([str(tmp_path / "old"), str(tmp_path / "new")]) == 1
        told = capsys.readouterr().out
        assert "breaking: contract: path /destroy is gone\n" in told
        assert "a breaking change since 1.0.0 needs version 2.0.0, not 1.0.0\n" in told
        assert check_compatibility.main([str(tmp_path / "old"), str(tmp_path / "later")]) == 0


VALUES: list[Any] = [None, True, 0, 1, -3, 7, 2.5, "", "ab", "abcd", [], [1], [1, 1], ["ab", 2.5], {}, {"a": 1}]
SMALL = st.integers(-3, 4)
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["integer", "number", "string", "array", "object", ["string", "null"], ["number", "null"]]),
    "enum": st.lists(st.sampled_from(VALUES), min_size=1, max_size=6),
    "const": st.sampled_from(VALUES),
    "minimum": SMALL,
    "exclusiveMinimum": SMALL,
    "maximum": SMALL,
    "exclusiveMaximum": SMALL,
    "minLength": st.integers(0, 4),
    "maxLength": st.integers(0, 4),
    "pattern": st.sampled_from(["^a", "b$"]),
    "minItems": st.integers(0, 2),
    "maxItems": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "multipleOf": st.sampled_from([1, 2, 7]),
    "required": st.sampled_from([[], ["a"], ["b"]]),
    "additionalProperties": st.booleans() | st.fixed_dictionaries({"type": st.sampled_from(["integer", "string"])}),
    "minProperties": st.integers(0, 2),
    "maxProperties": st.integers(0, 2),
    "not": st.fixed_dictionaries({"type": st.sampled_from(["integer", "string"])}),
}
LEAVES = st.fixed_dictionaries({}, optional=KEYWORDS)
SCHEMAS = LEAVES | st.booleans() | st.builds(lambda schema, items: {**schema, "items": items}, LEAVES, LEAVES)
KEYWORD = st.sampled_from(sorted(KEYWORDS)).flatmap(lambda name: st.tuples(st.just(name), KEYWORDS[name] | st.none()))


def with_keyword(schema: Any, keyword: tuple[str, Any]) -> Any:
    """Set one keyword of a schema, or remove it if its value is None."""
    name, value = keyword
    rest = {key: one for key, one in schema.items() if key != name} if isinstance(schema, dict) else {}
    return rest if value is None else {**rest, name: value}


# Two schemas at random are seldom compatible; those that differ in one keyword often are.
PAIRS = st.tuples(SCHEMAS, SCHEMAS) | st.builds(
    lambda old, keyword: (old, with_keyword(old, keyword)), SCHEMAS, KEYWORD
)


def around(schema: Any, *, sent: bool) -> Document:
    """Make the smallest contract in which clients send, or get, what the schema describes."""
    content = {"content": {"application/json": {"schema": schema}}}
    described = {"responses": {"200": {} if sent else content}} | ({"requestBody": content} if sent else {})
    return {"openapi": "3.1.0", "info": {"version": "1.0.0"}, "paths": {"/": {"post": described}}}


@settings(max_examples=400, deadline=None)
@given(PAIRS, st.booleans())
@example(({"type": "number"}, {"type": "integer"}), True)
@example(({"maximum": 4}, {"exclusiveMaximum": 4}), True)
@example(({}, True), False)
def test_what_is_not_called_breaking_breaks_nothing(pair: tuple[Any, Any], sent: bool) -> None:
    """The check against a validator: no value that was taken is refused, none that could not come comes."""
    old, new = pair
    found = changes(around(old, sent=sent), around(new, sent=sent))
    if BREAKING not in {change.impact for change in found}:
        former, latter = (old, new) if sent else (new, old)
        accepted = [value for value in VALUES if Draft202012Validator(former).is_valid(value)]
        assert [value for value in accepted if not Draft202012Validator(latter).is_valid(value)] == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that the session has made, or make it here."""
    if made := os.environ.get("API_REFERENCE"):
        return Path(made)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which brings what makes the page, is absent")
    tools = tmp_path_factory.mktemp("npm")
    shutil.copytree(NPM, tools, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run([npm, "ci", "--prefix", tools], check=True, capture_output=True, timeout=300)
    folder = tmp_path_factory.mktemp("reference")
    render_reference.write(folder, tools / "node_modules" / ".bin" / "redocly")
    return folder


class TestTheReference:
    """The API reference that projects publish, made and looked at as `nox -s apidocs` does."""

    @pytest.fixture
    def opened(self, folder: Path) -> Iterator[tuple[Page, list[str]]]:
        """Open the page in a real browser; give it, and what it complains of and asks others for."""
        browser = shutil.which("chromium")
        if browser is None:
            if os.environ.get("REQUIRE_BROWSER"):
                pytest.fail("chromium is not on PATH")
            pytest.skip("chromium is not on PATH")
        heard: list[str] = []
        options = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        options += ["--disable-component-update", "--disable-sync"]
        address = (folder / render_reference.PAGE_NAME).resolve().as_uri()
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=browser, args=options)
            page = started.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: heard.append(f"error: {error}"))
            page.on("console", lambda said: heard.append(said.text) if said.type in {"error", "warning"} else None)
            # What the page makes of its own content is no request to anybody.
            own = (address, "blob:", "data:")
            page.on("request", lambda asked: None if asked.url.startswith(own) else heard.append(asked.url))
            page.goto(address)
            yield page, heard
            started.close()

    @pytest.fixture
    def page(self, opened: tuple[Page, list[str]]) -> Iterator[Page]:
        """Give the page, and insist on one that complains of nothing and asks for nothing while a test uses it."""
        page, heard = opened
        yield page
        assert heard == []

    def test_it_shows_the_five_operations(self, page: Page) -> None:
        expect(page).to_have_title("SIP Provider Management API")
        page.get_by_text("providers", exact=True).first.click()
        for path, item in CONTRACT.document["paths"].items():
            ((method, described),) = item.items()
            page.get_by_text(described["summary"], exact=True).first.click()
            expect(page.get_by_role("heading", name=described["summary"])).to_be_visible()
            expect(page.get_by_role("button", name=f"{method.upper()} {path}", exact=True)).to_be_visible()

    def test_it_shows_an_example(self, page: Page) -> None:
        page.get_by_text("providers", exact=True).first.click()
        page.get_by_text("Create a provider", exact=True).first.click()
        expect(page.get_by_text('"sip.example.com"').first).to_be_visible()

    def test_it_shows_how_the_documentation_is_read(self, page: Page) -> None:
        page.get_by_text("How the documentation is read", exact=True).first.click()
        for reading in CONTRACT.readings:
            expect(page.get_by_text(reading.id, exact=True).first).to_be_attached()
            expect(page.get_by_text(reading.reading[:60]).first).to_be_attached()

    def test_it_could_not_ask_the_network_and_would_be_noticed(self, opened: tuple[Page, list[str]]) -> None:
        page, heard = opened
        with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
            page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}))")
        assert any("127.0.0.1:9" in one for one in heard)

    def test_the_json_beside_it_is_the_contract(self, folder: Path) -> None:
        content = (folder / render_reference.JSON_NAME).read_text("utf-8")
        assert json.loads(content) == CONTRACT.document
        assert list(json.loads(content)) == list(CONTRACT.document)


class TestRendering:
    def test_the_same_contract_gives_the_same_json(self, tmp_path: Path) -> None:
        (first,) = render_reference.write(tmp_path / "first")
        (second,) = render_reference.write(tmp_path / "second")
        assert first.read_bytes() == second.read_bytes()
        assert first.read_bytes().endswith(b"}\n")
        assert b"\r" not in first.read_bytes()

    def test_the_page_shows_no_number_that_a_browser_would_round(self) -> None:
        bounds = {"exact": {"minimum": -(2**53) + 1}, "rounded": {"minimum": -(2**63), "maximum": 2**63 - 1}}
        shown = render_reference.without_rounded_bounds({"schemas": [bounds]})
        assert shown == {"schemas": [{"exact": {"minimum": -(2**53) + 1}, "rounded": {}}]}

    def test_what_json_cannot_say_is_refused(self) -> None:
        assert render_reference.as_json({"a": 1.5}) == '{\n  "a": 1.5\n}\n'
        with pytest.raises(ValueError, match="not JSON compliant"):
            render_reference.as_json({"a": float("nan")})

    def test_a_page_that_is_none_is_refused(self) -> None:
        assert render_reference.POLICY in render_reference.self_contained("<head></head>")
        with pytest.raises(render_reference.RenderError, match="no head"):
            render_reference.self_contained("<p>")

    def test_a_tool_that_fails_is_told_of(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        tool = tmp_path / "redocly"
        tool.write_text("#!/bin/sh\necho broken >&2\nexit 3\n", encoding="utf-8")
        tool.chmod(0o755)
        assert render_reference.main([str(tmp_path / "out"), "--redocly", str(tool)]) == 1
        assert "broken" in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
        assert render_reference.main([str(tmp_path / "out")]) == 0


class TestTheToolsFromNpm:
    def test_their_versions_are_pinned(self) -> None:
        wanted = json.loads((NPM / "package.json").read_text("utf-8"))["devDependencies"]
        assert wanted
        locked = json.loads((NPM / "package-lock.json").read_text("utf-8"))["packages"]
        for name, version in wanted.items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
            assert locked[f"node_modules/{name}"]["version"] == version

    def test_the_lock_file_vouches_for_all_and_names_no_source(self) -> None:
        locked = json.loads((NPM / "package-lock.json").read_text("utf-8"))["packages"]
        packages = {name: one for name, one in locked.items() if name}
        assert len(packages) > 100
        assert [name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []
        assert [name for name, one in packages.items() if "resolved" in one] == []
