"""``kill -9`` at any moment of a training, in any stage of it: going on comes to the very same model and figures, without
the project.

``MEDVIEW_TRAINING_KILLS`` says how often, ``MEDVIEW_FAULTS_SEED`` when.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from tests.faults.trainers import new_training, outcome_of, trainers

KILLS = int(os.environ.get("MEDVIEW_TRAINING_KILLS", "3"))
IN_A_ROW = 5
"""Kills a training goes through."""
SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "5"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked, and there is no fork here")


@pytest.mark.timeout(0)
def test_a_training_that_is_killed_again_and_again_comes_to_the_same_model(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    made = new_training(tmp_path)
    whole = RunFolder(tmp_path / "whole")
    shutil.copytree(made.path, whole.path)
    stages: Counter[str] = Counter()
    killed, finished = 0, 0
    with trainers(tmp_path / "log.txt") as at_work:
        assert at_work.live(whole) == 0, (tmp_path / "log.txt").read_text()
        expected = outcome_of(whole)
        said = len(read_events(whole.events))
        while killed < KILLS:
            run = RunFolder(tmp_path / f"killed-{finished}")
            shutil.copytree(made.path, run.path)
            # The last life of each is left to end.
            for _ in range(min(IN_A_ROW, KILLS - killed)):
                status = at_work.live(run, moments.randint(0, said // 2), moments.uniform(0.0, 0.2))
                if status == 0:
                    break
                assert status == -signal.SIGKILL, (tmp_path / "log.txt").read_text()
                killed += 1
                events = [event for event in read_events(run.events) if event["kind"] == "stage"]
                stages[str(events[-1]["name"]) if events else "nothing yet"] += 1
            assert at_work.live(run) == 0, (tmp_path / "log.txt").read_text()
            assert outcome_of(run) == expected
            finished += 1
    told = ", ".join(f"{count} in {name}" for name, count in stages.most_common())
    sys.stdout.write(f"{killed} kills ({told}) in {finished} trainings: every model the same\n")
