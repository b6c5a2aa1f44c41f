"""Where a model looked for an answer, and whether that can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medview.core.heat import Heat
from medview.core.language import _


@dataclass(frozen=True, slots=True)
class DeletionCheck:
    """What the score does when parts of the picture are taken away (Petsiuk 2018).

    Attributes
    ----------
    before : float
        The score of the whole picture, 0 to 1.
    parts : tuple of float
        Of the picture, that were taken away, growing.
    hottest, random : tuple of float
        The score without the hottest places, and without as much of it elsewhere (mean of several places), one per part.
    """

    before: float
    parts: tuple[float, ...]
    hottest: tuple[float, ...]
    random: tuple[float, ...]

    @property
    def advantage(self) -> float:
        """How much further the score falls without the hottest places, as a mean over the parts; below 0 not at all."""
        return float(np.mean(np.subtract(self.random, self.hottest)))

    @property
    def holds(self) -> bool:
        """Whether the hottest places matter more than others."""
        return self.advantage > max(0.01, 0.02 * self.before)

    def sentence(self) -> str:
        """Return it in words, with the part at which the two differ most."""
        at = int(np.argmax(np.subtract(self.random, self.hottest)))
        told = _(
            "Score {before:.2f}; without the hottest {part:.1%} {hottest:.2f}, without as much elsewhere {random:.2f}."
        )
        said = told.format(before=self.before, part=self.parts[at], hottest=self.hottest[at], random=self.random[at])
        return said if self.holds else said + " " + _("These places matter no more than others: do not rely on the map.")


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A heat map for one class or box, with its check.

    Attributes
    ----------
    method : str
        ``gradcam`` or ``occlusion``.
    """

    heat: Heat
    check: DeletionCheck
    method: str
    class_name: str
    seconds: float
