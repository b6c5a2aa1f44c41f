"""What kind of file bytes are, from their beginning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from medview.core.errors import CancelledError
from medview.core.job import Inline
from medview.io.sniff import Kind, plainly_other, sniff


def test_a_pipe_that_took_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list(plainly_other([str(tmp_path / "pipe")], lambda: None)) in ([], [(str(tmp_path / "pipe"), Kind.EMPTY)])


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
