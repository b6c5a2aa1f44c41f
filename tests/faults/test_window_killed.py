"""``kill -9`` of the whole window while somebody works in it: what the green dot said is saved is there.

``MEDVIEW_WINDOW_KILLS`` says how often.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from medview.core.job import Inline
from medview.io.load import load_volume
from tests.faults.kept import READER, Images, Mirror, images
from tests.faults.painters import ROOT, Life, reopened

KILLS = int(os.environ.get("MEDVIEW_WINDOW_KILLS", "1"))
SEED = int(os.environ.get("MEDVIEW_FAULTS_SEED", "5"))


@pytest.mark.timeout(0)
def test_a_window_killed_while_somebody_works_in_it_has_kept_what_it_called_saved(quick_disk: Path) -> None:
    moments, home = random.Random(SEED), quick_disk / "home"
    of = _written(quick_disk / "chest.nii.gz")
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.json").write_text('{"notice_seen": true}', encoding="utf-8")
    mirror = Mirror(SEED, of)
    for _ in range(KILLS):
        life = _live(home, quick_disk / "chest.nii.gz", mirror.next_step, moments.uniform(0.1, 1.0))
        assert life.saved > 0, (home / "window.log").read_text(encoding="utf-8")
        reopened(home / "data" / "personal.medview", mirror, life.saved, of)


def _written(file: Path) -> Images:
    """Write a volume and return it as the program reads it."""
    _, _, volume = images()
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.voxels))
    image.SetSpacing((0.6, 0.9, 2.5))
    image.SetDirection((0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(image, str(file))
    loaded = load_volume(file, None, Inline())
    return loaded.series, loaded.entry, loaded.volume


def _live(home: Path, file: Path, step: int, kill_after_s: float) -> Life:
    """Let a window live until so long after its first row was saved."""
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "MEDVIEW_DATA": str(home / "data"),
        "MEDVIEW_CONFIG": str(home / "config"),
        "PYTHONPATH": str(ROOT),
        "LOGNAME": READER,
    }
    life, killer = Life(), None
    with (home / "window.log").open("a", encoding="utf-8") as log:
        window = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.window_process", str(file), str(SEED), str(step)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        assert window.stdout is not None
        with window.stdout:
            for line in window.stdout:
                what, _, rest = line.rstrip("\n").partition(" ")
                life.told[what] = rest
                if killer is None and life.saved:
                    killer = threading.Timer(kill_after_s, window.kill)
                    killer.start()
        if killer is not None:
            killer.join()
        assert window.wait() == -signal.SIGKILL, (home / "window.log").read_text(encoding="utf-8")
    return life
