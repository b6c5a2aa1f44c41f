"""Which model packs this computer has, and how new ones come in."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from medview.core.errors import PackError
from medview.core.job import Inline, JobContext
from medview.core.resources import resource_path
from medview.ml.packs import ModelPack, load_pack, looks_like_pack
from medview.ml.registry import Registry
from medview.ml.spec import MODEL_FILE
from medview.workspace.converting import convert_apart
from medview.workspace.project_place import is_project

if TYPE_CHECKING:
    from medview.ml.download import Address


def data_folder() -> Path:
    """Where installed packs and the personal project are kept; ``MEDVIEW_DATA`` moves it."""
    chosen = os.environ.get("MEDVIEW_DATA")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("medview", appauthor=False))


def model_registry() -> Registry:
    """Return the registry of the packs that come with MedView and those the person added."""
    return Registry(resource_path("packs"), data_folder() / "models")


def pack_of(model: str, source: Path | None = None) -> ModelPack:
    """Return an installed pack by its id, or the one in a folder. Raises PackError.

    Parameters
    ----------
    source : Path, optional
        What it is for: of a project its versions are known too, by the name of their line, which is the version that
        counts, ``LINE@VERSION``, or by id and version of the pack.
    """
    folder = Path(model)
    if (folder / MODEL_FILE).is_file():
        return load_pack(folder)
    if source is not None and is_project(source) and (pack := _of_project(model, source)) is not None:
        return pack
    return model_registry().get(model)


def _of_project(model: str, path: Path) -> ModelPack | None:
    # The database library is imported when a project is opened.
    from medview.store.project import Project
    from medview.workspace.model_line import ModelLines, pack_of_version

    name, _at, number = model.rpartition("@") if "@" in model else (model, "", "")
    with Project.open(path, read_only=True) as project:
        lines = ModelLines(project)
        current = {line: lines.current(line) for line in lines.lines()}
        versions = [one for line in current for one in lines.versions(line)]
    if not number and name in current:
        wanted = current[name]
    else:
        # Of one id the version that counts comes before others, and the newest before older ones.
        known = [*(one for one in current.values() if one is not None), *reversed(versions)]
        fits = (one for one in known if (one.line, str(one.version)) == (name, number) or model in (one.key, _id(one.key)))
        wanted = next(fits, None)
    return None if wanted is None else pack_of_version(wanted)


def _id(key: str) -> str:
    return key.partition("@")[0]


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
    return _installed(path, where, context or Inline())


def _installed(path: Path, registry: Registry, context: JobContext) -> ModelPack:
    if looks_like_pack(path):
        return registry.add(path)
    with tempfile.TemporaryDirectory(prefix="medview-convert-") as folder:
        pack = Path(folder) / "pack"
        convert_apart(path, pack, context)
        return registry.add(pack)


def _fetched(source: str | Address, registry: Registry, context: JobContext) -> ModelPack:
    # Connections and certificates take a while to import; the window is on screen before anybody needs them.
    from medview.ml.download import Address, download

    address = Address.parse(source) if isinstance(source, str) else source
    path = download(address, data_folder() / "downloads", context)
    try:
        return _installed(path, registry, context)
    finally:
        path.unlink(missing_ok=True)
