"""Starts and stops the reference implementation: in a process of its own, in a thread, or in the foreground."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from provider_conformance.reference.messages import MEMORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    import uvicorn

    from provider_conformance.reference.service import Reference

LOCALHOST = "127.0.0.1"
PATIENCE = 30.0
"""Seconds that a server may take to start; far more than it needs, for machines under load."""


class ServerStartError(RuntimeError):
    """The reference implementation did not start."""


def new_token() -> str:
    """Return a random token of the documented length (D2)."""
    return secrets.token_hex(32)


class Server:
    """The reference implementation, or one with faults, in a process of its own while a `with` block lasts."""

    def __init__(
        self,
        *,
        faults: Sequence[str] = (),
        token: str | None = None,
        database: str = MEMORY,
        host: str = LOCALHOST,
        port: int = 0,
    ) -> None:
        self.token = token or new_token()
        self.base_url = ""
        self._arguments = ["--host", host, "--port", str(port), "--database", database, "--exit-with-parent"]
        for fault in faults:
            self._arguments += ["--fault", fault]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start the process and wait until it listens."""
        # -P: a uvicorn.py in the user's working directory is not the one that is meant.
        command = [sys.executable, "-P", "-m", "provider_conformance.reference", *self._arguments]
        search_path = [str(Path(entry).resolve()) for entry in sys.path if entry]
        # The environment, not the command line: every user of a machine can read the latter.
        environment = os.environ | {"PROVIDER_TOKEN": self.token, "PYTHONPATH": os.pathsep.join(search_path)}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment,
                text=True,
                # Ctrl-C must not reach it: whoever uses the server still has to clean up with its help.
                start_new_session=True,
            )
            try:
                self.base_url = self._await_line()
            except BaseException as error:
                self.stop()
                complaints.seek(0)
                if isinstance(error, ValueError):
                    raise ServerStartError(f"the server did not start: {complaints.read()[-2000:]}") from None
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the process, whatever happened."""
        self.stop()

    @property
    def process_id(self) -> int:
        """The id of the running process."""
        if self._process is None:
            raise ServerStartError("the server is not running")
        return self._process.pid

    def stop(self) -> None:
        """End the process and reap it; stopping twice is no error."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _await_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        # Reading has no time limit of its own; killing the process ends it.
        alarm = threading.Timer(PATIENCE, self._process.kill)
        alarm.start()
        try:
            announcement = json.loads(self._process.stdout.readline())
        finally:
            alarm.cancel()
        return str(announcement["base_url"])


class ThreadServer:
    """The reference implementation, or an override of it, in a thread of this process while a `with` block lasts."""

    def __init__(self, reference: Reference, *, host: str = LOCALHOST, port: int = 0) -> None:
        self.reference = reference
        self.token = reference.token.decode("utf-8")
        self._socket = _listen(host, port)
        self.base_url = _base_url(self._socket)
        self._ready = threading.Event()
        self._server = _uvicorn(reference, self._ready.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="reference", daemon=True
        )

    def __enter__(self) -> Self:
        """Start the thread and wait until it serves."""
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise ServerStartError("the server did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the thread and close the store."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()
        self.reference.store.close()


def build(token: str, database: str = MEMORY, faults: Sequence[str] = ()) -> Reference:
    """Return a reference implementation with an open store, and with the faults of these ids."""
    from provider_conformance.reference.service import Reference  # noqa: PLC0415 - imported by those who serve
    from provider_conformance.reference.store import Store  # noqa: PLC0415

    if not faults:
        return Reference(Store(database), token)
    from provider_conformance.faults.catalogue import combined  # noqa: PLC0415

    return combined(faults)(Store(database), token)


def run(reference: Reference, host: str, port: int, announce: Any) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `announce` is called with the base URL once it listens."""
    listening = _listen(host, port)
    server = _uvicorn(reference, lambda: announce(_base_url(listening)))
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    finally:
        listening.close()
        reference.store.close()


def serve(host: str, port: int, token: str | None, database: str, output: TextIO | None = None) -> None:
    """Serve for client developers until Ctrl-C, after printing what they need to make a first request."""
    secret = token or new_token()
    output = output or sys.stdout

    def announce(base_url: str) -> None:
        print(f"base URL  {base_url}", file=output)
        print(f"token     {secret}", file=output)
        print(
            f"try       curl -H 'access_token: {secret}' '{base_url}/list?pagination=1&pagesize=10'",
            file=output,
        )
        print("Ctrl-C ends it.", file=output, flush=True)

    run(build(secret, database), host, port, announce)


def _listen(host: str, port: int) -> socket.socket:
    """Return a bound socket; bound here, so that a free port is known before anything is served on it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol spelt out: asyncio looks at it before it switches off Nagle's algorithm, which would otherwise
    # hold back every answer for 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except BaseException:
        listening.close()
        raise
    return listening


def _base_url(listening: socket.socket) -> str:
    from provider_conformance.reference.app import BASE_PATH  # noqa: PLC0415 - imported by those who serve

    host, port = listening.getsockname()[:2]
    # An address that stands for all of this machine's is none to connect to.
    host = {"0.0.0.0": LOCALHOST, "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}{BASE_PATH}" if ":" in host else f"http://{host}:{port}{BASE_PATH}"


def _uvicorn(reference: Reference, started: Any) -> uvicorn.Server:
    import uvicorn  # noqa: PLC0415 - imported by those who serve

    from provider_conformance.reference.app import application  # noqa: PLC0415

    class AnnouncingServer(uvicorn.Server):
        """Tells when it listens."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

    return AnnouncingServer(
        uvicorn.Config(
            application(reference),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            # A connection that a client keeps for its next request must not vanish under it (HTTP-2).
            timeout_keep_alive=300,
            timeout_graceful_shutdown=1,
        )
    )
