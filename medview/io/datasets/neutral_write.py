"""Cases to the dataset folder that MedView trains on, one at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medview.core.errors import WriteError
from medview.core.segmentation import Segmentation
from medview.core.volume import Volume
from medview.io.datasets.neutral import IMAGES, LABELS, NeutralCase


def write_case(folder: Path, case: NeutralCase) -> dict[str, Any]:
    """Write the arrays of a case, read them back, and return its line of ``cases.jsonl``.

    Raises
    ------
    WriteError
        When the labels lie on another grid than the image, or what was written is not what came back.
    """
    volume = case.image()
    name = f"{IMAGES}/{case.key}.npy"
    _write(folder / name, [volume.voxels], volume.voxels.dtype, volume.voxels.shape)
    geometry = volume.geometry
    line: dict[str, Any] = {
        "case": case.key,
        "patient": case.patient or None,
        "split": case.split,
        "image": {"file": name, **_image_document(volume)},
        "geometry": {
            "shape_kji": list(geometry.shape_kji),
            "affine_lps": geometry.affine_lps.tolist(),
            "calibration": geometry.calibration.value,
        },
        "labels": None,
        **case.said,
    }
    if case.segmentation is not None and case.segmentation.segments:
        if not case.segmentation.geometry.same_grid(geometry):
            raise WriteError(f"{folder.name} was not written: the labels of {case.key} lie on another grid than its image.")
        line["labels"] = _write_labels(folder, case.key, case.segmentation)
    return line


def layer_order(segmentation: Segmentation) -> list[int]:
    """Return the layers that hold a segment, in the order in which they are written."""
    return sorted({segment.layer_id for segment in segmentation.segments})


def json_line(document: dict[str, Any]) -> str:
    """Return a document as one line."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _image_document(volume: Volume) -> dict[str, Any]:
    return {
        "dtype": volume.voxels.dtype.str,
        "channels": 3 if volume.colour else 1,
        "slope": volume.rescale.slope,
        "intercept": volume.rescale.intercept,
        "unit": volume.unit,
        "modality": volume.modality,
        "inverted": volume.inverted,
        "padding": None if volume.padding is None else list(volume.padding),
    }


def _write_labels(folder: Path, key: str, segmentation: Segmentation) -> dict[str, Any]:
    used = layer_order(segmentation)
    name = f"{LABELS}/{key}.npy"
    layers = []
    for layer_id in used:
        table = np.zeros(256, dtype=np.uint8)
        for segment in segmentation.segments:
            if segment.layer_id == layer_id:
                table[segment.value] = segment.value
        # Numbers that no segment has are none of its labels.
        layers.append(table[segmentation.layer(layer_id).voxels])
    _write(folder / name, layers, np.dtype(np.uint8), (len(used), *segmentation.geometry.shape_kji))
    return {"file": name, "layers": len(used)}


def _write(path: Path, parts: list[npt.NDArray[Any]], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Write an array whose parts follow each other, and compare what comes back."""
    stored = dtype.newbyteorder("<")
    with path.open("wb") as file:
        head = {"descr": stored.str, "fortran_order": False, "shape": tuple(int(n) for n in shape)}
        np.lib.format.write_array_header_1_0(file, head)
        for part in parts:
            for plane in part:
                file.write(np.ascontiguousarray(plane, dtype=stored).tobytes())
    back = np.load(path, mmap_mode="r", allow_pickle=False)
    whole = [back] if back.shape == parts[0].shape and len(parts) == 1 else list(back)
    same = back.shape == shape and all(
        np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
        for part, read in zip(parts, whole, strict=True)
        for mine, theirs in zip(part, read, strict=True)
    )
    if not same:
        raise WriteError(f"{path.name} was not written as it is; check the disk it goes to.")
