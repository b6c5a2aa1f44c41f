"""The menu that chooses the character set in which the texts of a patient are shown."""

from __future__ import annotations

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from medview.core.language import _, in_language
from medview.core.study import Series
from medview.io.dicom.names import AS_DECLARED, CHARSETS, Charset, person_name, read_as
from medview.workspace.view_state import Bench


def name_menu(bench: Bench, series: Series, parent: QWidget) -> QMenu:
    """Return a menu whose entries set how the texts of the patient of a series are read; the present way is checked.

    Entries that change the name say what it becomes.
    """
    menu = QMenu(parent)
    choices = menu.addMenu(_("Read names as"))
    choices.setToolTip(_("For names that show as nonsense. Files keep what they hold."))
    group = QActionGroup(choices)
    for charset in (Charset(AS_DECLARED, _("As declared in the file")), *CHARSETS):
        choice = choices.addAction(_label(series, charset))
        choice.setCheckable(True)
        choice.setChecked(bench.charset_of(series) == charset.key)
        choice.setActionGroup(group)
        choice.triggered.connect(lambda _checked, key=charset.key: bench.read_names_as(series, key))
        if charset.key == AS_DECLARED:
            choices.addSeparator()
    return menu


def _label(series: Series, charset: Charset) -> str:
    name = read_as(series, charset.key).patient_name
    shown = person_name(name) if name != series.patient_name else ""
    return f"{in_language(charset.label)}: {shown}".replace("&", "&&") if shown else in_language(charset.label)
