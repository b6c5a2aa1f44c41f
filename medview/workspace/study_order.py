"""In which order the study browser lists what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from medview.core.language import _
from medview.core.study import Series
from medview.io.dicom.names import person_name


class PatientOrder(Enum):
    """How patients follow each other; the value is what the settings keep."""

    NAME = "name"
    NEWEST = "newest"
    FOUND = "found"


class SeriesOrder(Enum):
    """How the series of a study follow each other; the value is what the settings keep."""

    NUMBER = "number"
    MODALITY = "modality"
    FOUND = "found"


def patient_order(kept: str) -> PatientOrder:
    """Return the order the settings name; by name where they name none that is known."""
    return next((order for order in PatientOrder if order.value == kept), PatientOrder.NAME)


def series_order(kept: str) -> SeriesOrder:
    """Return the order the settings name; by number where they name none that is known."""
    return next((order for order in SeriesOrder if order.value == kept), SeriesOrder.NUMBER)


def patient_key(series: Series) -> tuple[str, ...]:
    """Return by what patients are told apart. A name without a letter, as ``????``, tells nobody from another."""
    who = (series.patient_id, series.patient_name)
    nameless = series.patient_name and not any(letter.isalnum() for letter in series.patient_name)
    return (*who, series.study_uid) if nameless and not series.patient_id else who


def hidden_names(series: Iterable[Series]) -> dict[tuple[str, ...], str]:
    """Return what patients are called while their identity is hidden, by their keys: numbers in the order found.

    Sorting the list, and what is found later, changes no number.
    """
    found: dict[tuple[str, ...], str] = {}
    for one in series:
        found.setdefault(patient_key(one), _("Patient {count}").format(count=len(found) + 1))
    return found


def ordered(
    series: Iterable[Series],
    patients: PatientOrder,
    within: SeriesOrder,
    as_read: Callable[[Series], Series] = lambda series: series,
) -> list[Series]:
    """Return series patient by patient, in each the newest study first, in each study as ``within`` says.

    Parameters
    ----------
    as_read : callable
        Gives a series with its texts as they are shown: names are sorted as a person reads them.
    """
    found = list(series)
    newest: dict[tuple[str, ...], int] = {}
    name: dict[tuple[str, ...], str] = {}
    place: dict[tuple[str, ...], int] = {}
    study_place: dict[tuple[str, ...], int] = {}
    for one in found:
        who = patient_key(one)
        newest[who] = max(newest.get(who, 0), _day(one))
        place.setdefault(who, len(place))
        study_place.setdefault((*who, one.study_uid), len(study_place))
        if who not in name:
            shown = as_read(one)
            name[who] = (person_name(shown.patient_name) or shown.patient_id).casefold()
    days = _days_of_studies(found)

    def patient(who: tuple[str, ...]) -> tuple[object, ...]:
        if patients is PatientOrder.NAME:
            # Those without a name come last.
            return (not name[who], name[who], place[who])
        return (-newest[who], place[who]) if patients is PatientOrder.NEWEST else (place[who],)

    def key(one: Series) -> tuple[object, ...]:
        who = patient_key(one)
        study = (*who, one.study_uid)
        return (*patient(who), -days[study], study_place[study], *_within(one, within))

    return sorted(found, key=key)


def _days_of_studies(series: Iterable[Series]) -> dict[tuple[str, ...], int]:
    days: dict[tuple[str, ...], int] = {}
    for one in series:
        study = (*patient_key(one), one.study_uid)
        days[study] = max(days.get(study, 0), _day(one))
    return days


def _within(series: Series, order: SeriesOrder) -> tuple[object, ...]:
    number = (series.series_number is None, series.series_number or 0)
    if order is SeriesOrder.MODALITY:
        return (not series.modality, series.modality, *number)
    return number if order is SeriesOrder.NUMBER else ()


def _day(series: Series) -> int:
    """Return a study date as a number that grows with time; 0 where there is none."""
    digits = "".join(letter for letter in series.study_date if letter in "0123456789")
    return int(digits) if len(digits) == 8 else 0
