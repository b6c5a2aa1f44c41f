"""Two processes that share every batch learn what one learns."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from medview.core.errors import DeviceError, ModelError
from medview.core.job import Inline
from medview.ml.packs import copy_pack, load_pack
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from medview.ml.training.engine.processes import Processes
from medview.ml.training.engine.train import Training, device_of, event_log
from tests.ml.training.engine.pictures import examples, new_run, train, weights

ROOT = Path(__file__).resolve().parents[4]


def train_by_two(run: RunFolder) -> None:
    """Train as ``torchrun --nproc-per-node 2`` does, without its launcher."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "-m", "tests.ml.training.engine.by_two", str(run.path), str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked, and there is no fork here")
def test_two_processes_come_to_what_one_comes_to(tmp_path: Path) -> None:
    # No chance in the network, and no half of it frozen in averages: what differs is how sums are rounded.
    changes = {"network_options": {"dropout": 0.0}, "batch": 7, "optimiser": {"name": "sgd", "rate": 0.05}, "steps": 9}
    torch.set_num_threads(1)
    alone, together = new_run(tmp_path / "alone", **changes), new_run(tmp_path / "together", **changes)
    train(alone)
    train_by_two(together)
    one, two = ([e for e in read_events(run.events) if e["kind"] == "check"] for run in (alone, together))
    assert [look["step"] for look in two] == [look["step"] for look in one]
    assert abs(one[-1]["log_loss"] - two[-1]["log_loss"]) < 0.05
    a, b = load(weights(alone)), load(weights(together))
    far = max(float((a[name] - b[name]).abs().max() / a[name].abs().max()) for name in a if a[name].ndim == 4)
    assert far < 0.1
    assert len(list(together.checkpoints.iterdir())) <= 2


def test_more_processes_than_samples_in_a_batch_are_refused(tmp_path: Path) -> None:

    run = new_run(tmp_path / "run", batch=1)

    class Crowd(Processes):
        """Eight on paper."""

        def meet(self, device: torch.device) -> None:
            """Nobody is there."""

        def wait(self) -> None:
            """Nobody is there."""

        def told(self, value: object) -> object:
            """Nobody is there."""
            return value

    crowd = Crowd(0, 8, 0, 8)
    with event_log(run, run.settings(), crowd) as events, pytest.raises(ModelError, match="8 processes cannot share"):
        Training(run, run.settings(), examples(), Inline(), lambda: False).carry_out(crowd, events)


def test_every_process_has_a_graphics_card_of_its_own_before_they_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", done.append)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, timeout: done.append(backend))
    second = Processes(1, 3, 1, 3)
    device = device_of("auto", second)
    second.meet(device)
    assert done == [torch.device("cuda", 1), "nccl"]
    for wanted in ("auto", "cuda"):
        with pytest.raises(DeviceError, match="3 processes are started on a computer with 2 graphics cards"):
            device_of(wanted, Processes(2, 3, 2, 3))
    assert device_of("cpu", Processes(2, 3, 2, 3)).type == "cpu"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked, and there is no fork here")
def test_two_processes_go_on_from_a_model_by_adapters(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    changes = {
        "network_options": {"dropout": 0.0},
        "steps": 2,
        "check_every": 2,
        "options": {"tune": "adapters", "rank": 2},
    }
    run, parent = new_run(tmp_path / "run", **changes), new_run(tmp_path / "parent", **changes)
    train(parent)
    copy_pack(load_pack(parent.pack), run.parent)
    run.write_json(run.settings_file, replace(run.settings(), parent="tiny@1").document())
    train_by_two(run)
    said = run.read_json(run.borrowed)
    assert said is not None
    assert said["rung"] == "adapters"
    assert load(weights(run)).keys() == load(weights(parent)).keys()
    assert weights(run) != weights(parent)
