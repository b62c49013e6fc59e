"""The options that commands which speak to a target have in common, and the file that can hold them."""

from __future__ import annotations

import difflib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from provider_conformance.config import (
    DEFAULT_MAX_PROVIDERS,
    DEFAULT_TIMEOUT,
    DEFAULT_WORKERS,
    MOST_WORKERS,
    Config,
    UsageError,
)
from provider_conformance.contract import Level
from provider_conformance.settings import read_toml
from provider_conformance.values.narrowing import Plausible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")

FILE_NAME = "provider-conformance.toml"
PLAUSIBLE = "plausible"
SETTINGS_VARIABLE = "PROVIDER_CONFORMANCE_SETTINGS"
"""Where a fleet puts the settings of one of its runs, as JSON: headers may be secrets, which belong into no file."""

LARGEST_SEED = 2**64 - 1
SEEDS = click.IntRange(0, LARGEST_SEED)

ELSEWHERE = frozenset({"config"})
"""Options that the file itself cannot hold."""


class Seconds(click.FloatRange):
    """A time in seconds: more than none, and not for ever."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number of seconds; comparisons alone would let NaN and infinity through."""
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


def configured(command: F) -> F:
    """Add --config to a command: what the file says is the default of its options."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_read,
        help=f"A TOML file with options; without it {FILE_NAME} is read, if it is there. `init` writes one.",
    )(command)


def reaching(command: F) -> F:
    """Add the options that say how a target is reached."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    options = (
        click.option(
            "--token",
            metavar="TOKEN",
            help="The access token. Other users of this machine can read it in the process list: "
            "better use --token-file, or the environment variable PROVIDER_TOKEN.",
        ),
        click.option("--token-file", metavar="FILE", help="A file that holds the access token; - is standard input."),
        click.option(
            "--timeout",
            type=Seconds(),
            default=DEFAULT_TIMEOUT,
            show_default=True,
            help="Time that one exchange may take, from connecting to the end of the answer.",
        ),
        click.option("--rate", type=Seconds(), metavar="N", help="Most requests a second.  [default: no limit]"),
        click.option(
            "--workers",
            type=click.IntRange(1, MOST_WORKERS),
            default=DEFAULT_WORKERS,
            show_default=True,
            help="Requests under way at a time, of tests that run side by side: hides the latency of slow targets. "
            "Tests of concurrency overlap some of their own besides.",
        ),
        click.option(
            "--header",
            "headers",
            multiple=True,
            metavar="'NAME: VALUE'",
            help="A header that goes with every request, for what stands in front of the target; can be repeated.",
        ),
        click.option(
            "--cacert", type=file, metavar="FILE", help="Certificates to trust, in PEM, instead of the system's."
        ),
        click.option("--cert", type=file, metavar="FILE", help="A client certificate in PEM, with its key or --key."),
        click.option("--key", type=file, metavar="FILE", help="The key of the client certificate, without passphrase."),
        click.option(
            "--proxy",
            metavar="URL",
            help="An HTTP proxy; empty for none.  [default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def level(what: str) -> Callable[[F], F]:
    """Return the option for a level."""
    choice = click.Choice([one.value for one in Level if one is not Level.ADVICE])
    return click.option("--level", type=choice, default=Level.HARDENED.value, show_default=True, help=what)


def examples(default: int, what: str) -> Callable[[F], F]:
    """Return the option for the effort of what draws values."""
    return click.option("--examples", type=click.IntRange(min=1), default=default, show_default=True, help=what)


def max_time(default: float, what: str) -> Callable[[F], F]:
    """Return the option for the time that all may take."""
    return click.option("--max-time", type=Seconds(), default=default, show_default=True, help=what)


def max_providers(who: str) -> Callable[[F], F]:
    """Return the option for how many providers somebody may hold."""
    what = f"Most providers that the {who} holds at a time."
    default = DEFAULT_MAX_PROVIDERS
    return click.option("--max-providers", type=click.IntRange(min=1), default=default, show_default=True, help=what)


def implementation(what: str) -> Callable[[F], F]:
    """Return the options that say what a report is about."""

    def add(command: F) -> F:
        name = click.option("--implementation", default="", metavar="NAME", help=f"{what}; goes into the report.")
        version = click.option(
            "--implementation-version", default="", metavar="V", help="Its version; goes into the report."
        )
        return name(version(command))

    return add


def report_dir(default: Path) -> Callable[[F], F]:
    """Return the option for where reports are written."""
    what = "Where report.json, junit.xml, report.html and badge.svg are written."
    return click.option("--report-dir", type=click.Path(path_type=Path), default=default, show_default=True, help=what)


def reached(  # noqa: PLR0913
    base_url: str | None,
    *,
    token: str | None,
    token_file: str | None,
    timeout: float,
    rate: float | None,
    workers: int,
    headers: tuple[str, ...],
    cacert: Path | None,
    cert: Path | None,
    key: Path | None,
    proxy: str | None,
) -> Config:
    """Return the settings of how a target is reached; raises UsageError."""
    from provider_conformance import settings  # noqa: PLC0415

    url = None if base_url is None else settings.base_url(base_url)
    # The variable is meant for a system of somebody's, not for the embedded reference.
    secret = settings.token(token, token_file, {} if url is None else os.environ)
    if url is not None and secret is None:
        raise UsageError(
            f"{url} needs an access token: put it into the environment variable {settings.TOKEN_VARIABLE} "
            "or into a file named with --token-file"
        )
    if key is not None and cert is None:
        raise UsageError("--key is the key of a client certificate: name that with --cert")
    config = Config(
        base_url=url,
        token=secret,
        timeout=timeout,
        rate=rate,
        workers=workers,
        headers=settings.headers(headers),
        proxy=proxy,
        cacert=cacert,
        cert=cert,
        key=key,
    )
    if url is not None:
        from provider_conformance.route import route_of  # noqa: PLC0415

        route_of(config)  # what cannot be used is told before anything is done
    return config


def _read(context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    """Make what a file says the defaults of a command's options; raises UsageError."""
    file: Path | str
    if path is None and (given := os.environ.get(SETTINGS_VARIABLE)):
        file, content = SETTINGS_VARIABLE, json.loads(given)
    elif path is not None or Path(FILE_NAME).exists():
        file = path or Path(FILE_NAME)
        content = read_toml(file)
    else:
        return
    from provider_conformance.cli import group  # noqa: PLC0415 - what any command knows may be in the file

    configurable = [one for one in group.commands.values() if ELSEWHERE & {_key(p) for p in one.params}]
    known = {key for one in configurable for key in settings_of(one)}
    own = {key: parameter.name for key, parameter in settings_of(context.command).items()}
    for key in content:
        if key not in known and key != PLAUSIBLE:
            raise UsageError(f"{file} has {key!r}, which is no option{_guess(key, known)}")
    defaults = {own[key]: _plain(value) for key, value in content.items() if key in own}
    context.default_map = {**(context.default_map or {}), **defaults}
    context.obj = content.get(PLAUSIBLE)


def _guess(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def settings_of(command: click.Command) -> dict[str, click.Parameter]:
    """Return what a file can hold for a command beside the table of plausible values, by what it is called there."""
    return {_key(parameter): parameter for parameter in command.params if _key(parameter) not in ELSEWHERE}


def checked(table: Mapping[str, Any], command: click.Command, folder: Path) -> dict[str, Any]:
    """Return options of a command as a file has them, with paths that are meant from a folder; raises UsageError."""
    from provider_conformance import settings  # noqa: PLC0415

    own = settings_of(command)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == PLAUSIBLE:
            plausible(value)
            found[key] = value
            continue
        if key not in own:
            raise UsageError(f"{key!r} is no option of `{command.name}`{_guess(key, own)}")
        is_path = isinstance(own[key].type, click.Path) and isinstance(value, str)
        found[key] = str((folder / value).absolute()) if is_path else value
        try:
            read = own[key].type_cast_value(click.Context(command), _plain(found[key]))
        except click.UsageError as error:
            raise UsageError(f"{key}: {error.message}") from error
        if key == "header":
            settings.headers(read)
    return found


def _key(parameter: click.Parameter) -> str:
    """Return what a parameter is called in the file: as on the command line, without the dashes in front."""
    names = [option for option in parameter.opts if option.startswith("--")]
    return names[0].removeprefix("--") if names else (parameter.name or "").replace("_", "-")


def _plain(value: Any) -> Any:
    """Return a value as click takes defaults: a table of headers becomes lines."""
    if isinstance(value, dict):
        return [f"{name}: {text}" for name, text in value.items()]
    return value


def plausible(table: object) -> Plausible:
    """Read the table of plausible values; raises UsageError."""
    if table is None:
        return Plausible()
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - takes longer to import than all of --help

    try:
        return TypeAdapter(Plausible).validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        known = ", ".join(Plausible.__dataclass_fields__)
        raise UsageError(f"[{PLAUSIBLE}] in the configuration: {where}: {first['msg']}; it may have {known}") from error
