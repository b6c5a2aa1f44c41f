"""Which model says what to label next."""

from __future__ import annotations

from pathlib import Path

from medview.core.errors import AmbiguousError, PackError
from medview.ml.packs import ModelPack
from medview.ml.registry import Registry
from medview.ml.spec import Task
from medview.workspace.models import model_registry, pack_of


def model_for(project: Path, name: str, registry: Registry | None = None) -> ModelPack:
    """Return the model that is meant: the one named, or the only one there is.

    Parameters
    ----------
    project : Path
        Its folder.
    name : str
        ``ID``, ``ID@VERSION`` or the folder of a pack; empty for the model the project trained last and uses.

    Raises
    ------
    PackError
        When there is none.
    AmbiguousError
        When several may be meant.
    """
    if name:
        return pack_of(name)
    packs = choices((), registry or model_registry())
    if not packs:
        raise PackError(f"{project.name} has no model of its own and none is installed; train one, or name one by --model.")
    if len({pack.spec.id for pack in packs}) > 1:
        known = ", ".join(sorted({pack.spec.id for pack in packs}))
        raise AmbiguousError(f"Several models may say what to label next; name one by --model: {known}.")
    return packs[0]


def choices(own: tuple[ModelPack, ...], registry: Registry) -> tuple[ModelPack, ...]:
    """Return the models that can say what they are unsure of: those of the project first, then those installed."""
    every = {pack.digest: pack for pack in (*own, *registry.list())}
    return tuple(pack for pack in every.values() if pack.available and pack.spec.task is not Task.INTERACTIVE)
