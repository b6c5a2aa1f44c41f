"""Runs a model on labelled cases, one at a time, and compares what it finds with what is true."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from medview.core.errors import CancelledError, DeviceError, MedViewError, ModelError
from medview.core.job import JobContext, JobPart
from medview.core.language import _
from medview.core.prediction import Prediction
from medview.core.volume import Volume
from medview.ml.examples import Example, ExampleSet, Trust, Truth
from medview.ml.outputs import ClassificationOutput, DetectionOutput, InteractiveOutput, SegmentationOutput
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.spec import Task
from medview.workspace.evaluation.answers import AnswerJudge
from medview.workspace.evaluation.boxes import BoxJudge
from medview.workspace.evaluation.judging import Document, EvaluationSettings, Judge
from medview.workspace.evaluation.masks import MaskJudge
from medview.workspace.evaluation.matching import JudgedClass, match_classes
from medview.workspace.evaluation.pictures import case_picture, in_colour
from medview.workspace.evaluation.prompted import PromptJudge
from medview.workspace.evaluation.report import EvaluationReport, JudgedCase, Speed
from medview.workspace.label_export import NOT_DEIDENTIFIED

LOWEST_SCORE = 0.01
"""Of boxes that enter average precisions: below it a curve no longer changes, and there are very many."""

MOST_FAILURES = 5
"""Told as warnings; the report holds all of them."""

_SPLIT_MADE = ("was given one.", "were given one.")
_OF_OTHERS = ("Not learnt", "Measurements and key images", NOT_DEIDENTIFIED)


def evaluate_pack(
    pack: ModelPack,
    examples: ExampleSet,
    split: str,
    context: JobContext,
    settings: EvaluationSettings = EvaluationSettings(),
    test_openings: Sequence[Document] = (),
) -> EvaluationReport:
    """Judge a pack on the examples of a split; belongs into a worker. One case is in memory at a time.

    Parameters
    ----------
    split : str
        ``train``, ``val`` or ``test``; empty for all examples.
    test_openings : sequence of dict
        What is known of who opened the test cases; written into the report.

    Raises
    ------
    AmbiguousError
        When the classes of both sides do not match.
    ModelError
        When the pack cannot be judged, the computer cannot run it, or it runs on none of the cases.
    CancelledError
    """
    every = examples.of_split(split) if split else examples.examples
    chosen = [example for example in every if example.trust is not Trust.UNREVIEWED]
    if not chosen:
        where = f"the split {split}" if split else "what was given"
        raise ModelError(f"There is nothing to compare {pack.spec.name} with: no labelled case is in {where}.")
    classes = judged_classes(pack, examples, settings)
    run = _Run(pack, _judge(pack, classes, settings, context), classes, settings)
    for number, example in enumerate(chosen):
        context.raise_if_cancelled()
        part = JobPart(
            context,
            number / len(chosen),
            (number + 1) / len(chosen),
            text=_("Case {number} of {count}").format(number=number + 1, count=len(chosen)),
        )
        part.progress(0.0, "")
        run.take(example, part)
    if not run.cases:
        key, reason = run.failed[0]
        raise ModelError(f"{pack.spec.name} ran on none of the {len(chosen)} cases; the first, {key}: {reason}")
    known = {case.patient for case in run.cases} - {""}
    by_patient = all(case.patient for case in run.cases)
    left_out = len(every) - len(chosen)
    return EvaluationReport(
        pack=pack,
        split=split,
        cases=tuple(run.cases),
        patients=len(known) if by_patient else None,
        by_patient=by_patient,
        figures=run.judge.figures(),
        speed=run.speed(),
        made_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        worst=run.worst_keys(),
        failed=tuple(run.failed),
        left_out=left_out,
        warnings=(*_of_labels(examples.warnings), *_warnings(run.failed, left_out, by_patient=by_patient)),
        pictures=run.pictures,
        data={
            "dataset_sha256": examples.dataset_sha256,
            "splits_sha256": examples.splits_sha256,
            "licence": examples.licence,
        },
        test_openings=tuple(test_openings),
    )


def judged_classes(pack: ModelPack, examples: ExampleSet, settings: EvaluationSettings) -> tuple[JudgedClass, ...]:
    """Return the classes that a pack is judged in; what can be found wrong before a model runs is found here.

    Raises
    ------
    AmbiguousError
        When the classes of both sides do not match.
    ModelError
        When the examples are for another task, or show another number of images at once.
    """
    spec = pack.spec
    if spec.task is not examples.task and (spec.task, examples.task) != (Task.INTERACTIVE, Task.SEGMENTATION):
        raise ModelError(f"{spec.name} is a model for {spec.task.value} and the labels are for {examples.task.value}.")
    wanted, held = len(spec.input.channels), len(examples.channels)
    # One that is clicked at sees the first.
    if spec.task is not Task.INTERACTIVE and wanted != held:
        raise ModelError(f"{spec.name} looks at {wanted} images at once and the cases have {held}.")
    return match_classes(spec, examples, common=settings.common)


def _judge(pack: ModelPack, classes: Sequence[JudgedClass], settings: EvaluationSettings, context: JobContext) -> Judge:
    output = pack.spec.output
    if isinstance(output, SegmentationOutput):
        return MaskJudge(classes, settings, context)
    if isinstance(output, DetectionOutput):
        return BoxJudge(classes, output)
    if isinstance(output, InteractiveOutput):
        return PromptJudge(pack, tuple(classes), settings)
    assert isinstance(output, ClassificationOutput)
    return AnswerJudge(classes, output)


def _as_run(pack: ModelPack) -> ModelPack:
    """Return the pack with boxes of lower scores too: an average precision is of the whole curve."""
    output = pack.spec.output
    if not isinstance(output, DetectionOutput) or output.join_slices:
        # Joined through slices, boxes of low scores would change those of higher ones.
        return pack
    lower = replace(output, score_threshold=min(output.score_threshold, LOWEST_SCORE))
    return replace(pack, spec=replace(pack.spec, output=lower))


@dataclass(slots=True)
class _Run:
    pack: ModelPack
    judge: Judge
    classes: tuple[JudgedClass, ...]
    settings: EvaluationSettings
    cases: list[JudgedCase] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    _worst: list[tuple[float, int, str]] = field(default_factory=list)
    _seconds: list[Mapping[str, float]] = field(default_factory=list)
    _device: str = ""
    _peak_mb: float = 0.0

    def take(self, example: Example, context: JobContext) -> None:
        """Run the model on a case and judge it; a case it cannot run on is kept with the reason."""
        try:
            volumes = example.volumes()
            truth = example.truth()
            found = self._predict(example, volumes, truth, context)
            judgement = self.judge.add(example, volumes[0], truth, found)
        except (CancelledError, DeviceError):
            raise
        except MedViewError as error:
            self.failed.append((example.key, error.sentence))
            return
        self._seconds.append(found.seconds)
        self._device = found.device
        self._peak_mb = max(self._peak_mb, found.peak_memory_mb)
        self.cases.append(JudgedCase(example.key, example.patient, judgement))
        if judgement.score is not None:
            self._keep_if_bad(example.key, judgement.score, lambda: self._picture(volumes, truth, found, judgement.at_kji))

    def _predict(self, example: Example, volumes: tuple[Volume, ...], truth: Truth, context: JobContext) -> Prediction:
        # torch is loaded by the runners.
        from medview.ml.runners.quiet_import import import_torch

        import_torch()
        if isinstance(self.judge, PromptJudge):
            return self.judge.find(example, volumes[0], truth, context)
        from medview.ml.runners.run import predict

        try:
            request = PredictRequest(volumes[0], _as_run(self.pack), self.settings.device, others=volumes[1:])
        except ValueError as error:
            wanted = len(self.pack.spec.input.channels)
            raise ModelError(
                f"{self.pack.spec.name} looks at {wanted} images at once and the case has {len(volumes)}.",
                detail=str(error),
            ) from error
        return predict(request, context)

    def _picture(self, volumes: tuple[Volume, ...], truth: Truth, found: Prediction, at_kji: tuple[int, int, int]) -> bytes:
        shown = volumes[0]
        if self.pack.spec.input.colour:
            shown = in_colour(volumes)
        return case_picture(shown, truth, found, self.classes, at_kji, self._threshold())

    def _threshold(self) -> float:
        output = self.pack.spec.output
        return output.score_threshold if isinstance(output, DetectionOutput) else 0.0

    def _keep_if_bad(self, key: str, score: float, picture: object) -> None:
        """Keep a case among the worst as long as no worse ones push it out."""
        assert callable(picture)
        entry = (-score, -len(self.cases), key)
        if len(self._worst) >= self.settings.worst and (not self._worst or entry <= self._worst[0]):
            return
        heapq.heappush(self._worst, entry)
        if self.settings.pictures:
            self.pictures[key] = picture()
        if len(self._worst) > self.settings.worst:
            self.pictures.pop(heapq.heappop(self._worst)[2], None)

    def worst_keys(self) -> tuple[str, ...]:
        """Return the worst cases, the worst first."""
        return tuple(key for _, _, key in sorted(self._worst, reverse=True))

    def speed(self) -> Speed:
        """Return how long a case took."""
        totals = np.array([sum(seconds.values()) for seconds in self._seconds])
        stages = dict.fromkeys(name for seconds in self._seconds for name in seconds)
        told = {
            "median": float(np.median(totals)),
            "mean": float(totals.mean()),
            "p95": float(np.percentile(totals, 95)),
            **{name: float(np.mean([seconds.get(name, 0.0) for seconds in self._seconds])) for name in stages},
        }
        return Speed({name: round(value, 5) for name, value in told.items()}, self._device, self._peak_mb)


def _of_labels(said: Sequence[str]) -> list[str]:
    """Return what is to be known of the labels; what an export or a training says of itself is left out."""
    return [one for one in said if not (one.startswith(_OF_OTHERS) or one.endswith(_SPLIT_MADE))]


def _warnings(failed: Sequence[tuple[str, str]], left_out: int, *, by_patient: bool) -> tuple[str, ...]:
    said: list[str] = []
    if failed:
        told = "; ".join(f"{key}: {reason}" for key, reason in failed[:MOST_FAILURES])
        count = "1 case" if len(failed) == 1 else f"{len(failed)} cases"
        said.append(f"The model did not run on {count}, which no figure counts: {told}")
    if left_out:
        count = "1 case was" if left_out == 1 else f"{left_out} cases were"
        said.append(f"{count} left out: a model made their labels and nobody looked at them.")
    if not by_patient:
        said.append(
            "Not every case tells whose it is: intervals draw images, and are too narrow where patients have several."
        )
    return tuple(said)
