from __future__ import annotations

from pathlib import Path

import numpy as np

from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.study import Verdict
from medview.core.volume import Volume
from medview.core.window import Window
from medview.io.dicom.write_series import SeriesIdentity, write_series
from medview.io.load import load_volume
from tests.helpers.dciodvfy import errors
from tests.helpers.dicom_series import asymmetric, oblique


def test_a_written_series_reads_back_and_is_valid(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[:3, :3] = oblique()[::-1].T * [5.0, 0.6, 0.9]
    affine[:3, 3] = (-31.5, 17.25, 42.125)
    volume = Volume(asymmetric(), Geometry((7, 10, 13), affine), modality="CT", unit="HU", windows=(Window(40, 400),))
    identity = SeriesIdentity("Doe^Jané", "P7", "20260203", "study", "series", seed="s")
    paths = write_series(tmp_path / "a", volume, identity)
    assert [e for path in paths for e in errors(path)] == []
    loaded = load_volume(tmp_path / "a", None, Inline())
    assert (loaded.entry.verdict, loaded.entry.reasons) == (Verdict.VOLUME, ())
    np.testing.assert_allclose(loaded.volume.geometry.affine_lps, affine, atol=1e-6)
    np.testing.assert_array_equal(loaded.volume.voxels, volume.voxels)
    assert (loaded.volume.unit, loaded.series.patient_name) == ("HU", "Doe^Jané")
    assert loaded.volume.windows == (Window(40, 400),)


def test_the_same_seed_gives_the_same_files_and_another_seed_other_uids(tmp_path: Path) -> None:
    volume = Volume(asymmetric(), Geometry.from_spacing((7, 10, 13), (5.0, 0.6, 0.9)))
    first = write_series(tmp_path / "a", volume, SeriesIdentity("A", "1", seed="s"))
    again = write_series(tmp_path / "b", volume, SeriesIdentity("A", "1", seed="s"))
    other = write_series(tmp_path / "c", volume, SeriesIdentity("A", "1", seed="t"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    uids = [load_volume(paths[0].parent, None, Inline()).series.series_uid for paths in (first, other)]
    assert uids[0] != uids[1]
