"""Runs the command, and ends it when whoever started it is gone: `python -m provider_conformance.fleet.guarded …`.

A run that is left alone would go on, while somebody else begins the same one anew. When standard input ends, this asks
its own process to end as Ctrl-C does, so that the run destroys what it has created.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from provider_conformance.__main__ import main


def _end_with_parent() -> None:
    # Not through sys.stdin: a thread that waits in it cannot be left alone when Python ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    main()
