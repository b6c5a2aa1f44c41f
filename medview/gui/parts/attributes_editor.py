"""A row for every attribute of a thing, and one to add another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from medview.core.attributes import (
    CHOICE,
    NUMBER,
    TEXT,
    Attribute,
    Attributes,
    Choice,
    with_attribute,
    without_attribute,
)
from medview.core.language import _
from medview.gui.parts.controls import clear_layout, icon_button
from medview.gui.parts.elided_label import ElidedLabel
from medview.gui.parts.steady import SteadyComboBox
from medview.gui.parts.theme_tokens import GRID_PX

_NAME_PX = 84


class AttributesEditor(QWidget):
    """Shows attributes and tells how a person changed them; keeps nothing itself but what is being typed.

    Rows stay while it is the same attributes that are shown, so that one field can be filled after the other.
    """

    changed = Signal(object)
    """The attributes as they are to be: tuple of Attribute."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._attributes: Attributes = ()
        self._in_use: Mapping[str, Attributes] = {}
        self._shown: tuple[object, ...] = ()
        self._editors: list[QWidget] = []
        self.rows = QGridLayout()
        self.rows.setSpacing(GRID_PX)
        self.rows.setColumnStretch(1, 1)
        self.name = QLineEdit()
        self.name.setPlaceholderText(_("Add an attribute"))
        self.name.setToolTip(_("Name of a further attribute; Enter adds it"))
        self.name.setAccessibleName(self.name.toolTip())
        self.kind = SteadyComboBox()
        for kind, words in ((TEXT, _("Text")), (NUMBER, _("Number")), (CHOICE, _("Choice"))):
            self.kind.addItem(words, kind)
        self.kind.setToolTip(_("What its value is"))
        self.kind.setAccessibleName(self.kind.toolTip())
        self.options = QLineEdit()
        self.options.setPlaceholderText(_("left, right"))
        self.options.setToolTip(_("What can be chosen, with commas between"))
        self.options.setAccessibleName(self.options.toolTip())
        self.add = icon_button("mdi6.plus", _("Add this attribute"))
        self.add.clicked.connect(self._add)
        self.name.returnPressed.connect(self._add)
        self.options.returnPressed.connect(self._add)
        self.name.textChanged.connect(self._refresh)
        self.kind.currentIndexChanged.connect(self._refresh)
        self.options.textChanged.connect(self._refresh)
        adding = QHBoxLayout()
        adding.setSpacing(GRID_PX)
        adding.addWidget(self.name, 1)
        adding.addWidget(self.kind)
        adding.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addLayout(self.rows)
        column.addLayout(adding)
        column.addWidget(self.options)
        self._refresh()

    def show_attributes(
        self, attributes: Attributes, in_use: Mapping[str, Attributes], *, editable: bool, same_thing: bool = False
    ) -> None:
        """Show attributes.

        Parameters
        ----------
        in_use : mapping
            Attributes of other things by name: a further one of the same name is of the same kind.
        same_thing : bool
            They are of what was shown before: what is being typed stays.
        """
        self._in_use, self._attributes = in_use, attributes
        asked = (editable, *(_row(one) for one in attributes))
        if asked != self._shown:
            self._shown = asked
            for editor in self._editors:
                # A field that goes loses the focus, and would tell what was typed for another thing.
                editor.blockSignals(True)
            clear_layout(self.rows)
            self._editors = [self._add_row(number, one, editable=editable) for number, one in enumerate(attributes)]
        else:
            for editor, one in zip(self._editors, attributes, strict=True):
                _show_value(editor, one, leave_typed=same_thing)
        names = [name for name in in_use if all(one.name != name for one in attributes)]
        completer = QCompleter(names, self.name)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.name.setCompleter(completer)
        for widget in (self.name, self.kind):
            widget.setEnabled(editable)
        self._refresh()

    def _add_row(self, number: int, one: Attribute, *, editable: bool) -> QWidget:
        label = ElidedLabel(one.name, "quiet")
        label.setFixedWidth(_NAME_PX)
        editor = self._editor(one)
        editor.setEnabled(editable)
        editor.setObjectName(f"attribute {one.name}")
        editor.setToolTip(_("Value of {name}").format(name=one.name))
        editor.setAccessibleName(editor.toolTip())
        remove = icon_button("mdi6.close", _("Remove {name}; Undo brings it back").format(name=one.name))
        remove.setEnabled(editable)
        remove.clicked.connect(partial(self._remove, one.name))
        for column, widget in enumerate((label, editor, remove)):
            self.rows.addWidget(widget, number, column)
        return editor

    def _editor(self, one: Attribute) -> QWidget:
        if isinstance(one.value, Choice):
            combo = SteadyComboBox()
            combo.addItems(list(one.value.options))
            _show_value(combo, one)
            combo.textActivated.connect(partial(self._choose, one))
            return combo
        line = QLineEdit()
        _show_value(line, one)
        tell = self._write if isinstance(one.value, str) else self._count
        line.editingFinished.connect(partial(tell, one.name, line))
        return line

    def _choose(self, one: Attribute, chosen: str) -> None:
        assert isinstance(one.value, Choice)
        self._tell(with_attribute(self._attributes, Attribute(one.name, Choice(chosen, one.value.options))))

    def _write(self, name: str, line: QLineEdit) -> None:
        line.setModified(False)
        self._tell(with_attribute(self._attributes, Attribute(name, line.text().strip())))

    def _count(self, name: str, field: QLineEdit) -> None:
        field.setModified(False)
        try:
            made = Attribute(name, float(field.text().strip().replace(",", ".").replace("\u2212", "-")))
        except ValueError:
            field.setText(next((one.words for one in self._attributes if one.name == name), ""))
            return
        self._tell(with_attribute(self._attributes, made))

    def _remove(self, name: str, _checked: bool = False) -> None:
        self._tell(without_attribute(self._attributes, name))

    def _add(self, _checked: bool = False) -> None:
        made = self._wanted()
        if made is not None:
            self.name.clear()
            self.options.clear()
            self._tell(with_attribute(self._attributes, made))

    def _wanted(self) -> Attribute | None:
        """Return the attribute that is typed in, or None while it is none."""
        name = " ".join(self.name.text().split())
        if not name or any(one.name == name for one in self._attributes):
            return None
        if known := self._in_use.get(name):
            return known[-1]
        kind = self.kind.currentData()
        if kind == CHOICE:
            options = tuple(dict.fromkeys(filter(None, (part.strip() for part in self.options.text().split(",")))))
            return Attribute(name, Choice(options[0], options)) if len(options) > 1 else None
        return Attribute(name, 0.0 if kind == NUMBER else "")

    def _refresh(self, *_values: object) -> None:
        known = " ".join(self.name.text().split()) in self._in_use
        self.options.setVisible(self.kind.currentData() == CHOICE and not known)
        self.add.setEnabled(self.name.isEnabled() and self._wanted() is not None)

    def _tell(self, attributes: Attributes) -> None:
        if attributes != self._attributes:
            # The next field may be done before these are shown.
            self._attributes = attributes
            self.changed.emit(attributes)


def _row(one: Attribute) -> tuple[object, ...]:
    """Return what decides how the row of an attribute is made."""
    return (one.name, one.kind, one.value.options if isinstance(one.value, Choice) else ())


def _show_value(editor: QWidget, one: Attribute, *, leave_typed: bool = False) -> None:
    if isinstance(editor, SteadyComboBox):
        editor.setCurrentText(one.words)
    elif isinstance(editor, QLineEdit):
        typing = editor.hasFocus() and editor.isModified()
        if not (leave_typed and typing) and editor.text() != one.words:
            editor.setText(one.words)
