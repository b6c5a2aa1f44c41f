"""The label sets there are: those shipped with MedView and those a person keeps."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from medview.core.changes import Change, Command, SegmentChange
from medview.core.errors import MedViewError
from medview.core.label_set import LabelSet
from medview.core.resources import resource_path
from medview.core.segmentation import Segmentation, SegmentRole, SegmentStatus
from medview.edit.segments import new_segment
from medview.io.label_sets import read_label_set, write_label_set
from medview.workspace.open_case import OpenCase
from medview.workspace.settings import settings_file

_LOG = logging.getLogger("medview.workspace")


@dataclass(frozen=True, slots=True)
class KeptSet:
    """A label set and where it is; ``own`` ones were kept by the person and can be removed."""

    label_set: LabelSet
    path: Path
    own: bool


def own_folder() -> Path:
    """Where a person's label sets are, beside the settings."""
    return settings_file().parent / "label_sets"


def label_sets() -> list[KeptSet]:
    """Return all label sets that can be read, the person's own first; damaged ones are left out and logged."""
    shipped = resource_path("schemas") / "label_sets"
    return [*_in_folder(own_folder(), own=True), *_in_folder(shipped, own=False)]


def keep(label_set: LabelSet) -> KeptSet:
    """Keep a set among the person's own, in place of one of the same name. Raises WriteError."""
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    same = next((k.path for k in _in_folder(folder, own=True) if k.label_set.name == label_set.name), None)
    path = same or _free(folder, label_set.name)
    write_label_set(label_set, path)
    return KeptSet(label_set, path, own=True)


def remove(kept: KeptSet) -> None:
    """Forget one of the person's own sets."""
    if kept.own:
        kept.path.unlink(missing_ok=True)


def apply_label_set(case: OpenCase, label_set: LabelSet, *, by_itself: bool = False) -> int:
    """Add a segment, still to be drawn, for every label of a set whose name is not there yet.

    Parameters
    ----------
    by_itself : bool
        Nobody asked for it: it is no work on the case yet, and nothing to undo.

    Returns
    -------
    int
        How many were added: one command, or none.
    """
    segmentation = case.labels.segmentation
    # Worked out on a stand-in, so that values and colours of the new ones differ too.
    stand_in = Segmentation(segmentation.geometry, segments=list(segmentation.segments))
    changes: list[Change] = []
    for entry in label_set.missing(segmentation.segments):
        segment = replace(
            new_segment(stand_in, entry.name, colour=entry.colour, code=entry.code),
            group=entry.group,
            role=SegmentRole.IGNORE if entry.unsure else SegmentRole.STRUCTURE,
            status=SegmentStatus.TO_DO,
        )
        changes.append(SegmentChange(None, segment, len(stand_in.segments)))
        stand_in.segments.append(segment)
    command = Command(f"Label set {label_set.name}", tuple(changes), "segments")
    if not changes or not (case.note(command) if by_itself else case.do(command)):
        return 0
    if case.active_segment is None:
        case.view.active_segment_id = stand_in.segments[-len(changes)].segment_id
    return len(changes)


def _in_folder(folder: Path, *, own: bool) -> Iterator[KeptSet]:
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            yield KeptSet(read_label_set(path), path, own)
        except MedViewError as error:
            _LOG.warning("a label set was left out: %s", error.sentence)


def _free(folder: Path, name: str) -> Path:
    # Nothing that is typed becomes a path as it is.
    base = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "set"
    numbers = (folder / f"{base}{'' if n == 1 else f'-{n}'}.json" for n in range(1, 10_000))
    return next(path for path in numbers if not path.exists())
