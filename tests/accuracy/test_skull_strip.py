"""The real skull-stripping MeshNet on a DICOM series made from the real head."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from medview.core.job import Inline
from medview.io.load import load_volume
from medview.ml.convert import brainchop
from medview.ml.packs import load_pack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from tests.helpers.head_series import write_head

TISSUE_ML = 518.0 + 735.0
"""White and grey matter of this head, see README of the test data."""


@pytest.mark.data
@pytest.mark.timeout(1800)
def test_the_stripped_brain_is_one_piece_without_holes_of_the_size_of_a_brain(test_data: Path, tmp_path: Path) -> None:
    brainchop.convert(test_data / "weights-brainchop" / "meshnet" / "mindgrab", tmp_path / "pack")
    volume = load_volume(write_head(test_data, tmp_path / "mr"), None, Inline()).volume
    found = predict(PredictRequest(volume, load_pack(tmp_path / "pack")), Inline())
    assert found.mask is not None
    brain = found.mask.on_grid(volume.geometry.shape_kji) > 0
    millilitres = brain.sum() * volume.geometry.voxel_volume_mm3 / 1000.0
    sys.stdout.write(f"stripped brain: {millilitres:.0f} mL, {found.seconds}\n")
    # Brains of adults measure 1,000 to 1,700 mL, and this one holds at least its tissue.
    assert TISSUE_ML < millilitres < 1_700
    pieces, _count = ndimage.label(brain)
    assert np.bincount(pieces.ravel())[1:].max() > 0.99 * brain.sum()
    assert (ndimage.binary_fill_holes(brain) & ~brain).sum() < 0.02 * brain.sum()
