"""The closed table of what can be trained."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from medview.core.errors import ModelError
from medview.ml.spec import Task
from medview.ml.training.task import TrainingTask

TASKS: Mapping[Task, str] = {
    Task.SEGMENTATION: "medview.ml.training.segmentation.task:SegmentationTask",
    Task.DETECTION: "medview.ml.training.detection.task:DetectionTask",
    Task.CLASSIFICATION: "medview.ml.training.classification.task:ClassificationTask",
    Task.INTERACTIVE: "medview.ml.training.interactive.task:InteractiveTask",
}
"""Task -> ``module:class``, imported when it is trained."""


def training_task(task: Task) -> TrainingTask:
    """Return how a task is trained. Raises ModelError where this MedView cannot."""
    module, _, name = TASKS[task].partition(":")
    try:
        found: TrainingTask = getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise ModelError(f"This MedView does not train a {task}; update MedView.", detail=repr(error)) from error
    return found
