"""Everything that was pointed at to find one object, so that any of it can be taken out and the rest done again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medview.core.box import Box
from medview.core.packed_voxels import pack, unpack
from medview.core.prompt import Prompt

Mask = npt.NDArray[np.bool_]

_NOWHERE = Box((0, 0, 0), (0, 0, 0))


@dataclass(frozen=True, slots=True)
class HeldVoxels:
    """The voxels of a segment at one time.

    Attributes
    ----------
    box : Box
        The smallest around them; empty where there are none.
    packed : bytes
        0 or 1 for the voxels of the box, as ``core.packed_voxels`` does.
    """

    box: Box = _NOWHERE
    packed: bytes = b""

    @classmethod
    def of(cls, box: Box, mask: Mask) -> HeldVoxels:
        """Return the voxels of a mask that fills a box of the grid."""
        inner = Box.around(mask)
        if inner is None:
            return cls()
        return cls(inner.shifted(box.min_kji), pack(mask[inner.slices].astype(np.uint8)))

    @property
    def empty(self) -> bool:
        """Whether there are none."""
        return self.box.empty

    def mask(self, box: Box) -> Mask:
        """Return which voxels of a box of the grid belong to them, shape ``box.shape_kji``."""
        found = np.zeros(box.shape_kji, dtype=np.bool_)
        common = self.box.intersection(box)
        if not common.empty:
            held = unpack(self.packed, self.box.shape_kji)
            found[common.within(box).slices] = held[common.within(self.box).slices] != 0
        return found

    @property
    def digest(self) -> str:
        """Equal for equal voxels, in hexadecimal."""
        return _digest(self.box, None if self.empty else unpack(self.packed, self.box.shape_kji))

    @staticmethod
    def digest_of(box: Box, mask: Mask) -> str:
        """Return the digest of the voxels of a mask that fills a box of the grid; quick, since they are not compressed."""
        inner = Box.around(mask)
        return _digest(_NOWHERE, None) if inner is None else _digest(inner.shifted(box.min_kji), mask[inner.slices])


def _digest(box: Box, voxels: npt.NDArray[np.generic] | None) -> str:
    said = hashlib.blake2b(f"{box.min_kji}{box.max_kji}".encode(), digest_size=16)
    # Of the voxels: the compressed bytes may differ between versions of zlib.
    said.update(b"" if voxels is None else np.packbits(voxels.astype(np.bool_, copy=False)).tobytes())
    return said.hexdigest()


NOTHING = HeldVoxels()
"""No voxels."""


@dataclass(frozen=True, slots=True)
class PromptLog:
    """The prompts of one segment. What they come to follows from ``base`` and ``prompts`` alone, whenever it is asked.

    Attributes
    ----------
    engine : str
        What finds the object: ``id@version`` of a model, or empty for growing without one.
    model_sha256 : str
        Checksum of the model's weights, or empty.
    prompts : tuple of Prompt
        In order. Each can be taken out.
    base : HeldVoxels
        What the segment held before the first of them.
    found : str
        Digest of what the segment held after the last of them. It holds something else once a person changed it.
    settled : tuple of Prompt
        Earlier ones. What they found was changed by hand or by something else since, and is a part of ``base``.
    """

    segment_id: str
    engine: str = ""
    model_sha256: str = ""
    prompts: tuple[Prompt, ...] = ()
    base: HeldVoxels = NOTHING
    found: str = ""
    settled: tuple[Prompt, ...] = ()

    def going_on(self, digest: str, held: Callable[[], HeldVoxels], engine: str = "", model_sha256: str = "") -> PromptLog:
        """Return the log that further prompts are added to, for what the segment holds now.

        Where somebody else changed the segment since the last prompt, or another engine is asked, what it holds is taken as
        it is: the prompts so far are settled.

        Parameters
        ----------
        digest : str
            Of what the segment holds.
        held : callable
            Gives it, where it is needed.
        """
        same = (self.engine, self.model_sha256) == (engine, model_sha256)
        if self.prompts and self.found == digest and same:
            return self
        return PromptLog(self.segment_id, engine, model_sha256, (), held(), digest, (*self.settled, *self.prompts))

    def with_prompt(self, prompt: Prompt) -> PromptLog:
        """Return the log with one more."""
        return replace(self, prompts=(*self.prompts, prompt))

    def without(self, prompt_id: str) -> PromptLog:
        """Return the log without one of its prompts that are not settled."""
        return replace(self, prompts=tuple(p for p in self.prompts if p.prompt_id != prompt_id))

    def with_found(self, digest: str) -> PromptLog:
        """Return the log that knows what its prompts came to, by its digest."""
        return replace(self, found=digest)

    def changed_by_hand(self, digest: str) -> bool:
        """Whether a segment holds something else, by its digest, than its prompts found."""
        return bool(self.prompts) and self.found != digest
