"""What tests of networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    """Whatever a test asks of torch, the next one finds the threads it would have had alone."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
