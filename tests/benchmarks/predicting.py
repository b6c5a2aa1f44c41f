"""A real MeshNet on a real head of 256^3 voxels: seconds per stage and memory."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from medview.core.job import Inline
from medview.io.load import load_volume
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.ml.runners.run import predict
from medview.workspace.models import add_model
from tests.benchmarks.row import Row
from tests.conftest import DEFAULT_DATA


def rows() -> list[Row]:
    data = Path(os.environ.get("MEDVIEW_TEST_DATA") or DEFAULT_DATA)
    head = data / "weights-brainchop" / "t1_crop.nii.gz"
    if not head.is_file():
        return []
    with tempfile.TemporaryDirectory() as place:
        registry = Registry(Path(place) / "bundled", Path(place) / "user")
        pack = add_model(data / "weights-brainchop" / "meshnet" / "model5_gw_ae", registry)
        volume = load_volume(head, None, Inline()).volume
        started = time.perf_counter()
        prediction = predict(PredictRequest(volume, pack, "auto"), Inline())
        whole_s = time.perf_counter() - started
    stages = [Row(f"MeshNet on 256^3, {name}", seconds, "s") for name, seconds in prediction.seconds.items()]
    note = prediction.device
    return [
        *stages,
        Row("MeshNet on 256^3, all", whole_s, "s", None, note),
        Row("MeshNet on 256^3, peak memory", prediction.peak_memory_mb, "MB"),
    ]
