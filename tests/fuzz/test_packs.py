"""Mutated packs, bundles and nnU-Net folders: each is refused in one sentence, or does what an honest one does.

They are converted in one process of its own for all, since each would otherwise load torch anew; a crash names the model.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.folders import SEED

COUNT = int(os.environ.get("MEDVIEW_FUZZ_PACK_COUNT", "25"))

pytestmark = pytest.mark.timeout(300 + COUNT)


def test_no_mutated_model_crashes_hangs_or_escapes_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("monai")
    command = [sys.executable, "-m", "tests.fuzz.mutated_packs", str(tmp_path), str(COUNT), str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280 + COUNT)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"after {told[-1] if told else 'none'}: {done.stderr[-3000:]}"
    assert len(told) == COUNT
    assert [one for one in told if one["outcome"].startswith("crashed")] == []
    for one in told:
        if one["outcome"] == "refused":
            assert one["sentence"].endswith("."), one
            assert one["sentence"].isprintable(), one
            assert len(one["sentence"]) < 500, one
    outcomes = {one["outcome"] for one in told}
    assert {"refused", "ran"} <= outcomes
    assert max(one["seconds"] for one in told) < 60.0
