"""Events survive kills, and the settings of a training come back as they were."""

from __future__ import annotations

import json
import multiprocessing
import sys
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ReadError
from medview.core.resources import resource_path
from medview.ml.recipes.reader import read_recipe
from medview.ml.runs import folder
from medview.ml.runs.clock import process_seconds
from medview.ml.runs.control import LOOK_S, Ask, Control, ask
from medview.ml.runs.events import EventLog, EventTail, read_events, used_seconds
from medview.ml.runs.folder import RunBusyError, RunFolder, RunSettings
from medview.ml.runs.samples import SampleSlice, read_samples, sample_steps, write_found, write_slices
from medview.ml.spec import Task


def settings() -> RunSettings:
    recipe = read_recipe(resource_path("schemas/recipes/example.json").read_bytes())
    return RunSettings(
        Task.SEGMENTATION, recipe, 3, "lungs-segmentation", "lungs", "20260101.1", "2026-01-01T00:00:00+00:00", None, 12.5,
        "cpu", "organs@1.0.0", 4.25, "ab" * 32, "cd" * 32, {"torch": "2"},
    )  # fmt: skip


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_json(run.settings_file, settings().document())
    assert run.settings() == settings()


@pytest.mark.parametrize("text", ["", "[]", '{"format": "MedView training", "version": 1}', '{"version": 99}'])
def test_a_folder_without_a_whole_training_is_one_sentence(tmp_path: Path, text: str) -> None:
    run = RunFolder(tmp_path)
    with pytest.raises(ReadError, match="holds no training"):
        run.settings()
    run.settings_file.write_text(text)
    with pytest.raises(ReadError, match=r"damaged|newer"):
        run.settings()


def test_a_recipe_that_is_not_known_here_is_told_as_a_folder_that_cannot_be_read(
    tmp_path: Path,
) -> None:
    run = RunFolder(tmp_path)
    document = settings().document()
    document["recipe"]["novelty"] = True
    run.write_json(run.settings_file, document)
    with pytest.raises(ReadError, match=f"The recipe of {tmp_path.name} cannot be used here"):
        run.settings()


def test_only_what_is_made_again_is_to_be_deleted_when_it_is_damaged(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for file, advice in ((run.pace, "delete it and resume"), (run.line, "restore it"), (run.settings_file, "restore it")):
        file.write_text("{")
        with pytest.raises(ReadError, match=advice):
            run.read_json(file)


def test_a_line_that_a_kill_tore_is_left_out_and_runs_into_no_other(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.jsonl")
    log.add("stage", name="plan")
    log.add("check", step=4, score=float("nan"))
    log.close()
    path = tmp_path / "events.jsonl"
    path.write_bytes(path.read_bytes() + b'{"kind":"step","us')
    again = EventLog(path, before=used_seconds(read_events(path)) + 100.0)
    again.add("resumed", step=0)
    again.close()
    assert [event["kind"] for event in read_events(path)] == ["stage", "check", "resumed"]
    assert read_events(path)[1]["score"] is None
    assert used_seconds(read_events(path)) >= 100.0


def test_followers_get_every_event_once_and_wait_for_the_rest_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "e"
    tail = EventTail(path)
    assert tail.fresh() == []
    line = json.dumps({"kind": "step", "used": 1, "step": 1}).encode() + b"\n"
    path.write_bytes(line + line[:10])
    assert [event["step"] for event in tail.fresh()] == [1]
    assert tail.fresh() == []
    path.write_bytes(line + line)
    assert len(tail.fresh()) == 1


def _hold(path: str, held: object, done: object) -> None:
    with RunFolder(Path(path)).held():
        held.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]


def test_two_processes_never_train_in_one_folder_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), held, done))
    process.start()
    assert held.wait(60)
    run = RunFolder(tmp_path)
    assert run.busy()
    with pytest.raises(RunBusyError, match="--watch"), run.held():
        pass
    process.kill()
    process.join()
    process.close()
    assert not run.busy()


def test_whoever_trains_waits_for_those_who_only_ask_whether_somebody_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, tries = folder._lock, []

    def asked_meanwhile(descriptor: int) -> bool:
        tries.append(descriptor)
        return len(tries) > 2 and lock(descriptor)

    monkeypatch.setattr(folder, "_lock", asked_meanwhile)
    with pytest.raises(RunBusyError), RunFolder(tmp_path).held():
        pass
    with RunFolder(tmp_path).held(patience_s=60.0):
        assert len(tries) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is only one kind of lock")
def test_who_asks_whether_somebody_trains_is_not_taken_for_one_who_does(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with (tmp_path / "lock").open("a+b") as opened:
        # Held by one who asks, at this moment.
        assert folder._lock(opened.fileno(), alone=False)
        assert not run.busy()


def test_who_asks_whether_somebody_trains_writes_nothing_and_needs_no_right_to(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert not run.busy()
    assert not list(tmp_path.iterdir())
    with run.held():
        pass
    (tmp_path / "lock").chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert not run.busy()
    finally:
        tmp_path.chmod(0o755)
        (tmp_path / "lock").chmod(0o644)
    with run.held():
        assert run.busy()


def test_a_process_knows_how_long_it_runs() -> None:
    first = process_seconds()
    assert 0.0 < first <= process_seconds()


def test_what_is_asked_of_a_training_is_seen_once_a_second_and_gone_when_it_was_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, now = RunFolder(tmp_path), [100.0]
    monkeypatch.setattr("medview.ml.runs.control.time.monotonic", lambda: now[0])
    control = Control(run)
    assert not control.pause
    ask(run, Ask.PAUSE)
    now[0] += LOOK_S / 2
    assert not control.pause
    now[0] += LOOK_S / 2
    assert control.pause
    assert not control.stop
    control.obeyed()
    assert not run.control.exists()
    assert not control.pause


@pytest.mark.parametrize("text", ["", "[]", '{"ask": "dance"}', '{"ask": 3}'])
def test_what_nobody_understands_asks_for_nothing(tmp_path: Path, text: str) -> None:
    run = RunFolder(tmp_path)
    run.control.write_text(text)
    control = Control(run)
    assert (control.pause, control.stop) == (False, False)


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert read_samples(run) is None
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    one = SampleSlice("case_0003", 7, 1.5, grey, np.eye(3, 4, dtype=np.uint8))
    write_slices(run, [one])
    for step, value in ((4, 1), (12, 2)):
        write_found(run, step, [np.full((3, 4), value, dtype=np.uint8)])
    assert sample_steps(run) == (4, 12)
    last, first = read_samples(run), read_samples(run, 4)
    assert last is not None
    assert first is not None
    assert (last.step, first.step) == (12, 4)
    assert (last.slices[0].key, last.slices[0].k, last.slices[0].aspect) == ("case_0003", 7, 1.5)
    assert np.array_equal(last.slices[0].grey, grey)
    assert int(first.found[0][0, 0]) == 1
    whole = (run.samples / "000000012.npz").read_bytes()
    for damaged in (b"PK", b"", whole[: len(whole) // 2]):
        (run.samples / "000000012.npz").write_bytes(damaged)
        with pytest.raises(ReadError, match="samples"):
            read_samples(run)
