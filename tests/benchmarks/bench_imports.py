"""How long a program waits for the models when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.results import Benchmark, Row

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 20
IMPORTS = Benchmark(
    title="Import the models",
    about="Each time in a new process, with compiled files in place; the start of Python is not counted."
    " `import pydantic` alone loads little, since the rest comes with the first name that is used.",
    packages=("pydantic", "pydantic-core"),
)
STATEMENTS = ("import pydantic", "from pydantic import BaseModel", "import provider_models")


def seconds(statement: str) -> float:
    """Run one import statement in a new process and give the processor time that it took."""
    program = f"import time; start = time.process_time(); {statement}; print(time.process_time() - start)"
    # Otherwise modules might be compiled anew each time, which takes longer than all the rest.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return float(run.stdout)


def test_imports(contribute: Callable[[Row], None]) -> None:
    """They take turns, so that what else the machine does falls on all of them."""
    for statement in STATEMENTS:
        seconds(statement)  # compiles what is not compiled yet
    rounds = [[seconds(statement) for statement in STATEMENTS] for _ in range(ROUNDS)]
    for statement, times in zip(STATEMENTS, zip(*rounds, strict=True), strict=True):
        assert min(times) > 0
        contribute(Row(IMPORTS, f"`{statement}`", times))
