"""Labels that lie on another grid than their image, put there as somebody who looked at a picture decided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from medview.core.errors import OtherGridError
from medview.io.datasets.foreign import FoundLabels, LabelSource
from medview.io.datasets.masks import MaskFile, named_values
from medview.io.imported_labels import Target
from medview.io.other_grid import Way, placings
from medview.io.sniff import Kind, sniff


@dataclass(frozen=True, slots=True)
class PlacedLabels:
    """A label map or a SEG, and how it is put onto the images.

    Attributes
    ----------
    names : tuple of (int, str)
        As in ``MaskFile``.
    """

    path: str
    way: Way
    names: tuple[tuple[int, str], ...] = ()

    def read(self, target: Target) -> FoundLabels:
        """Return the labels where they come down. Raises OtherGridError where they cannot, ReadError."""
        found = next((one for one in placings(self.path, target) if one.way is self.way), None)
        if found is None:
            raise OtherGridError(f"{Path(self.path).name} cannot be put onto these images in this way.")
        labels = found.labels
        if sniff(self.path) is not Kind.DICOM:
            labels = named_values(labels, dict(self.names), Path(self.path).name)
        return FoundLabels(labels.geometry, labels, notes=labels.notes)


def names_in(source: LabelSource) -> tuple[tuple[int, str], ...]:
    """Return the names a source gives the values of its file; none where the file names them itself."""
    return source.names if isinstance(source, MaskFile) else ()
