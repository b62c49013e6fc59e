"""Run all consumers, or those that are named, and tell what came of them.

    python -m consumers --folder FOLDER [--page docs/consumers.md] [NAME ...]

Exits with 1 if one failed or none could be run, with 2 if there is none of that name. The page is written by a run of
all only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from consumers import driver
from consumers.clients import CLIENTS
from consumers.servers import SERVERS
from provider_conformance.contract import CONTRACT_FILE

CONSUMERS = (*CLIENTS, *SERVERS)
CONTRACT = Path(__file__).resolve().parents[2] / "openapi" / CONTRACT_FILE


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m consumers", description="Feed the contract to its consumers.")
    parser.add_argument("--folder", type=Path, required=True, help="where they work; one folder each is made anew")
    parser.add_argument("--page", type=Path, help="the page to write, if all are run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(consumer.name for consumer in CONSUMERS))
    options = parser.parse_args()
    try:
        chosen = driver.selected(CONSUMERS, options.names)
    except driver.UnknownConsumerError as error:
        parser.error(str(error))
    results = []
    for result in driver.run(chosen, CONTRACT, options.folder.resolve()):
        print(driver.line(result), flush=True)
        results.append(result)
    if options.page and not options.names:
        options.page.write_text(driver.page(results), "utf-8")
    return driver.exit_code(results)


if __name__ == "__main__":
    sys.exit(main())
