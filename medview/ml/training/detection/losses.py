"""What mistakes of a detector with a pyramid of features cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional

from medview.core.errors import ModelError
from medview.ml.spec import Shape3
from medview.ml.training.detection.targets import IGNORED

LOSSES = ("focal",)
"""Names a recipe may use: focal loss of the classes (Lin 2017) with GIoU (Rezatofighi 2019) and L1 of the boxes."""

ALPHA, GAMMA = 0.25, 2.0

GIOU_WEIGHT, L1_WEIGHT, QUALITY_WEIGHT = 2.0, 0.25, 1.0

Maps = Mapping[str, torch.Tensor]


def check_loss(name: str) -> None:
    """Refuse a loss that detection does not have. Raises ModelError."""
    if name not in LOSSES:
        raise ModelError(f"Detection has no loss {name}; the recipe may ask for {' or '.join(LOSSES)}.")


def detection_loss(answer: Maps, truth: Maps, levels: Sequence[Shape3], dimensions: int) -> dict[str, torch.Tensor]:
    """Return the parts of the loss, and their sum as ``loss``.

    Parameters
    ----------
    answer : mapping of str to Tensor
        Of the network, see ``medview.ml.networks.table``.
    truth : mapping of str to Tensor
        ``known`` (N, classes), 0 for classes nobody looked for in a sample; ``classes_n`` (N, *cells) and ``boxes_n``
        (N, 2 * dimensions, *cells) of ``detection.targets``.
    """
    found, wanted, quality, spread = [], [], [], []
    known = truth["known"].view(*truth["known"].shape, *([1] * dimensions))
    classes_loss = answer["logits_0"].new_zeros((), dtype=torch.float32)
    for n, step in enumerate(levels):
        classes = truth[f"classes_{n}"].long()
        logits = answer[f"logits_{n}"].float()
        one_hot = torch.zeros_like(logits)
        here = classes >= 0
        one_hot.scatter_(1, classes.clamp(min=0).unsqueeze(1), here.unsqueeze(1).float())
        classes_loss = classes_loss + focal(logits, one_hot, (classes != IGNORED).unsqueeze(1) * known)
        places = here.nonzero()
        steps = logits.new_tensor(step[-dimensions:])
        middle = (places[:, 1:].float() + 0.5 + _at(answer[f"offset_{n}"], here)) * steps
        size = _at(answer[f"size_{n}"], here)
        found.append(torch.cat([middle - size / 2, middle + size / 2], dim=1))
        wanted.append(_at(truth[f"boxes_{n}"], here))
        quality.append(_at(answer[f"centre_{n}"], here)[:, 0])
        spread.append(steps.expand(len(places), -1))
    boxes, true, score = torch.cat(found), torch.cat(wanted), torch.cat(quality)
    count = max(1, len(boxes))
    overlap, generous = overlaps(boxes, true, dimensions)
    parts = {
        "classes": classes_loss / count,
        "boxes": (1.0 - generous).sum() / count,
        "corners": _corners(boxes, true, torch.cat(spread), dimensions).sum() / count,
        # How well a cell's own box fits; of several for one object the best is kept.
        "quality": functional.binary_cross_entropy_with_logits(score, overlap.detach(), reduction="sum") / count,
    }
    total = parts["classes"] + GIOU_WEIGHT * parts["boxes"] + L1_WEIGHT * parts["corners"]
    return {"loss": total + QUALITY_WEIGHT * parts["quality"], **{name: part.detach() for name, part in parts.items()}}


def focal(logits: torch.Tensor, truth: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the focal loss of all cells that are ``counted`` together: what is easy counts little."""
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    probability = logits.sigmoid()
    wrong = truth * (1 - probability) + (1 - truth) * probability
    weight = truth * ALPHA + (1 - truth) * (1 - ALPHA)
    return (counted * weight * wrong**GAMMA * entropy).sum()


def overlaps(found: torch.Tensor, true: torch.Tensor, dimensions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return IoU and GIoU of pairs of boxes (n, 2 * dimensions): lowest corner, highest corner."""
    low, high = found[:, :dimensions], found[:, dimensions:]
    true_low, true_high = true[:, :dimensions], true[:, dimensions:]
    common = (torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0).prod(dim=1)
    both = (high - low).prod(dim=1) + (true_high - true_low).prod(dim=1) - common
    around = (torch.maximum(high, true_high) - torch.minimum(low, true_low)).prod(dim=1)
    overlap = common / both.clamp(min=1e-6)
    return overlap, overlap - (around - both) / around.clamp(min=1e-6)


def _corners(found: torch.Tensor, true: torch.Tensor, steps: torch.Tensor, dimensions: int) -> torch.Tensor:
    """Return how far off middles are, in cells, and sizes, as logarithms."""
    low, high = found[:, :dimensions], found[:, dimensions:]
    true_low, true_high = true[:, :dimensions], true[:, dimensions:]
    away = ((low + high - true_low - true_high) / 2 / steps).abs()
    larger = ((high - low).clamp(min=1e-3).log() - (true_high - true_low).clamp(min=1e-3).log()).abs()
    return (away + larger).mean(dim=1)


def _at(maps: torch.Tensor, here: torch.Tensor) -> torch.Tensor:
    """Return the answers (n, channels) of maps (N, channels, *cells) where a mask (N, *cells) is set."""
    return maps.float().movedim(1, -1)[here]
