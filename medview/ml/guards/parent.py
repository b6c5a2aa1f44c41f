"""Whether labels are those that an earlier model was trained on."""

from __future__ import annotations

from collections.abc import Iterator

from medview.ml.examples import ExampleSet
from medview.ml.guards.finding import GuardFinding, Severity
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.spec import ModelSpec


def other_than_parent(examples: ExampleSet, parent: ModelSpec) -> Iterator[GuardFinding]:
    """Say where the task, the channels or the classes are not those of the model that training begins from."""
    if parent.task is not examples.task:
        yield GuardFinding(
            "parent",
            Severity.BLOCK,
            f"{parent.name} is a model for {parent.task.value} and this is {examples.task.value}; begin from another "
            "model, or from none.",
        )
        return
    channels = len(parent.input.channels)
    if channels != len(examples.channels):
        yield GuardFinding(
            "parent",
            Severity.BLOCK,
            f"{parent.name} looks at {channels} images of a case and the cases have {len(examples.channels)}; begin from "
            "another model, or from none.",
        )
    mine, theirs = [_plain(one.name) for one in examples.classes], [_plain(name) for name in class_names(parent)]
    if mine != theirs:
        new = [one.name for one in examples.classes if _plain(one.name) not in theirs]
        gone = [name for name in class_names(parent) if _plain(name) not in mine]
        told = [f"new: {', '.join(new)}"] if new else []
        told += [f"gone: {', '.join(gone)}"] if gone else []
        yield GuardFinding(
            "parent",
            Severity.CONFIRM,
            f"The classes are not those of {parent.name} ({'; '.join(told) or 'in another order'}); what tells them apart "
            "is learnt anew.",
        )


def class_names(spec: ModelSpec) -> list[str]:
    """Return what a model finds, in its order."""
    output = spec.output
    if isinstance(output, SegmentationOutput):
        return [one.name for one in output.labels]
    if isinstance(output, DetectionOutput):
        return [one.name for one in output.classes]
    return list(output.classes) if isinstance(output, ClassificationOutput) else []


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
