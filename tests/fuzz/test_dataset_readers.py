"""Mutated lists, archives and segmentations of other programs through the readers of datasets."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.errors import MedViewError
from medview.core.geometry import Geometry
from medview.core.segmentation import LabelLayer, Segment, Segmentation
from medview.io.datasets.coco import read_coco
from medview.io.datasets.data_yaml import read_data_yaml
from medview.io.datasets.nnunet_json import read_nnunet_json
from medview.io.datasets.npz import heads, image_of_row, read_array
from medview.io.datasets.shapes import PictureShapes
from medview.io.datasets.voc import read_voc
from medview.io.datasets.writers import write_dataset
from medview.io.datasets.yolo import read_yolo
from medview.io.imported_labels import Target
from medview.io.label_files import read_labels
from medview.io.reader_pool import ReaderPool
from medview.io.seg_nrrd_write import write_seg_nrrd
from tests.fuzz.folders import COUNT, SEED
from tests.helpers.grids import turned_grid
from tests.helpers.mutate import mutated
from tests.io.datasets.labelled import FLAT, a_picture, a_volume

pytestmark = pytest.mark.timeout(300 + COUNT)

FLAT_TARGET = Target(FLAT)
EACH = COUNT // 4
LETTERS = (b"-", b"9", b"0", b"e9", b'"', b"[", b"}", b"nan", b"<", b"\xff", b":=")


def drawn(shapes: PictureShapes) -> None:
    found = shapes.read(FLAT_TARGET)
    assert all(np.isfinite(box.corners_lps_mm()).all() for box in found.boxes)


def coco(path: str) -> None:
    for _, shapes, _ in read_coco(path).pictures:
        drawn(shapes)


def voc(path: str) -> None:
    drawn(read_voc(path))


def yolo(path: str) -> None:
    drawn(read_yolo(path, {}))


def arrays(path: str) -> None:
    for name in heads(path):
        if name.endswith("images"):
            image_of_row(path, name, 0)
        else:
            read_array(path, name)


def slicer(path: str) -> None:
    read_labels(Path(path))


READERS: dict[str, Callable[[str], Any]] = {
    "coco.json": coco,
    "voc.xml": voc,
    "yolo.txt": yolo,
    "data.yaml": read_data_yaml,
    "dataset.json": read_nnunet_json,
    "arrays.npz": arrays,
    "a.seg.nrrd": slicer,
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One whole file of every kind."""
    place = tmp_path_factory.mktemp("sound")
    cases = [a_picture(), a_volume(overlap=True)]
    for form in ("coco", "yolo", "voc"):
        write_dataset(form, place / form, cases)
    write_dataset("nnunet", place / "nnunet", [a_volume(overlap=True)])
    np.savez_compressed(place / "arrays.npz", train_images=np.ones((3, 4, 5), np.uint8), train_labels=np.arange(3))
    layers = {n: LabelLayer.drawn(n, np.ones((2, 3, 4), np.uint8)) for n in range(2)}
    grid: Geometry = turned_grid(degrees=10, shape_kji=(2, 3, 4))
    segments = [Segment(str(n), f"S{n}", (1, 2, 3), n, 1) for n in range(2)]
    write_seg_nrrd(place / "a.seg.nrrd", Segmentation(grid, layers, segments))
    # The boxes alone, so that damages hit what matters.
    small = json.loads((place / "coco" / "annotations" / "instances_train.json").read_text())
    return {
        "coco.json": json.dumps(small).encode(),
        "voc.xml": (place / "voc" / "Annotations" / "photo.xml").read_bytes(),
        "yolo.txt": (place / "yolo" / "labels" / "train" / "photo.txt").read_bytes(),
        "data.yaml": (place / "yolo" / "data.yaml").read_bytes(),
        "dataset.json": (place / "nnunet" / "dataset.json").read_bytes(),
        "arrays.npz": (place / "arrays.npz").read_bytes(),
        "a.seg.nrrd": (place / "a.seg.nrrd").read_bytes(),
    }


def scratched(whole: bytes, dice: random.Random) -> bytes:
    """Return a file with a few other letters: most of these get past the first look."""
    raw = bytearray(whole)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(raw))
        raw[at : at + dice.randint(0, 2)] = dice.choice(LETTERS)
    return bytes(raw)


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_mutated_file_of_a_dataset_kills_hangs_or_escapes_a_sentence(
    name: str, sound: dict[str, bytes], tmp_path: Path
) -> None:
    dice = random.Random(f"{SEED} {name}")
    path = tmp_path / name
    others = list(sound.values())
    said: list[str] = []
    pool = ReaderPool(size=1)
    try:
        for number in range(EACH):
            whole = sound[name]
            path.write_bytes(scratched(whole, dice) if number % 3 else mutated(whole, dice.choice(others), dice))
            try:
                pool.call(READERS[name], str(path))
            except MedViewError as error:
                said.append(error.sentence)
    finally:
        pool.close()
    assert len(said) > EACH // 20
    assert [one for one in said if not one.endswith(".") or "\n" in one] == []
    wrong = ("took too long", "brought the reader process down", "damaged or of an unknown kind")
    assert [one for one in said if any(part in one for part in wrong)] == []
