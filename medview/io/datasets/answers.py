"""What an image is said to show as a whole: its class, or several findings each present or absent."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.annotations import ImageLabel
from medview.core.scores import Said
from medview.io.datasets.foreign import FoundLabels
from medview.io.datasets.masks import IMPORTED
from medview.io.imported_labels import Target


@dataclass(frozen=True, slots=True)
class ClassAnswers:
    """The classes of one image.

    Attributes
    ----------
    path : str
        Where it is said, for sentences.
    present, absent : tuple of str
        What it shows, and what it is said not to show.
    """

    path: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def read(self, target: Target) -> FoundLabels:
        """Return the answers as statements about the series."""
        said = [(name, Said.PRESENT) for name in self.present] + [(name, Said.ABSENT) for name in self.absent]
        answers = tuple(
            ImageLabel(f"import-answer-{number}", name, None, IMPORTED, says.value)
            for number, (name, says) in enumerate(said, start=1)
        )
        return FoundLabels(target.geometry, answers=answers)
