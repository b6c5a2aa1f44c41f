"""Dataset folders made of arrays, for tests of training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from medview.core.geometry import Geometry
from medview.core.pixel_hash import pixels_sha256
from medview.core.volume import Rescale, Volume
from medview.io.datasets.checksums import write_checksums
from medview.io.datasets.neutral import CASES, FACTS, FORMAT, IMAGES, LABELS, SPLITS_FILE, VERSION, NeutralCase
from medview.io.datasets.neutral_read import NeutralDataset, read_neutral
from medview.io.datasets.neutral_write import json_line, write_case
from medview.io.datasets.splits import splits_sha256
from tests.helpers.grids import turned_grid

HAND = {"kind": "hand", "model": None, "version": None, "sha256": None, "corrected": False}
MODEL = {"kind": "model", "model": "m", "version": "1", "sha256": "ab" * 32, "corrected": False}


@dataclass
class MadeCase:
    """A case to write: voxels (k, j, i) or (k, j, i, 3), label layers, and what is said."""

    voxels: np.ndarray[Any, Any]
    layers: np.ndarray[Any, Any] | None = None
    segments: Sequence[Mapping[str, Any]] = ()
    patient: str = ""
    split: str = "train"
    said: Mapping[str, Any] = field(default_factory=dict)


def segment(name: str, layer: int, value: int, voxels: int = 1, **more: Any) -> dict[str, Any]:
    """Return a segment as ``cases.jsonl`` has it."""
    usual = {"group": None, "role": "structure", "status": "done", "absent": False, "source": HAND, "code": None}
    return {"name": name, "layer": layer, "value": value, "voxels": voxels, **usual, **more}


def box(label: str, low: Sequence[float], high: Sequence[float], *, difficult: bool = False) -> dict[str, Any]:
    """Return a box as ``cases.jsonl`` has it."""
    attributes = [{"name": "difficult", "kind": "text", "value": "yes"}] if difficult else []
    return {
        "kind": "box", "label": label, "min_kji": list(low), "max_kji": list(high),
        "attributes": attributes, "source": HAND,
    }  # fmt: skip


def write_dataset(
    folder: Path,
    cases: Sequence[MadeCase],
    classes: Sequence[str] = (),
    spacing_kji_mm: tuple[float, float, float] | None = None,
    codes: Mapping[str, Mapping[str, str]] | None = None,
) -> NeutralDataset:
    """Write a dataset folder and read it back; classes nobody drew in a case are unknown there."""
    for name in (IMAGES, LABELS):
        (folder / name).mkdir(parents=True)
    lines = []
    for number, case in enumerate(cases, start=1):
        shape = case.voxels.shape[:3]
        grid = turned_grid(degrees=20.0, shape_kji=shape)
        if spacing_kji_mm is not None:
            grid = Geometry(shape, np.diag([*spacing_kji_mm[::-1], 1.0])[:, [2, 1, 0, 3]])
        volume = Volume(case.voxels, grid, "MR", rescale=Rescale())
        drawn = {str(s["name"]) for s in case.segments}
        said = {
            "segments": list(case.segments),
            "absent": [], "unknown": [name for name in classes if name not in drawn], "done_slices": None,
            "unsure": False, "drawn": [], "image_labels": [], "answers": [], "reader": "Rut", "role": "reader",
            "status": "done", "seconds": 1.0, "pixels_sha256": pixels_sha256(volume), **case.said,
        }  # fmt: skip
        key = f"case_{number:04d}"
        line = write_case(folder, NeutralCase(key, case.patient, case.split, lambda volume=volume: volume, None, said))
        if case.layers is not None:
            np.save(folder / LABELS / f"{key}.npy", case.layers.astype(np.uint8))
            line["labels"] = {"file": f"{LABELS}/{key}.npy", "layers": len(case.layers)}
        lines.append(line)
    splits = {line["case"]: line["split"] for line in lines}
    (folder / CASES).write_text("".join(json_line(line) for line in lines), "utf-8")
    (folder / SPLITS_FILE).write_text(json.dumps({"cases": splits, "sha256": splits_sha256(splits)}), "utf-8")
    facts = {
        "format": FORMAT, "version": VERSION, "name": folder.name, "licence": "CC0", "written": len(lines),
        "splits": dict(Counter(splits.values())), "splits_sha256": splits_sha256(splits),
        "classes": [
            {"value": n, "name": name, "colour": [n, 2, 3], "code": (codes or {}).get(name)}
            for n, name in enumerate(classes, 1)
        ],
        "box_classes": sorted({str(b["label"]) for line in lines for b in line["drawn"] if b["kind"] == "box"}),
        "image_classes": sorted({str(a["label"]) for line in lines for a in line["image_labels"]}),
        "warnings": [],
    }  # fmt: skip
    (folder / FACTS).write_text(json.dumps(facts), "utf-8")
    write_checksums(folder)
    return read_neutral(folder)
