"""Which model packs this computer has, and how new ones come in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

from medview.core.errors import PackError
from medview.core.resources import resource_path
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry

_CONVERSION_LIMIT_S = 300


def data_folder() -> Path:
    """Where installed packs and the personal project are kept; ``MEDVIEW_DATA`` moves it."""
    chosen = os.environ.get("MEDVIEW_DATA")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("medview", appauthor=False))


def model_registry() -> Registry:
    """Return the registry of the packs that come with MedView and those the person added."""
    return Registry(resource_path("packs"), data_folder() / "models")


def add_model(source: str | Path, registry: Registry | None = None) -> ModelPack:
    """Install a pack folder or zip, or convert a folder of foreign weights first.

    Foreign weights are read by a child process, so that a hostile file cannot touch this one.

    Raises
    ------
    PackError
        When the source is no pack and no known foreign format, or a checksum is wrong.
    """
    where = registry or model_registry()
    if "://" in str(source):
        raise PackError(f"Models are added from files; download {source} first and give the path of the file.")
    path = Path(source)
    if not path.exists():
        raise PackError(f"There is no file or folder {path}; choose a model pack.")
    if path.suffix.lower() == ".zip" or ((path / "model.json").is_file() and (path / "weights.safetensors").is_file()):
        return where.add(path)
    with tempfile.TemporaryDirectory(prefix="medview-convert-") as folder:
        pack = Path(folder) / "pack"
        _convert(path, pack)
        return where.add(pack)


def _convert(source: Path, target: Path) -> None:
    command = [sys.executable, "-m", "medview.ml.convert", str(source), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CONVERSION_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise PackError(f"Converting {source} took too long and was stopped; the files may be damaged.") from error
    if done.returncode != 0:
        sentence = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
        raise PackError(
            sentence or f"{source} is not a model pack and could not be converted.",
            detail=f"{done.returncode}: {done.stderr}",
        )
