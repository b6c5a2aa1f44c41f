"""The rows of the study browser as Qt wants them, with what they carry when they are dragged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QObject, Qt
from PySide6.QtGui import QStandardItemModel

from medview.gui.browser.study_tree import ROW_ROLE, Row
from medview.gui.parts.series_mime import SERIES_MIME, encode

_URIS = "text/uri-list"


class StudyModel(QStandardItemModel):
    """Rows that can be dragged out and never taken away: dropping copies.

    Parameters
    ----------
    files_may_leave : callable
        Asked when a drag begins: whether the files of the series are offered to other programs.
    """

    def __init__(self, files_may_leave: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files_may_leave = files_may_leave

    def supportedDragActions(self) -> Qt.DropAction:
        """Return copying alone: a file manager that may move would take the files away."""
        return Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        """Return the types a drag may carry."""
        return [SERIES_MIME, _URIS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return what the first series among the rows carries."""
        rows: list[Row] = [index.data(ROW_ROLE) for index in indexes]
        chosen = next((row for row in rows if row.series is not None), None)
        if chosen is None or chosen.series is None:
            return QMimeData()
        return encode(chosen.series, chosen.entry, files=self._files_may_leave())
