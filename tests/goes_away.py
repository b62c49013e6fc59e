"""A reference implementation whose process dies when, after many creates, some request of one operation comes."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from command import TOKEN
from provider_conformance.reference.server import LOCALHOST, run
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Request

CREATES = 60
"""How many come before: some of a run's tests have been passed by then."""

WORKERS = 8


class GoesAway(Reference):
    """Is killed by a request of one operation; of creates sent side by side, some are answered before."""

    def __init__(self, store: Store, operation: str) -> None:
        super().__init__(store, TOKEN)
        self._operation = operation
        self._creates = 0

    def answer(self, request: Request) -> Answer:
        """Answer a request, if the time has not come."""
        self._creates += request.operation == "create"
        among_others = self._creates % WORKERS == WORKERS // 2
        if self._creates > CREATES and request.operation == self._operation and among_others:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(request)


if __name__ == "__main__":
    database, operation = sys.argv[1:]
    run(GoesAway(Store(database), operation), LOCALHOST, 0, lambda base_url: print(base_url, flush=True))
