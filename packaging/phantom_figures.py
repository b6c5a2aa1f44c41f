"""The figures of the bundled packs on held-out phantoms, through the program's own way of running a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from phantom_cohort import held_out_phantom, lesion_boxes

from medview.analysis.agreement.boxes import Boxes, box_iou
from medview.analysis.agreement.score_curves import roc_curve
from medview.core.annotations import BoxAnnotation
from medview.core.job import Inline
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.runners.run import predict
from medview.ml.spec import Task
from medview.phantom.chest import LABEL_NAMES, ChestPhantom

RESAMPLES = 2000
FALSE_POSITIVES_PER_SCAN = 1.0

Resampling = Callable[[npt.NDArray[np.int64]], float]
"""A figure of the scans with these positions (repeats allowed)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number with its 95 % bootstrap interval over scans."""

    name: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.name}: {self.value:.3f} (95 % CI {self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A phantom and what a pack said about it."""

    phantom: ChestPhantom
    prediction: Prediction


def run_pack(pack: ModelPack, seeds: Iterable[int]) -> list[Scan]:
    """Run a pack on the phantoms of ``seeds``."""
    scans = []
    for seed in seeds:
        phantom = held_out_phantom(seed)
        volume = Volume(phantom.hu, phantom.geometry, modality="CT", unit="HU", series_uid=f"phantom-{seed}")
        started = time.perf_counter()
        prediction = predict(PredictRequest(volume, pack, "cpu", f"figures-{seed}"), Inline())
        print(f"  {pack.spec.id} seed {seed}: {time.perf_counter() - started:.1f} s", flush=True)
        scans.append(Scan(phantom, prediction))
    return scans


def figures(task: Task, scans: Sequence[Scan], threshold: float) -> list[Figure]:
    """Return the figures of a task; ``threshold`` is the pack's own for boxes or the score."""
    return {
        Task.SEGMENTATION: lambda: segmentation_figures(scans),
        Task.DETECTION: lambda: detection_figures(scans, threshold),
        Task.CLASSIFICATION: lambda: classification_figures(scans, threshold),
    }[task]()


def with_interval(name: str, count: int, figure: Resampling) -> Figure:
    """Return a figure of ``count`` scans with its percentile bootstrap interval."""
    rng = np.random.default_rng(0)
    drawn = [figure(rng.integers(0, count, count)) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Figure(name, figure(np.arange(count)), float(low), float(high))


def segmentation_figures(scans: Sequence[Scan]) -> list[Figure]:
    """Mean Dice per label over scans: left out where neither truth nor prediction has it, 0 where only one has."""
    found = []
    for value, name in LABEL_NAMES.items():
        dice = np.array([_dice(scan, value) for scan in scans])

        def mean(drawn: npt.NDArray[np.int64], dice: npt.NDArray[np.float64] = dice) -> float:
            return float(np.nanmean(dice[drawn]))

        found.append(with_interval(f"Dice {name.lower()}", len(scans), mean))
    return found


def _dice(scan: Scan, value: int) -> float:
    assert scan.prediction.mask is not None
    predicted = scan.prediction.mask.on_grid(scan.phantom.labels.shape) == value  # type: ignore[arg-type]
    truth = scan.phantom.labels == value
    total = int(predicted.sum()) + int(truth.sum())
    return float(2 * (predicted & truth).sum() / total) if total else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Boxes of one scan, best first: score and whether each found a nodule nobody found before."""

    scores: npt.NDArray[np.float64]
    hits: npt.NDArray[np.bool_]
    repeats: npt.NDArray[np.bool_]
    nodules: int


def matched(scan: Scan) -> Matched:
    """Match boxes to nodules: a hit when the middle of the box lies within the nodule's radius (as in LUNA16).

    A second box on a nodule is neither a hit nor a false positive.
    """
    boxes = sorted(scan.prediction.boxes, key=_score, reverse=True)
    lesions = scan.phantom.lesions
    taken: set[int] = set()
    hits, repeats = [], []
    for box in boxes:
        point = box.corners_lps_mm().mean(axis=0)
        away = [np.linalg.norm(point - lesion.centre_lps_mm) - lesion.diameter_mm / 2 for lesion in lesions]
        nearest = int(np.argmin(away)) if away else -1
        inside = nearest >= 0 and away[nearest] <= 0
        hits.append(inside and nearest not in taken)
        repeats.append(inside and nearest in taken)
        if inside:
            taken.add(nearest)
    scores = np.array([_score(box) for box in boxes])
    return Matched(scores, np.array(hits, dtype=bool), np.array(repeats, dtype=bool), len(lesions))


def _score(box: BoxAnnotation) -> float:
    return float(box.score or 0.0)


def sensitivity(scans: Sequence[Matched], false_positives_per_scan: float) -> tuple[float, float]:
    """Return the best sensitivity with at most so many false positives per scan, and its threshold."""
    scores = np.concatenate([m.scores for m in scans] or [np.zeros(0)])
    hits = np.concatenate([m.hits for m in scans])
    wrong = ~hits & ~np.concatenate([m.repeats for m in scans])
    order = np.argsort(-scores, kind="stable")
    allowed = np.cumsum(wrong[order]) <= false_positives_per_scan * len(scans)
    nodules = sum(m.nodules for m in scans)
    if not allowed.any() or not nodules:
        return 0.0, 1.0
    return float(hits[order][allowed].sum() / nodules), float(scores[order][allowed].min())


def detection_figures(scans: Sequence[Scan], threshold: float) -> list[Figure]:
    """Sensitivity at one false positive per scan, and both numbers at the pack's own threshold."""
    every = [matched(scan) for scan in scans]

    def at_one(drawn: npt.NDArray[np.int64]) -> float:
        return sensitivity([every[n] for n in drawn], FALSE_POSITIVES_PER_SCAN)[0]

    def at_threshold(drawn: npt.NDArray[np.int64]) -> float:
        nodules = sum(every[n].nodules for n in drawn)
        return sum(int((every[n].hits & (every[n].scores >= threshold)).sum()) for n in drawn) / max(nodules, 1)

    def false_positives(drawn: npt.NDArray[np.int64]) -> float:
        wrong = (~every[n].hits & ~every[n].repeats & (every[n].scores >= threshold) for n in drawn)
        return sum(int(w.sum()) for w in wrong) / len(drawn)

    return [
        with_interval("Sensitivity at 1 false positive per scan", len(scans), at_one),
        with_interval(f"Sensitivity at score {threshold:.2f}", len(scans), at_threshold),
        with_interval(f"False positives per scan at score {threshold:.2f}", len(scans), false_positives),
        with_interval("Overlap (IoU) of found boxes", len(scans), _mean_overlap(scans)),
    ]


def _mean_overlap(scans: Sequence[Scan]) -> Resampling:
    found: list[list[float]] = []
    for scan in scans:
        truth = lesion_boxes(scan.phantom)
        half = truth[:, 3:] / scan.phantom.geometry.spacing_kji_mm / 2
        true_boxes = Boxes.of(truth[:, :3] - half, truth[:, :3] + half)
        overlaps = box_iou(true_boxes, Boxes.on_grid(scan.prediction.boxes, scan.phantom.geometry))
        best = [float(iou) for iou in overlaps.max(axis=1, initial=0.0) if iou > 0.05]
        found.append(best)
    return lambda drawn: float(np.mean([iou for n in drawn for iou in found[n]] or [np.nan]))


def classification_figures(scans: Sequence[Scan], threshold: float) -> list[Figure]:
    """Area under the curve, accuracy at the pack's threshold, and the Brier score of the probability."""
    probability, present = presence(scans)

    def area(drawn: npt.NDArray[np.int64]) -> float:
        curve = roc_curve(probability[drawn], present[drawn])
        return float("nan") if curve is None else curve.area

    return [
        with_interval("AUC", len(scans), area),
        with_interval("Accuracy", len(scans), lambda d: float(((probability[d] >= threshold) == present[d]).mean())),
        with_interval("Brier score", len(scans), lambda d: float(((probability[d] - present[d]) ** 2).mean())),
    ]


def presence(scans: Sequence[Scan]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the probability of a nodule per scan and whether there is one."""
    probability = np.array([next(iter(scan.prediction.scores.values())) for scan in scans])
    return probability, np.array([bool(scan.phantom.lesions) for scan in scans])
