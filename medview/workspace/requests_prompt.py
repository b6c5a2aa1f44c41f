"""Request: find one object from its prompts."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.job import JobContext
from medview.core.language import _
from medview.core.prompt import Prompt
from medview.core.prompt_log import NOTHING, HeldVoxels, PromptLog
from medview.core.segmentation import Segment, Segmentation, SegmentRole
from medview.core.volume import Volume
from medview.edit.prompted_growth import grow_from_prompts
from medview.ml.packs import ModelPack
from medview.ml.runners.quiet_import import import_torch
from medview.workspace.jobs import Lane

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """What other segments hold, read while the job runs; what it found is thrown away where labels moved on meanwhile.

    Attributes
    ----------
    layers : tuple
        Voxels of each layer and the values in it that are others'.
    """

    layers: tuple[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]], ...] = ()

    @classmethod
    def than(cls, segmentation: Segmentation, segment: Segment | None) -> Others:
        """Return what all segments but one hold; those that lie over the others (unsure) hold nothing of their own."""
        found = []
        for layer_id, layer in sorted(segmentation.layers.items()):
            values = [
                s.value
                for s in segmentation.segments
                if s.layer_id == layer_id and s is not segment and s.role is not SegmentRole.IGNORE
            ]
            if values and layer.index.total:
                found.append((layer.voxels, np.asarray(values, dtype=np.uint8)))
        return cls(tuple(found))

    def taken(self, box: Box) -> Mask | None:
        """Return which voxels of a box others hold; None where none are."""
        whole: Mask | None = None
        for voxels, values in self.layers:
            part = voxels[box.slices]
            if part.any():
                held = np.isin(part, values)
                whole = held if whole is None else whole | held
        return whole


def grow_first(volume: Volume, prompt: Prompt, context: JobContext) -> HeldVoxels:
    """Return what growing makes of one prompt alone, wherever other segments are; some models look at that."""
    return grow_from_prompts(volume, [prompt], NOTHING, lambda _box: None, context)


@dataclass(frozen=True, slots=True, eq=False)
class FindObject:
    """Request: what a segment holds by its prompts. A model without a pack grows.

    Attributes
    ----------
    log : PromptLog
        With the prompts that count.
    """

    volume: Volume
    log: PromptLog
    others: Others
    pack: ModelPack | None = None
    device: str = "auto"

    @property
    def title(self) -> str:
        """What the person reads."""
        return _("Growing from prompts") if self.pack is None else _("Asking {name}").format(name=self.pack.spec.name)

    @property
    def lane(self) -> Lane:
        """Models wait for each other; growing is what a person waits for while drawing."""
        return Lane.EDIT if self.pack is None else Lane.MODEL

    def run(self, context: JobContext) -> HeldVoxels:
        """Find it in a worker; torch is imported here, not in the window."""
        log = self.log
        if not log.prompts:
            return log.base
        if self.pack is None:
            return grow_from_prompts(self.volume, log.prompts, log.base, self.others.taken, context)
        import_torch()
        find: Callable[..., object] = importlib.import_module("medview.ml.runners.interactive").find_object
        found = find(self.pack, self.volume, log.prompts, log.base, context, self.device, grow_first)
        if not isinstance(found, HeldVoxels):
            raise TypeError(f"a runner returned {type(found).__name__}")
        return found
