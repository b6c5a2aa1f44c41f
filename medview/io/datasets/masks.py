"""Masks of one file: a label map whose values are named by the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medview.core.errors import GeometryError, ReadError
from medview.core.layer_index import LayerIndex
from medview.core.segmentation import COLOUR_CYCLE, Segment
from medview.core.source import Source, SourceKind
from medview.io import pictures
from medview.io.datasets.foreign import FoundLabels
from medview.io.datasets.inside import short_list
from medview.io.imported_labels import ImportedLabels, Target
from medview.io.label_files import from_map, read_on
from medview.io.seg_nrrd import is_seg_nrrd
from medview.io.sniff import Kind, sniff

IMPORTED = Source(SourceKind.IMPORT)


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A NIfTI, NRRD or picture file whose numbers are labels.

    Attributes
    ----------
    names : tuple of (int, str)
        Value -> name, all of them; an empty name leaves a value out. Empty where the file has to name them itself.
    """

    path: str
    names: tuple[tuple[int, str], ...] = ()

    def read(self, target: Target) -> FoundLabels:
        """Return the masks on the grid of an image. Raises GeometryError, ReadError."""
        if sniff(self.path) is Kind.NRRD and is_seg_nrrd(self.path):
            # It names its segments itself, and several of them may have the same value in layers of their own.
            own = read_on(self.path, target)
            return FoundLabels(own.geometry, own, notes=own.notes)
        found = named_values(_map_on(self.path, target), dict(self.names), Path(self.path).name)
        # Files of a dataset lie beside their images by name; that their pixels are not hashed is nothing to tell.
        return FoundLabels(found.geometry, replace(found, notes=()))


def _map_on(path: str, target: Target) -> ImportedLabels:
    if sniff(path) is not Kind.IMAGE:
        return read_on(path, target)
    labels = pictures.read_label_map(path)
    refuse_other_size(Path(path).name, labels.shape, target)
    return from_map(labels, target.geometry, Path(path))


def refuse_other_size(name: str, shape: tuple[int, ...], target: Target) -> None:
    """Raise GeometryError when labels of a picture do not have its size."""
    if shape != target.geometry.shape_kji:
        own, wanted = (" x ".join(str(n) for n in size[:0:-1]) for size in (shape, target.geometry.shape_kji))
        raise GeometryError(f"{name} is of {own} pixels and its image of {wanted}; they do not belong together.")


def named_values(labels: ImportedLabels, names: Mapping[int, str], file: str) -> ImportedLabels:
    """Return labels of a map with the names of a dataset, each of which has a segment; one without voxels is absent.

    Raises
    ------
    ReadError
        When the map holds a value that has no name.
    """
    held = {layer_id: LayerIndex.of(voxels) for layer_id, voxels in labels.layers.items()}
    by_value = {
        int(segment.segment_id.removeprefix("value-")): segment
        for segment in labels.segments
        if held[segment.layer_id].count(segment.value)
    }
    if not names:
        return replace(labels, segments=tuple(by_value.values()))
    unnamed = [str(value) for value in by_value if value not in names]
    if unnamed:
        verb = "value" if len(unnamed) == 1 else "values"
        raise ReadError(
            f"{file} holds the {verb} {short_list(unnamed)}, which nothing names; add it to --label-values, "
            f"as {unnamed[0]}=NAME, or {unnamed[0]}= to leave it out."
        )
    layers = {layer_id: voxels.copy() for layer_id, voxels in labels.layers.items()}
    segments: list[Segment] = []
    taken = {(segment.layer_id, segment.value) for segment in labels.segments}
    for position, (value, name) in enumerate(sorted(names.items())):
        segment = by_value.get(value)
        colour = COLOUR_CYCLE[position % len(COLOUR_CYCLE)]
        if not name:
            if segment is not None:
                layers[segment.layer_id][layers[segment.layer_id] == segment.value] = 0
        elif segment is not None:
            segments.append(replace(segment, name=name, colour=colour))
        else:
            layer_id, own = _free(taken)
            segments.append(Segment(f"value-{value}", name, colour, layer_id, own, source=IMPORTED, absent=True))
    for layer_id in {segment.layer_id for segment in segments} - set(layers):
        layers[layer_id] = np.zeros(labels.geometry.shape_kji, dtype=np.uint8)
    return replace(labels, segments=tuple(segments), layers=layers)


def _free(taken: set[tuple[int, int]]) -> tuple[int, int]:
    """Take the next (layer, value) that no segment has."""
    found = next((n, value) for n in range(len(taken) + 1) for value in range(1, 256) if (n, value) not in taken)
    taken.add(found)
    return found
