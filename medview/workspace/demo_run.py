"""The demo without a window: every bundled model on one patient of the demo study, written as files."""

from __future__ import annotations

import importlib
import time
import uuid
from pathlib import Path
from typing import Any

from medview.core.job import JobContext
from medview.core.prediction import Prediction
from medview.io.load import LoadedVolume, load_volume
from medview.ml.predict import PredictRequest
from medview.ml.registry import Registry
from medview.workspace.demo import DEMO_MODELS, demo_folder, make_demo, write_pictures
from medview.workspace.exports import prepare_folder, summary_document, write_json, write_prediction
from medview.workspace.models import model_registry

_SHOWN = "series-1"
"""The patient of the demo study that has nodules."""


def run_demo(output: Path, context: JobContext, registry: Registry | None = None) -> dict[str, Any]:
    """Make the demo study, run the models on its first patient, and write what they propose into ``output``.

    Returns
    -------
    dict
        summary.json's document: ``outputs``, ``seconds`` and one summary per model.

    Raises
    ------
    MedViewError
    """
    prepare_folder(output, overwrite=True)
    started = time.monotonic()
    study = make_demo(demo_folder(), context)
    seconds: dict[str, float] = {"study": time.monotonic() - started}
    started = time.monotonic()
    loaded = load_volume(study / _SHOWN, None, context)
    seconds["load"] = time.monotonic() - started
    predictions = _predict_all(loaded, registry or model_registry(), context)
    masks = next(p for p in predictions if p.task == "segmentation")
    boxes = next((p for p in predictions if p.task == "detection"), None)
    started = time.monotonic()
    outputs = write_pictures(output, loaded.volume, masks, boxes)
    summaries = []
    for prediction in predictions:
        written = write_prediction(prediction, loaded.volume, [Path(p) for p in loaded.entry.dicom_paths], output)
        outputs += [Path(str(path)) for path in _listed(written["outputs"])]
        summaries.append(summary_document(prediction, [Path(str(p)) for p in _listed(written["outputs"])]))
    seconds["write"] = time.monotonic() - started
    document: dict[str, Any] = {
        "study": str(study),
        "series": _SHOWN,
        "models": summaries,
        "outputs": [path.name for path in outputs] + ["summary.json"],
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
    write_json(output / "summary.json", document)
    return document


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _predict_all(loaded: LoadedVolume, registry: Registry, context: JobContext) -> list[Prediction]:
    runners = importlib.import_module("medview.ml.runners.run")
    predictions = []
    for model_id in DEMO_MODELS:
        request = PredictRequest(loaded.volume, registry.get(model_id), "auto", uuid.uuid4().hex)
        predictions.append(runners.predict(request, context))
    return predictions
