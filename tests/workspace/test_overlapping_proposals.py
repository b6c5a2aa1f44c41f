"""Segments of one run that share voxels: proposed side by side, each taken over whole, written whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileDataset

from medview.core.changes import Command, ProposalChange
from medview.core.errors import DiskFullError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.io.dicom.seg import RESEARCH_USE
from medview.io.load import load_volume
from medview.store.codec import decode, encode
from medview.workspace import exports
from medview.workspace.exports import remove_outputs, segmentation_of, write_prediction
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels
from tests.helpers.dicom_series import write_ct

MODEL = Source(SourceKind.MODEL, "regions", "1.0.0", "ab" * 32, "job-1")
WHOLE, CORE = PredictedSegment(1, "Whole", (10, 200, 30)), PredictedSegment(2, "Core", (10, 200, 30))


def regions(case: OpenCase) -> Proposal:
    return Proposal("p1", found_on(case.volume.geometry), case.labels.revision)


def found_on(geometry: Geometry) -> Prediction:
    """A core inside of a whole, in a mask each."""
    shape = geometry.shape_kji
    whole, core = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
    whole[2:7, 3:15, 4:20] = 1
    core[3:5, 5:9, 8:14] = 2
    return Prediction(
        "segmentation",
        "Regions",
        MODEL,
        geometry,
        mask=PredictedMask.trimmed(whole, (WHOLE,)),
        further=(PredictedMask.trimmed(core, (CORE,)),),
    )


def test_each_mask_becomes_a_proposal_in_a_colour_of_its_own(case: OpenCase) -> None:
    labels.propose(case, regions(case))
    second, first = case.labels.proposals.values()
    assert [one.prediction.model_name for one in (first, second)] == ["Regions", "Regions (2)"]
    assert [[s.name for s in mask.segments] for one in (first, second) for mask in one.prediction.masks] == [
        ["Whole"],
        ["Core"],
    ]
    colours = [mask.segments[0].colour for one in (first, second) for mask in one.prediction.masks]
    assert colours[0] != colours[1]
    # Another run takes the place of both.
    labels.propose(case, Proposal("p9", regions(case).prediction, case.labels.revision))
    assert list(case.labels.proposals) == ["p9-2", "p9"]


def test_segments_that_overlap_are_taken_over_whole(case: OpenCase) -> None:
    labels.propose(case, regions(case))
    labels.accept(case, "p1")
    left = case.labels.proposals["p1-2"]
    assert not labels.stale(case, left)
    labels.accept(case, "p1-2")
    assert case.labels.proposals == {}
    whole, core = case.labels.segmentation.segments
    assert (whole.name, core.name) == ("Whole", "Core")
    assert whole.layer_id != core.layer_id
    held = case.labels.segmentation.mask(whole), case.labels.segmentation.mask(core)
    assert [int(mask.sum()) for mask in held] == [5 * 12 * 16, 2 * 4 * 6]
    assert (held[0] & held[1]).sum() == 2 * 4 * 6
    case.undo()
    assert list(case.labels.proposals) == ["p1-2"]
    case.undo()
    assert set(case.labels.proposals) == {"p1", "p1-2"}
    assert case.labels.segmentation.segments == []


def test_a_run_in_which_nothing_overlaps_stays_one_proposal(case: OpenCase) -> None:
    mask = regions(case).prediction.mask
    proposal = Proposal("p1", Prediction("segmentation", "Regions", MODEL, case.volume.geometry, mask=mask))
    assert proposal.parts() == (proposal,)


def test_a_result_whose_first_mask_is_empty_is_not_empty(case: OpenCase) -> None:
    whole = regions(case)
    nothing = PredictedMask.trimmed(np.zeros(case.volume.geometry.shape_kji, dtype=np.uint8), ())
    core = replace(whole, prediction=replace(whole.prediction, mask=nothing, warnings=("Look at it.",)))
    assert not core.empty
    (only,) = core.parts()
    assert [s.name for mask in only.prediction.masks for s in mask.segments] == ["Core"]
    assert (only.proposal_id, only.prediction.warnings) == ("p1", ("Look at it.",))
    labels.propose(case, core)
    assert [one.model_id for one in case.labels.proposals.values()] == [whole.model_id]
    assert replace(core, prediction=replace(core.prediction, further=(nothing,))).empty


def test_what_is_to_be_said_of_a_result_stays_with_each_of_its_parts(case: OpenCase) -> None:
    whole = regions(case)
    warned = replace(whole, prediction=replace(whole.prediction, warnings=("Values outside.",)))
    assert [part.prediction.warnings for part in warned.parts()] == [("Values outside.",)] * 2


def test_parts_of_a_result_come_back_from_the_journal(case: OpenCase) -> None:
    for part in regions(case).parts():
        encoded = encode(Command("Run", (ProposalChange(None, part),), "predict"))
        (change,) = decode(encoded.document, encoded.payload, encoded.blobs.__getitem__).changes
        assert isinstance(change, ProposalChange)
        assert change.after is not None
        assert (change.after.proposal_id, change.after.part) == (part.proposal_id, part.part)


def test_every_mask_is_written_and_counted(case: OpenCase, tmp_path: Path) -> None:
    prediction = regions(case).prediction
    segmentation = segmentation_of(prediction)
    assert [segment.layer_id for segment in segmentation.segments] == [0, 1]
    assert [int(segmentation.mask(segment).sum()) for segment in segmentation.segments] == [960, 48]
    summary = write_prediction(prediction, case.volume, [], tmp_path)
    found = summary["segments"]
    assert isinstance(found, list)
    assert [(one["name"], one["voxels"]) for one in found] == [("Whole", 960), ("Core", 48)]
    for name, value, voxels in (("labels", 1, 960), ("labels-2", 2, 48)):
        assert (sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / f"{name}.nii.gz")) == value).sum() == voxels
        assert json.loads((tmp_path / f"{name}.json").read_text())["labels"][0]["value"] == value
    (tmp_path / "labels-mine.nii.gz").write_bytes(b"kept")
    remove_outputs(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["labels-mine.nii.gz"]


def test_what_was_found_on_images_no_seg_can_point_at_is_written_all_the_same_and_that_is_said(tmp_path: Path) -> None:
    def invalid(k: int, ds: FileDataset) -> None:
        ds.StudyInstanceUID = "not.a.uid"

    write_ct(tmp_path / "ct", np.zeros((8, 16, 21), dtype=np.int16), change=invalid)
    loaded = load_volume(tmp_path / "ct", None, Inline())
    paths = [Path(path) for path in loaded.entry.dicom_paths]
    (tmp_path / "out").mkdir()
    summary = write_prediction(found_on(loaded.volume.geometry), loaded.volume, paths, tmp_path / "out")
    sentence = "The DICOM file was not written: the StudyInstanceUID of the source images is invalid; export NIfTI instead."
    assert summary["warnings"] == [sentence, RESEARCH_USE]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["warnings"] == [sentence, RESEARCH_USE]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"labels.nii.gz", "labels.json", "labels-2.nii.gz", "labels-2.json", "summary.json"}


def test_a_disk_that_is_full_ends_the_writing(case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> tuple[str, ...]:
        raise DiskFullError("labels.dcm was not written: the disk is full.")

    monkeypatch.setattr(exports, "write_seg", full)
    with pytest.raises(DiskFullError):
        write_prediction(regions(case).prediction, case.volume, [tmp_path / "0.dcm"], tmp_path)
    assert not (tmp_path / "summary.json").exists()
