"""Mutated real files through the readers, as the window and the command line use them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.core.study import Series, Verdict, VolumeEntry
from medview.io.dicom.scan import scan
from medview.io.reader_pool import FILE_TIMEOUT_S, ReaderPool
from medview.io.series_reader import SeriesReader
from tests.fuzz.folders import COUNT, LARGEST_OPENED_BYTES, SEED, mutated_folders, seeds

pytestmark = [pytest.mark.data, pytest.mark.timeout(300 + COUNT)]

MOST_DEATHS = COUNT // 500
"""Native decoders may abort on a file, which is what reader processes are for; often would be a missing check."""


def sentences(reader: SeriesReader, series: Series, entry: VolumeEntry) -> list[str]:
    """Open a volume whole; what is said of its slices, or of all of it."""
    try:
        return [report.reason for report in reader.fill(reader.begin(series, entry), 0, Inline())]
    except MedViewError as error:
        return [error.sentence]


def test_no_mutated_file_kills_hangs_or_escapes_a_sentence(test_data: Path, tmp_path: Path) -> None:
    pool = ReaderPool(size=min(2, os.cpu_count() or 1))
    opened_count, refused, longest = 0, 0, 0.0
    said: list[str] = []
    try:
        for folder, _ in mutated_folders(seeds(test_data), tmp_path, COUNT, SEED):
            found = scan(folder, Inline(), pool)
            refused += len(found.damaged)
            said += [damaged.reason for damaged in found.damaged]
            reader = SeriesReader(pool)
            for series in found.series:
                for entry in series.volumes:
                    if entry.verdict is Verdict.REFUSED or entry.size_bytes > LARGEST_OPENED_BYTES:
                        continue
                    began = time.monotonic()
                    said += sentences(reader, series, entry)
                    longest = max(longest, time.monotonic() - began)
                    opened_count += 1
    finally:
        pool.close()
    assert opened_count > COUNT // 20
    assert refused > COUNT // 20
    assert all(sentence and sentence.endswith((".", ")")) and "\n" not in sentence for sentence in said)
    assert longest < FILE_TIMEOUT_S
    assert [sentence for sentence in said if "took too long" in sentence] == []
    deaths = [sentence for sentence in said if "brought the reader process down" in sentence]
    assert len(deaths) <= MOST_DEATHS, deaths
