"""How much of a model is learnt on from few cases, and how fast: the ladder of fine-tuning."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from medview.core.errors import ModelError
from medview.ml.recipes.options import count_in, number_in
from medview.ml.recipes.recipe import Recipe

FEW = 3
"""Training cases up to which the lowest rung is taken; docs/training.md has the figures that speak for it."""

ENCODER_RATE = 0.1
"""Rate of what sees the picture first, beside that of the rest."""

NEW_RATE, HEAD_RATE = 2.0, 3.0
"""With new classes: how much faster all of it learns, and the head beside the rest; what begins anew has farther to go."""

RANK = 8
"""Of adapters: how many directions each kernel may change in."""

AUTO = "auto"


class Rung(StrEnum):
    """What learns; everything else stays as the model has it."""

    HEAD = "head"
    """The layers that tell classes apart; with very few cases the last stage of a decoder too."""
    DECODER = "decoder"
    """Everything behind the encoder."""
    ALL = "all"
    """Everything, the encoder more slowly."""
    ADAPTERS = "adapters"
    """The head, the norms, and a change of low rank in every kernel (Hu 2021, arXiv 2106.09685)."""


TUNES = (AUTO, *(rung.value for rung in Rung))


@dataclass(frozen=True, slots=True)
class Tune:
    """How a training goes on from a model.

    Attributes
    ----------
    stages : int
        Of the decoder, how many learn with the head, the finest first.
    encoder_rate : float
        As a share of the rate of the rest.
    new_rate : float
        How many times the rate everything has where there are new classes.
    head_rate : float
        As a share of the rate of the rest, for a head that has new classes.
    frozen : float
        Share of the steps in which only the head learns, whatever the rung.
    rank : int
        Of adapters.
    """

    rung: Rung
    stages: int = 0
    encoder_rate: float = ENCODER_RATE
    new_rate: float = NEW_RATE
    head_rate: float = HEAD_RATE
    frozen: float = 0.0
    rank: int = RANK

    def document(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {**asdict(self), "rung": self.rung.value}

    @classmethod
    def of_document(cls, content: Any) -> Tune:
        """Inverse of ``document``."""
        return cls(**{**content, "rung": Rung(content["rung"])})


def tune_of(recipe: Recipe, cases: int) -> Tune:
    """Return how a recipe goes on from a model with so many training cases.

    Raises
    ------
    ModelError
        When the recipe's options are no such thing.
    """
    options = recipe.options
    wanted = options.get("tune", AUTO)
    if wanted not in TUNES:
        raise ModelError(f"The recipe says {wanted!r} for tune; choose one of {', '.join(TUNES)}.")
    rank = count_in(options, "rank", RANK)
    if rank < 1:
        raise ModelError("The recipe's rank has to be 1 or more; see docs/training.md.")
    few = cases <= FEW
    rung = Rung(str(wanted)) if wanted != AUTO else Rung.HEAD if few else Rung.ALL
    usual = number_in(options, "backbone_rate", ENCODER_RATE)
    return Tune(
        rung,
        1 if few and rung is Rung.HEAD else 0,
        number_in(options, "encoder_rate", usual),
        number_in(options, "new_rate", NEW_RATE),
        number_in(options, "head_rate", HEAD_RATE),
        number_in(options, "frozen", 0.0),
        rank,
    )
