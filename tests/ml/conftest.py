"""What tests of networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

# Networks that are made while the tests are collected have the same weights in every run.
torch.manual_seed(0)


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """Whatever a test asks of torch, the next one finds the threads it would have had alone."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def the_same_weights_every_time() -> None:
    """Networks with random weights are the same ones whichever tests ran before; a test may seed anew."""
    torch.manual_seed(0)
