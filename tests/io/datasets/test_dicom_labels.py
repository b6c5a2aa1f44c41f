from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import ReadError
from medview.core.job import Inline
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.reading import load_labels
from medview.io.datasets.table import list_dataset
from medview.io.dicom.seg import write_seg
from medview.io.load import load_volume
from tests.helpers.dicom_series import write_ct


def study(folder: Path, seed: str) -> np.ndarray:  # type: ignore[type-arg]
    write_ct(folder / "ct", series=f"2.25.{len(seed)}")
    loaded = load_volume(folder / "ct", None, Inline())
    labels = np.random.default_rng(len(seed)).integers(0, 2, loaded.volume.geometry.shape_kji).astype(np.uint8)
    segment = Segment("a", f"Lung {seed}", (9, 99, 200), 0, 1)
    segmentation = Segmentation(loaded.volume.geometry, {0: LabelLayer.drawn(0, labels)}, [segment])
    write_seg(folder / "seg.dcm", segmentation, [Path(path) for path in loaded.entry.dicom_paths])
    return labels


def test_every_seg_finds_the_series_it_was_drawn_on(tmp_path: Path) -> None:
    drawn = {f"Lung {seed}": study(tmp_path / seed, seed) for seed in ("one", "three")}
    write_ct(tmp_path / "more", series="2.25.99")
    found = list_dataset("dicom-seg", DatasetRequest(tmp_path))
    assert len(found.cases) == 2
    assert any("1 series without a SEG" in note for note in found.notes)
    for case in found.cases:
        masks = load_labels(case).masks
        assert masks is not None
        (segment,) = masks.segments
        np.testing.assert_array_equal(masks.layers[segment.layer_id] == segment.value, drawn.pop(segment.name) == 1)
    assert not drawn


def test_a_seg_without_its_series_is_named(tmp_path: Path) -> None:
    study(tmp_path / "one", "one")
    study(tmp_path / "three", "three")
    shutil.rmtree(tmp_path / "one" / "ct")
    with pytest.raises(ReadError, match=r"seg\.dcm was drawn on no series"):
        list_dataset("dicom-seg", DatasetRequest(tmp_path))


@pytest.mark.data
def test_real_segs_and_contours_are_matched_or_named(test_data: Path) -> None:
    for folder, count in (("rtstruct-rt-utils", 3), ("rt-dicompyler", 1)):
        found = list_dataset("rtstruct", DatasetRequest(test_data / folder))
        assert len(found.cases) == count
        assert all(case.images[0].series_uid for case in found.cases)
    with pytest.raises(ReadError, match=r"seg_image_ct_binary\.dcm.*drawn on no series"):
        list_dataset("dicom-seg", DatasetRequest(test_data / "seg-highdicom"))
