"""Cases as dots: the numbers along the axes are those of the figures, whatever the theme."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from medview.gui.parts.dot_plot import DotPlot
from medview.workspace.agreement_plots import Dot, Dots

SMALL = Dots(
    "Volumes",
    "Mean of both (mL)",
    "Second less first (mL)",
    tuple(Dot(f"case-{n}", 0.002 * n, 0.0001 * n, f"case {n}") for n in range(1, 9)),
    ((0.00045, "mean"),),
)


def test_small_numbers_are_not_scaled(qtbot: QtBot) -> None:
    plot = DotPlot()
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    with qtbot.waitExposed(plot):
        plot.show()
    plot.show_dots(SMALL)
    QApplication.sendEvent(plot, QEvent(QEvent.Type.PaletteChange))
    plot.show_dots(SMALL)
    for name in ("bottom", "left"):
        assert plot.getAxis(name).autoSIPrefixScale == 1.0


def test_a_dot_that_is_pressed_asks_for_its_case(qtbot: QtBot) -> None:
    plot = DotPlot()
    qtbot.addWidget(plot)
    plot.show_dots(SMALL)
    with qtbot.waitSignal(plot.case_wanted) as asked:
        plot._scatter.sigClicked.emit(plot._scatter, [plot._scatter.points()[3]], None)
    assert asked.args == ["case-4"]
    plot.show_dots(None)
    assert len(plot._scatter.points()) == 0
