"""What a look at a labelled dataset found, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medview.core.language import _, in_language, plural

if TYPE_CHECKING:
    from medview.io.other_grid import Way
    from medview.workspace.dataset_look import DatasetLook, LookedCase

_MOST_NAMES = 8
_WAYS = {"place": _("Where it lies"), "voxels": _("Voxel by voxel")}


def summary(found: DatasetLook) -> str:
    """Return what was found in a few sentences."""
    count = len(found.cases)
    parts = [plural("{n} image", "{n} images", count).format(n=count)]
    if found.known:
        parts.append(plural("{n} is a case already", "{n} are cases already", found.known).format(n=found.known))
    parts.append(plural("{n} with labels that fit", "{n} with labels that fit", found.labelled).format(n=found.labelled))
    lines = [", ".join(parts) + "."]
    if found.misplaced:
        text = plural(
            "{n} lies on another grid: look and decide.", "{n} lie on another grid: look and decide.", len(found.misplaced)
        )
        lines.append(text.format(n=len(found.misplaced)))
    if found.wrong:
        text = plural("{n} cannot be taken in.", "{n} cannot be taken in.", len(found.wrong))
        lines.append(text.format(n=len(found.wrong)))
    if found.patients:
        lines.append(plural("{n} patient.", "{n} patients.", found.patients).format(n=found.patients))
    if found.splits:
        told = ", ".join(f"{name} {number}" for name, number in sorted(found.splits.items()))
        lines.append(_("Splits: {what}.").format(what=told))
    if found.names:
        most = found.names.most_common(_MOST_NAMES)
        told = ", ".join(f"{name} ({number})" if number else name for name, number in most)
        more = len(found.names) - len(most)
        told += _(" and {n} more").format(n=more) if more > 0 else ""
        lines.append(_("Holds: {what}.").format(what=told))
    return " ".join((*lines, *map(in_language, found.notes)))


def state_of(case: LookedCase, way: Way | None) -> str:
    """Return whether the labels of a case fit, or what was decided about them."""
    if case.misplaced:
        return _WAYS[way.value] if way is not None else _("Another grid: left out")
    if case.problem:
        return _("Left out")
    return _("Yes") if case.labels else _("No labels")
