"""A reference implementation in a process of its own that counts the requests it is sent, and notes when they came.

`python -m benchmarks.counting` prints its base URL, serves until its standard input ends, and prints what it has seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from command import TOKEN
from provider_conformance.reference import app
from provider_conformance.reference.server import ThreadServer, build

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Counted:
    """A server that runs, and once it has ended how many requests it was sent, and in how many seconds."""

    base_url: str
    requests: int = 0
    seconds: float = 0.0


@contextmanager
def counted() -> Iterator[Counted]:
    """A reference implementation that has served nobody yet."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "benchmarks.counting"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        server = Counted(process.stdout.readline().strip())
        try:
            yield server
        finally:
            server.requests, server.seconds = json.loads(process.communicate()[0])


def main() -> None:
    """Serve, and count."""
    came: list[float] = []
    make = app.application

    def application(reference: Any) -> Any:
        served = make(reference)

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                came.append(time.monotonic())
            await served(scope, receive, send)

        return counting

    app.application = application
    with ThreadServer(build(TOKEN)) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()
    print(json.dumps([len(came), came[-1] - came[0] if came else 0.0]), flush=True)


if __name__ == "__main__":
    main()
