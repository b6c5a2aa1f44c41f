"""What is dropped on the window: pictures are opened, models installed."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from medview.core.job import JobContext
from medview.core.language import _
from medview.workspace.jobs import Job, Lane, Outcome
from medview.workspace.operations.files import add_model
from medview.workspace.operations.open import open_path
from medview.workspace.workspace import Workspace

_SIGNS = (("model.json",), ("plans.json", "dataset.json"), ("configs/metadata.json",))
"""Files that together mark a model: packs and layers of brainchop, trained folders of nnU-Net, bundles of MONAI."""

_MOST_NAMES = 20_000
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class LookIntoZip:
    """Request: whether a zip holds a model. Only names are read; nothing is unpacked."""

    path: Path

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Looking into {name}").format(name=self.path.name)

    @property
    def lane(self) -> Lane:
        """Reading."""
        return Lane.READ

    def run(self, context: JobContext) -> bool:
        """Look."""
        try:
            with zipfile.ZipFile(self.path) as zipped:
                infos = zipped.infolist()
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
            # Whoever opens it as pictures says what is wrong with it.
            return False
        return len(infos) <= _MOST_NAMES and _marked({info.filename for info in infos})


def open_dropped(workspace: Workspace, path: Path) -> Job:
    """Install a folder or zip that holds a model; open anything else."""
    if path.is_dir():
        return add_model(workspace, path) if _is_model(path) else open_path(workspace, path)
    if path.suffix.lower() != ".zip":
        return open_path(workspace, path)

    def done(value: object) -> None:
        if value is True:
            add_model(workspace, path)
        else:
            open_path(workspace, path)

    return workspace.runner.submit(LookIntoZip(path), Outcome(done, failed=workspace.report))


def _is_model(folder: Path) -> bool:
    """Whether a folder holds a model, or is above a training of nnU-Net: names that nnU-Net gives are followed."""
    below = [trained for above in ("", "Dataset*/") for trained in folder.glob(f"{above}*__*__*")]
    return any(all((one / name).is_file() for name in sign) for one in (folder, *below) for sign in _SIGNS)


def _marked(names: Collection[str]) -> bool:
    """Whether a sign of a model stands at the top of an archive or in one of its first folders."""
    folders = {
        "",
        *("/".join(name.split("/")[:n]) + "/" for name in names for n in range(1, _DEPTH + 1) if name.count("/") >= n),
    }
    return any(all(f"{folder}{name}" in names for name in sign) for folder in folders for sign in _SIGNS)
