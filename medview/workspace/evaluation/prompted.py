"""Models that find objects from prompts: a simulated person clicks, and growing without a model is asked the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medview.analysis.agreement.bootstrap import Interval, WeightedStatistic, mean_interval
from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.prediction import PredictedMask, PredictedSegment, Prediction
from medview.core.prompt import Prompt, PromptKind
from medview.core.prompt_log import NOTHING, HeldVoxels
from medview.core.source import Source, SourceKind
from medview.core.volume import Volume
from medview.edit.prompted_growth import grow_from_prompts
from medview.ml.examples import UNKNOWN, Example, Truth
from medview.ml.packs import ModelPack
from medview.workspace.evaluation.case_parts import CaseParts, Part
from medview.workspace.evaluation.judging import (
    CaseJudgement,
    Document,
    EvaluationSettings,
    Headline,
    TaskFigures,
    ends,
    patient_of,
)
from medview.workspace.evaluation.matching import JudgedClass
from medview.workspace.requests_prompt import grow_first

Mask = npt.NDArray[np.bool_]
Find = Callable[[Sequence[Prompt]], HeldVoxels]

CLICKS = 5
TOLD = (1, 3, 5)
"""After so many clicks figures are told."""

COMPARED_AT = 3
"""Two models are compared by the Dice after so many clicks."""

MOST_OF_CLASS = 6
"""Objects of one class that are clicked at in a case, its largest."""


@dataclass(frozen=True, slots=True)
class Course:
    """What came of the clicks on one object.

    Attributes
    ----------
    dice : tuple of float
        After each click.
    seconds : tuple of float
        Each click took; the first one prepares the volume and the model.
    """

    dice: tuple[float, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    case: int
    patient: str
    number: int
    model: Course
    growing: Course


@dataclass(slots=True)
class PromptJudge:
    """Clicks at every object of every case where the answer is most wrong, first in its middle."""

    pack: ModelPack
    classes: tuple[JudgedClass, ...]
    settings: EvaluationSettings
    _objects: list[_Object] = field(default_factory=list)
    _pending: list[_Object] = field(default_factory=list)
    _open: list[frozenset[int]] = field(default_factory=list)
    _keys: list[str] = field(default_factory=list)
    _patients: list[str] = field(default_factory=list)

    def find(self, example: Example, volume: Volume, truth: Truth, context: JobContext) -> Prediction:
        """Click at the objects of a case, and return what was found in the end. Raises ModelError, CancelledError."""
        from medview.ml.runners.interactive import find_object
        from medview.ml.runners.prompt_session import KEPT

        self._pending = []
        shape = volume.geometry.shape_kji
        layers = np.zeros((1, *shape), dtype=np.uint8) if truth.layers is None else truth.layers
        unknown = (layers == UNKNOWN).any(axis=0)
        labels = np.zeros(shape, dtype=np.uint8)
        started = time.perf_counter()

        def model(prompts: Sequence[Prompt]) -> HeldVoxels:
            return find_object(self.pack, volume, prompts, NOTHING, context, self.settings.device, grow_first)

        def growing(prompts: Sequence[Prompt]) -> HeldVoxels:
            return grow_from_prompts(volume, prompts, NOTHING, lambda _box: None, context)

        for one in self.classes:
            if one.truth in truth.open_classes:
                continue
            true = (layers == one.truth).any(axis=0)
            # Of classes that overlap another layer may know nothing where this one is drawn.
            open_ = unknown & ~true
            for held in _objects(true):
                context.raise_if_cancelled()
                course, found = followed(model, volume, held, open_, context)
                grown, _ = followed(growing, volume, held, open_, context)
                labels[found] = one.model + 1
                self._pending.append(_Object(len(self._keys), patient_of(example), one.model, course, grown))
        session = KEPT.going_on(self.pack, volume, self.settings.device)
        segments = tuple(PredictedSegment(one.model + 1, one.name, (220, 60, 60)) for one in self.classes)
        spec = self.pack.spec
        return Prediction(
            spec.task.value,
            spec.name,
            Source(SourceKind.MODEL, spec.id, spec.version),
            volume.geometry,
            mask=PredictedMask.trimmed(labels, segments),
            seconds={"clicks": time.perf_counter() - started},
            device=self.settings.device if session is None else session.device.type,
        )

    def add(self, example: Example, volume: Volume, truth: Truth, found: Prediction) -> CaseJudgement:
        """Judge the case whose objects were clicked at last."""
        self._objects += self._pending
        self._keys.append(example.key)
        self._patients.append(patient_of(example))
        self._open.append(truth.open_classes)
        middle = tuple(n // 2 for n in volume.geometry.shape_kji)
        at_kji = (middle[0], middle[1], middle[2])
        rows: list[Document] = [
            {
                "class": self.classes[one.number].name,
                "dice": [round(value, 4) for value in one.model.dice],
                "growing": [round(value, 4) for value in one.growing.dice],
            }
            for one in self._pending
        ]
        if not rows:
            return CaseJudgement(None, "", {"objects": rows}, at_kji)
        worst = min(rows, key=lambda row: row["dice"][-1])
        numbers = [one.number for one in self._pending]
        lowest = numbers[rows.index(worst)]
        layers = truth.layers
        if layers is not None and found.mask is not None:
            true = (layers == self.classes[lowest].truth).any(axis=0)
            wrong = np.count_nonzero(true ^ (found.mask.on_grid(true.shape) == lowest + 1), axis=(1, 2))
            if wrong.any():
                at_kji = (int(wrong.argmax()), at_kji[1], at_kji[2])
        score = float(np.mean([row["dice"][-1] for row in rows]))
        why = f"Dice {worst['dice'][-1]:.3f} of {worst['class']} after {CLICKS} clicks"
        return CaseJudgement(score, why, {"dice": score, "objects": rows}, at_kji)

    def figures(self) -> TaskFigures:
        """Return the Dice after each number of clicks, by class, beside that of growing; and how long a click took."""
        per_class: list[Document] = []
        ci: Document = {}
        for one in self.classes:
            own = [each for each in self._objects if each.number == one.model]
            patients = [each.patient for each in own]
            found: dict[str, Interval] = {}
            for click in TOLD:
                found[f"dice_{click}"] = mean_interval([each.model.dice[click - 1] for each in own], patients)
                found[f"growing_{click}"] = mean_interval([each.growing.dice[click - 1] for each in own], patients)
            ci[one.name] = {name: ends(interval) for name, interval in found.items()}
            values = {name: interval.value for name, interval in found.items()}
            per_class.append({"name": one.name, **values, "objects": len(own)})
        headlines = [
            Headline(
                f"{key}_{click}", f"{title} after {click} {clicks}", self._mean(key, click), self._statistic(key, click)
            )
            for key, title in (("dice", "Dice"), ("growing", "Growing alone: Dice"))
            for click, clicks in zip(TOLD, ("click", *["clicks"] * len(TOLD[1:])), strict=True)
        ]
        clicks = np.array([s for each in self._objects for s in each.model.seconds[1:]])
        first = np.array([each.model.seconds[0] for each in self._objects])
        more: Document = {
            "click_seconds": {
                "median": _quantile(clicks, 0.5), "p95": _quantile(clicks, 0.95), "first_median": _quantile(first, 0.5),
                "first_p95": _quantile(first, 0.95),
            },
            "curves": {
                name: [[n + 1, self._mean(key, n + 1).value] for n in range(CLICKS)]
                for name, key in (("model", "dice"), ("growing", "growing"))
            },
        }  # fmt: skip
        intervals = {one.name: ends(one.interval) for one in headlines}
        whose = tuple(self._keys), tuple(self._patients)
        parts = {key: self._parts(n) for n, key in enumerate(self._keys)}
        ends_of = {**intervals, "classes": ci}
        figure = f"dice_{COMPARED_AT}"
        return TaskFigures(
            tuple(headlines), per_class, None, ends_of, more, NOTES, *whose, class_figure=figure, parts=parts
        )

    def _parts(self, case: int) -> CaseParts:
        found = {}
        for one in self.classes:
            if one.truth not in self._open[case]:
                own = [each for each in self._objects if (each.case, each.number) == (case, one.model)]
                dice = [each.model.dice[COMPARED_AT - 1] for each in own]
                found[one.truth_name] = Part(float(sum(dice)), float(len(dice)), float(np.mean(dice)) if dice else None)
        return found

    def _mean(self, key: str, click: int) -> Interval:
        """Return the mean over all objects."""
        return mean_interval(self._dice(key, click).tolist(), [one.patient for one in self._objects])

    def _statistic(self, key: str, click: int) -> WeightedStatistic:
        dice, cases = self._dice(key, click), np.array([one.case for one in self._objects], dtype=np.int64)

        def mean(times: npt.NDArray[np.int64]) -> float | None:
            weights = times[cases]
            return float((weights * dice).sum() / weights.sum()) if weights.any() else None

        return mean

    def _dice(self, key: str, click: int) -> npt.NDArray[np.float64]:
        courses = [one.model if key == "dice" else one.growing for one in self._objects]
        return np.array([one.dice[click - 1] for one in courses], dtype=np.float64)


NOTES = (
    "A simulated person clicks in the middle of an object, then always in the middle of the largest part that is wrong; "
    "the same is done with growing without a model. Each piece of a class is an object of its own, the "
    f"{MOST_OF_CLASS} largest of a case.",
)


def followed(find: Find, volume: Volume, held: HeldVoxels, unknown: Mask, context: JobContext) -> tuple[Course, Mask]:
    """Let a steady hand click at an object, and return what came of it and what was found in the end.

    Parameters
    ----------
    find : callable
        Finds the object from the clicks so far.
    unknown : ndarray of bool, shape (k, j, i)
        Where nobody knows anything.
    """
    from medview.ml.training.prompter import correction

    geometry = volume.geometry
    axes = (0,) if geometry.shape_kji[0] == 1 else (0, 1, 2)
    prompts: list[Prompt] = []
    found, dice, seconds = NOTHING, [], []
    for n in range(CLICKS):
        context.raise_if_cancelled()
        # Looking through the whole volume for the worst place would take longer than what is judged.
        whole = Box.union_of((held.box, found.box)) or held.box
        near = whole.padded((1, 1, 1)).clipped(geometry.shape_kji)
        known = ~unknown[near.slices]
        prompt = correction(
            held.mask(near) & known,
            found.mask(near) & known,
            geometry.cropped(near),
            [PromptKind.POINT],
            None,
            str(n),
            axes,
        )
        if prompt is not None:
            prompts.append(prompt)
            began = time.perf_counter()
            found = find(prompts)
            seconds.append(time.perf_counter() - began)
        dice.append(_dice(held, found, unknown))
    whole = Box.whole(geometry.shape_kji)
    return Course(tuple(dice), tuple(seconds)), found.mask(whole)


def _objects(mask: Mask) -> list[HeldVoxels]:
    from medview.ml.training.interactive.objects import objects_in

    return [held for _, held in objects_in(mask[None].astype(np.uint8), 1, overlapping=True)][:MOST_OF_CLASS]


def _dice(held: HeldVoxels, found: HeldVoxels, unknown: Mask) -> float:
    box = Box.union_of((held.box, found.box)) or held.box
    known = ~unknown[box.slices]
    true, said = held.mask(box) & known, found.mask(box) & known
    total = np.count_nonzero(true) + np.count_nonzero(said)
    return float(2 * np.count_nonzero(true & said) / total) if total else 0.0


def _quantile(values: npt.NDArray[np.float64], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 4) if values.size else None
