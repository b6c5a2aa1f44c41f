"""A SEG of another program over several time points of a series: each is read on its own images only."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.sr.codedict import codes

from medview.core.errors import GeometryError
from medview.core.job import Inline
from medview.core.volume import Volume
from medview.io.dicom.repeated import complete_repeated
from medview.io.dicom.seg import read_seg, write_seg
from medview.io.load import LoadedVolume, load_volume
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.seg_objects import one_segment, paths_of


@pytest.fixture
def cine(tmp_path: Path) -> LoadedVolume:
    for time in range(2):

        def in_time(k: int, ds: FileDataset, time: int = time) -> None:
            ds.TemporalPositionIdentifier = time + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID}.{time}"

        write_ct(tmp_path / "ct" / str(time), asymmetric() + time, change=in_time)
    return load_volume(tmp_path / "ct", None, Inline())


def drawn(cine: LoadedVolume) -> npt.NDArray[np.uint8]:
    """Return what is drawn, (time point, k, j, i): on slice 3 at both time points, and on slice 5 at the second."""
    truth = np.zeros((2, *cine.volume.geometry.shape_kji), dtype=np.uint8)
    truth[0, 3, 2:6, 3:9] = truth[1, 3, 0:2, 0:3] = truth[1, 5, 1, 1:4] = 1
    return truth


def write_over_times(path: Path, cine: LoadedVolume, kind: str) -> None:
    truth, count = drawn(cine), cine.volume.geometry.shape_kji[0]

    def image_of(time: int, k: int) -> FileDataset:
        image = pydicom.dcmread(cine.entry.frames[time * count + k].path)
        complete_repeated(image)
        return image

    heart = highdicom.seg.SegmentDescription(1, "Heart", codes.SCT.Organ, codes.SCT.Heart, "MANUAL")
    seg = highdicom.seg.Segmentation(
        source_images=[image_of(0, 3), image_of(1, 4), image_of(1, 5)],
        pixel_array=np.stack([truth[0, 3], truth[1, 3], truth[1, 5]]),
        segmentation_type=kind,
        segment_descriptions=[heart],
        series_instance_uid=highdicom.UID(),
        series_number=1,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="Other",
        manufacturer_model_name="Other",
        software_versions="1",
        device_serial_number="1",
    )
    # highdicom writes no two frames at one place, other programs do: the middle one comes to lie where the first does.
    named = {image_of(1, 4).SOPInstanceUID: image_of(1, 3)}
    for group in seg.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        moved = named.get(source.ReferencedSOPInstanceUID)
        if moved is not None:
            source.ReferencedSOPInstanceUID = moved.SOPInstanceUID
            group.PlanePositionSequence[0].ImagePositionPatient = moved.ImagePositionPatient
    for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence:
        if item.ReferencedSOPInstanceUID in named:
            item.ReferencedSOPInstanceUID = named[item.ReferencedSOPInstanceUID].SOPInstanceUID
    seg.save_as(path)


def at(cine: LoadedVolume, time: int) -> Volume:
    count = cine.volume.geometry.shape_kji[0]
    uids = tuple(frame.sop_instance_uid for frame in cine.entry.frames[time * count : (time + 1) * count])
    return Volume(asymmetric() + time, cine.volume.geometry, series_uid=cine.volume.series_uid, sop_instance_uids=uids)


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize(("time", "elsewhere"), [(0, "2 frames were"), (1, "1 frame was")])
def test_of_a_seg_over_several_time_points_the_frames_of_others_are_left_out_and_that_is_said(
    cine: LoadedVolume, tmp_path: Path, kind: str, time: int, elsewhere: str
) -> None:
    write_over_times(tmp_path / "labels.dcm", cine, kind)
    read = read_seg(tmp_path / "labels.dcm", at(cine, time))
    (segment,) = read.segments
    np.testing.assert_array_equal(read.layers[segment.layer_id] == segment.value, drawn(cine)[time] == 1)
    assert read.left_out
    assert read.notes == (
        f"{elsewhere} left out of labels.dcm: drawn on other images of this series; open those and import it there.",
    )


def test_a_seg_that_lists_the_whole_series_and_was_drawn_on_one_time_point_is_refused_on_another(
    cine: LoadedVolume, tmp_path: Path
) -> None:
    path, uids = tmp_path / "labels.dcm", [frame.sop_instance_uid for frame in cine.entry.frames]
    write_seg(path, one_segment(cine), paths_of(cine), instances=cine.volume.sop_instance_uids)
    seg = pydicom.dcmread(path)
    listed = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    sop_class = listed[0].ReferencedSOPClassUID
    del listed[:]
    for uid in uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        listed.append(item)
    seg.save_as(path)
    assert read_seg(path, at(cine, 0)).notes == ()
    with pytest.raises(GeometryError, match=r"labels\.dcm was made on other images of this series"):
        read_seg(path, at(cine, 1))
