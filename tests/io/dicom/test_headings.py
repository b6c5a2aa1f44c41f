"""What headers say in words: of classic and enhanced objects, and of series whose images differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from medview.core.headings import Headings
from medview.io.dicom.headings import agreed, headings_of, read_headings
from tests.helpers.dicom_series import write_ct


def dataset(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def test_a_ct_file_says_who_how_and_how_thick(tmp_path: Path) -> None:
    def change(_k: int, one: Dataset) -> None:
        one.PatientBirthDate, one.PatientSex, one.AcquisitionTime = "19580312", "F", "140322.5"
        one.KVP, one.XRayTubeCurrent, one.ConvolutionKernel = "120", 210, "B30f"

    write_ct(tmp_path, change=change)
    found = read_headings(str(min(tmp_path.iterdir())))
    assert found == Headings("19580312", "F", "140322", 5.0, ("120 kV", "210 mA", "B30f"), None, None)


def test_an_mr_file_says_its_times() -> None:
    found = headings_of(
        dataset(Modality="MR", SequenceName="*tse2d1", RepetitionTime="10000", EchoTime="93.24", MagneticFieldStrength="3")
    )
    assert found.technique == ("*tse2d1", "TR 10000 ms", "TE 93.2 ms", "3 T")
    assert headings_of(dataset(Modality="MR", ScanningSequence=["GR", "IR"], FlipAngle="8")).technique == (
        "GRE IR", "FA 8\u00b0",
    )  # fmt: skip


def test_an_enhanced_object_keeps_them_in_functional_groups() -> None:
    shared = dataset(
        PixelMeasuresSequence=[dataset(SliceThickness="2.5")],
        MRTimingAndRelatedParametersSequence=[dataset(RepetitionTime="500")],
    )
    echoes = [dataset(MREchoSequence=[dataset(EffectiveEchoTime=float(te))]) for te in (10, 30)]
    whole = dataset(
        Modality="MR", SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=echoes
    )  # fmt: skip
    assert headings_of(whole, 0).technique == ("TR 500 ms", "TE 10 ms")
    assert headings_of(whole, 1).technique == ("TR 500 ms", "TE 30 ms")
    assert headings_of(whole, 7).technique == ("TR 500 ms",)
    assert headings_of(whole, 0).thickness_mm == 2.5


@pytest.mark.parametrize(
    ("syntax", "stated", "ratio", "lossy", "told"),
    [
        ("1.2.840.10008.1.2.4.50", None, None, True, None),
        ("1.2.840.10008.1.2.4.91", "01", ["10.5"], True, 10.5),
        ("1.2.840.10008.1.2.4.91", "00", None, False, None),
        ("1.2.840.10008.1.2.4.91", None, None, None, None),
        # Decompressed again: the pixels are still not what they were.
        ("1.2.840.10008.1.2.1", "01", ["4", "2.5"], True, 10.0),
        ("1.2.840.10008.1.2.1", "01", ["0"], True, None),
    ],
)
def test_lossy_compression_is_known_by_transfer_syntax_or_statement(
    syntax: str, stated: str | None, ratio: list[str] | None, lossy: bool | None, told: float | None
) -> None:
    made = dataset(Modality="CT")
    if stated is not None:
        made.LossyImageCompression = stated
    if ratio is not None:
        made.LossyImageCompressionRatio = ratio
    found = headings_of(made, 0, syntax)
    assert (found.lossy, found.lossy_ratio) == (lossy, told)


def test_what_differs_from_image_to_image_is_not_said_of_the_series() -> None:
    one = Headings("19580312", "F", "140322", 5.0, ("120 kV", "210 mA"), False)
    other = Headings("19580312", "F", "140310", 2.5, ("120 kV", "190 mA"), True, 8.0)
    assert agreed([one, other]) == Headings("19580312", "F", "140310", None, ("120 kV",), True, None)
    assert agreed([one, Headings()]).lossy is None
    assert agreed([]) == Headings()


def test_odd_values_say_nothing(tmp_path: Path) -> None:
    assert headings_of(dataset(Modality="CT", StudyTime="noon")) == Headings()
