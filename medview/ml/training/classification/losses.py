"""What wrong answers of a classifier cost."""

from __future__ import annotations

import torch
from torch.nn import functional

from medview.core.errors import ModelError

LOSSES = ("ce", "focal")
"""Names a recipe may use: cross-entropy (binary where classes do not exclude each other), and the focal loss (Lin 2017)."""

GAMMA = 2.0


def check_loss(name: str) -> None:
    """Refuse a loss that classification does not have. Raises ModelError."""
    if name not in LOSSES:
        raise ModelError(f"Classification has no loss {name}; the recipe may ask for {' or '.join(LOSSES)}.")


def answer_loss(
    logits: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor, name: str, *, exclusive: bool, smoothing: float = 0.0
) -> torch.Tensor:
    """Return the mean loss over what is known.

    Parameters
    ----------
    logits, truth : Tensor of float32, shape (N, classes)
        Truth is 0 or 1, NaN where nobody said.
    weights : Tensor, shape (classes,)
        Of ``class_weights``.
    smoothing : float
        Share of the certainty taken from the truth and given to all answers alike.
    """
    logits = logits.float()
    if exclusive:
        share = (truth * weights).sum(dim=1)
        wanted = truth * (1.0 - smoothing) + smoothing / truth.shape[1]
        log_odds = functional.log_softmax(logits, dim=1)
        costs = -(wanted * log_odds).sum(dim=1)
        if name == "focal":
            costs = costs * (1.0 - (truth * log_odds.exp()).sum(dim=1)) ** GAMMA
        return (costs * share).sum() / share.sum().clamp(min=1e-6)
    known = ~torch.isnan(truth)
    wanted = torch.where(known, truth, torch.zeros_like(truth))
    share = known * (wanted * weights + (1.0 - wanted))
    smoothed = wanted * (1.0 - smoothing) + smoothing / 2.0
    costs = functional.binary_cross_entropy_with_logits(logits, smoothed, reduction="none")
    if name == "focal":
        probability = logits.sigmoid()
        costs = costs * (wanted * (1.0 - probability) + (1.0 - wanted) * probability) ** GAMMA
    return (costs * share).sum() / share.sum().clamp(min=1e-6)
