from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from medview.cli.output import readers
from medview.core.errors import ReadError
from tests.cli.conftest import Cli
from tests.helpers import reader_tasks as tasks


def test_a_decoder_that_aborts_or_hangs_costs_its_file_and_not_the_command() -> None:
    with readers() as pool:
        with pytest.raises(ReadError, match=r"killer\.dcm could not be read: it brought the reader process down"):
            pool.call(tasks.abort, "killer.dcm")
        with pytest.raises(ReadError, match=r"slow\.dcm could not be read: it took too long"):
            pool.call(tasks.spin, "slow.dcm", timeout_s=0.3)
        assert pool.call(tasks.double, "next.dcm", 2) == 4


def test_no_reader_is_started_before_a_file_is_read_and_none_outlives_the_command(
    cli: Cli, ct_folder: Path, tmp_path: Path
) -> None:
    with readers():
        assert multiprocessing.active_children() == []
    assert cli("render", ct_folder, "--index", 3, "-o", tmp_path / "a.png").code == 0
    assert multiprocessing.active_children() == []
    assert cli("render", ct_folder, "--index", 99, "-o", tmp_path / "b.png").code == 1
    assert multiprocessing.active_children() == []
