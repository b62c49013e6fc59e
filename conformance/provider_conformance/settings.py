"""Reads what people hand to the command: base URL, token in its three forms, selection of a part."""

from __future__ import annotations

import difflib
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from provider_conformance.config import UsageError
from provider_conformance.contract import Level
from provider_conformance.reports.inert import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provider_conformance.contract import Requirement

TOKEN_VARIABLE = "PROVIDER_TOKEN"  # noqa: S105
LONGEST_TOKEN = 65_536
STANDARD_INPUT = "-"
MOST_CANDIDATES = 5

_URL_CHARACTERS = re.compile(r"[!-~]+")


def base_url(text: str) -> str:
    """Return the URL that `/create` and its siblings are appended to, without its last slash."""
    shown = inert(text, 200)
    if not _URL_CHARACTERS.fullmatch(text):
        raise UsageError(f"the base URL {shown!r} may hold ASCII characters only, and no blanks")
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UsageError(f"the base URL {shown} is none: {error}") from error
    if parts.username is not None or parts.password is not None:  # not shown: it bears a password
        raise UsageError("the base URL must not hold a user name or password; these docs know a token only")
    if parts.scheme not in {"http", "https"}:
        raise UsageError(f"the base URL {shown} must start with http:// or https://")
    if not host or port == 0:
        raise UsageError(f"the base URL {shown} names no host and port that can be connected to")
    if "?" in text or "#" in text:
        raise UsageError(f"the base URL {shown} must not have a query or a fragment")
    return text.rstrip("/")


def token(flag: str | None, file: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the token: the flag wins over the file, and the file over the environment."""
    if flag is not None:
        return checked_token(flag, "--token")
    if file is not None:
        return checked_token(_token_text(file), f"the token file {inert(file)}")
    if environment.get(TOKEN_VARIABLE):  # an unset secret reaches many a pipeline as an empty variable
        return checked_token(environment[TOKEN_VARIABLE], f"the variable {TOKEN_VARIABLE}")
    return None


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file of TOML; raises UsageError."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}") from error


def checked_token(text: str, source: str) -> str:
    """Return a token that a header can carry as it is; no message ever shows a part of it."""
    if not text:
        raise UsageError(f"{source} holds no token: it is empty")
    if not text.isascii():
        byte_order_mark = text.startswith("\ufeff")
        what = "a byte order mark" if byte_order_mark else "a character that is not ASCII"
        raise UsageError(f"the token from {source} holds {what}, which a header cannot carry")
    if not text.isprintable():
        raise UsageError(f"the token from {source} holds a control character or more than one line")
    if text != text.strip():
        raise UsageError(f"the token from {source} starts or ends with a blank, which a header cannot carry")
    return text


def headers(lines: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Take headers apart; raises UsageError for what is none, and for those that the suite itself sends."""
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not name.replace("-", "").replace("_", "").isalnum() or not (name + value).isascii():
            raise UsageError("--header takes 'Name: value', in ASCII")
        if not value.isprintable():
            raise UsageError(f"--header {name} holds a control character")
        if name.lower() in RESERVED:
            raise UsageError(f"--header {name} is not possible: the suite sends that header itself")
        found.append((name, value))
    return tuple(found)


RESERVED = frozenset(
    {"access_token", "host", "content-type", "content-length", "transfer-encoding", "connection", "accept-encoding"}
)


def selection(names: Iterable[str], requirements: Iterable[Requirement], level: Level) -> tuple[str, ...]:
    """Return the names of `--only` as the catalogue spells them, sure that they select something."""
    requirements = tuple(requirements)
    selected = tuple(dict.fromkeys(_known_name(name, requirements) for name in names))
    if not selected:
        return ()
    chosen = [r for r in requirements if {r.id, r.operation.value, r.level.value} & set(selected)]
    if not any(level.includes(r.level) or r.level is Level.ADVICE for r in chosen):
        needed = next(step for step in Level if any(step is r.level for r in chosen))
        message = f"nothing to test: {', '.join(selected)} is beyond level {level.value}"
        raise UsageError(f"{message}; add --level {needed.value}")
    return selected


def _known_name(name: str, requirements: Iterable[Requirement]) -> str:
    """Return the catalogue's spelling of a requirement id, an operation or a level."""
    ids = [r.id for r in requirements]
    operations = list(dict.fromkeys(r.operation.value for r in requirements))
    levels = [step.value for step in Level]
    spelling = {known.lower(): known for known in (*ids, *operations, *levels)}
    if name.lower() in spelling:
        return spelling[name.lower()]
    close = difflib.get_close_matches(name.lower(), spelling, n=MOST_CANDIDATES)
    guess = f"did you mean {', '.join(spelling[c] for c in close)}? " if close else ""
    raise UsageError(
        f"--only {inert(name, 80)!r} is no requirement, operation or level; {guess}"
        f"operations: {', '.join(operations)}; levels: {', '.join(levels)}; requirements: {', '.join(ids)}"
    )


def _token_text(file: str) -> str:
    """Return the text of a token file without the newline that editors put at its end."""
    try:
        if file == STANDARD_INPUT:
            content = sys.stdin.buffer.read(LONGEST_TOKEN + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(LONGEST_TOKEN + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"cannot read the token file {inert(file)}: {reason}") from error
    if len(content) > LONGEST_TOKEN:
        raise UsageError(f"the token file {inert(file)} is too long to hold a token and nothing else")
    return content.decode("utf-8", "replace").rstrip("\r\n")
