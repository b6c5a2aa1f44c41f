"""Files made to bring a parser or decoder down are refused at once, without memory, in one sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from medview.core.errors import MedViewError
from medview.core.job import Inline
from medview.core.study import Series, Verdict
from medview.io.dicom.scan import scan
from medview.io.reader_pool import ReaderPool
from medview.io.series_reader import SeriesReader
from tests.helpers import attacks
from tests.helpers.dicom_series import write_ct
from tests.helpers.timing import allowed_s

MOST_SECONDS = 1.0
MOST_MEGABYTES = 200
LARGEST_OPENED_BYTES = 1 << 28

STRUCTURES = attacks.structures()
CODESTREAMS = attacks.lying_codestreams()


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(size=1)
    pool.call(len, "warm")
    yield pool
    pool.close()


def peak_megabytes(pool: ReaderPool) -> int:
    """The most memory the one reader process ever had."""
    (pid,) = pool.process_ids()
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


def opened(pool: ReaderPool, found: tuple[Series, ...]) -> list[str]:
    """Open every series there is; the sentences it came to."""
    said: list[str] = []
    reader = SeriesReader(pool)
    for series in found:
        for entry in series.volumes:
            if entry.verdict is Verdict.REFUSED or entry.size_bytes > LARGEST_OPENED_BYTES:
                continue
            try:
                said += [report.reason for report in reader.fill(reader.begin(series, entry), 0, Inline())]
            except MedViewError as error:
                said.append(error.sentence)
    return said


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the memory of a process")
@pytest.mark.parametrize("name", [*STRUCTURES, *CODESTREAMS])
def test_an_attack_costs_less_than_a_second_and_little_memory(pool: ReaderPool, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes({**STRUCTURES, **CODESTREAMS}[name])
    before = peak_megabytes(pool)
    pids = pool.process_ids()
    began = time.monotonic()
    found = scan(path, Inline(), pool)
    said = opened(pool, found.series)
    assert time.monotonic() - began < allowed_s(MOST_SECONDS)
    assert pool.process_ids() == pids, "a reader process was brought down"
    assert peak_megabytes(pool) - before < MOST_MEGABYTES
    said += [damaged.reason for damaged in found.damaged]
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in said)
    if name in CODESTREAMS:
        assert said, "a picture that claims another size than its header was shown"


def test_attacks_among_honest_slices_cost_nothing_but_themselves(tmp_path: Path) -> None:
    write_ct(tmp_path / "study")
    for name, content in {**STRUCTURES, **CODESTREAMS}.items():
        (tmp_path / "study" / name).write_bytes(content)
    readers = ReaderPool(size=2)
    try:
        found = scan(tmp_path / "study", Inline(), readers)
        assert 7 in [series.instances for series in found.series]
        ct = next(series for series in found.series if series.modality == "CT")
        assert ct.volumes[0].shape_kji[0] == 7
        assert SeriesReader(readers).fill(SeriesReader(readers).begin(ct, ct.volumes[0]), 3, Inline()) == []
    finally:
        readers.close()
