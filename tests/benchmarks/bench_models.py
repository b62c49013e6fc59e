"""How long a list of 10,000 providers takes from JSON text to objects that are known to be valid."""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from pydantic import ValidationError

from benchmarks.results import Benchmark, Row
from provider_conformance.contract import load_contract
from provider_conformance.models import generate, recipe
from provider_models import ProviderList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

pytestmark = pytest.mark.benchmark(timer=time.process_time)

PROVIDERS = 10_000
LIST = Benchmark(
    title=f"Read a list of {PROVIDERS:,} providers",
    about="One answer of list with every documented property of each provider, from JSON text to objects."
    " `provider_models` are the models of this package; the `msgspec.Struct` is generated from the same contract by the"
    " same generator, and does less: it drops undocumented properties. `json.loads` validates nothing."
    " Objects by the ten thousand make Python's garbage collector look for cycles, so it is shown what pausing it saves"
    " (`gc.disable()`).",
    packages=("pydantic", "pydantic-core", "msgspec", "datamodel-code-generator"),
)


def answer(**changes: Any) -> bytes:
    """Give the text of an answer; `changes` are made to the last provider only."""
    examples = load_contract().document["components"]["examples"]
    shown = examples["ShownRegisteringTrunk"]["value"]
    providers = [shown | {"id": number, "name": f"Provider {number}"} for number in range(PROVIDERS)]
    providers[-1] |= changes
    whole = examples["ListedInDefaultOrder"]["value"] | {"providers": providers, "count": PROVIDERS}
    return json.dumps(whole).encode()


@pytest.fixture(scope="module")
def struct(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The Struct of a list of providers, generated anew."""
    folder = tmp_path_factory.mktemp("structs")
    generate(folder / "provider_structs", recipe("msgspec"))
    sys.path.insert(0, str(folder))
    return importlib.import_module("provider_structs").ProviderList


@pytest.fixture(params=["", ", collector paused"], ids=["collecting", "paused"])
def remark(request: pytest.FixtureRequest) -> Iterator[str]:
    """What to say of the garbage collector, which runs or is paused accordingly."""
    gc.collect()
    gc.freeze()  # what pytest has loaded is no part of the work, and would be gone through again and again
    if request.param:
        gc.disable()
    yield request.param
    gc.enable()
    gc.unfreeze()


def measured(benchmark: BenchmarkFixture, subject: str, read: Callable[[bytes], Any]) -> tuple[Any, Row]:
    """Read the answer again and again; give what was read, and the times."""
    # The package says that it is typed, and in part it is.
    found = benchmark.pedantic(read, args=(answer(),), rounds=30, warmup_rounds=3)  # type: ignore[no-untyped-call]
    assert benchmark.stats is not None
    return found, Row(LIST, subject, tuple(benchmark.stats.stats.data))


def test_json(benchmark: BenchmarkFixture, contribute: Callable[[Row], None], remark: str) -> None:
    found, row = measured(benchmark, f"`json.loads`{remark}", json.loads)
    assert len(found["providers"]) == PROVIDERS
    contribute(row)


def test_msgspec(benchmark: BenchmarkFixture, contribute: Callable[[Row], None], remark: str, struct: Any) -> None:
    decoder = msgspec.json.Decoder(struct)
    found, row = measured(benchmark, f"`msgspec.Struct`{remark}", decoder.decode)
    assert found.providers[-1].name == f"Provider {PROVIDERS - 1}"
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(answer(port="5060"))
    contribute(row)


def test_provider_models(benchmark: BenchmarkFixture, contribute: Callable[[Row], None], remark: str) -> None:
    found, row = measured(benchmark, f"`provider_models`{remark}", ProviderList.model_validate_json)
    assert found.providers[-1].name == f"Provider {PROVIDERS - 1}"
    with pytest.raises(ValidationError):
        ProviderList.model_validate_json(answer(port="5060"))
    contribute(row)
