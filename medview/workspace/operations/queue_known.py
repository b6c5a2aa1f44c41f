"""Where the volume of a queued task is at hand already, and whether a model may run on it."""

from __future__ import annotations

from dataclasses import dataclass

from medview.core.study import Series, VolumeEntry
from medview.ml.packs import ModelPack
from medview.ml.registry import Fit, fits
from medview.ml.spec import Task
from medview.workspace.open_case import OpenCase
from medview.workspace.queue import SeriesPlace
from medview.workspace.requests_queue import ReadVolume
from medview.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A volume that is at hand: scanned, and perhaps read."""

    series: Series
    entry: VolumeEntry
    read: ReadVolume | None = None


def known_volume(workspace: Workspace, place: SeriesPlace, running: ReadVolume | None) -> Known | None:
    """Return where a volume is at hand: open, read for the model that runs now, or only scanned.

    Parameters
    ----------
    running : ReadVolume, optional
        What the model that runs now was given; not used again where it was of an open series.
    """
    case = open_case(workspace, place)
    if case is not None:
        return Known(case.series, case.entry, of_open(case))
    if running is not None and running.stored is not None and place.is_of(running.series, running.entry):
        shared = set(running.entry.paths) == set(place.paths)
        if shared:
            return Known(running.series, running.entry, running)
    found = place.entry_in(workspace.series)
    return Known(*found) if found is not None else None


def open_case(workspace: Workspace, place: SeriesPlace) -> OpenCase | None:
    """Return the open case of a volume, or None; of two alike, the one with its files."""
    cases = [case for case in workspace.cases.values() if place.is_of(case.series, case.entry)]
    own = [case for case in cases if set(case.entry.paths) == set(place.paths)]
    return next(iter(own or cases), None)


def arriving(workspace: Workspace, place: SeriesPlace) -> bool:
    """Whether a person has just opened the series: it is read once, and the task waits for that."""
    case = open_case(workspace, place)
    return case is not None and not case.ready


def of_open(case: OpenCase) -> ReadVolume:
    """Return the volume of an open case as a model gets it."""
    count = len(case.anchor.load.damaged)
    problem = f"{count} slices are damaged, so a model would see gaps." if count else ""
    return ReadVolume(case.series, case.entry, case.anchor.volume, problem=problem)


def fit_of(pack: ModelPack, modality: str, entry: VolumeEntry) -> Fit:
    """Return whether a model may run on a volume, and can without somebody at the screen."""
    spec = pack.spec
    if spec.task is Task.INTERACTIVE:
        return Fit(False, f"{spec.name} waits for clicks on the picture, so it cannot run by itself.")
    if len(spec.input.channels) > 1:
        return Fit(False, f"{spec.name} takes several series together; run it on an open series.")
    if entry.geometry is None:
        return Fit(False, f"{spec.name} needs a volume; the place of these images in the patient is not known.")
    return fits(spec, modality, entry.geometry, entry.unit, entry.colour)
