"""The rows of the study browser as Qt wants them, with what they carry when they are dragged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QObject, Qt
from PySide6.QtGui import QStandardItemModel

from medview.gui.browser.study_tree import ROW_ROLE, Row
from medview.gui.parts.series_mime import SERIES_MIME, STUDY_MIME, encode, encode_several

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
        return [SERIES_MIME, STUDY_MIME, _URIS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return what the series among the rows, or below them, carry."""
        rows = [row for index in indexes for row in self._below(index)]
        chosen = [(row.series, row.entry) for row in rows if row.series is not None]
        if not chosen:
            return QMimeData()
        # Rows come as they were chosen; a series row may be chosen beside the study it belongs to.
        chosen = list({(one.series_uid, one.volumes.index(e) if e else -1): (one, e) for one, e in chosen}.values())
        if len(chosen) == 1:
            return encode(*chosen[0], files=self._files_may_leave())
        return encode_several(chosen, files=self._files_may_leave())

    def _below(self, index: QModelIndex) -> Iterator[Row]:
        row: Row | None = index.data(ROW_ROLE)
        if row is not None:
            yield row
        for number in range(self.rowCount(index)):
            yield from self._below(self.index(number, 0, index))
