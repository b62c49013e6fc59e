"""The five operations, as the contract has them and as freely as it leaves them."""

from __future__ import annotations

import email.utils
import hmac
import threading
import time
from dataclasses import replace
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Any

from variants.checks import (
    DEFAULTS,
    INT32,
    INT64,
    NUMBERS,
    REQUIRED_BY_CREATE,
    REQUIRED_BY_UPDATE,
    NotJsonError,
    ProblemError,
    check_documented,
    check_plausible,
    json_object,
    number_in_query,
    right,
    whole,
)
from variants.foreign import foreign_provider
from variants.freedoms import Beyond, Freedoms, Large, Listed, Malformed, Optional, Paging, Password, Unfound, Unknown
from variants.messages import Answer, Request
from variants.store import Entry, Store
from variants.writing import Number, write

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = {"create": "POST", "show": "GET", "list": "GET", "update": "POST", "destroy": "POST"}
KNOWN_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


class RefusalError(Exception):
    """A request is refused with a status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def nested(levels: int) -> Any:
    """Return an array in an array in an array, and so on."""
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


EXTRAS: dict[str, Any] = {
    "_links": {"self": {"href": "/show"}, "all": [{"href": "/list"}]},
    "created_at": 1767225600.123,
    "Name": "not the name",
    "Id": 17,
    "provider_id": "17",
    "": None,
    "ids": [1, 2, 3],
    "version": -1e-300,
    "__proto__": {"id": 99, "name": "nobody"},
    "registered": True,
    "notes": "\u00e9\u4e2d\U0001f4de\x00\u2028" * 50,
    "history": [{"at": number, "event": "REGISTERED", "more": [[], {}, None]} for number in range(5)],
    "large": 2**63 + 1,
    "deep": nested(50),
}
UNFRIENDLY: dict[str, Any] = {
    "beyond double": Number("1e400"),
    "many digits": Number("1" * 5000),
    "exact": Number("0.1000000000000000055511151231257827021181583404541015625"),
    "half": "\ud83d",
    "very deep": nested(200),
}


class Service:
    """Answers requests; any number of threads may ask at the same time."""

    def __init__(self, freedoms: Freedoms, token: str, seed: int = 0) -> None:
        self.freedoms = freedoms
        self._token = token
        self._random = Random(seed)
        self.store = Store(freedoms.ids(self._random), freedoms.order)
        for number in range(freedoms.foreign):
            self.store.add(foreign_provider(number, freedoms.foreign_prefix, self._random), foreign=True)
        self._under_way = 0
        self._wrong_tokens = 0
        self._locked_until = 0.0
        self._extras = (EXTRAS if freedoms.extras else {}) | (UNFRIENDLY if freedoms.unfriendly_extras else {})
        if freedoms.restless:
            threading.Thread(target=self._come_and_go, daemon=True).start()

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        free = self.freedoms
        with self.store.lock:
            self.store.audit.requests += 1
            number = self.store.audit.requests
            self._under_way += 1
            crowded = free.at_once is not None and self._under_way > free.at_once
            pause = self._random.uniform(*free.pauses) if number % free.pause_every == 0 else 0.0
        try:
            if free.at_once is not None and request.method == "POST":
                time.sleep(0.003)
            for busy in free.busy:
                if number % busy.every == 1:
                    return self._later(busy.status, busy.retry_after)
            if crowded:
                return self._later(429, "0")
            with self.store.lock:
                return replace(self._answer(request), pause=pause)
        except RefusalError as refusal:
            return replace(self._refusal(refusal), pause=pause)
        finally:
            with self.store.lock:
                self._under_way -= 1

    def left(self) -> list[int]:
        """Return the ids that a run left behind."""
        with self.store.lock:
            return self.store.left()

    def has_token(self, request: Request) -> bool:
        """Say whether a request bears the token, for which its body need not be there."""
        given = request.header("access_token") or ""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    # Everything below holds the lock.

    def _answer(self, request: Request) -> Answer:
        free = self.freedoms
        if free.lockout is not None and time.monotonic() < self._locked_until:
            return self._later(free.lockout.status, free.lockout.retry_after)
        operation = request.path.removeprefix("/")
        if operation not in METHODS:
            raise RefusalError(404, "no such path")
        if request.method not in KNOWN_METHODS:
            raise RefusalError(501, "no such method")
        if request.method != METHODS[operation]:
            refused = self._refusal(RefusalError(405, "not this method"))
            return replace(refused, headers=(*refused.headers, ("Allow", METHODS[operation])))
        self._check_token(request)
        handlers: dict[str, Callable[[Request], Answer]] = {
            "create": self._create,
            "show": self._show,
            "list": self._list,
            "update": self._update,
            "destroy": self._destroy,
        }
        try:
            return handlers[operation](request)
        except NotJsonError as problem:
            status = 500 if free.malformed is Malformed.SERVER_ERROR else free.refused
            raise RefusalError(400 if operation == "destroy" else status, str(problem)) from None
        except ProblemError as problem:
            raise RefusalError(400 if operation == "destroy" else free.refused, str(problem)) from None

    def _check_token(self, request: Request) -> None:
        if not self.has_token(request):
            self._wrong_tokens += 1
            if (lockout := self.freedoms.lockout) is not None and self._wrong_tokens % lockout.after == 0:
                self._locked_until = time.monotonic() + lockout.seconds
            raise RefusalError(self.freedoms.denied, "this needs another token")

    def _create(self, request: Request) -> Answer:
        content = self._provider(self._body(request), REQUIRED_BY_CREATE, None)
        if self.freedoms.cap is not None and len(self.store.left()) >= self.freedoms.cap:
            raise RefusalError(409, "there are too many providers")
        entry = self.store.add(content)
        return self._json(self._shown(entry) if self.freedoms.created_whole else {"id": entry.id} | self._extras)

    def _show(self, request: Request) -> Answer:
        entry = self.store.find(self._number(request, "id", INT64))
        if entry is not None:
            return self._json(self._shown(entry))
        if (body := self.freedoms.unfound_body) is not None:
            return Answer(200, (("Content-Type", self.freedoms.json_type),), body)
        raise RefusalError(self.freedoms.unfound, "there is no such provider")

    def _update(self, request: Request) -> Answer:
        body = self._body(request)
        self.store.note_aim(body.get("id"))
        number = whole(body.pop("id", None), fractions=self.freedoms.fractions_taken)
        if number is None or number not in INT64:
            raise ProblemError("the id is no int64 integer")
        entry = self.store.find(number)
        if entry is None and self.freedoms.missing is Unfound.REFUSED:
            raise RefusalError(self.freedoms.unfound, "there is no such provider")
        if entry is not None or self.freedoms.missing is Unfound.CREATED:
            content = self._update_of(entry, body)
            if entry is None:
                self.store.add(content, wanted=number)
            else:
                self.store.replace(entry, content)
        return self._done()

    def _update_of(self, entry: Entry | None, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._provider(body, REQUIRED_BY_UPDATE, entry)
        except ProblemError as problem:
            told = f"{entry.content['name']} stays as it is: " if entry and self.freedoms.tells_names else ""
            raise ProblemError(f"{told}{problem}") from None

    def _destroy(self, request: Request) -> Answer:
        body = self._body(request)
        self.store.note_aim(body.get("id"))
        number = whole(body.get("id"), fractions=self.freedoms.fractions_taken)
        if number is None or number not in INT64:
            raise ProblemError("the id is no int64 integer")
        entry = self.store.find(number)
        if entry is not None:
            self.store.remove(entry)
        elif self.freedoms.missing is Unfound.REFUSED:
            raise ProblemError("there is no such provider")
        return self._done()

    def _list(self, request: Request) -> Answer:
        free = self.freedoms
        page = self._number(request, "pagination", INT32)
        size = self._pagesize(request)
        sort_by = request.parameter("sort_by")
        if sort_by not in {None, "DEFAULT", "OPTIONAL"} and not (free.optional_spelt and sort_by == "Optional"):
            raise ProblemError("sort_by has no such value")
        entries = self.store.entries()
        count = len(entries)
        if sort_by not in {None, "DEFAULT"}:
            entries = self._by_option(entries)
        index = page - free.first_page
        beyond = None
        if index not in range(self._pages(entries, size)):
            beyond = free.before if index < 0 else free.past
        elif not entries and free.past is Beyond.BARE:
            beyond = Beyond.BARE
        told = self._told(page, size, count, sort_by or "DEFAULT") | self._extras
        if beyond is not None:
            return self._beyond(beyond, index, size, entries, told)
        return self._json(told | {"providers": self._items(entries, index, size)})

    def _pages(self, entries: list[Entry], size: int) -> int:
        return max(1, ceil(len(entries) / size))

    def _items(self, entries: list[Entry], index: int, size: int) -> list[dict[str, Any]]:
        return [self._listed(entry) for entry in entries[index * size : (index + 1) * size]]

    def _pagesize(self, request: Request) -> int:
        free = self.freedoms
        size = self._number(request, "pagesize", INT64)
        if size <= 0:
            raise ProblemError("a page has at least one provider")
        if size > free.largest_page:
            if free.large is Large.REFUSED:
                raise ProblemError("no page is that large")
            if free.large is Large.CAPPED:
                return free.largest_page
        return size

    # What the parts of requests mean.

    def _body(self, request: Request) -> dict[str, Any]:
        if len(request.body) > self.freedoms.largest_body:
            raise RefusalError(413, "the body is too large")
        declared = request.header("content-type")
        if declared is not None and declared.partition(";")[0].strip().lower() != "application/json":
            raise RefusalError(400 if request.path == "/destroy" else 415, "the body must be JSON")
        if (request.header("content-encoding") or "identity").lower() != "identity":
            raise RefusalError(415, "the body must not be compressed")
        return json_object(request.body)

    def _number(self, request: Request, name: str, bounds: range) -> int:
        free = self.freedoms
        number = number_in_query(request.parameter(name), fractions=free.fractions_taken, anything=free.any_number)
        if number not in bounds:
            raise ProblemError("a parameter is out of bounds")
        return number

    def _provider(self, body: dict[str, Any], required: tuple[str, ...], before: Entry | None) -> dict[str, Any]:
        """Make of a body what is to be stored, or refuse it."""
        free = self.freedoms
        if free.malformed is Malformed.MADE_UP_FOR:
            body = self._made_up_for(body, DEFAULTS if before is None else before.content)
        check_documented(body, required, fractions=free.fractions_taken)
        if free.unknown is Unknown.REFUSED and (more := body.keys() - set(required)):
            raise ProblemError(f"there is no {min(more)!r} to set")
        kept = body if free.unknown is Unknown.STORED else {k: v for k, v in body.items() if k in DEFAULTS}
        content = kept | {name: int(kept[name]) for name in NUMBERS}
        if free.choosy:
            check_plausible(content)
        if free.repeated is not None and (name := self.store.taken(content, before)):
            raise RefusalError(free.repeated, f"the {name} is taken")
        content.setdefault("in_parameters", [])
        content.setdefault("out_parameters", [])
        return content

    def _made_up_for(self, body: dict[str, Any], otherwise: dict[str, Any]) -> dict[str, Any]:
        fractions = self.freedoms.fractions_taken
        documented = {
            name: body[name] if name in body and right(name, body[name], fractions=fractions) else default
            for name, default in otherwise.items()
        }
        return documented | {name: value for name, value in body.items() if name not in documented}

    # What answers look like.

    def _shown(self, entry: Entry) -> dict[str, Any]:
        content = self._extras | entry.content | {"id": entry.id}
        if entry.foreign:
            return content
        free = self.freedoms
        masks = {
            Password.STARS: "********",
            Password.EMPTY: "",
            Password.RANDOM: f"{self._random.getrandbits(64):x}",
        }
        if free.password is Password.ABSENT:
            del content["password"]
        elif free.password in masks:
            content["password"] = masks[free.password]
        if free.own_status:
            content["status"] = self._random.choice(["ONLINE", "OFFLINE"])
        return content

    def _listed(self, entry: Entry) -> dict[str, Any]:
        shown, kind = self._shown(entry), self.freedoms.listed
        if kind is Listed.EVERYTHING:
            return shown
        if kind is Listed.ID:
            return {"id": entry.id}
        if kind is Listed.NAME:
            return {name: shown[name] for name in ("id", "name") if name in shown}
        return {name: value for name, value in shown.items() if name == "id" or self._random.random() < 0.3}

    def _by_option(self, entries: list[Entry]) -> list[Entry]:
        kind = self.freedoms.optional
        if kind is Optional.SHUFFLED:
            return self._random.sample(entries, len(entries))
        return {Optional.REVERSED: entries[::-1], Optional.PARTIAL: entries[::2], Optional.EMPTY: []}[kind]

    def _beyond(self, kind: Beyond, index: int, size: int, entries: list[Entry], told: dict[str, Any]) -> Answer:
        """Answer what is asked of a page that is outside the list."""
        pages = self._pages(entries, size)
        nearest = 0 if index < 0 else pages - 1
        match kind:
            case Beyond.REFUSED:
                raise RefusalError(self.freedoms.unfound, "there is no such page")
            case Beyond.TEXT:
                return Answer(200, (("Content-Type", "text/plain"),), b"there is no such page")
            case Beyond.EMPTY:
                told["providers"] = []
            case Beyond.UNCOUNTED:
                told |= {"providers": [], "count": 0, "page_count": 0}
            case Beyond.WHOLE:
                told["providers"] = self._items(entries, 0, len(entries))
            case Beyond.CORRECTED:
                corrected = {"pagination": self.freedoms.first_page + nearest}
                told |= corrected | {"providers": self._items(entries, nearest, size)}
            case Beyond.NEAREST:
                told["providers"] = self._items(entries, nearest, size)
            case Beyond.AROUND:
                told["providers"] = self._items(entries, index % pages, size)
            case Beyond.BARE:
                pass
        return self._json(told)

    def _told(self, page: int, size: int, count: int, sort_by: str) -> dict[str, Any]:
        paging = self.freedoms.paging
        if paging is Paging.ABSENT:
            return {"sort_by": sort_by}
        if paging is Paging.WRONG:
            wrong = {"page_count": -1, "pagination": 2**40, "pagesize": 0, "count": self._random.randint(-3, 3)}
            return wrong | {"sort_by": "DEFAULT"}
        told = {"page_count": ceil(count / size), "pagination": page, "pagesize": size, "count": count}
        return told | {"sort_by": sort_by}

    def _json(self, value: dict[str, Any]) -> Answer:
        free = self.freedoms
        body = write(value, free.layout, fractions=free.fractions_given)
        return Answer(200, (("Content-Type", free.json_type),), body)

    def _done(self) -> Answer:
        media_type, body = self.freedoms.done
        return Answer(200, () if media_type is None else (("Content-Type", media_type),), body)

    def _refusal(self, refusal: RefusalError) -> Answer:
        media_type, text = self.freedoms.error_type, str(refusal)
        if media_type is None:
            return Answer(refusal.status)
        body = write({"error": text}, self.freedoms.layout) if "json" in media_type else text.encode()
        return Answer(refusal.status, (("Content-Type", media_type),), body)

    def _later(self, status: int, retry_after: str | None) -> Answer:
        if retry_after is None:
            return Answer(status)
        if retry_after == "date":
            retry_after = email.utils.formatdate(time.time() + 1, usegmt=True)
        return Answer(status, (("Retry-After", retry_after),))

    def _come_and_go(self) -> None:
        """Add and remove providers of others for ever."""
        free, number = self.freedoms, self.freedoms.foreign
        while True:
            time.sleep(0.01)
            with self.store.lock:
                self.store.remove(self._random.choice([entry for entry in self.store.entries() if entry.foreign]))
            time.sleep(0.01)
            with self.store.lock:
                number += 1
                self.store.add(foreign_provider(number, free.foreign_prefix, self._random), foreign=True)
