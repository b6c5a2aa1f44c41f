"""Reports of an evaluation as they look in a browser: answers of a made-up model on real cases, one report for each task.

``python -m tests.end_to_end.evaluation_pictures OUT`` with ``MEDVIEW_TEST_DATA`` set; screenshots where there is chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np

from medview.core.annotations import BoxAnnotation
from medview.core.job import Inline, JobContext
from medview.core.prediction import PredictedMask, Prediction
from medview.io.datasets.foreign import DatasetRequest
from medview.io.reader_pool import InlinePool
from medview.ml.examples import ExampleSet
from medview.ml.outputs import ClassificationOutput, DetectionOutput, SegmentationOutput
from medview.ml.packs import ModelPack
from medview.ml.predict import PredictRequest
from medview.ml.spec import Task
from medview.workspace.evaluation.evaluate import evaluate_pack
from medview.workspace.evaluation.files import write_report
from medview.workspace.evaluation.foreign_examples import foreign_examples
from tests.ml.small_packs import document, small_pack
from tests.workspace.evaluation.made import SOURCE

PLAIN = {"modality": [], "unit": "", "spacing_kji_mm": None, "orientation": None}


def made_up(examples: ExampleSet) -> Callable[[PredictRequest, JobContext], Prediction]:
    """Return a model that knows the truth and spoils it, more in some cases than in others."""
    rng = np.random.default_rng(3)
    cases = iter([one for one in examples.examples if one.split in ("", "val")])

    def predict(request: PredictRequest, _context: JobContext) -> Prediction:
        truth, grid, output = next(cases).truth(), request.volume.geometry, request.pack.spec.output
        said = {"seconds": {"load": 0.01, "prepare": 0.02, "infer": float(rng.uniform(0.2, 0.4)), "finish": 0.01}}
        made = Prediction(request.pack.spec.task.value, "made up", SOURCE, grid, peak_memory_mb=412.0, **said)
        if isinstance(output, SegmentationOutput):
            assert truth.layers is not None
            shift = tuple(int(n) for n in rng.integers(-1, 2, 3) * (rng.random() < 0.7))
            labels = np.roll(truth.layers[0], shift, (0, 1, 2))
            mask = PredictedMask.trimmed(labels, output.labels)
            return Prediction(**{**_fields(made), "mask": mask})
        if isinstance(output, DetectionOutput):
            boxes = []
            for n, box in enumerate(truth.boxes):
                if rng.random() < 0.9:
                    moved = rng.normal(0, 5, (2, 3)) * (0, 1, 1)
                    low, high = np.asarray(box.min_kji) + moved[0], np.asarray(box.max_kji) + moved[1]
                    label = examples.classes[box.number - 1 if rng.random() < 0.95 else 0].name
                    boxes.append(BoxAnnotation.on_grid(f"b{n}", label, grid, low, high, float(rng.beta(6, 2)), SOURCE))
            for n in range(int(rng.poisson(1.5))):
                low = np.array((0, *rng.uniform(0, 400, 2)))
                name, high, score = examples.classes[1].name, low + np.array((1, 60, 60)), float(rng.beta(2, 5))
                boxes.append(BoxAnnotation.on_grid(f"x{n}", name, grid, low, high, score, SOURCE))
            return Prediction(**{**_fields(made), "boxes": tuple(boxes)})
        assert isinstance(output, ClassificationOutput)
        last = output.classes[-1]
        score = float(1 / (1 + np.exp(-(rng.normal(2.2, 1.6) if truth.answers[last] else rng.normal(-2.2, 1.6)))))
        return Prediction(**{**_fields(made), "scores": {output.classes[0]: 1 - score, last: score}})

    return predict


def _fields(prediction: Prediction) -> dict[str, object]:
    return {name: getattr(prediction, name) for name in prediction.__dataclass_fields__}


def packs(folder: Path) -> dict[Task, ModelPack]:
    """Return three packs whose networks are never run."""
    segments = [{"value": 1, "name": "Anterior"}, {"value": 2, "name": "Posterior"}]
    cells = [{"name": name} for name in ("RBC", "WBC", "Platelets")]
    fpn = {"in_channels": 1, "classes": 3, "dimensions": 2, "channels": [4, 8], "width": 8, "first_level": 1}
    return {
        Task.SEGMENTATION: small_pack(
            folder / "seg",
            name="Hippocampus",
            input={**document()["input"], **PLAIN},
            output={"labels": segments},
            postprocess=[],
        ),
        Task.DETECTION: small_pack(
            folder / "det",
            "detection",
            name="Blood cells",
            network={"name": "fpn_detector", "kwargs": fpn},
            input={**document("detection")["input"], **PLAIN, "dimensions": 2},
            tiling={"tile_kji": [1, 64, 64], "overlap": 0.0, "blend": "gaussian"},
            output={"classes": cells, "score_threshold": 0.4, "nms_iou": 0.5, "max_boxes": 200},
        ),
        Task.CLASSIFICATION: small_pack(
            folder / "cls",
            "classification",
            name="Chest X-ray: pneumonia",
            network={"name": "classifier2d", "kwargs": {"in_channels": 1, "classes": 2, "channels": [4, 6]}},
            input={**document("classification")["input"], **PLAIN, "dimensions": 2, "shape_kji": [1, 28, 28]},
            output={"classes": ["normal", "pneumonia"], "activation": "softmax", "threshold": 0.5, "abstain": [0.4, 0.6]},
        ),
    }


def sets(data: Path, room: Path) -> dict[Task, ExampleSet]:
    """Return the three real sets, of which the script looks at some cases."""
    hippocampus = data / "train-seg-hippocampus" / "data" / "TrainingSet"
    requests = {
        Task.SEGMENTATION: (
            "nifti-pairs",
            DatasetRequest(
                images=hippocampus / "images",
                labels=hippocampus / "labels",
                label_values={1: "Anterior", 2: "Posterior"},
                patient_from=r"_(\d+)",
            ),
        ),
        Task.DETECTION: ("voc", DatasetRequest(data / "train-det-bccd" / "BCCD")),
        Task.CLASSIFICATION: ("medmnist-npz", DatasetRequest(data / "train-cls-pneumoniamnist")),
    }
    return {
        task: foreign_examples(form, request, task, ["image"], Inline(), InlinePool(), room)
        for task, (form, request) in requests.items()
    }


def main(out: Path) -> None:
    data = Path(os.environ["MEDVIEW_TEST_DATA"])
    with tempfile.TemporaryDirectory() as made:
        room = Path(made)
        (room / "unpacked").mkdir()
        for task, examples in sets(data, room / "unpacked").items():
            pack = packs(room / "packs")[task]
            split = "val" if examples.of_split("val") else ""
            cases = examples.of_split("val") if split else examples.examples
            fewer = ExampleSet(
                task, examples.classes, examples.channels, cases[:: max(1, len(cases) // 60)][:60], examples.by_patient
            )
            with mock.patch("medview.ml.runners.run.predict", made_up(fewer)):
                report = evaluate_pack(pack, fewer, split, Inline())
            write_report(report, out / task.value, overwrite=True)
            print(out / task.value / "report.html")
            picture(out / task.value / "report.html", out)


def picture(page: Path, out: Path) -> None:
    """Draw a page 1280 wide, light and dark."""
    browser = shutil.which("chromium")
    for dark in (False, True) if browser else ():
        name = f"{page.parent.name}{'_dark' if dark else ''}.png"
        look = ["--force-dark-mode", "--enable-features=WebContentsForceDark:inversion_method/none"] if dark else []
        command = [browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1280,2400", *look]
        subprocess.run(
            [*command, f"--screenshot={out / name}", page.as_uri()], check=False, capture_output=True, timeout=120
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
