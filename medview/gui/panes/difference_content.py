"""What a proposal has more and less than a segment, as values for the layer and the legend."""

from __future__ import annotations

from medview.core.language import _
from medview.core.oblique import PlaneLayout
from medview.gui.drawing.label_raster import Cut
from medview.gui.layers.proposal import Chip
from medview.gui.panes.slice_content import mask_cut
from medview.gui.parts.difference_card import volume_text
from medview.gui.parts.theme_tokens import ADDED_COLOUR, REMOVED_COLOUR
from medview.workspace.open_case import OpenCase
from medview.workspace.view_state import Bench


def difference_cut(case: OpenCase, bench: Bench, plane: PlaneLayout, index: float) -> Cut | None:
    """Return the slice of the difference; None where there is none, or none is compared."""
    state = bench.review.difference
    if state.found is None or state.case_key != case.key or not bench.overlay_visible:
        return None
    return mask_cut(state.found.mask, case.volume.geometry, plane, index)


def difference_chips(case: OpenCase, bench: Bench) -> list[Chip]:
    """Return the legend: what the tints mean, and how much there is of each."""
    state = bench.review.difference
    if state.found is None or state.case_key != case.key or not bench.overlay_visible:
        return []
    agreement = state.found.agreement
    more, less = (volume_text(n, agreement.voxel_ml) for n in (agreement.added, agreement.removed))
    return [
        Chip(_("Proposal has more: {size}").format(size=more), colour=ADDED_COLOUR),
        Chip(_("Proposal has less: {size}").format(size=less), colour=REMOVED_COLOUR),
    ]
