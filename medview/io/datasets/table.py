"""All formats of datasets that are read, by the name the command line knows them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medview.core.errors import ReadError
from medview.core.job import Inline, JobContext
from medview.io.datasets.class_folders import list_class_folders
from medview.io.datasets.coco import list_coco
from medview.io.datasets.dicom_labels import list_dicom_seg, list_rtstruct
from medview.io.datasets.foreign import DatasetRequest, ForeignDataset
from medview.io.datasets.image_mask import list_image_mask
from medview.io.datasets.medmnist import list_medmnist
from medview.io.datasets.nifti_pairs import list_nifti_pairs
from medview.io.datasets.nnunet import list_nnunet
from medview.io.datasets.voc import list_voc
from medview.io.datasets.yolo import list_yolo
from medview.io.reader_pool import InlinePool, Pool


@dataclass(frozen=True, slots=True)
class DatasetFormat:
    """A kind of dataset.

    Attributes
    ----------
    title : str
        For people.
    lister : callable
        Lists a dataset; raises MedViewError.
    """

    title: str
    lister: Callable[[DatasetRequest, JobContext, Pool], ForeignDataset]


FORMATS: Mapping[str, DatasetFormat] = {
    "dicom-seg": DatasetFormat("DICOM series and SEG", list_dicom_seg),
    "rtstruct": DatasetFormat("DICOM series and RTSTRUCT", list_rtstruct),
    "nifti-pairs": DatasetFormat("Volumes and label maps (NIfTI, NRRD)", list_nifti_pairs),
    "image-mask": DatasetFormat("Pictures and masks (PNG, JPEG)", list_image_mask),
    "coco": DatasetFormat("COCO", list_coco),
    "voc": DatasetFormat("Pascal VOC", list_voc),
    "yolo": DatasetFormat("YOLO", list_yolo),
    "nnunet": DatasetFormat("nnU-Net raw dataset", list_nnunet),
    "class-folders": DatasetFormat("A folder for every class", list_class_folders),
    "medmnist-npz": DatasetFormat("MedMNIST (.npz)", list_medmnist),
}


def list_dataset(
    form: str, request: DatasetRequest, context: JobContext | None = None, pool: Pool | None = None
) -> ForeignDataset:
    """Return what a dataset holds; no pixel is looked at.

    Parameters
    ----------
    form : str
        One of ``FORMATS``.
    pool : Pool, optional
        Where foreign files are parsed; inline unless given.

    Raises
    ------
    MedViewError
        One sentence that names the file which is wrong.
    """
    if form not in FORMATS:
        raise ReadError(f"{form} is no format of datasets; those are {', '.join(FORMATS)}.")
    for folder in (request.source, request.images, request.labels):
        if folder is not None and not folder.exists():
            raise ReadError(f"{folder.name or folder} is not there; choose another file or folder.")
    return FORMATS[form].lister(request, context or Inline(), pool or InlinePool())
