"""What the left button does: a button per tool, and what can be set for the one in hand."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from medview.core.language import _
from medview.gui.options.accept import AcceptOptions
from medview.gui.options.brush import BrushOptions
from medview.gui.options.grow import GrowOptions
from medview.gui.options.marks import MarkOptions
from medview.gui.options.outline import OutlineOptions
from medview.gui.options.prompt import PromptOptions
from medview.gui.options.rules import RulesOptions
from medview.gui.options.scissors import ScissorsOptions
from medview.gui.options.threshold_brush import ThresholdBrushOptions
from medview.gui.parts.bind import bind, follow
from medview.gui.parts.controls import action_button, hairline, row_of, words
from medview.gui.parts.qt_actions import QtActions
from medview.gui.parts.steady import SteadySlider
from medview.gui.parts.theme_tokens import GRID_PX
from medview.workspace.toolbox import ToolGroup, of_group
from medview.workspace.view_state import Tool
from medview.workspace.workspace import Workspace

Options = Callable[[Workspace, QtActions], QWidget]

OPTIONS: dict[Tool, Options] = {
    Tool.BRUSH: BrushOptions,
    Tool.ERASER: BrushOptions,
    **dict.fromkeys((Tool.BOX, Tool.BOX_3D, Tool.POINT, Tool.POLYLINE), MarkOptions),
    Tool.THRESHOLD_BRUSH: ThresholdBrushOptions,
    Tool.VALUE_RANGE: ThresholdBrushOptions,
    Tool.ACCEPT_BRUSH: AcceptOptions,
    Tool.ACCEPT_PIECE: AcceptOptions,
    Tool.LASSO: OutlineOptions,
    Tool.LIVEWIRE: OutlineOptions,
    Tool.FILL: GrowOptions,
    Tool.GROW: GrowOptions,
    Tool.SCISSORS: ScissorsOptions,
    Tool.PROMPT: PromptOptions,
}
"""Tool -> what makes the widget of its settings, once, when it is first taken; tools of one maker share the widget."""

_ROWS = (ToolGroup.LOOK, ToolGroup.DRAW, ToolGroup.SHAPE, ToolGroup.MARK)
_TOOLS_IN_ROW = 6
"""As many as the narrow column has room for beside the name of the row."""


class ToolsPanel(QWidget):
    """Tool buttons in named rows, the settings of the tool in hand, and how strongly labels cover the picture."""

    def __init__(self, workspace: Workspace, actions: QtActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace, self._actions = workspace, actions
        bench = workspace.bench
        self._made: dict[Options, QWidget] = {}
        self.opacity = SteadySlider()
        self.opacity.setRange(0, 100)
        self.opacity.setToolTip(_("How strongly labels cover the picture; outlines stay"))
        bind(
            self.opacity,
            bench,
            "overlay_opacity",
            to_widget=lambda f: round(f * 100),
            from_widget=lambda n: n / 100,
        )
        self._options = QVBoxLayout()
        self._options.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 2, 0, GRID_PX * 2, GRID_PX)
        layout.setSpacing(GRID_PX * 2)
        layout.addLayout(_buttons(actions))
        layout.addWidget(hairline())
        layout.addLayout(self._options)
        layout.addLayout(row_of(words(_("Fill"), "quiet"), self.opacity))
        layout.addWidget(hairline())
        self.rules = RulesOptions(workspace, actions)
        layout.addWidget(self.rules)
        follow(self, bench, "tool", self._show_options)

    @property
    def options(self) -> QWidget | None:
        """The settings of the tool in hand, where it has any."""
        factory = OPTIONS.get(self._workspace.bench.tool)
        return None if factory is None else self._made.get(factory)

    def _show_options(self, tool: Tool) -> None:
        factory = OPTIONS.get(tool)
        if factory is not None and factory not in self._made:
            self._made[factory] = factory(self._workspace, self._actions)
            self._options.addWidget(self._made[factory])
        for maker, widget in self._made.items():
            widget.setVisible(maker is factory)


def _buttons(actions: QtActions) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(2)
    grid.setColumnStretch(_TOOLS_IN_ROW + 1, 1)
    line = 0
    for group in _ROWS:
        entries = of_group(group)
        if entries:
            grid.addWidget(words(group.title, "quiet"), line, 0)
        for number, entry in enumerate(entries):
            button = action_button(actions[entry.action_id])
            button.setObjectName(f"button {entry.action_id}")
            row, column = divmod(number, _TOOLS_IN_ROW)
            grid.addWidget(button, line + row, column + 1)
        line += -(-len(entries) // _TOOLS_IN_ROW)
    return grid
