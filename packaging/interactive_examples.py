"""What the interactive pack is trained and judged on: phantoms, hippocampi and hearts, split by patient."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from phantom_cohort import held_out_phantom, training_phantom

from medview.core.job import JobContext
from medview.core.volume import Volume
from medview.io.datasets.foreign import DatasetRequest
from medview.io.reader_pool import InlinePool
from medview.ml.examples import Example, ExampleSet, TrainingClass, Truth
from medview.ml.spec import Task
from medview.phantom.chest import ChestPhantom
from medview.workspace.evaluation.foreign_examples import foreign_examples

TRAIN_SEEDS, VAL_SEEDS = range(1000, 1040), range(9000, 9006)
VAL_SHARE = 6
"""Every so many patients are kept for validation."""

PHANTOM = ("phantom lung", "phantom nodule", "phantom heart", "phantom spine")
HIPPOCAMPUS = {1: "anterior hippocampus", 2: "posterior hippocampus"}
LICENCE = "CC BY-SA 4.0"
DATA = (
    "Chest CT phantoms made by MedView; MR hippocampi of the Medical Segmentation Decathlon (Task04, CC BY-SA 4.0); "
    "cine MR slices of hearts (Sunnybrook Cardiac Data, public domain)."
)
"""How many of each a card says after what was counted when the training began."""


@contextmanager
def interactive_examples(data: Path, room: Path, context: JobContext) -> Iterator[ExampleSet]:
    """Give all sources as one set; a class of one is unknown in the others, since each object is learnt by itself.

    Parameters
    ----------
    data : Path
        Folder of the real data sets (``MEDVIEW_TEST_DATA``).
    room : Path
        An empty folder.
    """
    pool = InlinePool()
    folder = data / "train-seg-hippocampus" / "data" / "TrainingSet"
    request = DatasetRequest(
        None, images=folder / "images", labels=folder / "labels", label_values=HIPPOCAMPUS,
        patient_from=r"hippocampus_\d+",
    )  # fmt: skip
    brains = foreign_examples("nifti-pairs", request, Task.SEGMENTATION, ("image",), context, pool, room)
    folder = data / "train-seg-sunnybrook" / "Data" / "Train"
    request = DatasetRequest(
        None, images=folder / "Images", labels=folder / "Labels", label_values={255: "left ventricle"},
        patient_from=r"(SC-[A-Z-]+-\d+)-IM",
    )  # fmt: skip
    hearts = foreign_examples("image-mask", request, Task.SEGMENTATION, ("image",), context, pool, room)
    classes: list[TrainingClass] = [TrainingClass(name) for name in PHANTOM]
    examples = [*_phantoms()]
    for prefix, found in (("brain", brains), ("heart", hearts)):
        shift = len(classes)
        classes += found.classes
        patients = sorted({one.patient for one in found.examples})
        kept = set(patients[VAL_SHARE - 1 :: VAL_SHARE])
        examples += [
            replace(
                one,
                key=f"{prefix}-{n:03d}",
                patient=f"{prefix}-{one.patient}",
                split="val" if one.patient in kept else "train",
                truth=functools.partial(_shifted, one, shift),
            )
            for n, one in enumerate(found.examples)
        ]
    yield ExampleSet(Task.INTERACTIVE, tuple(classes), ("image",), tuple(examples), exclusive=True, licence=LICENCE)


def _shifted(example: Example, shift: int) -> Truth:
    """Return the truth with its classes numbered further on."""
    truth = example.truth()
    layers = truth.layers
    if layers is None:
        return truth
    known = (layers > 0) & (layers <= 254 - shift)
    return replace(truth, layers=np.where(known, layers + shift, layers).astype(np.uint8))


def _phantoms() -> Iterator[Example]:
    for split, seeds, make in (("train", TRAIN_SEEDS, training_phantom), ("val", VAL_SEEDS, held_out_phantom)):
        for seed in seeds:
            phantom = functools.lru_cache(maxsize=1)(functools.partial(make, seed))
            yield Example(
                f"phantom-{seed}",
                f"phantom-{seed}",
                split,
                functools.partial(_phantom_volumes, phantom, seed),
                functools.partial(_phantom_truth, phantom),
            )


def _phantom_volumes(phantom: functools._lru_cache_wrapper[ChestPhantom], seed: int) -> tuple[Volume, ...]:
    made = phantom()
    return (Volume(made.hu, made.geometry, modality="CT", unit="HU", series_uid=f"phantom-{seed}"),)


def _phantom_truth(phantom: functools._lru_cache_wrapper[ChestPhantom]) -> Truth:
    made = phantom()
    phantom.cache_clear()
    return Truth(made.labels[None])
