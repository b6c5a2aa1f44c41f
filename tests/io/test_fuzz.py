"""Mutated real files through the application's own path. MEDVIEW_FUZZ_COUNT and MEDVIEW_FUZZ_SEED widen the search."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.core.study import Series, Verdict, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.reader_pool import FILE_TIMEOUT_S, ReaderPool
from medview.io.series_reader import SeriesReader
from tests.helpers.mutate import mutated

pytestmark = pytest.mark.data

COUNT = int(os.environ.get("MEDVIEW_FUZZ_COUNT", "500"))
SEED = int(os.environ.get("MEDVIEW_FUZZ_SEED", "1"))
PER_FOLDER = 50
LARGEST_SEED_FILE = 400_000


def seeds(test_data: Path) -> list[bytes]:
    """Small real files of every kind, the already hostile among them."""
    folders = ("pydicom-testfiles", "hostile", "transfer-syntaxes", "seg-highdicom", "nrrd-image-label")
    paths = [path for folder in folders for path in sorted((test_data / folder).rglob("*")) if path.is_file()]
    return [path.read_bytes() for path in paths if 100 < path.stat().st_size < LARGEST_SEED_FILE]


def sentence_or_none(reader: SeriesReader, series: Series, entry: VolumeEntry) -> str:
    """Open a volume whole; the sentence when it cannot be opened at all."""
    try:
        reader.fill(reader.begin(series, entry), 0, Inline())
    except MedViewError as error:
        return error.sentence
    return ""


def test_no_mutated_file_kills_hangs_or_escapes_a_sentence(test_data: Path, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    originals = seeds(test_data)
    pool = ReaderPool(size=2)
    opened_count, refused = 0, 0
    try:
        for batch in range(-(-COUNT // PER_FOLDER)):
            folder = tmp_path / str(batch)
            folder.mkdir()
            for number in range(min(PER_FOLDER, COUNT - batch * PER_FOLDER)):
                content = mutated(dice.choice(originals), dice.choice(originals), dice)
                (folder / f"{number:04d}.dcm").write_bytes(content)
            began = time.monotonic()
            found = scan(folder, Inline(), pool)
            refused += len(found.damaged)
            assert all("\n" not in damaged.reason and damaged.reason for damaged in found.damaged)
            reader = SeriesReader(pool)
            for series in found.series:
                for entry in series.volumes:
                    if entry.verdict is Verdict.REFUSED or entry.size_bytes > 1 << 28:
                        continue
                    assert "\n" not in sentence_or_none(reader, series, entry)
                    opened_count += 1
            assert time.monotonic() - began < PER_FOLDER * FILE_TIMEOUT_S
        assert opened_count > COUNT // 20
        assert refused > COUNT // 20
    finally:
        pool.close()
