"""Faults of access control."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Request


# AUTH-1: the valid token is served


@fault("auth-valid-token-refused-by-update", "AUTH-1", kind="always")
class ValidTokenRefusedByUpdate(Reference):
    """Answers every update with 401, valid token or not."""

    def authenticate(self, request: Request) -> None:
        super().authenticate(request)
        if request.operation == "update":
            self.refuse_access()


@fault("auth-valid-token-refused-now-and-then", "AUTH-1", kind="stateful")
class ValidTokenRefusedNowAndThen(Reference):
    """Answers every 40th request with the valid token with 401."""

    def prepare(self) -> None:
        self.served = 0

    def authenticate(self, request: Request) -> None:
        super().authenticate(request)
        self.served += 1
        if self.served % 40 == 0:
            self.refuse_access()


@fault("auth-valid-token-refused-by-later-pages", "AUTH-1", kind="conditional")
class ValidTokenRefusedByLaterPages(Reference):
    """Answers a list of any page but the first with 403, although its token is valid."""

    def list_providers(self, request: Request) -> Answer:
        if self.list_parameters(request).pagination > 1:
            raise RefusedError(403, "not allowed")
        return super().list_providers(request)


# AUTH-2: no token is refused


class _Open(Reference):
    """Serves one operation without a token, while a wrong one is refused."""

    operation = ""

    def authenticate(self, request: Request) -> None:
        if request.operation != self.operation or request.header(b"access_token"):
            super().authenticate(request)


@fault("auth-missing-token-served-by-create", "AUTH-2", kind="always")
class OpenCreate(_Open):
    """Serves create without a token."""

    operation = "create"


@fault("auth-missing-token-served-by-show", "AUTH-2", kind="always")
class OpenShow(_Open):
    """Serves show without a token."""

    operation = "show"


@fault("auth-missing-token-served-by-list", "AUTH-2", kind="always")
class OpenList(_Open):
    """Serves list without a token."""

    operation = "list"


@fault("auth-missing-token-served-by-update", "AUTH-2", kind="always")
class OpenUpdate(_Open):
    """Serves update without a token."""

    operation = "update"


@fault("auth-missing-token-served-by-destroy", "AUTH-2", kind="always")
class OpenDestroy(_Open):
    """Serves destroy without a token."""

    operation = "destroy"


class _DoneAnyway(Reference):
    """Does what a request without a token asks for, and then answers 401."""

    operation = ""

    def authenticate(self, request: Request) -> None:
        if request.operation == self.operation and not request.header(b"access_token"):
            self.operations[request.operation](request)
        super().authenticate(request)


@fault("auth-missing-token-creates-anyway", "AUTH-2", kind="always")
class CreatedAnyway(_DoneAnyway):
    """Answers a create without a token with 401, yet stores the provider."""

    operation = "create"


@fault("auth-missing-token-updates-anyway", "AUTH-2", kind="always")
class UpdatedAnyway(_DoneAnyway):
    """Answers an update without a token with 401, yet applies it."""

    operation = "update"


@fault("auth-missing-token-destroys-anyway", "AUTH-2", kind="always")
class DestroyedAnyway(_DoneAnyway):
    """Answers a destroy without a token with 401, yet removes the provider."""

    operation = "destroy"


@fault("auth-missing-token-served-to-known-client", "AUTH-2", kind="stateful")
class OpenToKnownClient(Reference):
    """Serves requests without a token from an address that has sent the valid one before."""

    def prepare(self) -> None:
        self.known: set[str] = set()

    def authenticate(self, request: Request) -> None:
        address = request.client[0] if request.client else ""
        if address in self.known and not request.header(b"access_token"):
            return
        super().authenticate(request)
        self.known.add(address)


@fault("auth-missing-token-served-on-same-connection", "AUTH-2", kind="stateful")
class OpenOnSameConnection(Reference):
    """Serves requests without a token on a connection whose last request bore the valid one."""

    def prepare(self) -> None:
        self.connections: set[tuple[str, int] | None] = set()

    def authenticate(self, request: Request) -> None:
        if request.client in self.connections and not request.header(b"access_token"):
            return
        self.connections.discard(request.client)
        super().authenticate(request)
        self.connections.add(request.client)


@fault("auth-missing-token-served-unless-password-changes", "AUTH-2", kind="conditional")
class OpenUnlessPasswordChanges(Reference):
    """Serves an update without a token if it leaves the password as it is."""

    def authenticate(self, request: Request) -> None:
        if request.operation == "update" and not request.header(b"access_token"):
            properties = self.validate_update(self.read_body(request))
            stored = self.store.get(properties["id"])
            if stored is not None and stored["password"] == properties["password"]:
                return
        super().authenticate(request)


# AUTH-3: a wrong token is refused


@fault("auth-compares-first-half", "AUTH-3", kind="conditional")
class ComparesFirstHalf(Reference):
    """Compares the first half of the token only."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        half = len(self.token) // 2
        return len(sent) == len(self.token) and super().token_matches(sent[:half] + self.token[half:], request)


@fault("auth-compares-second-half", "AUTH-3", kind="conditional")
class ComparesSecondHalf(Reference):
    """Compares the second half of the token only."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        half = len(self.token) // 2
        return len(sent) == len(self.token) and super().token_matches(self.token[:half] + sent[half:], request)


@fault("auth-ignores-first-character", "AUTH-3", kind="conditional")
class IgnoresFirstCharacter(Reference):
    """Compares all of the token but its first character."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return len(sent) == len(self.token) and super().token_matches(self.token[:1] + sent[1:], request)


@fault("auth-ignores-last-character", "AUTH-3", kind="conditional")
class IgnoresLastCharacter(Reference):
    """Compares all of the token but its last character."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return len(sent) == len(self.token) and super().token_matches(sent[:-1] + self.token[-1:], request)


@fault("auth-ignores-middle", "AUTH-3", kind="conditional")
class IgnoresMiddle(Reference):
    """Compares the first and the last eight characters of the token only."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return len(sent) == len(self.token) and super().token_matches(sent[:8] + self.token[8:-8] + sent[-8:], request)


@fault("auth-ignores-letter-case", "AUTH-3", kind="conditional")
class IgnoresLetterCase(Reference):
    """Takes a token in other letter case."""

    def token_matches(self, sent: bytes, request: Request) -> bool:  # noqa: ARG002
        return hmac.compare_digest(sent.lower(), self.token.lower())


@fault("auth-ignores-letter-case-on-show", "AUTH-3", kind="conditional")
class IgnoresLetterCaseOnShow(Reference):
    """Takes a token in other letter case on show."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        if request.operation == "show":
            return hmac.compare_digest(sent.lower(), self.token.lower())
        return super().token_matches(sent, request)


@fault("auth-takes-upper-case-on-destroy", "AUTH-3", kind="conditional")
class TakesUpperCaseOnDestroy(Reference):
    """Takes the token in upper case as well on destroy."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        in_upper_case = request.operation == "destroy" and hmac.compare_digest(sent, self.token.upper())
        return in_upper_case or super().token_matches(sent, request)


@fault("auth-ignores-letter-case-at-the-end", "AUTH-3", kind="conditional")
class IgnoresLetterCaseAtTheEnd(Reference):
    """Ignores the letter case of the last eight characters of a token."""

    def token_matches(self, sent: bytes, request: Request) -> bool:  # noqa: ARG002
        return hmac.compare_digest(sent[:-8] + sent[-8:].lower(), self.token[:-8] + self.token[-8:].lower())


@fault("auth-ignores-order-of-characters", "AUTH-3", kind="conditional")
class IgnoresOrderOfCharacters(Reference):
    """Compares a checksum of the token that does not depend on the order of its characters."""

    def token_matches(self, sent: bytes, request: Request) -> bool:  # noqa: ARG002
        return len(sent) == len(self.token) and sum(sent) == sum(self.token)


class _AnyToken(Reference):
    """Takes any token of the right length on one operation."""

    operation = ""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        if request.operation == self.operation:
            return len(sent) == len(self.token)
        return super().token_matches(sent, request)


@fault("auth-any-token-served-by-create", "AUTH-3", kind="always")
class AnyTokenCreates(_AnyToken):
    """Takes any token on create."""

    operation = "create"


@fault("auth-any-token-served-by-show", "AUTH-3", kind="always")
class AnyTokenShows(_AnyToken):
    """Takes any token on show."""

    operation = "show"


@fault("auth-any-token-served-by-list", "AUTH-3", kind="always")
class AnyTokenLists(_AnyToken):
    """Takes any token on list."""

    operation = "list"


@fault("auth-any-token-served-by-update", "AUTH-3", kind="always")
class AnyTokenUpdates(_AnyToken):
    """Takes any token on update."""

    operation = "update"


@fault("auth-any-token-served-by-destroy", "AUTH-3", kind="always")
class AnyTokenDestroys(_AnyToken):
    """Takes any token on destroy."""

    operation = "destroy"


@fault("auth-wrong-token-destroys-anyway", "AUTH-3", kind="always")
class WrongTokenDestroysAnyway(Reference):
    """Answers a destroy with a wrong token with 401, yet removes the provider."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        matches = super().token_matches(sent, request)
        if not matches and request.operation == "destroy":
            self.destroy(request)
        return matches


@fault("auth-any-token-served-to-known-client", "AUTH-3", kind="stateful")
class AnyTokenOfKnownClient(Reference):
    """Takes any token from an address that has sent the valid one before."""

    def prepare(self) -> None:
        self.known: set[str] = set()

    def token_matches(self, sent: bytes, request: Request) -> bool:
        address = request.client[0] if request.client else ""
        if super().token_matches(sent, request):
            self.known.add(address)
        return address in self.known and len(sent) == len(self.token)


@fault("auth-wrong-token-served-when-repeated", "AUTH-3", kind="stateful")
class WrongTokenServedWhenRepeated(Reference):
    """Takes a wrong token when it is sent for the second time."""

    def prepare(self) -> None:
        self.tried: set[bytes] = set()

    def token_matches(self, sent: bytes, request: Request) -> bool:
        if super().token_matches(sent, request):
            return True
        known = sent in self.tried
        self.tried.add(sent)
        return known and len(sent) == len(self.token)


@fault("auth-sample-token-served", "AUTH-3", kind="conditional")
class SampleTokenServed(Reference):
    """Takes the sample token of the documentation, too, which somebody has forgotten to remove."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return sent == b"4DFCF1D4C30B4D798ECE3AE43769F008" or super().token_matches(sent, request)


# AUTH-4: a token of another length is refused


@fault("auth-empty-token-served", "AUTH-4", kind="conditional")
class EmptyTokenServed(Reference):
    """Takes an empty token for the valid one."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return not sent or super().token_matches(sent, request)


@fault("auth-prefix-served", "AUTH-4", kind="conditional")
class PrefixServed(Reference):
    """Takes a token with which the valid one begins, if it is half as long at least."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        is_prefix = len(sent) * 2 >= len(self.token) and self.token.startswith(sent)
        return is_prefix or super().token_matches(sent, request)


@fault("auth-extension-served", "AUTH-4", kind="conditional")
class ExtensionServed(Reference):
    """Takes a token that begins with the valid one."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return super().token_matches(sent[: len(self.token)], request)


@fault("auth-extension-served-by-show", "AUTH-4", kind="conditional")
class ExtensionServedByShow(Reference):
    """Takes a token that ends with the valid one on show."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        compared = sent[-len(self.token) :] if request.operation == "show" else sent
        return super().token_matches(compared, request)


@fault("auth-long-token-served", "AUTH-4", kind="conditional")
class LongTokenServed(Reference):
    """Takes any token of 1,000 characters or more."""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        return len(sent) >= 1000 or super().token_matches(sent, request)


# AUTH-5: the token is taken from the header alone


class _LongToken(Reference):
    """Takes any token of several thousand characters on one operation."""

    operation = ""

    def token_matches(self, sent: bytes, request: Request) -> bool:
        is_long = request.operation == self.operation and len(sent) > 4096
        return is_long or super().token_matches(sent, request)


for _operation in ("create", "show", "update", "destroy"):
    fault(
        f"auth-long-token-served-by-{_operation}",
        "AUTH-4",
        kind="conditional",
        description=f"Takes any token of several thousand characters on {_operation}.",
    )(type(f"LongToken_{_operation}", (_LongToken,), {"operation": _operation}))


@fault("auth-token-in-query", "AUTH-5", kind="conditional")
class TokenInQuery(Reference):
    """Takes the token from the query where there is no header."""

    def sent_token(self, request: Request) -> bytes | None:
        values = self.parameters(request).get("access_token", [])
        return super().sent_token(request) or (values[0].encode("utf-8") if values else None)


@fault("auth-token-in-cookie", "AUTH-5", kind="conditional")
class TokenInCookie(Reference):
    """Takes the token from a cookie where there is no header."""

    def sent_token(self, request: Request) -> bytes | None:
        pairs = (pair.strip() for value in request.header(b"cookie") for pair in value.split(b";"))
        cookies = [pair.partition(b"=")[2] for pair in pairs if pair.startswith(b"access_token=")]
        return super().sent_token(request) or next(iter(cookies), None)


@fault("auth-token-in-body", "AUTH-5", kind="conditional")
class TokenInBody(Reference):
    """Takes the token from the body where there is no header."""

    def sent_token(self, request: Request) -> bytes | None:
        sent = super().sent_token(request)
        if sent is not None or not request.body:
            return sent
        content = self.read_body(request)
        token = content.get("access_token") if isinstance(content, dict) else None
        return token.encode("utf-8", "replace") if isinstance(token, str) else None
