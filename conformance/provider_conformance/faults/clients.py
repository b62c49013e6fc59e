"""Faults that show to some clients only: by the headers that these send, or by when their bodies come."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from provider_conformance.faults.definition import fault
from provider_conformance.reference.messages import Answer, RefusedError
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Request


# Compressed answers


class _Compresses(Reference):
    """Compresses the answers of some operations, as it should not, where gzip is accepted."""

    compressed: tuple[str, ...] = ("show", "list")

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        asked = b",".join(request.header(b"accept-encoding"))
        if request.operation not in self.compressed or b"gzip" not in asked or answer.status != 200:
            return answer
        return self.packed(answer)

    def packed(self, answer: Answer) -> Answer:
        """Return what becomes of an answer that may be compressed."""
        raise NotImplementedError


def _with(answer: Answer, body: bytes, *headers: tuple[str, str]) -> Answer:
    return replace(answer, body=body, headers=(*answer.headers, *headers))


@fault("clients-compression-breaks-show", "SHOW-1", kind="conditional")
class CompressionBreaksShow(_Compresses):
    """Answers show with 500 where gzip is accepted."""

    compressed = ("show",)

    def packed(self, answer: Answer) -> Answer:  # noqa: ARG002 - it is lost
        return self.refusal(RefusedError(500, "internal error"))


@fault("clients-compression-breaks-list", "LIST-1", kind="conditional")
class CompressionBreaksList(CompressionBreaksShow):
    """Answers list with 500 where gzip is accepted."""

    compressed = ("list",)


@fault("clients-compressed-list-of-plain-length", "LIST-1", kind="conditional")
class CompressedListOfPlainLength(_Compresses):
    """Compresses the list where gzip is accepted, and gives the length that it had before."""

    compressed = ("list",)

    def packed(self, answer: Answer) -> Answer:
        length = ("Content-Length", str(len(answer.body) + 100))
        return _with(answer, gzip.compress(answer.body), ("Content-Encoding", "gzip"), length)


@fault("clients-says-compressed-and-is-plain", "SHOW-1", kind="conditional")
class SaysCompressedAndIsPlain(_Compresses):
    """Says of a provider that it is compressed where gzip is accepted, and sends it as it is."""

    compressed = ("show",)

    def packed(self, answer: Answer) -> Answer:
        return _with(answer, answer.body, ("Content-Encoding", "gzip"))


@fault("clients-compressed-create-is-cut", "CREATE-1", kind="conditional")
class CompressedCreateIsCut(_Compresses):
    """Compresses the answer to a create where gzip is accepted, and never ends the stream."""

    compressed = ("create",)

    def packed(self, answer: Answer) -> Answer:
        stream = zlib.compressobj(wbits=zlib.MAX_WBITS)
        body = stream.compress(answer.body) + stream.flush(zlib.Z_SYNC_FLUSH)
        return _with(answer, body, ("Content-Encoding", "deflate"))


@fault("clients-compresses-a-byte-order-mark", "HTTP-1", kind="conditional")
class CompressesByteOrderMark(_Compresses):
    """Sends a byte order mark before JSON that it compresses."""

    def packed(self, answer: Answer) -> Answer:
        return _with(answer, gzip.compress(b"\xef\xbb\xbf" + answer.body), ("Content-Encoding", "gzip"))


# Headers that are missing


class _Lacking(Reference):
    """Gives another answer to some requests that lack a header."""

    lacking: bytes = b"user-agent"
    operations_affected: tuple[str, ...] = ("create", "show", "list", "update", "destroy")

    def answer(self, request: Request) -> Answer:
        if request.operation in self.operations_affected and not request.header(self.lacking):
            return self.unfit(request)
        return super().answer(request)

    def unfit(self, request: Request) -> Answer:  # noqa: ARG002 - for overrides
        """Return the answer to a request that lacks the header."""
        return self.refusal(RefusedError(500, "internal error"))


@fault("clients-without-agent-forbidden", "AUTH-1", kind="conditional")
class WithoutAgentForbidden(_Lacking):
    """Answers show and list without a User-Agent with 403, as firewalls do that take them for a robot's."""

    operations_affected = ("show", "list")

    def unfit(self, request: Request) -> Answer:  # noqa: ARG002 - all alike
        return self.refusal(RefusedError(403, "no robots"))


@fault("clients-without-agent-break-create", "CREATE-1", kind="conditional")
class WithoutAgentBreaksCreate(_Lacking):
    """Answers a create without a User-Agent, which it wants to log, with 500."""

    operations_affected = ("create",)


@fault("clients-without-accept-break-list", "LIST-1", kind="conditional")
class WithoutAcceptBreaksList(_Lacking):
    """Answers a list without an Accept header with 500."""

    lacking = b"accept"
    operations_affected = ("list",)


@fault("clients-without-accept-refused-update", "UPDATE-1", kind="conditional")
class WithoutAcceptRefusedUpdate(_Lacking):
    """Refuses an update without an Accept header, as if it accepted nothing."""

    lacking = b"accept"
    operations_affected = ("update",)

    def unfit(self, request: Request) -> Answer:  # noqa: ARG002 - all alike
        return self.refusal(RefusedError(406, "not acceptable"))


# Connections that are not kept


class _DropsClosing(Reference):
    """Drops a connection that is to be closed without an answer."""

    dropped: tuple[str, ...] = ("create", "show", "list", "update", "destroy")

    def answer(self, request: Request) -> Answer:
        answer = super().answer(request)
        asked = b",".join(request.header(b"connection")).lower()
        return NEVER_SENT if b"close" in asked and request.operation in self.dropped else answer


NEVER_SENT = Answer(200, headers=(("X-Broken", "\n"),))
"""An answer over whose head the server hangs up, before a byte of it is sent."""


@fault("clients-closing-get-no-answer", "CREATE-1", kind="conditional")
class ClosingGetNoAnswer(_DropsClosing):
    """Closes the connection of a request with Connection: close at once, without an answer."""


@fault("clients-closing-show-gets-no-answer", "SHOW-1", kind="conditional")
class ClosingShowGetsNoAnswer(_DropsClosing):
    """Closes the connection of a show with Connection: close at once, without an answer."""

    dropped = ("show",)


# Bodies that come late


A_WHILE = 0.05
"""Seconds for which a server waits for a body that does not come with its headers."""


@fault("clients-late-create-is-empty", "CREATE-1", kind="conditional")
class LateCreateIsEmpty(Reference):
    """Takes the body of a create for empty that does not come with its headers."""

    def create(self, request: Request) -> Answer:
        return super().create(replace(request, body=b"") if request.waited > A_WHILE else request)


@fault("clients-late-update-is-cut", "UPDATE-1", kind="conditional")
class LateUpdateIsCut(Reference):
    """Takes the first piece of the body of an update for all of it."""

    def update(self, request: Request) -> Answer:
        return super().update(replace(request, body=request.body[: request.first_piece]))
