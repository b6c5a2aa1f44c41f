"""Patients, studies and series as rows of a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel

from medview.core.language import _, in_language, plural
from medview.core.study import Series, Verdict, VolumeEntry
from medview.gui.parts.identity import series_description
from medview.io.dicom.names import person_name
from medview.workspace.study_order import hidden_names, patient_key

ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Where a tree item keeps its Row."""


class RowKind(Enum):
    """What a row stands for."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes
    ----------
    series : Series or None
        For series rows, as in the files; ``entry`` is the volume a double click opens, None when there is none.
    """

    kind: RowKind
    title: str
    detail: str = ""
    series: Series | None = None
    entry: VolumeEntry | None = None

    @property
    def search_text(self) -> str:
        """What the search box looks through."""
        return f"{self.title} {self.detail}"


def as_in_files(series: Series) -> Series:
    """Return the series itself."""
    return series


def fill(
    model: QStandardItemModel,
    series: Iterable[Series],
    *,
    hide_identity: bool,
    as_read: Callable[[Series], Series] = as_in_files,
    hidden_as: Mapping[tuple[str, ...], str] | None = None,
) -> None:
    """Replace the rows of a model.

    Parameters
    ----------
    hide_identity : bool
        Names, ids and dates become numbers.
    as_read : callable
        Gives a series with its texts as they are to be shown. What belongs to whom is decided by the texts in the files.
    hidden_as : mapping, optional
        What patients are called while the identity is hidden, by ``patient_key``; unless given, by their order here.
    """
    series = list(series)
    hidden_as = hidden_names(series) if hidden_as is None else hidden_as
    model.clear()
    patients: dict[tuple[str, ...], QStandardItem] = {}
    studies: dict[tuple[str, ...], QStandardItem] = {}
    for one in series:
        who, shown = patient_key(one), as_read(one)
        if who not in patients:
            row = Row(RowKind.PATIENT, hidden_as[who]) if hide_identity else _patient_row(shown)
            patients[who] = _item(row, hidden=hide_identity)
            model.appendRow(patients[who])
        key = (*who, one.study_uid)
        if key not in studies:
            number = patients[who].rowCount() + 1
            studies[key] = _item(_study_row(shown, number, hidden=hide_identity), hidden=hide_identity)
            patients[who].appendRow(studies[key])
        for row in _series_rows(one, shown, hidden=hide_identity):
            studies[key].appendRow(_item(row, hidden=hide_identity))


VERDICT_WORDS = {Verdict.VOLUME: _("volume"), Verdict.STACK: _("stack"), Verdict.REFUSED: _("refused")}


def verdict_word(row: Row) -> str:
    """Return the word of the verdict chip of a series row."""
    if row.series is not None and not row.series.volumes:
        return _("labels") if row.series.modality in ("SEG", "RTSTRUCT") else _("no image")
    entry = row.entry
    if entry is not None and entry.verdict is Verdict.STACK and entry.shape_kji[0] == 1:
        # One picture has no distances between slices to miss.
        return _("picture")
    return VERDICT_WORDS[entry.verdict if entry is not None else Verdict.REFUSED]


_IMPORTED = ("SEG", "RTSTRUCT", "SR", "KO")
"""Modalities without pictures whose files can be added to the open series."""


def can_be_imported(series: Series) -> bool:
    """Whether a series without pictures holds labels, measurements or marks for the one that is open."""
    return not series.volumes and bool(series.paths) and series.modality in _IMPORTED


def verdict_tip(row: Row) -> str:
    """Return the reasons behind the verdict, one to a line."""
    if row.series is None:
        return ""
    if not row.series.volumes:
        if can_be_imported(row.series):
            return _("This series holds no pictures; double click imports what it holds into the open series.")
        return _("This series holds no pictures, and nothing that MedView can show on others.")
    entry = row.entry or row.series.volumes[0]
    meaning = {
        Verdict.VOLUME: _("Volume: all three axes have millimetres."),
        Verdict.STACK: _("Stack: can be looked at, but distances between slices are not known."),
        Verdict.REFUSED: _("Refused: cannot be shown."),
    }[entry.verdict]
    return "\n".join([meaning, *(in_language(reason.text) for reason in entry.reasons)])


def date_text(dicom_date: str) -> str:
    """Return a DICOM date as 2026-11-20, or as it is when it is none."""
    if len(dicom_date) == 8 and dicom_date.isdigit():
        return f"{dicom_date[:4]}-{dicom_date[4:6]}-{dicom_date[6:]}"
    return dicom_date


def _item(row: Row, *, hidden: bool) -> QStandardItem:
    item = QStandardItem(row.search_text)
    item.setData(row, ROW_ROLE)
    item.setEditable(False)
    # A study is dropped onto the list of cases; elsewhere it stands for its first series.
    item.setDragEnabled(True)
    item.setDropEnabled(False)
    # What is cut off in the row stands whole in its tooltip.
    whole = "" if hidden else "\n".join(part for part in (row.title, row.detail) if part)
    item.setToolTip("\n".join(part for part in (whole, verdict_tip(row)) if part))
    return item


def _patient_row(series: Series) -> Row:
    name = person_name(series.patient_name)
    if not name and not series.patient_id:
        return Row(RowKind.PATIENT, _("No patient"))
    detail = series.patient_id if name and series.patient_id != series.patient_name else ""
    return Row(RowKind.PATIENT, name or series.patient_id, detail)


def _study_row(series: Series, number: int, *, hidden: bool) -> Row:
    title = series.study_description or _("Study {number}").format(number=number)
    return Row(RowKind.STUDY, title, "" if hidden else date_text(series.study_date))


def _series_rows(series: Series, shown: Series, *, hidden: bool) -> list[Row]:
    title = series_description(shown, hidden=hidden) or shown.body_part or _("Series without a name")
    if series.series_number is not None:
        title = f"{series.series_number}  {title}"
    entries = [v for v in series.volumes if v.verdict is not Verdict.REFUSED]
    best = series.best
    rows = [Row(RowKind.SERIES, title, _detail(series, best), series, best)]
    rows += [Row(RowKind.SERIES, title, _detail(series, e), series, e) for e in entries if e is not best]
    return rows


def _detail(series: Series, entry: VolumeEntry | None) -> str:
    parts = [series.modality] if series.modality else []
    if entry is None:
        if series.instances:
            parts.append(plural("{n} file", "{n} files", series.instances).format(n=series.instances))
        return " · ".join(parts)
    slices, rows, columns = entry.shape_kji
    if slices == 1:
        parts.append(f"{columns} × {rows}")
    else:
        parts.append(plural("{n} slice", "{n} slices", slices).format(n=slices))
        if entry.spacing_kji_mm[0] is not None:
            parts.append(f"{entry.spacing_kji_mm[0]:.3g} mm")
    if entry.time_points > 1:
        parts.append(_("{time_points} time points").format(time_points=entry.time_points))
    return " · ".join(parts)
