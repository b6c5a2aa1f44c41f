"""Which segments of a case are seen now."""

from __future__ import annotations

from medview.core.segmentation import Segment
from medview.workspace.open_case import OpenCase


def shown_on_slices(case: OpenCase) -> list[Segment]:
    """Return the segments drawn on slices: the visible ones, or those that are shown alone."""
    solo = case.view.solo_segment_ids
    return [s for s in case.labels.segmentation.segments if (s.segment_id in solo if solo else s.visible)]


def shown_in_3d(case: OpenCase) -> list[Segment]:
    """Return the segments whose surfaces are shown, or those that are shown alone."""
    solo = case.view.solo_segment_ids
    return [s for s in case.labels.segmentation.segments if (s.segment_id in solo if solo else s.visible_3d)]


def toggle_solo(case: OpenCase, ids: tuple[str, ...]) -> None:
    """Show only these segments, or all as before when they are shown alone already."""
    view = case.view
    view.solo_segment_ids = () if not ids or set(ids) == set(view.solo_segment_ids) else ids
