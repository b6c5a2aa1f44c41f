"""A training makes the steps that were planned, keeps the best, and ends where it would have ended without a break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load

from medview.core.errors import CancelledError, DeviceError, DiskFullError, ModelError
from medview.ml.packs import copy_pack, load_pack
from medview.ml.runs import control
from medview.ml.runs.control import Ask, ask
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from medview.ml.training.classification.task import ClassificationTask
from medview.ml.training.engine import checkpoint, pace, resources
from medview.ml.weights import load_network
from tests.helpers.timing import allowed_s
from tests.ml.training.engine.pictures import new_run, train, weights


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def asked_after(steps: int) -> Any:
    """Return what asks for a break before the given step; it is asked once for each."""
    calls = count(1)
    return lambda: next(calls) >= steps


def kinds(run: RunFolder, kind: str) -> list[Any]:
    return [event for event in read_events(run.events) if event["kind"] == kind]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A training nobody interrupts."""
    torch.set_num_threads(1)
    run = new_run(tmp_path_factory.mktemp("whole") / "run")
    outcome = train(run)
    assert (outcome.steps, outcome.reason) == (12, "steps")
    return run


def test_the_planned_steps_are_made_and_what_came_out_runs(whole: RunFolder) -> None:
    assert [event["step"] for event in kinds(whole, "check")] == [4, 8, 12]
    assert kinds(whole, "step")[-1]["step"] == 12
    assert [event["name"] for event in kinds(whole, "stage")] == ["plan", "prepare", "train", "finish"]
    pack = load_pack(whole.pack)
    assert (pack.spec.id, pack.spec.version) == ("tiny", "1")
    with torch.no_grad():
        assert load_network(pack)(torch.zeros(1, 1, 1, 16, 16)).shape == (1, 2)
    assert len(list(whole.checkpoints.iterdir())) == 2
    assert list(whole.tensorboard.iterdir())


def test_the_best_look_at_validation_is_what_is_kept(whole: RunFolder) -> None:
    looks = kinds(whole, "check")
    best = max(looks, key=lambda look: (look["score"], look["step"]))
    state = checkpoint.load_last(whole.checkpoints)
    assert state is not None
    assert state.best_step == best["step"]
    assert state.best_figures is not None
    assert state.best_figures["score"] == pytest.approx(best["score"])


def test_kernels_are_kept_in_half_precision_unless_a_recipe_wants_all_of_it(whole: RunFolder, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", options={"full_weights": True})
    train(run)
    half, full = load(weights(whole)), load(weights(run))
    assert {half[name].dtype for name in half if half[name].ndim > 1} == {torch.float16}
    assert {half[name].dtype for name in half if half[name].ndim == 1} == {torch.float32}
    assert {full[name].dtype for name in full if full[name].ndim > 1} == {torch.float32}
    assert all(torch.equal(full[name].to(half[name].dtype), half[name]) for name in full)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(whole: RunFolder, tmp_path: Path) -> None:
    again, other = new_run(tmp_path / "again"), new_run(tmp_path / "other", seed=2)
    train(again)
    train(other)
    assert weights(again) == weights(whole)
    assert weights(other) != weights(whole)


@pytest.mark.parametrize("steps", [1, 4, 7])
def test_a_training_goes_on_after_a_break_as_if_there_had_been_none(whole: RunFolder, tmp_path: Path, steps: int) -> None:
    run = new_run(tmp_path / "run")
    with pytest.raises(CancelledError, match=f"stopped at step {steps}; go on with medview train --run run"):
        train(run, asked_after(steps))
    train(run)
    assert weights(run) == weights(whole)
    assert kinds(run, "resumed")[0]["step"] == steps
    assert [event["step"] for event in kinds(run, "check")] == [4, 8, 12]


@pytest.mark.parametrize(
    "optimiser",
    [
        {"name": "sgd", "rate": 0.01, "momentum": 0.9, "nesterov": True},
        {"name": "adagrad", "rate": 0.01},
        {"name": "rmsprop", "rate": 0.001, "momentum": 0.5},
    ],
    ids=lambda choice: choice["name"],
)
def test_every_optimiser_goes_on_as_it_was(tmp_path: Path, optimiser: dict[str, Any]) -> None:
    whole, broken = (new_run(tmp_path / name, steps=5, optimiser=optimiser) for name in ("whole", "broken"))
    train(whole)
    with pytest.raises(CancelledError):
        train(broken, asked_after(3))
    train(broken)
    assert weights(broken) == weights(whole)


def test_a_damaged_last_checkpoint_gives_way_to_the_one_before(whole: RunFolder, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    with pytest.raises(CancelledError):
        train(run, asked_after(9))
    before, last = sorted(run.checkpoints.iterdir())
    data = bytearray(last.read_bytes())
    data[len(data) // 2] ^= 255
    last.write_bytes(data)
    train(run)
    assert kinds(run, "resumed")[0]["step"] == int(before.stem.removeprefix("step-")) < 9
    assert weights(run) == weights(whole)


def test_without_any_whole_checkpoint_it_begins_anew(whole: RunFolder, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    with pytest.raises(CancelledError):
        train(run, asked_after(5))
    for file in run.checkpoints.iterdir():
        file.write_bytes(file.read_bytes()[:1000])
    train(run)
    assert weights(run) == weights(whole)
    # Whoever draws curves is told that steps are made again from the first on.
    assert [event["step"] for event in kinds(run, "resumed")] == [0]


def test_what_is_done_is_not_done_again(whole: RunFolder, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run")
    train(run)
    before = len(kinds(run, "step"))
    outcome = train(run)
    assert (outcome.steps, outcome.reason) == (12, "steps")
    assert len(kinds(run, "step")) == before
    assert weights(run) == weights(whole)


def test_training_stops_when_validation_gets_no_better(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", steps=400, check_every=2, patience=3, optimiser={"name": "sgd", "rate": 1e-8})
    outcome = train(run)
    assert (outcome.reason, outcome.steps) == ("patience", 8)


class Exploding(ClassificationTask):
    """Its third loss is no number."""

    def __init__(self) -> None:
        self.calls = 0

    def loss(self, *given: Any) -> dict[str, torch.Tensor]:
        self.calls += 1
        parts = super().loss(*given)
        # The trial before the first step asks for it as well.
        return {"loss": parts["loss"] * float("nan")} if self.calls > 10 else parts


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no number any longer at step"):
        train(new_run(tmp_path / "run"), task=Exploding())


def test_a_training_ends_within_its_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LEAST_FINAL_S", 1.0)
    run = new_run(tmp_path / "run", minutes=0.1, steps=1, check_every=1000)
    outcome = train(run)
    planned = run.read_json(run.pace)
    assert planned is not None
    assert outcome.steps <= planned["steps"]
    assert outcome.steps > 12
    assert outcome.seconds < allowed_s(6.0)
    # However it ended, the last weights were looked at.
    assert kinds(run, "check")[-1]["step"] == outcome.steps
    # A second life plans nothing anew.
    assert train(run).steps == outcome.steps


def test_a_computer_that_became_slower_ends_in_time_with_what_it_has(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", minutes=1.0)
    planned = pace.Pace(100_000, 50_000, pace.FULL, 1e-4, 0.1, deadline_seconds=1.0)
    run.write_json(run.pace, planned.document())
    outcome = train(run)
    assert outcome.reason == "time"
    assert outcome.steps < 50_000
    assert [event["step"] for event in kinds(run, "check")] == [outcome.steps]
    assert outcome.best_step == outcome.steps


def test_a_recipe_may_ask_for_half_precision(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", options={"precision": "half"}, steps=4)
    train(run)
    planned = run.read_json(run.pace)
    assert planned is not None
    assert planned["precision"] == "bf16-mixed"
    assert kinds(run, "check")[-1]["score"] > 0.0


def test_too_little_time_is_said_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="too short"):
        train(new_run(tmp_path / "run", minutes=0.01))


def test_a_full_disk_and_a_small_memory_are_said_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(resources, "SPARE_BYTES", 1 << 60)
        with pytest.raises(DiskFullError, match="are free where run is"):
            train(new_run(tmp_path / "run"))
    monkeypatch.setattr(resources, "free_memory_bytes", lambda: 1 << 20)
    with pytest.raises(DeviceError, match="smaller batch"):
        train(new_run(tmp_path / "other" / "run"))
    assert not (tmp_path / "other" / "run" / "cache").exists()


def test_a_training_begins_with_the_weights_of_its_parent(whole: RunFolder, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", steps=1, average=0.0, optimiser={"name": "sgd", "rate": 1e-8})
    copy_pack(load_pack(whole.pack), run.parent)
    train(run, settings=replace(run.settings(), parent="tiny@1"))
    theirs, own = (load_network(load_pack(one.pack)).state_dict() for one in (whole, run))
    kernels = [name for name, tensor in theirs.items() if tensor.ndim == 4]
    assert all(torch.allclose(theirs[name], own[name], atol=1e-3) for name in kernels)
    # Its sizes are the parent's, whatever the recipe would plan.
    other = new_run(tmp_path / "other", steps=1, network_options={"width": 24})
    copy_pack(load_pack(whole.pack), other.parent)
    train(other, settings=replace(other.settings(), parent="tiny@1"))
    assert load_pack(other.pack).spec.network == load_pack(whole.pack).spec.network


def test_whoever_has_enough_before_anything_was_learnt_gets_no_model_of_a_step(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", steps=1000, check_every=400)
    ask(run, Ask.STOP)
    with pytest.raises(ModelError, match="no steps to keep"):
        train(run)
    assert not run.control.exists()
    assert not run.pack.exists()
    assert not run.checkpoints.exists()


def test_whoever_has_enough_of_it_gets_the_best_weights_so_far_as_a_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LOOK_S", 0.0)
    run = new_run(tmp_path / "run", steps=1000, check_every=4)
    after = asked_after(5)

    def enough() -> bool:
        if after():
            ask(run, Ask.STOP)
        return False

    outcome = train(run, enough)
    assert (outcome.steps, outcome.reason) == (5, "ended early")
    assert outcome.best_step in (4, 5)
    assert not run.control.exists()
    assert kinds(run, "stopped")[-1]["reason"] == "ended early"
    assert load_pack(run.pack).spec.id == "tiny"
    kept = weights(run)
    # It is over: who starts it again gets the same, and no further step.
    assert train(run).steps == 5
    assert weights(run) == kept
