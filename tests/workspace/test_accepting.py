"""Boxes below a score are hidden, not lost; scores become statements that say what they come to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medview.core.annotations import BoxAnnotation, ImageLabel
from medview.core.changes import Command, ProposalChange
from medview.core.prediction import Prediction, Proposal
from medview.core.scores import ScoreRule, SliceScores
from medview.core.source import Source, SourceKind
from medview.store.codec import decode, encode
from medview.store.codec_values import decode_annotation, encode_annotation
from medview.workspace.accepting import annotations_of, image_labels, shown_boxes
from medview.workspace.exports import write_prediction
from medview.workspace.open_case import OpenCase
from medview.workspace.operations import labels

MODEL = Source(SourceKind.MODEL, "boxes", "1.0.0", "ab" * 32, "job-1")


def boxes_of(case: OpenCase) -> Proposal:
    geometry = case.volume.geometry
    boxes = tuple(
        BoxAnnotation.on_grid(f"b{n}", "Nodule", geometry, (n, 4, 5), (n + 1, 9, 12), score, MODEL, flat_edge=0)
        for n, score in enumerate((0.35, 0.9, 0.6))
    )
    return Proposal("p1", Prediction("detection", "Boxes", MODEL, geometry, boxes=boxes), case.labels.revision)


def scores_of(case: OpenCase, subject: str = "slice") -> Prediction:
    curve = np.linspace(0.0, 1.0, case.volume.geometry.shape_kji[1]).astype(np.float32)
    rule = ScoreRule(subject, 0.8, (0.5, 0.9))
    slices = SliceScores(1, {"Nodule": curve})
    geometry = case.volume.geometry
    return Prediction("classification", "S", MODEL, geometry, scores={"Nodule": 1.0}, score_rule=rule, slice_scores=slices)


def test_boxes_below_the_score_are_hidden_and_come_back(case: OpenCase) -> None:
    labels.propose(case, boxes_of(case))
    (proposal,) = case.labels.proposals.values()
    assert [b.annotation_id for b in shown_boxes(case, proposal)] == ["b1", "b2", "b0"]
    case.view.set_least_score("boxes", 0.5)
    assert [b.annotation_id for b in shown_boxes(case, proposal)] == ["b1", "b2"]
    assert len(proposal.prediction.boxes) == 3
    case.view.set_least_score("boxes", 0.2)
    assert len(shown_boxes(case, proposal)) == 3


def test_accepting_all_takes_what_is_shown_and_undo_brings_everything_back(case: OpenCase) -> None:
    labels.propose(case, boxes_of(case))
    case.view.set_least_score("boxes", 0.5)
    assert labels.accept(case, "p1")
    assert sorted(case.labels.annotations) == ["b1", "b2"]
    assert not case.labels.proposals
    case.undo()
    assert not case.labels.annotations
    assert len(case.labels.proposals["p1"].prediction.boxes) == 3


def test_one_box_is_rejected_alone_and_undone(case: OpenCase) -> None:
    labels.propose(case, boxes_of(case))
    assert labels.reject_box(case, "p1", "b1")
    assert [b.annotation_id for b in case.labels.proposals["p1"].prediction.boxes] == ["b0", "b2"]
    case.undo()
    assert len(case.labels.proposals["p1"].prediction.boxes) == 3
    for name in ("b0", "b1", "b2"):
        assert labels.reject_box(case, "p1", name)
    assert not case.labels.proposals


def test_scores_become_statements_that_say_what_they_come_to(case: OpenCase) -> None:
    (statement,) = image_labels(case, replace(scores_of(case, "study"), slice_scores=None))
    assert (statement.label, statement.says, statement.subject) == ("Nodule", "present", "study")
    unsure = replace(scores_of(case, "series"), scores={"Nodule": 0.7})
    assert [one.says for one in image_labels(case, unsure)] == ["not sure"]


def test_slices_on_which_something_is_present_are_named_by_where_they_lie(case: OpenCase) -> None:
    found = image_labels(case, scores_of(case))
    geometry = case.volume.geometry
    of_slices = [one for one in found if one.subject == "slice"]
    # 20 slices, 0 to 1 in steps of 1 / 19: from 0.9 on they are present.
    assert [one.probability for one in of_slices] == pytest.approx([18 / 19, 1.0])
    assert np.round([geometry.index_kji(one.point_lps_mm or ())[1] for one in of_slices]).tolist() == [18, 19]
    labels.propose(case, Proposal("p2", scores_of(case), case.labels.revision))
    assert labels.accept(case, "p2")
    assert len(case.labels.annotations) == 3
    case.undo()
    assert not case.labels.annotations


def test_statements_and_proposals_with_scores_survive_the_journal(case: OpenCase) -> None:
    for one in annotations_of(case, Proposal("p", scores_of(case))):
        assert decode_annotation(json.loads(json.dumps(encode_annotation(one)))) == one
    proposal = Proposal("p", scores_of(case))
    encoded = encode(Command("Run", (ProposalChange(None, proposal),)))
    (change,) = decode(encoded.document, encoded.payload, encoded.blobs.__getitem__).changes
    assert isinstance(change, ProposalChange)
    assert change.after is not None
    again = change.after.prediction
    assert again.score_rule == proposal.prediction.score_rule
    assert again.slice_scores is not None
    assert np.allclose(again.slice_scores.by_class["Nodule"], np.linspace(0, 1, 20), atol=1e-4)
    old = {"kind": "image", "id": "x", "label": "Nodule", "probability": 0.5}
    kept = decode_annotation({**old, "source": encode_annotation(ImageLabel("x", "y"))["source"]})
    assert kept == ImageLabel("x", "Nodule", 0.5)


def test_scores_json_says_what_the_scores_come_to_and_has_the_slices(case: OpenCase, tmp_path: Path) -> None:
    summary = write_prediction(scores_of(case), case.volume, [], tmp_path)
    assert summary["says"] == {"Nodule": "present"}
    assert summary["scores"] == {"Nodule": 1.0}
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["scores"] == {"Nodule": 1.0}
    assert (written["subject"], written["threshold"], written["abstain"]) == ("slice", 0.8, [0.5, 0.9])
    assert written["slices"]["axis"] == "j"
    assert written["slices"]["scores"]["Nodule"][-1] == 1.0
