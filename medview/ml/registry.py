"""Which model packs there are, and which fit an open series."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medview.core.atomic import write_error
from medview.core.errors import PackError
from medview.core.geometry import Calibration, Geometry
from medview.ml.packs import ModelPack, copy_pack, load_pack, unpack
from medview.ml.spec import MODEL_FILE, ModelSpec, Task

LEAST_SLICES = 2
"""A 3-D model needs at least these; one image has no third dimension."""

_log = logging.getLogger("medview.models")


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a model may run on a series; ``reason`` is for the person, also where it may but something is unsure."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DamagedPack:
    """An installed pack that cannot be read, and why."""

    path: Path
    reason: str


class Registry:
    """The packs that come with MedView and those the person added.

    Parameters
    ----------
    bundled : Path
        Folder of pack folders, read-only.
    user : Path
        Folder of added packs; made when the first one is added. Its sub-folders are named after checksums computed here, so
        that nothing a pack says becomes part of a path.
    """

    def __init__(self, bundled: Path, user: Path) -> None:
        self._bundled = bundled
        self._user = user
        self._read: dict[Path, tuple[int, ModelPack]] = {}
        self._held: tuple[ModelPack, ...] = ()
        self._older: tuple[ModelPack, ...] = ()
        self.damaged: tuple[DamagedPack, ...] = ()

    def hold(self, packs: Sequence[ModelPack], older: Sequence[ModelPack] = ()) -> None:
        """List packs that are kept elsewhere as well, in place of those held before: the versions of the open project.

        Parameters
        ----------
        packs : sequence of ModelPack
            Those that count.
        older : sequence of ModelPack
            Those that do not: nobody is offered them, but what one of them was asked, or has found, stays its own.
        """
        self._held, self._older = tuple(packs), tuple(older)

    def list(self) -> list[ModelPack]:
        """Return all readable packs by name, newest version first; unreadable ones are in ``damaged``."""
        return [*self._listed(self._held)]

    def _listed(self, held: Sequence[ModelPack] = ()) -> tuple[ModelPack, ...]:
        packs: dict[str, ModelPack] = {pack.digest: pack for pack in held}
        damaged = []
        for root, bundled in ((self._bundled, True), (self._user, False)):
            for folder in sorted(root.iterdir()) if root.is_dir() else []:
                if folder.name.startswith("."):
                    continue
                try:
                    if folder.is_dir():
                        pack = self._load(folder, bundled=bundled)
                        packs.setdefault(pack.digest, pack)
                except PackError as error:
                    _log.warning("%s: %s %s", folder.name, error.sentence, error.detail)
                    damaged.append(DamagedPack(folder, error.sentence))
                except Exception:  # noqa: BLE001 - whatever one folder holds, the other packs are listed.
                    _log.warning("%s cannot be read", folder.name, exc_info=True)
                    damaged.append(DamagedPack(folder, f"{folder.name} cannot be read as a model pack; remove it."))
        self.damaged = tuple(damaged)
        newest_first = sorted(packs.values(), key=lambda p: version_key(p.spec.version), reverse=True)
        return tuple(sorted(newest_first, key=lambda p: (p.spec.name.casefold(), p.spec.id)))

    def get(self, name: str) -> ModelPack:
        """Return the pack ``id`` (its newest version) or ``id@version``.

        Raises
        ------
        PackError
            When it is not installed.
        """
        wanted, _, version = name.partition("@")
        packs = self.list()
        for pack in packs:
            if pack.spec.id == wanted and version in ("", pack.spec.version):
                return pack
        for pack in self._older:
            if pack.spec.key == name:
                return pack
        known = ", ".join(sorted({p.spec.id for p in packs})) or "none"
        raise PackError(f"There is no model {name[:80]} here (installed: {known}).")

    def add(self, path: Path) -> ModelPack:
        """Install a pack from a folder or zip. Adding the same pack again changes nothing.

        Raises
        ------
        PackError
            When the pack is damaged, or another pack already has its id and version.
        WriteError
            When the models' folder cannot be written.
        """
        if not path.is_dir() and not path.is_file():
            raise PackError(f"There is no file or folder {path.name}; choose a model pack.")
        try:
            self._user.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._user, prefix=".adding-") as made:
                source = path
                if path.is_file():
                    source = Path(made) / path.stem
                    source.mkdir()
                    unpack(path, source)
                # What is checked is the copy that will be used, so the source cannot change in between.
                # It keeps the name the person chose, which sentences about it tell.
                fresh = Path(made) / "checked" / source.resolve().name
                copy_pack(load_pack(source, verify=False), fresh)
                return self._keep(load_pack(fresh))
        except OSError as error:
            raise write_error(self._user / "pack", error) from error

    def remove(self, name: str) -> None:
        """Remove the pack ``get`` would return.

        Raises
        ------
        PackError
            When it is not installed or came with MedView.
        WriteError
            When it cannot be deleted.
        """
        pack = self.get(name)
        if pack.bundled:
            raise PackError(f"{pack.spec.name} comes with MedView and stays; only added models can be removed.")
        if pack.folder.parent != self._user:
            raise PackError(f"{pack.spec.name} is a version of the open project and stays; roll the project back instead.")
        try:
            # Renamed first: a half-deleted pack must not be listed.
            gone = pack.folder.rename(pack.folder.with_name(f".removed-{pack.folder.name}"))
            shutil.rmtree(gone)
        except OSError as error:
            raise write_error(pack.folder, error) from error

    def _keep(self, pack: ModelPack) -> ModelPack:
        for other in self._listed():
            if other.digest == pack.digest:
                return other
            if other.spec.key == pack.spec.key:
                raise PackError(
                    f"Another pack is already installed as {pack.spec.key}; remove that one or ask for a new version."
                )
        folder = self._user / pack.digest[:32]
        if folder.exists():
            # A damaged copy of the same pack: list() did not return it.
            shutil.rmtree(folder)
        pack.folder.rename(folder)
        return load_pack(folder, verify=False)

    def _load(self, folder: Path, *, bundled: bool) -> ModelPack:
        try:
            changed = (folder / MODEL_FILE).stat().st_mtime_ns
        except OSError:
            changed = -1
        known = self._read.get(folder)
        if known is None or known[0] != changed:
            known = changed, load_pack(folder, bundled=bundled, verify=False)
            self._read[folder] = known
        return known[1]


def fits(spec: ModelSpec, modality: str, geometry: Geometry, unit: str, colour: bool, channel: int = 0) -> Fit:
    """Say whether a model may be given a series, and why not.

    Parameters
    ----------
    modality : str
        DICOM modality; empty where the file states none (NIfTI, NRRD), which any model accepts with a remark.
    unit : str
        Unit of the series' values; empty where the file states none.
    channel : int
        Which of the model's channels it is to be.
    """
    name, wanted = spec.name, spec.input.channels[channel]
    if spec.input.several:
        name = f"{name} ({wanted.name})"
    # What is for any kind of picture was trained on their brightness where they are in colour.
    brightness = colour and not spec.input.colour
    if brightness and (wanted.modality or spec.task is Task.INTERACTIVE or spec.input.several):
        return Fit(False, f"{name} takes grey images; this one is in colour.")
    if geometry.calibration not in _calibrations(spec) or geometry.shape_kji[0] < _least_slices(spec):
        if geometry.shape_kji[0] < LEAST_SLICES or geometry.calibration is Calibration.PIXELS:
            return Fit(False, f"{name} needs a volume; this is a single image or has no millimetres.")
        return Fit(False, f"{name} needs a volume with even slice distances; this series is only a stack.")
    if modality and wanted.modality and modality not in wanted.modality:
        return Fit(False, f"{name} is for {' or '.join(wanted.modality)}; this series is {modality}.")
    if wanted.unit and unit != wanted.unit and (modality or unit):
        return Fit(False, f"{name} needs values in {wanted.unit}; this series has {unit or 'numbers without a unit'}.")
    if not modality and wanted.modality:
        unsure = f"values in {wanted.unit}" if wanted.unit else "nothing else"
        return Fit(True, f"The file does not say what it is; {name} expects {' or '.join(wanted.modality)} and {unsure}.")
    return Fit(True, f"{name} looks at the brightness of this picture, not at its colours." if brightness else "")


def looks_as_stored(spec: ModelSpec) -> bool:
    """Whether a model finds objects on the grid of any image as it is: a picture is one slice to it."""
    return spec.task is Task.INTERACTIVE and spec.input.spacing_kji_mm is None and spec.input.orientation is None


def _calibrations(spec: ModelSpec) -> tuple[Calibration, ...]:
    """Return which millimetres are enough: none for a model that looks at slices as they are."""
    wanted, checks = spec.input, spec.input.checks
    in_space = checks.spacing_kji_mm is not None or checks.extent_kji_mm is not None or wanted.several
    in_space |= any(step.op == "remove_small" for step in spec.postprocess)
    # Its slices are then made of lines of many stored ones.
    in_space |= wanted.axes[0] != 0
    flat = wanted.dimensions == 2 or looks_as_stored(spec)
    if not flat or wanted.orientation is not None or in_space:
        return (Calibration.VOLUME,)
    if wanted.spacing_kji_mm is None:
        return tuple(Calibration)
    return (Calibration.VOLUME, Calibration.IN_PLANE) if wanted.spacing_kji_mm[0] == 0.0 else (Calibration.VOLUME,)


def _least_slices(spec: ModelSpec) -> int:
    by_slices = spec.input.dimensions == 2 and spec.input.axes[0] == 0
    return 1 if by_slices or looks_as_stored(spec) else LEAST_SLICES


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts versions as people do: 1.10 after 1.9, 1.0 after 1.0-beta."""
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    return (*((1, int(p), "") if p.isdigit() else (-1, 0, p) for p in parts), (0, 0, ""))
