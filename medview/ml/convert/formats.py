"""The foreign formats that become packs, and what of a zip they are looked for in."""

from __future__ import annotations

import importlib
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

from medview.core.errors import PackError
from medview.ml.convert.unzip import unzip

FORMATS: Mapping[str, str] = {
    "MONAI bundles": "medview.ml.convert.monai_bundle",
    "Brainchop's MeshNets": "medview.ml.convert.brainchop",
    "nnU-Net's trained folders": "medview.ml.convert.nnunet",
}
"""What a person calls it, and the module that converts it, in the order in which they are asked."""


class Converter(Protocol):
    """A module of ``FORMATS``."""

    def recognises(self, source: Path) -> bool:
        """Whether the folder is one of this format, rightly made or not."""

    def convert(self, source: Path, target: Path) -> None:
        """Write the folder as a pack into ``target``, or raise a MedViewError."""


def load_formats() -> list[Converter]:
    """Return the modules of all formats, imported, in the order in which they are asked."""
    return [cast("Converter", importlib.import_module(module)) for module in FORMATS.values()]


def convert(source: Path, target: Path) -> None:
    """Write a foreign folder, or a zip of one, as a pack.

    Raises
    ------
    PackError
        When it is of no known format, or not what that format has to be.
    WriteError
        When the pack cannot be written.
    """
    if source.is_file() and zipfile.is_zipfile(source):
        with tempfile.TemporaryDirectory(prefix="medview-foreign-") as made:
            # It keeps the name the person chose, which sentences about it tell.
            folder = Path(made) / (source.stem or "model")
            unzip(source, folder)
            _convert_folder(folder, target)
        return
    _convert_folder(source, target)


def _convert_folder(source: Path, target: Path) -> None:
    for converter in load_formats():
        if converter.recognises(source):
            converter.convert(source, target)
            return
    raise PackError(f"{source.name} is neither a model pack nor a model MedView can convert ({', '.join(FORMATS)}).")
