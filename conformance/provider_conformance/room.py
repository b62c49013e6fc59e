"""Shares out the providers that a run may hold among tests that run side by side, as they need them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provider_conformance.errors import NotTestableError

if TYPE_CHECKING:
    from provider_conformance.errors import RunEndedError


@dataclass(eq=False)
class Share:
    """What one test has of a room: how many providers are its own now, are to be, and ever will be at most.

    One `by_batches` takes no more than it has taken of late before it has given all back; others may, up to their most.
    """

    room: Room = field(repr=False)
    most: int
    by_batches: bool = False
    taken: int = 0
    batch: int = 0
    wanted: range | None = None
    hopeless: bool = False

    def resize(self, count: int) -> None:
        """Make room for so many providers in all; wait for that until others have given back what they have.

        Raises NotTestableError when it will never be, and what ended the run when that has ended.
        """
        if count <= self.taken:
            self.room.give_back(self, count)
        else:
            self.take(count, count)

    def take(self, least: int, most: int) -> int:
        """Make room for so many providers in all at `most`, as many as can be now; wait where that is not the `least`.

        Returns for how many there is room. Raises as `resize` does.
        """
        self.room.take(self, min(least, self.most), min(most, self.most))
        return self.taken

    def admit(self, count: int) -> None:
        """Take note that it has so many providers, whether there is room for them or not."""
        self.room.admit(self, count)

    def leave(self, kept: int) -> None:
        """Give everything back but what is kept, which takes the room of all others from now on."""
        self.room.leave(self, kept)

    @property
    def limit(self) -> int:
        """How many it may have now: of a batch no more than of late, unless nobody else is in the room."""
        return self.most if self.room.has_only(self) else self.may_want(self.taken)

    def note(self, count: int) -> None:
        """Take note of how many it has now."""
        self.batch = max(self.batch, count) if count and self.taken else count
        self.taken = count

    def may_want(self, count: int) -> int:
        """Return how many it may come to want, having so many, before it gives all of them back."""
        if not self.by_batches:
            return self.most
        return min(self.most, max(self.batch, count)) if self.taken else count


class Room:
    """Room for so many providers in all, of which each test takes what it holds at the moment.

    Nobody waits for ever: a test gets more only where all could still get, one after another, the most that they have
    said they will want (Dijkstra's banker's algorithm). Who holds most is served first, since what it holds is idle
    while it waits, and of those that hold as many who began first.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._turn = threading.Condition()
        self._shares: list[Share] = []
        self._ended: RunEndedError | None = None

    def enter(self, most: int, *, by_batches: bool = False) -> Share:
        """Let a test begin that will hold so many at most, or as many as there are at all."""
        with self._turn:
            share = Share(self, max(0, min(most, self.size)), by_batches)
            self._shares.append(share)
        return share

    def has_only(self, share: Share) -> bool:
        """Tell whether nobody else is in the room."""
        with self._turn:
            return self._shares == [share]

    def give_back(self, share: Share, count: int) -> None:
        """Leave a share no more than so many."""
        with self._turn:
            share.note(count)
            self._serve()

    def take(self, share: Share, least: int, most: int) -> None:
        """Give a share more, as much as can be up to the most, as soon as the least can be."""
        with self._turn:
            if most <= share.taken:
                return
            share.wanted = range(max(least, share.taken), most + 1)
            self._serve()
            if share.taken < least:
                self._turn.wait_for(lambda: share.wanted is None or share.hopeless or self._ended is not None)
            share.wanted, share.hopeless = None, False
            if share.taken >= least:
                return
            if self._ended is not None:
                raise self._ended
            raise NotTestableError("there is no more room for providers: some cannot be destroyed (DESTROY-1)")

    def admit(self, share: Share, count: int) -> None:
        """Let a share be larger than it might be, since its providers are there."""
        with self._turn:
            share.note(max(share.taken, count))

    def leave(self, share: Share, kept: int) -> None:
        """Give a share back, but for what is kept."""
        with self._turn:
            self._shares.remove(share)
            self.size -= kept
            # One at least, which it waits for in vain: that tells why there is nothing to test with.
            for other in self._shares:
                other.most = max(other.taken, min(other.most, max(1, self.size)))
            self._serve()

    def end(self, reason: RunEndedError) -> None:
        """Let nobody wait any longer: the run has ended."""
        with self._turn:
            self._ended = self._ended or reason
            self._turn.notify_all()

    def _serve(self) -> None:
        """Give those that wait what they can have, and tell the last of them when all wait for each other.

        That can only be where refused requests have made providers, or some cannot be destroyed.
        """
        waiting = [share for share in self._shares if share.wanted is not None]
        some_go_on = False
        for share in sorted(waiting, key=lambda share: -share.taken):
            if share.wanted is None or (some_go_on and not share.taken):
                continue
            largest = next((count for count in reversed(share.wanted) if self._is_safe(share, count)), None)
            if largest is not None:
                share.note(largest)
                share.wanted = None
            elif share.taken:
                some_go_on = True
        if waiting and all(share.wanted and share.taken < share.wanted.start for share in self._shares):
            waiting[-1].hopeless = True
        self._turn.notify_all()

    def _is_safe(self, share: Share, count: int) -> bool:
        """Tell whether all could still get the most that they will want, if a share were as large as that."""
        all_taken = [(one, count if one is share else one.taken) for one in self._shares]
        free = self.size - sum(taken for _, taken in all_taken)
        if free < 0:
            return False
        for lacking, taken in sorted((one.may_want(taken) - taken, taken) for one, taken in all_taken):
            if lacking > free:
                return False
            free += taken
        return True
