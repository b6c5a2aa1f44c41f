"""What is asked of segments through dialogs: label sets and the table of all of them."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from medview.core.errors import MedViewError
from medview.core.label_set import LabelSet
from medview.core.language import _, in_language, plural
from medview.gui.dialogs.file_choices import ask_label_set
from medview.gui.dialogs.label_sets import LabelSetsDialog
from medview.gui.dialogs.segment_table import SegmentTableDialog
from medview.workspace.action import Action, has_case
from medview.workspace.jobs import Outcome
from medview.workspace.label_sets import KeptSet, apply_label_set, keep, label_sets, remove
from medview.workspace.operations.label_sets import ReadLabelSet
from medview.workspace.workspace import Workspace


class SegmentCommands:
    """Parameters are the window and the workspace."""

    def __init__(self, window: QWidget, workspace: Workspace) -> None:
        self._window, self._workspace = window, workspace

    def actions(self) -> tuple[Action, ...]:
        """Return the actions for menus and keys."""
        return (
            Action(
                "labelset.apply", _("Label sets..."), lambda _w: self.show_sets(), "mdi6.tag-multiple-outline", has_case
            ),
            Action(
                "labelset.save",
                _("Keep these segments as a label set..."),
                lambda _w: self.show_sets(saving=True),
                "mdi6.tag-plus-outline",
                _has_segments,
            ),
            Action("segments.table", _("Table of all segments"), lambda _w: self.show_table(), "mdi6.table", _has_segments),
        )

    def show_table(self) -> None:
        """Show what is told of all segments."""
        case = self._workspace.active
        if case is not None:
            dialog = SegmentTableDialog(self._workspace, case, self._window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    def show_sets(self, *, saving: bool = False) -> None:
        """Show the label sets; ``saving`` begins with the name of a new one."""
        case = self._workspace.active
        if case is None:
            return
        segments = case.labels.segmentation.segments
        dialog = LabelSetsDialog(can_apply=case.editable, can_save=bool(segments), parent=self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.apply_wanted.connect(lambda chosen: self._apply(chosen, dialog))
        dialog.import_wanted.connect(lambda: self._import(dialog))
        dialog.save_wanted.connect(lambda name: self._save(name, dialog))
        dialog.remove_wanted.connect(lambda kept: self._remove(kept, dialog))
        dialog.show_sets(label_sets())
        if saving:
            dialog.name.setFocus()
        dialog.open()

    def _apply(self, label_set: LabelSet, dialog: LabelSetsDialog) -> None:
        case = self._workspace.active
        dialog.close()
        if case is None:
            return
        added = apply_label_set(case, label_set)
        there = len(label_set.entries) - added
        said = plural("{n} segment added.", "{n} segments added.", added).format(n=added)
        if there:
            said = f"{said} " + plural("{n} was there.", "{n} were there.", there).format(n=there)
        try:
            forms = self._workspace.forms.adopt(label_set)
        except MedViewError as error:
            self._workspace.report(error)
            return
        if forms:
            said = f"{said} " + plural("{n} form is asked now.", "{n} forms are asked now.", forms).format(n=forms)
        self._workspace.say(said, undo=added > 0)

    def _import(self, dialog: LabelSetsDialog) -> None:
        path = ask_label_set(dialog)
        if path is None:
            return

        def done(value: object) -> None:
            # The dialog may have been closed meanwhile.
            if isinstance(value, LabelSet) and isValid(dialog):
                self._keep(value, dialog)

        def failed(error: MedViewError) -> None:
            if isValid(dialog):
                dialog.description.setText(in_language(error.sentence))
            else:
                self._workspace.report(error)

        request = ReadLabelSet(path, self._workspace.services.pool)
        self._workspace.runner.submit(request, Outcome(done, failed=failed))

    def _save(self, name: str, dialog: LabelSetsDialog) -> None:
        case = self._workspace.active
        if case is not None:
            made = LabelSet.of(name, case.labels.segmentation.segments)
            self._keep(replace(made, forms=self._workspace.forms.forms), dialog)

    def _keep(self, label_set: LabelSet, dialog: LabelSetsDialog) -> None:
        try:
            keep(label_set)
        except MedViewError as error:
            dialog.description.setText(in_language(error.sentence))
            return
        dialog.name.clear()
        dialog.show_sets(label_sets(), label_set.name)

    def _remove(self, kept: KeptSet, dialog: LabelSetsDialog) -> None:
        remove(kept)
        dialog.show_sets(label_sets())


def _has_segments(workspace: Workspace) -> bool:
    return workspace.active is not None and bool(workspace.active.labels.segmentation.segments)
