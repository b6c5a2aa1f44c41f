"""What kind of file bytes are, from their beginning."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import CancelledError
from medview.core.geometry import Geometry
from medview.core.job import Inline
from medview.io.nifti import write_label_map
from medview.io.sniff import Kind, plainly_other, sniff


def test_a_pipe_that_took_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list(plainly_other([str(tmp_path / "pipe")], lambda: None)) in ([], [(str(tmp_path / "pipe"), Kind.EMPTY)])


@pytest.mark.parametrize("level", [1, 5, 9])
def test_a_packed_nifti_is_known_however_badly_its_header_packs(tmp_path: Path, level: int) -> None:
    rng = np.random.default_rng(level)
    voxels = rng.integers(0, 2, (9, 40, 50)).astype(np.uint8)
    write_label_map(tmp_path / "plain.nii", voxels, Geometry((9, 40, 50), np.eye(4)))
    data = bytearray((tmp_path / "plain.nii").read_bytes())
    for start, end in ((4, 39), (148, 252), (328, 344)):  # what other programs may write what they like into
        data[start:end] = rng.integers(0, 256, end - start).astype(np.uint8).tobytes()
    (tmp_path / "packed.nii.gz").write_bytes(gzip.compress(bytes(data), level))
    # What bound the reader before: less of the file than its header.
    assert len(zlib.decompressobj(wbits=31).decompress((tmp_path / "packed.nii.gz").read_bytes()[:352])) < 348
    assert sniff(str(tmp_path / "packed.nii.gz")) is Kind.NIFTI


@pytest.mark.data
def test_first_bytes_say_the_same_in_the_scan_as_in_a_reader(test_data: Path) -> None:
    files = [str(p) for p in sorted((test_data / "pydicom-testfiles").rglob("*")) if p.is_file()]
    files += [str(p) for p in sorted((test_data / "nrrd-image-label").rglob("*")) if p.is_file()]
    others = dict(plainly_other(files, lambda: None))
    assert others
    for file in files:
        kind = sniff(file)
        assert others.get(file, kind) is kind
        # What is packed has to be unpacked to be known, which only readers do.
        packed = Path(file).read_bytes()[:2] == b"\x1f\x8b"
        assert (file in others) == (kind in (Kind.OTHER, Kind.EMPTY, Kind.DICOMDIR) and not packed)


def test_a_scan_of_other_files_can_be_cancelled(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.txt").write_text("text")
    context = Inline()

    def cancel_later() -> None:
        context.cancel()
        context.raise_if_cancelled()

    with pytest.raises(CancelledError):
        list(plainly_other([str(path) for path in tmp_path.iterdir()], cancel_later))
