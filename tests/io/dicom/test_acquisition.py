"""How images were made, from classic and enhanced headers, and nothing of who is on them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medview.core.acquisition import Acquisition
from medview.core.job import Inline
from medview.io.dicom.acquisition import acquisition_of
from medview.io.dicom.scan import scan
from medview.io.load import load_volume
from medview.io.reader_pool import InlinePool


def with_values(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def test_a_classic_mr_image() -> None:
    header = with_values(
        ProtocolName="B Ax T1 +C",
        SequenceName="*se2d1",
        ScanningSequence=["SE", "IR"],
        EchoTime=9.5,
        RepetitionTime=500,
        InversionTime=120,
        ContrastBolusAgent="10ml multihance",
        PatientName="Doe^John",
        OperatorsName="Roe",
    )
    found = acquisition_of(header, "MR")
    assert found == Acquisition("B Ax T1 +C *se2d1", "10ml multihance", "", ("SE", "IR"), 9.5, 500.0, 120.0)
    assert not any("Doe" in str(value) or "Roe" in str(value) for value in asdict(found).values())


def test_an_enhanced_mr_image_states_its_times_in_groups() -> None:
    timing = with_values(RepetitionTime=9000)
    shared = with_values(MRTimingAndRelatedParametersSequence=Sequence([timing]))
    echo = with_values(EffectiveEchoTime=72.1)
    own = with_values(MREchoSequence=Sequence([echo]))
    agent = with_values(CodeMeaning="Gadobutrol")
    header = with_values(
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence([own]),
        ContrastBolusAgentSequence=Sequence([agent]),
    )
    found = acquisition_of(header, "MR")
    assert (found.repetition_ms, found.echo_ms, found.agent) == (9000.0, 72.1, "Gadobutrol")


def test_kernels_of_classic_and_enhanced_ct() -> None:
    assert acquisition_of(with_values(ConvolutionKernel=["Br40d", "3"]), "CT").kernel == "Br40d"
    inner = with_values(ConvolutionKernel="STANDARD")
    shared = with_values(CTReconstructionSequence=Sequence([inner]))
    assert acquisition_of(with_values(SharedFunctionalGroupsSequence=Sequence([shared])), "CT").kernel == "STANDARD"


@pytest.mark.parametrize("agent", ["", "NONE", "no", "Without"])
def test_a_header_that_says_that_none_was_given_names_no_agent(agent: str) -> None:
    assert acquisition_of(with_values(ContrastBolusAgent=agent), "CT").agent == ""


def test_long_and_broken_values_are_cut_and_left_out() -> None:
    found = acquisition_of(with_values(ContrastBolusAgent="x" * 4000, ProtocolName="y" * 4000), "CT")
    assert len(found.agent) == 64
    assert len(found.protocol) == 64
    assert acquisition_of(with_values(EchoTime=None, RepetitionTime=""), "MR").echo_ms is None


@pytest.mark.data
def test_it_goes_from_the_files_through_the_scan_to_the_volume(test_data: Path) -> None:
    folder = test_data / "mr-sag-hfs"
    (series,) = [one for one in scan(folder, Inline(), InlinePool()).series if one.volumes]
    assert series.acquisition.protocol.startswith("t1_fl2d_sag")
    assert load_volume(folder, series.series_uid, Inline()).volume.acquisition == series.acquisition
