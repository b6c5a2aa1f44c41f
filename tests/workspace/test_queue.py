"""The queue of models as a value."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace

import pytest

from medview.core.study import Frame, Series, Verdict, VolumeEntry
from medview.store.queue_book import QueueRow
from medview.workspace.queue import Queue, QueueTask, SeriesPlace, TaskState, tasks_of
from medview.workspace.requests_queue import task_of
from tests.helpers.timing import allowed_s, typical_of


def place(number: int) -> SeriesPlace:
    return SeriesPlace(f"1.2.{number}", "1.2", "CT", f"series {number}", (3, 4, 5), (f"/data/{number}/a.dcm",))


def queue(*models: str, places: int = 2) -> Queue:
    return Queue().added(tasks_of(models, [place(n) for n in range(places)]))


def states(one: Queue) -> list[str]:
    return [task.state.value for task in one.tasks]


def test_all_models_of_a_series_follow_each_other() -> None:
    order = [(task.place.series_uid, task.model) for task in queue("a@1", "b@1").tasks]
    assert order == [("1.2.0", "a@1"), ("1.2.0", "b@1"), ("1.2.1", "a@1"), ("1.2.1", "b@1")]


def test_what_waits_is_not_asked_for_twice_and_what_is_over_gives_way() -> None:
    one = queue("a@1")
    first, second = one.tasks
    one = one.with_task(replace(first, state=TaskState.FAILED, sentence="no"))
    again = one.added(tasks_of(["a@1"], [place(0), place(1)]))
    assert [(t.place.series_uid, t.state) for t in again.tasks] == [
        ("1.2.1", TaskState.WAITING),
        ("1.2.0", TaskState.WAITING),
    ]
    assert again.tasks[0] == second


def test_what_is_asked_first_goes_before_what_waits_and_behind_what_runs() -> None:
    one = queue("a@1", places=3)
    one = one.with_task(replace(one.tasks[0], state=TaskState.RUNNING))
    one = one.added([QueueTask("b@1", place(7))], first=True)
    assert [task.model for task in one.tasks] == ["a@1", "b@1", "a@1", "a@1"]


def test_cancelling_touches_only_what_waits() -> None:
    one = queue("a@1", places=3)
    one = one.with_task(replace(one.tasks[0], state=TaskState.RUNNING))
    assert states(one.cancelled()) == ["running", "cancelled", "cancelled"]
    assert states(one.cancelled([one.tasks[2].task_uid])) == ["running", "waiting", "cancelled"]


def test_failed_tasks_wait_again_behind_the_others_and_may_change_the_device() -> None:
    one = queue("a@1", places=3)
    failed = replace(one.tasks[0], state=TaskState.FAILED, sentence="no memory", attempts=2)
    one = one.with_task(failed).with_task(replace(one.tasks[1], state=TaskState.SKIPPED))
    again = one.retried(device="cpu")
    assert states(again) == ["skipped", "waiting", "waiting"]
    last = again.tasks[-1]
    assert (last.task_uid, last.sentence, last.attempts, last.device) == (failed.task_uid, "", 0, "cpu")


@pytest.mark.parametrize(("steps", "order"), [(-1, "0213"), (-9, "0213"), (1, "0132"), (9, "0132")])
def test_a_waiting_task_moves_among_the_waiting_ones_only(steps: int, order: str) -> None:
    one = queue("a@1", places=4)
    one = one.with_task(replace(one.tasks[0], state=TaskState.RUNNING))
    moved = one.moved(one.tasks[2].task_uid, steps)
    assert "".join(task.place.series_uid[-1] for task in moved.tasks) == order
    assert one.moved(one.tasks[0].task_uid, 1) == one


def test_after_a_restart_what_ran_waits_again_unless_it_ended_the_program_twice() -> None:
    one = queue("a@1", places=2)
    once = replace(one.tasks[0], state=TaskState.RUNNING, attempts=1)
    twice = replace(one.tasks[1], state=TaskState.RUNNING, attempts=2)
    went_on = one.with_task(once).with_task(twice).after_a_restart()
    assert states(went_on) == ["waiting", "failed"]
    assert "ended 2 times" in went_on.tasks[1].sentence


def test_a_place_survives_its_document_and_finds_its_volume() -> None:
    one = place(3)
    assert SeriesPlace.read(json.loads(json.dumps(asdict(one)))) == one

    def entry(shape: tuple[int, int, int], path: str) -> VolumeEntry:
        return VolumeEntry(Verdict.VOLUME, (), None, shape, (Frame(path),))

    other, alike, own = entry((9, 4, 5), "/data/3/a.dcm"), entry((3, 4, 5), "/b.dcm"), entry((3, 4, 5), "/data/3/a.dcm")
    series = Series("1.2.3", "1.2", volumes=(other, alike, own))
    assert one.entry_in([Series("1.2.9", "1.2", volumes=(own,)), series]) == (series, own)
    moved = Series("1.2.3", "1.2", volumes=(other, alike))
    assert one.entry_in([moved]) == (moved, alike)
    assert one.entry_in([Series("1.2.9", "1.2", volumes=(own,))]) is None


@pytest.mark.parametrize("series", ["[]", "{}", '{"place": {"shape_kji": [1, 2]}}', '{"place": 7}', "nonsense"])
def test_a_damaged_row_is_left_out(series: str) -> None:
    assert task_of(QueueRow("a" * 32, 0, "a@1", series, "waiting")) is None


def test_a_thousand_tasks_of_a_thousand_slices_are_added_and_changed_at_once() -> None:
    slices = tuple(f"/data/a/long/folder/slice-{k:04d}.dcm" for k in range(1000))
    places = [replace(place(n), paths=tuple(f"{n}{path}" for path in slices)) for n in range(50)]
    models = [f"model-{n}@1" for n in range(20)]

    def seconds() -> float:
        began = time.perf_counter()
        one = Queue().added(tasks_of(models, places))
        assert len(one.added(tasks_of(models, places)).tasks) == 1000
        one.with_task(replace(one.tasks[500], state=TaskState.DONE))
        return time.perf_counter() - began

    assert typical_of(seconds) < allowed_s(0.3)
