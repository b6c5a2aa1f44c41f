"""Losses are those of torch where torch has them, and missing answers cost nothing."""

import pytest
import torch
from torch.nn import functional

from medview.ml.training.classification.losses import answer_loss


def test_cross_entropy_is_that_of_torch_with_weights_and_smoothing() -> None:
    torch.manual_seed(1)
    logits, classes = torch.randn(9, 4), torch.randint(0, 4, (9,))
    truth, even = functional.one_hot(classes, 4).float(), torch.ones(4)
    weights = torch.tensor([0.5, 1.0, 2.0, 3.0])
    own = answer_loss(logits, truth, weights, "ce", exclusive=True)
    assert torch.allclose(own, functional.cross_entropy(logits, classes, weight=weights))
    smooth = answer_loss(logits, truth, even, "ce", exclusive=True, smoothing=0.1)
    assert torch.allclose(smooth, functional.cross_entropy(logits, classes, label_smoothing=0.1))


def test_of_what_nobody_said_nothing_is_learnt() -> None:
    logits = torch.tensor([[2.0, -1.0], [0.5, 3.0]], requires_grad=True)
    truth = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
    loss = answer_loss(logits, truth, torch.ones(2), "ce", exclusive=False)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient[0, 1] == 0
    assert (gradient[truth.isnan().logical_not()] != 0).all()
    known = functional.binary_cross_entropy_with_logits(logits, truth.nan_to_num(0.0), reduction="none")
    assert torch.allclose(loss, known[~truth.isnan()].mean())


@pytest.mark.parametrize("exclusive", [True, False])
def test_the_focal_loss_counts_what_is_easy_little(exclusive: bool) -> None:
    truth = torch.tensor([[1.0, 0.0]])
    easy, hard = torch.tensor([[4.0, -4.0]]), torch.tensor([[-1.0, 1.0]])

    def part(logits: torch.Tensor) -> float:
        focal, plain = (answer_loss(logits, truth, torch.ones(2), name, exclusive=exclusive) for name in ("focal", "ce"))
        return float(focal / plain)

    assert part(easy) < 0.01
    assert part(hard) > 0.4
