"""RT structure sets as other programs write them, sound and strange, and what plastimatch makes of ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian

from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Volume
from medview.io.dicom.header import STRUCTURE_SET
from medview.io.imported_labels import ImportedLabels


@dataclass
class Drawn:
    """One region of a made-up structure set: contours in patient mm, each ``(points, 3)``; None for no sequence at all."""

    name: str
    contours: Sequence[npt.ArrayLike] | None
    kind: str = "CLOSED_PLANAR"
    colour: tuple[int, int, int] | None = (200, 10, 20)
    interpreted: str = ""
    frame: str | None = None
    images: Sequence[str] = field(default_factory=list)


def structure_set(volume: Volume, regions: Sequence[Drawn], *, decimals: int = 6, listed: bool = True) -> FileDataset:
    """Return a structure set on a volume; ``listed`` says whether it names series and images."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(STRUCTURE_SET), "2.25.77.1"
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = STRUCTURE_SET, "2.25.77.1", "RTSTRUCT"
    made.StudyInstanceUID, made.SeriesInstanceUID = volume.study_uid, "2.25.77.2"
    made.StructureSetLabel = "made up"
    frame = volume.geometry.frame_of_reference_uid
    if listed:
        series, study, place = Dataset(), Dataset(), Dataset()
        series.SeriesInstanceUID = volume.series_uid
        series.ContourImageSequence = [_image(uid) for uid in volume.sop_instance_uids]
        study.RTReferencedSeriesSequence = [series]
        place.FrameOfReferenceUID, place.RTReferencedStudySequence = frame, [study]
        made.ReferencedFrameOfReferenceSequence = [place]
    made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence = [], [], []
    for number, region in enumerate(regions, start=1):
        named, drawn, observed = Dataset(), Dataset(), Dataset()
        named.ROINumber, named.ROIName = number, region.name
        named.ReferencedFrameOfReferenceUID = frame if region.frame is None else region.frame
        drawn.ReferencedROINumber = observed.ReferencedROINumber = number
        if region.colour is not None:
            drawn.ROIDisplayColor = list(region.colour)
        if region.contours is not None:
            drawn.ContourSequence = [_contour(points, region, decimals) for points in region.contours]
        observed.ObservationNumber, observed.RTROIInterpretedType = number, region.interpreted
        made.StructureSetROISequence.append(named)
        made.ROIContourSequence.append(drawn)
        made.RTROIObservationsSequence.append(observed)
    return made


def _image(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", uid
    return item


def _contour(points: npt.ArrayLike, region: Drawn, decimals: int) -> Dataset:
    item = Dataset()
    flat = np.asarray(points, dtype=float).ravel()
    if region.images:
        item.ContourImageSequence = [_image(uid) for uid in region.images]
    item.ContourGeometricType, item.NumberOfContourPoints = region.kind, flat.size // 3
    item.ContourData = [f"{value:.{decimals}f}"[:16] for value in flat]
    return item


def ring(
    centre_ji: tuple[float, float], radius: float, volume: Volume, k: float, points: int = 400
) -> npt.NDArray[np.float64]:
    """Return a circle, in voxels of a slice, as patient mm."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    j, i = centre_ji[0] + radius * np.sin(angle), centre_ji[1] + radius * np.cos(angle)
    return volume.geometry.point_lps_mm(np.stack([np.full_like(j, k), j, i], axis=1))


def around(low_ji: tuple[float, float], high_ji: tuple[float, float], volume: Volume, k: float) -> npt.NDArray[np.float64]:
    """Return a rectangle on a slice as patient mm; corners in voxels, whole numbers being centres."""
    (j0, i0), (j1, i1) = low_ji, high_ji
    return volume.geometry.point_lps_mm([(k, j0, i0), (k, j0, i1), (k, j1, i1), (k, j1, i0)])


def mask_of(read: ImportedLabels, name: str) -> npt.NDArray[np.bool_]:
    """Return the voxels of a segment that was read."""
    segment = next(s for s in read.segments if s.name == name)
    return np.asarray(read.layers[segment.layer_id] == segment.value)


def dice(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / max(one.sum() + other.sum(), 1))


def segmentation_of(volume: Volume, **masks: npt.NDArray[np.bool_]) -> Segmentation:
    """Return one segment per mask, each in a layer of its own."""
    made = Segmentation(volume.geometry)
    for n, (name, mask) in enumerate(masks.items()):
        made.segments.append(Segment(name, name, (20 * n, 90, 200 - 30 * n), n, 1))
        made.layers[n] = made.layer(n).drawn(n, mask.astype(np.uint8))
    return made


def by_plastimatch(structures: Path, images: Path, target: Path) -> dict[str, npt.NDArray[np.bool_]]:
    """Return what plastimatch makes of a structure set, by name, each (k, j, i); skips where it is not installed."""
    tool = shutil.which("plastimatch")
    if tool is None:
        pytest.skip("plastimatch is not installed; apt-get install plastimatch")
    command = [tool, "convert", "--input", str(structures), "--referenced-ct", str(images)]
    command += ["--output-prefix", str(target), "--prefix-format", "nrrd"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return {
        path.stem: SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).astype(bool)
        for path in sorted(target.glob("*.nrrd"))
    }
