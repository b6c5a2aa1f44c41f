from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.core.errors import MedViewError, ReadError, RefusedError
from medview.core.job import Inline
from medview.io.datasets import npz
from medview.io.datasets.foreign import DatasetRequest
from medview.io.datasets.label_values import label_values
from medview.io.datasets.reading import load_image, load_labels
from medview.io.datasets.table import list_dataset
from medview.io.datasets.unpack import in_arrays, unpack_images
from medview.io.reader_pool import InlinePool
from tests.io.datasets.pictures import save_picture


def test_folders_are_classes_below_folders_of_splits(tmp_path: Path) -> None:
    for place in ("train/ill/p1-a", "train/well/p2-a", "valid/ill/p3-a"):
        save_picture(tmp_path / f"{place}.png")
    found = list_dataset("class-folders", DatasetRequest(tmp_path, patient_from=r"(p\d)-"))
    assert [(case.key, case.patient, case.split) for case in found.cases] == [
        ("train/ill/p1-a.png", "p1", "train"),
        ("train/well/p2-a.png", "p2", "train"),
        ("valid/ill/p3-a.png", "p3", "val"),
    ]
    assert found.label_names == ("ill", "well")
    said = [(answer.label, answer.says, answer.subject) for answer in load_labels(found.cases[1]).answers]
    assert said == [("well", "present", "series"), ("ill", "absent", "series")]


def test_a_class_may_be_called_test_and_a_loose_picture_is_named(tmp_path: Path) -> None:
    for place in ("test/a", "control/b"):
        save_picture(tmp_path / f"{place}.png")
    assert list_dataset("class-folders", DatasetRequest(tmp_path)).label_names == ("control", "test")
    save_picture(tmp_path / "loose.png")
    with pytest.raises(ReadError, match=r"loose\.png lies in no folder of a class"):
        list_dataset("class-folders", DatasetRequest(tmp_path))


def arrays(**more: Any) -> dict[str, Any]:
    random = np.random.default_rng(0)
    usual = {
        "train_images": random.integers(0, 256, (4, 5, 7), dtype=np.uint8),
        "train_labels": np.array([[0], [1], [2], [0]], dtype=np.uint8),
    }
    return usual | more


def test_rows_of_arrays_are_images_with_classes(tmp_path: Path) -> None:
    given = arrays(test_images=np.zeros((1, 5, 7, 3), dtype=np.uint8), test_labels=np.array([1]))
    np.savez_compressed(tmp_path / "my.npz", **given)
    found = list_dataset("medmnist-npz", DatasetRequest(tmp_path, label_values={1: "cyst"}))
    assert found.label_names == ("class 0", "cyst", "class 2")
    assert [case.split for case in found.cases] == ["train"] * 4 + ["test"]
    for row in range(4):
        np.testing.assert_array_equal(load_image(found.cases[row].images[0]).voxels[0], given["train_images"][row])
    assert load_image(found.cases[4].images[0]).colour
    assert [(a.label, a.says) for a in load_labels(found.cases[1]).answers] == [("cyst", "present")]
    assert len({load_image(case.images[0]).series_uid for case in found.cases}) == 5


def test_several_columns_are_findings_of_their_own(tmp_path: Path) -> None:
    labels = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]], dtype=np.uint8)
    np.savez(tmp_path / "my.npz", **arrays(train_labels=labels))
    found = list_dataset("medmnist-npz", DatasetRequest(tmp_path / "my.npz"))
    assert not found.exclusive
    said = {answer.label: answer.says for answer in load_labels(found.cases[0]).answers}
    assert said == {"class 0": "present", "class 1": "absent", "class 2": "present"}


def test_a_large_array_is_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = arrays()
    np.savez_compressed(tmp_path / "my.npz", **given)
    monkeypatch.setattr(npz, "MOST_LABEL_BYTES", 64)
    volume = npz.image_of_row(str(tmp_path / "my.npz"), "train_images", 3)
    np.testing.assert_array_equal(volume.voxels[0], given["train_images"][3])


class _Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('ran')",))


def test_pickles_in_an_array_file_are_never_run(tmp_path: Path) -> None:
    harm = np.empty((4, 1), dtype=object)
    harm[:] = _Harm()
    np.savez(tmp_path / "my.npz", **arrays(train_labels=harm))
    with pytest.raises(RefusedError, match="holds Python objects"):
        list_dataset("medmnist-npz", DatasetRequest(tmp_path))
    with zipfile.ZipFile(tmp_path / "my.npz", "w") as archive:
        archive.writestr("train_images.npy", pickle.dumps(_Harm()))
    with pytest.raises(ReadError, match="has no header"):
        list_dataset("medmnist-npz", DatasetRequest(tmp_path))


def _npy(shape: tuple[int, ...], data: bytes = b"") -> bytes:
    header = repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    "labels",
    [
        _npy((4, 1)),
        _npy((1 << 40, 1)),
        _npy((1 << 30, 1 << 30, 1 << 30)),
        _npy((-4, 1)),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
    ],
)
def test_arrays_that_claim_more_than_they_hold_are_refused(tmp_path: Path, labels: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "my.npz", "w") as archive:
        buffer = io.BytesIO()
        np.save(buffer, arrays()["train_images"])
        archive.writestr("train_images.npy", buffer.getvalue())
        archive.writestr("train_labels.npy", labels)
    with pytest.raises(MedViewError, match=r"my\.npz"):
        list_dataset("medmnist-npz", DatasetRequest(tmp_path))


def test_a_bomb_of_zeros_is_not_unpacked_to_be_listed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "my.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("train_images.npy", "w") as file:
            file.write(_npy((300_000, 1000)))
            for _ in range(300):
                file.write(bytes(1_000_000))
        archive.writestr("train_labels.npy", _npy((300_000_000, 1), bytes(10)))
    with pytest.raises(RefusedError, match="claims 286 MB of labels"):
        list_dataset("medmnist-npz", DatasetRequest(tmp_path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"no zip"])
def test_what_is_no_array_file_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "my.npz").write_bytes(content)
    with pytest.raises(ReadError, match=r"my\.npz"):
        list_dataset("medmnist-npz", DatasetRequest(tmp_path))


def test_images_of_arrays_are_unpacked_into_files_that_open_as_the_same(tmp_path: Path) -> None:
    volumes = np.random.default_rng(1).integers(0, 256, (2, 5, 6, 7), dtype=np.uint8)
    given = arrays(val_images=volumes, val_labels=np.array([0, 1]))
    np.savez_compressed(tmp_path / "my.npz", **given)
    packed = list_dataset("medmnist-npz", DatasetRequest(tmp_path))
    assert in_arrays(packed)
    found = unpack_images(packed, tmp_path / "images", Inline(), InlinePool())
    assert not in_arrays(found)
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == [
        *(f"train-{n}.png" for n in range(4)),
        "val-0.nii.gz",
        "val-1.nii.gz",
    ]
    for before, after in zip(packed.cases, found.cases, strict=True):
        np.testing.assert_array_equal(load_image(before.images[0]).voxels, load_image(after.images[0]).voxels)
        assert (before.labels, before.split) == (after.labels, after.split)
    assert load_labels(found.cases[0]).answers == load_labels(packed.cases[0]).answers
    again = unpack_images(packed, tmp_path / "elsewhere", Inline(), InlinePool())
    assert load_image(again.cases[5].images[0]).series_uid == load_image(found.cases[5].images[0]).series_uid


def test_values_are_named_as_a_person_writes_them() -> None:
    assert label_values("255=LV, 128 = Myo cardium,7=") == {255: "LV", 128: "Myo cardium", 7: ""}
    assert label_values("") == {}
    for wrong in ("LV=255", "1=a,1=b", "1", "-1=a", f"{1 << 40}=a"):
        with pytest.raises(ReadError, match="--label-values"):
            label_values(wrong)
