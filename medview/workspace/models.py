"""Which model packs this computer has, and how new ones come in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

import medview
from medview.core.errors import PackError
from medview.core.job import Inline, JobContext
from medview.core.resources import resource_path
from medview.ml.packs import ModelPack, looks_like_pack
from medview.ml.registry import Registry

if TYPE_CHECKING:
    from medview.ml.download import Address

_CONVERSION_LIMIT_S = 300

_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
)
"""Variables a Python with torch needs to start."""


def data_folder() -> Path:
    """Where installed packs and the personal project are kept; ``MEDVIEW_DATA`` moves it."""
    chosen = os.environ.get("MEDVIEW_DATA")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("medview", appauthor=False))


def model_registry() -> Registry:
    """Return the registry of the packs that come with MedView and those the person added."""
    return Registry(resource_path("packs"), data_folder() / "models")


def add_model(
    source: str | Path | Address, registry: Registry | None = None, context: JobContext | None = None
) -> ModelPack:
    """Install a pack folder or zip, or convert a folder or zip of foreign weights first; a web address is fetched before.

    Foreign weights are read by a child process, so that a hostile file cannot touch this one. What was fetched is kept
    until it is installed, so that a broken download is gone on with.

    Parameters
    ----------
    source : str, Path or Address
        An ``https://`` address may carry its checksum: ``...zip#sha256=<64 hexadecimal digits>``.

    Raises
    ------
    PackError
        When the source is no pack and no known foreign format, cannot be had, or a checksum is wrong.
    CancelledError
        When the job was cancelled.
    """
    where = registry or model_registry()
    if not isinstance(source, Path) and (not isinstance(source, str) or "://" in source):
        return _fetched(source, where, context or Inline())
    path = Path(source)
    if not path.exists():
        raise PackError(f"There is no file or folder {path}; choose a model pack.")
    return _installed(path, where)


def _installed(path: Path, registry: Registry) -> ModelPack:
    if looks_like_pack(path):
        return registry.add(path)
    with tempfile.TemporaryDirectory(prefix="medview-convert-") as folder:
        pack = Path(folder) / "pack"
        _convert(path, pack)
        return registry.add(pack)


def _fetched(source: str | Address, registry: Registry, context: JobContext) -> ModelPack:
    # Connections and certificates take a while to import; the window is on screen before anybody needs them.
    from medview.ml.download import Address, download

    address = Address.parse(source) if isinstance(source, str) else source
    path = download(address, data_folder() / "downloads", context)
    try:
        return _installed(path, registry)
    finally:
        path.unlink(missing_ok=True)


def _convert(source: Path, target: Path) -> None:
    # -P: no module is ever looked for in the working folder, which could be the foreign one.
    command = [sys.executable, "-P", "-s", "-m", "medview.ml.convert", str(source.absolute()), str(target)]
    room = target.parent
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CONVERSION_LIMIT_S,
            check=False,
            cwd=room,
            env=_bare_environment(room),
        )
    except subprocess.TimeoutExpired as error:
        raise PackError(f"Converting {source} took too long and was stopped; the files may be damaged.") from error
    if done.returncode != 0:
        # Any other code is a crash, whose last line is no sentence.
        told = done.stderr.strip().splitlines() if done.returncode == 1 else []
        sentence = told[-1] if told else ""
        raise PackError(
            sentence or f"{source} is not a model pack and could not be converted.",
            detail=f"{done.returncode}: {done.stderr}",
        )


def _bare_environment(room: Path) -> dict[str, str]:
    """Return the environment of the converting process: where its code lies and where it may write, and no secrets."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    code = str(Path(medview.__file__).resolve().parents[1])
    here = str(room)
    return {**kept, "PYTHONPATH": code, "HOME": here, "USERPROFILE": here, "TMPDIR": here, "TEMP": here, "TMP": here}
