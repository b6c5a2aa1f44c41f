"""When the volumes of a 4-D series were taken, as far as the headers say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset

from medview.core.job import Inline
from medview.core.study import VolumeEntry
from medview.io.dicom.scan import scan
from tests.helpers.dicom_series import asymmetric, write_ct

State = Callable[[FileDataset, int, int], None]


def in_time(folder: Path, times: int, state: State, *, order: bool = True) -> VolumeEntry:
    """Write a series of several volumes, let ``state`` say when each slice (dataset, time, k) was taken, and scan it."""
    for time in range(times):

        def change(k: int, ds: FileDataset, time: int = time) -> None:
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"
            if order:
                ds.TemporalPositionIdentifier = time + 1
            state(ds, time, k)

        write_ct(folder / str(time), asymmetric() + time, change=change)
    (series,) = scan(folder, Inline()).series
    (entry,) = series.volumes
    assert entry.time_points == times
    return entry


def clock(seconds: float) -> str:
    whole = int(seconds) % 86400
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{round(seconds % 1 * 1e6):06d}"


def test_the_first_slice_of_a_volume_says_when_it_began_and_a_night_between_does_no_harm(tmp_path: Path) -> None:
    def state(ds: FileDataset, time: int, k: int) -> None:
        # Interleaved: odd slices first, so that the first slice in space is not the first in time.
        ds.AcquisitionTime = clock(23 * 3600 + 59 * 60 + 55 + 2.5 * time + 0.1 * (k + 1) % 7)

    assert in_time(tmp_path, 5, state).times_s == (0.0, 2.5, 5.0, 7.5, 10.0)


@pytest.mark.parametrize(
    ("keyword", "unit_s"), [("FrameReferenceTime", 1e-3), ("TriggerTime", 1e-3), ("NominalCardiacTriggerDelayTime", 1e-3)]
)
def test_times_from_the_scanner_go_before_the_clock(tmp_path: Path, keyword: str, unit_s: float) -> None:
    def state(ds: FileDataset, time: int, _k: int) -> None:
        if keyword == "NominalCardiacTriggerDelayTime":
            ds.add_new(0x00209153, "FD", (30.0 + 700.0 * time**2))
        else:
            setattr(ds, keyword, 30.0 + 700.0 * time**2)
        ds.AcquisitionTime = clock(40000 + time)

    assert in_time(tmp_path, 3, state).times_s == pytest.approx((0.0, 700 * unit_s, 2800 * unit_s))


def test_a_date_and_time_is_read_with_or_without_its_zone(tmp_path: Path) -> None:
    def state(ds: FileDataset, time: int, _k: int) -> None:
        ds.AcquisitionDateTime = f"2026022823595{8 + time}.250000+0100" if time < 2 else "20260301000004.250000+0100"

    assert in_time(tmp_path, 3, state).times_s == (0.0, 1.0, 6.0)


def test_one_time_for_all_volumes_says_nothing(tmp_path: Path) -> None:
    def state(ds: FileDataset, _time: int, _k: int) -> None:
        ds.AcquisitionTime, ds.TriggerTime = "114815", 12.0

    assert in_time(tmp_path, 3, state).times_s == ()


def test_volumes_of_an_echo_planar_series_are_a_repetition_apart_and_echoes_of_one_are_not(tmp_path: Path) -> None:
    def repeated(ds: FileDataset, _time: int, _k: int) -> None:
        ds.ScanningSequence, ds.RepetitionTime, ds.AcquisitionTime = ["EP", "GR"], "1500", "114815"

    def echoes(ds: FileDataset, time: int, k: int) -> None:
        repeated(ds, time, k)
        ds.EchoTime = 10.0 * (time + 1)

    def lines(ds: FileDataset, time: int, k: int) -> None:
        repeated(ds, time, k)
        ds.ScanningSequence = "GR"

    assert in_time(tmp_path / "a", 3, repeated).times_s == (0.0, 1.5, 3.0)
    assert in_time(tmp_path / "b", 3, echoes, order=False).times_s == ()
    assert in_time(tmp_path / "c", 3, lines).times_s == ()


@pytest.mark.data
def test_real_series_say_the_times_that_dcm2niix_found(test_data: Path) -> None:
    found = {}
    for series in scan(test_data / "mr-fmri-4d", Inline()).series:
        for entry in series.volumes:
            found[series.description] = entry.times_s
    np.testing.assert_allclose(found["Axial EPI-FMRI (Interleaved I to S)"], found["DCM2NIIX_regression_test_4.nii"])
    np.testing.assert_allclose(found["EPI PE=AP"], found["EPI_PE=AP_3.nii"], atol=1e-3)
    assert found["DCM2NIIX_regression_test_4.nii"] == tuple(5.0 * n for n in range(10))
