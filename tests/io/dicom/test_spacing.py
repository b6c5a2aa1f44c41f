"""Rows 72 to 75 of the table of known failures: what a millimetre of a projection or an ultrasound picture is worth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from medview.core.geometry import Calibration
from medview.core.job import Inline
from medview.core.spacing import SpacingSource
from medview.core.study import VolumeEntry
from medview.core.volume import pixel_scale
from medview.io.dicom.scan import scan
from tests.helpers.dicom_series import asymmetric, write_ct


def one_picture(folder: Path, change: Callable[[FileDataset], None]) -> VolumeEntry:
    def flat(k: int, ds: FileDataset) -> None:
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
            delattr(ds, keyword)
        ds.Modality = "DX"
        change(ds)

    write_ct(folder, asymmetric((1, 10, 13)), change=flat)
    ((entry,),) = (series.volumes for series in scan(folder, Inline()).series)
    return entry


def unit_of(entry: VolumeEntry) -> str:
    return pixel_scale(entry.geometry, entry.spacing_source, entry.regions).along([(1, 1), (4, 6)]).unit


def test_the_detectors_spacing_is_never_passed_off_as_the_patients(tmp_path: Path) -> None:
    def detector(ds: FileDataset) -> None:
        ds.ImagerPixelSpacing = [0.2, 0.3]

    entry = one_picture(tmp_path, detector)
    assert (entry.spacing_source, unit_of(entry)) == (SpacingSource.DETECTOR, "mm at detector")
    assert entry.spacing_kji_mm == (None, 0.2, 0.3)


def test_pixel_spacing_wins_over_the_detectors_and_is_called_calibrated(tmp_path: Path) -> None:
    def both(ds: FileDataset) -> None:
        ds.ImagerPixelSpacing, ds.PixelSpacing = [0.2, 0.3], [0.16, 0.24]

    entry = one_picture(tmp_path, both)
    assert (entry.spacing_source, unit_of(entry)) == (SpacingSource.CALIBRATED, "mm calibrated")
    assert entry.spacing_kji_mm == (None, 0.16, 0.24)


def test_an_estimated_magnification_divides_once_and_is_called_estimated(tmp_path: Path) -> None:
    def magnified(ds: FileDataset) -> None:
        ds.ImagerPixelSpacing, ds.EstimatedRadiographicMagnificationFactor = [0.2, 0.3], "1.25"

    entry = one_picture(tmp_path, magnified)
    assert (entry.spacing_source, unit_of(entry)) == (SpacingSource.ESTIMATED, "mm estimated")
    assert entry.spacing_kji_mm == (None, pytest.approx(0.16), pytest.approx(0.24))


def test_the_spacing_of_a_scanned_film_is_called_so(tmp_path: Path) -> None:
    def film(ds: FileDataset) -> None:
        ds.NominalScannedPixelSpacing = [0.1, 0.1]

    entry = one_picture(tmp_path, film)
    assert unit_of(entry) == "mm on film"
    assert "SPACING_ON_FILM" in {reason.code for reason in entry.reasons}


@pytest.mark.parametrize("aspect", [None, [2, 1]])
def test_a_picture_without_spacing_counts_pixels_and_keeps_their_shape(tmp_path: Path, aspect: list[int] | None) -> None:
    def shaped(ds: FileDataset) -> None:
        if aspect:
            ds.PixelAspectRatio = aspect

    entry = one_picture(tmp_path, shaped)
    assert (entry.spacing_source, unit_of(entry)) == (SpacingSource.NONE, "px")
    assert entry.spacing_kji_mm == (None, None, None)
    assert entry.geometry is not None
    assert entry.geometry.calibration is Calibration.PIXELS
    _, dj, di = entry.geometry.spacing_kji_mm
    assert dj / di == pytest.approx(2.0 if aspect else 1.0)


def region(rows: tuple[int, int], columns: tuple[int, int], delta_cm: tuple[float, float], units: int = 3) -> Dataset:
    item = Dataset()
    item.RegionLocationMinY0, item.RegionLocationMaxY1 = rows
    item.RegionLocationMinX0, item.RegionLocationMaxX1 = columns
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaY, item.PhysicalDeltaX = delta_cm
    return item


def test_the_scale_of_an_ultrasound_region_holds_inside_it_and_pixels_outside(tmp_path: Path) -> None:
    def ultrasound(ds: FileDataset) -> None:
        ds.Modality = "US"
        # Deltas point against the rows where depth grows upwards.
        ds.SequenceOfUltrasoundRegions = Sequence(
            [region((0, 7), (0, 7), (-0.02, 0.03)), region((0, 7), (8, 12), (0.1, 0.1))]
        )

    entry = one_picture(tmp_path, ultrasound)
    scale = pixel_scale(entry.geometry, entry.spacing_source, entry.regions)
    assert scale.along([(1, 1), (6, 6)]).spacing_ji_mm == pytest.approx((0.2, 0.3))
    assert scale.along([(1, 9), (6, 12)]).spacing_ji_mm == pytest.approx((1.0, 1.0))
    assert scale.along([(1, 1), (6, 12)]).unit == "px"
    assert scale.along([(1, 1), (9, 1)]).unit == "px"
    assert {reason.code for reason in entry.reasons} >= {"ULTRASOUND_REGIONS"}


def test_one_region_shapes_the_picture_and_still_ends_at_its_border(tmp_path: Path) -> None:
    def ultrasound(ds: FileDataset) -> None:
        ds.Modality = "US"
        ds.SequenceOfUltrasoundRegions = Sequence([region((2, 7), (2, 10), (0.02, 0.03))])

    entry = one_picture(tmp_path, ultrasound)
    assert entry.spacing_source is SpacingSource.ULTRASOUND_REGION
    assert entry.spacing_kji_mm == (None, pytest.approx(0.2), pytest.approx(0.3))
    scale = pixel_scale(entry.geometry, entry.spacing_source, entry.regions)
    assert scale.along([(3, 3), (6, 6)]).unit == "mm"
    assert scale.along([(0, 0), (6, 6)]).unit == "px"


@pytest.mark.parametrize("units", [0, 4, 7])
def test_a_region_that_measures_time_or_speed_gives_no_length(tmp_path: Path, units: int) -> None:
    def doppler(ds: FileDataset) -> None:
        ds.Modality = "US"
        ds.SequenceOfUltrasoundRegions = Sequence([region((0, 9), (0, 12), (0.02, 0.03), units)])

    assert unit_of(one_picture(tmp_path, doppler)) == "px"


@pytest.mark.data
def test_real_ultrasound_pictures_state_their_regions(test_data: Path) -> None:
    (path,) = (test_data / "pydicom-testfiles").rglob("examples_ybr_color.dcm")
    ((entry,),) = (series.volumes for series in scan(path, Inline()).series)
    assert len(entry.regions) == 1
    assert (entry.regions[0].min_ji, entry.regions[0].max_ji) == ((31, 84), (414, 595))
    # (0018,602C) of this file: 0.0510497 cm.
    assert entry.regions[0].spacing_ji_mm == pytest.approx((0.510497, 0.510497), rel=1e-6)
    assert entry.spacing_source is SpacingSource.ULTRASOUND_REGION


@pytest.mark.parametrize("stated", [None, ["R", "F"]])
def test_a_projection_claims_no_directions_but_those_it_states(tmp_path: Path, stated: list[str] | None) -> None:
    def projection(ds: FileDataset) -> None:
        if stated:
            ds.PatientOrientation = stated

    entry = one_picture(tmp_path, projection)
    assert entry.patient_orientation == (("R", "F") if stated else ("", ""))
    (reason,) = (r for r in entry.reasons if r.code == "NO_POSITION")
    assert reason.text == "The picture states no position in the patient."
