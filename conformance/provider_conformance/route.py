"""The way to the implementation under test: its address, a proxy before it, and what TLS needs."""

from __future__ import annotations

import base64
import ssl
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from provider_conformance.config import UsageError

if TYPE_CHECKING:
    from provider_conformance.config import Config

PROXY_PORT = 8080


@dataclass(frozen=True)
class Address:
    """Where the implementation under test listens; `base_path` has no trailing slash."""

    secure: bool
    host: str
    port: int
    base_path: str

    @classmethod
    def of(cls, base_url: str) -> Address:
        """Take a validated base URL apart."""
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        assert parts.hostname is not None
        return cls(secure, parts.hostname, parts.port or (443 if secure else 80), parts.path.rstrip("/"))

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The beginning of every URL of the target, as a proxy is asked for it."""
        return f"{'https' if self.secure else 'http'}://{self.host_header}"

    @property
    def host_and_port(self) -> str:
        """What a proxy is asked to connect to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy; `authorization` is the value of the header Proxy-Authorization, if it wants one."""

    host: str
    port: int
    authorization: str | None = None

    @classmethod
    def of(cls, url: str) -> Proxy:
        """Take the URL of a proxy apart; raises UsageError, which never shows the password in it."""
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            host, port = parts.hostname, parts.port or PROXY_PORT
        except ValueError as error:
            raise UsageError(f"the proxy is no URL such as http://proxy.example:3128: {error}") from error
        if parts.scheme != "http" or not host:
            raise UsageError("the proxy must be an HTTP proxy with a URL such as http://proxy.example:3128")
        if parts.username is None:
            return cls(host, port)
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        return cls(host, port, "Basic " + base64.b64encode(credentials).decode())


@dataclass(frozen=True)
class Route:
    """How the target is reached."""

    address: Address
    proxy: Proxy | None = None
    tls: ssl.SSLContext | None = None

    @property
    def asks_proxy(self) -> bool:
        """Whether a proxy is asked for each request, and does not see through to the target as with TLS."""
        return self.proxy is not None and self.tls is None


def route_of(config: Config) -> Route:
    """Find the way to the target of a run; raises UsageError when a certificate or a proxy cannot be used."""
    assert config.base_url is not None
    address = Address.of(config.base_url)
    proxy = config.proxy if config.proxy is not None else _proxy_of_environment(address)
    return Route(address, Proxy.of(proxy) if proxy else None, _tls(config) if address.secure else None)


def _proxy_of_environment(address: Address) -> str | None:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for an address, in either letter case."""
    if urllib.request.proxy_bypass(address.host_and_port):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("https" if address.secure else "http") or proxies.get("all")


def _tls(config: Config) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.cacert)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"--cacert {config.cacert} holds no certificates in PEM: {_reason(error)}") from error
    if config.cert is not None:
        try:
            context.load_cert_chain(config.cert, config.key, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise UsageError(
                f"--cert {config.cert} does not work: {_reason(error)}; it takes a certificate in PEM, "
                "with its key in the same file or in the one of --key, and without a passphrase"
            ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key asks for a passphrase")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
