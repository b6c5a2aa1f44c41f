"""The command line in this process, with folders of its own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medview.__main__ import run
from medview.core.geometry import Geometry
from medview.core.volume import Rescale, Volume
from medview.io.dicom.write_series import SeriesIdentity, write_series


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


Cli = Callable[..., Done]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run ``medview ARGUMENTS`` and return exit code, stdout and stderr."""
    monkeypatch.setenv("MEDVIEW_DATA", str(tmp_path / "user-data"))
    monkeypatch.setenv("MEDVIEW_CONFIG", str(tmp_path / "user-config"))

    def call(*arguments: object) -> Done:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return call


def piped(monkeypatch: pytest.MonkeyPatch, encoding: str, *arguments: object) -> tuple[int, bytes]:
    """Run ``medview ARGUMENTS`` with a stdout of an encoding; return exit code and what was written."""
    written = io.BytesIO()
    with monkeypatch.context() as now, io.TextIOWrapper(written, encoding=encoding) as stdout:
        now.setattr(sys, "stdout", stdout)
        code = run([str(argument) for argument in arguments])
        stdout.flush()
        return code, written.getvalue()


@pytest.fixture
def ct_folder(tmp_path: Path) -> Path:
    """A small anisotropic CT with a bright corner, 7 slices of 10 x 13."""
    return write_ct(tmp_path / "ct", seed="cli")


def write_ct(folder: Path, seed: str) -> Path:
    k, j, i = np.indices((7, 10, 13))
    stored = (1000 + 40 * k + 7 * j + i).astype(np.int16)
    stored[6, 0, 12] = 2000
    geometry = Geometry.from_spacing((7, 10, 13), (5.0, 0.9, 0.6), (-3.0, 4.0, 50.0))
    volume = Volume(stored, geometry, modality="CT", unit="HU", rescale=Rescale(1.0, -1024.0))
    write_series(folder, volume, SeriesIdentity("Phantom^Cli", "CLI-1", series_description="small", seed=seed))
    return folder
