"""Every action a person can ask for by key, menu or search, as one table."""

from __future__ import annotations

from medview.workspace.action import Action
from medview.workspace.clip_actions import CLIP_ACTIONS
from medview.workspace.drawn_actions import DRAWN_ACTIONS
from medview.workspace.effect_actions import EFFECT_ACTIONS
from medview.workspace.effect_slices import EFFECT_SLICE_ACTIONS
from medview.workspace.form_actions import FORM_ACTIONS
from medview.workspace.fusion_actions import FUSION_ACTIONS
from medview.workspace.heat_actions import HEAT_ACTIONS
from medview.workspace.label_actions import HISTORY_ACTIONS, LABEL_ACTIONS
from medview.workspace.layout_actions import LAYOUT_ACTIONS
from medview.workspace.link_actions import LINK_ACTIONS
from medview.workspace.look_actions import LOOK_ACTIONS, SLICE_ACTIONS
from medview.workspace.mark_actions import MARK_ACTIONS
from medview.workspace.reading_actions import READING_ACTIONS
from medview.workspace.review_actions import REVIEW_ACTIONS
from medview.workspace.reviewer_actions import REVIEWER_ACTIONS
from medview.workspace.rule_actions import RULE_ACTIONS
from medview.workspace.segment_actions import SEGMENT_ACTIONS
from medview.workspace.time_actions import TIME_ACTIONS
from medview.workspace.tool_actions import TOOL_ACTIONS
from medview.workspace.tour_actions import TOUR_ACTIONS

ACTIONS: tuple[Action, ...] = (
    *HISTORY_ACTIONS,
    *TOOL_ACTIONS,
    *RULE_ACTIONS,
    *READING_ACTIONS,
    *SLICE_ACTIONS,
    *LAYOUT_ACTIONS,
    *LINK_ACTIONS,
    *LOOK_ACTIONS,
    *TIME_ACTIONS,
    *FUSION_ACTIONS,
    *HEAT_ACTIONS,
    *LABEL_ACTIONS,
    *TOUR_ACTIONS,
    *REVIEW_ACTIONS,
    *REVIEWER_ACTIONS,
    *SEGMENT_ACTIONS,
    *MARK_ACTIONS,
    *EFFECT_ACTIONS,
    *EFFECT_SLICE_ACTIONS,
    *DRAWN_ACTIONS,
    *CLIP_ACTIONS,
    *FORM_ACTIONS,
)
"""In the order menus and search show them."""


def action(action_id: str) -> Action:
    """Return an action of the table by id. Raises KeyError when there is none."""
    for candidate in ACTIONS:
        if candidate.action_id == action_id:
            return candidate
    raise KeyError(action_id)
