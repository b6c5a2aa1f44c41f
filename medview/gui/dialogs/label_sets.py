"""Which labels a case is to have: a set is looked at, put to use, kept, brought from another program."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from medview.core.label_set import LabelEntry, LabelSet
from medview.core.language import _, plural
from medview.gui.parts.controls import swatch, text_button, words
from medview.gui.parts.theme_tokens import GRID_PX, TEXT_SMALL_PX
from medview.workspace.label_sets import KeptSet

_SIZE = QSize(760, 520)
_GREY = (150, 150, 150)


class LabelSetsDialog(QDialog):
    """Sets on the left, the labels of the chosen one on the right. What is asked for is announced, not done here."""

    apply_wanted = Signal(object)
    """A LabelSet is to be put to use on the case."""
    import_wanted = Signal()
    """A file of this or another program is to be read."""
    save_wanted = Signal(str)
    """The segments of the case are to be kept as a set of this name."""
    remove_wanted = Signal(object)
    """A KeptSet of the person's own is to be forgotten."""

    def __init__(self, *, can_apply: bool, can_save: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Label sets"))
        self.setObjectName("label sets")
        self.resize(_SIZE)
        self._can_apply = can_apply
        self._kept: list[KeptSet] = []
        self.sets = QListWidget()
        self.sets.setObjectName("label sets list")
        self.sets.setFixedWidth(220)
        self.labels = QListWidget()
        self.labels.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.labels.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.description = words("", "quiet")
        self.use = text_button(
            _("Add these segments"),
            _("Adds those that are not there yet, and asks the forms of the set; Undo takes segments away"),
            role="primary",
        )
        self.use.setObjectName("label set apply")
        self.bring = text_button(
            _("Import..."), _("Reads a label set, a 3D Slicer colour table or an ITK-SNAP label file, and keeps it")
        )
        self.remove = text_button(_("Remove"), _("Forgets this set; those that come with MedView stay"))
        self.name = QLineEdit()
        self.name.setPlaceholderText(_("Name of a new set"))
        self.name.setToolTip(_("What the segments of this case are kept as"))
        self.name.setObjectName("label set name")
        self.save = text_button(
            _("Keep the segments of this case"),
            _("Keeps their names, colours, groups and codes, and the forms of the project, as a set of this name"),
        )
        self.save.setObjectName("label set save")
        self.name.setEnabled(can_save)
        self._build()
        self.sets.currentRowChanged.connect(self._show)
        self.name.textChanged.connect(self._on_name)
        self.use.clicked.connect(self._use)
        self.bring.clicked.connect(self.import_wanted)
        self.remove.clicked.connect(self._remove)
        self.save.clicked.connect(lambda: self.save_wanted.emit(self.name.text().strip()))
        self._on_name("")

    def show_sets(self, kept: list[KeptSet], chosen: str = "") -> None:
        """List sets, and choose one by name."""
        self._kept = kept
        self.sets.clear()
        for one in kept:
            item = QListWidgetItem(one.label_set.name)
            item.setToolTip(_("Kept by you") if one.own else _("Comes with MedView"))
            self.sets.addItem(item)
        names = [one.label_set.name for one in kept]
        self.sets.setCurrentRow(names.index(chosen) if chosen in names else 0 if names else -1)
        self._show(self.sets.currentRow())

    def _build(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.sets, 1)
        row = QHBoxLayout()
        row.addWidget(self.bring)
        row.addWidget(self.remove)
        left.addLayout(row)
        right = QVBoxLayout()
        right.addWidget(self.description)
        right.addWidget(self.labels, 1)
        top = QHBoxLayout()
        top.setSpacing(GRID_PX * 3)
        top.addLayout(left)
        top.addLayout(right, 1)
        keeping = QHBoxLayout()
        keeping.addWidget(self.name)
        keeping.addWidget(self.save)
        keeping.addStretch(1)
        keeping.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID_PX * 4, GRID_PX * 4, GRID_PX * 4, GRID_PX * 4)
        layout.setSpacing(GRID_PX * 3)
        layout.addLayout(top, 1)
        layout.addLayout(keeping)

    @property
    def _chosen(self) -> KeptSet | None:
        row = self.sets.currentRow()
        return self._kept[row] if 0 <= row < len(self._kept) else None

    def _show(self, _row: int) -> None:
        kept = self._chosen
        self.labels.clear()
        self.use.setEnabled(kept is not None and self._can_apply)
        self.remove.setEnabled(kept is not None and kept.own)
        count = len(kept.label_set.entries) if kept is not None else 0
        said = plural("{n} label", "{n} labels", count).format(n=count)
        if forms := len(kept.label_set.forms) if kept is not None else 0:
            said = f"{said}, " + plural("{n} form", "{n} forms", forms).format(n=forms)
        self.description.setText(f"{kept.label_set.description or ''} {said}".strip() if kept is not None else "")
        for group, entries in _grouped(kept.label_set).items() if kept is not None else ():
            if group:
                heading = QListWidgetItem(group)
                font = heading.font()
                font.setBold(True)
                font.setPixelSize(TEXT_SMALL_PX)
                heading.setFont(font)
                self.labels.addItem(heading)
            for entry in entries:
                self.labels.addItem(_item(entry))

    def _on_name(self, text: str) -> None:
        self.save.setEnabled(bool(text.strip()) and self.name.isEnabled())

    def _use(self) -> None:
        if self._chosen is not None:
            self.apply_wanted.emit(self._chosen.label_set)

    def _remove(self) -> None:
        if self._chosen is not None:
            self.remove_wanted.emit(self._chosen)


def _grouped(label_set: LabelSet) -> dict[str, list[LabelEntry]]:
    found: dict[str, list[LabelEntry]] = {}
    for entry in label_set.entries:
        found.setdefault(entry.group, []).append(entry)
    return found


def _item(entry: LabelEntry) -> QListWidgetItem:
    code = f"    {entry.code.meaning} ({entry.code.scheme} {entry.code.value})" if entry.code is not None else ""
    unsure = _("    left out of training") if entry.unsure else ""
    return QListWidgetItem(swatch(entry.colour or _GREY), f"{entry.name}{code}{unsure}")
