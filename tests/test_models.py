"""The generated models: that they are up to date, and that they accept exactly what the contract means."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import MISSING, BaseModel, ValidationError

import provider_models
from provider_conformance.contract import load_contract
from provider_models import (
    AuthMode,
    ListedProvider,
    Protocol,
    Provider,
    ProviderCreate,
    ProviderCreated,
    ProviderDestroy,
    ProviderList,
    ProviderStatus,
    ProviderUpdate,
    SortBy,
)

# The tools are scripts, not a package that could be installed.
REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))
import generate_models  # noqa: E402

if TYPE_CHECKING:
    from enum import StrEnum

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        ListedProvider,
        Provider,
        ProviderCreate,
        ProviderCreated,
        ProviderDestroy,
        ProviderList,
        ProviderUpdate,
    )
}
ENUMS: dict[str, type[StrEnum]] = {enum.__name__: enum for enum in (AuthMode, Protocol, ProviderStatus, SortBy)}
REQUESTS: list[type[BaseModel]] = [ProviderCreate, ProviderUpdate, ProviderDestroy]

DOCUMENT = load_contract().document
EXAMPLES: dict[str, Any] = {name: example["value"] for name, example in DOCUMENT["components"]["examples"].items()}
EXAMPLE_OF: dict[type[BaseModel], Any] = {
    ProviderCreate: EXAMPLES["CreatePeeringTrunk"],
    ProviderCreated: EXAMPLES["CreatedPeeringTrunk"],
    Provider: EXAMPLES["ShownPeeringTrunk"],
    ListedProvider: EXAMPLES["ListedInDefaultOrder"]["providers"][1],
    ProviderList: EXAMPLES["ListedInDefaultOrder"],
    ProviderUpdate: EXAMPLES["UpdatePeeringTrunk"],
    ProviderDestroy: EXAMPLES["DestroyPeeringTrunk"],
}
LIST_WITHOUT_PROVIDERS = {
    "sort_by": "DEFAULT",
    "page_count": 8,
    "pagesize": 10,
    "pagination": 8,
    "count": 100,
}

TEXTS = ["name", "hostname", "outbound_server", "auth_id", "password"]
NUMBERS = ["port", "outbound_server_port", "reregister_interval"]
BOOLEANS = ["require_register", "provider_in_lan", "single_via_header"]
ARRAYS = ["ips"]
CHOICES = ["auth_mode", "protocol", "status"]

# A value, and of which kinds of property it is a legal value.
VALUES: list[tuple[object, set[str]]] = [
    ("", {"text"}),
    ("5060", {"text"}),
    ("true", {"text"}),
    ("x" * 10_000, {"text"}),
    ("Zoë \U0001f4de", {"text"}),
    (5060, {"number"}),
    (0, {"number"}),
    (1, {"number"}),
    (-1, {"number"}),
    (2**80, {"number"}),
    (5060.5, set()),
    (True, {"boolean"}),
    (False, {"boolean"}),
    (None, set()),
    ({}, set()),
    ([], {"array"}),
    (["192.0.2.1"], {"array"}),
    ([1, None, {"nested": []}], {"array"}),
    ("ip_auth", {"text"}),
    ("IP_AUTH ", {"text"}),
]
KINDS = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(BOOLEANS, "boolean"),
    **dict.fromkeys(ARRAYS, "array"),
    **dict.fromkeys(CHOICES, "choice"),
}


def accepts(model: type[BaseModel], value: object) -> bool:
    """Tell whether a model takes a value that arrived as JSON, as every value of this API does."""
    try:
        model.model_validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


class TestGeneration:
    def test_the_models_are_up_to_date(self) -> None:
        assert generate_models.main(["--check"]) == 0, "run `nox -s generate`"


class TestThePackage:
    def test_it_exports_every_object_and_enum_of_the_contract(self) -> None:
        expected = {
            name
            for name, schema in DOCUMENT["components"]["schemas"].items()
            if schema["type"] == "object" or "enum" in schema
        }
        assert set(provider_models.__all__) == expected == MODELS.keys() | ENUMS.keys()

    def test_it_tells_type_checkers_to_trust_it(self) -> None:
        assert (Path(provider_models.__file__).parent / "py.typed").is_file()

    def test_it_needs_nothing_but_pydantic(self) -> None:
        """What importing it loads beyond the standard library is what pydantic loads anyway."""
        loaded = "import sys; print(' '.join(sorted({m.partition('.')[0] for m in sys.modules})))"
        generated = str(Path(provider_models.__file__).parent.parent)

        def modules(statement: str) -> set[str]:
            command = [sys.executable, "-W", "error", "-c", f"import {statement}; {loaded}"]
            run = subprocess.run(command, env={"PYTHONPATH": generated}, capture_output=True, text=True, check=True)
            return set(run.stdout.split())

        everything_of_pydantic = modules("pydantic; import pydantic.main, pydantic.fields")
        new = modules("provider_models") - everything_of_pydantic - set(sys.stdlib_module_names)
        assert new == {"provider_models"}

    @pytest.mark.parametrize("name", ENUMS)
    def test_enums_have_the_values_of_the_contract(self, name: str) -> None:
        assert [value.value for value in ENUMS[name]] == DOCUMENT["components"]["schemas"][name]["enum"]

    @pytest.mark.parametrize("model", MODELS.values())
    def test_properties_are_required_where_the_contract_requires_them(self, model: type[BaseModel]) -> None:
        schema = DOCUMENT["components"]["schemas"][model.__name__]
        assert list(model.model_fields) == list(schema["properties"])
        required = {name for name, field in model.model_fields.items() if field.is_required()}
        assert required == set(schema["required"])

    @pytest.mark.parametrize("model", MODELS.values())
    def test_descriptions_arrive(self, model: type[BaseModel]) -> None:
        assert model.__doc__
        for name, schema in model.model_json_schema()["properties"].items():
            assert "description" in schema or "$ref" in schema, name


class TestExamples:
    def bodies(self) -> list[tuple[str, Any, type[BaseModel]]]:
        found = []
        for path, item in DOCUMENT["paths"].items():
            (operation,) = item.values()
            contents = [operation.get("requestBody", {}), operation["responses"]["200"]]
            for media_type in (part["content"].get("application/json") for part in contents if "content" in part):
                if media_type is not None:
                    model = MODELS[media_type["schema"]["$ref"].rpartition("/")[2]]
                    for key, example in media_type["examples"].items():
                        value = EXAMPLES[example["$ref"].rpartition("/")[2]]
                        found.append((f"{path} {model.__name__} {key}", value, model))
        return found

    def test_every_example_parses_and_comes_back(self) -> None:
        assert len(self.bodies()) == 12
        for where, value, model in self.bodies():
            parsed = model.model_validate_json(json.dumps(value))
            assert json.loads(parsed.model_dump_json()) == value, where
            assert model.model_validate_json(parsed.model_dump_json()) == parsed, where
            assert model.model_validate(value) == parsed, where


class TestStrictness:
    @pytest.mark.parametrize(("value", "legal_for"), VALUES, ids=lambda value: repr(value)[:24])
    @pytest.mark.parametrize("name", KINDS)
    @pytest.mark.parametrize("model", [ProviderCreate, ProviderUpdate, Provider, ListedProvider])
    def test_a_property_takes_its_own_type_only(
        self, model: type[BaseModel], name: str, value: object, legal_for: set[str]
    ) -> None:
        body = EXAMPLE_OF[model] | {name: value}
        assert accepts(model, body) is (KINDS[name] in legal_for)

        schema = {"$ref": f"#/components/schemas/{model.__name__}", "components": DOCUMENT["components"]}
        assert accepts(model, body) is Draft202012Validator(schema).is_valid(body)

    @pytest.mark.parametrize("name", ["in_parameters", "out_parameters"])
    @pytest.mark.parametrize(
        ("value", "legal"), [([], True), ([{"any": "thing"}], True), ({}, False), (None, False), ("", False)]
    )
    def test_the_parameters_of_an_update_are_arrays(self, name: str, value: object, legal: bool) -> None:
        assert accepts(ProviderUpdate, EXAMPLE_OF[ProviderUpdate] | {name: value}) is legal

    @pytest.mark.parametrize(
        ("name", "enum"), [("auth_mode", AuthMode), ("protocol", Protocol), ("status", ProviderStatus)]
    )
    def test_every_documented_value_is_taken(self, name: str, enum: type[StrEnum]) -> None:
        for value in enum:
            body = EXAMPLE_OF[ProviderCreate] | {name: value.value}
            parsed = ProviderCreate.model_validate_json(json.dumps(body))
            assert getattr(parsed, name) is value

    @pytest.mark.parametrize("model", [m for m in MODELS.values() if "id" in m.model_fields])
    @pytest.mark.parametrize(
        ("value", "legal"),
        [
            (1234, True),
            (0, True),
            (-1, True),
            (2**53 + 1, True),
            (2**63 - 1, True),
            (-(2**63), True),
            (2**63, False),
            (-(2**63) - 1, False),
            (1.5, False),
            ("1234", False),
            (True, False),
            (None, False),
            ([1234], False),
        ],
    )
    def test_an_id_is_an_int64(self, model: type[BaseModel], value: object, legal: bool) -> None:
        assert accepts(model, EXAMPLE_OF[model] | {"id": value}) is legal

    def test_a_whole_number_with_a_fraction_is_refused(self) -> None:
        """D17 leaves 5.0 for an integer open; the models choose to refuse it, unlike a JSON Schema."""
        assert not accepts(ProviderDestroy, {"id": 5.0})

    @pytest.mark.parametrize(("model", "name"), [(model, name) for model in REQUESTS for name in model.model_fields])
    def test_requests_lack_nothing(self, model: type[BaseModel], name: str) -> None:
        body = {key: value for key, value in EXAMPLE_OF[model].items() if key != name}
        assert not accepts(model, body)

    @pytest.mark.parametrize("model", MODELS.values())
    def test_bodies_are_objects(self, model: type[BaseModel]) -> None:
        for value in (None, [], [EXAMPLE_OF[model]], "{}", 1, True):
            assert not accepts(model, value)


class TestWhatMayBeAbsent:
    @pytest.mark.parametrize("model", [Provider, ListedProvider])
    def test_a_provider_needs_its_id_only(self, model: type[BaseModel]) -> None:
        parsed = model.model_validate_json('{"id": 1}')
        assert json.loads(parsed.model_dump_json()) == {"id": 1}
        assert not accepts(model, {})

    def test_absent_is_not_null(self) -> None:
        parsed = Provider(id=1)
        assert parsed.password is MISSING
        assert "password" not in parsed.model_dump()
        assert not accepts(Provider, {"id": 1, "password": None})

    def test_the_documented_list_without_providers_parses(self) -> None:
        parsed = ProviderList.model_validate_json(json.dumps(LIST_WITHOUT_PROVIDERS))
        assert parsed.providers is MISSING
        assert parsed.count == 100

    @pytest.mark.parametrize("name", LIST_WITHOUT_PROVIDERS)
    def test_a_list_has_its_paging_fields(self, name: str) -> None:
        body = {key: value for key, value in LIST_WITHOUT_PROVIDERS.items() if key != name}
        assert not accepts(ProviderList, body)

    def test_every_listed_provider_has_an_id(self) -> None:
        assert accepts(ProviderList, LIST_WITHOUT_PROVIDERS | {"providers": [{"id": 1}]})
        assert not accepts(ProviderList, LIST_WITHOUT_PROVIDERS | {"providers": [{"name": "Example"}]})

    @pytest.mark.parametrize("model", MODELS.values())
    def test_undocumented_properties_are_kept(self, model: type[BaseModel]) -> None:
        body = EXAMPLE_OF[model] | {"vendor_extension": {"deep": [1, None]}}
        parsed = model.model_validate_json(json.dumps(body))
        assert json.loads(parsed.model_dump_json()) == body
