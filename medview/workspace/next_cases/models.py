"""Which model says what to label next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medview.core.errors import AmbiguousError, PackError
from medview.ml.packs import ModelPack
from medview.ml.spec import Task
from medview.store.project import Project
from medview.workspace.model_line import ModelLines
from medview.workspace.models import model_registry, pack_of


def model_for(project: Path, name: str) -> ModelPack:
    """Return the model that is meant.

    Parameters
    ----------
    project : Path
        Its folder.
    name : str
        ``ID``, ``ID@VERSION`` or the folder of a pack; empty for the one the project trained and uses, and where it has
        none of its own for the only one that is installed.

    Raises
    ------
    PackError
        When there is none.
    AmbiguousError
        When several may be meant.
    """
    if name:
        return pack_of(name)
    with Project.open(project, read_only=True) as opened:
        own = usable(ModelLines(opened).packs())
    packs = own or usable(model_registry().list())
    if not packs:
        raise PackError(f"{project.name} has no model of its own and none is installed; train one, or name one by --model.")
    if len({pack.spec.id for pack in packs}) > 1:
        known = ", ".join(sorted({str(pack.folder) if own else pack.spec.id for pack in packs}))
        raise AmbiguousError(f"Several models may say what to label next; name one by --model: {known}.")
    return packs[0]


def usable(packs: Sequence[ModelPack]) -> tuple[ModelPack, ...]:
    """Return the models that can say what they are unsure of, each once."""
    every = {pack.digest: pack for pack in packs}
    return tuple(pack for pack in every.values() if pack.available and pack.spec.task is not Task.INTERACTIVE)
