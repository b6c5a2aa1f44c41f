"""From the maps a detector answers with to boxes in voxels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from medview.core.errors import ModelError
from medview.ml.outputs import DetectionOutput
from medview.ml.runners.candidates import Candidates
from medview.ml.spec import Shape3, Vector3

MOST_CANDIDATES = 1000
"""Cells of one tile (and level) that are looked at, best first; a broken model must not stall the suppression."""

Maps = dict[str, torch.Tensor]


class Decoder:
    """Reads what one network answers on a grid of this spacing.

    Raises
    ------
    ModelError
        When the network does not say how large its cells are.
    """

    def __init__(self, network: nn.Module, spacing_kji_mm: Vector3, output: DetectionOutput) -> None:
        self._spacing, self._output = spacing_kji_mm, output
        self.levels: tuple[Shape3, ...] | None = getattr(network, "levels", None)
        stride = getattr(network, "stride", None)
        if self.levels is None and (not isinstance(stride, int) or stride < 1):
            raise ModelError("The model does not say the size of its cells; ask its author for a proper pack.")
        self._stride = stride if isinstance(stride, int) else 0

    @property
    def cell_kji(self) -> Shape3:
        """The finest cells, in voxels."""
        return self.levels[0] if self.levels is not None else (self._stride, self._stride, self._stride)

    def classes(self, found: Maps) -> int:
        """Return how many classes the answer tells apart."""
        return int(found[self._key].shape[1])

    def check(self, found: torch.Tensor | Maps) -> Maps:
        """Return the answer. Raises ModelError where it is none of boxes."""
        names = {"heatmap", "size_mm", "offset"}
        if self.levels is not None:
            names = {f"{what}_{n}" for n in range(len(self.levels)) for what in ("logits", "centre", "offset", "size")}
        if not isinstance(found, dict) or not names <= set(found):
            raise ModelError("The model did not return maps of boxes; ask its author for a proper pack.")
        return found

    def boxes(self, found: Maps) -> list[Candidates]:
        """Return the candidates of every tile of a batch, in voxels of the tile."""
        if self.levels is None:
            return decode_heatmap(found, self._stride, self._spacing, self._output.score_threshold)
        return decode_levels(found, self.levels, self._output.score_threshold)

    @property
    def _key(self) -> str:
        return "heatmap" if self.levels is None else "logits_0"


def decode_heatmap(
    found: Maps, stride: int, spacing_kji_mm: tuple[float, float, float], threshold: float
) -> list[Candidates]:
    """Read a heatmap, sizes and offsets (see ``medview.ml.networks.table``), tile by tile: its peaks become boxes."""
    scores = torch.sigmoid(found["heatmap"].float())
    peaks = (scores >= threshold) & (scores == functional.max_pool3d(scores, 3, stride=1, padding=1))
    tiles = []
    for n in range(len(scores)):
        classes, cell, values = _best(scores[n], peaks[n])
        offset = _at(found["offset"][n], cell).double()
        size = _at(found["size_mm"][n], cell).double() / cell.new_tensor(spacing_kji_mm, dtype=torch.float64)
        centre = (cell.double() + 0.5 + offset) * stride
        tiles.append(_candidates(centre - size / 2, centre + size / 2, values, classes))
    return tiles


def decode_levels(found: Maps, levels: Sequence[Shape3], threshold: float) -> list[Candidates]:
    """Read the answer of a pyramid (see ``medview.ml.networks.table``), tile by tile.

    Every cell whose score reaches the threshold is a candidate; cells of one object answer alike, and suppression keeps the
    best. Maps of two dimensions have an axis k of one voxel here and give boxes that thick.
    """
    tiles: list[list[Candidates]] = [[] for _ in range(len(found["logits_0"]))]
    for level, step in enumerate(levels):
        logits, centre = found[f"logits_{level}"].float(), found[f"centre_{level}"].float()
        scores = torch.sqrt(torch.sigmoid(logits) * torch.sigmoid(centre))
        for n, into in enumerate(tiles):
            classes, cell, values = _best(scores[n], scores[n] >= threshold)
            steps = cell.new_tensor(step, dtype=torch.float64)
            offset, size = (_at(found[f"{what}_{level}"][n], cell).double() for what in ("offset", "size"))
            if offset.shape[1] == 2:
                # The slice itself.
                offset = functional.pad(offset, (1, 0))
                size = functional.pad(size, (1, 0), value=1.0)
            middle = (cell.double() + 0.5 + offset) * steps
            into.append(_candidates(middle - size / 2, middle + size / 2, values, classes))
    return [Candidates.joined(several) for several in tiles]


def _best(scores: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return class, cell (n, 3) and score of the wanted places of (classes, k, j, i), best first."""
    places, values = torch.nonzero(wanted), scores[wanted]
    best = torch.argsort(values, descending=True, stable=True)[:MOST_CANDIDATES]
    return places[best, 0], places[best, 1:], values[best]


def _at(maps: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
    """Return the answers (n, channels) of cells (n, 3)."""
    k, j, i = cell.unbind(1)
    return maps[:, k, j, i].T


def _candidates(low: torch.Tensor, high: torch.Tensor, scores: torch.Tensor, classes: torch.Tensor) -> Candidates:
    return Candidates(low.cpu().numpy(), high.cpu().numpy(), scores.double().cpu().numpy(), classes.cpu().numpy())
