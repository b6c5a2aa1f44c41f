"""Which models a training may begin with, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medview.ml.lineage.class_map import class_names
from medview.ml.packs import ModelPack

if TYPE_CHECKING:
    from medview.workspace.training.outlook import Lesson


@dataclass(frozen=True, slots=True)
class Parent:
    """A model, and how many of the labelled classes it knows."""

    pack: ModelPack
    known: int
    current: bool = False


def parents_for(lesson: Lesson, current: Iterable[ModelPack], installed: Iterable[ModelPack]) -> list[Parent]:
    """Return models a training may begin with: those of the project that count, then others that know most of the classes.

    Models for another task, those this MedView cannot run, and those that know none of the classes are left out.

    Parameters
    ----------
    current : iterable of ModelPack
        Versions of the project's lines that count now.
    installed : iterable of ModelPack
    """
    wanted = {_plain(name) for name in lesson.classes}
    found: dict[str, Parent] = {}
    for packs, counts in ((current, True), (installed, False)):
        for pack in packs:
            if pack.spec.task is not lesson.task or not pack.available:
                continue
            names = class_names(pack.spec)
            known = len(wanted & {_plain(name) for name in names})
            if known or counts or not names:
                found.setdefault(pack.digest, Parent(pack, known, counts))
    return sorted(found.values(), key=lambda one: (not one.current, -one.known, one.pack.spec.name))


def likeliest(parents: Sequence[Parent]) -> Parent | None:
    """Return what a training begins with where nobody says otherwise; None for nothing.

    That knows something of what is labelled, or is the one of the project that knows no classes but what is pointed at.
    """
    fits = (one for one in parents if one.known or (one.current and not class_names(one.pack.spec)))
    return next(fits, None)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
