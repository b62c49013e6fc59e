"""Writes recorded requests anew: with new ids, fresh names, the real token, and the headers that lead to the target."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provider_conformance import judge
from provider_conformance.call import Call
from provider_conformance.concealing import LONGEST_REQUEST
from provider_conformance.contract import Operation
from provider_conformance.errors import NotTestableError
from provider_conformance.exchange import TOKEN_HEADER
from provider_conformance.mentioned import Rewriting, mentions, renewed, text_of
from provider_conformance.record import OTHER_TOKEN, TOKEN
from provider_conformance.replay_names import Renaming
from provider_conformance.values.plausible import RUN_OF_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provider_conformance.exchange import Exchange, Headers, Request
    from provider_conformance.mentioned import Mention

NUMBER = re.compile(r"-?[0-9]+")
WRONG_TOKEN = re.compile(OTHER_TOKEN.format(number=r"\d+", length=r"(\d+)"))
PACKED = frozenset({"gzip", "deflate", "br", "zstd"})
"""Codings of a body in which nobody sees whom it is about."""

SENT_ANYWAY = frozenset({"host", "user-agent", "accept", "accept-encoding", "content-length"})
"""Headers, in lower case, that are written anew for each request."""

COUNTS = ("pagination", "pagesize", "first", "size")
OPEN = frozenset({*judge.documented_properties(), "status", "password", *COUNTS}) - {"id"}
"""Names by which a rule is given what holds numbers that are no ids, and may be equal to one."""

SHORTEST_MARK = 8
"""Characters of a value, other than a name, that hardly anybody else has by chance."""

_NAMES_AN_ID = re.compile(r"id(?![^\W_])", re.IGNORECASE)
_NAME = re.compile(rf"{RUN_OF_NAME.pattern}[^\"'&<\r\n\\]*")


class UnsafeError(NotTestableError):
    """A request that cannot be sent again without touching what is not ours; the message says why."""


@dataclass(frozen=True)
class Resent:
    """A recorded request as it is sent again, and all its text that may tell whom it is about, without secrets."""

    call: Call
    text: str

    @property
    def only_reads(self) -> bool:
        """Whether it is one of the two documented reads, which change nothing whomever they are about."""
        overridden = any("method" in name.lower() for name, _ in self.call.headers)
        return self.call.method == "GET" and self.call.operation in {Operation.SHOW, Operation.LIST} and not overridden

    @property
    def creates(self) -> bool:
        """Whether it may create a provider whose id its answer gives."""
        return self.call.operation.lower().startswith(Operation.CREATE)

    @property
    def destroys(self) -> bool:
        """Whether whoever it is about may be gone after it."""
        return Operation.DESTROY in self.call.operation.lower() or self.call.method == "DELETE"

    @property
    def is_plain_create(self) -> bool:
        """Whether it creates, and is not about anybody by an id."""
        bare = Rewriting(member=lambda _name, _text: "")(self.text)
        return self.call.operation == Operation.CREATE and self.call.method == "POST" and not _NAMES_AN_ID.search(bare)

    @property
    def may_coerce(self) -> bool:
        """Whether a careless server may take it for one about the provider 0 or 1, since it names none."""
        path = self.call.operation.lower()
        writes = any(word in path for word in (Operation.UPDATE, Operation.DESTROY))
        return writes or self.call.method not in {"GET", "POST"} or not (self.creates or self.call.method == "GET")

    @property
    def is_packed(self) -> bool:
        """Whether its body is compressed."""
        return any(name.lower() == "content-encoding" and value in PACKED for name, value in self.call.headers)

    @property
    def mentions(self) -> set[Mention]:
        """The ids that it may be about."""
        return mentions(self.text)

    @property
    def marks(self) -> dict[str, str]:
        """The values that it gives a provider and by which that is known, its name among them where it has one."""
        try:
            members = json.loads(self.call.body or b"")
        except (ValueError, RecursionError):
            members = {}
        if not isinstance(members, dict) or not members:
            found = _NAME.search(self.text)
            return {"name": found.group()} if found else {}
        texts = {name: members.get(name) for name in ("name", "auth_id", "hostname")}
        shortest = {"name": 1}
        return {
            name: text
            for name, text in texts.items()
            if isinstance(text, str) and len(text) >= shortest.get(name, SHORTEST_MARK)
        }


@dataclass(frozen=True)
class Renewal:
    """What takes the place of what the recorded run had: `ids` by the recorded ones, names, and the `token`.

    Of the recorded headers, those that are `given` go with every request anyway. `base` is the path under which the
    operations were.
    """

    base: str
    token: str
    given: Iterable[str] = ()
    renaming: Renaming = field(default_factory=Renaming)
    ids: dict[int, int] = field(default_factory=dict)

    def resent(self, recorded: Exchange) -> Resent:
        """Return a recorded request as it is sent again; raises UnsafeError where it is not known whole."""
        request = recorded.request
        path, _, query = request.target.partition("?")
        if not path.startswith(f"{self.base}/"):
            raise UnsafeError(f"{path} is outside the recorded base URL")
        name, query = self._text(path[len(self.base) + 1 :]), self._text(query)
        body, encoding = self._body(request)
        headers = self._headers(request)
        said = {key.lower(): value for key, value in request.headers}
        token_header, token = self._token(headers)
        call = Call(
            name,
            request.method,
            query=self._with_secrets(query),
            body=None if body is None else self._with_secrets(body).encode(encoding, ERRORS.get(encoding, "strict")),
            content_type=said.get("content-type"),
            token=token,
            token_header=token_header,
            headers=tuple(
                (key, self._with_secrets(value))
                for key, value in headers
                if key.lower() not in {"content-type", TOKEN_HEADER}
            ),
            agent=said.get("user-agent"),
            accept=said.get("accept"),
            codings=said.get("accept-encoding"),
            outside=recorded.operation is None,
            lower_case=any(key == "host" for key, _ in request.headers),
        )
        return Resent(call, "\n".join((name, query, body or "")))

    def arguments(self, value: Any, name: str = "") -> Any:
        """Renew the ids and the names in what a rule is given."""
        if isinstance(value, str):
            return self.renaming.member(name.replace("_", ""), value) if name in OPEN else self.renaming.word(value)
        if isinstance(value, list | tuple):
            return [self.arguments(item, name) for item in value]
        if isinstance(value, dict):
            if name in OPEN:
                return {key: self.arguments(member, name) for key, member in value.items()}
            return {self._renewed_key(key): self.arguments(member, key) for key, member in value.items()}
        is_id = isinstance(value, int) and not isinstance(value, bool) and name not in OPEN
        return self.ids.get(value, value) if is_id else value

    def _renewed_key(self, name: str) -> str:
        return str(self.ids.get(int(name), name)) if NUMBER.fullmatch(name) else name

    def _text(self, text: str) -> str:
        rewriting = Rewriting(
            number=lambda number: renewed(number, self.ids), word=self.renaming.word, member=self.renaming.member
        )
        return rewriting(text)

    def _body(self, request: Request) -> tuple[str | None, str]:
        if request.body is None:
            return None, "utf-8"
        if len(request.body) > LONGEST_REQUEST:
            raise UnsafeError("the body is not recorded whole")
        text, encoding = text_of(request.body)
        return self._text(text), encoding

    def _headers(self, request: Request) -> Headers:
        """Return the headers that were special about a request, without the last of each that went with all."""
        headers = [pair for pair in request.headers if pair[0].lower() not in SENT_ANYWAY]
        for name in self.given:
            last = next((pair for pair in reversed(headers) if pair[0].lower() == name.lower()), None)
            if last is not None:
                del headers[len(headers) - 1 - headers[::-1].index(last)]
        return tuple(headers)

    def _token(self, headers: Headers) -> tuple[str, str]:
        """Return the header of the token and what goes into it: the real one, a wrong one of the same kind, or none."""
        for name, value in headers:
            if name.lower() == TOKEN_HEADER:
                return name, self._with_secrets(value)
        return TOKEN_HEADER, ""

    def _with_secrets(self, text: str) -> str:
        real = self.token

        def wrong(found: re.Match[str]) -> str:
            length = int(found[1])
            if length == 0:
                return " "  # without any, there would be no header
            if length == len(real):
                return ("x" if real[0] != "x" else "y") + real[1:]
            return (real * (length // len(real) + 1))[:length]

        return WRONG_TOKEN.sub(wrong, text).replace(TOKEN, real)


ERRORS = {"utf-8": "surrogateescape"}
"""How bytes that are no text come back as they were."""


def bears(members: Mapping[str, Any], marks: Mapping[str, str], prefixes: tuple[str, ...]) -> bool:
    """Tell whether a shown provider is one that was created with these marks, or bears a name of the replay."""
    name = members.get("name")
    if isinstance(name, str) and name.startswith(prefixes):
        return True
    nameless = "name" not in marks and not name
    return nameless or any(members.get(key) == mark for key, mark in marks.items())
