"""What became of a parent's weights, for people and programs: ``RUN/borrowed.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medview.ml.lineage.channel_map import ChannelMap
from medview.ml.lineage.class_map import ClassMap
from medview.ml.lineage.rung import Rung, Tune
from medview.ml.training.finetune.carry import Carried

SHOWN = 4
"""Names of weights in the sentence."""

_WORDS = {
    Rung.HEAD: "the head",
    Rung.DECODER: "the decoder",
    Rung.ALL: "everything, the encoder slowly",
    Rung.ADAPTERS: "the head, the norms and adapters in the kernels",
}


@dataclass(frozen=True, slots=True)
class BorrowedReport:
    """What a training begins with.

    Attributes
    ----------
    parent, title : str
        The model as ``id@version``, and for people.
    members : int
        How many weights the model averages; the first of them is what the training begins with.
    trained, of : int
        Numbers that learn, and all there are (of adapters those that come on top).
    """

    parent: str
    title: str
    carried: Carried
    classes: ClassMap
    channels: ChannelMap
    tune: Tune
    members: int
    trained: int
    of: int

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        carried = self.carried
        return {
            "parent": self.parent,
            "taken": len(carried.taken),
            "adapted": list(carried.adapted),
            "heads": list(carried.heads),
            "fresh": list(carried.fresh),
            "unused": list(carried.unused),
            "classes": self.classes.document(),
            "gone": list(self.classes.gone),
            "channels": self.channels.document(),
            "members": self.members,
            **self.tune.document(),
            "trained": self.trained,
            "of": self.of,
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """Return it in a sentence."""
        carried = self.carried
        said = [f"{len(carried.taken)} weights as they are"]
        if self.members > 1:
            said.append(f"those of the first of its {self.members} networks")
        if carried.heads:
            said.append(f"rows of the head by class ({'; '.join(self.classes.sentence_parts()) or 'in another order'})")
        if words := self.channels.sentence():
            said.append(words)
        if carried.fresh:
            more = "" if len(carried.fresh) <= SHOWN else f" and {len(carried.fresh) - SHOWN} more"
            said.append(f"anew: {', '.join(carried.fresh[:SHOWN])}{more}")
        return f"Begins with {self.title}: {', '.join(said)}. {self._learns()}"

    def _learns(self) -> str:
        what = _WORDS[self.tune.rung]
        if self.tune.rung is Rung.HEAD and self.tune.stages:
            what += " and the last stage of the decoder"
        if self.tune.frozen:
            what += f", for {min(self.tune.frozen, 1.0):.0%} of the steps the head alone"
        return f"What learns: {what} ({self.trained:,} of {self.of:,} weights)."
