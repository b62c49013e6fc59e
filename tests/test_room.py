"""Room for providers, shared out among tests that run side by side: never too much, and nobody waits for ever."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from provider_conformance.errors import NotTestableError, RunEndedError
from provider_conformance.room import Room, Share

SIZE = 8
SHORT = 0.05


def asked_for(share: Share, count: int) -> Future[None]:
    """Ask for room in another thread, and give that long enough to get it or to wait for it."""
    asked = Future[None]()

    def ask() -> None:
        try:
            share.resize(count)
            asked.set_result(None)
        except (NotTestableError, RunEndedError) as reason:
            asked.set_exception(reason)

    threading.Thread(target=ask, daemon=True).start()
    time.sleep(SHORT)
    return asked


def test_what_is_free_is_given_at_once_and_what_is_not_when_it_is_given_back() -> None:
    room = Room(SIZE)
    first, second = room.enter(6), room.enter(4)
    first.resize(6)
    asked = asked_for(second, 3)
    assert not asked.done()
    first.resize(4)
    asked.result(10)
    assert (first.taken, second.taken) == (4, 3)


def test_nobody_gets_what_another_might_need_to_end() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE), room.enter(SIZE)
    first.resize(4)
    # There is room for one more, but then neither could get all that it may want.
    asked = asked_for(second, 1)
    assert not asked.done()
    first.resize(SIZE)
    first.resize(0)
    asked.result(10)


@pytest.mark.parametrize("held", [0, 1])
def test_who_holds_most_goes_first(held: int) -> None:
    room = Room(SIZE)
    earlier, later, other = room.enter(3), room.enter(5), room.enter(4)
    earlier.resize(held)
    later.resize(3)
    other.resize(4)
    asked_first = asked_for(earlier, 3)
    asked = asked_for(later, 5)
    other.resize(2)
    asked.result(10)
    assert not asked_first.done()
    later.leave(0)
    asked_first.result(10)


def test_no_more_is_wanted_than_was_said() -> None:
    share = Room(SIZE).enter(3)
    share.resize(5)
    assert share.taken == 3


def test_whoever_can_do_with_less_gets_what_is_free() -> None:
    room = Room(SIZE)
    first, second = room.enter(5), room.enter(SIZE)
    first.resize(5)
    assert second.take(1, 6) == 3
    assert second.take(2, 6) == 3, "it has that already, and there is no more"
    first.resize(0)
    assert second.take(1, 6) == 6
    assert second.take(1, 2 * SIZE) == SIZE


def test_whoever_can_do_with_less_waits_for_the_least() -> None:
    room = Room(SIZE)
    first, second = room.enter(6), room.enter(SIZE)
    first.resize(6)
    asked = Future[int]()
    threading.Thread(target=lambda: asked.set_result(second.take(3, SIZE)), daemon=True).start()
    time.sleep(SHORT)
    assert not asked.done()
    first.leave(0)
    assert asked.result(10) == SIZE


def test_who_holds_batches_keeps_nobody_waiting_for_more_than_it_took() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE, by_batches=True), room.enter(SIZE, by_batches=True)
    assert first.take(1, 4) == 4
    assert second.take(1, SIZE) == 4, "each of them can end with what it has"


def test_a_batch_is_as_large_as_it_was_until_all_of_it_is_given_back() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE, by_batches=True), room.enter(6)
    first.resize(6)
    first.resize(3)
    # It may come to want six again, and the other has said that it may want as many.
    asked = asked_for(second, 5)
    assert not asked.done()
    first.resize(6)
    first.resize(0)
    asked.result(10)
    assert first.take(1, SIZE) == SIZE - 5


def test_a_batch_may_grow_where_nobody_else_is() -> None:
    room = Room(SIZE)
    first = room.enter(SIZE, by_batches=True)
    first.resize(4)
    assert first.limit == SIZE
    room.enter(SIZE, by_batches=True)
    assert first.limit == 4


def test_a_batch_is_never_larger_than_what_is_left_of_the_room() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE, by_batches=True), room.enter(2)
    first.resize(SIZE)
    first.resize(3)
    second.resize(2)
    second.leave(2)
    first.resize(4)
    assert (room.size, first.taken) == (SIZE - 2, 4)


def test_what_is_kept_is_room_that_others_do_not_have() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE), room.enter(SIZE)
    first.resize(3)
    first.leave(3)
    assert second.most == SIZE - 3
    assert room.enter(SIZE).most == SIZE - 3


def test_where_all_is_kept_nobody_who_runs_may_hold_none_and_each_is_told_why_there_is_no_room() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE), room.enter(SIZE)
    first.resize(SIZE)
    first.leave(SIZE)
    assert second.most == 1
    with pytest.raises(NotTestableError, match="no more room"):
        second.take(1, SIZE)


def test_whoever_is_told_to_wait_for_those_that_wait_too_gives_up() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE), room.enter(SIZE)
    # Refused requests have made providers, so that there is less room than anybody could know.
    first.admit(5)
    second.admit(3)
    asked = [asked_for(share, SIZE) for share in (first, second)]
    with pytest.raises(NotTestableError, match="no more room"):
        asked[1].result(10)
    second.leave(0)
    asked[0].result(10)


def test_the_end_of_a_run_ends_all_waiting() -> None:
    room = Room(SIZE)
    first, second = room.enter(SIZE), room.enter(SIZE)
    first.resize(SIZE)
    asked = asked_for(second, 1)
    room.end(RunEndedError("over"))
    with pytest.raises(RunEndedError, match="over"):
        asked.result(10)


@pytest.mark.parametrize("seed", range(5))
def test_many_that_want_much_all_end_and_never_have_too_much(seed: int) -> None:
    room, turn = Room(SIZE), threading.Lock()
    held: dict[int, int] = {}
    most_held = 0

    def work(number: int) -> None:
        nonlocal most_held
        chance = random.Random(f"{seed} {number}")
        share = room.enter(most := chance.randint(1, SIZE), by_batches=(by_batches := number % 3 == 0))
        for _ in range(30):
            count = chance.randint(0, (share.batch or most) if by_batches else most)
            if chance.randint(0, 1):
                count = share.take(min(1, count), count)
            elif count < share.taken:
                held[number] = count
            share.resize(count)
            with turn:
                held[number] = count
                most_held = max(most_held, sum(held.values()))
        held[number] = 0
        share.leave(0)

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(work, number) for number in range(48)]:
            done.result(60)
    assert 0 < most_held <= SIZE
