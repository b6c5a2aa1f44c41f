from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import CancelledError, MedViewError, ReadError
from medview.io import batches, shared_block
from medview.io.reader_pool import InlinePool, ReaderPool
from medview.io.shared_block import SharedBlock
from tests.helpers import reader_tasks as tasks
from tests.helpers.timing import allowed_s, typical_of


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(size=2)
    pool.start()
    yield pool
    pool.close()


def test_a_value_and_a_medview_error_come_back(pool: ReaderPool) -> None:
    assert pool.call(tasks.double, "a.dcm", 21) == 42
    with pytest.raises(ReadError, match="this one is bad"):
        pool.call(tasks.refuse, "a.dcm")


@pytest.mark.parametrize("task", [tasks.abort, tasks.segfault, tasks.leave, tasks.end_politely])
def test_a_process_that_dies_costs_its_file_only(pool: ReaderPool, task: object) -> None:
    with pytest.raises(ReadError, match=r"killer\.dcm could not be read: it brought the reader process down"):
        pool.call(task, "killer.dcm")  # type: ignore[arg-type]
    assert pool.call(tasks.double, "a.dcm", 4) == 8


def test_a_panic_that_is_no_exception_is_one_sentence(pool: ReaderPool) -> None:
    with pytest.raises(ReadError, match=r"rust\.dcm could not be read") as caught:
        pool.call(tasks.panic, "rust.dcm")
    assert "Doe" not in caught.value.sentence + caught.value.detail
    with pytest.raises(ReadError, match=r"rust\.dcm could not be read"):
        InlinePool().call(tasks.panic, "rust.dcm")


def test_an_answer_that_cannot_be_sent_is_one_sentence(pool: ReaderPool) -> None:
    with pytest.raises(ReadError, match=r"odd\.dcm could not be read") as caught:
        pool.call(tasks.unsendable, "odd.dcm")
    assert "while answering" in caught.value.detail


def test_a_file_that_takes_too_long_is_given_up(pool: ReaderPool) -> None:
    began = time.monotonic()
    with pytest.raises(ReadError, match=r"slow\.dcm could not be read: it took too long"):
        pool.call(tasks.spin, "slow.dcm", timeout_s=0.3)
    assert time.monotonic() - began < allowed_s(5.0)
    assert pool.call(tasks.double, "a.dcm", 1) == 2


def test_a_file_that_wants_all_memory_is_one_sentence() -> None:
    pool = ReaderPool(size=1, memory_bytes=400 << 20)
    try:
        with pytest.raises(ReadError, match=r"big\.dcm needs more memory than one file may take"):
            pool.call(tasks.hoard, "big.dcm", 1 << 30)
        assert pool.call(tasks.double, "a.dcm", 1) == 2
    finally:
        pool.close()


def test_items_run_side_by_side_and_one_killer_among_them_is_alone(pool: ReaderPool) -> None:
    items = [(f"{n}.dcm", n) for n in range(20)]
    outcomes = dict(pool.each(tasks.double_or_die, items))
    assert sorted(outcomes) == list(range(20))
    assert isinstance(outcomes[13], ReadError)
    assert {n: v for n, v in outcomes.items() if n != 13} == {n: 2 * n for n in range(20) if n != 13}


def test_one_file_that_hangs_in_a_batch_is_given_up_alone(pool: ReaderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    pool.call(tasks.double, "a.dcm", 1)
    monkeypatch.setattr(batches, "FILE_TIMEOUT_S", 0.5)
    items = [(f"{n}.dcm", n) for n in range(20)]
    outcomes = dict(batches.each_in_batches(pool, tasks.double_or_spin, items, 16))
    assert sorted(outcomes) == list(range(20))
    assert isinstance(outcomes[13], ReadError)
    assert outcomes[13].sentence == "13.dcm could not be read: it took too long."
    assert {n: v for n, v in outcomes.items() if n != 13} == {n: 2 * n for n in range(20) if n != 13}


def test_items_are_sent_in_the_order_that_is_asked_for_when_a_reader_is_free(pool: ReaderPool) -> None:
    order = [3, 0, 4, 1, 2]
    for either in (pool, InlinePool()):
        following = iter(order)
        items = [(f"{n}.dcm", n) for n in range(5)]
        found = dict(either.each(tasks.double, items, pick=lambda: next(following)))  # noqa: B023 - used up in this turn
        assert found == {n: 2 * n for n in range(5)}
        assert list(following) == []


def test_who_waits_for_a_reader_that_another_keeps_busy_can_be_cancelled() -> None:
    pool = ReaderPool(size=1)
    stopped = threading.Event()

    def until_stopped() -> None:
        if stopped.is_set():
            raise CancelledError

    def keep_busy() -> None:
        with contextlib.suppress(CancelledError):
            list(pool.each(tasks.spin, [("long.nii",)], 100.0, until_stopped))

    def give_up() -> None:
        if time.monotonic() - began > 0.3:
            raise CancelledError

    try:
        pool.call(tasks.double, "a.dcm", 1)
        busy = threading.Thread(target=keep_busy)
        busy.start()
        while pool.process_ids():
            assert busy.is_alive()
        began = time.monotonic()
        with pytest.raises(CancelledError):
            list(pool.each(tasks.double, [("b.dcm", 1)], while_waiting=give_up))
        assert time.monotonic() - began < allowed_s(3.0)
        stopped.set()
        busy.join()
    finally:
        pool.close()


def test_two_threads_share_the_readers(pool: ReaderPool) -> None:
    def seconds_waited() -> float:
        results: list[int] = []
        long = threading.Thread(target=lambda: results.extend(v for _, v in pool.each(tasks.nap, [("a", 0.02)] * 40)))
        long.start()
        began = time.monotonic()
        assert pool.call(tasks.double, "quick.dcm", 3) == 6
        waited = time.monotonic() - began
        long.join()
        assert len(results) == 40
        return waited

    assert typical_of(seconds_waited) < allowed_s(0.4)


def test_an_iterator_left_early_leaves_the_pool_usable(pool: ReaderPool) -> None:
    for index, _ in pool.each(tasks.nap, [("a", 0.01)] * 10):
        if index >= 2:
            break
    assert [pool.call(tasks.double, "a", n) for n in range(6)] == [0, 2, 4, 6, 8, 10]


def test_cancel_reaches_a_task_that_would_take_minutes(pool: ReaderPool) -> None:
    def stop() -> None:
        if time.monotonic() - began > 0.3:
            raise CancelledError

    pool.call(tasks.double, "a", 1)
    began = time.monotonic()
    with pytest.raises(CancelledError):
        list(pool.each(tasks.spin, [("a.nii",)], timeout_s=100.0, while_waiting=stop))
    assert time.monotonic() - began < allowed_s(3.0)
    assert pool.call(tasks.double, "a", 2) == 4


def test_readers_killed_at_random_are_replaced(pool: ReaderPool) -> None:
    failed = 0
    for n in range(12):
        for pid in pool.process_ids()[:1]:
            os.kill(pid, signal.SIGKILL)
        try:
            assert pool.call(tasks.double, "a.dcm", n) == 2 * n
        except MedViewError:
            failed += 1
    # One killed while idle is noticed when its task is sent or answered; the next task has a fresh process.
    assert pool.call(tasks.double, "a.dcm", 7) == 14
    assert failed <= 12


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to send")
def test_a_reader_killed_before_it_took_its_task_up_costs_nothing() -> None:
    pool = ReaderPool(size=1)
    try:
        assert pool.call(tasks.double, "a.dcm", 1) == 2
        (reader,) = pool.process_ids()
        os.kill(reader, signal.SIGSTOP)
        killed: list[int] = []

        def kill() -> None:
            if not killed:
                killed.append(reader)
                os.kill(reader, signal.SIGKILL)

        ((index, value),) = pool.each(tasks.double, [("b.dcm", 21)], while_waiting=kill)
        assert (index, value) == (0, 42)
        assert killed
        assert pool.process_ids() != killed
    finally:
        pool.close()


def test_a_closed_pool_says_so() -> None:
    pool = ReaderPool(size=1)
    pool.close()
    with pytest.raises(ReadError, match="closed"):
        pool.call(tasks.double, "a", 1)


def test_a_block_lives_as_long_as_a_view_of_it_and_no_longer() -> None:
    block = SharedBlock.allocate((3, 4, 5), np.int16)
    handle = block.handle
    other = SharedBlock.attach(handle)
    other.array[...] = 7
    view = block.array[1:, 2]
    del block
    assert (view == 7).all()
    del view, other
    with pytest.raises(ReadError, match="was closed"):
        SharedBlock.attach(handle)


@pytest.mark.parametrize("share", [1.0, 0.0], ids=["memory", "file"])
def test_who_comes_late_never_gets_at_the_block_that_took_the_place_of_his(
    monkeypatch: pytest.MonkeyPatch, pool: ReaderPool, share: float
) -> None:
    monkeypatch.setattr(shared_block, "MEMORY_SHARE", share)
    block = SharedBlock.allocate((3, 4, 5), np.int16)
    late = block.handle
    del block
    larger = SharedBlock.allocate((6, 4, 5), np.int16)
    if sys.platform == "linux":
        # The number of the descriptor is given again.
        assert larger.handle.place == late.place
    with pytest.raises(ReadError, match="was closed"):
        SharedBlock.attach(late)
    with pytest.raises(ReadError, match="was closed"):
        pool.call(tasks.fill_block, "a.dcm", late)
    assert not larger.array.any()
    pool.call(tasks.fill_block, "a.dcm", larger.handle)
    assert (larger.array[5] == 6).all()


def test_a_large_block_is_mapped_from_a_file_that_has_no_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pool: ReaderPool
) -> None:
    monkeypatch.setattr(shared_block, "MEMORY_SHARE", 0.0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    block = SharedBlock.allocate((3, 40, 50), np.int16)
    assert list(tmp_path.iterdir()) == []
    pool.call(tasks.fill_block, "a.dcm", block.handle)
    np.testing.assert_array_equal(block.array[2], np.full((40, 50), 3))


def test_a_block_nobody_has_room_for_is_one_sentence() -> None:
    with pytest.raises(ReadError, match="there is no room"):
        SharedBlock.allocate((1 << 20, 1 << 20, 1 << 10), np.int16)
