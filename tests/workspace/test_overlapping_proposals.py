"""Segments of one run that share voxels: proposed side by side, each taken over whole, written whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from medview.core.changes import Command, ProposalChange
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.source import Source, SourceKind
from medview.store.codec import decode, encode
from medview.workspace.exports import remove_outputs, segmentation_of, write_prediction
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels

MODEL = Source(SourceKind.MODEL, "regions", "1.0.0", "ab" * 32, "job-1")
WHOLE, CORE = PredictedSegment(1, "Whole", (10, 200, 30)), PredictedSegment(2, "Core", (10, 200, 30))


def regions(case: OpenCase) -> Proposal:
    """A core inside of a whole, in a mask each."""
    shape = case.volume.geometry.shape_kji
    whole, core = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.uint8)
    whole[2:7, 3:15, 4:20] = 1
    core[3:5, 5:9, 8:14] = 2
    prediction = Prediction(
        "segmentation",
        "Regions",
        MODEL,
        case.volume.geometry,
        mask=PredictedMask.trimmed(whole, (WHOLE,)),
        further=(PredictedMask.trimmed(core, (CORE,)),),
    )
    return Proposal("p1", prediction, case.labels.revision)


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
