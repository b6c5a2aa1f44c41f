from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from medview.core.annotations import ImageLabel
from medview.core.box import Box
from medview.core.changes import AnnotationChange, Command, EffortChange, MarksChange, ProposalChange, SegmentChange
from medview.core.effort import Agreement, Effort
from medview.core.errors import LabelError, StoreError
from medview.core.key_image import KeyImage
from medview.core.label_patch import LabelPatch
from medview.core.marks import Marks
from medview.core.measurement import Measurement, MeasurementKind
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction, Proposal
from medview.core.segmentation import Code, LabelLayer, Segment, SegmentRole, SegmentStatus
from medview.store.codec import Encoded, decode, encode
from tests.store.painter import MODEL, oblique_geometry

ORGANS = (PredictedSegment(1, "Lung", (1, 2, 3), Code("39607008", "SCT", "Lung")), PredictedSegment(3, "Nodule", (4, 5, 6)))


def _again(encoded: Encoded, blobs: dict[str, bytes] | None = None) -> Command:
    return decode(encoded.document, encoded.payload, (encoded.blobs if blobs is None else blobs).__getitem__)


def _proposal(mask: np.ndarray, low: tuple[int, int, int] = (2, 3, 4)) -> Proposal:
    box = Box((0, 0, 0), mask.shape).shifted(low)
    prediction = Prediction(
        task="segmentation",
        model_name="Organs",
        source=MODEL,
        geometry=oblique_geometry(),
        series_uid="1.2",
        mask=PredictedMask(box, mask, ORGANS),
        scores={"nodule": 1 / 3, "effusion": float("nan")},
        seconds={"infer": 1.25},
        device="cuda (NVIDIA H200)",
        peak_memory_mb=512.5,
        notice="Trained on phantoms.",
        warnings=("Slice 3 is damaged.",),
    )
    return Proposal("p", prediction, 12)


def test_changes_come_back_equal() -> None:
    layer = LabelLayer(2, np.zeros((9, 10, 11), dtype=np.uint8))
    patch = LabelPatch.between(layer, Box((1, 2, 3), (4, 7, 8)), np.arange(75, dtype=np.uint8).reshape(3, 5, 5))
    assert patch is not None
    segment = Segment(
        "id",
        "Foie \N{GREEK SMALL LETTER ALPHA}",
        (1, 2, 3),
        2,
        255,
        Code("10200004", "SCT", "Liver"),
        True,
        False,
        SegmentStatus.FLAGGED,
        MODEL,
        SegmentRole.IGNORE,
        True,
        "Organs",
        0.25,
        True,
        False,
    )
    assert all(getattr(segment, f.name) != f.default for f in fields(Segment)), "every field is one that is not the usual"
    marks = Marks().with_slice(7, done=True).with_slice(3, done=True, axis=2)
    command = Command(
        "Brush",
        (
            patch,
            SegmentChange(None, segment, 3),
            SegmentChange(segment, None, 3),
            MarksChange(Marks(), marks),
            AnnotationChange(None, ImageLabel("a", "nodule", None, MODEL)),
            AnnotationChange(ImageLabel("b", "nodule", 0.1), None),
        ),
        "brush",
    )
    assert _again(encode(command)) == command


def test_a_proposal_comes_back_with_its_mask_and_grid() -> None:
    mask = np.random.default_rng(0).choice(np.array([0, 1, 3], dtype=np.uint8), (4, 5, 6))
    proposal = _proposal(mask)
    (change,) = _again(encode(Command("Run", (ProposalChange(None, proposal),)))).changes
    assert isinstance(change, ProposalChange)
    back = change.after
    assert back is not None
    assert back.prediction.mask is not None
    assert np.array_equal(back.prediction.mask.voxels, mask)
    assert back.prediction.mask.segments == ORGANS
    assert np.array_equal(back.prediction.geometry.affine_lps, proposal.prediction.geometry.affine_lps)
    assert back.prediction.scores["nodule"] == 1 / 3
    assert np.isnan(back.prediction.scores["effusion"])
    assert (back.labels_revision, back.prediction.warnings) == (12, ("Slice 3 is damaged.",))


def test_an_accepted_mask_is_not_stored_a_second_time() -> None:
    rng = np.random.default_rng(0)
    mask = rng.choice(np.array([0, 1, 3], dtype=np.uint8), (30, 80, 90))
    proposal = _proposal(mask)
    run = encode(Command("Run", (ProposalChange(None, proposal),)))
    layer = LabelLayer(0, np.zeros((40, 90, 100), dtype=np.uint8))
    layer.voxels[:5] = 9
    table = np.array([0, 7, 0, 8], dtype=np.uint8)
    assert proposal.prediction.mask is not None
    box = proposal.prediction.mask.box
    now = layer.voxels[box.slices]
    patch = LabelPatch.between(layer, box, np.where(table[mask] != 0, table[mask], now))
    assert patch is not None
    accept = encode(Command("Accept", (patch, ProposalChange(proposal, None))))
    assert accept.blobs.keys() == run.blobs.keys()
    assert len(accept.payload) == len(patch.before)
    restored = _again(accept, run.blobs).changes[0]
    assert isinstance(restored, LabelPatch)
    assert np.array_equal(restored.after_voxels(), patch.after_voxels())
    assert np.array_equal(restored.before_voxels(), patch.before_voxels())


def test_a_patch_that_is_not_the_mask_is_stored_whole() -> None:
    mask = np.ones((4, 5, 6), dtype=np.uint8)
    layer = LabelLayer(0, np.zeros((40, 90, 100), dtype=np.uint8))
    after = mask * 7
    after[2, 2, 2] = 9
    patch = LabelPatch.between(layer, Box((2, 3, 4), (6, 8, 10)), after)
    assert patch is not None
    command = Command("Accept", (patch, ProposalChange(_proposal(mask), None)))
    assert _again(encode(command)).changes[0] == patch


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["changes"][0].pop("box"),
        lambda d: d["changes"][0].update(kind="launch"),
        lambda d: d["changes"][0].update(box="everywhere"),
        lambda d: d["changes"][0]["before"].update(at=3),
        lambda d: d["changes"][0]["after"].update(sha256="00"),
        lambda d: d.update(v=99),
        lambda d: d.update(changes=None),
    ],
)
def test_damage_is_an_error_of_the_store_and_nothing_else(spoil: object) -> None:
    layer = LabelLayer(0, np.zeros((9, 10, 11), dtype=np.uint8))
    patch = LabelPatch.between(layer, Box((1, 2, 3), (4, 7, 8)), np.ones((3, 5, 5), dtype=np.uint8))
    assert patch is not None
    encoded = encode(Command("Brush", (patch,)))
    document = json.loads(encoded.document)
    assert callable(spoil)
    spoil(document)
    with pytest.raises(StoreError):
        decode(json.dumps(document), encoded.payload, encoded.blobs.__getitem__)


def test_a_bomb_is_not_inflated() -> None:
    layer = LabelLayer(0, np.zeros((64, 512, 512), dtype=np.uint8))
    patch = LabelPatch.between(layer, Box((0, 0, 0), (64, 512, 512)), np.ones((64, 512, 512), dtype=np.uint8))
    assert patch is not None
    encoded = encode(Command("Brush", (patch,)))
    small = json.loads(encoded.document)
    small["changes"][0]["box"] = [[0, 0, 0], [1, 1, 1]]
    bomb = decode(json.dumps(small), encoded.payload, encoded.blobs.__getitem__).changes[0]
    assert isinstance(bomb, LabelPatch)
    with pytest.raises(LabelError, match="damaged"):
        bomb.apply(layer)
    assert not layer.voxels.any()


@pytest.mark.parametrize("kind", list(MeasurementKind))
def test_measurements_come_back_equal(kind: MeasurementKind) -> None:
    points = tuple((1.0 / 3 * n, -2.5 * n, 1e-9 * n) for n in range(kind.points or 5))
    before = Measurement("m", kind, points, "Segment VI \N{GREEK SMALL LETTER ALPHA}", "1.2.3", 4, MODEL)
    moved = before.with_points(np.asarray(points) + 1.0)
    command = Command("Measure", (AnnotationChange(None, before), AnnotationChange(before, moved)), "measure")
    assert _again(encode(command)) == command


def test_key_images_come_back_equal() -> None:
    marked = KeyImage("k", (1.0 / 3, -2.5, 1e-9), (0.6, 0.0, 0.8), "Hilum \N{GREEK SMALL LETTER ALPHA}", "1.2.3", 4, MODEL)
    across = KeyImage("l", (0.0, 1.0, 2.0), (0.0, 1.0, 0.0))
    command = Command("Mark", (AnnotationChange(None, marked), AnnotationChange(across, None)), "key image")
    assert _again(encode(command)) == command


def test_what_became_of_an_accepted_segment_comes_back() -> None:
    accepted = Effort("s1", MODEL, 3, "Liver")
    measured = replace(accepted, active_s=61.5, agreement=Agreement.of(100, 120, 90, 0.25))
    command = Command("Accept", (EffortChange(None, accepted), EffortChange(accepted, measured)), "accept")
    assert _again(encode(command)) == command
