from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from medview.gui.parts.history_model import STEPS_ROLE, HistoryModel


def test_every_step_ever_made_is_a_row_that_knows_how_to_get_there(qapp: QApplication) -> None:
    model = HistoryModel()
    done = tuple(f"Brush {n}" for n in range(3000))
    undone = ("Erase 1", "Erase 2")
    model.show(done, undone, hidden=False)
    rows = [(model.index(n).data(), model.index(n).data(STEPS_ROLE)) for n in range(model.rowCount())]
    assert len(rows) == 3002
    assert rows[:4] == [("Erase 2", 2), ("Erase 1", 1), ("Brush 2999", 0), ("Brush 2998", -1)]
    assert rows[-1] == ("Brush 0", -2999)
    assert model.index(model.current_row).data() == "Brush 2999"


def test_what_is_undone_is_grey_and_says_so(qapp: QApplication) -> None:
    model = HistoryModel()
    model.show(("Brush",), ("Erase",), hidden=False)
    undone, done = model.index(0), model.index(1)
    assert undone.data(Qt.ItemDataRole.ForegroundRole) == qapp.palette().placeholderText()
    assert done.data(Qt.ItemDataRole.ForegroundRole) is None
    assert undone.data(Qt.ItemDataRole.ToolTipRole) == "Undone: Erase"
    assert done.data(Qt.ItemDataRole.ToolTipRole) == "Brush"


def test_file_names_stay_unsaid_while_the_identity_is_hidden(qapp: QApplication) -> None:
    model = HistoryModel()
    model.show(("Import Doe_Jane.nii.gz",), (), hidden=True)
    assert model.index(0).data() == "Import labels"
