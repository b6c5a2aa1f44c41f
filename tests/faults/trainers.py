"""The other end of ``training_process``, and trainings to kill."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.job import Inline
from medview.io.reader_pool import InlinePool
from medview.ml.recipes.reader import read_recipe
from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import Task
from medview.workspace.training.freeze import Wanted, freeze
from tests.helpers.dataset_folders import MadeCase, write_dataset

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 240.0
LOOK_S = 0.005


class Trainers:
    """Lets trainings live, one after the other."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        assert process.stdout is not None
        self._out = process.stdout
        assert self._line(LONGEST_S) == "ready"

    def live(self, run: RunFolder, events: int | None = None, later_s: float = 0.0) -> int:
        """Train in a folder, to the end, or until it is killed; return the status it ended with.

        Parameters
        ----------
        events : int, optional
            It is killed ``later_s`` seconds after so many events of this life; not if it ended before.
        """
        assert self._process.stdin is not None
        before = len(read_events(run.events))
        self._process.stdin.write(f"{run.path}\n".encode())
        self._process.stdin.flush()
        said = self._line(LONGEST_S)
        assert said is not None
        pid, ended = int(said.removeprefix("pid ")), None
        if events is None:
            ended = self._line(LONGEST_S)
        else:
            while ended is None and len(read_events(run.events)) - before < events:
                ended = self._line(LOOK_S)
            ended = ended or self._line(later_s)
        if ended is None:
            os.kill(pid, signal.SIGKILL)
            ended = self._line(LONGEST_S)
        assert ended is not None, "a training neither ended nor died"
        return int(ended.removeprefix("dead "))

    def _line(self, seconds: float) -> str | None:
        """Return the next line, or None when there is none in time."""
        ready, _, _ = select.select([self._out], [], [], seconds)
        return self._out.readline().decode().strip() if ready else None


@contextmanager
def trainers(log: Path) -> Iterator[Trainers]:
    """Start the process that forks trainings."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.training_process"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )
        try:
            yield Trainers(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(LONGEST_S)
            assert process.stdout is not None
            process.stdout.close()


def new_training(folder: Path, *, steps: int = 80) -> RunFolder:
    """Freeze a training of pictures with and without a bright spot."""
    cases = []
    for n in range(40):
        pixels = np.random.default_rng(n).normal(100, 25, (1, 16, 16))
        pixels[:, 4:9, 6:12] += 30 * (n % 2)
        label = {"label": ("plain", "spot")[n % 2], "probability": None, "source": "hand", "says": "present"}
        split = ("train", "train", "train", "val", "test")[n % 5]
        cases.append(
            MadeCase(pixels.clip(0, 255).astype(np.uint8), patient=f"P{n}", split=split, said={"image_labels": [label]})
        )
    write_dataset(folder / "data", cases)
    recipe = read_recipe(
        json.dumps({
            "recipe_version": 1, "name": "tiny", "task": "classification", "network": "small_cnn", "batch": 6,
            "network_options": {"dropout": 0.3, "width": 8}, "optimiser": {"name": "adamw", "rate": 0.003}, "loss": "ce",
            "augment": {"shift": 0.1, "noise": 0.1}, "steps": steps, "check_every": 5, "average": 0.9,
        })
    )  # fmt: skip
    wanted = Wanted(
        folder / "data", Task.CLASSIFICATION, recipe, seed=3, device="cpu", confirmed=True, began=time.monotonic()
    )
    return freeze(wanted, folder / "run", Inline(), InlinePool(), lambda _: None)


def outcome_of(run: RunFolder) -> tuple[bytes, Any]:
    """Return the weights of a run's pack, and its figures without what a clock says."""
    result = run.read_json(run.result)
    report = run.read_json(run.report)
    assert result is not None
    assert report is not None
    figures = {name: report[name] for name in ("per_class", "confusion", "ci95", "accuracy", "auc", "by_case", "threshold")}
    kept = {name: result[name] for name in ("steps", "score", "stopped", "model")}
    return (run.pack / "weights.safetensors").read_bytes(), (figures, kept)
