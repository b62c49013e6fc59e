"""The ways to a target: TLS, client certificates, proxies, IPv6, headers; and what is said when one fails."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import trustme

from command import TOKEN, certify, text_of
from provider_conformance.cli import run_command
from provider_conformance.options import PLAUSIBLE, checked, settings_of
from provider_conformance.reference.server import Server, ThreadServer
from provider_conformance.reference.service import Reference
from provider_conformance.reference.store import Store
from provider_conformance.template import TEMPLATE
from provider_conformance.values.narrowing import Plausible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider_conformance.reference.messages import Properties


def smoke(url: str, *options: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `provider-conformance smoke`, by default with no proxy in the environment."""
    return execute("smoke", url, *options, cwd=cwd, **environment)


def execute(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-m", "provider_conformance", *arguments],
        env=inherited | {"PROVIDER_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and files with what it has issued."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def cacert(self) -> str:
        """The file with its own certificate."""
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return str(path)

    def issue(self, *names: str) -> Path:
        """Return a file with a certificate for some names, and its key."""
        path = self.folder / f"{names[0].replace('*', 'any')}.pem"
        self.ca.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(path))
        return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


TLS_SERVER = """
import socket, ssl, sys
import uvicorn
from provider_conformance.reference.app import application
from provider_conformance.reference.server import build

token, certificate, clients = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", 0))
config = uvicorn.Config(
    application(build(token)),
    ssl_certfile=certificate,
    ssl_ca_certs=clients or None,
    ssl_cert_reqs=ssl.CERT_REQUIRED if clients else ssl.CERT_NONE,
    log_config=None,
    lifespan="off",
    ws="none",
)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(config).run(sockets=[listener])
"""


@contextmanager
def over_tls(certificate: Path, clients: str = "") -> Iterator[str]:
    """Serve the reference over TLS; with `clients`, a file of authorities, only to who has a certificate of theirs."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", TLS_SERVER, TOKEN, str(certificate), clients]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"https://localhost:{server.stdout.readline().strip()}/api/providers"
        finally:
            server.kill()


def test_a_certificate_is_trusted_by_its_authority_alone(authority: Authority, tmp_path: Path) -> None:
    with over_tls(authority.issue("localhost")) as url:
        without = smoke(url, cwd=tmp_path)
        assert without.returncode == 3
        assert "its certificate is not trusted" in without.stderr
        assert "--cacert" in without.stderr

        done = smoke(url, "--cacert", authority.cacert, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

        run = execute("run", url, "--cacert", authority.cacert, "--only", "CREATE-2", cwd=tmp_path)
        assert "1        0" in run.stdout, run.stdout


def test_a_certificate_for_another_name_is_named(authority: Authority, tmp_path: Path) -> None:
    with over_tls(authority.issue("elsewhere.example")) as url:
        done = smoke(url, "--cacert", authority.cacert, cwd=tmp_path)
    assert done.returncode == 3
    assert "is for another name" in done.stderr


def test_a_client_certificate_is_shown(authority: Authority, tmp_path: Path) -> None:
    with over_tls(authority.issue("localhost"), clients=authority.cacert) as url:
        trusting = ("--cacert", authority.cacert)
        assert smoke(url, *trusting, cwd=tmp_path).returncode == 3
        done = smoke(url, *trusting, "--cert", str(authority.issue("client.example")), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("option", ["--cacert", "--cert"])
def test_a_file_that_holds_no_certificate_is_named(option: str, tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("nothing")
    done = smoke("https://127.0.0.1:1/", option, str(file), cwd=tmp_path)
    assert done.returncode == 2
    assert f"Error: {option} {file}" in done.stderr


def test_plain_http_is_not_taken_for_tls(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server:
        done = smoke(server.base_url.replace("http://", "https://"), cwd=tmp_path)
    assert done.returncode == 3
    assert "is it http rather than https" in done.stderr


@dataclass
class Forwarder:
    """An HTTP proxy that wants a password, and notes what it is asked for."""

    asked: list[str] = field(default_factory=list)
    authorized: list[bool] = field(default_factory=list)

    def serve(self, client: socket.socket) -> None:
        """Serve one connection: a tunnel, or requests with the whole URL."""
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (received := client.recv(65536)):
                    return
                head += received
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split()
            self.asked.append(f"{method} {target}")
            self.authorized.append(b"Proxy-Authorization: Basic dXNlcjpwdw==" in head)
            where = target if method == "CONNECT" else target.split("/")[2]
            host, _, port = where.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port)), 10) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    # One request a connection: those that follow would have to be rewritten as well.
                    plain = head.replace(f"http://{where}".encode(), b"", 1)
                    server.sendall(plain.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                threading.Thread(target=pipe, args=(client, server), daemon=True).start()
                pipe(server, client)


def pipe(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until one side ends."""
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)


@contextmanager
def proxied() -> Iterator[tuple[Forwarder, str]]:
    forwarder, listener = Forwarder(), socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=forwarder.serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        yield forwarder, f"http://user:pw@127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("way", ["flag", "environment"])
def test_a_proxy_is_asked_for_whole_urls(way: str, tmp_path: Path) -> None:
    with Server(token=TOKEN) as server, proxied() as (forwarder, proxy):
        options, environment = (("--proxy", proxy), {}) if way == "flag" else ((), {"http_proxy": proxy})
        done = smoke(server.base_url, *options, cwd=tmp_path, **environment)
        assert done.returncode == 0, done.stderr
        assert forwarder.asked[0].startswith(f"GET {server.base_url}/list?")
        assert all(forwarder.authorized)


def test_a_proxy_sees_nothing_of_tls(authority: Authority, tmp_path: Path) -> None:
    with over_tls(authority.issue("localhost")) as url, proxied() as (forwarder, proxy):
        done = smoke(url, "--proxy", proxy, "--cacert", authority.cacert, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert forwarder.asked[0] == f"CONNECT {url.split('/')[2]}"
        assert all(forwarder.authorized)


def test_no_proxy_keeps_its_word(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server, proxied() as (forwarder, proxy):
        assert smoke(server.base_url, cwd=tmp_path, http_proxy=proxy, no_proxy="127.0.0.1").returncode == 0
        assert smoke(server.base_url, "--proxy", "", cwd=tmp_path, http_proxy=proxy).returncode == 0
        assert forwarder.asked == []


def test_a_proxy_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    done = smoke("http://127.0.0.1:1/", "--proxy", "http://user:sesame-open@127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 3
    assert "the proxy" in done.stderr
    assert "sesame-open" not in done.stderr
    done = smoke("http://127.0.0.1:1/", "--proxy", "socks5://user:sesame-open@127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 2
    assert "sesame-open" not in done.stderr


@pytest.mark.parametrize("slash", ["", "/"])
def test_ipv6_and_slashes_make_no_difference(slash: str, tmp_path: Path) -> None:
    with Server(token=TOKEN, host="::1") as server:
        assert "[::1]" in server.base_url
        done = smoke(server.base_url + slash, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_headers_of_a_gateway_go_with_every_request_and_are_masked(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server, proxied() as (_, proxy):
        done = execute(
            *("run", server.base_url, "--only", "LIST-5", "--proxy", proxy),
            *("--header", "X-Api-Key: sesame-open-0815", "--header", "X-Tenant: acme"),
            cwd=tmp_path,
        )
    assert done.returncode == 3, done.stdout
    written = "".join(text_of(path) for path in (tmp_path / "provider-conformance-report").iterdir())
    assert "sesame-open-0815" not in written + done.stdout


@pytest.mark.parametrize("header", ["access_token: x", "no colon", "Host: x", "X-Y: \x1b", "X Y: z"])
def test_headers_that_cannot_be_sent_are_refused(header: str, tmp_path: Path) -> None:
    done = smoke("http://127.0.0.1:1/", "--header", header, cwd=tmp_path)
    assert done.returncode == 2
    assert "--header" in done.stderr


# The file


def test_init_writes_a_file_that_changes_nothing(tmp_path: Path) -> None:
    assert execute("init", cwd=tmp_path).returncode == 0
    assert execute("init", cwd=tmp_path).returncode == 2
    assert execute("init", "--force", cwd=tmp_path).returncode == 0
    with Server(token=TOKEN) as server:
        assert smoke(server.base_url, cwd=tmp_path).returncode == 0


def settings_in(template: str) -> dict[str, Any]:
    """Return what a template of a file would set without its marks of comments."""
    return tomllib.loads(re.sub(r"^# (?=[\w-]+ = |\[\w+\]$)", "", template, flags=re.MULTILINE))


def test_the_file_that_init_writes_names_every_setting_and_its_default(tmp_path: Path) -> None:
    known = settings_of(run_command)
    assert {"base-url", "level", "har"} <= known.keys()
    for name in ("authority.pem", "client.pem", "client.key"):
        (tmp_path / name).touch()

    written = settings_in(TEMPLATE)

    assert written.keys() == known.keys() - {"token"} | {PLAUSIBLE}, "the token belongs into no file"
    assert written[PLAUSIBLE].keys() == {one.name for one in fields(Plausible)}
    assert checked(written, run_command, tmp_path).keys() == written.keys()
    defaults = {key: known[key].get_default(click.Context(run_command)) for key in written.keys() & known.keys()}
    told = {key: default for key, default in defaults.items() if isinstance(default, str | int | float | Path)}
    assert {"level", "har", "report-dir", "timeout"} <= told.keys()
    assert {key: written[key] for key in told} == {**told, "report-dir": str(told["report-dir"])}


def test_the_file_holds_options_and_the_command_line_wins(tmp_path: Path) -> None:
    with Server(token=TOKEN) as server:
        (tmp_path / "provider-conformance.toml").write_text(
            f'base-url = "{server.base_url}"\nlevel = "core"\nonly = ["CREATE-1"]\nmax-providers = 3\n'
            '[header]\nX-Tenant = "acme"\n'
            '[plausible]\ndomains = ["sip.acme.example"]\nports = [5060, 5090]\nlongest_text = 30\n'
        )
        done = execute("run", cwd=tmp_path)
        assert f"certifying {server.base_url}" in done.stdout
        assert "level core" in done.stdout
        assert "3 at a time" in done.stdout
        done = execute("run", "--level", "strict", cwd=tmp_path)
        assert "level strict" in done.stdout


class LosesParameters(Reference):
    """Clears in_parameters with an update that changes nothing but the port."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = self.store.get(provider_id) or {}
        changed = [name for name, value in properties.items() if value != before.get(name)]
        return super().apply_update(provider_id, properties | ({"in_parameters": []} if changed == ["port"] else {}))


@pytest.mark.parametrize(("kind", "wrong"), [(Reference, set()), (LosesParameters, {"UPDATE-2"})])
def test_parameters_that_are_plausible_stay(kind: type[Reference], wrong: set[str], tmp_path: Path) -> None:
    settings = (
        'only = ["UPDATE-2"]\n[plausible]\nin_parameters = ["transport=udp"]\nout_parameters = [{ name = "x" }]\n'
    )
    (tmp_path / "provider-conformance.toml").write_text(settings)
    with ThreadServer(kind(Store(), TOKEN)) as server:
        run = certify(tmp_path, server.base_url)
    assert run.ids("fail") == wrong, run.output
    assert run.ids("pass") | wrong == {"UPDATE-2"}, run.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("levle = 'core'", "did you mean level?"),
        ("level = [", "is no TOML"),
        ("level = 'none'", "Invalid value for '--level'"),
        ("[plausible]\nports = [9, 1]", "ports"),
        ("[plausible]\nport = 1", "port"),
        ("[plausible]\nlongest_text = 5", "longest_text"),
        ("plausible = 3", "plausible"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "provider-conformance.toml").write_text(text)
    done = execute("run", "http://127.0.0.1:1/", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
