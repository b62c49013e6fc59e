"""A reference implementation whose process is killed by a request, each time or only the first time."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from command import TOKEN
from provider_conformance.reference.messages import Request
from provider_conformance.reference.server import LOCALHOST, run
from provider_conformance.reference.service import LARGEST_BODY, Reference
from provider_conformance.reference.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider_conformance.reference.messages import Answer, RefusedError

DEADLY: Mapping[str, Callable[[Request], bool]] = {
    "create with NUL": lambda request: request.operation == "create" and rb"\u0000" in request.body,
    "update with NUL": lambda request: request.operation == "update" and rb"\u0000" in request.body,
    "100,000 levels": lambda request: request.body.count(b"[") >= 100_000,
    "over a megabyte": lambda request: len(request.body) > LARGEST_BODY,
}
"""Requests that a server may break down over."""

TOO_LARGE = Request("POST", "create", body=b"x" * (LARGEST_BODY + 1))
"""What a request looks like that is refused for its length."""


class Crashes(Reference):
    """Is killed by what is deadly; where there is a file of that name, it has been, and is not again."""

    def __init__(self, store: Store, deadly: str, once: Path | None) -> None:
        super().__init__(store, TOKEN)
        self._deadly = DEADLY[deadly]
        self._once = once

    def answer(self, request: Request) -> Answer:
        """Answer a request, unless it is deadly."""
        if self._deadly(request):
            self._die()
        return super().answer(request)

    def refusal(self, refused: RefusedError) -> Answer:
        """Word a refusal, unless it is one of a body that is deadly and not even read for its length."""
        if refused.status == 413 and self._deadly(TOO_LARGE):
            self._die()
        return super().refusal(refused)

    def _die(self) -> None:
        if self._once is None or not self._once.exists():
            if self._once is not None:
                self._once.touch()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    port, database, deadly, *once = sys.argv[1:]
    service = Crashes(Store(database), deadly, Path(once[0]) if once else None)
    run(service, LOCALHOST, int(port), lambda base_url: print(base_url, flush=True))
