"""Serves a variant: `python -m variants NAME` prints where and with which token, as JSON, and stops when input ends.

Then it prints, as JSON too, what was done to it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading

from variants.catalogue import VARIANTS, find_variant
from variants.service import Service


def main() -> None:
    """Serve the variant that is named on the command line."""
    if len(sys.argv) != 2 or sys.argv[1] not in {variant.name for variant in VARIANTS}:
        sys.exit("usage: python -m variants " + "|".join(variant.name for variant in VARIANTS))
    variant = find_variant(sys.argv[1])
    service = Service(variant.freedoms, variant.token)

    def started(host: str, port: int) -> None:
        print(json.dumps({"url": f"http://{host}:{port}{variant.base_path}", "token": variant.token}), flush=True)

    threading.Thread(target=variant.serve, args=(service, variant.base_path, started), daemon=True).start()
    sys.stdin.read()
    with service.store.lock:
        print(json.dumps(dataclasses.asdict(service.store.audit) | {"left": service.store.left()}), flush=True)
        os._exit(0)


main()
