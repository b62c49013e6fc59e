"""Serves the reference implementation, or faults of it, for programs: `python -m provider_conformance.reference`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import threading

from provider_conformance.reference.messages import MEMORY
from provider_conformance.reference.server import LOCALHOST, build, new_token, run


def main() -> None:
    """Parse the command line, serve, and print one line of JSON as soon as requests are taken."""
    parser = argparse.ArgumentParser(prog="python -m provider_conformance.reference", description=__doc__)
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", help="default: the environment variable PROVIDER_TOKEN, else a random one")
    parser.add_argument("--database", default=MEMORY, help="SQLAlchemy URL")
    parser.add_argument("--fault", metavar="ID", action="append", default=[], help="have this fault; repeatable")
    parser.add_argument("--exit-with-parent", action="store_true", help="exit when standard input ends")
    options = parser.parse_args()
    token = options.token or os.environ.get("PROVIDER_TOKEN") or new_token()

    def announce(base_url: str) -> None:
        gc.freeze()
        gc.enable()
        print(json.dumps({"base_url": base_url, "token": token}), flush=True)

    if options.exit_with_parent:
        threading.Thread(target=_exit_at_end_of_input, daemon=True).start()
    gc.disable()  # nothing that is imported becomes garbage: a tenth of the time to start
    run(build(token, options.database, options.fault), options.host, options.port, announce)


def _exit_at_end_of_input() -> None:
    """End this process when whoever started it is gone, even if it was killed."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
