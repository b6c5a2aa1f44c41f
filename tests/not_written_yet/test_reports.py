"""What structured reports and presentation states have to do once they are read; each says how it will be judged."""

from __future__ import annotations

import pytest

NO_REPORTS = pytest.mark.skip(reason="Structured reports are not read or written yet")
NO_STATES = pytest.mark.skip(reason="Presentation states are not read yet")


@NO_REPORTS
def test_annotations_of_a_report_that_cannot_be_shown_are_listed_with_a_warning() -> None:
    """Points, polylines and ellipses in image and patient coordinates: what has no drawing is in the list, marked."""


@NO_REPORTS
def test_a_box_on_the_last_frame_of_a_multi_frame_image_comes_back_on_the_last_frame() -> None:
    """Frames of a report count from 1: first and last frame of thirty, written and read again."""


@NO_STATES
def test_a_presentation_state_inverts_an_inverted_image_once() -> None:
    """MONOCHROME1 or 2, shown by a state with an identity or inverse shape: the four combinations of PS3.3 C.11.6."""
