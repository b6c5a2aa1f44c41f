"""The check of the frozen program, tried on the program of this environment; `make frozen` builds the bundle."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from medview.io.dicom.scan import look_at

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "frozen.py"


@pytest.fixture(scope="module")
def frozen() -> ModuleType:
    spec = importlib.util.spec_from_file_location("frozen", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_study_it_is_tried_on_has_one_damaged_file(frozen: ModuleType, tmp_path: Path) -> None:
    victim = frozen.make_study(tmp_path / "study")
    looks = {path: look_at(str(path)) for path in sorted((tmp_path / "study").iterdir())}
    assert [path for path, look in looks.items() if look.problem] == [victim]  # type: ignore[union-attr]


def test_the_installed_command_passes_what_the_frozen_one_has_to(frozen: ModuleType, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("medview")
    if not program.is_file():
        pytest.skip("the medview command is not installed in this environment")
    frozen.check(program, tmp_path)
