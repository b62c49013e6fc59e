"""Runs the command, and ends it when whoever started it is gone: `python -m provider_conformance.fleet.guarded …`.

A run that is left alone would go on, while somebody else begins the same one anew. When standard input ends, this asks
its own process to end as Ctrl-C does, so that the run destroys what it has created.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

from provider_conformance.__main__ import main


def _end_with_parent(signals: int) -> None:
    # Not through sys.stdin: a thread that waits in it cannot be left alone when Python ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    # Whoever ended all processes at once has asked this one, too: asked twice, a run ends without cleaning up.
    if not select.select([signals], [], [], 0)[0]:
        os.kill(os.getpid(), signal.SIGTERM)


def _told_of_signals() -> int:
    """Return the end of a pipe where each signal that arrives leaves a byte."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    return read


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, args=(_told_of_signals(),), daemon=True).start()
    main()
