"""What presentation states have to do once they are read, and how it will be judged."""

from __future__ import annotations

import pytest

NO_STATES = pytest.mark.skip(reason="Presentation states are not read yet")


@NO_STATES
def test_a_presentation_state_inverts_an_inverted_image_once() -> None:
    """MONOCHROME1 or 2, shown by a state with an identity or inverse shape: the four combinations of PS3.3 C.11.6."""
