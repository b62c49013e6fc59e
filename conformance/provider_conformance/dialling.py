"""Opens connections within the time of an exchange: to the target itself, or through a proxy, with or without TLS."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import TYPE_CHECKING

from provider_conformance.exchange import Headers, TransportProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider_conformance.route import Address, Proxy, Route

GLANCE = 0.25
"""Seconds after which a wait for an answer looks whether the run was interrupted meanwhile."""


class TransportError(Exception):
    """A request got no complete HTTP answer."""

    def __init__(self, problem: TransportProblem, detail: str = "") -> None:
        super().__init__(f"{problem}: {detail}" if detail else str(problem))
        self.problem = problem
        self.detail = detail


class Deadline:
    """The end of one exchange's time, from connecting to the last byte of the answer."""

    def __init__(self, seconds: float, glance: Callable[[], None]) -> None:
        self.seconds = seconds
        self.glance = glance
        self.renew()

    def renew(self) -> None:
        """Begin anew."""
        self._end = time.monotonic() + self.seconds

    @property
    def is_over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self._end

    @property
    def until_a_glance(self) -> float:
        """How long the next wait may last, in seconds, until somebody looks whether the run was interrupted."""
        return min(max(0.0, self._end - time.monotonic()), GLANCE)

    def left(self) -> float:
        """Return the seconds that are left; raises TransportError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TransportError(TransportProblem.TIMED_OUT, f"no complete answer within {self.seconds:g} s")
        return left

    def slice(self) -> float:
        """Return how long the next wait may last until somebody looks whether the run was interrupted."""
        self.glance()
        return min(self.left(), GLANCE)


class BoundedReader(io.RawIOBase):
    """Reads a socket so that the whole answer, not each of its bytes, is bounded in time."""

    def __init__(self, sock: socket.socket, deadline: Deadline, buffer: int = 65536) -> None:
        self._sock = sock
        self._buffer = buffer
        self._deadline = deadline
        self.received = 0

    def readable(self) -> bool:
        """Say that this can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read what is there, or wait for it until the deadline."""
        while True:
            self._sock.settimeout(self._deadline.slice())
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self.received += count
            return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Pose as the socket that http.client reads from."""
        return io.BufferedReader(self, self._buffer)


def connected(route: Route, deadline: Deadline) -> socket.socket:
    """Open a connection that speaks to the target; raises TransportError."""
    proxy = route.proxy
    host, port = (proxy.host, proxy.port) if proxy else (route.address.host, route.address.port)
    deadline.slice()
    try:
        sock = _dialled(host, port, deadline)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if route.tls is None:
            return sock
        try:
            if proxy is not None:
                _tunnel(sock, route.address, proxy, deadline)
            sock.settimeout(deadline.left())
            return route.tls.wrap_socket(sock, server_hostname=route.address.host)
        except BaseException:
            sock.close()
            raise
    except TimeoutError as error:
        raise TransportError(TransportProblem.UNREACHABLE, f"no connection within {deadline.seconds:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise TransportError(TransportProblem.UNREACHABLE, f"{UNTRUSTED}: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise TransportError(TransportProblem.UNREACHABLE, f"TLS: {error.reason or first_line(error)}") from error
    except OSError as error:
        what = "the proxy: " if proxy else ""
        raise TransportError(
            TransportProblem.UNREACHABLE, what + (error.strerror or first_line(error)).lower()
        ) from error


UNTRUSTED = "its certificate is not trusted"
"""How the detail of an exchange begins that TLS did not let through."""


def authorization(proxy: Proxy | None) -> Headers:
    """Return the header that a proxy asks for, if any."""
    return (("Proxy-Authorization", proxy.authorization),) if proxy and proxy.authorization else ()


def _dialled(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address of a name that answers, all of them within the deadline."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.left())
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure or OSError(f"{host} has no address")


def _tunnel(sock: socket.socket, address: Address, proxy: Proxy, deadline: Deadline) -> None:
    """Have a proxy connect through to the target (RFC 9110, section 9.3.6)."""
    where = address.host_and_port
    headers = (("Host", where), *authorization(proxy))
    lines = [f"CONNECT {where} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    sock.settimeout(deadline.left())
    sock.sendall("\r\n".join(lines).encode("latin-1"))
    # Read byte by byte: what follows the head is TLS already.
    answer = http.client.HTTPResponse(BoundedReader(sock, deadline, buffer=1), method="CONNECT")  # type: ignore[arg-type]
    try:
        answer.begin()
    except (http.client.HTTPException, ValueError) as error:
        raise TransportError(TransportProblem.UNREACHABLE, f"the proxy does not answer in HTTP: {error}") from error
    if answer.status != http.HTTPStatus.OK:
        told = f"the proxy answers CONNECT with {answer.status} {answer.reason}"
        raise TransportError(TransportProblem.UNREACHABLE, told)


def first_line(error: BaseException) -> str:
    """Return what an error says, shortened to a line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
