"""One file format into another, labels and images alike."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.core.language import _, plural
from medview.core.pixel_hash import pixels_sha256
from medview.core.segmentation import LabelLayer, Segmentation
from medview.io.dicom.rtstruct_writer import write_rtstruct
from medview.io.dicom.seg import write_seg
from medview.io.label_files import ImportedLabels, is_label_file, read_labels, refuse_other_names, write_names
from medview.io.load import LoadedVolume, load_volume
from medview.io.nifti import write_volume as write_nifti_volume
from medview.io.nrrd import write_label_map as write_nrrd_labels
from medview.io.nrrd import write_volume as write_nrrd_volume
from medview.io.placed import unplaced_note
from medview.io.reader_pool import Pool
from medview.io.seg_nrrd_write import write_seg_nrrd
from medview.workspace.exports import refuse_sources, write_named_map
from medview.workspace.flatten import flatten


class Format(Enum):
    """What can be written."""

    NIFTI = "NIfTI"
    NRRD = "NRRD"
    SEG_NRRD = ".seg.nrrd"
    SEG = "DICOM SEG"
    RTSTRUCT = "DICOM RTSTRUCT"


DICOM_FORMATS = {"seg": Format.SEG, "rtstruct": Format.RTSTRUCT}
"""What a ``.dcm`` can be, by the word for it."""


def target_format(path: Path, to: str = "") -> Format:
    """Return the format a file name asks for.

    Parameters
    ----------
    to : str
        ``seg`` or ``rtstruct``, where the name only says DICOM; a SEG is written where neither is said.

    Raises
    ------
    WriteError
        When the name asks for no format that is known, or for another one than ``to``.
    """
    name = path.name.lower()
    if to and to not in DICOM_FORMATS:
        raise WriteError(f"{to} is nothing MedView writes into a DICOM file; say seg or rtstruct.")
    for endings, form in (
        ((".nii", ".nii.gz"), Format.NIFTI),
        ((".seg.nrrd",), Format.SEG_NRRD),
        ((".nrrd", ".nhdr"), Format.NRRD),
        ((".rtstruct.dcm",), Format.RTSTRUCT),
        ((".seg.dcm",), Format.SEG),
        ((".dcm",), DICOM_FORMATS.get(to, Format.SEG)),
    ):
        if name.endswith(endings):
            if to and form is not DICOM_FORMATS[to]:
                raise WriteError(f"{path.name} would be a {form.value}; choose another name or leave out --to {to}.")
            return form
    raise WriteError(f"MedView cannot tell what to write from the name {path.name}; end it in .nii.gz, .nrrd or .dcm.")


def convert(
    src: Path,
    dst: Path,
    reference: Path | None,
    series_uid: str | None,
    context: JobContext,
    pool: Pool | None = None,
    *,
    to: str = "",
) -> tuple[str, ...]:
    """Convert ``src`` to ``dst``; what it holds decides whether it is read as an image or as labels.

    Parameters
    ----------
    reference : Path, optional
        The series labels belong to. A NIfTI or NRRD given with a reference is read as a label map on its grid.
    pool : Pool, optional
        Where foreign files are parsed; inline unless given.
    to : str
        ``seg`` or ``rtstruct``: what a ``dst`` ending in .dcm becomes.

    Returns
    -------
    tuple of str
        Sentences for the person: what could not be checked, what was left out.

    Raises
    ------
    ReadError, WriteError, AmbiguousError, GeometryError
        Nothing is written then. Images without positions become neither NIfTI nor NRRD, which would claim some.
    """
    form = target_format(dst, to)
    source_series = load_volume(reference, series_uid, context, pool) if reference is not None else None
    refuse_sources(dst, [src])
    if source_series is not None:
        refuse_sources(dst, (frame.path for frame in source_series.entry.frames))
    if reference is not None or is_label_file(src):
        labels = read_labels(src, source_series.volume if source_series else None, pool)
        return (*labels.notes, *write_labels(labels, dst, form, source_series, context))
    loaded = load_volume(src, series_uid, context, pool)
    refuse_sources(dst, (frame.path for frame in loaded.entry.frames))
    if form not in (Format.NIFTI, Format.NRRD):
        raise WriteError(
            f"{src} is read as an image; to write its labels as a {form.value} name the series with --reference."
        )
    writer = write_nifti_volume if form is Format.NIFTI else write_nrrd_volume
    writer(dst, loaded.volume)
    return _not_whole(loaded)


def _not_whole(loaded: LoadedVolume) -> tuple[str, ...]:
    """Return what of a series is not in the file that was written of it."""
    said = [f"{one.path}: {one.reason}" for one in loaded.damaged]
    if loaded.gaps:
        holds = plural(
            "{n} slice could not be read and is 0 everywhere.",
            "{n} slices could not be read and are 0 everywhere.",
            len(loaded.gaps),
        )
        said.append(holds.format(n=len(loaded.gaps)))
    if loaded.entry.time_points > 1:
        said.append(_("Of {n} time points the first was written.").format(n=loaded.entry.time_points))
    return tuple(said)


def write_labels(
    labels: ImportedLabels, dst: Path, form: Format, series: LoadedVolume | None, context: JobContext | None = None
) -> tuple[str, ...]:
    """Write labels in a format and return what the person has to know. Raises WriteError where it cannot carry them."""
    layers = {n: LabelLayer.drawn(n, voxels) for n, voxels in labels.layers.items()}
    segmentation = Segmentation(labels.geometry, layers, list(labels.segments))
    pixels = pixels_sha256(series.volume, series.gaps) if series is not None else labels.pixels_sha256
    if form in DICOM_FORMATS.values():
        if series is None or not series.entry.dicom_paths:
            raise WriteError(
                f"A {form.value} points at the DICOM series it was drawn on; name it with --reference to write {dst.name}."
            )
        if form is Format.RTSTRUCT:
            return write_rtstruct(dst, segmentation, series.entry.frames, pixels_sha256=pixels, context=context)
        paths = [Path(p) for p in series.entry.dicom_paths]
        return write_seg(dst, segmentation, paths, instances=series.volume.sop_instance_uids, pixels_sha256=pixels)
    if form is Format.SEG_NRRD:
        write_seg_nrrd(dst, segmentation, pixels)
    elif form is Format.NIFTI:
        write_named_map(dst, segmentation, pixels)
    else:
        refuse_other_names(dst)
        merged, segments = flatten(segmentation)
        write_nrrd_labels(dst, merged, labels.geometry)
        write_names(dst, segments, pixels)
    note = unplaced_note(segmentation.geometry, dst.name)
    return (note,) if note else ()
