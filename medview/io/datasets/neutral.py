"""The dataset folder that MedView trains on; docs/dataset-folder.md describes it.

``dataset.json`` says what it is, ``cases.jsonl`` one case a line, ``images`` and ``labels`` hold one array each that can be
mapped into memory, ``label_set.json`` the labels and forms, ``splits.json`` who belongs where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from medview.core.segmentation import Segmentation
from medview.core.volume import Volume

FORMAT, VERSION = "MedView dataset", 1
FACTS, CASES, SPLITS_FILE, SCHEMA = "dataset.json", "cases.jsonl", "splits.json", "label_set.json"
IMAGES, LABELS = "images", "labels"


@dataclass(frozen=True, slots=True, eq=False)
class NeutralCase:
    """A case to write.

    Attributes
    ----------
    key, patient, split : str
        As in ``DatasetCase``.
    image : callable
        Returns its volume. Raises MedViewError.
    segmentation : Segmentation or None
        On the grid of the volume; None where nothing is drawn by masks.
    said : mapping
        Ready for JSON: what stands in ``cases.jsonl`` beside what is written of the arrays.
    """

    key: str
    patient: str
    split: str
    image: Callable[[], Volume]
    segmentation: Segmentation | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
