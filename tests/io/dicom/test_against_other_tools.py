"""Real series, judged by SimpleITK and dcm2niix: corners within 0.01 mm, values within 1e-6."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK

from medview.core.job import Inline
from medview.core.study import ScanResult, Series, Verdict, VolumeEntry
from medview.core.volume import Volume
from medview.io.dicom.scan import scan
from medview.io.nifti import read_header, read_nifti, read_voxels
from medview.io.reader_pool import InlinePool
from medview.io.series_reader import SeriesReader

pytestmark = pytest.mark.data

FOLDERS = [
    "ct-chest",
    "ct-body-j2k-with-labels",
    "ct-head-tiny-93",
    "mr-brain-t1-t1c-t2-flair",
    "mr-sag-hfs",
    "rtstruct-rt-utils",
    "seg-dcmqi/data/segmentations/ct-3slice",
    "seg-dcmqi/data/segmentations/23x38x3/image",
    "ct-bad-geometry",
]


def read(series: Series, entry: VolumeEntry, time_point: int = 0) -> Volume:
    reader = SeriesReader(InlinePool())
    opened = reader.begin(series, entry, time_point)
    assert reader.fill(opened, 0, Inline()) == []
    return opened.volume


def classic_volumes(found: ScanResult) -> list[tuple[Series, VolumeEntry]]:
    return [(s, e) for s in found.series for e in s.volumes if e.verdict is Verdict.VOLUME and e.dicom_paths]


def itk_corners(image: SimpleITK.Image) -> npt.NDArray[np.float64]:
    i, j, k = image.GetSize()
    ends = itertools.product((0, k - 1), (0, j - 1), (0, i - 1))
    return np.asarray([image.TransformIndexToPhysicalPoint((i, j, k)) for k, j, i in ends])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_volume_lies_and_reads_as_simpleitk_says(test_data: Path, folder: str) -> None:
    compared = 0
    for series, entry in classic_volumes(scan(test_data / folder, Inline())):
        if any(reason.code == "TILT" for reason in entry.reasons):
            continue  # SimpleITK draws a tilted series as a box
        volume = read(series, entry)
        reader = SimpleITK.ImageSeriesReader()
        # GDCM's own geometric order, so that nothing of ours decides it.
        names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(
            str(Path(entry.dicom_paths[0]).parent), series.series_uid
        )
        reader.SetFileNames(names or entry.dicom_paths)
        image = reader.Execute()
        assert len(names or entry.dicom_paths) == entry.shape_kji[0]
        np.testing.assert_allclose(itk_corners(image), volume.geometry.corners_lps_mm(), atol=0.01)
        theirs = SimpleITK.GetArrayFromImage(image).astype(np.float64)
        np.testing.assert_allclose(volume.values(), theirs, rtol=1e-6)
        compared += 1
    assert compared or folder == "ct-bad-geometry"


def by_dcm2niix(source: Path, target: Path) -> list[Path]:
    tool = Path(sys.executable).parent / "dcm2niix"
    if not tool.exists():
        pytest.skip("dcm2niix is not installed; pip install dcm2niix")
    target.mkdir()
    # -m y: one volume per series; -l o, -p n: numbers as stored; -x n: no cropping or rotating.
    command = [
        str(tool),
        "-b",
        "n",
        "-z",
        "n",
        "-l",
        "o",
        "-p",
        "n",
        "-x",
        "n",
        "-f",
        "%s_%d",
        "-o",
        str(target),
        str(source),
    ]
    subprocess.run(command, capture_output=True, timeout=120, check=False)
    return sorted(target.glob("*.nii"))


@pytest.mark.parametrize(
    "folder",
    [
        "ct-chest",
        "ct-head-tiny-93",
        "mr-sag-hfs",
        "mr-enhanced",
        "mr-fmri-4d/In/20180918GE",
        "mr-dti-uih/In",
        "mr-brain-t1-t1c-t2-flair",
    ],
)
def test_a_volume_lies_where_dcm2niix_puts_it(test_data: Path, tmp_path: Path, folder: str) -> None:
    source = test_data / folder
    theirs = [read_nifti(path) for path in by_dcm2niix(source, tmp_path / "nii")]
    assert theirs
    ours = classic_volumes(scan(source, Inline()))
    assert ours
    for series, entry in ours:
        assert entry.geometry is not None
        mine = entry.geometry.corners_lps_mm()
        same = [v for v in theirs if _near(v.geometry.corners_lps_mm(), mine)]
        assert same, f"dcm2niix has no volume where {series.description} lies"


def _near(theirs: npt.NDArray[np.float64], ours: npt.NDArray[np.float64]) -> bool:
    """Whether both sets of corners are the same eight points, in whatever order."""
    apart = np.linalg.norm(theirs[:, None] - ours[None], axis=2)
    return bool(apart.min(axis=0).max() <= 0.01 and apart.min(axis=1).max() <= 0.01)


def on_our_grid(theirs: Volume, ours: Volume) -> npt.NDArray[np.float32]:
    """Their values in our order of voxels."""
    k, j, i = np.indices(ours.geometry.shape_kji)
    index = theirs.geometry.index_kji(ours.geometry.point_lps_mm(np.stack([k, j, i], axis=-1)))
    whole = np.rint(index).astype(int)
    assert np.abs(index - whole).max() < 0.01
    return theirs.values()[whole[..., 0], whole[..., 1], whole[..., 2]]


def test_the_truth_beside_an_enhanced_mr_is_met_voxel_for_voxel(test_data: Path) -> None:
    folder = test_data / "mr-enhanced" / "tests" / "data" / "siemens_multiframe" / "anatomical"
    truth = read_nifti(folder / "001_ground_truth.nii.gz")
    (path,) = (folder / "001").glob("*.dcm")
    ((series, entry),) = classic_volumes(scan(path, Inline()))
    volume = read(series, entry)
    np.testing.assert_array_equal(on_our_grid(truth, volume), volume.values())


def test_the_ten_volumes_of_a_functional_series_are_those_of_the_truth(test_data: Path) -> None:
    (truth,) = (test_data / "mr-fmri-4d").rglob("DCM2NIIX_regression_test_4.nii")
    found = [(s, e) for s, e in classic_volumes(scan(test_data / "mr-fmri-4d", Inline())) if e.time_points == 10]
    ((series, entry),) = found
    header = read_header(str(truth))
    for time in range(10):
        volume = read(series, entry, time)
        theirs = Volume(read_voxels(str(truth), time), header.geometry, rescale=header.rescale)
        np.testing.assert_array_equal(on_our_grid(theirs, volume), volume.values())


@pytest.mark.parametrize(
    ("source", "truth", "time_points"),
    [
        ("transfer-syntaxes/In", "transfer-syntaxes/Ref/1.nii", 1),
        ("mr-fmri-4d/In/20180918Si", "mr-fmri-4d/Ref/EPI_PE=AP_3.nii", 2),
    ],
)
def test_the_tiles_of_a_siemens_mosaic_are_put_back_where_they_lie(
    test_data: Path, source: str, truth: str, time_points: int
) -> None:
    ((series, entry),) = classic_volumes(scan(test_data / source, Inline()))
    header = read_header(str(test_data / truth))
    for time in range(time_points):
        volume = read(series, entry, time)
        theirs = Volume(read_voxels(str(test_data / truth), time), header.geometry)
        np.testing.assert_array_equal(on_our_grid(theirs, volume), volume.values())


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
    (theirs,) = by_dcm2niix(source, tmp_path / "nii")
    header = read_header(str(theirs))
    ((series, entry),) = classic_volumes(scan(source, Inline()))
    assert entry.time_points == header.time_points == 4
    for time in range(4):
        volume = read(series, entry, time)
        # Stored numbers: it prefers the scanner's private scaling to the standard one.
        same = Volume(read_voxels(str(theirs), order[time]), header.geometry)
        np.testing.assert_array_equal(on_our_grid(same, volume), volume.voxels)
