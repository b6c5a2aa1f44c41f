"""Real series whose truth lies beside them, and what foreign tools make of the hardest; test_every_series.py asks all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medview.core.job import Inline
from medview.core.study import ScanResult, Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.reader_pool import InlinePool
from medview.io.series_reader import SeriesReader
from tests.helpers.foreign import by_dcm2niix, converted, near, on_our_grid

pytestmark = pytest.mark.data


def read(series: Series, entry: VolumeEntry, time_point: int = 0) -> Volume:
    reader = SeriesReader(InlinePool())
    opened = reader.begin(series, entry, time_point)
    assert reader.fill(opened, 0, Inline()) == []
    return opened.volume


def classic_volumes(found: ScanResult) -> list[tuple[Series, VolumeEntry]]:
    return [(s, e) for s in found.series for e in s.volumes if e.verdict is Verdict.VOLUME and e.dicom_paths]


SIEMENS_ENHANCED = "mr-enhanced/tests/data/siemens_multiframe/anatomical"


@pytest.mark.parametrize(
    ("source", "truth", "times"),
    [
        (f"{SIEMENS_ENHANCED}/001", f"{SIEMENS_ENHANCED}/001_ground_truth.nii.gz", [0]),
        (f"{SIEMENS_ENHANCED}/001", f"{SIEMENS_ENHANCED}/001_ground_truth_reoriented.nii.gz", [0]),
        ("mr-fmri-4d/In/20180918GE", "mr-fmri-4d/Ref/DCM2NIIX_regression_test_4.nii", list(range(10))),
        ("mr-fmri-4d/In/20180918Si", "mr-fmri-4d/Ref/EPI_PE=AP_3.nii", [0, 1]),
        # One mosaic in nine transfer syntaxes, each of them a volume.
        *(("transfer-syntaxes/In", f"transfer-syntaxes/Ref/{n}.nii", [n - 1]) for n in range(1, 10)),
    ],
)
def test_the_truth_beside_a_series_is_met_voxel_for_voxel(
    test_data: Path, source: str, truth: str, times: list[int]
) -> None:
    ((series, entry),) = classic_volumes(scan(test_data / source, Inline()))
    (theirs,) = converted([test_data / truth])
    assert theirs.header.time_points == len(times)
    for their_time, time in enumerate(times):
        volume, their = read(series, entry, time), theirs.volume(their_time)
        assert near(their.geometry.corners_lps_mm(), volume.geometry.corners_lps_mm())
        np.testing.assert_array_equal(on_our_grid(their.values(), their.geometry, volume.geometry), volume.values())


def test_every_truth_beside_a_series_is_used_or_has_lost_its_source(test_data: Path) -> None:
    folders = ("mr-enhanced", "mr-fmri-4d", "mr-dti-uih", "transfer-syntaxes", "seg-dcmqi")
    truths = {path.name for folder in folders for path in (test_data / folder).rglob("*.nii*")}
    used = {"001_ground_truth.nii.gz", "001_ground_truth_reoriented.nii.gz", "DCM2NIIX_regression_test_4.nii"}
    used |= {"EPI_PE=AP_3.nii", *(f"{n}.nii" for n in range(1, 10))}
    assert truths - used == {"EPI_PE=PA_4.nii"}  # the images it was made from are not among the real studies


def test_one_image_in_nine_transfer_syntaxes_is_one_image(test_data: Path) -> None:
    from medview.io.dicom.pixels import read_frame

    files = sorted((test_data / "transfer-syntaxes" / "In").glob("*.dcm"))
    assert len(files) == 9
    first, _ = read_frame(str(files[0]), 17)
    assert first.shape == (64, 64)
    assert first.any()
    for file in files[1:]:
        np.testing.assert_array_equal(read_frame(str(file), 17)[0], first)


@pytest.mark.parametrize(
    ("series", "verdict", "code"),
    [
        ("ct-gantry-tilt-ge", Verdict.STACK, "UNEVEN_SPACING"),
        ("cr-nih", Verdict.STACK, "NO_POSITION"),
    ],
)
def test_a_series_that_is_no_even_volume_says_why(test_data: Path, series: str, verdict: Verdict, code: str) -> None:
    entries = [entry for one in scan(test_data / series, Inline()).series for entry in one.volumes]
    assert entries
    for entry in entries:
        assert entry.verdict is verdict
        assert code in {reason.code for reason in entry.reasons}


def test_the_two_bad_geometries_are_told_apart(test_data: Path) -> None:
    entries = [e for s in scan(test_data / "ct-bad-geometry", Inline()).series for e in s.volumes]
    assert {(e.verdict, e.reasons[0].code) for e in entries} == {
        (Verdict.STACK, "MISSING_SLICE"),
        (Verdict.VOLUME, "TILT"),
    }
    tilted = next(e for e in entries if e.verdict is Verdict.VOLUME)
    assert tilted.geometry is not None
    assert tilted.geometry.sheared


@pytest.mark.parametrize(
    # Times come in their order; it puts the unweighted volume of a diffusion series last, the file has it first.
    ("kind", "order"),
    [("fmri", [0, 1, 2, 3]), ("dti", [3, 0, 1, 2])],
)
def test_volumes_of_an_enhanced_philips_series_are_those_of_dcm2niix(
    test_data: Path, tmp_path: Path, kind: str, order: list[int]
) -> None:
    source = test_data / "mr-enhanced" / "tests" / "data" / "philips_enhanced" / kind / "001"
    (theirs,) = converted(by_dcm2niix(source, tmp_path / "nii"))
    ((series, entry),) = classic_volumes(scan(source, Inline()))
    assert entry.time_points == theirs.header.time_points == 4
    for time in range(4):
        volume, their = read(series, entry, time), theirs.volume(order[time])
        # Stored numbers: it prefers the scanner's private scaling to the standard one.
        np.testing.assert_array_equal(on_our_grid(their.voxels, their.geometry, volume.geometry), volume.voxels)
