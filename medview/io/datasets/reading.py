"""One case of a foreign dataset: its image as a volume, its labels on the image's grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.core.errors import ReadError
from medview.core.job import Inline, JobContext
from medview.core.volume import Volume
from medview.io.datasets.foreign import ForeignCase, FoundLabels, ImageRef, LabelSource
from medview.io.datasets.npz import image_of_row
from medview.io.imported_labels import Target
from medview.io.load import load_volume
from medview.io.pictures import as_grey
from medview.io.plain_files import describe, read_voxels
from medview.io.reader_pool import InlinePool, Pool
from medview.io.sniff import Kind, sniff

READ_TIMEOUT_S = 120.0
PLAIN = frozenset({Kind.NIFTI, Kind.NRRD, Kind.IMAGE})


def load_image(
    image: ImageRef, pool: Pool | None = None, context: JobContext | None = None, *, grey: bool = True
) -> Volume:
    """Return an image of a case.

    Parameters
    ----------
    grey : bool
        Of colours whose three channels are equal everywhere, one is returned.

    Raises
    ------
    MedViewError
        When it cannot be read.
    """
    pool = pool or InlinePool()
    if image.member:
        volume: Volume = pool.call(image_of_row, image.path, image.member, image.row, timeout_s=READ_TIMEOUT_S)
        return volume
    if image.time_point:
        later: Volume = pool.call(_time_point, image.path, image.time_point, timeout_s=READ_TIMEOUT_S)
        return later
    loaded = load_volume(Path(image.path), image.series_uid or None, context or Inline(), pool)
    if loaded.gaps:
        raise ReadError(loaded.damaged[-1].reason)
    volume = loaded.volume
    voxels = as_grey(volume.voxels) if grey else volume.voxels
    return volume if voxels.ndim == volume.voxels.ndim else replace(volume, voxels=voxels)


def load_labels(case: ForeignCase, target: Target | None = None, pool: Pool | None = None) -> FoundLabels:
    """Return the labels of a case.

    Parameters
    ----------
    target : Target, optional
        The image, where it is open already; otherwise its header is read for the grid.

    Raises
    ------
    MedViewError
        When they cannot be read, or belong to another image.
    """
    if case.labels is None:
        raise ReadError(f"Nobody labelled {case.key}.")
    if target is None and case.images[0].series_uid:
        target = Target.of(load_image(case.images[0], pool))
    found: FoundLabels = (pool or InlinePool()).call(
        _labels, case.labels.path, case.labels, case.images[0], target, timeout_s=READ_TIMEOUT_S
    )
    return found


def _labels(path: str, source: LabelSource, image: ImageRef, target: Target | None) -> FoundLabels:
    return source.read(target if target is not None else _target(image))


def _target(image: ImageRef) -> Target:
    if image.member:
        return Target.of(image_of_row(image.path, image.member, image.row))
    kind = sniff(image.path)
    if kind not in PLAIN:
        raise ReadError(f"{Path(image.path).name} is no picture, NIfTI or NRRD file; open it as a study instead.")
    series = describe(image.path, kind)
    geometry = series.volumes[0].geometry if series.volumes else None
    if geometry is None:
        raise ReadError(f"{Path(image.path).name} holds labels and no image; choose the images.")
    return Target(geometry, series.series_uid, series.study_uid)


def _time_point(path: str, time_point: int) -> Volume:
    series = describe(path, sniff(path))
    (entry,) = series.volumes
    assert entry.geometry is not None
    return Volume(
        read_voxels(path, time_point),
        entry.geometry,
        rescale=entry.rescale,
        series_uid=series.series_uid,
        study_uid=series.study_uid,
        description=f"{series.description}, volume {time_point + 1}",
    )
