"""Faults that show where connections or requests are beside each other: one undoes or gets what is another's."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from provider_conformance.faults.definition import fault
from provider_conformance.reference.service import Reference

if TYPE_CHECKING:
    from provider_conformance.reference.messages import Answer, Properties, Request
    from provider_conformance.reference.service import ListParameters

A_MOMENT = 0.002
"""Seconds in which another request comes in between."""


# Another connection


class _Workers(Reference):
    """Serves each connection by a worker with a memory of its own."""

    def prepare(self) -> None:
        self.memories: dict[Any, dict[Any, Any]] = {}
        self.local = threading.local()

    def answer(self, request: Request) -> Answer:
        self.local.memory = self.memories.setdefault(request.client, {})
        return super().answer(request)

    @property
    def memory(self) -> dict[Any, Any]:
        """What the worker of this connection remembers."""
        memory: dict[Any, Any] = self.local.memory
        return memory


@fault("connection-shows-what-was", "UPDATE-2", kind="stateful")
class ConnectionShowsWhatWas(_Workers):
    """Goes on to show over a connection what was before an update over another."""

    def find(self, provider_id: int) -> Properties | None:
        provider = super().find(provider_id)
        if provider is None:
            return None
        kept: Properties = self.memory.setdefault(provider_id, provider)
        return kept

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.memory.pop(provider_id, None)
        return super().apply_update(provider_id, properties)


@fault("connection-lists-what-was", "CREATE-5", kind="stateful")
class ConnectionListsWhatWas(_Workers):
    """Goes on to list over a connection what was before anything was done over another."""

    def page_of(self, asked: ListParameters) -> tuple[int, list[Properties]]:
        page: tuple[int, list[Properties]] = self.memory.setdefault(asked, super().page_of(asked))
        return page

    def insert(self, properties: Properties) -> int:
        self.memory.clear()
        return super().insert(properties)

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.memory.clear()
        return super().apply_update(provider_id, properties)

    def remove(self, provider_id: int) -> bool:
        self.memory.clear()
        return super().remove(provider_id)


# Requests that overlap


@fault("overlap-updates-the-other", "UPDATE-3", kind="stateful")
class OverlapUpdatesTheOther(Reference):
    """Keeps the id of an update where the next request overwrites it."""

    current = 0

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        self.current = provider_id
        time.sleep(A_MOMENT)
        return super().apply_update(self.current, properties)


@fault("overlap-shows-the-other", "SHOW-1", kind="stateful")
class OverlapShowsTheOther(Reference):
    """Keeps the id of a show where the next request overwrites it."""

    current = 0

    def find(self, provider_id: int) -> Properties | None:
        self.current = provider_id
        time.sleep(A_MOMENT)
        return super().find(self.current)


@fault("overlap-destroys-the-other", "DESTROY-2", kind="stateful")
class OverlapDestroysTheOther(Reference):
    """Keeps the id of a destroy where the next request overwrites it."""

    current = 0

    def remove(self, provider_id: int) -> bool:
        self.current = provider_id
        time.sleep(A_MOMENT)
        super().remove(self.current)
        return True


@fault("overlap-refuses-destroy", "DESTROY-1", kind="stateful")
class OverlapRefusesDestroy(Reference):
    """Finds no provider to destroy while another is being destroyed."""

    def prepare(self) -> None:
        self.lock = threading.Lock()

    def remove(self, provider_id: int) -> bool:
        if not self.lock.acquire(blocking=False):
            return False
        try:
            time.sleep(A_MOMENT)
            return super().remove(provider_id)
        finally:
            self.lock.release()


class _WritesAllBack(Reference):
    """Reads all providers, takes a moment, and writes all back, as with one file and no lock."""

    def write_back(self) -> None:
        before = self.store.all()
        time.sleep(A_MOMENT * 3)
        for provider in before:
            self.store.replace(provider["id"], provider)


@fault("create-loses-an-update-meanwhile", "UPDATE-2", kind="stateful")
class CreateLosesAnUpdateMeanwhile(_WritesAllBack):
    """Writes all providers back as they were when the create came."""

    def store_created(self, properties: Properties) -> int:
        self.write_back()
        return super().store_created(properties)


@fault("destroy-loses-an-update-meanwhile", "UPDATE-2", kind="stateful")
class DestroyLosesAnUpdateMeanwhile(_WritesAllBack):
    """Writes all providers back as they were when the destroy came."""

    def remove(self, provider_id: int) -> bool:
        self.write_back()
        return super().remove(provider_id)


@fault("update-loses-a-create-meanwhile", "SHOW-1", kind="stateful")
class UpdateLosesACreateMeanwhile(Reference):
    """Leaves only those providers that were there when an update came."""

    def apply_update(self, provider_id: int, properties: Properties) -> bool:
        before = {provider["id"] for provider in self.store.all()}
        time.sleep(A_MOMENT * 3)
        for provider in self.store.all():
            if provider["id"] not in before:
                self.store.delete(provider["id"])
        return super().apply_update(provider_id, properties)
