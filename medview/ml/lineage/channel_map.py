"""Which channels of a model are which of those its training goes on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medview.ml.lineage.class_map import plain_name
from medview.ml.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """Channels now, in their order.

    Attributes
    ----------
    old : tuple of int or None
        The place of each among the model's channels; None for one it does not have.
    averaged : bool
        Whether nothing is known of which is which: each becomes the mean of all the model has.
    gone : tuple of str
        Of the model, those that are there no longer.
    before : int
        How many channels the model has.
    """

    names: tuple[str, ...]
    old: tuple[int | None, ...]
    averaged: bool
    gone: tuple[str, ...]
    before: int

    @property
    def unchanged(self) -> bool:
        """Whether the network is shown the same channels in the same order."""
        return list(self.old) == list(range(self.before))

    def sentence(self) -> str:
        """Return what happens to the channels; empty where they stay."""
        if self.unchanged:
            return ""
        if self.averaged:
            return f"channels: {', '.join(self.names)}, each begins as the mean of the {self.before} there were"
        new = [name for name, old in zip(self.names, self.old, strict=True) if old is None]
        parts = [f"new: {', '.join(new)}"] if new else []
        parts += [f"gone: {', '.join(self.gone)}"] if self.gone else []
        return f"channels {'; '.join(parts) or 'in another order'}"

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "names": list(self.names),
            "from": list(self.old),
            "averaged": self.averaged,
            "gone": list(self.gone),
            "before": self.before,
        }

    @classmethod
    def of_document(cls, content: Mapping[str, Any]) -> ChannelMap:
        """Inverse of ``document``."""
        names, old, gone = (tuple(content[key]) for key in ("names", "from", "gone"))
        return cls(names, old, bool(content["averaged"]), gone, int(content["before"]))


def map_channels(parent: ModelSpec, names: Sequence[str]) -> ChannelMap:
    """Find each channel among those of a model by its name; by its place where no name fits and they are as many."""
    theirs = [channel.name for channel in parent.input.channels]
    plain = [plain_name(name) for name in theirs]
    old: list[int | None] = []
    for name in names:
        place = plain.index(plain_name(name)) if plain_name(name) in plain else None
        old.append(None if place in old else place)
    averaged = False
    if not any(place is not None for place in old):
        averaged = len(names) != len(theirs)
        old = [None] * len(names) if averaged else list(range(len(names)))
    gone = () if averaged else tuple(name for place, name in enumerate(theirs) if place not in old)
    return ChannelMap(tuple(names), tuple(old), averaged, gone, len(theirs))
