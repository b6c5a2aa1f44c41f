"""Every series of the real studies, judged by SimpleITK and dcm2niix; where they say otherwise a table says why."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, cast

import pydicom
import pytest

from medview.cli.scan import document
from medview.core.job import Inline
from medview.io.dicom.reasons import Code
from medview.io.dicom.scan import scan
from tests.helpers.foreign import by_dcm2niix, converted
from tests.helpers.judged import (
    AS_STORED,
    CANNOT,
    DAMAGED,
    ELSEWHERE,
    INVERTED,
    ITK_CORNERS,
    ITK_LETTERS,
    ITK_ORDER,
    ITK_VALUES,
    LOSSY,
    MOSAIC,
    NIIX_CORNERS,
    NIIX_LETTERS,
    NIIX_THICKNESS,
    NIIX_VALUES,
    NO_MILLIMETRES,
    OTHER,
    OTHER_FILES,
    OTHER_ORDER,
    REFUSED,
    answers,
)

pytestmark = pytest.mark.data

FOLDERS = [
    "cr-nih",
    "ct-bad-geometry",
    "ct-body-j2k-with-labels",
    "ct-body-nifti-117-classes",
    "ct-chest",
    "ct-gantry-tilt-ge",
    "ct-head-tiny-93",
    "enhanced-ct-2frames",
    "mr-brain-t1-t1c-t2-flair",
    "mr-dti-uih",
    "mr-enhanced",
    "mr-fmri-4d",
    "mr-sag-hfs",
    "nrrd-image-label",
    "pydicom-testfiles",
    "rt-dicompyler",
    "rtstruct-rt-utils",
    "seg-dcmqi",
    "seg-highdicom",
    "train-cls-pneumoniamnist",
    "train-det-bccd",
    "train-seg-hippocampus",
    "train-seg-sunnybrook",
    "transfer-syntaxes",
    "weights-brainchop",
]
NOT_JUDGED = {"hostile"}
"""Files made to bring readers down; foreign tools are among those they bring down."""

ITS_OWN = "pydicom-testfiles"
"""Not a study but single files, many of them versions of one image; each is judged by itself, too."""

TOOL = "TOOL"
"""Instead of a code: the foreign tool is wrong."""


@dataclass(frozen=True)
class Explained:
    """Why a foreign tool does not say what MedView says.

    Attributes
    ----------
    where : str
        Pattern of the path of the first image, `` alone`` behind it where the file was opened by itself.
    question, said : str
        What was asked and what came of it.
    code : str
        The reason MedView gives itself, or TOOL.
    why : str
    """

    where: str
    question: str
    said: str
    code: str
    why: str


_PT = "pydicom-testfiles/src/pydicom/data"
_FILES, _CHARSETS, _MEDIA = f"{_PT}/test_files", f"{_PT}/charset_files", f"{_PT}/test_files/dicomdirtests"

EXPLAINED = [
    # No millimetres, and said so.
    Explained("cr-nih/*", ITK_CORNERS, NO_MILLIMETRES, Code.NO_POSITION, "Projections lie nowhere."),
    Explained("ct-bad-geometry/*/sliceincrement/*", ITK_CORNERS, NO_MILLIMETRES, Code.MISSING_SLICE, "A gap of two steps."),
    Explained("ct-gantry-tilt-ge/*", ITK_CORNERS, NO_MILLIMETRES, Code.UNEVEN_SPACING, "Steps from 1.08 to 7 mm."),
    Explained(f"{_MEDIA}/77654033/CT2/*", ITK_CORNERS, NO_MILLIMETRES, Code.MISSING_SLICE, "Four slices of a head."),
    Explained(
        f"{_PT}/*", ITK_CORNERS, NO_MILLIMETRES, Code.NO_POSITION, "Pictures, projections, ultrasound, projected counts."
    ),
    Explained(f"{_FILES}/badVR.dcm", ITK_CORNERS, NO_MILLIMETRES, Code.DUPLICATE_POSITION, "Seven doses under one UID."),
    Explained(f"{_FILES}/MR_small.dcm", ITK_CORNERS, NO_MILLIMETRES, Code.DUPLICATE_POSITION, "Nine files of one image."),
    Explained(
        f"{_FILES}/rtdose*_1frame.dcm alone", ITK_CORNERS, NO_MILLIMETRES, Code.SINGLE_SLICE, "One slice, no thickness."
    ),
    Explained("seg-dcmqi/*/screenshots/*", ITK_CORNERS, NO_MILLIMETRES, Code.NO_SPACING, "Pictures."),
    Explained("seg-highdicom/*.jpeg", ITK_CORNERS, NO_MILLIMETRES, Code.NO_SPACING, "Pictures."),
    Explained(
        "seg-highdicom/*/sm_image*", ITK_CORNERS, NO_MILLIMETRES, Code.NO_POSITION, "Tiles of a slide, placed on glass."
    ),
    Explained("seg-highdicom/*/dx_image.dcm", ITK_CORNERS, NO_MILLIMETRES, Code.NO_POSITION, "A projection."),
    Explained("train-det-bccd/*", ITK_CORNERS, NO_MILLIMETRES, Code.NO_SPACING, "Photographs."),
    Explained("train-seg-sunnybrook/*", ITK_CORNERS, NO_MILLIMETRES, Code.NO_SPACING, "Pictures without their headers."),
    # Pixels that are not there or not read, and said so.
    Explained(f"{_CHARSETS}/chr*Multi*", ITK_VALUES, DAMAGED, Code.DAMAGED_SLICE, "The files hold no pixels."),
    Explained(f"{_FILES}/MR_*", ITK_VALUES, DAMAGED, Code.DAMAGED_SLICE, "One of the files is cut short."),
    Explained(f"{_FILES}/MR_truncated.dcm alone", ITK_CORNERS, CANNOT, Code.DAMAGED_SLICE, "SimpleITK gives up on it."),
    Explained(f"{_FILES}/MR_truncated.dcm alone", ITK_LETTERS, CANNOT, Code.DAMAGED_SLICE, "SimpleITK gives up on it."),
    Explained(f"{_FILES}/MR_truncated.dcm alone", NIIX_CORNERS, ELSEWHERE, Code.DAMAGED_SLICE, "dcm2niix gives up on it."),
    Explained(
        f"{_FILES}/JPEG2000-embedded-sequence-delimiter.dcm*",
        ITK_VALUES,
        DAMAGED,
        TOOL,
        "Its codestream is overwritten with a delimiter; the slice is marked when it is decoded, not by the scan.",
    ),
    Explained(f"{_FILES}/SC_rgb_*", ITK_VALUES, REFUSED, Code.UNSUPPORTED_PIXELS, "Colours of 32 bits."),
    Explained(f"{_FILES}/SC_rgb_*", ITK_CORNERS, REFUSED, Code.UNSUPPORTED_PIXELS, "Colours of 32 bits."),
    # What SimpleITK gets wrong or cannot say.
    Explained("mr-dti-uih/*", ITK_CORNERS, MOSAIC, TOOL, "It reads a mosaic as one large slice."),
    Explained("mr-fmri-4d/In/20180918Si/*", ITK_CORNERS, MOSAIC, TOOL, "It reads a mosaic as one large slice."),
    Explained("transfer-syntaxes/In/*", ITK_CORNERS, MOSAIC, TOOL, "It reads a mosaic as one large slice."),
    Explained("mr-enhanced/*/philips_enhanced/dti/*", ITK_CORNERS, ELSEWHERE, TOOL, "It piles four volumes up into one."),
    Explained("mr-enhanced/*/philips_enhanced/fmri/*", ITK_CORNERS, ELSEWHERE, TOOL, "It piles four volumes up into one."),
    Explained(
        "enhanced-ct-2frames/*", ITK_LETTERS, OTHER, TOOL, "Its axes are left-handed: frames run against row x column."
    ),
    Explained(
        "ct-body-j2k-with-labels/*", ITK_ORDER, OTHER_FILES, Code.NO_UID, "It finds series by UID, and there is none."
    ),
    Explained(f"{_MEDIA}/77654033/CR?/*", ITK_VALUES, INVERTED, TOOL, "It turns MONOCHROME1 numbers round."),
    Explained("seg-highdicom/*/dx_image.dcm", ITK_VALUES, INVERTED, TOOL, "It turns MONOCHROME1 numbers round."),
    Explained(f"{_FILES}/rtdose*.dcm alone", ITK_VALUES, AS_STORED, TOOL, "It leaves out DoseGridScaling."),
    Explained(f"{_FILES}/badVR.dcm alone", ITK_VALUES, AS_STORED, TOOL, "It leaves out DoseGridScaling."),
    Explained(f"{_FILES}/rtdose_expb.dcm alone", ITK_VALUES, OTHER, TOOL, "It does not turn 32-bit big endian numbers."),
    Explained(f"{_FILES}/rtdose*_1frame.dcm alone", ITK_VALUES, CANNOT, TOOL, "It wants a frame increment pointer."),
    Explained(f"{_FILES}/badVR.dcm", ITK_VALUES, f"{AS_STORED}, {CANNOT}, {OTHER}", TOOL, "As each dose by itself."),
    Explained("seg-dcmqi/*.jpg", ITK_VALUES, LOSSY, TOOL, "Decoders of JPEG differ in how they spread colours."),
    Explained("seg-highdicom/*.jpeg", ITK_VALUES, LOSSY, TOOL, "Decoders of JPEG differ in how they spread colours."),
    Explained("train-det-bccd/*", ITK_VALUES, LOSSY, TOOL, "Decoders of JPEG differ in how they spread colours."),
    Explained(f"{_FILES}/SC_rgb_rle_16bit*", ITK_VALUES, OTHER, TOOL, "It mixes up the bytes of 16-bit colours."),
    Explained(f"{_FILES}/SC_rgb_jpeg_dcmtk.dcm", ITK_VALUES, OTHER, TOOL, "One image of its series has 16-bit colours."),
    Explained(f"{_FILES}/rtdose*.dcm alone", NIIX_CORNERS, ELSEWHERE, TOOL, "It takes no notice of GridFrameOffsetVector."),
    Explained(f"{_FILES}/badVR.dcm alone", ITK_CORNERS, NO_MILLIMETRES, Code.SINGLE_SLICE, "One slice, no thickness."),
    # What dcm2niix gets wrong or cannot say.
    Explained("ct-bad-geometry/*/gantrytilting/*", NIIX_CORNERS, ELSEWHERE, Code.TILT, "Its affine cannot lean."),
    Explained(
        "mr-enhanced/*/philips_enhanced/dti/*", NIIX_VALUES, OTHER_ORDER, TOOL, "It puts b = 0 last, the file first."
    ),
    Explained(f"{_MEDIA}/98892001/CT2N/*", NIIX_CORNERS, ELSEWHERE, Code.MIXED_ORIENTATION, "It stacks two scouts."),
    Explained(
        f"{_FILES}/693_J2KI.dcm*", NIIX_THICKNESS, OTHER, Code.SINGLE_SLICE, "It takes SpacingBetweenSlices for one."
    ),
    Explained(f"{_FILES}/J2K_pixelrep_mismatch.dcm*", NIIX_LETTERS, OTHER, Code.SINGLE_SLICE, "It steps along the couch."),
    Explained(f"{_FILES}/J2K_pixelrep_mismatch.dcm*", NIIX_VALUES, OTHER, TOOL, "It reads the signed numbers as unsigned."),
]

NO_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "segmentation: labels, read as such",
    "1.2.840.10008.5.1.4.1.1.66.7": "label map segmentation: labels, read as such",
}
"""Classes that hold pixels and are no images."""


@dataclass(frozen=True)
class Judged:
    where: str
    codes: tuple[str, ...]
    question: str
    said: str


def judge(root: Path, source: Path, niftis: Callable[[], list[Path]]) -> list[Judged]:
    """Everything foreign tools say of what the scan finds below a path."""
    found = scan(source, Inline())
    pictures = any(entry.dicom_paths for series in found.series for entry in series.volumes)
    theirs = converted(niftis()) if pictures else []
    said = cast("list[dict[str, Any]]", document(found)["series"])
    rows = []
    for series, its in zip(found.series, said, strict=True):
        for entry, one in zip(series.volumes, its["volumes"], strict=True):
            where = Path(entry.frames[0].path).relative_to(root).as_posix() + " alone" * source.is_file()
            codes = tuple(reason["code"] for reason in one["reasons"])
            rows += [Judged(where, codes, *answer) for answer in answers(series, entry, one, theirs).items()]
    return rows


def explains(one: Explained, it: Judged) -> bool:
    asked = (one.question, one.said) == (it.question, it.said)
    return asked and (one.code == TOOL or one.code in it.codes) and fnmatch(it.where, one.where)


Judge = Callable[[str], list[Judged]]


@pytest.fixture(scope="module")
def judged(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """What was said of a folder, asked once."""

    @functools.cache
    def ask(folder: str) -> list[Judged]:
        target = tmp_path_factory.mktemp("niftis")
        rows = judge(test_data, test_data / folder, lambda: by_dcm2niix(test_data / folder, target / "all"))
        if folder == ITS_OWN:
            for number, path in enumerate(sorted((test_data / _PT).glob("*_files/*.dcm"))):
                rows += judge(test_data, path, functools.partial(by_dcm2niix, path, target / str(number)))
        return rows

    return ask


def test_no_folder_of_real_studies_is_left_out(test_data: Path) -> None:
    there = {path.name for path in test_data.iterdir() if path.is_dir()}
    assert there - NOT_JUDGED == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_series_is_as_foreign_tools_say_or_the_difference_is_explained(judged: Judge, folder: str) -> None:
    differing = [it for it in judged(folder) if it.said]
    assert [it for it in differing if not any(explains(one, it) for one in EXPLAINED)] == []


def test_no_explanation_is_left_over(judged: Judge) -> None:
    said = [it for folder in FOLDERS for it in judged(folder) if it.said]
    assert [one for one in EXPLAINED if not any(explains(one, it) for it in said)] == []


def test_every_volume_is_asked_for_its_corners_letters_and_values(judged: Judge) -> None:
    asked: dict[str, set[str]] = {}
    for it in (it for folder in FOLDERS for it in judged(folder)):
        asked.setdefault(it.where, set()).add(it.question)
    assert len(asked) > 1500
    placed = [where for where, questions in asked.items() if NIIX_CORNERS in questions]
    assert len(placed) > 60
    assert all({ITK_CORNERS, ITK_VALUES} <= questions for questions in asked.values())
    assert all(ITK_LETTERS in asked[where] for where in placed)


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_no_image_holds_no_pixels_and_no_file_is_dropped(test_data: Path, folder: str) -> None:
    found = scan(test_data / folder, Inline())
    for path in (path for series in found.series if series.sop_class_uids for path in series.paths):
        dataset = pydicom.dcmread(path, force=True, defer_size=1024)
        assert dataset.get("SOPClassUID") in NO_IMAGES or "PixelData" not in dataset, path
    listed = {frame.path for series in found.series for entry in series.volumes for frame in entry.frames}
    listed |= {path for series in found.series for path in series.paths} | {damaged.path for damaged in found.damaged}
    unlisted = [path for path in (test_data / folder).rglob("*") if str(path) not in listed and _marked(path)]
    without_picture = [path for path in unlisted if pydicom.dcmread(path, force=True).get("Rows") is None]
    assert len(without_picture) == sum(found.ignored.get(kind, 0) for kind in ("DICOM without image", "DICOMDIR"))
    copied = {path.read_bytes() for path in map(Path, listed)} if len(unlisted) > len(without_picture) else set()
    assert [path for path in unlisted if path not in without_picture and path.read_bytes() not in copied] == []


def _marked(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
