"""Mutated segmentations, structure sets and reports through the readers that lay them on a series."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.io.dicom.rtstruct_writer import write_rtstruct
from medview.io.dicom.seg import write_seg
from medview.io.dicom.sr_read import ReportTarget, read_sr
from medview.io.dicom.sr_write import write_sr
from medview.io.label_files import read_labels
from medview.io.load import LoadedVolume, load_volume
from medview.io.reader_pool import ReaderPool
from tests.fuzz.folders import COUNT, SEED
from tests.helpers.dicom_series import asymmetric, write_ct
from tests.helpers.mutate import mutated
from tests.helpers.reports import ACROSS, ON_SLICES, drawn, every_kind, group, save_report, source_of, with_numbers
from tests.helpers.structure_sets import Drawn, around, segmentation_of, structure_set

pytestmark = pytest.mark.timeout(300 + COUNT)

SHAPE = (7, 12, 15)


@pytest.fixture
def ct(tmp_path: Path) -> LoadedVolume:
    write_ct(tmp_path / "ct", asymmetric(SHAPE))
    return load_volume(tmp_path / "ct", None, Inline())


def label_files(ct: LoadedVolume, place: Path) -> list[bytes]:
    """Sound files of ours and of others, small, so that damages hit what matters."""
    volume = ct.volume
    mask = np.zeros(SHAPE, bool)
    mask[1:4, 2:9, 3:11] = True
    mask[2, 4:6, 5:8] = False
    segmentation = segmentation_of(volume, Lung=mask, Other=np.roll(mask, 2, axis=2))
    write_rtstruct(place / "own.dcm", segmentation, ct.entry.frames)
    write_seg(place / "seg.dcm", segmentation, [Path(p) for p in ct.entry.dicom_paths])
    outlines = [around((2, 3), (9, 10), volume, 2), around((4, 5), (6, 8), volume, 2)]
    regions = [
        Drawn("A", outlines, images=volume.sop_instance_uids),
        Drawn("B", [[0, 0, 0]], kind="POINT"),
        Drawn("C", None),
    ]
    structure_set(volume, regions).save_as(place / "other.dcm")
    return [(place / name).read_bytes() for name in ("own.dcm", "other.dcm", "other.dcm", "seg.dcm")]


def reports(ct: LoadedVolume, place: Path) -> list[bytes]:
    for name, table in (("on.dcm", ON_SLICES), ("across.dcm", ACROSS)):
        write_sr(place / name, with_numbers(ct, every_kind(ct.volume.geometry, table)), source_of(ct))
    uid = ct.volume.sop_instance_uids[1]
    save_report(place / "other.dcm", group("Nodule", drawn("CIRCLE", [5, 5, 8, 5], uid)))
    return [(place / name).read_bytes() for name in ("on.dcm", "across.dcm", "other.dcm")]


def scratched(whole: bytes, dice: random.Random) -> bytes:
    """Return a file with a few other bytes and no other lengths: most of these get past the first look."""
    raw = bytearray(whole)
    for _ in range(dice.randint(1, 6)):
        raw[dice.randrange(400, len(raw))] = dice.choice((0, 32, 45, 46, 57, 69, 92, 255, dice.randrange(256)))
    return bytes(raw)


def outcomes(files: Sequence[bytes], path: Path, read: Callable[[ReaderPool], None]) -> tuple[int, list[str]]:
    """Return how many mutated files were read, and what was said of the others."""
    dice = random.Random(SEED)
    done, said = 0, []
    pool = ReaderPool(size=1)
    try:
        for number in range(COUNT):
            whole, other = dice.choice(files), dice.choice(files)
            path.write_bytes(scratched(whole, dice) if number % 2 else mutated(whole, other, dice))
            try:
                read(pool)
                done += 1
            except MedViewError as error:
                said.append(error.sentence)
    finally:
        pool.close()
    return done, said


def check(done: int, said: list[str]) -> None:
    assert done > COUNT // 20
    assert len(said) > COUNT // 20
    assert [s for s in said if not s.endswith((".", ")")) or "\n" in s] == []
    assert [s for s in said if "took too long" in s or "brought the reader process down" in s] == []


def test_no_mutated_structure_set_or_segmentation_kills_hangs_or_escapes_a_sentence(
    ct: LoadedVolume, tmp_path: Path
) -> None:
    path = tmp_path / "mutated.dcm"

    def read(pool: ReaderPool) -> None:
        found = read_labels(path, ct.volume, pool)
        assert found.segments
        assert {layer.shape for layer in found.layers.values()} == {SHAPE}
        assert all(note.endswith(".") and "\n" not in note for note in found.notes)

    check(*outcomes(label_files(ct, tmp_path), path, read))


def test_no_mutated_report_kills_hangs_or_escapes_a_sentence(ct: LoadedVolume, tmp_path: Path) -> None:
    path = tmp_path / "mutated.dcm"
    target = ReportTarget(ct.volume.geometry, source_of(ct).images)

    def read(pool: ReaderPool) -> None:
        found = pool.call(read_sr, str(path), target)
        assert all(np.isfinite(one.measurement.points_lps_mm).all() for one in found.figures)
        assert all(note.endswith(".") and "\n" not in note for note in found.notes)

    check(*outcomes(reports(ct, tmp_path), path, read))
