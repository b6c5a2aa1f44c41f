"""Boxes of a model beside the true ones: average precision, FROC, and what its own threshold comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import Interval, ratio_interval, weighted_interval
from medview.analysis.agreement.boxes import Boxes, box_iou
from medview.analysis.agreement.detections import (
    COCO_IOUS,
    AveragePrecisions,
    ImageBoxes,
    ImageHits,
    average_precision,
    image_hits,
    mixed_up,
    recall_precision,
)
from medview.analysis.agreement.froc import froc
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.ml.examples import Example, Truth
from medview.ml.outputs import DetectionOutput
from medview.workspace.evaluation.case_parts import Part
from medview.workspace.evaluation.judging import (
    CaseJudgement,
    Document,
    Headline,
    TaskFigures,
    ends,
    patient_of,
    thinned,
)
from medview.workspace.evaluation.matching import JudgedClass

IOU = 0.5
"""From which overlap on a box has found a thing."""


@dataclass(frozen=True, slots=True)
class _Case:
    key: str
    patient: str
    by_class: tuple[ImageBoxes | None, ...]
    hits: tuple[ImageHits | None, ...]


class BoxJudge:
    """Counts boxes as COCO does: the best score first, each takes the free true box it shares most with.

    Difficult true boxes count neither as found nor as missed. A class that a case leaves open does not count there.
    """

    def __init__(self, classes: Sequence[JudgedClass], output: DetectionOutput) -> None:
        self._classes, self._threshold = tuple(classes), output.score_threshold
        self._cases: list[_Case] = []
        size = len(self._classes) + 1
        self._confusion = np.zeros((size, size), dtype=np.int64)

    def add(self, example: Example, volume: Volume, truth: Truth, found: Prediction) -> CaseJudgement:
        """Judge one case."""
        by_class: list[ImageBoxes | None] = []
        for one in self._classes:
            if one.truth in truth.open_classes:
                by_class.append(None)
                continue
            true = [box for box in truth.boxes if box.number == one.truth]
            corners = np.array([(box.min_kji, box.max_kji) for box in true]).reshape(len(true), 2, 3)
            said = Boxes.on_grid([box for box in found.boxes if box.label == one.name], volume.geometry)
            difficult = np.array([box.difficult for box in true], dtype=bool)
            by_class.append(ImageBoxes(Boxes.of(corners[:, 0], corners[:, 1]), said, difficult))
        hits = tuple(None if image is None else image_hits(image, IOU) for image in by_class)
        case = _Case(example.key, patient_of(example), tuple(by_class), hits)
        self._cases.append(case)
        self._confusion += mixed_up(by_class, self._threshold, IOU)
        return self._judgement(case, volume)

    def _judgement(self, case: _Case, volume: Volume) -> CaseJudgement:
        counts = []
        for one, hits in zip(self._classes, case.hits, strict=True):
            if hits is not None:
                kept = hits.scores >= self._threshold
                right = int(hits.hits[kept].sum())
                counts.append((one.name, hits.truths, right, int(kept.sum()) - right))
        missed, extra = sum(truths - right for _, truths, right, _ in counts), sum(wrong for *_, wrong in counts)
        rows = [
            {"name": name, "truths": truths, "right": right, "missed": truths - right, "extra": wrong}
            for name, truths, right, wrong in counts
        ]
        k, j, i = self._telling(case, volume)
        row: Document = {"missed": missed, "extra": extra, "classes": rows}
        why = f"{missed} missed, {extra} extra"
        return CaseJudgement(-float(missed + extra) if counts else None, why, row, (k, j, i))

    def _telling(self, case: _Case, volume: Volume) -> tuple[int, int, int]:
        """Return the middle of a box that was missed; else of one that is too many, else of any, else of the grid."""
        missed, extra, every = [], [], []
        for image in case.by_class:
            if image is not None:
                found = image.found[np.flatnonzero(image.found.scores >= self._threshold)]
                near = box_iou(image.truth, found) >= IOU
                middles, others = ((one.low + one.high) / 2 for one in (image.truth, found))
                missed += list(middles[~near.any(axis=1)])
                extra += list(others[~near.any(axis=0)])
                every += list(middles)
        shape = np.asarray(volume.geometry.shape_kji)
        k, j, i = (int(n) for n in np.clip([*missed, *extra, *every, shape / 2][0], 0, shape - 1))
        return k, j, i

    def figures(self) -> TaskFigures:
        """Return average precisions over all images, and what is right at the model's own threshold."""
        per_class: list[Document] = []
        ci: Document = {}
        curves: Document = {}
        areas = [_Area.of(self._cases, n) for n in range(len(self._classes))]
        for one, area in zip(self._classes, areas, strict=True):
            ap = area.interval()
            recall, precision = area.at(self._threshold)
            of_coco = [average_precision([image_hits(image, iou) for image in area.images]) for iou in COCO_IOUS]
            sensitive = froc(area.hits)
            per_class.append(
                {
                    "name": one.name,
                    "ap50": ap.value,
                    "ap": None if of_coco[0] is None else float(np.mean([n for n in of_coco if n is not None])),
                    "recall": recall.value,
                    "precision": precision.value,
                    "truths": sum(hits.truths for hits in area.hits),
                    "images": len(area.hits),
                    "difficult": sum(int(n.difficult.sum()) for n in area.images if n.difficult is not None),
                    "froc": None if sensitive is None else [list(point) for point in sensitive.at],
                }
            )
            ci[one.name] = {"ap50": ends(ap), "recall": ends(recall), "precision": ends(precision)}
            curves[one.name] = thinned(np.column_stack(recall_precision(area.hits)).tolist())
        of_all = partial(_mean_area, areas)
        patients = tuple(case.patient for case in self._cases)
        map50 = weighted_interval(of_all, patients)
        aps = [row["ap"] for row in per_class if row["ap"] is not None]
        more: Document = {
            "map50": map50.value,
            "map": float(np.mean(aps)) if aps else None,
            "threshold": self._threshold,
            "iou": IOU,
            "froc": self._froc(),
            "curves": {"pr": curves},
        }
        names = [one.name for one in self._classes]
        confusion: Document = {
            "rows": [*names, "nothing"],
            "columns": [*names, "missed"],
            "counts": self._confusion.tolist(),
            "of": "boxes",
        }
        titles = [Headline("map50", "mAP at IoU 0.5", map50, of_all)]
        for row, area in zip(per_class, areas, strict=True):
            name = row["name"]
            titles.append(Headline(f"ap50.{name}", f"AP50, {name}", area.interval(), partial(_mean_area, [area])))
        notes = (
            "Average precision is the mean over 101 recalls, as COCO counts it; recall and precision are those of boxes "
            f"with at least the model's own score of {self._threshold:g}.",
        )
        keys = tuple(case.key for case in self._cases)
        ends_of = {"map50": ends(map50), "classes": ci}
        parts = {
            case.key: {
                one.truth_name: Part(score=self._score(hits), hits=hits)
                for one, hits in zip(self._classes, case.hits, strict=True)
                if hits is not None
            }
            for case in self._cases
        }
        whose = keys, patients
        return TaskFigures(
            tuple(titles), per_class, confusion, ends_of, more, notes, *whose, class_figure="ap50", parts=parts
        )

    def _score(self, hits: ImageHits) -> float:
        """Return the mistakes at the model's own threshold, negative."""
        right = hits.hits[hits.scores >= self._threshold]
        return -float(hits.truths + len(right) - 2 * int(right.sum()))

    def _froc(self) -> Document | None:
        """Return sensitivity against false positives per image, over all classes together."""
        found = froc([_pooled(case.hits) for case in self._cases])
        if found is None:
            return None
        points = [(p.false_positives_per_image, p.sensitivity, p.score) for p in found.points]
        return {
            "points": thinned(points),
            "at": [list(point) for point in found.at],
            "mean_sensitivity": found.mean_sensitivity,
        }


@dataclass(frozen=True, slots=True)
class _Area:
    """One class in all images that say something of it."""

    which: npt.NDArray[np.int64]
    patients: list[str]
    images: list[ImageBoxes]
    hits: list[ImageHits]
    curve: AveragePrecisions

    @classmethod
    def of(cls, cases: Sequence[_Case], n: int) -> _Area:
        which = [at for at, case in enumerate(cases) if case.by_class[n] is not None]
        images = [image for at in which if (image := cases[at].by_class[n]) is not None]
        hits = [one for at in which if (one := cases[at].hits[n]) is not None]
        patients = [cases[at].patient for at in which]
        return cls(np.array(which, dtype=np.int64), patients, images, hits, AveragePrecisions(hits))

    def interval(self) -> Interval:
        return weighted_interval(self.curve.precision, self.patients)

    def at(self, threshold: float) -> tuple[Interval, Interval]:
        """Return recall and precision of boxes with at least a score."""
        kept = [hits.scores >= threshold for hits in self.hits]
        right = [int(hits.hits[k].sum()) for hits, k in zip(self.hits, kept, strict=True)]
        truths, said = [hits.truths for hits in self.hits], [int(k.sum()) for k in kept]
        return ratio_interval(right, truths, self.patients), ratio_interval(right, said, self.patients)


def _mean_area(areas: Sequence[_Area], weights: npt.NDArray[np.int64]) -> float | None:
    found = [ap for area in areas if (ap := area.curve.precision(weights[area.which])) is not None]
    return float(np.mean(found)) if found else None


def _pooled(hits: Sequence[ImageHits | None]) -> ImageHits:
    held = [one for one in hits if one is not None]
    if not held:
        return ImageHits(np.zeros(0), np.zeros(0, dtype=bool), 0)
    return ImageHits(
        np.concatenate([one.scores for one in held]),
        np.concatenate([one.hits for one in held]),
        sum(one.truths for one in held),
    )
