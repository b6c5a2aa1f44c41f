"""Cases as a Pascal VOC dataset: pictures, an XML file of boxes for each, masks, and lists of the splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from medview.core.errors import WriteError
from medview.core.job import JobContext
from medview.io.datasets.dataset_case import DatasetCase, WriteOptions, many
from medview.io.datasets.inside import stem_of
from medview.io.datasets.picture_cases import MadePicture, box_only, picture_losses, write_pictures
from medview.io.datasets.shapes import PictureShape
from medview.io.datasets.voc_mask_write import VocMasks, class_numbers

FLAGS = ("truncated", "difficult", "occluded")
_SPLITS = ("train", "val", "test")


def voc_losses(cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext) -> list[str]:
    """Return what Pascal VOC cannot carry."""
    said = picture_losses(cases, options)
    masks = sum(len(case.structures()) for case in cases)
    if masks and not class_numbers(cases):
        said.append(many(masks, "1 segment becomes boxes around it.", "{n} segments become boxes around them."))
    elif any(len({segment.layer_id for segment in case.structures()}) > 1 for case in cases):
        said.append("On slices where segments overlap only the boxes around them are written.")
    more = sum(1 for case in cases for box in case.boxes for one in box.attributes if one.name not in FLAGS)
    if more:
        said.append(many(more, "1 attribute of a box is left out.", "{n} attributes of boxes are left out."))
    if any(box.score is not None for case in cases for box in case.boxes):
        said.append("Scores of boxes are left out.")
    return said


def write_voc_dataset(
    folder: Path, cases: Sequence[DatasetCase], options: WriteOptions, context: JobContext
) -> list[MadePicture]:
    """Write ``JPEGImages`` (PNG all the same), ``Annotations`` and ``ImageSets`` into a folder.

    Raises
    ------
    WriteError, DiskFullError
        Also where a split has a name VOC has no list for.
    """
    strange = sorted({case.fold for case in cases} - set(_SPLITS))
    if strange:
        raise WriteError(f"The dataset was not written: Pascal VOC has no split called {strange[0]}.")
    for part in ("Annotations", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    made: list[MadePicture] = []
    masks, masked = VocMasks(folder, cases), set[str]()
    for number, case in enumerate(cases):
        context.progress(number / len(cases), f"Writing case {number + 1} of {len(cases)}")
        for picture in write_pictures(folder / "JPEGImages", case, options, context):
            boxes = tuple(box_only(shape) for shape in picture.shapes)
            if masks.write(picture):
                masked.add(picture.name)
            text = _document(picture, boxes, options, segmented=picture.name in masked)
            (folder / "Annotations" / f"{stem_of(picture.name)}.xml").write_text(text, "utf-8")
            made.append(MadePicture(picture.name, case, picture.k, picture.size, boxes))
    for split in sorted({case.fold for case in cases}):
        names = [stem_of(picture.name) for picture in made if picture.case.fold == split]
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name in names), "utf-8")
    if masked:
        masks.write_list()
        (folder / "ImageSets" / "Segmentation").mkdir()
        for split in sorted({case.fold for case in cases}):
            names = [stem_of(one.name) for one in made if one.case.fold == split and one.name in masked]
            (folder / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("".join(f"{n}\n" for n in names), "utf-8")
    return made


def _document(picture: MadePicture, boxes: Sequence[PictureShape], options: WriteOptions, *, segmented: bool) -> str:
    rows, columns = picture.size
    lines = [
        "<annotation>",
        "\t<folder>JPEGImages</folder>",
        f"\t<filename>{picture.name}</filename>",
        f"\t<source><database>{escape(options.name)}</database></source>",
        f"\t<size><width>{columns}</width><height>{rows}</height><depth>3</depth></size>",
        f"\t<segmented>{int(segmented)}</segmented>",
        *(_object(shape) for shape in boxes),
        "</annotation>",
    ]
    return "\n".join(lines) + "\n"


def _object(shape: PictureShape) -> str:
    left, top, right, bottom = shape.box_xyxy or (0.0, 0.0, 0.0, 0.0)
    # The first pixel is 1 and the last one belongs to the box.
    corners = {"xmin": left + 1, "ymin": top + 1, "xmax": right, "ymax": bottom}
    said = {one.name: one.words for one in shape.attributes}
    flags = "".join(f"<{flag}>{int(said.get(flag) == 'yes')}</{flag}>" for flag in FLAGS)
    places = "".join(f"<{name}>{_number(value)}</{name}>" for name, value in corners.items())
    return f"\t<object><name>{escape(shape.label)}</name><pose>Unspecified</pose>{flags}<bndbox>{places}</bndbox></object>"


def _number(value: float) -> str:
    """Return whole numbers as the format has them; a box between pixels keeps its place, which readers understand."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
