"""Slices a person is looking at are handed over first; the result stays what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.job import Inline
from medview.core.prediction import PredictedMask
from medview.core.volume import Volume
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.ml.weights import RESIDENT
from tests.ml.runners.test_preprocess import turned
from tests.ml.runners.test_run import balanced
from tests.ml.small_packs import ct_volume, document

TILES = {"tile_kji": [12, 24, 24], "overlap": 0.5, "blend": "gaussian"}


class Handed(Inline):
    """Keeps the parts."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[PredictedMask] = []

    def partial(self, value: object) -> None:
        assert isinstance(value, PredictedMask)
        self.parts.append(value)


@pytest.fixture(autouse=True)
def no_network_stays_loaded() -> None:
    RESIDENT.clear()


def run(
    volume: Volume, tmp_path: Path, near_kji: tuple[int, int, int] | None, carried: str = "logits"
) -> tuple[Handed, PredictedMask]:
    wanted = {**document()["input"], "spacing_kji_mm": [2.0, 1.5, 1.5], "orientation": "SPL"}
    labels = document()["output"]["labels"]
    pack = balanced(tmp_path / "pack", volume, tiling=TILES, input=wanted, output={"labels": labels})
    context = Handed()
    mask = predict(PredictRequest(volume, pack, near_kji=near_kji), context).mask
    assert mask is not None
    return context, mask


@pytest.mark.parametrize(("axes", "flips"), [((0, 1, 2), (False, False, False)), ((2, 0, 1), (True, True, False))])
def test_slices_come_from_there_on_and_are_those_of_the_result(
    tmp_path: Path, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    volume = turned(ct_volume((30, 36, 40)), axes, flips)
    shape = volume.geometry.shape_kji
    near = (shape[0] * 2 // 3, shape[1] // 3, shape[2] * 2 // 3)
    context, mask = run(volume, tmp_path, near)
    boxes = [part.box for part in context.parts]
    holds = [all(low <= at < high for low, at, high in zip(b.min_kji, near, b.max_kji, strict=True)) for b in boxes]
    # Within the very first row of tiles those before it in the row come first.
    assert holds.index(True) <= 1
    assert len(holds) > 3
    together = np.full(shape, 255, dtype=np.uint8)
    for part in context.parts:
        assert (together[part.box.slices] == 255).all()
        together[part.box.slices] = part.voxels
    assert np.array_equal(together, mask.on_grid(shape))
    _, plain = run(volume, tmp_path, None)
    assert np.array_equal(plain.on_grid(shape), mask.on_grid(shape))


def test_where_nobody_looks_nothing_is_handed_over(tmp_path: Path) -> None:
    context, _ = run(ct_volume((30, 36, 40)), tmp_path, None)
    assert context.parts == []
