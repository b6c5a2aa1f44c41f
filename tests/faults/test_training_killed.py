"""``kill -9`` at any moment of a training, in any stage of it: going on comes to the very same model and figures.

``MEDVIEW_TRAINING_KILLS`` says how often, ``MEDVIEW_FAULTS_SEED`` when.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from medview.ml.runs.events import read_events
from medview.ml.runs.folder import RunFolder
from tests.faults.trainers import new_training, outcome_of, trainers

KILLS = int(os.environ.get("MEDVIEW_TRAINING_KILLS", "3"))
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
        start = time.monotonic()
        assert at_work.live(whole.path) == 0, (tmp_path / "log.txt").read_text()
        took_s = time.monotonic() - start
        expected = outcome_of(whole)
        while killed < KILLS:
            run = RunFolder(tmp_path / f"killed-{finished}")
            shutil.copytree(made.path, run.path)
            # The last life of each is left to end; some are killed in their first moments, some near the end.
            for _ in range(min(5, KILLS - killed)):
                status = at_work.live(run.path, moments.uniform(0.05, 0.7) * took_s)
                if status == 0:
                    break
                assert status == -signal.SIGKILL, (tmp_path / "log.txt").read_text()
                killed += 1
                events = [event for event in read_events(run.events) if event["kind"] == "stage"]
                stages[str(events[-1]["name"]) if events else "nothing yet"] += 1
            assert at_work.live(run.path) == 0, (tmp_path / "log.txt").read_text()
            assert outcome_of(run) == expected
            finished += 1
    told = ", ".join(f"{count} in {name}" for name, count in stages.most_common())
    sys.stdout.write(f"{killed} kills ({told}) in {finished} trainings of {took_s:.1f} s: every model the same\n")
