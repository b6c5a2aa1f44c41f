"""What a project can be written as, in words for people."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.language import _


@dataclass(frozen=True, slots=True)
class FormWords:
    """A format of ``exporting.FORMS``.

    Attributes
    ----------
    done_only : bool
        Only cases that are done, unless a person wants others.
    """

    form: str
    title: str
    about: str
    done_only: bool = False


FORM_WORDS: tuple[FormWords, ...] = (
    FormWords("seg", _("DICOM SEG"), _("A segmentation for each case that points at its images")),
    FormWords("rtstruct", _("DICOM RTSTRUCT"), _("Contours for planning systems")),
    FormWords("nrrd", _("3D Slicer (.seg.nrrd)"), _("Segments with colours, codes and overlaps")),
    FormWords("nifti", _("NIfTI label maps"), _("A label map for each case, names beside it")),
    FormWords("nnunet", _("nnU-Net dataset"), _("Images and label maps, ready to be trained on")),
    FormWords("coco", _("COCO"), _("Slices as pictures; boxes and masks in one JSON file")),
    FormWords("voc", _("Pascal VOC"), _("Slices as pictures; boxes in XML files")),
    FormWords("yolo", _("YOLO"), _("Slices as pictures; boxes or outlines in text files")),
    FormWords(
        "dataset",
        _("Dataset folder"),
        _("Images, labels, forms, splits by patient and a data card, for training in MedView"),
        done_only=True,
    ),
)
