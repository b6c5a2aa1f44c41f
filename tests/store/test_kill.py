from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from medview.store.project import Project
from tests.store.painter import Painter, live_fingerprint, stored_fingerprint

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 10


def _paint_and_kill(path: Path, seed: int, after_s: float) -> tuple[int, dict[int, str]]:
    """Return the newest change the child was told is saved, and what its labels looked like after each change."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.painting_child", str(path), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    saved, made = 0, {}
    killer: threading.Timer | None = None
    with child.stdout:
        for line in child.stdout:
            what, seq, fingerprint = line.rstrip("\n").split(" ")
            if what == "made":
                made[int(seq)] = fingerprint
            else:
                saved = int(seq)
            if killer is None and saved:
                killer = threading.Timer(after_s, child.kill)
                killer.start()
    if killer is not None:
        killer.join()
    assert child.wait() == -signal.SIGKILL
    return saved, made


def test_kill_9_at_any_moment_loses_nothing_that_was_called_saved(tmp_path: Path) -> None:
    path = tmp_path / "kill.medview"
    moments = random.Random(11)
    with Project.create(path) as project:
        case_id = Painter(project).case_id
    for round_ in range(ROUNDS):
        saved, made = _paint_and_kill(path, round_, moments.uniform(0.0, 0.25))
        assert saved > 0
        with Project.open(path) as project:
            loaded = project.load_case(case_id)
            assert loaded.losses == []
            assert loaded.seq >= saved
            if loaded.seq in made:
                assert stored_fingerprint(project, case_id) == made[loaded.seq]
    with Project.open(path) as project:
        report = project.verify()
        assert report.problems == ()
        assert report.rows == project.info()["gestures"] > ROUNDS
        # And the hand goes on where it was.
        painter = Painter(project)
        painter.undo()
        assert stored_fingerprint(project, case_id) == live_fingerprint(painter)
