"""One run of a pack on a phantom in a process of its own: MedView's way, or MONAI's inferer with its usual finish.

``python -m tests.benchmarks.model_ways ours|theirs FOLDER``: FOLDER holds the pack; labels go there as ``ours.npy``. What
it took is printed as JSON: seconds per stage and the bytes of memory at the peak over those before.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.ml.packs import ModelPack, load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.preprocess import prepare
from medview.ml.runners.run import predict
from medview.ml.spec import Shape3
from tests.ml.small_packs import ct_volume

SHAPE: Shape3 = (160, 192, 192)

STATUS = Path("/proc/self/status")


def phantom() -> Volume:
    """Return 192 x 192 x 160 voxels of 1 mm."""
    return ct_volume(SHAPE, Geometry.from_spacing(SHAPE, (1.0, 1.0, 1.0)))


def ours(pack: ModelPack, volume: Volume) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], dict[str, float]]:
    prediction = predict(PredictRequest(volume, pack, "cpu", crop=False), Inline())
    assert prediction.mask is not None
    return prediction.mask.on_grid(SHAPE), dict(prediction.seconds)


def theirs(pack: ModelPack, volume: Volume) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], dict[str, float]]:
    from monai.inferers import SlidingWindowInferer
    from safetensors.torch import load_file

    from medview.ml.networks.unet import unet3d

    seconds: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - began

    spec = pack.spec
    assert spec.tiling is not None
    with torch.inference_mode():
        with stage("load"):
            network = unet3d(**spec.network.kwargs).eval()  # type: ignore[arg-type]
            network.load_state_dict(load_file(pack.weights))
        with stage("prepare"):
            # The same numbers: what is compared comes after.
            values = prepare([volume], spec.input, Inline()).values[None]
        with stage("infer"):
            tile = [min(t, n) for t, n in zip(spec.tiling.tile_kji, values.shape[2:], strict=True)]
            inferer = SlidingWindowInferer(tile, sw_batch_size=2, overlap=spec.tiling.overlap, mode="gaussian")
            logits = inferer(values, network)
            assert isinstance(logits, torch.Tensor)
        with stage("finish"):
            wide = functional.interpolate(logits, SHAPE, mode="trilinear", align_corners=False)
            labels = wide[0].argmax(0).to(torch.uint8).numpy()
    return labels, seconds


def memory(field: str) -> int:
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def main(way: str, folder: str) -> None:
    pack, volume = load_pack(Path(folder) / "pack"), phantom()
    if way == "theirs":
        import monai.inferers  # noqa: F401
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    labels, seconds = {"ours": ours, "theirs": theirs}[way](pack, volume)
    peak = memory("VmHWM") - before
    np.save(Path(folder) / f"{way}.npy", labels)
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_bytes": peak}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
