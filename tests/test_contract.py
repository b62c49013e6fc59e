"""The contract and the catalogue: that they hold together, and that they load as what they say."""

from __future__ import annotations

import copy
import ipaddress
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from provider_conformance import contract as contract_module
from provider_conformance.contract import (
    CATALOGUE_FILE,
    CONTRACT_FILE,
    Catalogue,
    Contract,
    ContractFormatError,
    ContractNotFoundError,
    Level,
    NoSchemaError,
    Operation,
    UnknownRequirementError,
    load_catalogue,
    load_contract,
    parse_catalogue,
    pointer_matches,
)

# The tools are scripts, not a package that could be installed.
REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))
import check_contract  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = [operation for operation in Operation if operation is not Operation.ALL]
PAGING_FIELDS = {"count", "page_count", "pagination", "pagesize", "sort_by"}


@pytest.fixture
def contract() -> Contract:
    return load_contract()


@pytest.fixture
def catalogue() -> Catalogue:
    return load_catalogue()


class TestTheFilesHoldTogether:
    def test_there_are_no_problems(self, contract: Contract, catalogue: Catalogue) -> None:
        assert check_contract.problems(contract, catalogue) == []

    @pytest.mark.parametrize("name", [CONTRACT_FILE, CATALOGUE_FILE])
    def test_no_key_is_there_twice(self, name: str) -> None:
        assert list(check_contract.duplicate_keys(REPOSITORY / "openapi" / name)) == []

    def test_every_example_is_plausible(self, contract: Contract) -> None:
        """Examples are what people copy, and what tools send: they must be requests that a server accepts."""
        examples = contract.document["components"]["examples"]
        settings = [e["value"] for e in examples.values() if isinstance(e["value"], dict) and "ips" in e["value"]]
        assert len(settings) == 6  # create, show and update of both trunks
        for provider in settings:
            assert provider["require_register"] is (provider["auth_mode"] == "REGISTER_AUTH")
            assert provider["ips"] or provider["auth_mode"] != "IP_AUTH"
            assert len(set(provider["ips"])) == len(provider["ips"]) <= 8
            for address in provider["ips"]:
                assert ipaddress.ip_address(address) in ipaddress.ip_network("192.0.2.0/24")
            for host in (provider["hostname"], provider["outbound_server"]):
                assert host.endswith(".example.com") or host in provider["ips"]
            for port in (provider["port"], provider["outbound_server_port"]):
                assert 1 <= port <= 65535
            assert 30 <= provider["reregister_interval"] <= 86400

    def test_examples_pair_up(self, contract: Contract) -> None:
        """Tools that pair requests and answers do it by the key of the example."""
        for operation in OPERATIONS:
            described = contract.document["paths"][operation.path]
            (described,) = described.values()
            answers = described["responses"]["200"]["content"].values()
            given = [contract.resolve(parameter)["examples"] for parameter in described.get("parameters", ())]
            if "requestBody" in described:
                given.append(described["requestBody"]["content"]["application/json"]["examples"])
            # Where the body is free, nothing is described that could have an example (D12).
            given += [answer["examples"] for answer in answers]
            for examples in given:
                assert examples.keys() == given[0].keys()


class TestTheGateSeesWhatIsBroken:
    """One defect at a time is put into a copy of the contract; each must be named."""

    @staticmethod
    def dangle(document: dict[str, Any]) -> None:
        document["paths"]["/show"]["get"]["parameters"][0]["$ref"] = "#/components/parameters/Nowhere"

    @staticmethod
    def leave_the_document(document: dict[str, Any]) -> None:
        document["paths"]["/show"]["get"]["parameters"][0]["$ref"] = "other.yaml#/Id"

    @staticmethod
    def link_to_nothing(document: dict[str, Any]) -> None:
        document["components"]["links"]["ShowCreated"]["operationId"] = "showNothing"

    @staticmethod
    def link_by_an_unknown_parameter(document: dict[str, Any]) -> None:
        document["components"]["links"]["ShowCreated"]["parameters"] = {"number": "$response.body#/id"}

    @staticmethod
    def link_a_body_to_an_operation_without(document: dict[str, Any]) -> None:
        document["components"]["links"]["ShowCreated"]["requestBody"] = "$response.body"

    @staticmethod
    def rename_the_security_scheme(document: dict[str, Any]) -> None:
        document["security"] = [{"token": []}]

    @staticmethod
    def ask_for_no_token(document: dict[str, Any]) -> None:
        document["paths"]["/destroy"]["post"]["security"] = []

    @staticmethod
    def violate_by_an_example(document: dict[str, Any]) -> None:
        document["components"]["examples"]["CreateRegisteringTrunk"]["value"]["port"] = "5060"

    @staticmethod
    def violate_by_a_parameter_example(document: dict[str, Any]) -> None:
        document["components"]["parameters"]["Id"]["examples"]["peering_trunk"]["value"] = "1235"

    @staticmethod
    def violate_by_a_schema_example(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Protocol"]["examples"] = ["udp"]

    @staticmethod
    def violate_by_a_single_example(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Protocol"]["example"] = "tcp"

    @staticmethod
    def take_the_example_of_a_schema(document: dict[str, Any]) -> None:
        del document["components"]["schemas"]["ListedProvider"]["examples"]

    @staticmethod
    def empty_the_examples_of_a_schema(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Hostname"]["examples"] = []

    @staticmethod
    def take_the_example_of_a_parameter(document: dict[str, Any]) -> None:
        del document["components"]["parameters"]["PageSize"]["examples"]

    @staticmethod
    def take_the_example_of_a_request(document: dict[str, Any]) -> None:
        del document["paths"]["/destroy"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    @staticmethod
    def take_the_example_of_an_answer(document: dict[str, Any]) -> None:
        del document["paths"]["/create"]["post"]["responses"]["200"]["content"]["application/json"]["examples"]

    @staticmethod
    def leave_a_component_unused(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["Forgotten"] = {"type": "string"}

    @staticmethod
    def add_an_uncovered_property(document: dict[str, Any]) -> None:
        schema = document["components"]["schemas"]["ProviderDestroy"]
        schema["properties"] = schema["properties"] | {"force": {"type": "boolean"}}

    @staticmethod
    def add_an_uncovered_status(document: dict[str, Any]) -> None:
        responses = document["paths"]["/show"]["get"]["responses"]
        responses["404"] = {"$ref": "#/components/responses/Refused"}

    @staticmethod
    def add_an_uncovered_parameter(document: dict[str, Any]) -> None:
        document["paths"]["/show"]["get"]["parameters"].append(
            {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}
        )

    @staticmethod
    def remove_a_covered_property(document: dict[str, Any]) -> None:
        properties = document["components"]["schemas"]["ProviderList"]["properties"]
        document["components"]["schemas"]["ProviderList"]["properties"] = {
            name: schema for name, schema in properties.items() if name != "page_count"
        }

    @staticmethod
    def mention_an_unknown_reading(document: dict[str, Any]) -> None:
        document["info"]["summary"] = "As it is read (D99)."

    @pytest.mark.parametrize(
        ("break_it", "named"),
        [
            (dangle, "Nowhere leads nowhere"),
            (leave_the_document, "other.yaml#/Id leads nowhere"),
            (link_to_nothing, "no operation showNothing"),
            (link_by_an_unknown_parameter, "showProvider has no parameter number"),
            (link_a_body_to_an_operation_without, "showProvider has no request body"),
            (rename_the_security_scheme, "no security scheme token"),
            (ask_for_no_token, "no security is required"),
            (violate_by_an_example, "'5060' is not of type 'integer'"),
            (violate_by_a_parameter_example, "'1235' is not of type 'integer'"),
            (violate_by_a_schema_example, "'udp' is not one of"),
            (violate_by_a_single_example, "'tcp' is not one of"),
            (take_the_example_of_a_schema, "schemas/ListedProvider: has no example"),
            (empty_the_examples_of_a_schema, "schemas/Hostname: has no example"),
            (take_the_example_of_a_parameter, "~1list/get/parameters/1: has no example"),
            (take_the_example_of_a_request, "~1destroy/post/requestBody/content/application~1json: has no example"),
            (take_the_example_of_an_answer, "~1create/post/responses/200/content/application~1json: has no example"),
            (leave_a_component_unused, "Forgotten: nothing refers to it"),
            (add_an_uncovered_property, "no requirement covers destroy.request.force"),
            (add_an_uncovered_status, "no requirement covers show.404"),
            (add_an_uncovered_parameter, "no requirement covers show.parameter.verbose"),
            (remove_a_covered_property, "LIST-9: list.response.page_count names nothing"),
            (mention_an_unknown_reading, "no reading D99"),
        ],
    )
    def test_in_the_contract(
        self,
        contract: Contract,
        catalogue: Catalogue,
        break_it: Callable[[dict[str, Any]], None],
        named: str,
    ) -> None:
        document = copy.deepcopy(dict(contract.document))
        break_it(document)
        found = check_contract.problems(replace(contract, document=document), catalogue)
        assert any(named in str(problem) for problem in found), found

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"reading": ("D99",)}, "CREATE-1: there is no reading D99"),
            ({"covers": ("create.request.colour",)}, "CREATE-1: create.request.colour names nothing"),
            ({"covers": ()}, "CREATE-1: covers nothing"),
        ],
    )
    def test_in_the_catalogue(
        self, contract: Contract, catalogue: Catalogue, change: dict[str, Any], named: str
    ) -> None:
        broken = replace(
            catalogue,
            requirements=tuple(
                replace(requirement, **change) if requirement.id == "CREATE-1" else requirement
                for requirement in catalogue
            ),
        )
        found = check_contract.problems(contract, broken)
        assert any(named in str(problem) for problem in found), found

    def test_what_is_only_named_like_an_example_is_left_alone(self, contract: Contract) -> None:
        document = copy.deepcopy(dict(contract.document))
        created = document["components"]["schemas"]["ProviderCreated"]
        created["properties"] = {**created["properties"], "example": {"type": "boolean", "default": {"examples": [1]}}}
        assert list(check_contract.invalid_examples(document)) == []

        created["properties"]["example"]["example"] = "yes"
        (problem,) = check_contract.invalid_examples(document)
        assert problem.where == "#/components/schemas/ProviderCreated/properties/example/example"

    def test_a_key_that_is_there_twice(self, tmp_path: Path) -> None:
        file = tmp_path / "doubled.yaml"
        file.write_text("paths:\n  /show: 1\n  /list: 2\n  /show: 3\n", encoding="utf-8")
        assert [str(p) for p in check_contract.duplicate_keys(file)] == ["doubled.yaml, line 4: /show is there twice"]


class TestContract:
    def test_it_says_what_it_is(self, contract: Contract) -> None:
        assert contract.version == "1.0.0"
        assert len(contract.sha256) == 64
        assert [reading.id for reading in contract.readings] == [f"D{n}" for n in range(1, 21)]

    @pytest.mark.parametrize(
        ("operation", "required"),
        [(Operation.CREATE, 15), (Operation.UPDATE, 18), (Operation.DESTROY, 1)],
    )
    def test_requests_require_all_they_list(self, contract: Contract, operation: Operation, required: int) -> None:
        schema = _definition(contract.request_schema(operation))
        assert len(schema["required"]) == required
        assert set(schema["required"]) == schema["properties"].keys()

    @pytest.mark.parametrize("operation", [Operation.SHOW, Operation.LIST])
    def test_operations_without_a_request_body(self, contract: Contract, operation: Operation) -> None:
        with pytest.raises(NoSchemaError):
            contract.request_schema(operation)

    @pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.DESTROY])
    def test_operations_with_a_free_answer(self, contract: Contract, operation: Operation) -> None:
        with pytest.raises(NoSchemaError):
            contract.response_schema(operation)

    def test_all_is_no_operation_to_describe(self, contract: Contract) -> None:
        for describe in (contract.request_schema, contract.response_schema, contract.parameters):
            with pytest.raises(ValueError, match="single operation"):
                describe(Operation.ALL)

    @pytest.mark.parametrize("operation", [Operation.CREATE, Operation.SHOW, Operation.LIST])
    def test_schemas_are_self_contained(self, contract: Contract, operation: Operation) -> None:
        schema = contract.response_schema(operation)
        Draft202012Validator.check_schema(schema)
        references = [
            node["$ref"] for _, node in check_contract._walk(schema) if isinstance(node, dict) and "$ref" in node
        ]
        assert references
        assert {reference.removeprefix("#/$defs/") for reference in references} == schema["$defs"].keys()

    def test_a_schema_may_be_changed_without_harm(self, contract: Contract) -> None:
        schema = contract.request_schema(Operation.CREATE)
        schema["$defs"].clear()
        assert contract.request_schema(Operation.CREATE)["$defs"]

    def test_paging_fields_are_required_from_strict_on(self, contract: Contract) -> None:
        assert "required" not in _definition(contract.response_schema(Operation.LIST, Level.CORE))
        for level in (Level.STRICT, Level.HARDENED):
            assert set(_definition(contract.response_schema(Operation.LIST, level))["required"]) == PAGING_FIELDS

    def test_what_is_required_at_core(self, contract: Contract) -> None:
        assert _definition(contract.response_schema(Operation.CREATE, Level.CORE))["required"] == ["id"]
        assert _definition(contract.response_schema(Operation.SHOW, Level.CORE))["required"] == ["id"]
        listed = contract.response_schema(Operation.LIST, Level.CORE)["$defs"]["ListedProvider"]
        assert listed["required"] == ["id"]

    @pytest.mark.parametrize(
        ("value", "valid"),
        [
            (2**63 - 1, True),
            (-(2**63), True),
            (2**63, False),
            (-(2**63) - 1, False),
            (5.0, True),  # D17
            (5.5, False),
            ("5", False),
            (True, False),
            (None, False),
        ],
    )
    def test_an_id_is_an_int64(self, contract: Contract, value: Any, valid: bool) -> None:
        validator = Draft202012Validator(contract.request_schema(Operation.DESTROY))
        assert validator.is_valid({"id": value}) is valid

    def test_parameters(self, contract: Contract) -> None:
        token, *others = contract.parameters(Operation.LIST)
        assert (token.name, token.location, token.required) == ("access_token", "header", True)
        assert (token.schema["minLength"], token.schema["maxLength"]) == (64, 64)
        assert [(p.name, p.location, p.required) for p in others] == [
            ("pagination", "query", True),
            ("pagesize", "query", True),
            ("sort_by", "query", False),
        ]
        assert (others[0].schema["minimum"], others[0].schema["maximum"]) == (-(2**31), 2**31 - 1)

    def test_nothing_is_bounded_that_is_not_documented(self, contract: Contract) -> None:
        """D13: the only bounds are those of int64 and int32, and the length of the token."""
        keywords = {"minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems"}
        bounded = {
            where
            for where, node in check_contract._walk(contract.document)
            if isinstance(node, dict) and keywords & node.keys()
        }
        assert bounded == {
            "#/components/schemas/ProviderId",
            "#/components/parameters/Id/schema",
            "#/components/parameters/Pagination/schema",
            "#/components/securitySchemes/accessToken/x-token-schema",
        }


class TestCatalogue:
    def test_it_says_what_it_is(self, catalogue: Catalogue) -> None:
        assert catalogue.version == "1.0.0"
        assert len(catalogue.sha256) == 64
        assert len(catalogue) == len(set(catalogue)) == 54

    def test_lookup(self, catalogue: Catalogue) -> None:
        assert "CREATE-7" in catalogue
        assert "CREATE-77" not in catalogue
        assert catalogue["CREATE-7"].level is Level.STRICT
        with pytest.raises(UnknownRequirementError):
            catalogue["CREATE-77"]

    def test_levels_are_cumulative(self, catalogue: Catalogue) -> None:
        core, strict, hardened = (
            {requirement.id for requirement in catalogue.up_to(level)}
            for level in (Level.CORE, Level.STRICT, Level.HARDENED)
        )
        advice = {requirement.id for requirement in catalogue if requirement.level is Level.ADVICE}
        assert core < strict < hardened
        assert advice
        assert hardened.isdisjoint(advice)
        assert hardened | advice == {requirement.id for requirement in catalogue}

    def test_nothing_is_certified_against_advice(self, catalogue: Catalogue) -> None:
        with pytest.raises(ValueError, match="advice"):
            catalogue.up_to(Level.ADVICE)

    @pytest.mark.parametrize("level", Level)
    def test_advice_is_in_no_level(self, level: Level) -> None:
        assert not level.includes(Level.ADVICE)
        assert not Level.ADVICE.includes(level)

    def test_levels_are_ordered(self) -> None:
        assert sorted(Level, key=lambda level: level.rank) == [
            Level.CORE,
            Level.STRICT,
            Level.HARDENED,
            Level.ADVICE,
        ]
        assert Level.STRICT.includes(Level.CORE)
        assert Level.STRICT.includes(Level.STRICT)
        assert not Level.STRICT.includes(Level.HARDENED)

    def test_statements_complete_the_sentence(self, catalogue: Catalogue) -> None:
        """ "An implementation …": a verb in the third person, or an adverb before it, and no full stop."""
        for requirement in catalogue:
            first = requirement.statement.split()[0]
            assert first.islower(), requirement
            assert first in {"is", "never"} or first.rstrip(",").endswith("s"), requirement
            assert not requirement.statement.endswith("."), requirement

    @pytest.mark.parametrize(
        ("pattern", "pointer", "matches"),
        [
            ("create", "create", True),
            ("create", "create.request.name", False),
            ("create.request.*", "create.request.name", True),
            ("create.request.*", "create.response.id", False),
            ("*", "create", True),
            ("*", "create.200", False),
            ("*.4XX", "show.4XX", True),
            ("list.response.*", "list.response.providers.id", False),
        ],
    )
    def test_pointers(self, pattern: str, pointer: str, matches: bool) -> None:
        assert pointer_matches(pattern, pointer) is matches


class TestLoading:
    ENTRY = (
        "{id: A-1, level: core, operation: show, statement: is, source: here, reading: [], since: 1.0.0, covers: []}"
    )

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("- not a mapping", "not a mapping"),
            ("requirements: [", "requirements.yaml"),
            ("version: 1.0.0", "requirements"),
            (f"requirements: [{ENTRY}]", "version"),
            (f"version: 1.0.0\nrequirements: [{ENTRY}, {ENTRY}]", "more than one of A-1"),
            (f"version: 1.0.0\nrequirements: [{ENTRY.replace('core', 'bronze')}]", "bronze"),
            (f"version: 1.0.0\nrequirements: [{ENTRY.replace('show', 'rename')}]", "rename"),
            (f"version: 1.0.0\nrequirements: [{ENTRY.replace('source: here, ', '')}]", "source"),
            (f"version: 1.0.0\nrequirements: [{ENTRY.replace('source', 'origin')}]", "origin"),
        ],
    )
    def test_a_malformed_catalogue_is_refused(self, content: str, complaint: str) -> None:
        with pytest.raises(ContractFormatError, match=complaint):
            parse_catalogue(content.encode())

    def test_the_packaged_copy_goes_before_the_checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        packaged = tmp_path / "openapi"
        packaged.mkdir()
        (packaged / CATALOGUE_FILE).write_text("version: 9.9.9\nrequirements: []\n", encoding="utf-8")
        monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
        assert load_catalogue.__wrapped__().version == "9.9.9"
        assert load_contract.__wrapped__().version == "1.0.0"  # not packaged here, so from the checkout

    def test_absent_files_are_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contract_module, "_folders", lambda: (tmp_path,))
        with pytest.raises(ContractNotFoundError, match=CONTRACT_FILE):
            load_contract.__wrapped__()

    def test_files_are_read_once(self) -> None:
        assert load_contract() is load_contract()
        assert load_catalogue() is load_catalogue()


def _definition(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow the reference that a self-contained schema of a body consists of."""
    found: dict[str, Any] = schema["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return found
