"""The tags as a tree: searched, copied, gone while the identity is hidden."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from medview.gui.dialogs.tags import TagModel, TagsDialog
from medview.io.dicom.tag_list import TagList, TagRow
from medview.workspace.workspace import Workspace

ROWS = (
    TagRow(0, "(0010,0010)", "PatientName", "Patient's Name", "PN", "Phantom^One"),
    TagRow(0, "(0018,0050)", "SliceThickness", "Slice Thickness", "DS", "5.0"),
    TagRow(0, "(0040,A043)", "ConceptNameCodeSequence", "Concept Name Code Sequence", "SQ", "1 item"),
    TagRow(1, "", "", "Item 1", "", ""),
    TagRow(2, "(0008,0100)", "CodeValue", "Code Value", "SH", "T-28000"),
    TagRow(2, "(0008,0104)", "CodeMeaning", "Code Meaning", "LO", "Lung\nboth"),
    TagRow(0, "(7FE0,0010)", "PixelData", "Pixel Data", "OW", "binary, 260 bytes", True),
)


@pytest.fixture
def dialog(qtbot: QtBot, workspace: Workspace) -> TagsDialog:
    made = TagsDialog(TagList("slice-7.dcm", ROWS, "Only some are listed."), workspace)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(made)
    made.show()
    return made


def shown(dialog: TagsDialog) -> list[str]:
    model = dialog.filter

    def below(parent: QModelIndex) -> list[str]:
        found = []
        for row in range(model.rowCount(parent)):
            index = model.index(row, 0, parent)
            found += [str(model.index(row, 1, parent).data()), *below(index)]
        return found

    return below(QModelIndex())


def look(dialog: TagsDialog, text: str) -> list[str]:
    dialog.search.setText(text)
    dialog.look()
    return shown(dialog)


def test_the_tree_nests_as_the_file_does(qtbot: QtBot, dialog: TagsDialog, qtmodeltester: object) -> None:
    assert shown(dialog) == [row.name for row in ROWS]
    sequence = dialog.model.index(2, 0)
    item = dialog.model.index(0, 0, sequence)
    assert dialog.model.rowCount(item) == 2
    assert dialog.model.parent(dialog.model.index(1, 3, item)) == item
    assert dialog.model.parent(sequence) == QModelIndex()
    assert dialog.count.text() == "7 rows · Only some are listed."


def test_the_model_keeps_the_rules_of_the_toolkit(qtmodeltester: object) -> None:
    qtmodeltester.check(TagModel(ROWS))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("0018,0050", ["Slice Thickness"]),
        ("00180050", ["Slice Thickness"]),
        ("slicethick", ["Slice Thickness"]),
        ("name phantom", ["Patient's Name"]),
        ("t-28000", ["Concept Name Code Sequence", "Item 1", "Code Value"]),
        ("nothing like it", []),
    ],
)
def test_tag_keyword_name_and_value_are_searched_and_sequences_stay_around_what_is_found(
    dialog: TagsDialog, text: str, names: list[str]
) -> None:
    assert look(dialog, text) == names
    assert look(dialog, "") == [row.name for row in ROWS]


def test_a_value_is_copied_whole_with_its_lines_and_a_shortened_one_says_so(qtbot: QtBot, dialog: TagsDialog) -> None:
    assert not dialog.copy_value.isEnabled()
    look(dialog, "lung")
    meaning = dialog.filter.index(0, 0, dialog.filter.index(0, 0, dialog.filter.index(0, 0)))
    dialog.tree.setCurrentIndex(meaning)
    assert dialog.filter.index(0, 3, meaning.parent()).data() == "Lung both"
    qtbot.mouseClick(dialog.copy_value, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "Lung\nboth"
    assert dialog.count.text() == "Copied Code Meaning."
    look(dialog, "pixel")
    dialog.tree.setCurrentIndex(dialog.filter.index(0, 0))
    dialog.copy()
    assert dialog.count.text() == "Copied Pixel Data, shortened."


def test_hiding_the_identity_takes_the_tags_away(dialog: TagsDialog, workspace: Workspace) -> None:
    assert dialog.isVisible()
    workspace.bench.identity_hidden = True
    assert not dialog.isVisible()
