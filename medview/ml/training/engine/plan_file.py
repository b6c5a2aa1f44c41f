"""The plan of a training as JSON: what a task chose once and resumed trainings keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from medview.core.errors import MedViewError, ReadError
from medview.ml.runs.folder import RunFolder
from medview.ml.spec import WEIGHTS_FILE
from medview.ml.spec_reader import read_spec
from medview.ml.spec_writer import document_of
from medview.ml.training.task import TrainingPlan

_NO_WEIGHTS = {WEIGHTS_FILE: "0" * 64}
"""A description names weights; there are none yet."""


def plan_document(plan: TrainingPlan) -> dict[str, Any]:
    """Return a plan ready for JSON."""
    return {
        "spec": {**document_of(plan.spec), "files": _NO_WEIGHTS},
        "batch": plan.batch,
        "step_bytes": plan.step_bytes,
        "cache_bytes": plan.cache_bytes,
        "settings": dict(plan.settings),
    }


def plan_of(content: Mapping[str, Any]) -> TrainingPlan:
    """Inverse of ``plan_document``. Raises KeyError, TypeError, ValueError or MedViewError on anything else."""
    return TrainingPlan(
        spec=read_spec(json.dumps(content["spec"])),
        batch=int(content["batch"]),
        step_bytes=int(content["step_bytes"]),
        cache_bytes=int(content["cache_bytes"]),
        settings=content["settings"],
    )


def read_plan(run: RunFolder) -> TrainingPlan | None:
    """Return the plan of a run, None before it is made. Raises ReadError when it is damaged."""
    content = run.read_json(run.plan)
    if content is None:
        return None
    try:
        return plan_of(content)
    except (KeyError, TypeError, ValueError, MedViewError) as error:
        raise ReadError(f"plan.json of {run.path.name} is damaged; start again.", detail=repr(error)[:200]) from error


def write_plan(run: RunFolder, plan: TrainingPlan) -> TrainingPlan:
    """Write the plan and return it as it reads back, so that a resumed training sees the very same.

    Raises
    ------
    WriteError
        When the folder cannot be written.
    """
    run.write_json(run.plan, plan_document(plan))
    back = read_plan(run)
    assert back is not None, "it was written"
    return back
