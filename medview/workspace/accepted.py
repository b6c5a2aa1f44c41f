"""What accepting a proposal came to, in words for the person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medview.core.label_patch import PIECE_KJI
from medview.core.language import _
from medview.core.prediction import PredictedMask, PredictedSegment
from medview.core.segmentation import Segment, Segmentation
from medview.core.volume import Volume
from medview.edit.hindrance import hindrances
from medview.edit.rules import EditRules
from medview.edit.segments import new_segment
from medview.workspace.rule_words import why_nothing


@dataclass(slots=True)
class Accepted:
    """What became of the classes of a proposal and of what else is in it.

    Attributes
    ----------
    taken : list of str
        Names of what the labels hold now.
    joined : dict of str to str
        By class, the segment that was there already and holds it, too, now.
    kept_out : list of str
        Names of classes that rules, a lock or a confirmed absence kept out; they stay proposed.
    why : str
        One sentence, of the first of them.
    values : set of int
        Of the classes kept out.
    """

    taken: list[str] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)
    kept_out: list[str] = field(default_factory=list)
    why: str = ""
    values: set[int] = field(default_factory=set)

    def keep_out(self, predicted: PredictedSegment, why: str) -> None:
        """Say that a class was kept out."""
        self.kept_out.append(predicted.name)
        self.values.add(predicted.value)
        self.why = self.why or why

    def text(self, whole: str) -> str:
        """Return what a person is told; ``whole`` where all was taken as it was proposed."""
        names = ", ".join(self.kept_out)
        if self.kept_out and not self.taken:
            return self.why or _("Nothing was taken over: the rules keep {names} out.").format(names=names)
        parts = [whole]
        if self.joined:
            # Once for each segment that was there.
            parts.append(_("{name} was there already and holds both now.").format(name=", ".join({*self.joined.values()})))
        if self.kept_out:
            parts.append(_("{names} is kept out by the rules and stays proposed.").format(names=names))
        return " ".join(parts)


def why_kept_out(
    segmentation: Segmentation,
    mask: PredictedMask,
    predicted: PredictedSegment,
    into: Segment | None,
    rules: EditRules,
    volume: Volume,
) -> str:
    """Return why nothing of a class was let in, judged by the first piece that tells; empty where all is held already.

    Parameters
    ----------
    into : Segment or None
        Where it was to go; None for a new segment.
    """
    into = into or new_segment(segmentation, predicted.name)
    for box in mask.box.pieces(PIECE_KJI):
        held = np.asarray(mask.voxels[box.within(mask.box).slices] == predicted.value)
        if held.any() and (found := hindrances(segmentation, into, box, held, rules, volume)):
            return why_nothing(found, predicted.name, rules, volume)
    return ""
